"""Equilibria against exact fractions, gambit's and textbooks' games, and their definition."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import bimatrix as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.kernels import games_nash as kernels
from bot4_core.kernels.games_lemke_howson import lemke_howson
from bot4_core.models.bimatrix import (
    BimatrixGame,
    MixedEquilibrium,
    ZeroSumSolution,
    all_equilibria,
    one_equilibrium,
    pure_equilibria,
    solve_zero_sum,
)

Matrix = list[list[int]]
Pairs = list[tuple[tuple[float, ...], tuple[float, ...]]]


@st.composite
def games(draw: st.DrawFn) -> tuple[Matrix, Matrix]:
    """Draw payoffs with many ties, or with few."""
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    payoff = st.integers(0, draw(st.sampled_from([0, 1, 2, 40])))
    matrix = st.lists(
        st.lists(payoff, min_size=columns, max_size=columns), min_size=rows, max_size=rows
    )
    return draw(matrix), draw(matrix)


def pairs_of(found: Any) -> Pairs:
    return sorted(
        (tuple(np.round(row, 7) + 0.0), tuple(np.round(column, 7) + 0.0)) for row, column in found
    )


def cases() -> list[dict[str, Any]]:
    return [case for case in oracle("games_nash") if case["kind"] != "error"]


def game_of(case: dict[str, Any]) -> BimatrixGame:
    return BimatrixGame.of(case["inputs"]["A"], case["inputs"]["B"])


def scale(game: BimatrixGame) -> float:
    return float(np.ptp(game.row_payoffs) + np.ptp(game.column_payoffs)) + 1.0


def test_all_equilibria_agree_with_the_oracle() -> None:
    for case in cases():
        game, expected = game_of(case), case["expected"]
        got = all_equilibria(game)
        assert got.is_complete
        assert got.is_degenerate is expected["degenerate"], case["id"]
        wanted = pairs_of(expected["equilibria"])
        assert pairs_of((each.row, each.column) for each in got.found) == wanted, case["id"]
        assert max(each.regret for each in got.found) < 1e-9 * scale(game)
        payoffs = np.sort([[each.row_payoff, each.column_payoff] for each in got.found], axis=0)
        np.testing.assert_allclose(payoffs, np.sort(expected["payoffs"], axis=0), 0, 1e-8)


def test_pure_equilibria_agree_with_the_oracle() -> None:
    for case in cases():
        wanted = [tuple(pair) for pair in case["expected"]["pure"]]
        assert pure_equilibria(game_of(case)) == wanted, case["id"]


def test_lemke_howson_finds_equilibria_of_the_oracle_from_every_label() -> None:
    for case in cases():
        game = game_of(case)
        for label in range(sum(game.shape)):
            got = one_equilibrium(game, label)
            assert got is not None
            assert got.regret < 1e-9 * scale(game), case["id"]
            if not case["expected"]["degenerate"]:
                wanted = pairs_of(case["expected"]["equilibria"])
                assert pairs_of([(got.row, got.column)])[0] in wanted, case["id"]


@given(games())
def test_equilibria_equal_those_in_exact_fractions(matrices: tuple[Matrix, Matrix]) -> None:
    game = BimatrixGame.of(*matrices)
    got = all_equilibria(game)
    exact = slow.equilibria(*matrices)
    wanted = pairs_of(
        (np.array(row, np.float64), np.array(column, np.float64)) for row, column in exact
    )
    assert pairs_of((each.row, each.column) for each in got.found) == wanted
    assert got.is_generic is slow.is_nondegenerate(*matrices)
    assert got.is_degenerate is slow.has_spare_responses(*matrices, exact)
    if not got.is_degenerate:
        assert len(got.found) % 2 == 1
    pure = [pair for pair in got.found if all(len(each) == 1 for each in pair.supports)]
    assert sorted((*pair.supports[0], *pair.supports[1]) for pair in pure) == pure_equilibria(game)


@given(games(), st.integers(0, 7))
def test_lemke_howson_ends_in_an_equilibrium(matrices: tuple[Matrix, Matrix], label: int) -> None:
    game = BimatrixGame.of(*matrices)
    got = one_equilibrium(game, label % sum(game.shape))
    assert isinstance(got, MixedEquilibrium)
    assert got.regret < 1e-9 * scale(game)
    assert float(got.row.sum()) == pytest.approx(1.0)
    assert float(got.column.sum()) == pytest.approx(1.0)


@given(games())
def test_offset_and_scale_of_payoffs_change_nothing(matrices: tuple[Matrix, Matrix]) -> None:
    own, other = (np.array(matrix, np.float64) for matrix in matrices)
    plain = all_equilibria(BimatrixGame.of(own, other))
    moved = all_equilibria(BimatrixGame.of(own * 2.0**-30, other * 2.0**-9 + 2.0**30))
    assert moved.is_degenerate is plain.is_degenerate
    wanted = pairs_of((each.row, each.column) for each in plain.found)
    assert pairs_of((each.row, each.column) for each in moved.found) == wanted


def solved(payoffs: Any) -> ZeroSumSolution:
    solution = solve_zero_sum(payoffs)
    assert solution is not None
    return solution


def test_zero_sum_games_agree_with_the_oracle() -> None:
    for case in oracle("games_zero_sum"):
        payoffs = case["inputs"]["A"]
        if case["kind"] == "error":
            with pytest.raises(ValidationError, match="payoffs"):
                solve_zero_sum(payoffs)
            continue
        got, matrix = solved(payoffs), np.array(payoffs)
        expected = case["expected"]
        assert got.value == pytest.approx(expected["value"], rel=1e-9, abs=1e-9), case["id"]
        assert np.min(got.row @ matrix) >= expected["value"] - 1e-9
        assert np.max(matrix @ got.column) <= expected["value"] + 1e-9
        assert abs(got.gap) < 1e-9
        if expected["unique"]:
            np.testing.assert_allclose(got.row, expected["extreme_optimal_row"][0], 0, 1e-9)


@given(games())
def test_neither_player_can_do_better_than_the_value(matrices: tuple[Matrix, Matrix]) -> None:
    matrix = np.array(matrices[0], np.float64) - matrices[1]
    got = solved(matrix)
    assert np.min(got.row @ matrix) >= got.value - 1e-9
    assert np.max(matrix @ got.column) <= got.value + 1e-9
    turned = solved(-matrix.T)
    assert turned.value == pytest.approx(-got.value, abs=1e-9)


def test_output_is_bounded() -> None:
    identity = np.eye(3)
    got = all_equilibria(BimatrixGame.of(identity, identity), most=4)
    assert (len(got.found), got.is_complete, got.is_degenerate) == (4, False, False)
    assert got.is_generic


def test_vertices_without_room_are_reported() -> None:
    report = np.zeros(3, np.int64)
    kernels.best_response_vertices(np.eye(3), np.zeros(2, np.int64), np.zeros((2, 3)), report)
    assert report.tolist() == [2, 1, 0]


def test_lemke_howson_gives_up_when_told() -> None:
    game = BimatrixGame.of([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
    assert one_equilibrium(game, most=2) is None
    assert solve_zero_sum([[1, -1], [-1, 1]], most=1) is None
    lost = np.full((2, 2), -1.0)  # not normalised, so the polyhedron has no end to pivot to
    assert lemke_howson(lost, lost, 0, 9, np.zeros(2), np.zeros(2)) == -1


def test_games_that_are_none_are_refused() -> None:
    for case in oracle("games_nash"):
        if case["kind"] == "error":
            with pytest.raises(ValidationError):
                game_of(case)
    with pytest.raises(ValidationError) as caught:
        BimatrixGame.of([[float("nan")]], [])
    assert [path for path, _ in caught.value.faults] == ["row_payoffs[0, 0]", "column_payoffs"]
    with pytest.raises(ValidationError, match="label"):
        one_equilibrium(BimatrixGame.of([[5]], [[-2]]), 2)
    with pytest.raises(ValidationError, match="most"):
        all_equilibria(BimatrixGame.of([[5]], [[-2]]), 0)
    large = np.zeros((12, 12))
    with pytest.raises(ValidationError, match="12 x 12 takes 2704156"):
        all_equilibria(BimatrixGame.of(large, large))
