"""Parts in both forms mean the same, and routers split no more than there is."""

from collections.abc import Sequence

import attrs
import numpy as np
import pytest
from tests.core.session.session_world import (
    NOTHING,
    SECOND,
    START,
    FixedSizer,
    ScriptedStrategy,
    configuration,
    instrument,
    quote,
    table_of,
    touch,
)

from bot4_core.domain_types.canonical_types import InstrumentId, VenueName
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, ChildOrder, Signal
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    SIGNAL_DTYPE,
    VIEW_DTYPE,
    Side,
    SignalAction,
)
from bot4_core.errors import PluginError
from bot4_core.jit import kernel
from bot4_core.kernels.order_rows import MOST_SIGNALS, SIZED_DTYPE
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
from bot4_core.risk.panel import Observer
from bot4_core.session.breakers import breaker_observer
from bot4_core.session.effects import RecordIntent
from bot4_core.session.parts import CompiledMemory, SizerCalls, StrategyCalls
from bot4_core.session.routes import Child, RouterCalls
from bot4_core.session.session import Session
from bot4_core.session.state import Parts
from bot4_core.session.warming import part_kernels

INSTRUMENTS = (instrument(), instrument("ETHUSDT"))


@kernel()
def quote_bid(view: Record, state: Record, params: Record, signals: Records) -> int:
    """Join the bid; count how often."""
    state["i"][0] += 1
    row = signals[0]
    row["instrument"], row["action"], row["side"] = view["instrument"], 1, 1
    row["price"], row["horizon"], row["reason"] = view["bid"], 1000, state["i"][0] - 1
    row["strength"], row["edge"], row["variance"] = params["f"][0], 0.5, 0.25
    row["values"][0] = view["bid_size"]
    return 1


@kernel()
def size_by_strength(signal: Record, view: Record, state: Record, params: Record) -> int:
    """Return ten times the strength, and remember it."""
    state["f"][3] = signal["strength"]
    state["f"][1] = view["ask"]
    return int(signal["strength"] * 10.0)


@kernel()
def trip_above(view: Record, state: Record, params: Record) -> int:
    """Trip above a price."""
    state["f"][0] = view["bid"]
    return int(params["i"][0]) if view["bid"] > params["f"][0] else 0


@kernel()
def route_halves(
    intent: Record, views: Records, state: Record, params: Record, children: Records
) -> int:
    """Split over both instruments."""
    for number in range(2):
        children[number]["instrument"] = number
        children[number]["price"] = intent["price"]
        children[number]["size"] = intent["size"] // 2
    return 2


class CompiledStrategy(Strategy[PartSettings]):
    name = "compiled"
    reasons = ("first", "second")
    value_names = ("bid_size",)

    def compiled(self) -> CompiledForm:
        params = CompiledForm.new_params()
        params["f"][0] = 2.0
        return CompiledForm(function=quote_bid, params=params)


class CompiledSizer(Sizer[PartSettings]):
    name = "compiled"

    def compiled(self) -> CompiledForm:
        values = (("strength", 3), ("ask", 1))
        params = CompiledForm.new_params()
        return CompiledForm(function=size_by_strength, params=params, state_values=values)


class CompiledBreaker(Breaker[PartSettings]):
    name = "compiled"

    def compiled(self) -> CompiledForm:
        params = CompiledForm.new_params()
        params["f"][0], params["i"][0] = 100.0, BreakerEffect.BLOCK_ALL
        return CompiledForm(function=trip_above, params=params, state_values=(("bid", 0),))


class SpeakingBreaker(CompiledBreaker):
    """Trips as the other one does, in words of its own."""

    def __init__(self, *reasons: str, slot: int | None = None) -> None:
        super().__init__(NOTHING, INSTRUMENTS)
        self.reasons, self.slot = reasons, slot

    def compiled(self) -> CompiledForm:
        return attrs.evolve(super().compiled(), reasons=self.reasons, reason_slot=self.slot)


class CompiledRouter(Router[PartSettings]):
    name = "halves"

    def compiled(self) -> CompiledForm:
        return CompiledForm(function=route_halves, params=CompiledForm.new_params())


class ScriptedRouter(Router[PartSettings]):
    name = "scripted"

    def __init__(self, instruments: Sequence[Instrument], children: Sequence[ChildOrder]) -> None:
        super().__init__(NOTHING, instruments)
        self.children = children
        self.asked: list[OrderIntent] = []

    def route(self, intent: OrderIntent, views: Sequence[Record]) -> Sequence[ChildOrder]:
        assert len(views) == 2
        self.asked.append(intent)
        return self.children


def views() -> Records:
    rows = np.zeros(2, VIEW_DTYPE)
    rows["instrument"], rows["bid"], rows["ask"] = [0, 1], 50, 60
    rows["bid_size"] = 7
    return rows


def child(size: int, number: int = 0, reason: str = "") -> ChildOrder:
    return ChildOrder(
        venue=VenueName("test"),
        instrument=InstrumentId(number),
        size=size,
        price=5_000,
        reason=reason,
    )


def strategy_calls(strategy: Strategy[PartSettings], shown: Records) -> StrategyCalls:
    return StrategyCalls(strategy, shown, np.zeros(MOST_SIGNALS, SIGNAL_DTYPE))


def sizer_calls(sizer: Sizer[PartSettings], strategy: StrategyCalls, shown: Records) -> SizerCalls:
    return SizerCalls(sizer, strategy, shown, np.zeros(MOST_SIGNALS, SIZED_DTYPE))


def observed(breaker: Breaker[PartSettings], rows: Records) -> Observer:
    form = breaker.compiled()
    memory = CompiledMemory(form, len(rows)) if form is not None else None
    return breaker_observer(breaker, "price", BreakerScope.INSTRUMENT, rows, memory)


def fields(calls: StrategyCalls) -> tuple[int, ...]:
    return tuple(int(calls.signals[name][0]) for name in ("instrument", "action", "side", "price"))


def routed(router: Router[PartSettings]) -> list[Child]:
    intents = np.zeros(1, INTENT_DTYPE)
    intents[0] = (1, 0, 1, 2, 1, 0, 5_000, 100, START)
    return RouterCalls(router, intents, views()).route()


def test_a_compiled_strategy_speaks_through_its_signals() -> None:
    calls = strategy_calls(CompiledStrategy(NOTHING, INSTRUMENTS), views())
    assert calls.decide[1]() == 1
    signal = calls.signal(0)
    assert (signal.instrument, signal.action, signal.side) == (1, SignalAction.QUOTE, Side.BUY)
    assert str(signal.price) == "0.50"
    assert (signal.reason, signal.values) == ("first", (("bid_size", 7.0),))
    assert fields(calls) == (1, 1, 1, 50)


def test_each_instrument_has_its_own_memory() -> None:
    calls = strategy_calls(CompiledStrategy(NOTHING, INSTRUMENTS), views())
    for _ in range(3):
        calls.decide[0]()
    assert calls.signal(0).reason == "reason 2"
    calls.decide[1]()
    assert calls.signal(0).reason == "first"


def test_a_python_strategy_writes_the_same_rows() -> None:
    strategy = ScriptedStrategy(INSTRUMENTS, lambda view: [quote(view, Side.SELL, 60)])
    calls = strategy_calls(strategy, views())
    assert calls.decide[1]() == 1
    assert fields(calls) == (1, 1, -1, 60)
    assert calls.signal(0).reason == "test"
    assert calls.given[0].values[0][0] == "mid"


def test_a_compiled_sizer_reads_signals_of_either_form() -> None:
    shown = views()
    for strategy in (
        CompiledStrategy(NOTHING, INSTRUMENTS),
        ScriptedStrategy(INSTRUMENTS, lambda view: [quote(view, Side.BUY, 50, strength=2.0)]),
    ):
        calls = strategy_calls(strategy, shown)
        sizer = sizer_calls(CompiledSizer(NOTHING, INSTRUMENTS), calls, shown)
        sizer.size_all(calls.decide[0](), 0)
        assert sizer.sized["size"][0] == 20
        assert sizer.explain(sizer.sized[0].tobytes()) == (("strength", 2.0), ("ask", 60.0))


def test_a_python_sizer_is_given_a_domain_signal() -> None:
    seen: list[Signal] = []

    class Watching(FixedSizer):
        def size(self, signal: Signal, view: Record) -> int:
            seen.append(signal)
            return int(view["bid_size"])

    calls = strategy_calls(CompiledStrategy(NOTHING, INSTRUMENTS), views())
    sizer = sizer_calls(Watching(INSTRUMENTS), calls, views())
    sizer.size_all(calls.decide[0](), 0)
    assert (sizer.sized["size"][0], sizer.explain(sizer.sized[0].tobytes())) == (7, ())
    assert seen[0].reason == "first"


def test_a_compiled_breaker_explains_itself_and_forgets_on_demand() -> None:
    rows = views()
    breaker = CompiledBreaker(NOTHING, INSTRUMENTS)
    observer = observed(breaker, rows)
    assert observer.observe[0]() == 0
    rows["bid"][0] = 101
    assert observer.observe[0]() == BreakerEffect.BLOCK_ALL
    assert observer.explain(0) == ("price tripped", (("bid", 101.0),))
    assert observer.read(observer.measure(1)) == (("bid", 0.0),)
    observer.forget(0)
    assert observer.read(observer.measure(0)) == (("bid", 0.0),)


@kernel()
def trip_below(view: Record, state: Record, params: Record) -> int:
    """Trip below a price, and say so by number."""
    state["f"][0], state["i"][5] = view["bid"], params["i"][1]
    return int(params["i"][0]) if view["bid"] < params["f"][0] else 0


def tripped_reason(breaker: Breaker[PartSettings]) -> str:
    rows = views()
    rows["bid"][0] = 101
    observer = observed(breaker, rows)
    assert observer.observe[0]() == BreakerEffect.BLOCK_ALL
    return observer.explain(0)[0]


def test_a_compiled_breaker_says_why_in_its_own_words() -> None:
    assert tripped_reason(SpeakingBreaker("bid {bid:.1f} above 100")) == "bid 101.0 above 100"


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1, "far above: 101"), (2, "price tripped, reason 2"), (-1, "price tripped, reason -1")],
)
def test_a_compiled_breaker_of_many_reasons_says_which(code: int, reason: str) -> None:
    class Numbered(SpeakingBreaker):
        def compiled(self) -> CompiledForm:
            form = attrs.evolve(super().compiled(), function=trip_below)
            form.params["f"][0], form.params["i"][1] = 1000.0, code
            return form

    assert tripped_reason(Numbered("above", "far above: {bid:g}", slot=5)) == reason


@pytest.mark.parametrize("text", ["{ask}", "{bid:d}", "{bid.size}", "{bid[0]}", "{0}", "{bid"])
def test_a_reason_that_cannot_be_written_is_found_before_the_session(text: str) -> None:
    with pytest.raises(PluginError, match=r"breaker 'price': its reason .* state values are bid"):
        observed(SpeakingBreaker(text), views())


def test_a_python_router_splits_an_order() -> None:
    router = ScriptedRouter(INSTRUMENTS, [child(40, 1, "cheap"), child(60)])
    assert routed(router) == [Child(1, 5_000, 40, "cheap"), Child(0, 5_000, 60, "scripted")]
    asked = router.asked[0]
    assert (str(asked.price), str(asked.size), asked.side) == ("50.00", "0.100", Side.BUY)


@pytest.mark.parametrize(
    ("children", "text"),
    [
        ([child(0)], "positive sizes"),
        ([child(60), child(41)], "at most the order's size"),
        ([child(10, 2)], "known instruments"),
    ],
)
def test_a_router_cannot_make_orders_up(children: list[ChildOrder], text: str) -> None:
    with pytest.raises(PluginError, match=text):
        routed(ScriptedRouter(INSTRUMENTS, children))


def test_a_router_gives_child_orders() -> None:
    with pytest.raises(PluginError, match="ChildOrder"):
        routed(ScriptedRouter(INSTRUMENTS, ["there"]))  # type: ignore[list-item]  # that is the point


def test_a_session_of_compiled_parts_routes_and_explains() -> None:
    parts = Parts(
        strategy=CompiledStrategy(NOTHING, INSTRUMENTS),
        sizer=CompiledSizer(NOTHING, INSTRUMENTS),
        router=CompiledRouter(NOTHING, INSTRUMENTS),
        breakers=(("price", BreakerScope.SESSION, CompiledBreaker(NOTHING, INSTRUMENTS)),),
    )
    session = Session(configuration(), INSTRUMENTS, table_of(INSTRUMENTS), parts)
    session.step(touch(START, 70, 80, 1))
    found = session.step(touch(START + 2 * SECOND, 70, 80))
    intents = [effect for effect in found if isinstance(effect, RecordIntent)]
    assert [each.intent[1] for each in intents] == [0, 1]
    text = session.text.intent(intents[0])
    assert (text["route"], text["size"]["values"]) == ("halves", {"strength": "2.0", "ask": "80.0"})
    assert text["signal"]["reason"] == "first"
    assert text["breakers"]["price"]["values"] == {"bid": "70.0"}
    tripped = session.step(touch(START + 3 * SECOND, 110, 120))
    assert list(session.state.panel.effects) == [BreakerEffect.BLOCK_ALL] * 2
    assert tripped


def test_the_kernels_of_compiled_parts_are_known_ahead() -> None:
    parts = Parts(
        strategy=CompiledStrategy(NOTHING, INSTRUMENTS),
        sizer=CompiledSizer(NOTHING, INSTRUMENTS),
        router=CompiledRouter(NOTHING, INSTRUMENTS),
        breakers=(("price", BreakerScope.SESSION, CompiledBreaker(NOTHING, INSTRUMENTS)),),
    )
    kernels = list(part_kernels(parts, INSTRUMENTS))
    names = [each.function.__name__ for each in kernels]
    assert names == ["quote_bid", "size_by_strength", "route_halves", "trip_above", "never"]
    for function, arguments in kernels:
        assert int(function(*arguments)) >= 0  # type: ignore[call-overload]  # all return int


def test_what_python_parts_need_is_known_ahead_as_well() -> None:
    sizer, strategy = FixedSizer(INSTRUMENTS), CompiledStrategy(NOTHING, INSTRUMENTS)
    names = [
        [each.function.__name__ for each in part_kernels(parts, INSTRUMENTS)]
        for parts in (
            Parts(strategy=strategy, sizer=CompiledSizer(NOTHING, INSTRUMENTS)),
            Parts(strategy=strategy, sizer=sizer),
            Parts(strategy=strategy, sizer=sizer, router=ScriptedRouter(INSTRUMENTS, [])),
        )
    ]
    assert names == [
        ["quote_bid", "size_by_strength"],
        ["quote_bid", "order"],
        ["quote_bid", "order", "next_order", "judge"],
    ]


def test_a_python_part_has_no_compiled_memory() -> None:
    with pytest.raises(PluginError, match="no compiled memory"):
        _ = strategy_calls(ScriptedStrategy(INSTRUMENTS, lambda view: []), views()).example


def test_a_market_order_is_routed_without_a_price() -> None:
    intents = np.zeros(1, INTENT_DTYPE)
    intents[0] = (1, 0, -1, 1, 2, 0, 0, 100, START)
    router = ScriptedRouter(INSTRUMENTS, [])
    assert RouterCalls(router, intents, views()).route() == []
    assert router.asked[0].price is None
