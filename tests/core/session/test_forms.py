"""Compiled parts in one call, and the same parts called from Python, make the same session."""

from collections.abc import Sequence

import attrs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.core.session.session_world import (
    NOTHING,
    SECOND,
    START,
    configuration,
    instrument,
    order_event,
    quote,
    table_of,
    touch,
    trade,
)

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, VenueName
from bot4_core.domain_types.decisions import (
    BreakerEffect,
    BreakerScope,
    BreakerVerdict,
    ChildOrder,
    Signal,
)
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import EventKind, Side, SignalAction
from bot4_core.jit import kernel
from bot4_core.plugins.interfaces import (
    Breaker,
    CompiledForm,
    PartSettings,
    Record,
    Records,
    Router,
    Sizer,
    Strategy,
)
from bot4_core.session.config import AnswersConfig, QuotingConfig
from bot4_core.session.effects import CancelOrder, Effect, RecordIntent, SendOrder
from bot4_core.session.session import Session
from bot4_core.session.state import Parts

INSTRUMENTS = (instrument(), instrument("ETHUSDT"))
EDGE, LOTS, LARGEST_SPREAD = 20, 40, 200


@kernel()
def quote_around(view: Record, state: Record, params: Record, signals: Records) -> int:
    """Quote a little off the touch; take what was just traded into when it went up."""
    count = 0
    for side in (1, -1):
        row = signals[count]
        row["instrument"], row["action"], row["side"] = view["instrument"], 1, side
        row["price"] = view["bid"] - 20 if side > 0 else view["ask"] + 20
        row["strength"], row["edge"], row["variance"] = 0.5, 0.001, 0.0001
        row["horizon"], row["reason"], row["values"][:] = 1_000_000_000, 0, 0.0
        count += 1
    if view["last_side"] > 0:
        row = signals[count]
        row["instrument"], row["action"], row["side"] = view["instrument"], 2, 1
        row["price"], row["strength"], row["edge"], row["variance"] = (
            view["ask"],
            0.5,
            0.001,
            0.0001,
        )
        row["horizon"], row["reason"], row["values"][:] = 1_000_000_000, 0, 0.0
        count += 1
    return count


@kernel()
def size_by_side(signal: Record, view: Record, state: Record, params: Record) -> int:
    """Buy more than is sold."""
    return 40 if signal["side"] > 0 else 30


@kernel()
def trip_on_width(view: Record, state: Record, params: Record) -> int:
    """Trip where the book is wide."""
    return 1 if view["ask"] - view["bid"] > 200 else 0


@kernel()
def route_apart(
    intent: Record, views: Records, state: Record, params: Record, children: Records
) -> int:
    """Give the other instrument a quarter of it."""
    for number in range(2):
        children[number]["price"] = intent["price"]
        children[number]["size"] = intent["size"] // 4 if number else intent["size"] // 2
        children[number]["instrument"] = (intent["instrument"] + number) % 2
    return 2


class TwoFormStrategy(Strategy[PartSettings]):
    name = "two_forms"
    reasons = ("around",)

    def __init__(self, *, fast: bool) -> None:
        super().__init__(NOTHING, INSTRUMENTS)
        self.fast = fast

    def compiled(self) -> CompiledForm | None:
        return form(quote_around) if self.fast else None

    def decide(self, view: Record) -> Sequence[Signal]:
        found = [
            quote(view, Side.BUY, int(view["bid"]) - EDGE, reason="around", values=()),
            quote(view, Side.SELL, int(view["ask"]) + EDGE, reason="around", values=()),
        ]
        if view["last_side"] > 0:
            taken = quote(view, Side.BUY, int(view["ask"]), reason="around", values=())
            found.append(attrs.evolve(taken, action=SignalAction.TAKE))
        return found


class TwoFormSizer(Sizer[PartSettings]):
    name = "two_forms"

    def __init__(self, *, fast: bool) -> None:
        super().__init__(NOTHING, INSTRUMENTS)
        self.fast = fast

    def compiled(self) -> CompiledForm | None:
        return form(size_by_side) if self.fast else None

    def size(self, signal: Signal, view: Record) -> int:
        return LOTS if signal.side is Side.BUY else LOTS - 10


class TwoFormBreaker(Breaker[PartSettings]):
    name = "two_forms"

    def __init__(self, *, fast: bool) -> None:
        super().__init__(NOTHING, INSTRUMENTS)
        self.fast = fast

    def compiled(self) -> CompiledForm | None:
        return form(trip_on_width) if self.fast else None

    def observe(self, view: Record) -> BreakerVerdict | None:
        if view["ask"] - view["bid"] <= LARGEST_SPREAD:
            return None
        return BreakerVerdict(
            breaker="width",
            effect=BreakerEffect.BLOCK_OPEN,
            scope=BreakerScope.INSTRUMENT,
            instrument=InstrumentId(int(view["instrument"])),
            time=Nanoseconds(0),
            reason="width tripped",
        )


class TwoFormRouter(Router[PartSettings]):
    name = "two_forms"

    def __init__(self, *, fast: bool) -> None:
        super().__init__(NOTHING, INSTRUMENTS)
        self.fast = fast

    def compiled(self) -> CompiledForm | None:
        return form(route_apart) if self.fast else None

    def route(self, intent: OrderIntent, views: Sequence[Record]) -> Sequence[ChildOrder]:
        price = intent.price.value if intent.price is not None else 0
        return [
            ChildOrder(
                venue=VenueName("test"),
                instrument=InstrumentId((intent.instrument + number) % 2),
                size=intent.size.value // share,
                price=price,
                reason="",
            )
            for number, share in enumerate((2, 4))
        ]


def form(function: object) -> CompiledForm:
    return CompiledForm(function=function, params=CompiledForm.new_params())  # type: ignore[arg-type]  # kernels of all kinds


def session_of(forms: tuple[bool, bool, bool, bool], *, routed: bool) -> Session:
    strategy, sizer, breaker, router = forms
    parts = Parts(
        strategy=TwoFormStrategy(fast=strategy),
        sizer=TwoFormSizer(fast=sizer),
        breakers=(("width", BreakerScope.INSTRUMENT, TwoFormBreaker(fast=breaker)),),
        router=TwoFormRouter(fast=router) if routed else None,
    )
    config = configuration(
        quoting=QuotingConfig(keep_behind=1, keep_ahead=1),
        answers=AnswersConfig(reply_ms=70, pause_ms=20),
    )
    return Session(config, INSTRUMENTS, table_of(INSTRUMENTS), parts)


def facts(effect: Effect) -> tuple[object, ...]:
    if isinstance(effect, RecordIntent):
        return ("intent", effect.intent, effect.wish, effect.route, effect.refusals)
    if isinstance(effect, SendOrder):
        return ("send", effect.terms)
    if isinstance(effect, CancelOrder):
        return ("cancel", effect.number, effect.reason)
    return (type(effect).__name__, effect.time)


@attrs.frozen
class Happening:
    """Something that a market does; orders are answered by number, counted from the newest."""

    what: int
    instrument: int
    price: int
    number: int


happenings = st.lists(
    st.builds(
        Happening,
        st.integers(0, 5),
        st.integers(0, 1),
        st.integers(-3, 3),
        st.integers(0, 4),
    ),
    min_size=1,
    max_size=14,
)


def records(happening: Happening, session: Session, now: int) -> Records:
    """The message of a happening."""
    bid = 6_000_000 + 10 * happening.price
    orders, of = session.state.account.orders, happening.instrument
    number = orders.last_number - happening.number
    if happening.what <= 1:
        return touch(now, bid, bid + (10, 250)[happening.what], of)
    if happening.what == 2:
        return trade(now, bid, 5, Side.BUY if happening.price > 0 else Side.SELL, of)
    kinds = (EventKind.ORDER_ACCEPTED, EventKind.ORDER_FILLED, EventKind.ORDER_CANCELED)
    size = 3 if kinds[happening.what - 3] is EventKind.ORDER_FILLED else 0
    event = order_event(kinds[happening.what - 3], number, now, size=size, price=bid, side=1)
    if number in orders:
        event["instrument"], event["side"] = orders[number].instrument, orders[number].side
    event["sequence"] = now
    return event


def history(session: Session, market: Sequence[Happening]) -> list[tuple[object, ...]]:
    """Everything that a session wanted done, and what it held in the end."""
    found: list[tuple[object, ...]] = []
    for step, happening in enumerate(market):
        now = START + step * SECOND // 4
        found += map(facts, session.step(records(happening, session, now)))
    state = session.state
    state.account.orders.check()
    account, views = state.account, state.views
    found.append((tuple(account.ledger.sizes), account.orders.open_buy, account.orders.open_sell))
    found.append((state.decisions, state.events, views["equity"].tolist()))
    return found


@given(happenings, st.tuples(*[st.booleans()] * 4), st.booleans())
def test_a_session_is_the_same_whatever_the_form_of_its_parts(
    market: list[Happening], forms: tuple[bool, bool, bool, bool], routed: bool
) -> None:
    compiled = session_of((True, True, True, True), routed=routed)
    mixed = session_of(forms, routed=routed)
    assert history(mixed, market) == history(compiled, market)


def test_the_generated_markets_reach_orders_fills_and_trips() -> None:
    market = [
        Happening(0, 0, 0, 0),
        Happening(3, 0, 0, 0),
        Happening(4, 0, 0, 0),
        Happening(2, 0, 1, 0),
        Happening(1, 0, 0, 0),
        Happening(0, 0, 2, 0),
    ]
    session = session_of((True, True, True, True), routed=True)
    kinds = {fact[0] for fact in history(session, market)[:-2]}
    assert {"intent", "send", "cancel", "Note"} <= kinds
    assert session.state.account.fills == 1
    assert session.state.panel.effects[0] == BreakerEffect.BLOCK_OPEN
    assert np.any(session.state.views["position"])
