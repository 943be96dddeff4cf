"""The prisoner's dilemma played again and again, by machines of few states and by chance.

A move is 0 (cooperate) or 1 (defect). A *machine* is rows of states: the move it intends, and the
state it goes to after (own, other's) moves CC, CD, DC, DD as they were made; it begins in state
0. Noise turns each intended move into the other one with a probability. A *memory-one* player is
five probabilities to cooperate: at first, and after CC, CD, DC, DD. Payoffs are (R, S, T, P): what
the first player gets for CC, CD, DC, DD.

References
----------
.. [1] Axelrod, R. (1984). The Evolution of Cooperation. Basic Books.
.. [2] Press, W. H. and Dyson, F. J. (2012). Iterated prisoner's dilemma contains strategies that
   dominate any evolutionary opponent. PNAS 109(26), 10409-10413. doi:10.1073/pnas.1206569109.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = [
    "MACHINE_SLOTS",
    "best_answer",
    "discounted_payoffs",
    "expected_scores",
    "joint_chain",
    "long_run",
    "play",
    "tournament",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MACHINE_SLOTS: Final = 5  # move, then the states after CC, CD, DC, DD
ENOUGH_DOUBLINGS: Final = 60
NEGLIGIBLE: Final = 1e-20
SAME: Final = 1e-12
PLANS: Final = 32  # what to do at first and after CC, CD, DC, DD, surely


@kernel()
def play(one: Integers, other: Integers, moves: Integers) -> None:
    """Write the moves of two machines that never err.

    Parameters
    ----------
    one, other : (s, 5) int64
    moves : (turns, 2) int64
        Out: 0 for cooperation, 1 for defection.
    """
    mine, theirs = 0, 0
    for turn in range(len(moves)):
        move, answer = int(one[mine, 0]), int(other[theirs, 0])
        moves[turn, 0] = move
        moves[turn, 1] = answer
        mine = int(one[mine, 1 + 2 * move + answer])
        theirs = int(other[theirs, 1 + 2 * answer + move])


@kernel()
def expected_scores(
    one: Integers, other: Integers, noise: float, payoffs: Floats, turns: int, out: Floats
) -> None:
    """Write what two machines expect to score in a match, exactly, without drawing chances.

    The chance of each pair of states is followed from turn to turn; O(turns * states of both).

    Parameters
    ----------
    one, other : (s, 5) and (t, 5) int64
    noise : float
        Chance that a move is not the intended one, in [0, 1].
    payoffs : (4,) float64
        R, S, T, P.
    turns : int
    out : (2,) float64
        Totals of both.
    """
    chances = np.zeros((len(one), len(other)))
    following = np.zeros((len(one), len(other)))
    chances[0, 0] = 1.0
    out[:] = 0.0
    for _ in range(turns):
        following[:] = 0.0
        for mine in range(len(one)):
            for theirs in range(len(other)):
                if chances[mine, theirs] == 0.0:
                    continue
                for pair in range(4):
                    move, answer = pair >> 1, pair & 1
                    chance = chances[mine, theirs]
                    chance *= 1.0 - noise if move == one[mine, 0] else noise
                    chance *= 1.0 - noise if answer == other[theirs, 0] else noise
                    turned = 2 * answer + move
                    out[0] += chance * payoffs[pair]
                    out[1] += chance * payoffs[turned]
                    following[one[mine, 1 + pair], other[theirs, 1 + turned]] += chance
        chances[:] = following


@kernel()
def tournament(
    machines: Integers,
    starts: Integers,
    noise: float,
    payoffs: Floats,
    turns: int,
    scores: Floats,
) -> None:
    """Write what each of n machines expects to score against each, itself included.

    Parameters
    ----------
    machines : (states of all, 5) int64
        One after the other; states count from each machine's own first.
    starts : (n + 1,) int64
        Where each begins, and the end.
    noise : float
    payoffs : (4,) float64
    turns : int
    scores : (n, n) float64
        Out: the total of the row's machine.
    """
    pair = np.zeros(2)
    for row in range(len(scores)):
        one = machines[starts[row] : starts[row + 1]]
        for column in range(row, len(scores)):
            other = machines[starts[column] : starts[column + 1]]
            expected_scores(one, other, noise, payoffs, turns, pair)
            scores[row, column] = pair[0]
            scores[column, row] = pair[1]


@kernel()
def joint_chain(one: Floats, other: Floats, start: Floats, chain: Floats) -> None:
    """Write the chances of CC, CD, DC, DD at first, and from each to each.

    Parameters
    ----------
    one, other : (5,) float64
        Memory-one players.
    start : (4,) float64
    chain : (4, 4) float64
        Rows are the moves before, columns those after.
    """
    for before in range(-1, 4):
        turned = before if before < 0 else 2 * (before & 1) + (before >> 1)
        mine, theirs = one[1 + before], other[1 + turned]
        for after in range(4):
            chance = (mine if after < 2 else 1.0 - mine) * (
                theirs if after % 2 == 0 else 1.0 - theirs
            )
            if before < 0:
                start[after] = chance
            else:
                chain[before, after] = chance


@kernel()
def _product(one: Floats, other: Floats, out: Floats) -> None:
    """Write the product of two 4 by 4 matrices."""
    for row in range(4):
        for column in range(4):
            total = 0.0
            for place in range(4):
                total += one[row, place] * other[place, column]
            out[row, column] = total


@kernel()
def _weights(start: Floats, matrix: Floats, out: Floats) -> None:
    """Write a starting row times a 4 by 4 matrix."""
    for column in range(4):
        out[column] = 0.0
        for row in range(4):
            out[column] += start[row] * matrix[row, column]


@kernel()
def long_run(start: Floats, chain: Floats, out: Floats) -> None:
    """Write the share of time spent in each pair of moves, from a start, over for ever.

    The average over the first ``2**k`` turns, doubled until more turns change nothing: periodic
    and reducible chains (two players of tit for tat) have that limit too, where a power of the
    chain has none and a linear system is singular.

    Parameters
    ----------
    start : (4,) float64
    chain : (4, 4) float64
        Rows add up to 1.
    out : (4,) float64
    """
    power, average = chain.copy(), np.zeros((4, 4))
    ahead = np.zeros((4, 4))
    for place in range(4):
        average[place, place] = 1.0
    for _ in range(ENOUGH_DOUBLINGS):
        _product(power, average, ahead)
        for row in range(4):
            for column in range(4):
                average[row, column] = 0.5 * (average[row, column] + ahead[row, column])
        _product(power, power, ahead)
        for row in range(4):
            total = ahead[row, 0] + ahead[row, 1] + ahead[row, 2] + ahead[row, 3]
            for column in range(4):
                power[row, column] = ahead[row, column] / total
    _weights(start, average, out)


@kernel()
def discounted_payoffs(
    start: Floats, chain: Floats, discount: float, payoffs: Floats, out: Floats
) -> None:
    """Write ``(1 - d) sum d**t u_t`` of both players, by doubling the number of turns.

    Parameters
    ----------
    start : (4,) float64
    chain : (4, 4) float64
    discount : float
        d, in [0, 1); 1.0 takes the limit, the average payoff of the long run.
    payoffs : (4,) float64
    out : (2,) float64
    """
    shares = np.zeros(4)
    if discount == 1.0:
        long_run(start, chain, shares)
    else:
        power, total, ahead = chain * discount, np.zeros((4, 4)), np.zeros((4, 4))
        for place in range(4):
            total[place, place] = 1.0 - discount
        weight = discount
        while weight > NEGLIGIBLE:
            weight *= weight
            _product(power, total, ahead)
            for row in range(4):
                for column in range(4):
                    total[row, column] += ahead[row, column]
            _product(power, power, ahead)
            power[:] = ahead
        _weights(start, total, shares)
    out[0] = 0.0
    out[1] = 0.0
    for pair in range(4):
        out[0] += shares[pair] * payoffs[pair]
        out[1] += shares[pair] * payoffs[2 * (pair & 1) + (pair >> 1)]


@kernel()
def best_answer(other: Floats, discount: float, payoffs: Floats, out: Floats) -> float:
    """Write the plan that scores most against a memory-one player, and return its payoff.

    Against such a player no strategy of longer memory, and no chance, does better than one of
    the 32 sure memory-one plans; all are tried, and the first of equal ones is taken, which
    cooperates where it may.

    Parameters
    ----------
    other : (5,) float64
    discount : float
        In [0, 1].
    payoffs : (4,) float64
    out : (5,) float64
        Probabilities 0.0 or 1.0.
    """
    plan, start, chain, both = np.zeros(5), np.zeros(4), np.zeros((4, 4)), np.zeros(2)
    best = -np.inf
    for number in range(PLANS):
        for place in range(5):
            plan[place] = 0.0 if (number >> (4 - place)) & 1 else 1.0
        joint_chain(plan, other, start, chain)
        discounted_payoffs(start, chain, discount, payoffs, both)
        if both[0] > best + SAME * (abs(both[0]) + 1.0) or number == 0:
            best = both[0]
            out[:] = plan
    return float(best)
