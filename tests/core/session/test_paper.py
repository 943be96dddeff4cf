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

from bot4_core.domain_types.instruments import FeeSchedule, InstrumentStatus
from bot4_core.domain_types.records import (
    OrderFlag,
    OrderReason,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.errors import NumberOverflowError, ValidationError
from bot4_core.session.paper import NEVER, FeeTier, PaperSettings, matching_terms
from bot4_core.session.paper_settings import PROFILES, SELF_TRADES

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
    world = Market(delays=(10, 5))
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
    world = Market(delays=(10, 0))
    world.set_book(BIDS, ASKS)
    world.place(1, price=99)
    world.cancel(1)
    assert told(world.pass_time(10)) == [("accepted",), ("canceled",)]
    assert world.venue.open_orders == 0
    assert world.venue.next_time == NEVER


def test_request_stamped_earlier_than_the_last_still_arrives_after_it() -> None:
    world = Market(delays=(10, 0))
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
    st.tuples(st.just("lag"), st.integers(-3, 6)),
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
        elif kind == "lag":
            world.lag = value
        elif kind == "wait":
            world.pass_time(value)
        elif value:
            world.set_book(BIDS, ASKS)
        else:
            world.lose()


TIERS = tuple(
    FeeTier(volume=Decimal(volume), maker=Decimal(maker), taker=Decimal(taker))
    for volume, maker, taker in (("0.00002", "0.0001", "0.0004"), ("0.5", "-0.0003", "0.0002"))
)
MATCHING = st.fixed_dictionaries(
    {
        "queue": st.sampled_from(["risk_averse", "probability", "probability"]),
        "queue_profile": st.sampled_from(sorted(PROFILES)),
        "queue_power": st.integers(1, 4),
        "self_trade": st.sampled_from(sorted(SELF_TRADES)),
        "fee_tiers": st.sampled_from([(), TIERS]),
    }
)
NO_MODEL: dict[str, Any] = {}
LATENCY = st.one_of(
    st.just(NO_MODEL),
    st.just(
        {
            "latency": "sampled",
            "latency_out_samples_ns": (0, 1, 5),
            "latency_back_samples_ns": (3, 1),
        }
    ),
    st.just({"latency": "feed", "feed_out_percent": 150, "feed_back_percent": 50}),
)


@given(
    steps=st.lists(STEPS, max_size=40),
    base=st.tuples(st.integers(0, 4), st.integers(0, 3)),
    matching=MATCHING,
    latency=LATENCY,
)
def test_venue_says_what_the_slow_twin_says(
    steps: list[tuple[str, Any]],
    base: tuple[int, int],
    matching: dict[str, Any],
    latency: dict[str, Any],
) -> None:
    world = Market([INSTRUMENT, inverse_instrument()], base, **matching, **latency)
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
