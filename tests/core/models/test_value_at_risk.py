"""Value at risk and shortfall against exact fractions, other libraries and their own laws."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import value_at_risk as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.kernels import value_at_risk as kernels
from bot4_core.models.value_at_risk import (
    RollingRisk,
    component_risk,
    cornish_fisher,
    ewma_filtered,
    historical,
    interpolated,
    normal,
    student,
)

RETURNS = st.lists(st.integers(-40, 40).map(lambda each: each / 128), min_size=1, max_size=60)
LEVELS = st.sampled_from(["0.5", "0.75", "0.9", "0.95", "0.99", "0.999"])


def found(returns: list[float], level: float, decay: float) -> dict[str, Any]:
    order, between = historical(returns, level), interpolated(returns, level)
    bell, bent = normal(returns, level), cornish_fisher(returns, level)
    filtered = ewma_filtered(returns, level, decay)
    return {
        "hist_var_linear": between.value_at_risk,
        "hist_var_inverted": order.value_at_risk,
        "hist_cvar_acerbi": order.expected_shortfall,
        "hist_cvar_tailmean": between.expected_shortfall,
        "normal_var": bell.value_at_risk,
        "normal_cvar": bell.expected_shortfall,
        "skewness": bent.skewness,
        "excess_kurtosis": bent.excess_kurtosis,
        "cf_var": bent.value_at_risk,
        "cf_cvar": bent.expected_shortfall,
        "cf_monotone_on_tail": bent.is_monotone,
        "ewma_var_next": filtered.value_at_risk,
    }


def test_risks_agree_with_the_oracle() -> None:
    cases = [case for case in oracle("var_cvar") if "returns" in case["inputs"]]
    sound = [case for case in cases if case["kind"] != "error"]
    assert len(sound) == 7
    for case in sound:
        inputs, expected = case["inputs"], case["expected"]
        returns, level = inputs["returns"], inputs["confidence"]
        got = found(returns, level, inputs.get("ewma_lambda", 0.94))
        for key, wanted in expected.items():
            if key in got:
                assert got[key] == pytest.approx(wanted, rel=1e-8, abs=1e-12), (case["id"], key)
            elif key.startswith("t"):
                fat = student(returns, float(key[1 : key.index("_")]), level)
                value = fat.value_at_risk if "_var" in key else fat.expected_shortfall
                assert value == pytest.approx(wanted, rel=1e-8), (case["id"], key)


def test_component_risk_agrees_with_the_oracle() -> None:
    (case,) = [case for case in oracle("var_cvar") if case["id"] == "var-component"]
    inputs, expected = case["inputs"], case["expected"]
    got = component_risk(inputs["weights"], inputs["cov"], inputs["confidence"])
    assert got.value_at_risk == pytest.approx(expected["portfolio_var"], rel=1e-10)
    np.testing.assert_allclose(got.marginal, expected["marginal_var"], 1e-10)
    np.testing.assert_allclose(got.components, expected["component_var"], 1e-10)
    assert float(got.components.sum()) == pytest.approx(got.value_at_risk)


@given(RETURNS, LEVELS)
def test_historical_risk_equals_exact_fractions(returns: list[float], level: str) -> None:
    tail = 1 - Fraction(level)
    got = historical(returns, float(level))
    order, beyond = slow.historical(returns, tail)
    assert got.value_at_risk == order
    assert got.expected_shortfall == pytest.approx(beyond, rel=1e-12, abs=1e-15)
    between = interpolated(returns, float(level))
    assert between.value_at_risk == pytest.approx(slow.interpolated(returns, tail), abs=1e-15)


@given(RETURNS, st.floats(2.5, 30.0))
def test_risk_rises_with_the_level_and_shortfall_lies_above_it(
    returns: list[float], freedom: float
) -> None:
    two = [*returns, 0.01]
    for estimate in (historical, normal, lambda r, level: student(r, freedom, level)):
        risks = [estimate(two, level) for level in (0.5, 0.8, 0.95, 0.99, 0.9999)]
        values = [risk.value_at_risk for risk in risks]
        shortfalls = [risk.expected_shortfall for risk in risks]
        slack = 1e-12
        assert all(b >= a - slack for a, b in itertools.pairwise(values))
        assert all(b >= a - slack for a, b in itertools.pairwise(shortfalls))
        assert all(s >= v - slack for v, s in zip(values, shortfalls, strict=True))


@given(RETURNS, st.integers(1, 12), LEVELS)
def test_rolling_risk_is_that_of_the_window(returns: list[float], window: int, level: str) -> None:
    rolling = RollingRisk(window, float(level))
    for count, each in enumerate(returns, 1):
        rolling.add(each)
        wanted = historical(returns[max(0, count - window) : count], float(level))
        got = rolling.risk()
        assert got.value_at_risk == wanted.value_at_risk
        assert got.expected_shortfall == pytest.approx(wanted.expected_shortfall, abs=1e-15)


@given(st.lists(st.integers(-9, 9).map(float), min_size=1, max_size=50), st.integers(0, 49))
def test_selected_rank_has_the_smaller_ones_before_it(values: list[float], rank: int) -> None:
    rank %= len(values)
    array = np.array(values)
    assert kernels.select(array, rank) == sorted(values)[rank]
    assert sorted(array.tolist()) == sorted(values)
    assert max(array[: rank + 1]) <= min(array[rank:])


@pytest.mark.parametrize("kind", ["mixed", "rising", "misleading", "equal"])
def test_least_of_many_values_are_all_found(kind: str) -> None:
    values = np.random.default_rng(4).normal(size=5000)
    if kind == "rising":
        values.sort()
    elif kind == "equal":
        values[:] = 1.0
    elif kind == "misleading":  # what the sample takes is far lower than all else
        values[::9] -= 100.0
    out = np.empty(5000)
    found = kernels.lowest(values, 800, out)
    assert 800 <= found <= 5000
    assert sorted(out[:found])[:800] == sorted(values)[:800]
    assert (found < 1500) is (kind in {"mixed", "rising"})


def test_equal_returns_have_no_deviation_and_count_as_normal() -> None:
    got = cornish_fisher([0.001] * 30)
    assert (got.value_at_risk, got.expected_shortfall) == (-0.001, -0.001)
    assert got.is_monotone
    assert math.isnan(got.skewness)
    moments = np.empty(4)
    kernels.moments_of(np.array([2.0]), moments)
    assert moments[0] == 2.0
    assert np.isnan(moments[1:]).all()


def test_expansion_outside_its_domain_is_flagged() -> None:
    assert kernels.is_monotone_below(0.0, 0.0, -1.6)
    assert not kernels.is_monotone_below(1.0, 0.0, -1.6)  # bends down far away
    assert not kernels.is_monotone_below(0.0, 8.5, 1.0)  # falls near zero, inside the tail
    assert kernels.is_monotone_below(0.0, 8.5, -1.0)
    assert not kernels.is_monotone_below(3.0, 12.0, -1.0)  # no bend, and a slope that falls


def test_perfect_hedge_has_no_components() -> None:
    got = component_risk([1.0, -1.0], [[0.04, 0.04], [0.04, 0.04]])
    assert got.value_at_risk == 0.0
    assert got.components.tolist() == [0.0, 0.0]


def test_empty_window_has_no_risk() -> None:
    assert math.isnan(RollingRisk(3).risk().value_at_risk)


def test_faults_are_named_together() -> None:
    (case,) = [case for case in oracle("var_cvar") if case["kind"] == "error"]
    with pytest.raises(ValidationError, match="returns"):
        historical(case["inputs"]["returns"], case["inputs"]["confidence"])
    with pytest.raises(ValidationError) as caught:
        student([0.1], 2.0, 1.0)
    assert [path for path, _ in caught.value.faults] == ["returns", "level", "freedom"]
    with pytest.raises(ValidationError) as caught:
        ewma_filtered([math.nan], 0.0, 1.0, -1.0)
    assert [path for path, _ in caught.value.faults] == ["returns[0]", "level", "decay", "first"]
    with pytest.raises(ValidationError, match="must fit"):
        component_risk([1.0], [[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValidationError, match="must fit"):
        component_risk([1.0], [[1.0, 0.0]])
    with pytest.raises(ValidationError) as caught:
        component_risk([], [])
    assert [path for path, _ in caught.value.faults] == ["weights", "covariance"]
    with pytest.raises(ValidationError, match="not symmetric"):
        component_risk([1.0, 1.0], [[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ValidationError) as caught:
        RollingRisk(0, 1.0)
    assert len(caught.value.faults) == 2
    with pytest.raises(ValidationError, match="value"):
        RollingRisk(1).add(math.nan)
