"""Orders and cancels on their way out: decided by kernels, written as effects."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from bot4_core.domain_types.records import (
    OrderFlag,
    OrderType,
    TimeInForce,
)
from bot4_core.errors import PluginError
from bot4_core.jit import entry_point
from bot4_core.kernels.decision import GO_ON, SEND, think
from bot4_core.kernels.order_desk import NO_ORDER_ROOM
from bot4_core.kernels.order_entry import (
    BAD_ROUTE,
    BAD_SIGNALS,
    BY_HAND,
    DIRECT,
    NO_ACTION_ROOM,
    cancel_order,
    cancel_working,
    next_order,
    order,
)
from bot4_core.kernels.order_gate import LIMIT_NUMBERS, judge
from bot4_core.kernels.order_rows import (
    CALLING_ROUTER,
    CALLING_SIZER,
    CALLING_STRATEGY,
    MOST_ACTIONS,
    MOST_SIGNALS,
    NOBODY,
    Action,
    Slot,
)
from bot4_core.kernels.step import HEAD_SLOTS
from bot4_core.kernels.tables import part_address
from bot4_core.orders import LocalEvidence
from bot4_core.orders.order_tables import enlarge_orders
from bot4_core.risk.gate import Gate
from bot4_core.session.account import Account
from bot4_core.session.breakers import BreakerCalls
from bot4_core.session.decision_tables import part_table, place_part
from bot4_core.session.effects import (
    CancelOrder,
    ChildLink,
    Effect,
    Grounds,
    RecordIntent,
    SendOrder,
)
from bot4_core.session.parts import SizerCalls, StrategyCalls
from bot4_core.session.routes import BAD_CHILDREN, Child, RouterCalls

__all__ = ["MOST_WAITING", "REQUOTE", "Ordering"]

AT_MARKET: Final = int(OrderType.MARKET)
IOC: Final = int(TimeInForce.IOC)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
CANCEL_ACTION: Final = int(Action.CANCEL)
PLACE_ACTION: Final = int(Action.PLACE)
REQUOTE: Final = "requote"
NO_SIGNALS: Final = (
    f"a strategy gives 0 to {MOST_SIGNALS} signals, each of a side and an action there is"
)
MOST_WAITING: Final = MOST_ACTIONS // 4
"""Actions that may wait before they are written; with more the next decision might find no room."""
BY_BREAKER: Final = "flatten"
"""Stands for the sizer where everything held is closed."""
BY_HOST: Final = "amend"
"""Stands for the sizer of orders that a host changed."""
BY_LINK: Final = "linked"
"""Stands for the sizer of children of linked orders."""
ACTIONS_AT: Final = 6  # of the integers of a TALLY row
NO_HEAD: Final = np.zeros(HEAD_SLOTS, np.int64)
REST: Final = {1: "rest_buy", -1: "rest_sell"}
NUMBERS_SIZE: Final = 8 * LIMIT_NUMBERS


class Ordering:
    """Lets kernels make and judge orders, and writes what they did as effects.

    Attributes
    ----------
    breakers : BreakerCalls
        The panel's compiled side.
    """

    def __init__(
        self,
        account: Account,
        gate: Gate,
        strategy: StrategyCalls,
        sizer: SizerCalls,
        router: RouterCalls | None,
        breakers: BreakerCalls,
    ) -> None:
        self._effects: list[Effect] = []
        self.breakers = breakers
        self.tables = tables = account.orders.tables
        self.strategy, self.sizer, self.router = strategy, sizer, router
        self._gate = gate
        self._orders = account.orders
        self._route = "direct" if router is None else router.router.name
        self._place_parts()
        handle = tables.handle
        self._think = entry_point(think, handle, NO_HEAD, SEND)
        self._cancel_working = entry_point(cancel_working, handle, 0, 0, 0)
        self._link: ChildLink | None = None
        self._by = BY_BREAKER
        self._head = np.zeros(HEAD_SLOTS, np.int64)
        self._tally = tables[Slot.TALLY].view(np.int64).data
        self._numbers = tables[Slot.NUMBERS].view(np.uint8).data
        self._shown = [
            [row.data for row in tables[slot].view(np.uint8).reshape(MOST_ACTIONS, -1)]
            for slot in (Slot.SHOWN_VIEWS, Slot.SHOWN_SIGNALS, Slot.SHOWN_SIZED)
        ]

    @cached_property
    def order(self) -> Callable[..., int]:
        """The kernel ``order``, for parts that are called from Python."""
        return entry_point(order, self.tables.handle, 0, 0, 0)

    @cached_property
    def _next_order(self) -> Callable[..., int]:
        return entry_point(next_order, self.tables.handle, 0, 0)

    @cached_property
    def _cancel_order(self) -> Callable[..., bool]:
        return entry_point(cancel_order, self.tables.handle, 0, 0)

    @cached_property
    def _judge(self) -> Callable[..., int]:
        return entry_point(judge, self.tables.handle, 0, 0, 0)

    @property
    def refused(self) -> int:
        """Orders kept back."""
        return int(self.tables[Slot.TALLY]["refused"][0])

    @property
    def compiled(self) -> bool:
        """Whether no part has to be called from Python, so that one call decides."""
        parts = self.strategy.memory, self.sizer.memory
        return None not in parts and not self.by_hand and self.breakers.compiled

    @property
    def by_hand(self) -> bool:
        """Whether a Python router has to be asked."""
        return self.router is not None and self.router.memory is None

    def _place_parts(self) -> None:
        tables, strategy, sizer, router = self.tables, self.strategy, self.sizer, self.router
        functions: list[int] = [0, 0, DIRECT, *self.breakers.addresses]
        place_part(tables, Slot.STRATEGY_STATES, Slot.STRATEGY_PARAMS, strategy.memory)
        place_part(tables, Slot.SIZER_STATES, Slot.SIZER_PARAMS, sizer.memory)
        memory = router.memory if router is not None else None
        place_part(tables, Slot.ROUTER_STATES, Slot.ROUTER_PARAMS, memory)
        if strategy.memory is not None:
            functions[0] = part_address(strategy.memory.form.function, *strategy.example)
        if sizer.memory is not None:
            functions[1] = part_address(sizer.memory.form.function, *sizer.example)
            tables[Slot.CONDUCT]["first_value"] = sizer.memory.first
            tables[Slot.CONDUCT]["values"] = sizer.memory.width
        if router is not None:
            functions[2] = BY_HAND
        if router is not None and memory is not None:
            example = router.example(tables[Slot.CHILDREN])
            functions[2] = part_address(memory.form.function, *example)
        tables.put(Slot.FUNCTIONS, part_table(functions))
        tables[Slot.CONDUCT]["by_python"] = not self.compiled

    def culprit(self, code: int) -> int:
        """Return whose answer was bad, by what a kernel said of it."""
        return CALLING_STRATEGY if code == BAD_SIGNALS else CALLING_ROUTER

    def part_name(self, calling: int) -> str:
        """Return the name of a part that orders are made by."""
        if calling == CALLING_SIZER:
            return self.sizer.sizer.name
        if calling == CALLING_ROUTER and self.router is not None:
            return self.router.router.name
        return self.strategy.strategy.name

    def let_rest(self, instrument: int, side: int, now: int) -> None:
        """Make a side wait before it is tried again."""
        rest = int(self.tables[Slot.CONDUCT]["rest"][0])
        self.tables[Slot.DESKS][REST[side]][instrument] = now + rest

    def reconsider(self, instrument: int) -> None:
        """Plan an instrument's quotes anew at its next message, even if the same are wanted."""
        self.tables[Slot.DESKS]["settled"][instrument] = 0

    def finish(self, code: int, instrument: int, now: int) -> None:
        """Follow what a kernel said of a decision: route by hand, make room, or complain.

        Raises
        ------
        PluginError
            If a router's answer is no split of the order.
        """
        if self.router is not None and self.router.memory is None:
            self._route_by_hand(instrument, self.router, now)
        self.check(code, instrument)

    def check(self, code: int, instrument: int) -> None:
        """Make room where a kernel had none, and let it go on; complain of a bad route.

        Raises
        ------
        PluginError
            If a router's answer is no split of the order, or a strategy's no signals.
        """
        if code == BAD_SIGNALS:
            raise PluginError(NO_SIGNALS)
        while code in (NO_ORDER_ROOM, NO_ACTION_ROOM):
            if code == NO_ORDER_ROOM:
                enlarge_orders(self.tables)
            self.drain(REQUOTE)
            self._head[0] = instrument
            code = self._think(self.tables.handle, self._head, GO_ON)
        if code == BAD_ROUTE:
            raise PluginError(BAD_CHILDREN)

    def _route_by_hand(self, instrument: int, router: RouterCalls, now: int) -> None:
        """Let a Python router split what is wanted, order by order."""
        wanted = self.tables[Slot.WANTED]
        place = self._next_order(self.tables.handle, instrument, now)
        while place != NOBODY:
            signal, wish = int(wanted["signal"][place]), int(wanted["size"][place])
            self._judge_children(router.route(), signal, wish)
            place = self._next_order(self.tables.handle, instrument, now)

    def _judge_children(self, children: Sequence[Child], signal: int, wish: int) -> None:
        intents = self.tables[Slot.INTENTS]
        instrument = int(intents["instrument"][0])
        for child in children:
            self.drain(REQUOTE)
            intents["number"] = 0
            intents["instrument"] = child.instrument
            intents["price"], intents["size"] = child.price, child.size
            while self._judge(self.tables.handle, instrument, signal, wish) < 0:
                enlarge_orders(self.tables)
            self.drain("", route=child.reason)

    def drain(self, reason: str, *, route: str = "", why: str = "") -> None:
        """Write what kernels left to do as effects.

        Parameters
        ----------
        reason : str
            Of cancels.
        route : str
            Where orders go, if not where the session's router sends them.
        why : str
            Why an order is made that no signal asked for.
        """
        count = self._tally[ACTIONS_AT]
        if not count:
            return
        self._tally[ACTIONS_AT] = 0
        numbers = self._numbers[: count * NUMBERS_SIZE].tobytes()
        for place, row in enumerate(self.tables[Slot.ACTIONS][:count].tolist()):
            if row[0] == CANCEL_ACTION:
                self._effects.append(CancelOrder(row[1], row[9], reason))
            else:
                first = place * NUMBERS_SIZE
                looked_at = numbers[first : first + NUMBERS_SIZE]
                self._spell_out(row, looked_at, self._grounds(place, row, why), route)

    def _spell_out(
        self, row: tuple[int, ...], numbers: bytes, grounds: Grounds, route: str
    ) -> None:
        """Write an order that was judged as effects."""
        kind, number, instrument, _, _, _, _, _, _, time, _, wish, broken, _ = row
        record = RecordIntent(
            number=number,
            client_id=self._orders.client_id(number) if number else "",
            time=time,
            intent=row[1:10],
            grounds=grounds,
            wish=wish,
            sizer=self._by if grounds.why else self.sizer.sizer.name,
            route=route or self._route,
            broken=broken,
            refusals=self._gate.refusals(broken, instrument) if broken else (),
            numbers=numbers,
            link=self._link,
        )
        self._effects.append(record)
        if kind == PLACE_ACTION:
            self._effects.append(SendOrder(number, time, record.intent))

    def _grounds(self, place: int, row: tuple[int, ...], why: str) -> Grounds:
        """Read what an action stood on."""
        signal, given = row[10], self.strategy.given
        view, wish, sized = (copies[place].tobytes() for copies in self._shown)
        return Grounds(
            view=view,
            signal=wish if signal >= 0 else b"",
            sized=sized if signal >= 0 else b"",
            given=given[signal] if given and signal >= 0 else None,
            breakers=self.breakers.shown(place, row[13]),
            why=why,
        )

    def say(self, *effects: Effect) -> None:
        """Add effects after those that kernels left to do."""
        self.drain(REQUOTE)
        self._effects += effects

    def take(self) -> list[Effect]:
        """Return the effects gathered so far and start a new list."""
        if self._tally[ACTIONS_AT]:
            self.drain(REQUOTE)
        effects, self._effects = self._effects, []
        return effects

    def cancel_all(self, instrument: int, reason: str, now: int, spared: int = 0) -> None:
        """Ask for the cancellation of what works on an instrument, but for ``spared`` flags."""
        self.drain(REQUOTE)
        more = True
        while more:
            more = self._cancel_working(self.tables.handle, instrument, now, spared)
            self.drain(reason)

    def flatten(self, instrument: int, held: int, why: str, now: int) -> None:
        """Close what is held at market, once nothing works any more."""
        side = -1 if held > 0 else 1
        desk = self.tables[Slot.DESKS][instrument]
        if not held or desk["working"] or now < desk[REST[side]]:
            return
        self.drain(REQUOTE)
        self.let_rest(instrument, side, now)
        size = abs(held)
        self._send((instrument, side, AT_MARKET, IOC, REDUCE_ONLY, 0, size), now)
        self.drain("", route="direct", why=why)

    def _send(self, terms: tuple[int, ...], now: int) -> int:
        """Judge one order where it is; return its number, 0 where it is kept back."""
        intents = self.tables[Slot.INTENTS]
        intents[0] = (0, *terms, now)
        while self._think(self.tables.handle, NO_HEAD, SEND) == NO_ORDER_ROOM:
            enlarge_orders(self.tables)
            intents["number"] = 0
        return int(intents["number"][0])

    def place_child(self, terms: tuple[int, ...], link: ChildLink, now: int) -> int:
        """Judge a child of a linked order, and let it out.

        Parameters
        ----------
        terms : (instrument, side, type, time in force, flags, price, size)
        link : ChildLink
        now : int

        Returns
        -------
        int
            Its number, 0 where it is kept back.
        """
        self.drain(REQUOTE)
        number = self._send(terms, now)
        if number:
            self.tables[Slot.ORDERS]["linked"][self._orders.place(number)] = link.linked
        self._link, self._by = link, BY_LINK
        self.drain("", route="direct", why=f"linked order {link.linked}: {link.role}")
        self._link, self._by = None, BY_BREAKER
        return number

    def replace(self, number: int, price: int, size: int, now: int) -> int:
        """Judge an order in the place of another one; return its number, 0 where it is kept back.

        The other one's cancellation leaves first. Until there is evidence both are reserved.
        """
        self.drain(REQUOTE)
        row = self.tables[Slot.ORDERS][self._orders.place(number)]
        names = ("instrument", "side", "type", "time_in_force", "flags")
        made = self._send((*(int(row[name]) for name in names), price, size), now)
        if made:
            self.tables[Slot.ORDERS]["replaces"][self._orders.place(made)] = number
            self._orders.note(number, LocalEvidence.REPLACE_REQUESTED, now)
            self._effects.append(CancelOrder(number, now, f"replaced by order {made}"))
        self._by = BY_HOST
        self.drain("", route="direct", why=f"in place of order {number}")
        self._by = BY_BREAKER
        return made

    def cancel_order(self, number: int, reason: str, now: int) -> None:
        """Ask for the cancellation of one order, if it may be asked for now."""
        self.drain(REQUOTE)
        self._cancel_order(self.tables.handle, number, now)
        self.drain(reason)
