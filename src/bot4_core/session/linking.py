"""Linked orders of a session: driven by evidence, prices of LIVE books and event time."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from bot4_core.domain_types.canonical_types import Price
from bot4_core.domain_types.decisions import Exits
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import (
    BookState,
    BreakerEffect,
    OrderFlag,
    OrderStatus,
    Records,
    Side,
    SignalAction,
)
from bot4_core.errors import OrderError, PluginError, ValidationError
from bot4_core.kernels.order_rows import NEVER_DUE, Slot
from bot4_core.orders import Orders
from bot4_core.orders.linked import CancelChild, LinkedOrder, NativeOrder, PlaceChild
from bot4_core.orders.linked_plans import (
    LinkedForm,
    LinkedPlan,
    LinkedSettings,
    form_at,
    plan_on,
)
from bot4_core.session.effects import ChildLink
from bot4_core.session.link_records import KeptLink, LinkedReport, link_report, linked_note
from bot4_core.session.ordering import Ordering
from bot4_core.session.parts import StrategyCalls

__all__ = ["Links"]

LIVE: Final = int(BookState.LIVE)
BLOCK_ALL: Final = int(BreakerEffect.BLOCK_ALL)
FLATTEN: Final = int(BreakerEffect.FLATTEN)
ENTERING: Final = frozenset({SignalAction.QUOTE, SignalAction.TAKE})
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)


@attrs.define(kw_only=True)
class _Link:
    """A linked order with its children's order numbers, 0 for those that the gate kept back."""

    number: int
    instrument: int
    order: LinkedOrder
    name: str = ""
    by_strategy: bool = False
    native: bool = False
    told: bool = False
    numbers: list[int] = attrs.field(factory=list)


class Links:
    """Looks after the linked orders of a session.

    Their children are orders like others: limits, breakers, the audit log and reservations hold
    for them. Exits that reduce what is held go out reduce-only, so that a breaker which blocks new
    risk lets them pass. While a breaker blocks all orders, or the book is not LIVE, nothing is
    placed; one that closes everything ends the linked orders first.

    Parameters
    ----------
    instruments : sequence of Instrument
    orders : Orders
    ordering : Ordering
        Judges the children.
    views : (n,) VIEW
    natives : frozenset of str
        Kinds of plans that the venue looks after as one order.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        orders: Orders,
        ordering: Ordering,
        views: Records,
        natives: frozenset[str] = frozenset(),
    ) -> None:
        self._instruments = tuple(instruments)
        self._natives = natives
        self._orders, self._ordering, self._views = orders, ordering, views
        self._tables = ordering.tables
        self._all: list[_Link] = []
        self._alive: dict[int, list[_Link]] = {}

    def __bool__(self) -> bool:
        return bool(self._alive)

    def on(self, symbol: str) -> int:
        """Return the instrument of a symbol.

        Raises
        ------
        ValidationError
            If there is none.
        """
        for number, each in enumerate(self._instruments):
            if each.symbol == symbol:
                return number
        raise ValidationError([("symbol", f"{symbol} is not traded in this session")])

    def plan(self, settings: LinkedSettings, now: int) -> int:
        """Place what settings in decimal numbers ask for; as `place`."""
        instrument = self.on(settings.symbol)
        plan = plan_on(self._instruments[instrument], settings)
        return self.place(instrument, plan, now, name=settings.name)

    def place(
        self,
        instrument: int,
        plan: LinkedPlan,
        now: int,
        *,
        name: str = "",
        by_strategy: bool = False,
    ) -> int:
        """Begin a linked order; return its number. Its first child goes out at a LIVE book.

        Raises
        ------
        ValidationError
            If the instrument is not known, or its venue would not take the plan's orders.
        """
        if not 0 <= instrument < len(self._instruments):
            raise ValidationError([("instrument", f"there is no instrument {instrument}")])
        faults = plan.faults_on(self._instruments[instrument])
        if faults:
            raise ValidationError(faults)
        native = form_at(plan, self._natives) is LinkedForm.NATIVE
        link = _Link(
            number=len(self._all) + 1,
            instrument=instrument,
            order=NativeOrder(plan) if native else LinkedOrder(plan),
            native=native,
            name=name,
            by_strategy=by_strategy,
        )
        self._add(link)
        if now:
            self._tell(link, "placed", now)
        return link.number

    def stands(self, instrument: int, side: int) -> bool:
        """Tell whether the strategy has a linked order with exits on a side already."""
        links = self._alive.get(instrument, ())
        return any(each.by_strategy and each.order.plan.side == side for each in links)

    def take_over(self, instrument: int, strategy: StrategyCalls, sized: Records, now: int) -> None:
        """Make linked orders of the sized signals that have exits; nothing else is left of them.

        Raises
        ------
        PluginError
            If such a signal has no price, or asks for neither a quote nor a trade.
        ValidationError
            If its venue would not take the orders.
        """
        rules = self._instruments[instrument]
        for place, signal in enumerate(strategy.given):
            if signal.exits is None:
                continue
            row = strategy.signals[place]
            if row["price"] <= 0 or row["action"] not in ENTERING:
                raise PluginError("a signal with exits quotes or takes, and at a price")
            row["action"] = SignalAction.NONE
            size = int(sized["size"][place])
            size -= size % max(1, rules.lot)
            side = Side(-signal.side)
            if size < max(1, rules.min_size) or self.stands(instrument, side):
                continue
            plan = bracket_of(signal.exits, side, int(row["price"]), size, rules)
            self.place(instrument, plan, now, name=signal.reason, by_strategy=True)
            self.attend(instrument, now)

    def cancel(self, number: int, reason: str, now: int) -> None:
        """End a linked order; its children are cancelled, and what it has filled stays.

        Raises
        ------
        OrderError
            If there is none of this number.
        """
        if not 0 < number <= len(self._all):
            raise OrderError(f"there is no linked order {number}, of {len(self._all)}")
        link = self._all[number - 1]
        if not link.order.finished:
            self._end(link, reason, now)
            self.attend(link.instrument, now)

    def cancel_all(self, reason: str, now: int) -> None:
        """End every linked order."""
        for instrument, links in tuple(self._alive.items()):
            for link in tuple(links):
                self._end(link, reason, now)
            self.attend(instrument, now)

    def look_again(self) -> None:
        """Look at every linked order at the next message, whatever happens."""
        self._tables[Slot.DESKS]["links_due"] = 0

    def attend(self, instrument: int, now: int) -> None:
        """Take in what is known of the children, and do what the linked orders want now."""
        links = self._alive.get(instrument)
        if not links:
            return
        view, desk = self._views[instrument], self._tables[Slot.DESKS][instrument]
        live = view["state"] == LIVE
        bid, ask = (int(view["bid"]), int(view["ask"])) if live else (0, 0)
        due = NEVER_DUE
        for link in tuple(links):
            effect = int(desk["effect"])
            if effect >= FLATTEN:
                self._end(link, "breaker", now)
            self._follow(link, (bid, ask), now, placing=live and effect < BLOCK_ALL)
            due = min(due, link.order.next_look(now))
            if link.order.finished:
                self._tell(link, link.order.status.value, now)
                links.remove(link)
                for number in link.numbers:
                    self._orders.plans.pop(number, None)
        self._count(instrument)
        desk["links_due"], desk["links_bid"], desk["links_ask"] = due, bid, ask

    def restore(self, kept: Sequence[KeptLink]) -> None:
        """Go on with the linked orders of an earlier run, whose orders were restored already.

        They take the place of those that were placed before the first event under the same names.
        """
        names = {each.name for each in kept}
        known, self._all, self._alive = self._all, [], {}
        for each in kept:
            link = _Link(
                number=len(self._all) + 1,
                instrument=each.instrument,
                order=each.order(self._orders),
                name=each.name,
                by_strategy=each.by_strategy,
                native=each.native,
                told=True,
                numbers=[child.number for child in each.children],
            )
            for number in link.numbers:
                if number in self._orders:
                    row = self._orders.place(number)
                    self._tables[Slot.ORDERS]["linked"][row] = link.number
                    self._leave_to_venue(link, number)
            self._add(link, alive=not each.ended)
        for link in known:
            if not link.name or link.name not in names:
                link.number = len(self._all) + 1
                self._add(link)
        for number in range(len(self._instruments)):
            self._count(number)

    def reports(self, now: int) -> Iterator[LinkedReport]:
        """Yield what has become of every linked order by now."""
        for link in self._all:
            self._take_in(link, now)
            rules = self._instruments[link.instrument]
            yield link_report(link.number, link.name, rules, link.order, link.numbers)

    def _add(self, link: _Link, *, alive: bool = True) -> None:
        self._all.append(link)
        if alive:
            self._alive.setdefault(link.instrument, []).append(link)
            self._count(link.instrument)
            self._tables[Slot.DESKS]["links_due"][link.instrument] = 0

    def _count(self, instrument: int) -> None:
        """Tell the kernels how many linked orders there are."""
        links = self._alive.get(instrument, ())
        self._tables[Slot.DESKS]["links"][instrument] = len(links)
        if not links:
            self._alive.pop(instrument, None)
        self._tables[Slot.CONDUCT]["links"] = sum(map(len, self._alive.values()))

    def _end(self, link: _Link, reason: str, now: int) -> None:
        if link.order.cancelled:
            return
        link.order.cancel()
        self._tell(link, "cancel", now, reason=reason)

    def _follow(self, link: _Link, touch: tuple[int, int], now: int, *, placing: bool) -> None:
        order = link.order
        self._take_in(link, now)
        if not link.told:
            self._tell(link, "placed", now)
        before = order.stopped, order.extreme
        actions = order.decide(*touch, now, placing=placing)
        if (order.stopped, order.extreme) != before:
            self._tell(link, "stopped" if order.stopped else "trail", now)
        for action in actions:
            if isinstance(action, PlaceChild):
                self._place(link, action, now)
            else:
                self._cancel(link, action, now)

    def _take_in(self, link: _Link, now: int) -> None:
        """Take in what the order machine knows of the children."""
        rows = self._tables[Slot.ORDERS]
        for child, number in enumerate(link.numbers):
            if number in self._orders:
                row = rows[self._orders.place(number)]
                status, filled = OrderStatus(int(row["status"])), int(row["filled"])
                link.order.update(child, status, filled, int(row["reserved"]), now)

    def _place(self, link: _Link, action: PlaceChild, now: int) -> None:
        flags = REDUCE_ONLY if self._reduces(link.instrument, action) else 0
        terms = (action.type, action.time_in_force, flags, action.price, action.size)
        number = self._ordering.place_child(
            (link.instrument, int(action.side), *map(int, terms)),
            ChildLink(link.number, action.child, action.role.name.lower()),
            now,
        )
        link.numbers.append(number)
        self._leave_to_venue(link, number)
        if not number:
            link.order.update(action.child, OrderStatus.REJECTED, 0, 0, now)

    def _leave_to_venue(self, link: _Link, number: int) -> None:
        """Let an order that the venue looks after say what it is to do."""
        if link.native and number:
            self._orders.plans[number] = link.order.plan

    def _reduces(self, instrument: int, action: PlaceChild) -> bool:
        """Tell whether a child closes no more than is held and not yet being closed."""
        view, side = self._views[instrument], int(action.side)
        working = int(view["open_buy"] if side is Side.BUY else view["open_sell"])
        return action.size <= -int(view["position"]) * side - working

    def _cancel(self, link: _Link, action: CancelChild, now: int) -> None:
        number = link.numbers[action.child]
        self._ordering.cancel_order(number, f"linked order {link.number}", now)

    def _tell(self, link: _Link, what: str, now: int, **more: Any) -> None:
        link.told = True
        rules = self._instruments[link.instrument]
        known: dict[str, Any] = {"by_strategy": int(link.by_strategy), "name": link.name}
        note = linked_note(link.number, what, rules, link.order, now, **known, **more)
        self._ordering.say(note)


def bracket_of(exits: Exits, side: Side, entry: int, size: int, rules: Instrument) -> LinkedPlan:
    """Return the plan of a signal, with its prices on the tick and never worse than asked."""
    exponent = rules.price_exponent
    prices = {"stop": exits.stop, "trail": exits.trail}
    if exits.target is not None:
        prices["target"] = rules.quantise_price(exits.target, side)
    scaled = {
        name: price.scaled_at(exponent) for name, price in prices.items() if price is not None
    }
    first = rules.quantise_price(Price(entry, exponent), Side(-side)).scaled_at(exponent)
    smallest = max(1, rules.min_size)
    return LinkedPlan(side=side, size=size, entry=first, smallest=smallest, **scaled)
