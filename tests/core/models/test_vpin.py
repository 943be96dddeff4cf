"""VPIN against lots laid in a row, the oracle, and its own laws."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import vpin as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.kernels import vpin as kernels
from bot4_core.models.vpin import (
    BulkRule,
    Classifier,
    ToxicityMeter,
    ToxicitySettings,
    percentile,
    sample_sigma,
)

BARS = st.lists(st.tuples(st.sampled_from([1.0, 1.25, 1.5, 3.0]), st.integers(0, 40)), max_size=25)
RULES = st.sampled_from(
    [
        BulkRule(sigma=0.4),
        BulkRule(sigma=0.0),
        BulkRule(),
        BulkRule(classifier=Classifier.STUDENT_T, sigma=0.3),
    ]
)


def meter(inputs: dict[str, Any], sigma: float = math.nan) -> ToxicityMeter:
    fat = inputs.get("cdf") == "student_t"
    rule = BulkRule(
        classifier=Classifier.STUDENT_T if fat else Classifier.NORMAL,
        sigma=sigma,
        freedom=inputs["df"] if fat else 0.25,
    )
    settings = ToxicitySettings(
        bucket_volume=inputs["bucket_volume"], buckets=inputs["n_buckets"], rule=rule
    )
    return ToxicityMeter(settings)


def assert_agrees(case: dict[str, Any], name: str, got: object) -> None:
    wanted = [math.nan if each is None else each for each in case["expected"][name]]
    np.testing.assert_allclose(got, wanted, 1e-8, 1e-9, err_msg=f"{case['id']} {name}")  # type: ignore[call-overload]


def test_bars_agree_with_the_oracle() -> None:
    cases = [case for case in oracle("vpin") if "price" in case["inputs"]]
    sound = [case for case in cases if case["kind"] != "error"]
    assert len(sound) == 7
    for case in sound:
        inputs, expected = case["inputs"], case["expected"]
        sigma = inputs["sigma"]
        if sigma == "sample":
            sigma = sample_sigma(inputs["price"])
            assert sigma == pytest.approx(expected["sigma_used"], rel=1e-9, abs=1e-15)
        toxicity = meter(inputs, float(sigma))
        got = toxicity.add_bars(inputs["price"], [int(each) for each in inputs["volume"]])
        assert math.isnan(got.shares[0])
        if "buy_fraction" in expected:
            assert_agrees(case, "buy_fraction", got.shares[1:])
        if "bucket_buy_volume" in expected:
            assert_agrees(case, "bucket_buy_volume", got.bought)
            assert_agrees(case, "bucket_imbalance", got.imbalances)
        if "vpin" in expected:
            assert_agrees(case, "vpin", got.vpin)
        assert toxicity.open_volume == expected["leftover_volume"]


def test_trades_with_known_sides_agree_with_the_oracle() -> None:
    (case,) = [case for case in oracle("vpin") if "side" in case["inputs"]]
    toxicity = meter(case["inputs"])
    got = toxicity.add_trades(case["inputs"]["side"], case["inputs"]["volume"])
    assert_agrees(case, "bucket_buy_volume", got.bought)
    assert_agrees(case, "bucket_imbalance", got.imbalances)
    assert_agrees(case, "vpin", got.vpin)
    assert toxicity.value == case["expected"]["vpin"][-1]


def test_bad_settings_of_the_oracle_are_refused() -> None:
    cases = [case for case in oracle("vpin") if case["kind"] == "error"]
    assert cases
    for case in cases:
        with pytest.raises(ValidationError):
            meter(case["inputs"], float(case["inputs"]["sigma"])).add_bars(
                case["inputs"]["price"], case["inputs"]["volume"]
            )


@given(BARS, RULES, st.integers(1, 30), st.integers(1, 4))
def test_buckets_equal_lots_laid_in_a_row(
    bars: list[tuple[float, int]], rule: BulkRule, capacity: int, count: int
) -> None:
    toxicity = ToxicityMeter(ToxicitySettings(bucket_volume=capacity, buckets=count, rule=rule))
    got = toxicity.add_bars([close for close, _ in bars], [volume for _, volume in bars])
    volumes = [volume for _, volume in bars[1:]]
    wanted = slow.buckets(volumes, got.shares[1:].tolist(), capacity, count)
    np.testing.assert_allclose(got.bought, wanted.bought, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(got.vpin, wanted.vpin, rtol=1e-12, atol=1e-12)
    assert toxicity.open_volume == wanted.left
    assert toxicity.completed == len(wanted.bought)
    assert np.all((got.imbalances >= 0.0) & (got.imbalances <= 1.0))
    assert np.all(np.isnan(got.vpin) | ((got.vpin >= 0.0) & (got.vpin <= 1.0)))


@given(BARS, RULES, st.integers(1, 30))
def test_stream_has_the_bits_of_the_batch(
    bars: list[tuple[float, int]], rule: BulkRule, capacity: int
) -> None:
    settings = ToxicitySettings(bucket_volume=capacity, buckets=3, rule=rule)
    batch, stream = ToxicityMeter(settings), ToxicityMeter(settings)
    whole = batch.add_bars([close for close, _ in bars], [volume for _, volume in bars])
    pieces = [stream.add_bars([close], [volume]) for close, volume in bars]
    for name in ("bought", "imbalances", "vpin", "shares"):
        joined = np.concatenate([np.zeros(0), *(getattr(piece, name) for piece in pieces)])
        assert joined.tobytes() == getattr(whole, name).tobytes(), name
    assert repr(stream.value) == repr(batch.value)


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(0, 90)), max_size=20))
def test_known_sides_equal_lots_laid_in_a_row(trades: list[tuple[int, int]]) -> None:
    toxicity = ToxicityMeter(ToxicitySettings(bucket_volume=10, buckets=2))
    sides, volumes = [side for side, _ in trades], [volume for _, volume in trades]
    got = toxicity.add_trades(sides, volumes)
    wanted = slow.buckets(volumes, [0.5 + 0.5 * side for side in sides], 10, 2)
    assert got.bought.tolist() == wanted.bought
    np.testing.assert_allclose(got.vpin, wanted.vpin, rtol=1e-15)


def test_one_sided_flow_is_wholly_toxic() -> None:
    toxicity = ToxicityMeter(ToxicitySettings(bucket_volume=7, buckets=5))
    toxicity.add_trades([1, 1], [35, 5])
    assert toxicity.value == 1.0
    assert (toxicity.completed, toxicity.open_volume) == (5, 5)


def test_bar_without_volume_moves_the_reference() -> None:
    toxicity = ToxicityMeter(
        ToxicitySettings(bucket_volume=10, buckets=1, rule=BulkRule(sigma=0.0))
    )
    assert toxicity.add_bars([1.0, 2.0, 1.5], [5, 0, 10]).vpin.tolist() == [1.0]


def test_followed_deviation_is_the_forecast_before_each_change() -> None:
    settings = ToxicitySettings(bucket_volume=1, rule=BulkRule(decay=0.5))
    shares = ToxicityMeter(settings).add_bars([1.0, 2.0, 4.0, 4.0], [0, 0, 0, 0]).shares
    one, two = 0.8413447460685429, 0.9772498680518208
    np.testing.assert_allclose(shares, [math.nan, one, two, 0.5], rtol=1e-12)


def test_sigma_of_a_flat_or_short_sample() -> None:
    assert sample_sigma([1.0, 1.1, 1.2000000000000002]) == 0.0
    assert math.isnan(sample_sigma([1.0, 2.0]))
    assert math.isnan(sample_sigma([]))


def test_percentile_is_the_share_of_the_past_at_most_as_high() -> None:
    history = [math.nan, 0.1, 0.2, 0.2, 0.4]
    assert percentile(history, 0.2) == 0.75
    assert percentile(history, 0.05) == 0.0
    assert math.isnan(percentile(history, math.nan))
    assert math.isnan(percentile([math.nan], 0.5))


def test_faults_are_named_together() -> None:
    rule = BulkRule(sigma=-1.0, decay=1.0, freedom=0.0)
    with pytest.raises(ValidationError) as caught:
        ToxicityMeter(ToxicitySettings(bucket_volume=0, buckets=0, rule=rule))
    paths = [path for path, _ in caught.value.faults]
    assert paths == ["rule.sigma", "rule.decay", "rule.freedom", "bucket_volume", "buckets"]
    sound = ToxicityMeter(ToxicitySettings(bucket_volume=1))
    with pytest.raises(ValidationError) as caught:
        sound.add_bars([math.nan], [-1, 2])
    assert [path for path, _ in caught.value.faults] == ["closes[0]", "volumes[0]"]
    with pytest.raises(ValidationError, match="sides") as caught:
        sound.add_trades([2], [10**7])
    assert len(caught.value.faults) == 2
    assert sound.completed == 0


def test_buckets_without_room_to_be_reported_are_counted_all_the_same() -> None:
    ring, flow = np.zeros(2), np.array([0.0, math.nan, math.nan, math.nan])
    cursor = np.zeros(kernels.CURSOR_SLOTS, np.int64)
    cursor[kernels.CAPACITY] = 10
    kernels.add_volume(ring, flow, cursor, 35, 1.0, np.zeros((1, 2)))
    assert (cursor[kernels.COMPLETED], cursor[kernels.FILLED]) == (3, 5)
    assert flow[kernels.VALUE] == 1.0
