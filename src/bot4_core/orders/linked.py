"""Linked orders that the kernel looks after: OCO, bracket, trailing stop, iceberg.

A pure state machine on top of the order plane. Evidence about its children, prices of a LIVE book
and time go in; children to place and to cancel come out. It asks for what is missing each time
anew, so it does not matter in which order the evidence came, or how often.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple, Self, TypeAlias

import attrs

from bot4_core.domain_types.records import OrderStatus, OrderType, Side, TimeInForce
from bot4_core.errors import OrderError
from bot4_core.orders.linked_plans import LinkedKind, LinkedPlan, LinkedStatus

__all__ = [
    "CancelChild",
    "ChildRole",
    "KeptChild",
    "LinkedAction",
    "LinkedOrder",
    "NativeOrder",
    "PlaceChild",
]

NEVER: Final = 2**63 - 1
_NEVER: Final = -1


class ChildRole(IntEnum):
    """What a child order is there for."""

    ENTRY = 0
    TARGET = 1
    STOP = 2


class PlaceChild(NamedTuple):
    """Wanted: a new order. Its evidence is told under ``child``; price 0 is at market."""

    child: int
    role: ChildRole
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: int
    size: int


class CancelChild(NamedTuple):
    """Wanted: the end of a child; asked again after a pause for as long as it may still fill."""

    child: int


LinkedAction: TypeAlias = PlaceChild | CancelChild


class KeptChild(NamedTuple):
    """What was last known of a child, to go on from; a rejected one with the time of that, ns."""

    role: ChildRole
    size: int
    status: OrderStatus
    filled: int
    at_stake: int
    time: int


@attrs.define
class _Child:
    """A child and what is known of it; before any evidence all of it is at stake."""

    role: ChildRole
    size: int
    at_stake: int
    filled: int = 0
    status: OrderStatus = OrderStatus.CREATED
    cancel_asked: int = _NEVER


class LinkedOrder:
    """One plan at work.

    Whatever the children's fates, what the exits have filled and may still fill is never more than
    what the entry has filled (without an entry, than the size). A child whose outcome is not known
    may still fill, so nothing takes its place. The stop is not at the venue: when it starts, the
    target is cancelled first, and only what surely will not fill there goes to market.

    Parameters
    ----------
    plan : LinkedPlan

    Attributes
    ----------
    extreme : int
        The best touch price that a trailing stop has seen, 0 before the first.
    stopped : bool
        Whether the stop has started; it does not go back.
    """

    def __init__(self, plan: LinkedPlan) -> None:
        self.plan = plan
        self.extreme = 0
        self.stopped = False
        self._cancelled = False
        self._children: list[_Child] = []
        self._rejected = 0  # targets
        self._retry = 0  # no exit is placed before this time

    @classmethod
    def restored(
        cls,
        plan: LinkedPlan,
        children: Sequence[KeptChild],
        *,
        extreme: int = 0,
        stopped: bool = False,
        cancelled: bool = False,
    ) -> Self:
        """Return a plan at work as it was known; what may still fill is asked to end anew."""
        order = cls(plan)
        order.extreme, order.stopped, order._cancelled = extreme, stopped, cancelled
        for number, (role, size, status, filled, at_stake, time) in enumerate(children):
            order._children.append(_Child(role, size, at_stake=size))
            order.update(number, status, filled, at_stake, time)
        return order

    @property
    def status(self) -> LinkedStatus:
        """How far it has come."""
        if not self.finished:
            return LinkedStatus.STOPPED if self.stopped else LinkedStatus.WORKING
        if self._cancelled:
            return LinkedStatus.CANCELLED
        return LinkedStatus.DONE if self.closed else LinkedStatus.UNENTERED

    @property
    def children(self) -> tuple[tuple[ChildRole, OrderStatus, int], ...]:
        """Role, status and filled size of every child, oldest first."""
        return tuple((each.role, each.status, each.filled) for each in self._children)

    def next_look(self, now: int) -> int:
        """Return when `decide` may want more though nothing happens until then, ns."""
        due = self._retry if self._retry > now else NEVER
        for each in self._children:
            if each.at_stake and each.cancel_asked != _NEVER:
                due = min(due, each.cancel_asked + self.plan.pause)
        return due

    @property
    def goal(self) -> int:
        """What is to be closed so far."""
        if not self.plan.entry:
            return self.plan.size
        return sum(each.filled for each in self._children if each.role is ChildRole.ENTRY)

    @property
    def closed(self) -> int:
        """What the exits have filled."""
        return sum(each.filled for each in self._exits())

    @property
    def at_stake(self) -> int:
        """What the exits may still fill."""
        return sum(each.at_stake for each in self._exits())

    @property
    def uncovered(self) -> int:
        """What no exit has filled or may still fill; below zero after a bust of the entry."""
        return self.goal - self.closed - self.at_stake

    @property
    def trigger(self) -> int:
        """The touch price at which the stop starts, the nearer of stop and trail; 0 for none."""
        plan, prices = self.plan, []
        if plan.stop:
            prices.append(plan.stop)
        if plan.trail and self.extreme:
            prices.append(self.extreme + plan.side * plan.trail)
        return min(prices, key=lambda price: price * plan.side, default=0)

    @property
    def gave_up(self) -> bool:
        """Whether the target was rejected so often that it is placed no more."""
        return self._rejected >= self.plan.tries

    @property
    def finished(self) -> bool:
        """Whether nothing can happen any more."""
        if any(each.at_stake for each in self._children):
            return False
        entered = not self.plan.entry or bool(self._children)
        return self._cancelled or (entered and self.uncovered <= 0)

    def update(self, child: int, status: OrderStatus, filled: int, at_stake: int, now: int) -> None:
        """Take in what is known of a child, as a `WorkingOrder` has it.

        Parameters
        ----------
        child : int
        status : OrderStatus
        filled, at_stake : int
            What counts as filled now, and what may yet be filled.
        now : int
            ns

        Raises
        ------
        OrderError
            If no such child was asked for, or the sizes cannot be.
        """
        if not 0 <= child < len(self._children):
            raise OrderError(f"linked child {child}, there are {len(self._children)}")
        known = self._children[child]
        if filled < 0 or at_stake < 0:
            raise OrderError(f"linked child {child}: {filled} filled, {at_stake} at stake")
        over = status >= OrderStatus.FILLED and known.status < OrderStatus.FILLED
        known.status, known.filled, known.at_stake = status, filled, at_stake
        if over and known.role is not ChildRole.ENTRY and status is OrderStatus.REJECTED:
            self._retry = now + self.plan.pause
            self._rejected += known.role is ChildRole.TARGET

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancelled

    def cancel(self) -> None:
        """End the plan: nothing is placed any more, and every child is cancelled.

        What an entry has filled stays open.
        """
        self._cancelled = True

    def decide(self, bid: int, ask: int, now: int, *, placing: bool = True) -> list[LinkedAction]:
        """Say what is wanted, at the end of a message.

        Parameters
        ----------
        bid, ask : int
            Best prices of a LIVE book; 0 while it is not LIVE: then no stop starts, and nothing
            goes to market.
        now : int
            ns, never before an earlier call's.
        placing : bool
            Whether orders may be placed now; cancels always may.
        """
        if self._cancelled:
            return self._cancels(now, ChildRole.ENTRY, ChildRole.TARGET, ChildRole.STOP)
        if self.plan.entry and not self._children:
            return [self._place(ChildRole.ENTRY, self.plan.size)] if placing else []
        touch = bid if self.plan.side < 0 else ask
        live = bid > 0 and ask > 0
        if live and self.goal:
            self._follow(touch)
        if self.stopped:
            actions = self._cancels(now, ChildRole.ENTRY, ChildRole.TARGET)
            if placing and live and self.uncovered > 0 and now >= self._retry:
                actions.append(self._place(ChildRole.STOP, self.uncovered))
            return actions
        if self.uncovered < 0:
            return self._cancels(now, ChildRole.TARGET)
        size = self._target_size(now) if placing else 0
        return [self._place(ChildRole.TARGET, size)] if size else []

    def _follow(self, touch: int) -> None:
        """Move the trail with the touch, never back, and start the stop where it is reached."""
        side = self.plan.side
        if self.plan.trail and not self.stopped:
            seen = self.extreme
            self.extreme = touch if not seen or (touch - seen) * side < 0 else seen
        if self.trigger and (touch - self.trigger) * side >= 0:
            self.stopped = True

    def _target_size(self, now: int) -> int:
        """Return what is to rest in one more target order, 0 for none."""
        plan, size = self.plan, self.uncovered
        if not plan.target or self.gave_up or now < self._retry:
            return 0
        if plan.visible:
            size = 0 if self.at_stake else min(size, plan.visible)
        entering = any(each.at_stake for each in self._children if each.role is ChildRole.ENTRY)
        return 0 if entering and size < plan.smallest else size

    def _place(self, role: ChildRole, size: int) -> PlaceChild:
        self._children.append(_Child(role, size, at_stake=size))
        plan, stop = self.plan, role is ChildRole.STOP
        entry = role is ChildRole.ENTRY
        return PlaceChild(
            child=len(self._children) - 1,
            role=role,
            side=Side(-plan.side) if entry else plan.side,
            type=OrderType.MARKET if stop else OrderType.LIMIT,
            time_in_force=TimeInForce.IOC if stop else TimeInForce.GTC,
            price=0 if stop else plan.entry if entry else plan.target,
            size=size,
        )

    def _cancels(self, now: int, *roles: ChildRole) -> list[LinkedAction]:
        """Ask for the end of children that may still fill, of each at most once in a pause."""
        actions: list[LinkedAction] = []
        for number, each in enumerate(self._children):
            asked = each.cancel_asked
            due = asked == _NEVER or now >= asked + self.plan.pause
            if each.role in roles and each.at_stake and due:
                each.cancel_asked = now
                actions.append(CancelChild(number))
        return actions

    def _exits(self) -> list[_Child]:
        return [each for each in self._children if each.role is not ChildRole.ENTRY]


NATIVE: Final = {
    LinkedKind.ICEBERG: (ChildRole.TARGET, OrderType.ICEBERG),
    LinkedKind.STOP: (ChildRole.STOP, OrderType.STOP),
    LinkedKind.TRAILING_STOP: (ChildRole.STOP, OrderType.TRAILING_STOP),
}
"""Plans that are one order at a venue which has its type."""


class NativeOrder(LinkedOrder):
    """A plan that its venue looks after as one order: an iceberg, a stop or a trailing stop.

    What is left of an order that ended by itself is placed again, after a reject with a pause.
    """

    def decide(self, bid: int, ask: int, now: int, *, placing: bool = True) -> list[LinkedAction]:
        """Say what is wanted; as `LinkedOrder.decide`."""
        if self.cancelled:
            return self._cancels(now, ChildRole.TARGET, ChildRole.STOP)
        if not placing or self.uncovered <= 0 or self.gave_up or now < self._retry:
            return []
        role, kind = NATIVE[self.plan.kind]
        placed = self._place(role, self.uncovered)
        price = self.plan.target if role is ChildRole.TARGET else 0
        return [placed._replace(type=kind, time_in_force=TimeInForce.GTC, price=price)]
