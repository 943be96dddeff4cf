"""Features of the top of book: published definitions, exact twins, stream and batch alike."""

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.reference.oracles import oracle
from tests.reference.top_features import Top, flow, flow_event, imbalance, volatility, walk_price

from bot4_core.domain_types.records import VIEW_DTYPE, BookState, Feature
from bot4_core.kernels import features

SECOND = 10**9
BUCKET = SECOND // 8
INTERVAL = SECOND // 5
COUNT, MINIMUM = 12, 5

SIZES = st.integers(1, 50)
LEVELS = st.lists(st.tuples(st.integers(1, 5), SIZES), min_size=1, max_size=6)


def cases(start: str) -> list[dict[str, Any]]:
    return [case for case in oracle("orderbook") if case["id"].startswith(start)]


def scaled(number: float) -> int:
    return round(number * 100)


def memory() -> NDArray[np.void]:
    rows = np.zeros(1, features.FEATURE_DTYPE)
    rows["bucket_length"], rows["sample_interval"] = BUCKET, INTERVAL
    rows["sample_count"], rows["sample_minimum"] = COUNT, MINIMUM
    rows["vwap_size"], rows["wanted"] = 10, Feature.ALL
    return rows


def views_of(tops: list[Top]) -> NDArray[np.void]:
    views = np.zeros(len(tops), VIEW_DTYPE)
    views["state"], views["price_unit"], views["size_unit"] = BookState.LIVE, 0.5, 0.25
    for view, top in zip(views, tops, strict=True):
        view["received"] = top.time
        view["bid"], view["bid_size"] = top.bid, top.bid_size
        view["ask"], view["ask_size"] = top.ask, top.ask_size
    return views


@st.composite
def walks(draw: st.DrawFn) -> list[Top]:
    """Draw tops with gaps of time, empty sides, and locked or crossed prices in between."""
    time, tops = 10**18, []
    for _ in range(draw(st.integers(1, 40))):
        time += draw(st.sampled_from([0, 1, BUCKET // 3, BUCKET, INTERVAL, SECOND, 30 * SECOND]))
        bid = draw(st.integers(990, 1010))
        ask = bid + draw(st.sampled_from([1, 1, 1, 2, 3, 0, -1]))
        sizes = draw(st.tuples(st.integers(0, 9), st.integers(0, 9)))
        tops.append(Top(time, bid, sizes[0], ask, sizes[1]))
    return tops


@given(walks())
def test_stream_follows_the_whole_history(tops: list[Top]) -> None:
    views, state = views_of(tops), memory()
    for place in range(len(tops)):
        features.update_at(views[place : place + 1], 0, state)
        seen = tops[: place + 1]
        wanted = flow(seen, BUCKET, features.FLOW_BUCKETS) * 0.25
        assert views[place]["flow"] == wanted
        halves = volatility(seen, INTERVAL, COUNT, MINIMUM)
        assert views[place]["volatility"] == pytest.approx(
            halves * 0.25, rel=1e-7, abs=1e-7, nan_ok=True
        )


@given(walks())
def test_batch_has_the_bits_of_the_stream(tops: list[Top]) -> None:
    streamed, batched = views_of(tops), views_of(tops)
    one, other = memory(), memory()
    for place in range(len(tops)):
        features.update_at(streamed[place : place + 1], 0, one)
    features.update_batch(batched, other)
    assert batched.tobytes() == streamed.tobytes()
    assert one.tobytes() == other.tobytes()


@given(SIZES, SIZES, st.integers(1, 10**7), st.integers(1, 50))
def test_top_is_described_exactly(bid_size: int, ask_size: int, bid: int, width: int) -> None:
    top = Top(10**18, bid, bid_size, bid + width, ask_size)
    views = views_of([top])
    features.update_at(views, 0, memory())
    view = views[0]
    both = bid_size + ask_size
    weighted = Fraction(bid * ask_size + top.ask * bid_size, both) / 2
    assert view["mid"] == float(Fraction(bid + top.ask, 4))
    assert view["microprice"] == pytest.approx(float(weighted), rel=1e-14)
    assert view["spread"] == width * 0.5
    assert view["imbalance"] == pytest.approx((bid_size - ask_size) / both, rel=1e-15)


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (0, 0)])
def test_empty_side_leaves_no_price_and_adds_no_event(sizes: tuple[int, int]) -> None:
    tops = [Top(10**18, 100, 5, 101, 5), Top(10**18, 100, sizes[0], 101, sizes[1])]
    views, state = views_of(tops), memory()
    features.update_batch(views, state)
    for name in ("mid", "microprice", "spread", "imbalance"):
        assert math.isnan(views[1][name]), name
    assert views[1]["flow"] == 0.0
    assert (state[0]["bid_size"], state[0]["ask_size"]) == (5, 5)


def test_change_across_a_gap_of_the_book_is_no_event() -> None:
    tops = [Top(10**18 + place, 100 + place, 5, 110, 5) for place in range(4)]
    views = views_of(tops)
    views["state"][1] = BookState.STALE
    features.update_batch(views, memory())
    assert views["flow"].tolist() == [0.0, 0.0, 0.0, 1.25]


def test_volatility_does_not_sample_across_a_gap_of_the_book() -> None:
    tops = [Top(10**18 + place * SECOND, 1000, 5, 1001, 5) for place in range(20)]
    tops[10:] = [top._replace(bid=2000, ask=2001) for top in tops[10:]]
    views = views_of(tops)
    views["state"][9] = BookState.SYNCING
    features.update_batch(views, memory())
    assert views["volatility"][-1] == 0.0


def test_time_that_falls_back_counts_as_the_latest_seen() -> None:
    tops = [Top(10**18, 100, 5, 101, 5), Top(10**18 - SECOND, 100, 9, 101, 5)]
    views, state = views_of(tops), memory()
    features.update_batch(views, state)
    assert (state[0]["time"], views[1]["flow"]) == (10**18, 1.0)


def test_forgotten_memory_keeps_its_settings() -> None:
    tops = [Top(10**18 + place * SECOND, 100 + place, 5, 110, 5) for place in range(9)]
    state = memory()
    features.update_batch(views_of(tops), state)
    features.forget_at(state, 0)
    again, fresh = views_of(tops), views_of(tops)
    features.update_batch(again, state)
    features.update_batch(fresh, memory())
    assert again.tobytes() == fresh.tobytes()


def test_rows_use_the_memory_of_their_instrument() -> None:
    tops = [Top(10**18, 100, 5, 101, 5), Top(10**18, 100, 5, 101, 5)] * 2
    views, states = views_of(tops), np.concatenate([memory(), memory()])
    views["instrument"] = [0, 1, 0, 1]
    views["bid_size"] = [5, 5, 7, 6]
    features.update_batch(views, states)
    assert views["flow"].tolist() == [0.0, 0.0, 0.5, 0.25]


@given(st.lists(st.integers(0, 99), max_size=8), st.lists(st.integers(0, 99), max_size=8))
def test_level_imbalance_is_the_ratio_of_sums(bids: list[int], asks: list[int]) -> None:
    arrays = np.array(bids, np.int64), np.array(asks, np.int64)
    for levels in (1, 3, 20):
        got = features.level_imbalance(*arrays, levels)
        if sum(bids[:levels]) + sum(asks[:levels]) == 0:
            assert math.isnan(got)
        else:
            sides = [(0, size) for size in bids], [(0, size) for size in asks]
            assert got == pytest.approx(float(imbalance(*sides, levels)), rel=1e-15)


@given(LEVELS, st.integers(0, 120))
def test_average_price_is_that_of_taking_unit_by_unit(
    steps: list[tuple[int, int]], wanted: int
) -> None:
    prices = np.cumsum([step for step, _ in steps]) + 10**9
    sizes = np.array([size for _, size in steps], np.int64)
    got = features.volume_weighted_price(prices, sizes, len(steps), wanted)
    levels = list(zip(prices.tolist(), sizes.tolist(), strict=True))
    exact = walk_price(levels, wanted)
    if exact is None:
        assert math.isnan(got)
    else:
        assert got == pytest.approx(float(exact), rel=1e-15)


def test_no_levels_have_no_average_price() -> None:
    empty = np.zeros(0, np.int64)
    assert math.isnan(features.volume_weighted_price(empty, empty, 0, 5))


def test_depth_prices_are_written_in_quote_units() -> None:
    views, state = views_of([Top(10**18, 100, 5, 101, 5)]), memory()
    bids = np.array([100, 98]), np.array([5, 5])
    asks = np.array([101, 103]), np.array([5, 4])
    features.fill_depth_at(views, 0, state, *bids, *asks)
    assert views[0]["vwap_bid"] == 49.5
    assert math.isnan(views[0]["vwap_ask"])


def test_snapshots_agree_with_the_oracle() -> None:
    for case in cases("book-"):
        bids, asks = case["inputs"]["bids"], case["inputs"]["asks"]
        expected = case["expected"]
        sides = [
            np.array([[scaled(price), size] for price, size in side], np.int64)
            for side in (bids, asks)
        ]
        top = Top(1, *sides[0][0].tolist(), *sides[1][0].tolist())
        views = views_of([top])
        views["price_unit"] = 0.01
        features.update_at(views, 0, memory())
        view = views[0]
        for name, key in (
            ("mid", "mid"),
            ("spread", "spread"),
            ("imbalance", "imbalance"),
            ("microprice", "weighted_mid"),
        ):
            assert view[name] == pytest.approx(expected[key], rel=1e-12, abs=1e-15), case["id"]
        for levels in (2, 3, 5):
            got = features.level_imbalance(sides[0][:, 1].copy(), sides[1][:, 1].copy(), levels)
            assert got == pytest.approx(expected[f"imbalance_{levels}"], rel=1e-12), case["id"]


def test_flow_events_agree_with_the_oracle() -> None:
    (case,) = cases("ofi-")
    inputs = case["inputs"]
    tops = [
        Top(1, scaled(bid), bid_size, scaled(ask), ask_size)
        for bid, bid_size, ask, ask_size in zip(
            inputs["bid_price"],
            inputs["bid_size"],
            inputs["ask_price"],
            inputs["ask_size"],
            strict=True,
        )
    ]
    events = []
    state = memory()
    for before, after in pairwise(tops):
        state["bid"], state["bid_size"] = before.bid, before.bid_size
        state["ask"], state["ask_size"] = before.ask, before.ask_size
        events.append(features.flow_event(state[0], *after[1:]))
        assert events[-1] == flow_event(before, after)
    assert events == case["expected"]["events"]
    assert sum(events) == case["expected"]["total"]


def test_walks_down_the_book_agree_with_the_oracle() -> None:
    for case in cases("vwap-"):
        inputs = case["inputs"]
        levels = np.array([[scaled(price), size] for price, size in inputs["levels"]], np.int64)
        got = features.volume_weighted_price(
            levels[:, 0].copy(), levels[:, 1].copy(), len(levels), inputs["quantity"]
        )
        assert got / 100 == pytest.approx(case["expected"]["vwap"], rel=1e-12), case["id"]


@given(walks(), st.sampled_from(list(Feature)))
def test_what_no_part_reads_is_not_filled(tops: list[Top], wanted: Feature) -> None:
    whole, some = views_of(tops), views_of(tops)
    for views in (whole, some):
        views["flow"] = views["volatility"] = math.nan
    state, partly = memory(), memory()
    partly["wanted"] = wanted
    for place in range(len(tops)):
        features.update_at(whole[place : place + 1], 0, state)
        features.update_at(some[place : place + 1], 0, partly)
    for name, feature in (("flow", Feature.FLOW), ("volatility", Feature.VOLATILITY)):
        if wanted & feature:
            assert np.array_equal(some[name], whole[name], equal_nan=True)
        else:
            assert np.isnan(some[name]).all()
    assert np.array_equal(some["mid"], whole["mid"], equal_nan=True)
