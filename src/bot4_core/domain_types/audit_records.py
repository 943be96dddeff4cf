"""What the audit log keeps."""

from enum import StrEnum

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds

__all__ = ["AuditKind", "AuditRecord"]


class AuditKind(StrEnum):
    """Why a record was written."""

    RUN_START = "run_start"
    RUN_END = "run_end"
    INTENT = "intent"
    REFUSAL = "refusal"
    SEND = "send"
    ACK = "ack"
    FILL = "fill"
    CANCEL = "cancel"
    REJECT = "reject"
    EXPIRY = "expiry"
    UNKNOWN = "unknown"
    BREAKER_TRIP = "breaker_trip"
    BREAKER_REARM = "breaker_rearm"
    BOOK_GAP = "book_gap"
    FUNDING = "funding"
    STATUS = "status"
    PLUGIN_STRIKE = "plugin_strike"
    OPERATOR = "operator"
    TRANSFER = "transfer"
    LINKED = "linked"  # a linked order was placed, stopped, ended …
    RECONCILIATION = "reconciliation"
    CHECKPOINT = "checkpoint"  # the tree over all records before
    SEGMENT = "segment"  # the first of a later file: where the chain comes from


@attrs.frozen(kw_only=True)
class AuditRecord:
    """One link of the chain; ``payload`` is canonical JSON of integers, text and lists."""

    sequence: int
    wall_time: Nanoseconds
    event_time: Nanoseconds
    run: str
    kind: AuditKind
    actor: str
    correlation: str  # client order id, or empty
    payload: bytes
    previous: bytes
    digest: bytes
