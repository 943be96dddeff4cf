"""The digest of a run: events, what came of them and the final ledger; nothing else of it."""

import hashlib
from typing import Final

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.kernels.order_rows import Slot
from bot4_core.session.effects import Effect, Note, QueryOrder, RecordIntent, Resync
from bot4_core.session.state import SessionState

__all__ = ["TraceDigest"]

TRACED: Final = frozenset(
    {
        AuditKind.ACK,
        AuditKind.FILL,
        AuditKind.CANCEL,
        AuditKind.REJECT,
        AuditKind.EXPIRY,
        AuditKind.UNKNOWN,
        AuditKind.OPERATOR,
    }
)
"""Notes that say in words what kernels traced of an order's evidence."""


class TraceDigest:
    """SHA-256 over what happened.

    Kernels trace events, judged orders, cancels and evidence as numbers (``kernels.trace``); what
    only Python knows, such as a trip or a reason in words, is added here. Client order ids and
    wall-clock times stay out: they name a run, and decide nothing in it.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def effect(self, effect: Effect) -> None:
        """Add what kernels did not trace of an effect."""
        facts: tuple[object, ...] | None = None
        if isinstance(effect, RecordIntent) and effect.reason:
            facts = ("intent", effect.number, effect.time, effect.reason)
        elif isinstance(effect, Note) and effect.kind not in TRACED:
            payload = sorted(effect.payload.items())
            facts = ("note", effect.kind.value, effect.actor, effect.time, payload)
        elif isinstance(effect, QueryOrder):
            facts = ("query", effect.number, effect.time)
        elif isinstance(effect, Resync):
            facts = ("resync", effect.instrument, effect.time)
        if facts is not None:
            self._hash.update(repr(facts).encode())

    def close(self, state: SessionState) -> str:
        """Add what kernels traced and the final ledger, and return the digest."""
        self._hash.update(state.account.orders.tables[Slot.TRACE].tobytes())
        self._hash.update(repr(state.account.ledger.digest()).encode())
        return self._hash.hexdigest()
