"""The iterated prisoner's dilemma against Axelrod's library, whole histories and its theorems."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reference import dilemma as slow
from tests.reference.oracles import oracle

from bot4_core.errors import ValidationError
from bot4_core.models.repeated import (
    STRATEGIES,
    Dilemma,
    Machine,
    MemoryOne,
    best_answer,
    memory_one_payoffs,
    moves_in_the_long_run,
    play_match,
    play_tournament,
)

PAYOFFS = [3.0, 0.0, 5.0, 1.0]
NAMES = st.sampled_from(sorted(STRATEGIES))
CHANCES = st.floats(0.0, 1.0)
NAMED = {
    "Cooperator": "cooperator",
    "Defector": "defector",
    "TitForTat": "tit_for_tat",
    "TitFor2Tats": "tit_for_two_tats",
    "Grudger": "grudger",
    "Alternator": "alternator",
    "WinStayLoseShift": "win_stay_lose_shift",
    "SuspiciousTitForTat": "suspicious_tit_for_tat",
    "Bully": "bully",
}


def player(chances: list[float], first: float = 1.0) -> MemoryOne:
    cc, cd, dc, dd = map(float, chances)
    return MemoryOne(first=float(first), after_cc=cc, after_cd=cd, after_dc=dc, after_dd=dd)


PLAYERS = st.builds(player, st.lists(CHANCES, min_size=4, max_size=4), CHANCES)
SURE = st.builds(
    player, st.lists(st.sampled_from([0.0, 1.0]), min_size=4, max_size=4), st.sampled_from([0, 1])
)


def named(name: str) -> Machine:
    return STRATEGIES[NAMED[name]]


def cases(start: str) -> list[dict[str, Any]]:
    found = [case for case in oracle("ipd") if case["id"].startswith(start)]
    assert found
    return found


def test_matches_agree_with_axelrods_library() -> None:
    for case in cases("ipd-"):
        if case["what"] != "deterministic match":
            continue
        inputs, expected = case["inputs"], case["expected"]
        got = play_match(named(inputs["row"]), named(inputs["col"]), inputs["turns"])
        assert got.moves == (expected["row_actions"], expected["col_actions"]), case["id"]
        assert list(got.scores) == expected["score"]


def test_round_robin_agrees_with_axelrods_library() -> None:
    (case,) = cases("ipd-roundrobin")
    players = [named(name) for name in case["inputs"]["strategies"]]
    got = play_tournament(players, case["inputs"]["turns"])
    assert got.tolist() == case["expected"]["score_matrix"]
    totals = got.sum(axis=1) - np.diag(got)
    assert totals.tolist() == case["expected"]["total_excluding_self"]


@given(NAMES, NAMES, st.integers(0, 12))
def test_machines_play_as_strategies_that_read_the_history(
    one: str, other: str, turns: int
) -> None:
    got = play_match(STRATEGIES[one], STRATEGIES[other], turns)
    moves = slow.moves(slow.STRATEGIES[one], slow.STRATEGIES[other], [(0, 0)] * turns)
    assert got.moves[0] == "".join("CD"[move] for move, _ in moves)
    assert got.moves[1] == "".join("CD"[answer] for _, answer in moves)
    assert got.scores[0] == sum(PAYOFFS[2 * move + answer] for move, answer in moves)


@given(NAMES, NAMES, st.sampled_from([0.05, 0.5, 1.0]))
def test_expected_scores_weigh_every_pattern_of_noise(one: str, other: str, noise: float) -> None:
    got = play_match(STRATEGIES[one], STRATEGIES[other], 3, noise=noise)
    strategies = slow.STRATEGIES[one], slow.STRATEGIES[other]
    wanted = slow.expected(*strategies, 3, noise, PAYOFFS)
    assert got.scores == pytest.approx(wanted, rel=1e-12)
    assert got.moves == ("", "")


def test_memory_one_players_agree_with_the_oracle() -> None:
    for case in cases("m1-"):
        inputs, expected = case["inputs"], case["expected"]
        one, other = player(inputs["p"], inputs["p0"]), player(inputs["q"], inputs["q0"])
        shares = moves_in_the_long_run(one, other)
        if "state_distribution_CC_CD_DC_DD" in expected:
            wanted = expected["state_distribution_CC_CD_DC_DD"]
            np.testing.assert_allclose(shares, wanted, 1e-8, 1e-9, err_msg=case["id"])
        if "payoff" in expected:
            got = memory_one_payoffs(one, other)
            assert got == pytest.approx(expected["payoff"], rel=1e-8, abs=1e-9), case["id"]


def test_discounted_payoffs_agree_with_the_oracle() -> None:
    for case in cases("disc-"):
        inputs = case["inputs"]
        one, other = player(inputs["p"], inputs["p0"]), player(inputs["q"], inputs["q0"])
        got = memory_one_payoffs(one, other, discount=inputs["discount"])
        assert got == pytest.approx(case["expected"]["payoff"], rel=1e-9)


def test_threshold_of_the_grim_trigger_agrees_with_the_folk_theorem() -> None:
    (case,) = cases("grim")
    assert Dilemma().grim_threshold == case["expected"]["delta_min"]


@given(PLAYERS, PLAYERS, st.floats(0.0, 0.9))
def test_discounted_payoffs_equal_the_sum_over_turns(
    one: MemoryOne, other: MemoryOne, discount: float
) -> None:
    p, q = one.row(), other.row()
    chances = np.outer([p[0], 1 - p[0]], [q[0], 1 - q[0]]).ravel()
    mine = 0.0
    for turn in range(250):
        mine += (1 - discount) * discount**turn * float(chances @ PAYOFFS)
        following = np.zeros(4)
        for pair in range(4):
            a, b = p[1 + pair], q[1 + 2 * (pair & 1) + (pair >> 1)]
            following += chances[pair] * np.outer([a, 1 - a], [b, 1 - b]).ravel()
        chances = following
    assert memory_one_payoffs(one, other, discount=discount)[0] == pytest.approx(mine, abs=1e-9)


@given(SURE, SURE)
def test_sure_players_spend_the_time_of_their_cycle(one: MemoryOne, other: MemoryOne) -> None:
    """Four pairs of moves lead into a cycle of at most four, so turns 12 to 23 are whole ones."""
    p, q = one.row(), other.row()
    pair, times = int(2 * (1 - p[0]) + (1 - q[0])), np.zeros(4)
    for turn in range(24):
        times[pair] += turn >= 12
        turned = 2 * (pair & 1) + (pair >> 1)
        pair = int(2 * (1 - p[1 + pair]) + (1 - q[1 + turned]))
    np.testing.assert_allclose(moves_in_the_long_run(one, other), times / 12, atol=1e-12)


@given(PLAYERS, CHANCES)
def test_extortion_takes_three_times_as_much_above_punishment(
    other: MemoryOne, noise: float
) -> None:
    """Press and Dyson 2012: Extort-3 enforces ``s_X - P = 3 (s_Y - P)`` on anybody."""
    extort = player([11 / 13, 1 / 2, 7 / 26, 0.0])
    mine, theirs = memory_one_payoffs(extort, other.with_noise(0.01 + 0.4 * noise))
    assert mine - 1.0 == pytest.approx(3.0 * (theirs - 1.0), abs=1e-7)


@settings(max_examples=8)
@given(PLAYERS, st.sampled_from([0.0, 0.4, 0.9]))
def test_best_answers_are_really_best(other: MemoryOne, discount: float) -> None:
    got = best_answer(other, discount=discount)
    wanted = slow.value_of_best(other.row().tolist(), discount, PAYOFFS)
    assert got.payoff == pytest.approx(wanted, abs=1e-9)
    paid = memory_one_payoffs(got.plan, other, discount=discount)[0]
    assert paid == pytest.approx(got.payoff, abs=1e-12)


@settings(max_examples=5)
@given(PLAYERS, PLAYERS)
def test_nobody_does_better_in_the_long_run(one: MemoryOne, other: MemoryOne) -> None:
    noisy = other.with_noise(0.01)
    assert memory_one_payoffs(one, noisy)[0] <= best_answer(noisy).payoff + 1e-9


def test_best_answer_keeps_the_peace_with_tit_for_tat_and_exploits_the_meek() -> None:
    tit_for_tat = player([1, 0, 1, 0])
    assert best_answer(tit_for_tat).payoff == pytest.approx(3.0)
    assert best_answer(tit_for_tat).plan.first == 1.0
    assert best_answer(tit_for_tat, discount=0.1).plan.first == 0.0
    assert best_answer(player([1, 1, 1, 1])).payoff == pytest.approx(5.0)


def test_faults_are_named_together() -> None:
    wrong = Machine(((2, 0, 0, 0, 3),))
    odd = Dilemma(reward=0.0, sucker=-math.inf)
    with pytest.raises(ValidationError) as caught:
        play_match(wrong, Machine(()), -1, noise=2.0, dilemma=odd)
    paths = [path for path, _ in caught.value.faults]
    assert paths == [
        "[0]",
        "[0]",
        "[1].states[0][0]",
        "[1].states[0][4]",
        "[2].states",
        "turns",
        "noise",
    ]
    with pytest.raises(ValidationError, match="at least one"):
        play_tournament([], 5)
    with pytest.raises(ValidationError, match="after_cd"):
        moves_in_the_long_run(player([1, 2, 1, 1]), player([1, 1, 1, 1]))
    with pytest.raises(ValidationError, match="discount"):
        best_answer(player([1, 1, 1, 1]), discount=1.5)
    with pytest.raises(ValidationError, match="2 reward"):
        memory_one_payoffs(
            player([1, 1, 1, 1]), player([1, 1, 1, 1]), dilemma=Dilemma(temptation=9.0)
        )
