"""Optimal execution against the paper's tables, exact linear algebra and its own laws."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import almgren_chriss as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.models.almgren_chriss import (
    ExecutionProblem,
    cost_of_trades,
    efficient_frontier,
    in_lots,
    next_holding,
    optimal_schedule,
    value_at_risk_schedule,
)

SIZES = st.floats(-1e6, 1e6).filter(lambda size: abs(size) > 1.0)


def execution(inputs: dict[str, Any]) -> ExecutionProblem:
    return ExecutionProblem(
        quantity=inputs["X"],
        horizon=inputs["T"],
        slices=inputs["N"],
        volatility=inputs["sigma"],
        fixed_cost=inputs["epsilon"],
        permanent_impact=inputs["gamma"],
        temporary_impact=inputs["eta"],
        drift=inputs.get("alpha", 0.0),
    )


@st.composite
def executions(draw: st.DrawFn) -> ExecutionProblem:
    step = draw(st.floats(0.1, 2.0))
    slices = draw(st.integers(1, 7))
    permanent = draw(st.floats(0.0, 1e-3))
    drift = draw(st.sampled_from([0.0, 0.5, -3.0]))  # may turn trades round, at a cost if fixed
    return ExecutionProblem(
        quantity=draw(SIZES),
        horizon=step * slices,
        slices=slices,
        volatility=draw(st.sampled_from([0.0, 1e-6, 0.3, 40.0])),
        fixed_cost=draw(st.floats(0.0, 1.0)) if drift == 0.0 else 0.0,
        permanent_impact=permanent,
        temporary_impact=draw(st.floats(1e-4, 1.0)) + permanent * step,
        drift=drift,
    )


def terms(given_: ExecutionProblem) -> slow.Terms:
    return slow.Terms(*given_.terms().tolist())


AVERSIONS = st.sampled_from([0.0, 1e-12, 1e-6, 0.01, 5.0])


def cases(what: str) -> list[dict[str, Any]]:
    return [case for case in oracle("almgren_chriss") if case["what"].startswith(what)]


def test_optimal_schedules_agree_with_the_oracle() -> None:
    found = [case for case in cases("optimal trajectory") if case["kind"] != "error"]
    assert len(found) >= 8
    for case in found:
        got = optimal_schedule(execution(case["inputs"]), case["inputs"]["lambda"])
        expected = dict(case["expected"])
        wanted = expected.pop("x_bar", None)
        if wanted is not None:  # half-way between two ends of zero, drift alone pulls here
            inputs = case["inputs"]
            target = inputs["alpha"] / (2 * inputs["lambda"] * inputs["sigma"] ** 2)
            assert target == pytest.approx(wanted)
        values: dict[str, Any] = {
            "kappa": got.decay_rate,
            "half_life": got.decay_time,
            "eta_tilde": execution(case["inputs"]).net_impact,
            "expected_cost": got.expected_cost,
            "variance": got.variance,
            "std": got.deviation,
            "objective": got.expected_cost + case["inputs"]["lambda"] * got.variance,
            "x": got.holdings,
            "n": got.trades,
        }
        for key, number in expected.items():
            wanted = np.asarray(number, np.float64)
            np.testing.assert_allclose(values[key], wanted, 1e-9, 1e-4, err_msg=case["id"])


def test_costs_of_given_schedules_agree_with_the_oracle() -> None:
    found = cases("cost of a given schedule")
    assert len(found) == 2
    for case in found:
        got = cost_of_trades(execution(case["inputs"]), case["inputs"]["n"])
        assert got.expected_cost == pytest.approx(case["expected"]["expected_cost"], rel=1e-12)
        assert got.variance == pytest.approx(case["expected"]["variance"], rel=1e-12)


def test_statements_of_the_paper_hold() -> None:
    (case,) = cases("published statements")
    given_, aversion = execution(case["inputs"]), case["inputs"]["lambda"]
    got = optimal_schedule(given_, aversion)
    assert round(got.decay_rate, 1) == case["expected"]["kappa_rounded_1dp"]
    assert round(got.decay_rate * given_.horizon) == case["expected"]["kappa_T_rounded_0dp"]
    assert got.half_life == pytest.approx(math.log(2) * got.decay_time)


def test_frontiers_agree_with_the_oracle() -> None:
    (case,) = [case for case in cases("efficient frontier") if case["id"] == "ac-frontier"]
    got = efficient_frontier(execution(case["inputs"]), case["inputs"]["lambdas"])
    np.testing.assert_allclose(got.expected_costs, case["expected"]["expected_cost"], 1e-9)
    np.testing.assert_allclose(got.variances, case["expected"]["variance"], 1e-9)
    (case,) = [case for case in cases("efficient frontier") if "drip" in case["id"]]
    aversions, expected = case["inputs"]["lambdas"], case["expected"]
    got = efficient_frontier(execution(case["inputs"]), aversions)
    np.testing.assert_allclose(got.expected_costs / 1e6, expected["expected_cost_musd"], 0, 6e-5)
    np.testing.assert_allclose(got.variances / 1e12, expected["variance_musd2"], 0, 6e-5)
    times = [optimal_schedule(execution(case["inputs"]), each).decay_time for each in aversions]
    np.testing.assert_allclose(times, expected["half_life_days"], 0, 6e-3)


def test_value_at_risk_agrees_with_the_oracle() -> None:
    (case,) = cases("liquidity-adjusted VaR")
    got = value_at_risk_schedule(execution(case["inputs"]), case["inputs"]["p"])
    expected = case["expected"]
    assert got.value_at_risk == pytest.approx(expected["lvar"], rel=1e-9)
    assert got.aversion == pytest.approx(expected["lambda_u_equivalent"], rel=1e-6)
    assert got.schedule.expected_cost == pytest.approx(expected["expected_cost"], rel=1e-6)
    assert got.schedule.deviation == pytest.approx(expected["std"], rel=1e-6)


@given(executions(), AVERSIONS)
def test_schedules_solve_the_linear_system(given_: ExecutionProblem, aversion: float) -> None:
    got = optimal_schedule(given_, aversion)
    wanted = slow.trajectory(given_.quantity, given_.slices, given_.step, aversion, terms(given_))
    scale = float(np.max(np.abs(wanted)))
    np.testing.assert_allclose(got.holdings, wanted, rtol=1e-9, atol=1e-9 * scale)
    cost = slow.shortfall(got.holdings.tolist(), given_.step, terms(given_))
    assert got.expected_cost == pytest.approx(cost, rel=1e-9, abs=1e-9 * scale**2)


@given(executions(), AVERSIONS)
def test_trades_add_up_to_the_parent(given_: ExecutionProblem, aversion: float) -> None:
    got = optimal_schedule(given_, aversion)
    largest = float(np.max(np.abs(got.holdings)))  # a drift may make it worth holding far more
    assert float(np.sum(got.trades)) == pytest.approx(given_.quantity, abs=1e-13 * largest)
    assert (got.holdings[0], got.holdings[-1]) == (given_.quantity, 0.0)
    if given_.drift == 0.0:
        assert np.all(got.trades * np.sign(given_.quantity) >= 0.0)
        again = cost_of_trades(given_, got.trades)
        assert again.expected_cost == pytest.approx(got.expected_cost, rel=1e-9)


@given(executions(), AVERSIONS)
def test_plan_made_anew_half_way_is_the_rest_of_the_plan(
    given_: ExecutionProblem, aversion: float
) -> None:
    if given_.drift != 0.0:
        return
    got = optimal_schedule(given_, aversion)
    for place in range(given_.slices):
        left = given_.step * (given_.slices - place)
        following = next_holding(float(got.holdings[place]), got.decay_rate, left, given_.step)
        wanted = float(got.holdings[place + 1])
        assert following == pytest.approx(wanted, rel=1e-9, abs=1e-9 * abs(given_.quantity))


@given(executions())
def test_frontier_is_convex_and_falls(given_: ExecutionProblem) -> None:
    got = efficient_frontier(given_, [0.0, 1e-9, 1e-7, 1e-5, 1e-3, 0.1, 10.0])
    slack = 1e-9 * float(np.max(np.abs(got.expected_costs)) + 1e-300)
    assert np.all(np.diff(got.expected_costs) >= -slack)
    assert np.all(np.diff(got.variances) <= 1e-9 * got.variances[0])
    for index in range(1, len(got.aversions)):  # each point lies above the other's tangent
        steepness = got.aversions[index]
        ahead = got.expected_costs + steepness * got.variances
        assert np.all(ahead >= ahead[index] - 1e-9 * abs(ahead[index]) - slack)


@given(executions(), st.sampled_from([0.5, 0.9, 0.999]))
def test_no_aversion_has_less_value_at_risk(given_: ExecutionProblem, level: float) -> None:
    best = value_at_risk_schedule(given_, level)
    deviations = {0.5: 0.0, 0.9: 1.2815515655446004, 0.999: 3.090232306167813}[level]
    for aversion in (0.0, 1e-8, 1e-4, 1.0):
        other = optimal_schedule(given_, aversion)
        cost = other.expected_cost + deviations * other.deviation
        assert best.value_at_risk <= cost + 1e-9 * max(abs(cost), abs(best.value_at_risk))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.integers(-300, 300))
def test_lots_equal_largest_remainders(trades: list[int], lots: int) -> None:
    if sum(trades) == 0:
        with pytest.raises(ValidationError, match="add up to nothing"):
            in_lots(trades, lots)
        return
    got = in_lots([each / 64 for each in trades], lots)
    assert int(np.sum(got)) == lots
    sizes = np.abs(got)
    for one, other in zip(np.argsort(trades), np.argsort(trades)[1:], strict=False):
        assert trades[one] == trades[other] or sizes[one] <= sizes[other]
    exact = slow.largest_remainders(trades, lots)
    assert int(np.max(np.abs(got - exact))) <= 1  # ties of remainders fall either way in floats


def test_equal_remainders_serve_the_earliest_first() -> None:
    assert in_lots([1.0, 1.0, 1.0, 1.0], 6).tolist() == [2, 2, 1, 1]
    assert in_lots([1.0, 1.0, 1.0, 1.0], -6).tolist() == [-2, -2, -1, -1]
    assert in_lots([0.7], 5).tolist() == [5]


def test_overwhelming_aversion_trades_at_once() -> None:
    given_ = ExecutionProblem(
        quantity=8.0, horizon=2.0, slices=4, volatility=1e200, temporary_impact=1.0
    )
    got = optimal_schedule(given_, 1e308)
    assert got.holdings.tolist() == [8.0, 0.0, 0.0, 0.0, 0.0]
    assert next_holding(8.0, got.decay_rate, 2.0, 0.5) == 0.0


def test_one_slice_and_no_volatility_have_no_risk() -> None:
    one = ExecutionProblem(
        quantity=8.0, horizon=2.0, slices=1, volatility=3.0, temporary_impact=1.0
    )
    assert value_at_risk_schedule(one, 0.95).value_at_risk == 32.0
    calm = ExecutionProblem(
        quantity=8.0, horizon=2.0, slices=2, volatility=0.0, temporary_impact=1.0
    )
    assert value_at_risk_schedule(calm, 0.95).aversion == 0.0
    assert optimal_schedule(calm, 1.0).holdings.tolist() == [8.0, 4.0, 0.0]
    assert math.isinf(optimal_schedule(calm, 1.0).decay_time)


def test_faults_of_an_execution_are_named_together() -> None:
    wrong = ExecutionProblem(
        quantity=math.nan, horizon=0.0, slices=2, volatility=-1.0, temporary_impact=math.inf
    )
    with pytest.raises(ValidationError) as caught:
        optimal_schedule(wrong, -2e-7)
    paths = [path for path, _ in caught.value.faults]
    assert paths == ["quantity", "volatility", "horizon", "temporary_impact", "aversion"]
    with pytest.raises(ValidationError, match="exceeds permanent"):
        efficient_frontier(
            ExecutionProblem(
                quantity=1.0,
                horizon=1.0,
                slices=1,
                volatility=1.0,
                temporary_impact=0.1,
                permanent_impact=0.2,
            ),
            [1.0],
        )


def test_wrong_arguments_are_named() -> None:
    for case in oracle("almgren_chriss"):
        if case["kind"] == "error":
            with pytest.raises(ValidationError, match="slices"):
                optimal_schedule(execution(case["inputs"]), case["inputs"]["lambda"])
    good = ExecutionProblem(
        quantity=8.0, horizon=2.0, slices=2, volatility=0.0, temporary_impact=1.0
    )
    with pytest.raises(ValidationError, match="level"):
        value_at_risk_schedule(good, 0.4)
    with pytest.raises(ValidationError, match="leave 1"):
        cost_of_trades(good, [3.0, 4.0])
    with pytest.raises(ValidationError, match="must be 2"):
        cost_of_trades(good, [8.0])
    with pytest.raises(ValidationError, match="aversions"):
        efficient_frontier(good, [-1.0])
    with pytest.raises(ValidationError, match="lots"):
        in_lots([1.0], 2**40)
    with pytest.raises(ValidationError) as caught:
        next_holding(math.inf, -1.0, 0.5, 1.0)
    assert [path for path, _ in caught.value.faults] == ["held", "decay_rate", "left"]
