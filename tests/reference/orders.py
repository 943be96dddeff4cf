"""Orders by definition: all evidence on the table at once, sorted out by plain rules."""

from collections.abc import Iterable
from typing import NamedTuple

from bot4_core.domain_types.records import EventKind, OrderStatus
from bot4_core.orders import LocalEvidence

ENDS = (EventKind.ORDER_CANCELED, EventKind.ORDER_EXPIRED)


class Evidence(NamedTuple):
    kind: int
    received: int
    size: int = -1  # fill size, or the open size that the venue reports
    trade: int = -1
    price: int = 0


class FinalState(NamedTuple):
    status: OrderStatus
    filled: int
    reserved: int
    venue_filled: int


def final_state(size: int, evidence: Iterable[Evidence]) -> FinalState:
    """Judge an order of a size by everything that was ever seen of it."""
    seen = set(evidence)
    kinds = {item.kind for item in seen}
    fills = {item.trade: item.size for item in seen if item.kind == EventKind.ORDER_FILLED}
    filled = sum(fills.values())
    told = max((size - item.size for item in seen if _says_open(item)), default=0)
    venue_filled = max(told, 0)
    status = _status(size, filled, kinds, _cancel_pending(seen))
    over = status >= OrderStatus.FILLED
    ends = {item.size for item in seen if item.kind in ENDS}
    if status in (OrderStatus.CANCELED, OrderStatus.EXPIRED) and max(ends) <= 0:
        over = False  # gone, and nobody said how much of it was filled, or all of it
    reserved = max(0, (venue_filled if over else size) - filled)
    return FinalState(status, filled, reserved, venue_filled)


def _says_open(item: Evidence) -> bool:
    telling = (EventKind.ORDER_ACCEPTED, EventKind.ORDER_CANCELED, EventKind.ORDER_EXPIRED)
    return item.size >= 0 and item.kind in telling


def _cancel_pending(seen: set[Evidence]) -> bool:
    asked = [item.received for item in seen if item.kind == LocalEvidence.CANCEL_REQUESTED]
    refused = [item.received for item in seen if item.kind == EventKind.CANCEL_REJECTED]
    return max(asked, default=-1) > max(refused, default=-1)


def _status(size: int, filled: int, kinds: set[int], cancel_pending: bool) -> OrderStatus:
    accepted = bool(filled) or EventKind.ORDER_ACCEPTED in kinds
    rejections = {
        EventKind.ORDER_REJECTED,
        LocalEvidence.WITHHELD,
        LocalEvidence.NEVER_ARRIVED,
    }
    ladder = [
        (filled >= size, OrderStatus.FILLED),
        (EventKind.ORDER_CANCELED in kinds, OrderStatus.CANCELED),
        (EventKind.ORDER_EXPIRED in kinds, OrderStatus.EXPIRED),
        (bool(kinds & rejections), OrderStatus.REJECTED),
        (LocalEvidence.TIMED_OUT in kinds and not accepted, OrderStatus.UNKNOWN),
        (cancel_pending, OrderStatus.PENDING_CANCEL),
        (bool(filled), OrderStatus.PARTIAL),
        (accepted, OrderStatus.OPEN),
        (LocalEvidence.SENT in kinds, OrderStatus.SUBMITTED),
        (True, OrderStatus.CREATED),
    ]
    return next(status for holds, status in ladder if holds)
