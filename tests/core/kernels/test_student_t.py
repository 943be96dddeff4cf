"""Student's t against closed forms and its series."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference.vpin import student_cumulative

from bot4_core.kernels.student_t import cumulative, density, log_gamma, quantile


@pytest.mark.parametrize("x", [-1e150, -1e9, -40.0, -3.0, -1.0])
def test_lower_tails_are_accurate_relative_to_themselves(x: float) -> None:
    assert cumulative(x, 1.0) == pytest.approx(math.atan(-1 / x) / math.pi, rel=2e-13)
    root = math.hypot(math.sqrt(2.0), x)
    assert cumulative(x, 2.0) == pytest.approx(1 / root / (root - x), rel=2e-13)


@given(st.floats(-6, 6), st.sampled_from([0.25, 0.6, 1.0, 3.0, 4.5, 30.0]))
def test_distribution_equals_its_series(x: float, freedom: float) -> None:
    assert cumulative(x, freedom) == pytest.approx(student_cumulative(x, freedom), abs=1e-12)


@given(st.floats(0.0, 1e12), st.floats(0.1, 200.0))
def test_distribution_is_symmetric(x: float, freedom: float) -> None:
    assert cumulative(x, freedom) + cumulative(-x, freedom) == pytest.approx(1.0, abs=1e-15)


def test_ends_of_the_range() -> None:
    assert (cumulative(-math.inf, 0.25), cumulative(math.inf, 0.25)) == (0.0, 1.0)
    assert cumulative(0.0, 3.0) == 0.5
    assert math.isnan(cumulative(math.nan, 3.0))
    far = cumulative(-1e200, 0.25)
    assert far == pytest.approx(cumulative(-1e8, 0.25) * 10.0**-48, rel=1e-9)


@given(st.floats(1e-3, 1e6))
def test_log_gamma_equals_the_library(x: float) -> None:
    assert log_gamma(x) == pytest.approx(math.lgamma(x), rel=1e-13, abs=2e-14)


@given(st.floats(1e-6, 1.0 - 1e-6), st.sampled_from([0.25, 1.0, 2.5, 30.0]))
def test_quantile_inverts_the_distribution(probability: float, freedom: float) -> None:
    assert cumulative(quantile(probability, freedom), freedom) == pytest.approx(
        probability, rel=1e-11
    )


def test_quantiles_at_the_ends_and_outside() -> None:
    assert (quantile(0.0, 3.0), quantile(0.5, 3.0), quantile(1.0, 3.0)) == (
        -math.inf,
        0.0,
        math.inf,
    )
    assert math.isnan(quantile(1.5, 3.0))
    assert math.isnan(quantile(math.nan, 3.0))


@given(st.floats(-50.0, 50.0))
def test_density_of_one_degree_is_cauchys(x: float) -> None:
    assert density(x, 1.0) == pytest.approx(1.0 / (math.pi * (1.0 + x * x)), rel=1e-12)
