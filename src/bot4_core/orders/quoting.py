"""From wanted quotes to the fewest cancels and new orders.

A market moves at every message; orders must not. A standing order is left alone while it lies
within a few ticks of the wanted price and holds roughly the wanted size, because each replacement
costs its place in the queue, two requests of the venue's budget and a moment without a quote.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

import attrs

from bot4_core.domain_types.records import OrderStatus, OrderType, TimeInForce
from bot4_core.orders.working import WorkingOrder

__all__ = ["QuotePlan", "QuoteTolerance", "Target", "plan_quotes"]


class Target(NamedTuple):
    """A wanted quote (size 0: nothing shall stand on this side) or trade (price 0: at market)."""

    side: int
    price: int
    size: int


@attrs.frozen(kw_only=True)
class QuoteTolerance:
    """How far a standing order may be from the wanted one and still be kept."""

    behind: int = 0
    """Ticks by which it may be less eager to trade than wanted."""
    ahead: int = 0
    """Ticks by which it may be more eager: each is edge given away."""
    size_percent: int = 50
    """How much of the wanted size its open size may lack or exceed, in percent of it."""
    in_flight: int = 1
    """How many cancels may be unanswered on a side while new orders still go out there."""


class QuotePlan(NamedTuple):
    """What to do; cancels come first."""

    cancels: list[WorkingOrder]
    orders: list[Target]


EXACT: Final = QuoteTolerance()
_UNTOUCHABLE: Final = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN})
_RESTING: Final = frozenset({TimeInForce.GTC, TimeInForce.GTD})
_PRICE: Final = attrgetter("price")
_TARGET_PRICE: Final = itemgetter(1)


def plan_quotes(
    targets: Sequence[Target],
    standing: Iterable[WorkingOrder],
    tick: int,
    tolerance: QuoteTolerance = EXACT,
) -> QuotePlan:
    """Compare wanted quotes with the standing orders of one instrument.

    Only sides named in ``targets`` are touched, and on them only resting limit orders. Orders
    that are being cancelled, or of which nothing is known, are never matched; a side with an
    UNKNOWN order gets no new one, and a side with more than ``tolerance.in_flight`` unanswered
    cancels waits.

    Parameters
    ----------
    targets : sequence of Target
        Several on one side make a ladder.
    standing : iterable of WorkingOrder
        All unfinished orders of the instrument (``Orders.working``).
    tick : int
        Scaled price step.
    tolerance : QuoteTolerance
        Hysteresis.

    Returns
    -------
    QuotePlan
        Matching is maximal for one tolerance, so no other plan keeps more orders at these prices.
    """
    plan = QuotePlan([], [])
    if not targets:
        return plan
    resting = [order for order in standing if _is_quote(order)]
    for side in (1, -1):
        wanted = [target for target in targets if target[0] == side]
        if wanted:
            held = [order for order in resting if order.side == side]
            _plan_side(plan, wanted, held, tick, tolerance)
    return plan


def _is_quote(order: WorkingOrder) -> bool:
    return order.type == OrderType.LIMIT and order.time_in_force in _RESTING


def _plan_side(
    plan: QuotePlan,
    wanted: list[Target],
    held: list[WorkingOrder],
    tick: int,
    tolerance: QuoteTolerance,
) -> None:
    free = [order for order in held if order.status not in _UNTOUCHABLE]
    if len(free) > 1:
        free.sort(key=_PRICE)
    if len(wanted) > 1:
        wanted.sort(key=_TARGET_PRICE)
    missing = []
    for target in wanted:
        kept = next((order for order in free if _fits(order, target, tick, tolerance)), None)
        if kept is not None:
            free.remove(kept)
        elif target.size > 0:
            missing.append(target)
    plan.cancels.extend(free)
    if missing and _may_add(held, len(free), tolerance):
        plan.orders.extend(missing)


def _fits(order: WorkingOrder, target: Target, tick: int, tolerance: QuoteTolerance) -> bool:
    side, price, size = target
    eagerness = (order.price - price) * side
    if eagerness > tolerance.ahead * tick or -eagerness > tolerance.behind * tick:
        return False
    return abs(order.size - order.filled - size) * 100 <= tolerance.size_percent * size


def _may_add(held: list[WorkingOrder], cancelling: int, tolerance: QuoteTolerance) -> bool:
    for order in held:
        if order.status is OrderStatus.UNKNOWN:
            return False
        cancelling += order.status is OrderStatus.PENDING_CANCEL
    return cancelling <= tolerance.in_flight
