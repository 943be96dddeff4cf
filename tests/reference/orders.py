"""Orders by definition: all evidence on the table at once, sorted out by plain rules."""

from collections.abc import Iterable
from typing import NamedTuple

from bot4_core.domain_types.records import EventKind, OrderReason, OrderStatus
from bot4_core.orders import LocalEvidence

ENDS = (EventKind.ORDER_CANCELED, EventKind.ORDER_EXPIRED)
TRADES = (EventKind.ORDER_FILLED, EventKind.TRADE_CORRECTED, EventKind.TRADE_BUSTED)
PENDING = (EventKind.CANCEL_PENDING, EventKind.REPLACE_PENDING)
ACCEPTANCES = {EventKind.ORDER_ACCEPTED, *TRADES, *PENDING}
FINAL_AFTER = 2


class Evidence(NamedTuple):
    kind: int
    received: int
    size: int = -1  # size of the trade, or the open size that the venue reports
    trade: int = -1
    price: int = 0
    time: int = 0  # of the venue
    reason: int = 0


class FinalState(NamedTuple):
    status: OrderStatus
    filled: int
    reserved: int
    venue_filled: int


def final_state(size: int, evidence: Iterable[Evidence]) -> FinalState:
    """Judge an order of a size by everything that was ever seen of it."""
    seen = {_plainly(item) for item in evidence}
    kinds = {item.kind for item in seen}
    filled, executed = traded(seen)
    told = max((size - item.size for item in seen if _says_open(item)), default=0)
    venue_filled = max(told, 0)
    never = LocalEvidence.NEVER_ARRIVED in kinds or _not_found(seen)
    status = _status(size, (executed, filled), kinds, _pending(seen), never=never)
    over = status >= OrderStatus.FILLED
    ends = {item.size for item in seen if item.kind in ENDS}
    if status in (OrderStatus.CANCELED, OrderStatus.EXPIRED) and max(ends) <= 0:
        over = False  # gone, and nobody said how much of it was filled, or all of it
    refused = kinds & {EventKind.ORDER_REJECTED, LocalEvidence.WITHHELD}
    known = kinds & (ACCEPTANCES | {EventKind.ORDER_UNTRIGGERED})
    if status is OrderStatus.REJECTED and known and not refused:
        over = False  # the venue had it once and does not know it any more
    reserved = max(0, (venue_filled if over else size) - executed)
    return FinalState(status, filled, reserved, venue_filled)


def traded(seen: Iterable[Evidence]) -> tuple[int, int]:
    """Return what was filled, as it counts now and as it was reported at most."""
    reports: dict[int, list[tuple[float, int]]] = {}
    for item in seen:
        if item.kind in TRADES:
            reports.setdefault(item.trade, []).append((_revision(item), item.size))
    filled = executed = 0
    for report in reports.values():
        revision, size = max(report)
        filled += 0 if revision == float("inf") else size
        executed += max(size for _, size in report)
    return filled, executed


def _revision(item: Evidence) -> float:
    if item.kind == EventKind.TRADE_BUSTED:
        return float("inf")
    return 0 if item.kind == EventKind.ORDER_FILLED else max(1, item.time)


def _plainly(item: Evidence) -> Evidence:
    """A number that the venue has already is an order that the venue has."""
    if item.kind == EventKind.ORDER_REJECTED and item.reason == OrderReason.DUPLICATE:
        return Evidence(EventKind.ORDER_ACCEPTED, item.received)
    return item


def _not_found(seen: set[Evidence]) -> bool:
    sent = [item.received for item in seen if item.kind == LocalEvidence.SENT]
    asked = [item.time or item.received for item in seen if item.kind == EventKind.ORDER_NOT_FOUND]
    return bool(sent and asked) and max(asked) > min(sent) + FINAL_AFTER


def _says_open(item: Evidence) -> bool:
    return item.size >= 0 and item.kind in (EventKind.ORDER_ACCEPTED, *PENDING, *ENDS)


def _pending(seen: set[Evidence]) -> OrderStatus | None:
    def latest(*kinds: int) -> int:
        return max((item.received for item in seen if item.kind in kinds), default=-1)

    refused = latest(EventKind.CANCEL_REJECTED)
    cancel = latest(LocalEvidence.CANCEL_REQUESTED, EventKind.CANCEL_PENDING)
    replace = latest(LocalEvidence.REPLACE_REQUESTED, EventKind.REPLACE_PENDING)
    if max(cancel, replace) <= refused:
        return None
    return OrderStatus.PENDING_CANCEL if cancel >= replace else OrderStatus.PENDING_REPLACE


def _status(
    size: int,
    traded: tuple[int, int],
    kinds: set[int],
    pending: OrderStatus | None,
    *,
    never: bool,
) -> OrderStatus:
    executed, filled = traded
    accepted = bool(kinds & ACCEPTANCES)
    waiting = EventKind.ORDER_UNTRIGGERED in kinds
    rejections = {EventKind.ORDER_REJECTED, LocalEvidence.WITHHELD}
    ladder = [
        (executed >= size, OrderStatus.FILLED),
        (EventKind.ORDER_CANCELED in kinds, OrderStatus.CANCELED),
        (EventKind.ORDER_EXPIRED in kinds, OrderStatus.EXPIRED),
        (bool(kinds & rejections) or never, OrderStatus.REJECTED),
        (LocalEvidence.TIMED_OUT in kinds and not accepted and not waiting, OrderStatus.UNKNOWN),
        (pending is not None, pending or OrderStatus.PENDING_CANCEL),
        (bool(filled), OrderStatus.PARTIAL),
        (accepted, OrderStatus.OPEN),
        (waiting, OrderStatus.TRIGGER_PENDING),
        (LocalEvidence.SENT in kinds, OrderStatus.SUBMITTED),
        (True, OrderStatus.CREATED),
    ]
    return next(status for holds, status in ladder if holds)
