"""Shapley values against every order, published values, and the axioms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import shapley as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.kernels import games_shapley as kernels
from bot4_core.models.shapley import (
    SamplingSettings,
    airport_shares,
    dividends,
    sampled_shapley_values,
    shapley_values,
    table_of,
    voting_power,
)


@st.composite
def tables(draw: st.DrawFn) -> list[int]:
    players = draw(st.integers(1, 5))
    return draw(st.lists(st.integers(-50, 50), min_size=2**players, max_size=2**players))


def test_values_agree_with_the_oracle() -> None:
    cases = [case for case in oracle("shapley") if "v" in case["inputs"]]
    assert len(cases) >= 10
    for case in cases:
        inputs, expected = case["inputs"], case["expected"]["phi"]
        np.testing.assert_allclose(shapley_values(inputs["v"]), expected, 1e-10, 1e-12)
        if "quota" in inputs:
            power = voting_power(inputs["weights"], inputs["quota"])
            np.testing.assert_allclose(power, expected, 1e-10, 1e-12, err_msg=case["id"])
        if "costs" in inputs:
            np.testing.assert_allclose(airport_shares(inputs["costs"]), expected, 1e-10)


def test_votes_agree_with_the_oracle() -> None:
    cases = [case for case in oracle("shapley") if "quota" in case["inputs"]]
    for case in cases:
        power = voting_power(case["inputs"]["weights"], case["inputs"]["quota"])
        np.testing.assert_allclose(power, case["expected"]["phi"], 1e-10, 1e-12)


def test_security_council_has_its_published_power() -> None:
    power = voting_power([7] * 5 + [1] * 10, 39)
    np.testing.assert_allclose(power, [421 / 2145] * 5 + [4 / 2145] * 10, rtol=1e-13)


def test_landing_fees_of_birmingham_agree_with_the_paper() -> None:
    (case,) = [case for case in oracle("shapley") if "type_cost" in case["inputs"]]
    types = zip(case["inputs"]["type_cost"], case["inputs"]["type_movements"], strict=True)
    fees = airport_shares([cost for cost, count in types for _ in range(count)])
    first = np.cumsum([0, *case["inputs"]["type_movements"][:-1]])
    np.testing.assert_allclose(fees[first], case["expected"]["fee_per_movement"], 1e-9)
    np.testing.assert_allclose(fees[first], case["expected"]["published_2dp"], 0, 0.0101)


@given(tables())
def test_values_equal_the_average_over_all_orders(table: list[int]) -> None:
    wanted = [float(each) for each in slow.by_orders(table)]
    np.testing.assert_allclose(shapley_values(table), wanted, rtol=1e-12, atol=1e-12)
    exact = [float(each) for each in slow.by_subsets(table)]
    assert exact == wanted


@given(tables())
def test_members_share_dividends_equally(table: list[int]) -> None:
    shares = dividends(table)
    players = len(table).bit_length() - 1
    wanted = [
        sum(shares[mask] / mask.bit_count() for mask in range(1, len(table)) if mask >> each & 1)
        for each in range(players)
    ]
    np.testing.assert_allclose(shapley_values(table), wanted, rtol=1e-10, atol=1e-10)


@given(tables())
def test_values_are_efficient(table: list[int]) -> None:
    total = float(np.sum(shapley_values(table)))
    assert total == pytest.approx(table[-1] - table[0], rel=1e-12, abs=1e-11)


@given(tables(), st.integers(-9, 9))
def test_a_player_who_adds_the_same_everywhere_gets_just_that(table: list[int], gift: int) -> None:
    grown = [*table, *(each + gift for each in table)]
    values = shapley_values(grown)
    assert values[-1] == pytest.approx(gift, abs=1e-12)
    np.testing.assert_allclose(values[:-1], shapley_values(table), rtol=1e-12, atol=1e-12)


@given(tables(), st.integers(0, 4), st.integers(0, 4))
def test_players_who_swap_places_swap_values(table: list[int], one: int, other: int) -> None:
    players = len(table).bit_length() - 1
    one, other = one % players, other % players

    def swapped(mask: int) -> int:
        bits = (mask >> one & 1) << other | (mask >> other & 1) << one
        return mask & ~(1 << one | 1 << other) | bits

    turned = [table[swapped(mask)] for mask in range(len(table))]
    values, moved = shapley_values(table), shapley_values(turned)
    assert moved[one] == pytest.approx(values[other], abs=1e-12)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=7), st.integers(1, 30))
def test_power_equals_that_of_the_whole_table(weights: list[int], quota: int) -> None:
    if quota > sum(weights):
        with pytest.raises(ValidationError, match="quota"):
            voting_power(weights, quota)
        return
    wanted = [float(each) for each in slow.by_subsets(slow.votes(weights, quota))]
    np.testing.assert_allclose(voting_power(weights, quota), wanted, rtol=1e-12, atol=1e-15)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=5))
def test_shares_of_a_runway_equal_those_of_the_table(costs: list[int]) -> None:
    def need(mask: int) -> float:
        return max((cost for place, cost in enumerate(costs) if mask >> place & 1), default=0)

    wanted = shapley_values(table_of(len(costs), need))
    np.testing.assert_allclose(airport_shares(costs), wanted, rtol=1e-12, atol=1e-12)


@given(tables(), st.integers(1, 1000))
def test_samples_are_efficient_and_near(table: list[int], seed: int) -> None:
    players = len(table).bit_length() - 1
    settings = SamplingSettings(pairs=60, seed=seed)
    got = sampled_shapley_values(players, table.__getitem__, settings)
    total = float(np.sum(got.values))
    assert total == pytest.approx(table[-1] - table[0], rel=1e-12, abs=1e-10)
    width = 2.0 * (max(table) - min(table))
    far = np.abs(got.values - shapley_values(table))
    assert np.all(far <= got.certain_half_width(width, 1.0 - 1e-9) + 1e-9)


def test_errors_of_samples_tell_how_far_they_are() -> None:
    draw = np.random.default_rng(5)
    table = draw.normal(size=2**6).cumsum()
    exact = shapley_values(table)
    got = sampled_shapley_values(6, lambda mask: float(table[mask]), SamplingSettings(pairs=400))
    assert np.all(np.abs(got.values - exact) <= 5.0 * got.errors)
    assert np.all(np.abs(got.values - exact) <= got.half_widths(1.0 - 1e-6))
    again = sampled_shapley_values(6, lambda mask: float(table[mask]), SamplingSettings(pairs=400))
    assert again.values.tobytes() == got.values.tobytes()


def test_each_coalition_is_asked_once_and_many_players_are_sampled() -> None:
    asked: list[int] = []

    def earned(mask: int) -> float:
        asked.append(mask)
        return float(mask.bit_count() ** 2)

    got = sampled_shapley_values(30, earned, SamplingSettings(pairs=2))
    assert float(np.sum(got.values)) == pytest.approx(900.0)
    assert len(asked) == len(set(asked))


@pytest.mark.compiled("twenty million additions")
def test_twenty_players_are_exact() -> None:
    sizes = np.array([mask.bit_count() for mask in range(2**10)], np.float64)
    table = np.add.outer(sizes, sizes).ravel() ** 2
    np.testing.assert_allclose(shapley_values(table), [20.0] * 20, rtol=1e-12)


def test_single_sample_has_no_error() -> None:
    means, errors = np.empty(1), np.empty(1)
    kernels.sample_moments(np.array([[3.0]]), means, errors)
    assert means[0] == 3.0
    assert math.isnan(errors[0])


def test_games_that_are_none_are_refused() -> None:
    for values in ([], [1.0], [1.0, 2.0, 3.0], [0.0, math.nan]):
        with pytest.raises(ValidationError, match="values"):
            shapley_values(values)
    with pytest.raises(ValidationError, match="sample"):
        shapley_values(np.zeros(2**21))
    with pytest.raises(ValidationError, match="sample"):
        table_of(21, float)
    with pytest.raises(ValidationError) as caught:
        sampled_shapley_values(0, float, SamplingSettings(pairs=1, seed=0))
    assert [path for path, _ in caught.value.faults] == ["pairs", "seed", "players"]
    with pytest.raises(ValidationError, match="not finite"):
        sampled_shapley_values(2, lambda mask: math.inf)
    with pytest.raises(ValidationError, match="weights"):
        voting_power([], 0)
    with pytest.raises(ValidationError, match="at most 100000"):
        voting_power([10**6], 10**6)
    with pytest.raises(ValidationError, match="costs"):
        airport_shares([-1.0])
    sampled = sampled_shapley_values(1, float)
    with pytest.raises(ValidationError, match="level"):
        sampled.half_widths(1.0)
