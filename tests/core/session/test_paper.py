"""The paper venue: what happens to an order that meets somebody else's market."""

from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.session.paper_market import (
    INSTRUMENT,
    Market,
    instrument_table,
    intent,
    inverse_instrument,
    told,
    trade,
)

from bot4_core.domain_types.canonical_types import Symbol
from bot4_core.domain_types.instruments import FeeSchedule, InstrumentStatus
from bot4_core.domain_types.records import (
    EventFlag,
    EventKind,
    OrderFlag,
    OrderReason,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.errors import NumberOverflowError, ValidationError
from bot4_core.kernels.matching_state import FREE_ORDER, OUT_ROOM, TAKEN_ROOM
from bot4_core.session.paper import NEVER, PaperSettings, matching_terms

BUY, SELL = Side.BUY, Side.SELL
BIDS = {100: 5, 99: 7, 98: 9}
ASKS = {102: 4, 103: 6, 104: 8}


@pytest.fixture
def market() -> Market:
    """Return a market with a live book and no latency."""
    world = Market()
    world.set_book(BIDS, ASKS)
    return world


def test_order_meets_the_book_only_after_the_latency() -> None:
    world = Market(latency=(10, 5))
    world.set_book(BIDS, ASKS)
    sent = world.now
    world.place(price=102, size=1)
    assert world.venue.next_time == sent + 10
    assert not len(world.pass_time(9))
    world.set_book(BIDS, {103: 6})
    assert world.venue.next_time == sent + 15
    world.pass_time(10)
    world.check()
    (answers,) = world.answers
    assert told(answers, "time", "received") == [
        ("accepted", sent + 10, sent + 15),
        ("filled", sent + 10, sent + 15),
    ]


def test_requests_arrive_in_the_order_they_were_sent() -> None:
    world = Market(latency=(10, 0))
    world.set_book(BIDS, ASKS)
    world.place(1, price=99)
    world.cancel(1)
    assert told(world.pass_time(10)) == [("accepted",), ("canceled",)]
    assert world.venue.open_orders == 0
    assert world.venue.next_time == NEVER


def test_request_stamped_earlier_than_the_last_still_arrives_after_it() -> None:
    world = Market(latency=(10, 0))
    world.set_book(BIDS, ASKS)
    world.venue.place(intent(1, price=99, time=100))
    world.venue.cancel(1, 50)
    assert not len(world.venue.due(109))
    assert told(world.venue.due(110), "time") == [("accepted", 110), ("canceled", 110)]


def test_taker_walks_the_visible_levels_and_rests_with_the_remainder(market: Market) -> None:
    answers = market.place(price=103, size=15)
    assert told(answers, "price", "size") == [
        ("accepted", 103, 15),
        ("filled", 102, 4),
        ("filled", 103, 6),
    ]
    assert market.venue.open_orders == 1
    assert market.venue.position(0) == 10
    market.check()


def test_size_taken_stays_taken_until_the_level_changes(market: Market) -> None:
    market.place(1, price=102, size=3, time_in_force=TimeInForce.IOC)
    second = market.place(2, price=102, size=3, time_in_force=TimeInForce.IOC)
    assert told(second, "size") == [("accepted", 3), ("filled", 1), ("expired", 2)]
    market.show((SELL, 102, 6))
    third = market.place(3, price=102, size=3, time_in_force=TimeInForce.IOC)
    assert told(third, "size") == [("accepted", 3), ("filled", 3)]
    market.check()


def test_market_order_fills_at_any_price_and_expires_what_is_left(market: Market) -> None:
    answers = market.place(side=SELL, type=OrderType.MARKET, price=0, size=30)
    assert told(answers, "price", "size")[1:] == [
        ("filled", 100, 5),
        ("filled", 99, 7),
        ("filled", 98, 9),
        ("expired", 0, 9),
    ]
    assert int(answers[-1]["aux"]) == OrderReason.UNFILLED
    market.check()


@pytest.mark.parametrize(("size", "outcome"), [(10, "filled"), (11, "expired")])
def test_fill_or_kill_fills_whole_or_not_at_all(market: Market, size: int, outcome: str) -> None:
    answers = market.place(price=103, size=size, time_in_force=TimeInForce.FOK)
    assert {kind for (kind,) in told(answers[1:])} == {outcome}
    market.check()


def test_fill_or_kill_expires_when_the_book_ends(market: Market) -> None:
    answers = market.place(price=999, size=19, time_in_force=TimeInForce.FOK)
    assert told(answers) == [("accepted",), ("expired",)]
    market.check()


def test_post_only_order_that_would_take_is_rejected(market: Market) -> None:
    flags = OrderFlag.POST_ONLY
    assert told(market.place(1, price=102, flags=flags), "aux") == [
        ("rejected", OrderReason.WOULD_TAKE)
    ]
    assert told(market.place(2, price=101, flags=flags)) == [("accepted",)]
    market.check()


REJECTED: list[tuple[dict[str, Any], OrderReason]] = [
    ({"instrument": 7}, OrderReason.UNKNOWN_INSTRUMENT),
    ({"type": OrderType.STOP}, OrderReason.UNSUPPORTED),
    ({"time_in_force": TimeInForce.GTD}, OrderReason.UNSUPPORTED),
    ({"side": 0}, OrderReason.UNSUPPORTED),
    ({"type": OrderType.MARKET, "flags": OrderFlag.POST_ONLY}, OrderReason.UNSUPPORTED),
    ({"price": 0}, OrderReason.BAD_PRICE),
    ({"price": 99}, OrderReason.BAD_PRICE),
    ({"size": 0}, OrderReason.BAD_SIZE),
    ({"size": 11}, OrderReason.BAD_SIZE),
    ({"size": 102}, OrderReason.BAD_SIZE),
    ({"size": 2**62, "price": 4}, OrderReason.BAD_SIZE),
    ({"size": 2}, OrderReason.BELOW_MINIMUM),
    ({"size": 4, "price": 98}, OrderReason.BELOW_MINIMUM),
    ({"flags": OrderFlag.REDUCE_ONLY, "size": 10}, OrderReason.WOULD_INCREASE),
]


@pytest.mark.parametrize(("fields", "reason"), REJECTED)
def test_order_against_the_rules_is_rejected(fields: dict[str, Any], reason: OrderReason) -> None:
    rules = attrs.evolve(
        INSTRUMENT, tick=2, lot=2, min_size=4, max_size=100, min_notional=Decimal("0.004")
    )
    if fields.get("size") == 2**62:
        rules = attrs.evolve(rules, max_size=0)
    world = Market([rules])
    world.set_book({98: 100}, {104: 100})
    assert told(world.place(**{"size": 4, **fields}), "aux") == [("rejected", reason)]
    world.check()


def test_order_at_a_halted_instrument_is_rejected() -> None:
    halted = attrs.evolve(INSTRUMENT, status=InstrumentStatus.HALTED)
    world = Market([halted])
    world.set_book(BIDS, ASKS)
    world.twin.terms[0].trading = False
    assert told(world.place(), "aux") == [("rejected", OrderReason.NOT_TRADING)]
    world.check()


def test_order_is_rejected_while_the_book_is_not_live(market: Market) -> None:
    market.lose()
    assert told(market.place(1), "aux") == [("rejected", OrderReason.BOOK_NOT_LIVE)]
    market.set_book(BIDS, ASKS)
    assert told(market.place(2)) == [("accepted",)]
    market.check()


def test_trades_consume_the_queue_before_our_order(market: Market) -> None:
    market.place(price=100, size=4)
    assert not len(market.send(trade(SELL, 100, 3)))
    assert told(market.send(trade(SELL, 100, 4)), "size") == [("filled", 2)]
    assert told(market.send(trade(SELL, 100, 9)), "size") == [("filled", 2)]
    market.check()


def test_cancels_before_us_do_not_advance_a_risk_averse_order(market: Market) -> None:
    market.place(price=100, size=1)
    market.show((BUY, 100, 8))
    market.show((BUY, 100, 5))
    assert not len(market.send(trade(SELL, 100, 5)))
    assert len(market.send(trade(SELL, 100, 1)))
    market.check()


def test_displayed_size_bounds_what_is_before_us(market: Market) -> None:
    market.place(price=100, size=1)
    market.show((BUY, 100, 2))
    assert not len(market.send(trade(SELL, 100, 2)))
    assert len(market.send(trade(SELL, 100, 1)))
    market.check()


def test_cancels_advance_an_order_in_the_probability_model() -> None:
    world = Market(queue="probability", queue_power=1)
    world.set_book({100: 10}, ASKS)
    world.place(price=100, size=1)
    world.show((BUY, 100, 30))  # ten before us, twenty behind
    world.show((BUY, 100, 21))  # nine left: six from behind, three from before
    assert not len(world.send(trade(SELL, 100, 7)))
    assert len(world.send(trade(SELL, 100, 1)))
    world.check()


def test_trade_through_our_price_fills_us_by_its_size(market: Market) -> None:
    market.place(price=100, size=4)
    answers = market.send(trade(SELL, 99, 3))
    assert told(answers, "price", "size") == [("filled", 100, 3)]
    assert int(answers[0]["flags"]) & EventFlag.MAKER
    market.check()


def test_trade_of_unknown_side_reaches_both_sides(market: Market) -> None:
    market.place(1, side=BUY, price=101, size=1)
    market.place(2, side=SELL, price=103, size=1)
    assert told(market.send(trade(0, 101, 1)), "link") == [("filled", 1)]
    assert told(market.send(trade(0, 104, 1)), "link") == [("filled", 2)]
    market.check()


def test_our_orders_together_get_no_more_than_was_traded(market: Market) -> None:
    market.place(1, price=101, size=3)
    market.place(2, price=101, size=3)
    market.place(3, price=100, size=3)
    answers = market.send(trade(SELL, 99, 7))
    assert told(answers, "link", "size") == [("filled", 1, 3), ("filled", 2, 3), ("filled", 3, 1)]
    market.check()


def test_book_that_crosses_our_price_fills_us_as_maker(market: Market) -> None:
    market.place(price=101, size=5)
    answers = market.show((SELL, 101, 3))
    assert told(answers, "price", "size") == [("filled", 101, 3)]
    assert int(answers[0]["flags"]) & EventFlag.MAKER
    assert not len(market.show((SELL, 105, 1)))
    market.check()


def test_resting_orders_wait_while_the_book_is_not_live(market: Market) -> None:
    market.place(price=101, size=5)
    market.lose()
    assert not len(market.show((SELL, 101, 3)))
    market.check()


def test_order_that_would_meet_our_own_expires_before_it(market: Market) -> None:
    market.place(1, side=SELL, price=103, size=5)
    answers = market.place(2, side=BUY, price=104, size=9)
    assert told(answers, "size", "aux")[-1] == ("expired", 5, OrderReason.SELF_TRADE)
    flags = OrderFlag.POST_ONLY
    assert told(market.place(3, side=BUY, price=104, flags=flags)) == [("rejected",)]
    market.show((SELL, 102, 0), (SELL, 103, 0), (SELL, 104, 0))
    refused = market.place(4, side=BUY, price=104, flags=flags)
    assert told(refused, "aux") == [("rejected", OrderReason.SELF_TRADE)]
    everything = market.place(5, side=BUY, type=OrderType.MARKET, price=0)
    assert told(everything, "aux")[-1] == ("expired", OrderReason.SELF_TRADE)
    market.check()


def test_reduce_only_order_stops_when_the_position_is_flat(market: Market) -> None:
    market.place(1, price=102, size=4)
    answers = market.place(2, side=SELL, price=98, size=9, flags=OrderFlag.REDUCE_ONLY)
    assert told(answers, "size", "aux")[1:] == [
        ("filled", 4, told(answers, "aux")[1][1]),
        ("expired", 5, OrderReason.WOULD_INCREASE),
    ]
    assert market.venue.position(0) == 0
    market.check()


def test_resting_reduce_only_order_expires_when_there_is_nothing_left(market: Market) -> None:
    market.place(1, price=102, size=4)
    market.place(2, side=SELL, price=103, size=4, flags=OrderFlag.REDUCE_ONLY)
    market.place(3, side=SELL, price=100, size=4)
    assert told(market.send(trade(BUY, 104, 2)), "link", "aux") == [
        ("expired", 2, OrderReason.WOULD_INCREASE)
    ]
    market.check()


def test_whole_reduce_only_order_must_fit_the_position_to_fill_or_kill(market: Market) -> None:
    market.place(1, price=102, size=2)
    flags = OrderFlag.REDUCE_ONLY
    killed = market.place(
        2, side=SELL, price=98, size=3, flags=flags, time_in_force=TimeInForce.FOK
    )
    assert told(killed) == [("accepted",), ("expired",)]
    market.check()


def test_cancel_that_comes_too_late_is_rejected(market: Market) -> None:
    market.place(price=102, size=1)
    answers = market.cancel()
    assert told(answers, "link", "side", "aux") == [
        ("cancel_rejected", 1, BUY, OrderReason.NOT_OPEN)
    ]
    assert told(market.cancel(99), "link", "side") == [("cancel_rejected", 99, 0)]
    market.check()


def test_cancel_takes_an_order_out_of_the_middle_of_its_chain(market: Market) -> None:
    for number, price in enumerate((99, 100, 100, 98), 1):
        market.place(number, price=price)
    market.cancel(3)
    market.cancel(1)
    answers = market.send(trade(SELL, 90, 100))
    assert told(answers, "link") == [("filled", 2), ("filled", 4)]
    market.check()


def test_quotes_and_other_events_do_not_concern_the_matcher(market: Market) -> None:
    market.place(price=100)
    assert not len(market.lose())
    assert market.venue.open_orders == 1


def test_more_orders_and_answers_than_there_is_room_for_are_kept() -> None:
    world = Market(latency=(5, 10_000))
    world.set_book({100: 5}, dict.fromkeys(range(101, 301), 1))
    for number in range(1, 301):
        world.place(number, price=100)
        if number % 3 == 0:
            world.cancel(number)
    world.pass_time(5)
    for number in range(301, 306):
        world.place(number, type=OrderType.MARKET, price=0, size=40)
    world.pass_time(5)
    world.send(trade(SELL, 99, 250))
    world.check()


def test_cancels_alone_may_fill_the_ring_of_requests() -> None:
    world = Market(latency=(5, 0))
    world.set_book(BIDS, ASKS)
    world.place(1, price=99)
    for _ in range(300):
        world.cancel(1)
    assert len(world.pass_time(5)) == 301
    world.check()


def fill_or_kill(world: Market, number: int, price: int) -> str:
    """Take two at a price at once or not, outside the twin; return what became of it."""
    side = BUY if price > 300 else SELL
    fields = {"side": side, "price": price, "size": 2, "time_in_force": TimeInForce.FOK}
    world.venue.place(intent(number, time=world.now, **fields))
    (outcome,) = told(world.venue.due(world.now)[-1:])
    return str(outcome[0])


def shrink(world: Market, at: int, room: int) -> None:
    """Tell the venue's matcher that it has less room for something."""
    world.venue._desk[at] = room


def test_oldest_taken_level_is_forgotten_when_the_memory_is_full() -> None:
    world = Market()
    shrink(world, TAKEN_ROOM, 4)
    world.set_book(dict.fromkeys(range(190, 201), 2), dict.fromkeys(range(301, 311), 2))
    prices = [301, 302, 303, 200]
    assert {fill_or_kill(world, at, price) for at, price in enumerate(prices, 1)} == {"filled"}
    assert fill_or_kill(world, 5, 301) == "expired"
    assert fill_or_kill(world, 6, 199) == "filled"
    assert fill_or_kill(world, 7, 301) == "filled"


def test_order_walks_no_further_than_256_levels() -> None:
    world = Market()
    world.set_book({100: 5}, dict.fromkeys(range(301, 701), 1))
    fields = {"type": OrderType.MARKET, "price": 0, "size": 300}
    for number, time_in_force in enumerate((TimeInForce.FOK, TimeInForce.IOC), 1):
        world.venue.place(intent(number, time_in_force=time_in_force, **fields))
    answers = world.venue.due(world.now)
    assert int(answers[answers["kind"] == EventKind.ORDER_FILLED]["size"].sum()) == 256
    assert told(answers[-1:], "size") == [("expired", 44)]


def test_taker_walks_levels_far_from_the_touch(market: Market) -> None:
    far = {200 + 1_000 * step: 1 for step in range(50)}
    market.set_book(BIDS, {102: 4, **far})
    answers = market.place(type=OrderType.MARKET, price=0, size=60)
    assert told(answers, "price", "size")[-3:] == [
        ("filled", 48_200, 1),
        ("filled", 49_200, 1),
        ("expired", 0, 6),
    ]
    market.check()


def test_books_that_move_in_memory_are_found_again(market: Market) -> None:
    market.place(1, price=101)
    market.books.memory.words = market.books.memory.words.copy()
    market.show((SELL, 102, 9))
    answers = market.place(2, price=102, size=9)
    assert told(answers, "price", "size")[1:] == [("filled", 102, 9)]
    market.check()


def test_answers_wait_however_many_they_are() -> None:
    world = Market(latency=(0, 10**6))
    shrink(world, OUT_ROOM, 266)
    world.set_book({100: 5}, ASKS)
    for number in range(1, 8):
        world.place(number, price=50, time_in_force=TimeInForce.IOC)
    world.place(8, price=101, size=2_000)
    for _ in range(300):
        world.send(trade(SELL, 101, 1))
    assert world.venue.position(0) == 300
    world.check()


def test_venue_without_room_for_more_orders_rejects_them(market: Market) -> None:
    market.place(1, price=99)
    market.venue._desk[FREE_ORDER] = 0
    market.venue.place(intent(2, side=SELL, time=market.now))
    answers = market.venue.due(market.now)
    assert told(answers, "link", "side", "aux") == [("rejected", 2, SELL, OrderReason.TOO_MANY)]
    market.cancel(1)
    assert told(market.place(3, price=99)) == [("accepted",)]


def test_requests_alone_may_need_more_room() -> None:
    world = Market(latency=(5, 0))
    world.set_book(BIDS, ASKS)
    for _ in range(256):
        world.cancel(1)
    world.place(1, price=99)
    assert len(world.pass_time(5)) == 257
    world.check()


def test_only_recent_orders_are_remembered(monkeypatch: pytest.MonkeyPatch, market: Market) -> None:
    monkeypatch.setattr("bot4_core.session.paper.REMEMBERED_ORDERS", 2)
    for number in (1, 2, 3):
        market.place(number, price=102, time_in_force=TimeInForce.IOC)
    assert told(market.cancel(1), "side") == [("cancel_rejected", 0)]
    assert told(market.cancel(2), "side") == [("cancel_rejected", BUY)]
    market.check()


def test_order_book_of_one_instrument_does_not_touch_another() -> None:
    world = Market([INSTRUMENT, attrs.evolve(INSTRUMENT, symbol=Symbol("CCC-BBB"))])
    world.set_book(BIDS, ASKS, instrument=0)
    world.set_book(BIDS, ASKS, instrument=1)
    world.place(1, price=102, size=2, instrument=1)
    world.place(2, price=100, size=2, instrument=1)
    world.show((SELL, 102, 9), instrument=0)
    assert not len(world.send(trade(SELL, 99, 50, instrument=0)))
    assert len(world.send(trade(SELL, 99, 50, instrument=1)))
    world.check()


def test_fee_is_exact_and_rounded_against_us(market: Market) -> None:
    paid = market.place(1, price=102, size=3)[1]
    assert int(paid["aux"]) == 230  # 1.02 * 0.003 * 0.00075 = 229.5e-8
    odd = attrs.evolve(INSTRUMENT, settlement_exponent=-6)
    world = Market([odd])
    world.set_book(BIDS, ASKS)
    world.place(1, price=102, size=3)
    world.place(2, price=100, size=9)
    rebate = world.send(trade(SELL, 99, 9))[-1]
    assert [int(world.answers[0][1]["aux"]), int(rebate["aux"])] == [3, -1]  # 2.295, -1.08
    world.check()


def test_fee_of_an_inverse_contract_is_in_the_base_asset() -> None:
    world = Market([inverse_instrument()])
    world.set_book(BIDS, ASKS)
    filled = world.place(1, price=102, size=4)[1]
    # 4 contracts of 100 quote at 1.02, 0.075 %: 0.29411764705... base
    assert int(filled["aux"]) == 29_411_765
    assert told(world.place(2, price=100, size=2), "aux") == [
        ("rejected", OrderReason.BELOW_MINIMUM)
    ]
    assert told(world.place(3, price=100, size=3)) == [("accepted",)]
    rebate = world.send(trade(SELL, 99, 3))[-1]
    assert int(rebate["aux"]) == -3_600_000


def test_order_whose_fee_would_overflow_is_an_error() -> None:
    world = Market([inverse_instrument()])
    world.set_book(BIDS, ASKS)
    with pytest.raises(NumberOverflowError, match="order 1 leaves 64 bits"):
        world.place(1, price=102, size=2**50)


def test_fees_that_do_not_fit_integer_arithmetic_are_refused() -> None:
    wild = attrs.evolve(
        INSTRUMENT,
        multiplier=Decimal("1.000000000000001"),
        fees=FeeSchedule(taker=Decimal("0.000123456789")),
    )
    with pytest.raises(ValidationError, match="64-bit fee arithmetic"):
        matching_terms(instrument_table([wild]), [wild])


@pytest.mark.parametrize(
    "wrong",
    [
        {"latency_out_ns": -1},
        {"latency_back_ns": -1},
        {"queue": "hopeful"},
        {"queue_power": 0},
        {"queue_power": 9},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PaperSettings(**wrong)


def test_answers_are_copies(market: Market) -> None:
    first = market.place(1, price=99)
    before = first.copy()
    market.place(2, price=98)
    assert np.array_equal(first, before)


SIDES = st.sampled_from([BUY, SELL])
PRICES = st.integers(95, 106)
SIZES = st.integers(1, 12)
ORDERS = st.fixed_dictionaries(
    {
        "side": SIDES,
        "price": PRICES,
        "size": SIZES,
        "type": st.sampled_from([OrderType.LIMIT] * 4 + [OrderType.MARKET]),
        "time_in_force": st.sampled_from(
            [TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.FOK]
        ),
        "flags": st.sampled_from(
            [OrderFlag.NONE] * 3 + [OrderFlag.POST_ONLY, OrderFlag.REDUCE_ONLY]
        ),
        "instrument": st.sampled_from([0, 0, 0, 1]),
    }
)
LEVELS = st.tuples(SIDES, PRICES, st.integers(0, 12))
STEPS = st.one_of(
    st.tuples(st.just("place"), ORDERS),
    st.tuples(st.just("place"), ORDERS),
    st.tuples(st.just("cancel"), st.integers(1, 12)),
    st.tuples(st.just("trade"), st.tuples(st.sampled_from([BUY, SELL, 0]), PRICES, SIZES)),
    st.tuples(st.just("show"), st.lists(LEVELS, min_size=1, max_size=4)),
    st.tuples(st.just("wait"), st.integers(1, 6)),
    st.tuples(st.just("reset"), st.booleans()),
)


def play(world: Market, steps: list[tuple[str, Any]]) -> None:
    """Walk through generated steps."""
    for side in (0, 1):
        world.set_book(BIDS, ASKS, instrument=side)
    number = 0
    for kind, value in steps:
        if kind == "place":
            number += 1
            world.place(number, **value)
        elif kind == "cancel":
            world.cancel(value)
        elif kind == "trade":
            world.send(trade(*value))
        elif kind == "show":
            world.show(*value)
        elif kind == "wait":
            world.pass_time(value)
        elif value:
            world.set_book(BIDS, ASKS)
        else:
            world.lose()


@given(
    steps=st.lists(STEPS, max_size=40),
    latency=st.tuples(st.integers(0, 4), st.integers(0, 3)),
    power=st.integers(0, 4),
)
def test_venue_says_what_the_slow_twin_says(
    steps: list[tuple[str, Any]], latency: tuple[int, int], power: int
) -> None:
    queue = {"queue": "probability", "queue_power": power} if power else {}
    world = Market([INSTRUMENT, inverse_instrument()], latency, **queue)
    play(world, steps)
    world.check()


@given(steps=st.lists(STEPS, max_size=40))
def test_fills_add_up_to_the_position(steps: list[tuple[str, Any]]) -> None:
    world = Market([INSTRUMENT, inverse_instrument()])
    play(world, steps)
    world.pass_time(10)
    rows = np.concatenate([np.zeros(0, world.venue.due(0).dtype), *world.answers])
    fills = rows[rows["kind"] == 21]
    for instrument in (0, 1):
        mine = fills[fills["instrument"] == instrument]
        assert int((mine["size"] * mine["side"]).sum()) == world.venue.position(instrument)
