"""Sessions of compiled parts at their edges: silence, errors, crowds, tables that are full."""

from collections.abc import Sequence
from decimal import Decimal

import attrs
import numpy as np
import pytest
from tests.core.session.session_world import (
    NOTHING,
    SECOND,
    START,
    configuration,
    instrument,
    order_event,
    table_of,
    touch,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderStatus
from bot4_core.errors import ConfigError, OrderError, PluginError
from bot4_core.jit import kernel
from bot4_core.kernels.order_rows import MOST_ACTIONS, ORDER_DTYPE, Slot
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
from bot4_core.session.config import AccountConfig, LimitsConfig, QuotingConfig
from bot4_core.session.effects import CancelOrder, Effect, Note, RecordIntent, SendOrder
from bot4_core.session.session import Session
from bot4_core.session.state import Parts

INSTRUMENTS = (instrument(), instrument("ETHUSDT"))
BID, ASK = 6_000_000, 6_000_010
ROOMY = LimitsConfig(max_open_orders=1000, max_orders_per_second=1000)


@kernel()
def ladder(view: Record, state: Record, params: Record, signals: Records) -> int:
    """Ask for what the parameters say: action, how many rungs, from how far below the bid."""
    if params["i"][3] == 1 and view["bid"] > 6_000_000:
        raise ValueError("too high")
    for number in range(min(int(params["i"][1]), len(signals))):
        row = signals[number]
        row["instrument"], row["action"], row["side"] = view["instrument"], params["i"][0], 1
        row["price"] = view["bid"] - 10 * number - params["i"][2]
        row["strength"], row["edge"], row["variance"] = 0.5, 0.001, 0.0001
        row["horizon"], row["reason"] = 1, 0
    return int(params["i"][1])


@kernel()
def twenty(signal: Record, view: Record, state: Record, params: Record) -> int:
    """Always twenty lots, remembered in the slots that explain it."""
    state["f"][2] = 20.0
    return 20


@kernel()
def wide_trip(view: Record, state: Record, params: Record) -> int:
    """Trip as the parameters say where the book is wide; raise where it is very wide."""
    state["f"][0] = float(view["ask"] - view["bid"])
    if view["ask"] - view["bid"] > 1000:
        raise ValueError("very wide")
    return int(params["i"][0]) if view["ask"] - view["bid"] > 200 else 0


@kernel()
def crumbs(intent: Record, views: Records, state: Record, params: Record, children: Records) -> int:
    """Split into as many orders of one lot as the parameters say, from an instrument on."""
    for number in range(min(int(params["i"][0]), len(children))):
        children[number]["instrument"] = params["i"][1]
        children[number]["price"] = intent["price"]
        children[number]["size"] = params["i"][2]
    return int(params["i"][0])


def parameters(*values: int) -> Record:
    params = CompiledForm.new_params()
    params["i"][: len(values)] = values
    return params


class Ladder(Strategy[PartSettings]):
    name = "ladder"
    reasons = ("rung",)
    numbers = (1, 2, 0, 0)

    def compiled(self) -> CompiledForm:
        return CompiledForm(function=ladder, params=parameters(*self.numbers))


class Twenty(Sizer[PartSettings]):
    name = "twenty"
    slots: tuple[tuple[str, int], ...] = (("lots", 2),)

    def compiled(self) -> CompiledForm:
        return CompiledForm(function=twenty, params=parameters(), state_values=self.slots)


class Wide(Breaker[PartSettings]):
    name = "wide"
    effect = BreakerEffect.CANCEL_ALL

    def compiled(self) -> CompiledForm:
        params = parameters(self.effect)
        return CompiledForm(function=wide_trip, params=params, state_values=(("width", 0),))


class Crumbs(Router[PartSettings]):
    name = "crumbs"
    numbers = (16, 0, 1)

    def compiled(self) -> CompiledForm:
        return CompiledForm(function=crumbs, params=parameters(*self.numbers))


def session_of(
    strategy: Sequence[int] = Ladder.numbers,
    router: Sequence[int] = (),
    effect: BreakerEffect = BreakerEffect.CANCEL_ALL,
    **changes: object,
) -> Session:
    asked, broken = Ladder(NOTHING, INSTRUMENTS), Wide(NOTHING, INSTRUMENTS)
    asked.numbers, broken.effect = tuple(strategy), effect  # type: ignore[assignment]  # four each
    routing = Crumbs(NOTHING, INSTRUMENTS) if router else None
    if routing is not None:
        routing.numbers = tuple(router)  # type: ignore[assignment]  # three each
    parts = Parts(
        strategy=asked,
        sizer=Twenty(NOTHING, INSTRUMENTS),
        router=routing,
        breakers=(("wide", BreakerScope.INSTRUMENT, broken),),
    )
    return Session(configuration(**changes), INSTRUMENTS, table_of(INSTRUMENTS), parts)


def sent(effects: Sequence[Effect]) -> list[SendOrder]:
    return [effect for effect in effects if isinstance(effect, SendOrder)]


def cancels(effects: Sequence[Effect]) -> list[int]:
    return [effect.number for effect in effects if isinstance(effect, CancelOrder)]


def notes(effects: Sequence[Effect], kind: AuditKind) -> list[Note]:
    return [each for each in effects if isinstance(each, Note) and each.kind is kind]


def accept(session: Session, effects: Sequence[Effect], now: int) -> None:
    for effect in sent(effects):
        _, of, side, *_ = effect.terms
        fields = {"instrument": of, "side": side, "size": effect.terms[7]}
        session.step(order_event(EventKind.ORDER_ACCEPTED, effect.number, now, **fields))


def test_every_order_says_what_it_stood_on() -> None:
    session = session_of()
    second, first = (
        effect
        for effect in session.step(touch(START, BID, ASK))
        if isinstance(effect, RecordIntent)
    )
    text = session.text.intent(first)
    assert (text["signal"]["reason"], text["signal"]["price"]) == ("rung", "60000.00")
    assert text["size"] == {"sizer": "twenty", "wanted": "0.020", "values": {"lots": "20.0"}}
    assert text["breakers"] == {"wide": {"holds": 0, "values": {"width": "10.0"}}}
    assert session.text.intent(second)["signal"]["price"] == "59999.90"


def test_a_silent_strategy_and_a_withdrawal_make_no_orders() -> None:
    assert session_of((1, 0, 0, 0)).step(touch(START, BID, ASK)) == []
    assert session_of((3, 1, 0, 0)).step(touch(START, BID, ASK)) == []


def test_nobody_is_asked_once_the_session_closes() -> None:
    session = session_of()
    session.state.close()
    assert session.step(touch(START, BID, ASK)) == []
    assert session.state.decisions == 0


def test_an_order_smaller_than_the_venue_takes_is_not_made() -> None:
    coarse = tuple(attrs.evolve(each, min_size=400) for each in INSTRUMENTS)
    parts = Parts(strategy=Ladder(NOTHING, coarse), sizer=Twenty(NOTHING, coarse))
    session = Session(configuration(), coarse, table_of(coarse), parts)
    assert session.step(touch(START, BID, ASK)) == []


def test_everything_leaves_in_turn_where_one_decision_asks_for_much() -> None:
    session = session_of((1, 8, 0, 0), (16, 0, 1), limits=ROOMY)
    assert [each.number for each in sent(session.step(touch(START, BID, ASK)))] == [*range(1, 129)]


def test_what_many_messages_of_one_batch_ask_for_is_kept_in_order() -> None:
    session = session_of((1, 1, 0, 0), (16, 0, 1), limits=ROOMY)
    moved = touch(START + SECOND, BID + 100, ASK + 100)
    again = touch(START + 2 * SECOND, BID, ASK)
    effects = session.step(np.concatenate([touch(START, BID, ASK), moved, again]))
    assert [each.number for each in sent(effects)] == list(range(1, 17))
    assert cancels(effects) == list(range(1, 17))


def test_more_working_orders_than_one_call_can_cancel_are_all_cancelled() -> None:
    session = session_of((1, 0, 0, 0))
    orders = session.state.account.orders
    for number in range(1, MOST_ACTIONS + 7):
        order = SendOrder(number, START, (number, 0, 1, 2, 1, 0, BID, 1, START))
        orders.create(order.intent)
    effects = session.cancel_everything("the end")
    assert cancels(effects) == list(range(1, MOST_ACTIONS + 7))


@pytest.mark.parametrize("router", [(-1, 0, 1), (17, 0, 1), (1, 7, 1), (1, 0, 21), (1, 0, 0)])
def test_a_router_that_splits_no_order_counts_as_an_error(router: Sequence[int]) -> None:
    session = session_of((1, 1, 0, 0), router)
    effects = session.step(touch(START, BID, ASK))
    (strike,) = notes(effects, AuditKind.PLUGIN_STRIKE)
    assert "positive sizes" in strike.payload["error"]
    assert sent(effects) == []


@pytest.mark.parametrize("router", [(), (1, 0, 20)])
def test_orders_find_room_when_their_rows_are_still_working(router: Sequence[int]) -> None:
    session = session_of((1, 3, 0, 0), router)
    session.state.account.orders.tables.put(Slot.ORDERS, np.zeros(2, ORDER_DTYPE))
    numbers = []
    for step in range(4):
        effects = session.step(touch(START + step, BID, ASK))
        accept(session, effects, START + step)
        numbers += [each.number for each in sent(effects)]
    assert numbers == [1, 2, 3]
    session.state.account.orders.check()


def test_a_trip_cancels_what_works_and_a_rearm_starts_anew() -> None:
    session = session_of()
    accept(session, session.step(touch(START, BID, ASK)), START)
    effects = session.step(touch(START + 1, BID, ASK + 300))
    (trip,) = notes(effects, AuditKind.BREAKER_TRIP)
    assert trip.payload["values"] == {"width": 310.0}
    assert cancels(effects) == [1, 2]
    session.rearm("wide", actor="me", reason="seen")
    for number in (1, 2):
        event = order_event(EventKind.ORDER_CANCELED, number, START + 2, side=1, size=20)
        session.step(event)
    assert len(sent(session.step(touch(START + 3 * SECOND, BID, ASK)))) == 2


def test_a_position_is_closed_at_market_where_the_breaker_says_so() -> None:
    session = session_of(effect=BreakerEffect.FLATTEN)
    first = session.step(touch(START, BID, ASK))
    accept(session, first, START)
    event = order_event(EventKind.ORDER_FILLED, 1, START + 1, side=1, size=10, price=BID)
    session.step(event)
    session.step(touch(START + 2, BID, ASK + 300))
    for number, left in ((1, 10), (2, 20)):
        session.step(order_event(EventKind.ORDER_CANCELED, number, START + 3, side=1, size=left))
    effects = session.step(touch(START + 4, BID, ASK + 300))
    (order,) = sent(effects)
    assert (order.terms[2], order.terms[7]) == (-1, 10)
    (intent,) = (each for each in effects if isinstance(each, RecordIntent))
    text = session.text.intent(intent)
    assert (text["size"]["sizer"], text["signal"]["reason"]) == ("flatten", "breaker: flatten")


def test_a_compiled_strategy_that_raises_is_out_after_three_errors() -> None:
    session = session_of((1, 1, 0, 1))
    accept(session, session.step(touch(START, BID, ASK)), START)
    found: list[Effect] = []
    for step in range(1, 5):
        found += session.step(touch(START + step * SECOND, BID + 10, ASK + 10))
    strikes = notes(found, AuditKind.PLUGIN_STRIKE)
    assert [each.payload["error"] for each in strikes] == ["ValueError: too high"] * 3
    assert strikes[-1].payload["disabled"]
    assert cancels(found) == [1]


def test_a_compiled_breaker_that_raises_blocks_its_scope_after_three_errors() -> None:
    session = session_of()
    found: list[Effect] = []
    for step in range(4):
        found += session.step(touch(START + step * SECOND, BID, ASK + 2000))
    assert len(notes(found, AuditKind.PLUGIN_STRIKE)) == 3
    (trip,) = notes(found, AuditKind.BREAKER_TRIP)
    assert "out after 3 errors" in trip.payload["reason"]
    assert session.state.panel.effects[0] == BreakerEffect.BLOCK_OPEN
    refused = session.step(touch(START + 9 * SECOND, BID, ASK))
    assert sent(refused) == []


def test_a_message_may_bring_an_answer_and_the_market_at_once() -> None:
    session = session_of()
    session.step(touch(START, BID, ASK))
    answer = order_event(EventKind.ORDER_ACCEPTED, 1, START + 1, side=1, size=20)
    answer["flags"] = 0
    effects = session.step(np.concatenate([answer, touch(START + 1, BID + 100, ASK + 100)]))
    assert session.state.account.orders[1].status is OrderStatus.PENDING_CANCEL
    assert cancels(effects) == [1, 2]
    assert session.state.decisions == 2


@pytest.mark.parametrize("numbers", [(1, 17, 0, 2), (1, -1, 0, 0), (7, 1, 0, 0)])
def test_signals_that_are_none_count_as_an_error(numbers: Sequence[int]) -> None:
    effects = session_of(numbers).step(touch(START, BID, ASK))
    (strike,) = notes(effects, AuditKind.PLUGIN_STRIKE)
    assert "0 to 16 signals" in strike.payload["error"]
    assert sent(effects) == []


def test_under_block_open_what_opens_is_cancelled_and_what_reduces_goes_on() -> None:
    session = session_of((2, 1, -10, 0), effect=BreakerEffect.BLOCK_OPEN)
    event = order_event(EventKind.ORDER_FILLED, 99, START, side=-1, size=5, price=BID)
    session.step(event)
    session.rearm("order_evidence", actor="me", reason="mine")
    (first,) = sent(session.step(touch(START + 1, BID, ASK)))
    accept(session, [first], START + 1)
    assert cancels(session.step(touch(START + 2, BID, ASK + 300))) == [1]
    gone = order_event(EventKind.ORDER_CANCELED, 1, START + 3, side=1, size=20)
    session.step(gone)
    (order,) = sent(session.step(touch(START + 4 * SECOND, BID, ASK + 300)))
    assert (order.terms[5], order.terms[7]) == (int(OrderFlag.REDUCE_ONLY), 5)


def test_a_router_leaves_what_reduces_where_it_is() -> None:
    session = session_of((2, 1, -10, 0), (1, 1, 5), effect=BreakerEffect.BLOCK_OPEN)
    event = order_event(EventKind.ORDER_FILLED, 99, START, side=-1, size=5, price=BID)
    session.step(event)
    effects = session.step(touch(START + 1, BID, ASK + 300))
    effects += session.step(touch(START + 2 * SECOND, BID, ASK + 300))
    strikes = notes(effects, AuditKind.PLUGIN_STRIKE)
    assert "leaves what reduces" in strikes[0].payload["error"]
    assert sent(effects) == []


def test_an_instrument_that_settles_elsewhere_is_refused() -> None:
    account = AccountConfig(asset="USD", cash=Decimal(1000))
    with pytest.raises(ConfigError, match="settles in USDT, the account holds USD"):
        session_of(account=account)


def test_errors_of_our_own_books_are_nobodys_strike() -> None:
    session = session_of()
    event = order_event(EventKind.ORDER_FILLED, 1, START, side=1, size=0)
    with pytest.raises(OrderError, match="size 0"):
        session.step(event)


def test_a_fill_before_any_book_values_the_position_once_there_is_one() -> None:
    session = session_of((1, 0, 0, 0))
    event = order_event(EventKind.ORDER_FILLED, 99, START, side=1, size=10, price=BID)
    session.step(event)
    session.step(touch(START + 1, BID + 1000, ASK + 1000))
    session.state.account.mark()
    ledger = session.state.account.ledger
    assert session.state.views["equity"][0] == pytest.approx(float(ledger.equity("USDT")), abs=1e-6)
    assert ledger.profit("USDT").unrealised.value > 0


def test_a_fill_in_a_stale_book_is_valued_at_what_the_view_shows() -> None:
    session = session_of((1, 0, 0, 0))
    session.state.views["bid"][0], session.state.views["ask"][0] = BID, ASK
    event = order_event(EventKind.ORDER_FILLED, 99, START, side=1, size=10, price=BID)
    session.step(event)
    assert session.state.account.orders.tables[Slot.DESKS]["bid"][0] == BID


def test_a_sizer_that_explains_itself_too_widely_is_refused() -> None:
    sizer = Twenty(NOTHING, INSTRUMENTS)
    sizer.slots = (("first", 0), ("last", 40))
    parts = Parts(strategy=Ladder(NOTHING, INSTRUMENTS), sizer=sizer)
    with pytest.raises(PluginError, match="slots 41 apart; 15 is the most"):
        Session(configuration(), INSTRUMENTS, table_of(INSTRUMENTS), parts)


def test_quotes_may_cross_in_compiled_sessions_too_where_post_only_is_off() -> None:
    session = session_of((1, 1, -20, 0), quoting=QuotingConfig(post_only=False))
    (order,) = sent(session.step(touch(START, BID, ASK)))
    assert (order.terms[5], order.terms[6]) == (0, BID + 20)
