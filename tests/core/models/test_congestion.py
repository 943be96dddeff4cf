"""Congestion games against exact water filling, textbook numbers and their definition."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import congestion as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.kernels import games_congestion as kernels
from bot4_core.models.congestion import (
    USERS,
    CongestionGame,
    Resource,
    is_whole_equilibrium,
    price_of_anarchy,
    social_optimum,
    user_equilibrium,
    whole_equilibrium,
    whole_optimum,
)

LINKS = st.lists(
    st.tuples(st.integers(-5, 9), st.integers(1, 6), st.integers(1, 12)), min_size=1, max_size=4
)
RESOURCES = st.lists(
    st.builds(
        Resource,
        base=st.integers(0, 9).map(float),
        slope=st.sampled_from([0.0, 0.125, 1.0, 7.0]),
        degree=st.sampled_from([1.0, 1.5, 2.0, 4.0]),
        capacity=st.sampled_from([2.0, 5.0, math.inf]),
    ),
    min_size=1,
    max_size=5,
).map(lambda found: (*found, Resource(base=3.0, slope=0.5)))


def game_of(inputs: dict[str, Any], demand: float) -> CongestionGame:
    pairs = zip(inputs["a"], inputs["b"], strict=True)
    resources = tuple(Resource(base=float(a), slope=float(b)) for a, b in pairs)
    return CongestionGame(resources=resources, demand=float(demand))


def case_of(name: str) -> dict[str, Any]:
    (case,) = [case for case in oracle("congestion") if case["id"] == name]
    return case


def test_affine_games_agree_with_the_oracle() -> None:
    cases = [case for case in oracle("congestion") if "ue_flow" in case["expected"]]
    assert len(cases) == 5
    for case in cases:
        game, expected = game_of(case["inputs"], case["inputs"]["demand"]), case["expected"]
        users, best = user_equilibrium(game), social_optimum(game)
        np.testing.assert_allclose(users.flows, expected["ue_flow"], 1e-8, 1e-9, err_msg=case["id"])
        np.testing.assert_allclose(best.flows, expected["so_flow"], 1e-8, 1e-9, err_msg=case["id"])
        assert users.level == pytest.approx(expected["ue_cost_level"], rel=1e-8)
        assert users.total_cost == pytest.approx(expected["ue_total_cost"], rel=1e-8)
        assert best.total_cost == pytest.approx(expected["so_total_cost"], rel=1e-8)
        wanted = expected["price_of_anarchy"]
        got = price_of_anarchy(game)
        assert math.isnan(got) if wanted is None else got == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize("degree", [1.0, 2.0, 3.0, 8.0])
def test_pigous_network_has_roughgardens_price_of_anarchy(degree: float) -> None:
    resources = (Resource(base=0.0, slope=1.0, degree=degree), Resource(base=1.0, slope=0.0))
    game = CongestionGame(resources=resources, demand=1.0)
    wanted = 1.0 / (1.0 - degree * (degree + 1.0) ** (-(degree + 1.0) / degree))
    assert price_of_anarchy(game) == pytest.approx(wanted, rel=1e-12)
    if degree == 2.0:
        expected = case_of("cg-pigou-degree-2")["expected"]
        best = social_optimum(game)
        assert best.flows[0] == pytest.approx(expected["so_flow_1"], rel=1e-9)
        assert best.total_cost == pytest.approx(expected["so_total_cost"], rel=1e-9)
        assert wanted == pytest.approx(expected["price_of_anarchy"], rel=1e-9)


@given(LINKS, st.integers(0, 30))
def test_splits_equal_exact_water_filling(links: list[tuple[int, int, int]], demand: int) -> None:
    demand = min(demand, sum(link[2] for link in links))
    resources = tuple(
        Resource(base=float(base), slope=float(slope), capacity=float(capacity))
        for base, slope, capacity in links
    )
    game = CongestionGame(resources=resources, demand=float(demand))
    for marginal, split in ((False, user_equilibrium(game)), (True, social_optimum(game))):
        wanted = [float(each) for each in slow.splits(links, demand, marginal=marginal)]
        np.testing.assert_allclose(split.flows, wanted, rtol=1e-9, atol=1e-9)


@given(RESOURCES, st.floats(0.0, 50.0))
def test_no_unit_is_cheaper_elsewhere(resources: tuple[Resource, ...], demand: float) -> None:
    game = CongestionGame(resources=resources, demand=demand)
    split = user_equilibrium(game)
    assert float(split.flows.sum()) == pytest.approx(demand, rel=1e-12, abs=1e-300)
    for flow, resource in zip(split.flows, resources, strict=True):
        cost = resource.base + resource.slope * flow**resource.degree
        room = flow < resource.capacity * (1.0 - 1e-9)
        assert 0.0 <= flow <= resource.capacity
        if flow > 1e-9 * demand:
            assert cost <= split.level + 1e-6 * (abs(split.level) + 1.0)
        if room:
            assert cost >= split.level - 1e-6 * (abs(split.level) + 1.0) or demand == 0.0


@given(RESOURCES, st.floats(0.01, 50.0), st.integers(0, 4), st.integers(0, 4))
def test_moving_units_makes_the_optimum_no_cheaper(
    resources: tuple[Resource, ...], demand: float, one: int, other: int
) -> None:
    game = CongestionGame(resources=resources, demand=demand)
    best = social_optimum(game)
    one, other = one % len(resources), other % len(resources)
    moved = best.flows.copy()
    step = min(0.01 * demand, float(moved[one]), resources[other].capacity - float(moved[other]))
    moved[one] -= step
    moved[other] += step
    cost = sum(
        flow * (resource.base + resource.slope * flow**resource.degree)
        for flow, resource in zip(moved, resources, strict=True)
    )
    assert best.total_cost <= cost * (1.0 + 1e-9) + 1e-9
    assert best.total_cost <= user_equilibrium(game).total_cost * (1.0 + 1e-9) + 1e-9


def test_whole_units_agree_with_the_oracle() -> None:
    case = case_of("cg-atomic-5")
    units, expected = case["inputs"]["n_players"], case["expected"]
    game = game_of(case["inputs"], units)
    every = list(slow.whole_splits(3, units))
    stable = [list(split) for split in every if is_whole_equilibrium(game, np.array(split))]
    assert stable == expected["nash_occupancies"]
    users, best = whole_equilibrium(game), whole_optimum(game)
    assert users.counts.tolist() in stable
    assert users.potential == pytest.approx(expected["potential_min"])
    assert best.total_cost == pytest.approx(expected["optimum_total_cost"])


@given(RESOURCES, st.integers(0, 7))
def test_whole_units_have_least_potential_and_least_cost(
    resources: tuple[Resource, ...], units: int
) -> None:
    game = CongestionGame(resources=resources[-3:], demand=float(units))
    users, best = whole_equilibrium(game), whole_optimum(game)
    assert is_whole_equilibrium(game, users.counts)
    terms = game.terms()
    for split in slow.whole_splits(len(game.resources), units):
        if any(count > each.capacity for count, each in zip(split, game.resources, strict=True)):
            continue
        counts = np.array(split)
        assert users.potential <= kernels.potential(terms, counts) * (1.0 + 1e-12)
        cost = kernels.total_cost(terms, counts.astype(np.float64))
        assert best.total_cost <= cost * (1.0 + 1e-12)


def test_demand_too_small_to_move_a_cost_is_placed_all_the_same() -> None:
    resources = (Resource(base=3.0, slope=0.5, capacity=1e-240), Resource(base=3.0, slope=0.5))
    got = user_equilibrium(CongestionGame(resources=resources, demand=3e-232))
    assert float(got.flows.sum()) == 3e-232


def test_units_without_room_are_not_placed() -> None:
    terms = CongestionGame(
        resources=(Resource(base=0.0, slope=0.0, capacity=1.5),), demand=1.0
    ).terms()
    counts = np.zeros(1, np.int64)
    assert kernels.assign_units(terms, 2, USERS, counts) is False
    assert counts.tolist() == [1]


def test_free_venues_at_the_level_share_what_is_left() -> None:
    resources = (
        Resource(base=1.0, slope=0.0, capacity=30.0),
        Resource(base=1.0, slope=0.0, capacity=10.0),
        Resource(base=0.0, slope=0.5),
    )
    got = user_equilibrium(CongestionGame(resources=resources, demand=22.0))
    assert got.flows[2] == pytest.approx(2.0)
    assert float(got.flows.sum()) == pytest.approx(22.0)


def test_faults_are_named_together() -> None:
    for case in oracle("congestion"):
        if case["kind"] == "error":
            with pytest.raises(ValidationError, match="slope"):
                user_equilibrium(game_of(case["inputs"], case["inputs"]["demand"]))
    wrong = Resource(base=math.nan, slope=-1.0, degree=0.5, capacity=-1.0)
    with pytest.raises(ValidationError) as caught:
        social_optimum(CongestionGame(resources=(wrong,), demand=2.0))
    paths = [path for path, _ in caught.value.faults]
    names = ("base", "slope", "degree", "capacity")
    assert paths == [*(f"resources[0].{name}" for name in names), "demand"]
    with pytest.raises(ValidationError, match="at least one"):
        user_equilibrium(CongestionGame(resources=(), demand=0.0))
    free = (Resource(base=0.0, slope=1.0, capacity=2.5),)
    with pytest.raises(ValidationError, match="whole number"):
        whole_optimum(CongestionGame(resources=free, demand=1.5))
    with pytest.raises(ValidationError, match="demand"):
        whole_optimum(CongestionGame(resources=free, demand=math.inf))
    two = (Resource(base=0.0, slope=1.0, capacity=1.5), Resource(base=0.0, slope=1.0, capacity=1.5))
    with pytest.raises(ValidationError, match="whole units, 2"):
        whole_equilibrium(CongestionGame(resources=two, demand=3.0))
    with pytest.raises(ValidationError, match="counts"):
        is_whole_equilibrium(CongestionGame(resources=two, demand=2.0), np.array([2]))
