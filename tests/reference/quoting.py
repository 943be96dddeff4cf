"""Wanted quotes against standing orders, by sorting and pairing lists."""

from collections.abc import Sequence
from typing import NamedTuple

from bot4_core.domain_types.records import OrderStatus

Quote = tuple[int, int, int]
LEAVING = {OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE}
UNTOUCHABLE = LEAVING | {OrderStatus.UNKNOWN}


class Target(NamedTuple):
    side: int
    price: int
    size: int


class Tolerance(NamedTuple):
    behind: int = 0
    ahead: int = 0
    size_percent: int = 50
    in_flight: int = 1


class Standing(NamedTuple):
    number: int
    side: int
    price: int
    size: int
    status: OrderStatus


def plan_quotes(
    targets: Sequence[Target], standing: Sequence[Standing], tolerance: Tolerance
) -> tuple[list[Standing], list[Target]]:
    """Return what to cancel and what to order, one price unit being a tick."""
    cancels: list[Standing] = []
    orders: list[Target] = []
    for side in (1, -1):
        wanted = sorted(
            (target for target in targets if target.side == side), key=lambda each: each.price
        )
        if not wanted:
            continue
        over = OrderStatus.FILLED
        held = [order for order in standing if order.side == side and order.status < over]
        free = sorted(
            (order for order in held if order.status not in UNTOUCHABLE),
            key=lambda each: each.price,
        )
        missing = []
        for target in wanted:
            kept = next((order for order in free if fits(order, target, tolerance)), None)
            if kept is not None:
                free.remove(kept)
            elif target.size > 0:
                missing.append(target)
        cancels += free
        unknown = any(order.status is OrderStatus.UNKNOWN for order in held)
        leaving = len(free) + sum(order.status in LEAVING for order in held)
        if not unknown and leaving <= tolerance.in_flight:
            orders += missing
    return cancels, orders


def fits(order: Standing, target: Target, tolerance: Tolerance) -> bool:
    eager = (order.price - target.price) * target.side
    if not -tolerance.behind <= eager <= tolerance.ahead:
        return False
    return abs(order.size - target.size) * 100 <= tolerance.size_percent * target.size
