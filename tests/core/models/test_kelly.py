"""Kelly stakes against published bets, a fine grid and the conditions of a maximum."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import kelly as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.kernels import kelly as kernels
from bot4_core.models.kelly import (
    CapRule,
    binary,
    continuous,
    continuous_assets,
    scenarios,
    sized,
)


def cases(what: str) -> list[dict[str, Any]]:
    found = [case for case in oracle("kelly") if case["what"].startswith(what)]
    assert found
    return found


def test_bets_agree_with_the_oracle() -> None:
    for case in cases("binary"):
        inputs, expected = case["inputs"], case["expected"]
        if case["kind"] == "error":
            with pytest.raises(ValidationError, match="chance"):
                binary(inputs["p"], inputs["b"])
            continue
        got = binary(inputs["p"], inputs["b"], inputs["a"])
        assert got.share == pytest.approx(expected["full_kelly_signed"], rel=1e-10, abs=1e-12)
        assert got.growth == pytest.approx(expected["growth_at_full"], rel=1e-10, abs=1e-12)
        (final,) = sized([got.share], fraction=inputs["fraction"], cap=inputs["cap"])
        assert final == pytest.approx(expected["final"], rel=1e-10, abs=1e-12)


def test_continuous_stakes_agree_with_the_oracle() -> None:
    for case in cases("continuous"):
        inputs, expected = case["inputs"], case["expected"]
        got = continuous(inputs["mu"], inputs["sigma"], inputs["r"])
        assert got.share == pytest.approx(expected["full_kelly"], rel=1e-10)
        assert got.growth == pytest.approx(expected["growth_at_full"], rel=1e-10)
        (final,) = sized([got.share], fraction=inputs["fraction"], cap=inputs["cap"])
        assert final == pytest.approx(expected["final"], rel=1e-10)


def test_stakes_on_many_assets_agree_with_the_oracle() -> None:
    (case,) = cases("multi-asset")
    inputs, expected = case["inputs"], case["expected"]
    got = continuous_assets(inputs["mu"], inputs["cov"], inputs["r"])
    np.testing.assert_allclose(got.shares, expected["full_kelly"], 1e-8)
    assert got.growth == pytest.approx(expected["growth_at_full"], rel=1e-8)
    each = sized(got.shares, fraction=inputs["fraction"], cap=inputs["cap"])
    np.testing.assert_allclose(each, expected["final_per_asset_cap"], 1e-8)
    gross = sized(got.shares, fraction=inputs["fraction"], cap=inputs["cap"], rule=CapRule.GROSS)
    np.testing.assert_allclose(gross, expected["final_gross_cap"], 1e-8)


def test_scenarios_agree_with_the_oracle() -> None:
    for case in cases("scenario"):
        inputs, expected = case["inputs"], case["expected"]
        table = np.array(inputs["returns"], np.float64).reshape(len(inputs["probabilities"]), -1)
        got = scenarios(table, inputs["probabilities"], inputs["budget"])
        wanted = np.atleast_1d(expected["full_kelly"])
        np.testing.assert_allclose(got.shares, wanted, 0, 1e-6, err_msg=case["id"])
        assert got.growth == pytest.approx(expected["growth"], rel=1e-8, abs=1e-11)
        capped = sized(got.shares, fraction=1.0, cap=inputs["cap"])
        np.testing.assert_allclose(capped, np.atleast_1d(expected["capped_per_asset"]), 0, 1e-6)


def test_horses_at_fair_odds_are_backed_by_their_chances() -> None:
    (case,) = cases("horse race")
    odds, chances = case["inputs"]["odds_for_one"], case["inputs"]["probabilities"]
    got = scenarios(np.diag(odds) - 1.0, chances)
    assert got.growth == pytest.approx(case["expected"]["growth"], rel=1e-8)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[float]], list[float]]:
    outcomes, assets = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    rates = st.integers(-8, 10).map(lambda each: each / 8)
    returns = [[draw(rates) for _ in range(assets)] for _ in range(outcomes)]
    weights = [draw(st.integers(1, 5)) for _ in range(outcomes)]
    return returns, [weight / sum(weights) for weight in weights]


@given(tables(), st.sampled_from([0.5, 1.0, 3.0]))
def test_no_stakes_on_a_grid_grow_faster(
    table: tuple[list[list[float]], list[float]], budget: float
) -> None:
    returns, chances = table
    got = scenarios(returns, chances, budget)
    assert np.all(got.shares >= 0.0)
    assert float(got.shares.sum()) <= budget * (1.0 + 1e-12)
    assert got.growth == pytest.approx(
        slow.growth(got.shares.tolist(), returns, chances), abs=1e-12
    )
    assert got.growth >= slow.best_on_grid(returns, chances, budget, 12) - 1e-9


@given(st.floats(0.0, 1.0), st.floats(0.1, 10.0), st.floats(0.1, 1.0))
def test_bet_grows_no_faster_with_another_stake(chance: float, gain: float, loss: float) -> None:
    got = binary(chance, gain, loss)
    table = [[gain], [-loss]]
    for stake in (0.0, max(0.0, got.share) * 0.9, max(0.0, got.share) * 0.99):
        assert got.growth >= slow.growth([stake], table, [chance, 1.0 - chance]) - 1e-12


def test_certain_and_hopeless_bets() -> None:
    assert binary(1.0, 0.5).share == 1.0
    assert binary(1.0, 0.5).growth == pytest.approx(math.log(1.5))
    assert binary(0.0, 0.5).growth == 0.0
    got = scenarios([[0.1], [0.2]], [0.5, 0.5], 2.0)  # no outcome loses: the budget is the bound
    assert got.shares.tolist() == [2.0]


def test_outcome_without_a_chance_cannot_ruin() -> None:
    stakes = np.array([1.0])
    table = np.array([[-1.0], [1.0]])
    assert kernels.growth_of(stakes, table, np.array([0.0, 1.0])) == pytest.approx(math.log(2.0))
    assert kernels.growth_of(stakes, table, np.array([0.5, 0.5])) == -math.inf


def test_shorts_are_staked_only_where_allowed() -> None:
    assert sized([-0.8]).tolist() == [0.0]
    assert sized([-0.8], allow_short=True).tolist() == [-0.25]
    assert sized([0.2, -0.1], fraction=1.0, cap=1.0, rule=CapRule.GROSS).tolist() == [0.2, 0.0]


def test_faults_are_named_together() -> None:
    with pytest.raises(ValidationError) as caught:
        binary(1.2, 0.0, math.inf)
    assert [path for path, _ in caught.value.faults] == ["chance", "gain", "loss"]
    with pytest.raises(ValidationError) as caught:
        continuous(math.nan, 0.0)
    assert [path for path, _ in caught.value.faults] == ["drift", "volatility"]
    with pytest.raises(ValidationError) as caught:
        scenarios([[0.1]], [0.5, -0.1], 0.0)
    paths = [path for path, _ in caught.value.faults]
    assert paths == ["chances", "chances", "chances", "budget"]
    with pytest.raises(ValidationError, match="fit"):
        continuous_assets([0.1, 0.2], [[1.0]])
    with pytest.raises(ValidationError, match="not symmetric"):
        continuous_assets([0.1, 0.2], [[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ValidationError, match="not positive definite"):
        continuous_assets([0.1, 0.2], [[1.0, 1.0], [1.0, 1.0]])
    with pytest.raises(ValidationError) as caught:
        sized([0.1], fraction=0.0, cap=0.0)
    assert len(caught.value.faults) == 2
