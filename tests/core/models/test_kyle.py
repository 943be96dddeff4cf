"""Kyle's auctions against the paper and 50 digits; lambda against exact sums and statsmodels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import kyle as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.models.kyle import (
    FlowMeasure,
    ImpactEstimate,
    ImpactRegression,
    InformedMarket,
    RegressionSettings,
    continuous_auction,
    regress,
    sequential_auctions,
    signed_root,
    single_auction,
)

POSITIVE = st.floats(0.01, 100.0)
PAIRS = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), max_size=30)
NOWHERE = RegressionSettings(intercept=False)


def market(inputs: dict[str, float]) -> InformedMarket:
    return InformedMarket(prior_variance=inputs["Sigma0"], noise=inputs["sigma_u"])


def test_single_auctions_agree_with_the_paper() -> None:
    for case in oracle("kyle"):
        inputs, expected = case["inputs"], case["expected"]
        if case["what"] != "single auction equilibrium" or case["kind"] == "error":
            continue
        auction = single_auction(market(inputs))
        order = auction.order(inputs["v"], inputs["p0"])
        got = {
            "lambda": auction.impact,
            "beta": auction.intensity,
            "insider_order": order,
            "total_flow": order + inputs["u"],
            "price": auction.price(inputs["p0"], order + inputs["u"]),
            "posterior_variance": auction.posterior_variance,
            "expected_profit": auction.expected_profit,
            "conditional_expected_profit": auction.profit(inputs["v"], inputs["p0"]),
        }
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-12), case["id"]


def test_sequences_of_auctions_agree_with_the_oracle() -> None:
    cases = [case for case in oracle("kyle") if case["id"].startswith("kyle-multi")]
    assert len(cases) == 5
    for case in cases:
        got = sequential_auctions(market(case["inputs"]), case["inputs"]["dt"])
        expected = case["expected"]
        for name, values in (
            ("lambda", got.impacts),
            ("beta", got.intensities),
            ("alpha", got.values),
            ("delta", got.constants),
            ("Sigma", got.variances),
        ):
            np.testing.assert_allclose(values, expected[name], 1e-9, 1e-12, err_msg=case["id"])
        assert got.expected_profit == pytest.approx(expected["expected_profit"], rel=1e-9)


@given(POSITIVE, POSITIVE, st.lists(st.floats(0.001, 10.0), min_size=1, max_size=4))
def test_auctions_equal_the_recursion_in_many_digits(
    prior: float, noise: float, steps: list[float]
) -> None:
    got = sequential_auctions(InformedMarket(prior_variance=prior, noise=noise), steps)
    wanted = slow.equilibrium(prior, noise, steps)
    fast = (got.impacts, got.intensities, got.values, got.constants, got.variances)
    for mine, theirs in zip(fast, wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-15)


@given(POSITIVE, POSITIVE, st.lists(st.floats(1e-6, 10.0), min_size=1, max_size=60))
def test_market_makers_break_even(prior: float, noise: float, steps: list[float]) -> None:
    got = sequential_auctions(InformedMarket(prior_variance=prior, noise=noise), steps)
    paid = float(np.sum(got.impacts * noise**2 * np.array(steps)))
    assert paid == pytest.approx(got.expected_profit, rel=1e-12)
    assert np.all(np.diff(got.variances) < 0.0)
    assert got.variances[-1] > 0.0


def test_many_auctions_approach_the_continuous_limit() -> None:
    found = InformedMarket(prior_variance=4.0, noise=0.5)
    limit = continuous_auction(found)
    got = sequential_auctions(found, [0.001] * 1000)
    assert got.expected_profit == pytest.approx(limit.expected_profit, rel=0.01)
    assert got.impacts[0] == pytest.approx(limit.impact, rel=0.01)
    assert got.variances[500] == pytest.approx(limit.variance(0.5), rel=0.01)


def test_continuous_limit_agrees_with_the_paper() -> None:
    (case,) = [case for case in oracle("kyle") if case["id"] == "kyle-cont"]
    limit, expected = continuous_auction(market(case["inputs"])), case["expected"]
    times = case["inputs"]["t"]
    assert limit.impact == expected["lambda"]
    assert limit.expected_profit == expected["expected_profit"]
    assert [limit.variance(time) for time in times] == pytest.approx(expected["Sigma"])
    assert [limit.intensity(time) for time in times] == pytest.approx(expected["beta"])


@pytest.mark.parametrize("noise", [0.0, -1.0, math.nan, math.inf])
def test_market_without_noise_is_refused(noise: float) -> None:
    wrong = InformedMarket(prior_variance=-1.0, noise=noise)
    with pytest.raises(ValidationError) as caught:
        single_auction(wrong)
    assert [path for path, _ in caught.value.faults] == ["prior_variance", "noise"]
    with pytest.raises(ValidationError):
        continuous_auction(wrong)


@pytest.mark.parametrize("steps", [[], [1.0, 0.0], [math.nan], [-1.0], [[1.0]]])
def test_steps_that_are_no_times_are_refused(steps: list[float]) -> None:
    with pytest.raises(ValidationError, match="steps"):
        sequential_auctions(InformedMarket(prior_variance=1.0, noise=1.0), steps)


def test_regressions_agree_with_statsmodels() -> None:
    cases = [case for case in oracle("kyle") if case["what"] == "lambda regression"]
    assert len(cases) == 3
    for case in cases:
        flows, changes = case["inputs"]["signed_flow"], case["inputs"]["dp"]
        expected = case["expected"]
        got, through = regress(flows, changes), regress(flows, changes, NOWHERE)
        found = {
            "lambda": got.impact,
            "intercept": got.intercept,
            "se": got.standard_error,
            "t": got.t,
            "r2": got.r_squared,
            "n": got.pairs,
        }
        for key, wanted in expected["with_intercept"].items():
            assert found[key] == pytest.approx(wanted, rel=1e-8, abs=1e-12), (case["id"], key)
        wanted = expected.get("no_intercept")
        if wanted:
            assert through.impact == pytest.approx(wanted["lambda"], rel=1e-8)
            assert through.standard_error == pytest.approx(wanted["se"], rel=1e-8)
            assert through.t == pytest.approx(wanted["t"], rel=1e-8)
            assert through.r_squared == pytest.approx(wanted["r2_uncentered"], rel=1e-8)


def assert_line(got: ImpactEstimate, wanted: slow.Line | None) -> None:
    if wanted is None:
        assert math.isnan(got.impact)
        return
    assert got.impact == pytest.approx(wanted.impact, rel=1e-9, abs=1e-9)
    assert got.intercept == pytest.approx(wanted.intercept, rel=1e-9, abs=1e-9)
    # the root of what is left unexplained, which is 0 in a perfect fit but for rounding
    assert got.standard_error == pytest.approx(wanted.error, rel=1e-6, abs=1e-5, nan_ok=True)
    assert got.r_squared == pytest.approx(wanted.r_squared, rel=1e-9, abs=1e-9, nan_ok=True)


@given(PAIRS, st.booleans(), st.sampled_from([1.0, 0.75]))
def test_lines_equal_those_of_exact_sums(
    pairs: list[tuple[int, int]], intercept: bool, decay: float
) -> None:
    flows, changes = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    got = regress(flows, changes, RegressionSettings(intercept=intercept, decay=decay))
    assert_line(got, slow.line(flows, changes, intercept=intercept, decay=decay))


@given(PAIRS, st.integers(3, 9))
def test_rolling_window_equals_a_regression_of_what_is_in_it(
    pairs: list[tuple[int, int]], window: int
) -> None:
    settings = RegressionSettings(window=window)
    stream = ImpactRegression(settings)
    for count, (flow, change) in enumerate(pairs, 1):
        stream.add(flow, change)
        flows, changes = zip(*pairs[:count], strict=True)
        assert_line(
            stream.estimate(), slow.line(flows[-window:], changes[-window:], intercept=True)
        )
        assert regress(flows, changes, settings).pairs == min(count, window)


@given(PAIRS, st.sampled_from(list(FlowMeasure)), st.sampled_from([1.0, 0.9]))
def test_stream_has_the_bits_of_the_batch(
    pairs: list[tuple[int, int]], measure: FlowMeasure, decay: float
) -> None:
    settings = RegressionSettings(measure=measure, decay=decay)
    stream = ImpactRegression(settings)
    for flow, change in pairs:
        stream.add(flow, change)
    batch = regress([x for x, _ in pairs], [y for _, y in pairs], settings)
    assert repr(stream.estimate()) == repr(batch)


def test_large_offset_and_a_spike_leave_no_error_behind() -> None:
    draw = np.random.default_rng(3)
    flows = 1e9 + draw.normal(size=300)
    flows[150] = 1e15
    changes = 2e-4 * (flows - 1e9) + 1e-6 * draw.normal(size=300)
    stream = ImpactRegression(RegressionSettings(window=25))
    for flow, change in zip(flows, changes, strict=True):
        stream.add(float(flow), float(change))
    wanted = slow.line(flows[-25:].tolist(), changes[-25:].tolist(), intercept=True)
    assert wanted is not None
    assert stream.estimate().impact == pytest.approx(wanted.impact, rel=1e-6)


def test_flow_that_never_varies_has_no_impact() -> None:
    got = regress([0.1] * 5, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert math.isnan(got.impact)
    assert math.isnan(got.t)
    assert got.pairs == 5.0


def test_perfect_fit_has_an_infinite_t() -> None:
    got = regress([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0])
    assert (got.standard_error, got.t, got.r_squared) == (0.0, math.inf, 1.0)


def test_price_that_never_moves_has_no_impact_and_no_t() -> None:
    got = regress([1.0, 2.0, 4.0], [0.0, 0.0, 0.0])
    assert (got.impact, got.standard_error) == (0.0, 0.0)
    assert math.isnan(got.t)
    assert math.isnan(got.r_squared)


def test_root_of_dollars_keeps_the_sign() -> None:
    assert (signed_root(-9.0), signed_root(0.0), signed_root(16.0)) == (-3.0, 0.0, 4.0)
    root = RegressionSettings(measure=FlowMeasure.SIGNED_ROOT_DOLLARS, intercept=False)
    assert regress([-9.0, 16.0], [-6.0, 8.0], root).impact == 2.0


def test_faults_of_a_regression_are_named_together() -> None:
    wrong = RegressionSettings(decay=0.0, window=2)
    with pytest.raises(ValidationError) as caught:
        regress([1.0, math.nan], [1.0], wrong)
    paths = [path for path, _ in caught.value.faults]
    assert paths == ["decay", "window", "window", "flows[1]", "changes"]
    with pytest.raises(ValidationError, match="flow: inf"):
        ImpactRegression().add(math.inf, 1.0)
