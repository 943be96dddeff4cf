"""Streams of mean, variance and z-score against windows computed anew."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.reference.oracles import oracle
from tests.reference.rolling_moments import ewma, mean_and_std, prior_scores

from bot4_core.kernels import stats, volatility

NUMBERS = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 4)), max_size=80)


class Rolling:
    """A rolling window as its callers hold it."""

    def __init__(self, length: int) -> None:
        self.window = np.zeros(length)
        self.moments = np.zeros(2)
        self.cursor = np.zeros(3, np.int64)

    def push(self, value: float) -> None:
        stats.rolling_push(self.window, self.moments, self.cursor, value)

    @property
    def std(self) -> float:
        return stats.rolling_std(self.moments, self.cursor)

    def _check(self) -> None:
        assert 0 <= self.cursor[0] <= len(self.window)
        assert 0 <= self.cursor[1] < len(self.window)
        assert 0 <= self.cursor[2] < len(self.window)
        assert self.moments[1] >= 0.0


@given(NUMBERS, st.integers(2, 17))
def test_rolling_window_equals_one_computed_anew(values: list[float], length: int) -> None:
    rolling = Rolling(length)
    for place, value in enumerate(values):
        rolling.push(value)
        rolling._check()
        kept = values[max(0, place + 1 - length) : place + 1]
        mean, std = mean_and_std(kept)
        scale = max(map(abs, kept))
        assert rolling.moments[0] == pytest.approx(mean, rel=1e-12, abs=1e-13 * scale)
        assert rolling.std == pytest.approx(std, rel=1e-6, abs=1e-9 * scale, nan_ok=True)


def test_offset_and_spike_leave_no_error_behind() -> None:
    rolling = Rolling(20)
    noise = np.random.default_rng(11).normal(size=200)
    for place, value in enumerate(noise):
        rolling.push(1e8 + value + (1e14 if place == 100 else 0.0))
        if place > 125:
            std = mean_and_std([1e8 + each for each in noise[place - 19 : place + 1]])[1]
            assert rolling.std == pytest.approx(std, rel=1e-7)


@given(st.floats(1e-9, 1e9), st.integers(2, 12))
def test_window_of_equal_values_has_no_deviation_at_all(level: float, length: int) -> None:
    rolling = Rolling(length)
    for value in [1.0, 2.0, 3.0] + [level] * (3 * length):
        rolling.push(value)
    assert (rolling.moments[0], rolling.std) == (level, 0.0)


def test_cleared_window_starts_anew() -> None:
    rolling = Rolling(3)
    for value in (1.0, 2.0, 3.0, 4.0):
        rolling.push(value)
    stats.rolling_clear(rolling.moments, rolling.cursor)
    assert math.isnan(rolling.std)
    rolling.push(5.0)
    assert rolling.moments.tolist() == [5.0, 0.0]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_accumulated_moments_equal_those_computed_anew(values: list[float]) -> None:
    moments = np.zeros(3)
    for value in values:
        stats.accumulate(moments, value)
    mean, std = mean_and_std(values)
    assert moments[0] == len(values)
    assert moments[1] == pytest.approx(mean, rel=1e-10, abs=1e-9)
    if len(values) > 1:
        spread = math.sqrt(moments[2] / (len(values) - 1))
        assert spread == pytest.approx(std, rel=1e-7, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "mean", "std", "wanted"),
    [
        (3.0, 1.0, 0.5, 4.0),
        (1.0, 1.0, 0.0, 0.0),
        (1.1, 1.0, 0.0, math.inf),
        (0.9, 1.0, 0.0, -math.inf),
    ],
)
def test_prior_z(value: float, mean: float, std: float, wanted: float) -> None:
    assert stats.prior_z(value, mean, std) == wanted


def test_prior_z_of_nan_is_nan() -> None:
    assert math.isnan(stats.prior_z(math.nan, 1.0, 0.0))
    assert math.isnan(stats.prior_z(1.0, math.nan, 1.0))


def scores_of(values: list[float], window: int) -> NDArray[np.float64]:
    out = np.zeros(len(values))
    stats.prior_z_scores(np.array(values, np.float64), np.zeros(window), out)
    return out


@given(st.lists(st.integers(-50, 50).map(float), max_size=60), st.integers(2, 9))
def test_scores_equal_those_computed_anew(values: list[float], window: int) -> None:
    np.testing.assert_allclose(
        scores_of(values, window), prior_scores(values, window), rtol=1e-9, atol=1e-9
    )


def test_scores_agree_with_the_oracle() -> None:
    for case in oracle("zscore_breaker"):
        wanted = [math.nan if z is None else float(z) for z in case["expected"]["prior"]["z"]]
        got = scores_of(case["inputs"]["x"], case["inputs"]["window"])
        np.testing.assert_allclose(got, wanted, rtol=1e-8, atol=1e-9, err_msg=case["id"])
        tripped = np.abs(got) >= case["inputs"]["threshold"]
        expected = [bool(each) for each in case["expected"]["prior"]["tripped"]]
        assert tripped.tolist() == expected, case["id"]


def test_a_shift_of_level_is_reported_once() -> None:
    scores = scores_of([1.0, 2.0, 1.0, 2.0, 90.0, 91.0, 90.0, 91.0, 90.0], 4)
    assert (np.abs(scores[4:]) > 3.0).tolist() == [True, False, False, False, False]


@given(st.lists(st.floats(-0.2, 0.2), max_size=40), st.floats(0.5, 0.99), st.floats(0, 0.1))
def test_ewma_equals_the_weighted_sum(values: list[float], decay: float, first: float) -> None:
    out = np.zeros(len(values) + 1)
    volatility.ewma_variances(np.array(values, np.float64), decay, first, out)
    np.testing.assert_allclose(out, ewma(values, decay, first), rtol=1e-10, atol=1e-18)


def test_ewma_agrees_with_the_oracle() -> None:
    cases = [case for case in oracle("volatility") if case["id"].startswith("ewma")]
    assert len(cases) == 3
    for case in cases:
        inputs, returns = case["inputs"], np.array(case["inputs"]["returns"], np.float64)
        first = math.nan if inputs["init"] is None else inputs["init"]
        out = np.zeros(len(returns) + 1)
        volatility.ewma_variances(returns, inputs["lam"], first, out)
        np.testing.assert_allclose(out, case["expected"]["sigma2"], rtol=1e-10, atol=1e-18)
        wanted = case["expected"]["vol_next"]
        assert math.sqrt(out[-1]) == pytest.approx(wanted, rel=1e-10, abs=1e-18)


def test_sampled_volatility_is_per_root_second() -> None:
    rolling = Rolling(500)
    draw = np.random.default_rng(2)
    arguments = (rolling.moments, rolling.cursor, 30)
    for place in range(500):
        seconds = draw.uniform(0.1, 20.0)
        change = 2.5 * math.sqrt(seconds) * draw.normal()
        assert math.isnan(volatility.sample_volatility(*arguments)) is (place < 30)
        elapsed = int(seconds * 1e9)
        volatility.sample_push(rolling.window, rolling.moments, rolling.cursor, change, elapsed)
    assert volatility.sample_volatility(*arguments) == pytest.approx(2.5, rel=0.1)
