"""Models of the paper venue: latency, self-trade prevention, fee tiers, and their bounds."""

from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.session.paper_market import INSTRUMENT, SEED, Market, instrument_table, told, trade

from bot4_core.convert import structure
from bot4_core.domain_types.canonical_types import Symbol
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason, Side, TimeInForce
from bot4_core.errors import ConfigError, ValidationError
from bot4_core.kernels.matching_state import AHEAD, FIRST_BID, terms_of
from bot4_core.session.paper import FeeTier, PaperSettings
from bot4_core.session.paper_desk import latency_samples, paper_desk

BUY, SELL = Side.BUY, Side.SELL
BIDS = {100: 5, 99: 7, 98: 9}
ASKS = {102: 4, 103: 6, 104: 8}
OWN = OrderReason.SELF_TRADE


def tier(volume: str, maker: str = "0", taker: str = "0.0004") -> FeeTier:
    return FeeTier(volume=Decimal(volume), maker=Decimal(maker), taker=Decimal(taker))


def opened(**settings: Any) -> Market:
    world = Market(**settings)
    world.set_book(BIDS, ASKS)
    return world


def test_maker_expires_where_two_of_our_orders_meet() -> None:
    world = opened(self_trade="expire_maker")
    world.place(1, side=SELL, price=103, size=5)
    world.place(2, side=SELL, price=104, size=5)
    answers = world.place(3, side=BUY, price=103, size=7)
    assert told(answers, "link", "price", "size") == [
        ("accepted", 3, 103, 7),
        ("filled", 3, 102, 4),
        ("expired", 1, 0, 5),
        ("filled", 3, 103, 3),
    ]
    assert int(answers[2]["aux"]) == OWN
    assert world.venue.open_orders == 1
    world.check()


def test_maker_that_is_not_reached_stays() -> None:
    world = opened(self_trade="expire_maker")
    world.place(1, side=SELL, price=103, size=5)
    assert told(world.place(2, side=BUY, price=104, size=4))[1:] == [("filled",)]
    assert world.venue.open_orders == 1
    world.check()


def test_both_expire_where_two_of_our_orders_meet() -> None:
    world = opened(self_trade="expire_both")
    world.place(1, side=SELL, price=103, size=5)
    world.place(2, side=SELL, price=103, size=5)
    answers = world.place(3, side=BUY, price=104, size=9)
    assert told(answers, "link", "size") == [
        ("accepted", 3, 9),
        ("filled", 3, 4),
        ("expired", 1, 5),
        ("expired", 3, 5),
    ]
    assert world.venue.open_orders == 1
    world.check()


@pytest.mark.parametrize(("mode", "filled"), [("expire_maker", 10), ("expire_both", 0)])
def test_fill_or_kill_counts_what_it_may_take(mode: str, filled: int) -> None:
    world = opened(self_trade=mode)
    world.place(1, side=SELL, price=103, size=5)
    answers = world.place(2, price=103, size=10, time_in_force=TimeInForce.FOK)
    assert answers["size"][answers["kind"] == EventKind.ORDER_FILLED].sum() == filled
    assert world.venue.open_orders == (0 if filled else 1)
    world.check()


def test_many_makers_expire_without_loss_of_answers() -> None:
    world = opened(self_trade="expire_maker")
    for number in range(1, 60):
        world.place(number, side=SELL, price=103, size=1)
    answers = world.place(60, side=BUY, price=110, size=100)
    assert int((answers["kind"] == EventKind.ORDER_EXPIRED).sum()) == 59
    world.check()


def test_logarithmic_queue_counts_in_base_units() -> None:
    world = Market(queue="probability", queue_profile="log")
    world.set_book({100: 2_000}, ASKS)
    world.place(price=100, size=1)
    world.show((BUY, 100, 6_000))  # two units before us, four behind
    world.show((BUY, 100, 3_000))  # log 5 / (log 3 + log 5) of three units left from behind us
    desk = world.venue.desk
    assert desk[desk[terms_of(desk, 0) + FIRST_BID] + AHEAD] == 2_000 - (3_000 - 1_783)
    world.check()


def test_fees_follow_the_volume_filled_so_far() -> None:
    # one trade of 4 at 1.02 is 0.00408 of volume
    world = opened(fee_tiers=(tier("0.004"), tier("0.005", "-0.0001", "0.0003")))
    fees = [world.place(1, price=102, size=4)[1]["aux"]]
    fees += [world.place(2, price=103, size=1)[1]["aux"], world.place(3, price=103)[1]["aux"]]
    assert [int(fee) for fee in fees] == [306, 42, 31]  # 0.075 %, 0.04 %, 0.03 %, rounded up
    world.place(4, price=100, size=1)
    assert int(world.send(trade(SELL, 99, 9))[-1]["aux"]) == -10
    world.check()


def test_volume_of_one_instrument_lowers_the_fees_of_all() -> None:
    other = attrs.evolve(INSTRUMENT, symbol=Symbol("CCC-BBB"))
    world = Market([INSTRUMENT, other], fee_tiers=(tier("0.004"),))
    for instrument in (0, 1):
        world.set_book(BIDS, ASKS, instrument=instrument)
    world.place(1, price=102, size=4)
    assert int(world.place(2, price=102, size=1, instrument=1)[1]["aux"]) == 41
    world.check()


def test_tiers_need_one_settlement_exponent() -> None:
    other = attrs.evolve(INSTRUMENT, symbol=Symbol("CCC-BBB"), settlement_exponent=-6)
    both = [INSTRUMENT, other]
    settings = PaperSettings(fee_tiers=(tier("1"),))
    with pytest.raises(ValidationError, match="several"):
        paper_desk(instrument_table(both), both, settings, 0)


def test_without_tiers_volume_is_not_counted_and_fits_more_fees() -> None:
    wide = attrs.evolve(INSTRUMENT, multiplier=Decimal(10**16))
    assert len(paper_desk(instrument_table([wide]), [wide], PaperSettings(), 0))
    settings = PaperSettings(fee_tiers=(tier("1"),))
    with pytest.raises(ValidationError, match="64-bit"):
        paper_desk(instrument_table([wide]), [wide], settings, 0)


def test_drawn_latencies_are_log_normal_about_their_medians() -> None:
    settings = PaperSettings(
        latency="sampled", latency_out_ns=4_000_000, latency_back_ns=0, latency_spread=0.5
    )
    out, back = latency_samples(settings)
    assert (np.diff(out) > 0).all()
    assert np.median(out) == pytest.approx(4_000_000, rel=1e-3)
    assert np.log(out / 4e6).std() == pytest.approx(0.5, rel=0.01)
    assert not back.any()


def test_same_seed_draws_the_same_latencies() -> None:
    desks = [
        paper_desk(instrument_table([INSTRUMENT]), [INSTRUMENT], PaperSettings(), seed)
        for seed in (SEED, SEED, SEED + 1)
    ]
    assert (desks[0] == desks[1]).all()
    assert (desks[0] != desks[2]).any()


def test_answers_arrive_in_order_though_a_later_one_is_quicker() -> None:
    world = opened(
        latency="sampled", latency_out_samples_ns=(0,), latency_back_samples_ns=(900, 1, 30, 2)
    )
    for number in range(1, 20):
        world.place(number, price=98)
    world.check()
    received = np.concatenate([rows["received"] for rows in world.answers])
    assert (np.diff(received) >= 0).all()


def test_request_takes_as_long_as_the_feed_says() -> None:
    world = opened(delays=(1, 0), latency="feed", feed_out_percent=300, feed_back_percent=0)
    world.pass_time(100)
    world.lag = 20
    world.show((BUY, 90, 1))
    sent = world.now
    world.place(1, price=99)
    world.lag = 2
    world.show((BUY, 90, 2))
    world.place(2, price=99)
    world.pass_time(200)
    (answers,) = world.answers
    assert told(answers, "link", "time") == [
        ("accepted", 1, sent + 61),
        ("accepted", 2, sent + 61),  # sent after the first, so not before it
    ]
    world.check()


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"latency": "random"}, "latency"),
        ({"latency_spread": 5.0}, "latency_spread"),
        ({"queue_profile": "cubic"}, "queue_profile"),
        ({"self_trade": "allow"}, "self_trade"),
        ({"feed_out_percent": -1}, "feed_out_percent"),
    ],
)
def test_model_that_is_none_is_refused(wrong: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        PaperSettings(**wrong)


SAMPLES = {"latency_out_samples_ns": (1,), "latency_back_samples_ns": (1,)}
FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"latency": "sampled", **SAMPLES}, []),
    (SAMPLES, ["latency_out_samples_ns", "latency_back_samples_ns"]),
    ({"latency": "sampled", "latency_out_samples_ns": (1,)}, ["latency_out_samples_ns"]),
    (
        {"latency": "sampled", **SAMPLES, "latency_back_samples_ns": (-1,)},
        ["latency_back_samples_ns"],
    ),
    (
        {"latency": "sampled", **SAMPLES, "latency_back_samples_ns": (1,) * 65_537},
        ["latency_back_samples_ns"],
    ),
    ({"fee_tiers": (tier("1"), tier("2"))}, []),
    ({"fee_tiers": (tier("2"), tier("2"))}, ["fee_tiers[1].volume"]),
]


@pytest.mark.parametrize(("settings", "paths"), FAULTS)
def test_settings_that_do_not_fit_together_are_told(
    settings: dict[str, Any], paths: list[str]
) -> None:
    assert [path for path, _ in PaperSettings(**settings).faults()] == paths


def test_settings_are_read_from_a_file_with_all_their_faults() -> None:
    given = {
        "latency": "sampled",
        "latency_out_samples_ns": [4_000_000, 5_500_000],
        "latency_back_samples_ns": [3_000_000],
        "self_trade": "expire_both",
        "fee_tiers": [{"volume": "1000000", "maker": "0.0001", "taker": "0.0004"}],
    }
    read = structure(given, PaperSettings, "session", "matching")
    assert read.latency_out_samples_ns == (4_000_000, 5_500_000)
    assert read.fee_tiers == (tier("1000000", "0.0001"),)
    given["fee_tiers"] = [{"volume": "0", "maker": "0", "taker": "1"}]
    with pytest.raises(ConfigError) as caught:
        structure(given, PaperSettings, "session", "matching")
    paths = [path for path, _ in caught.value.faults]
    assert paths == ["matching.fee_tiers[0].volume", "matching.fee_tiers[0].taker"]


def test_tier_out_of_range_is_told() -> None:
    assert not list(tier("1").faults())
    wrong = tier("0", "0.2", "nan")
    assert [path for path, _ in wrong.faults()] == ["volume", "maker", "taker"]


MARKET = st.one_of(
    st.tuples(st.just("trade"), st.integers(1, 9)),
    st.tuples(st.just("show"), st.integers(1, 30)),
    st.tuples(st.just("cross"), st.integers(1, 9)),
)


@given(steps=st.lists(MARKET, max_size=20), size=st.integers(1, 12))
def test_fills_never_exceed_what_was_traded_and_displayed(
    steps: list[tuple[str, int]], size: int
) -> None:
    world = opened()
    world.place(1, price=100, size=size)
    offered = 0
    for kind, number in steps:
        if kind == "trade":
            world.send(trade(SELL, 100, number))
        elif kind == "show":
            world.show((BUY, 100, number))
        else:
            world.show((SELL, 100, number), (BUY, 100, 0))
            world.show((SELL, 100, 0), (BUY, 100, 5))
        offered += number if kind != "show" else 0
    world.check()
    answers = np.concatenate(world.answers)
    fills = answers[answers["kind"] == EventKind.ORDER_FILLED]
    assert int(fills["size"].sum()) <= min(size, offered)
    assert (fills["flags"] & EventFlag.MAKER != 0).all()


@given(
    shown=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    queue=st.sampled_from(["risk_averse", "probability"]),
)
def test_queue_before_us_never_grows(shown: list[int], queue: str) -> None:
    world = opened(queue=queue)
    world.place(1, price=100)
    desk = world.venue.desk
    order = int(desk[terms_of(desk, 0) + FIRST_BID])
    before = int(desk[order + AHEAD])
    for size in shown:
        world.show((BUY, 100, size))
        ahead = int(desk[order + AHEAD])
        assert 0 <= ahead <= min(before, size)
        if queue == "risk_averse":
            assert ahead == min(before, size)
        before = ahead
