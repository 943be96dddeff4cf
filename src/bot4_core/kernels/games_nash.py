"""Nash equilibria of two-player games in matrix form.

Both players maximise. Payoffs are brought to [0, 1] first, which changes no equilibrium, so that
tolerances are relative to the game and neither an offset of 1e9 nor a scale of 1e-9 matters.

Mixed equilibria come from supports: for each set of own strategies and equally large set of the
other's, the mixture that makes the other indifferent between the latter is a *vertex* of the
player's best-response polyhedron if no other strategy does better. Its *labels* are the own
strategies not played and the other's that are best. Two vertices whose labels cover everything
are an equilibrium; all extreme equilibria are found so, in degenerate games too. A game is
degenerate exactly when some vertex has more labels than there are dimensions.

References
----------
.. [1] Nash, J. (1951). Non-cooperative games. Annals of Mathematics 54(2), 286-295.
   doi:10.2307/1969529.
.. [2] von Stengel, B. (2007). Equilibrium computation for two-player games in strategic and
   extensive form. In Algorithmic Game Theory, chapter 3, algorithm 3.4, definition 3.2.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.lanes import maximum, minimum

__all__ = [
    "DEGENERATE",
    "FOUND",
    "best_response_vertices",
    "complementary_pairs",
    "normalise",
    "pure_equilibria",
    "regret",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TIE: Final = 1e-9  # payoffs and probabilities of a normalised game closer than this are equal
SINGULAR: Final = 1e-12
FOUND: Final = 0  # slots of the report: vertices found, whether more or degenerate ones were met
OVERFLOW: Final = 1
DEGENERATE: Final = 2


@kernel()
def normalise(payoffs: Floats, out: Floats) -> None:
    """Write payoffs shifted and scaled to [0, 1]; all zeros where they are all equal.

    Parameters
    ----------
    payoffs, out : (m, n) float64
    """
    low, high = minimum(payoffs.ravel()), maximum(payoffs.ravel())
    width = high - low
    for row in range(payoffs.shape[0]):
        for column in range(payoffs.shape[1]):
            above = payoffs[row, column] - low
            out[row, column] = above / width if width > 0.0 else 0.0


@kernel()
def pure_equilibria(own: Floats, other: Floats, out: Integers) -> int:
    """Write every pair of pure strategies that are best responses to each other.

    Parameters
    ----------
    own, other : (m, n) float64
        Payoffs of the row and of the column player, normalised.
    out : (m n, 2) int64
        Row and column, in lexicographic order.

    Returns
    -------
    int
        How many.
    """
    found = 0
    for row in range(own.shape[0]):
        for column in range(own.shape[1]):
            best = True
            for rival in range(own.shape[0]):
                best = best and own[rival, column] <= own[row, column] + TIE
            for rival in range(own.shape[1]):
                best = best and other[row, rival] <= other[row, column] + TIE
            if best:
                out[found, 0] = row
                out[found, 1] = column
                found += 1
    return found


@kernel()
def _solve(system: Floats, size: int) -> bool:
    """Solve a linear system in place, the right side being column ``size``; False if singular."""
    for pivot in range(size):
        best = pivot
        for row in range(pivot + 1, size):
            if abs(system[row, pivot]) > abs(system[best, pivot]):
                best = row
        if abs(system[best, pivot]) < SINGULAR:
            return False
        for column in range(pivot, size + 1):
            kept = system[pivot, column]
            system[pivot, column] = system[best, column]
            system[best, column] = kept
        for row in range(size):
            if row != pivot:
                factor = system[row, pivot] / system[pivot, pivot]
                for column in range(pivot, size + 1):
                    system[row, column] -= factor * system[pivot, column]
    for row in range(size):
        system[row, size] /= system[row, row]
    return True


@kernel()
def _members(mask: int, out: Integers) -> None:
    """Write the positions of a mask's set bits, lowest first."""
    place, bit = 0, 0
    while mask >> bit:
        if (mask >> bit) & 1:
            out[place] = bit
            place += 1
        bit += 1


@kernel()
def _next_mask(mask: int) -> int:
    """Return the next larger mask with as many bits set (Gosper)."""
    lowest = mask & -mask
    carried = mask + lowest
    return carried | (((mask ^ carried) // lowest) >> 2)


@kernel()
def _indifferent(
    rivals: Floats, mine: Integers, theirs: Integers, size: int, system: Floats
) -> bool:
    """Solve for the mixture of ``mine`` that gives all of ``theirs`` one payoff, and for that."""
    for row in range(size):
        for column in range(size):
            system[row, column] = rivals[mine[column], theirs[row]]
        system[row, size] = -1.0
        system[row, size + 1] = 0.0
        system[size, row] = 1.0
    system[size, size] = 0.0
    system[size, size + 1] = 1.0
    return _solve(system, size + 1)


@kernel()
def _label(rivals: Floats, mine: Integers, size: int, system: Floats, point: Floats) -> int:
    """Write the mixture and return its labels; -1 if it is no vertex."""
    point[:] = 0.0
    total = 0.0
    for place in range(size):
        share = system[place, size + 1]
        if share < -TIE:
            return -1
        if share > TIE:
            point[mine[place]] = share
            total += share
    value = system[size, size + 1]
    labels = 0
    for own in range(rivals.shape[0]):
        point[own] /= total
        if point[own] == 0.0:
            labels |= 1 << own
    for column in range(rivals.shape[1]):
        payoff = 0.0
        for own in range(rivals.shape[0]):
            payoff += point[own] * rivals[own, column]
        if payoff > value + TIE:
            return -1
        if payoff >= value - TIE:
            labels |= 1 << (rivals.shape[0] + column)
    return labels


@kernel()
def _bits(mask: int) -> int:
    """Count the bits that are set."""
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@kernel()
def _file_vertex(
    labels: int, point: Floats, width: int, masks: Integers, points: Floats, report: Integers
) -> None:
    """Add a vertex unless it is there already, which only a degenerate one can be."""
    found = int(report[FOUND])
    if _bits(labels) > width:
        report[DEGENERATE] = 1
        for index in range(found):
            if masks[index] == labels:
                return
    if found == len(masks):
        report[OVERFLOW] = 1
        return
    masks[found] = labels
    for own in range(len(point)):
        points[found, own] = point[own]
    report[FOUND] = found + 1


@kernel()
def best_response_vertices(
    rivals: Floats, masks: Integers, points: Floats, report: Integers
) -> None:
    """Find every vertex of a player's best-response polyhedron, by pairs of supports.

    Cost: one small linear system for each of the C(m + n, m) - 1 pairs.

    Parameters
    ----------
    rivals : (m, n) float64
        Normalised payoffs of the *other* player; rows are the strategies of this one. At most
        62 strategies in all.
    masks : (k,) int64
        Out: labels; bit i for own strategy i not played, bit m + j for the rival's j being best.
    points : (k, m) float64
        Out: probabilities of the own strategies.
    report : (3,) int64
        Out: vertices found, 1 if there was no room for all, 1 if the game is degenerate.
    """
    rows, columns = rivals.shape
    report[:] = 0
    most = min(rows, columns)
    mine, theirs = np.zeros(most, np.int64), np.zeros(most, np.int64)
    system, point = np.zeros((most + 1, most + 2)), np.zeros(rows)
    for size in range(1, most + 1):
        own = (1 << size) - 1
        while own < 1 << rows:
            _members(own, mine)
            other = (1 << size) - 1
            while other < 1 << columns:
                _members(other, theirs)
                if _indifferent(rivals, mine, theirs, size, system):
                    labels = _label(rivals, mine, size, system, point)
                    if labels >= 0:
                        _file_vertex(labels, point, rows, masks, points, report)
                other = _next_mask(other)
            own = _next_mask(own)


@kernel()
def complementary_pairs(
    row_masks: Integers, column_masks: Integers, rows: int, columns: int, out: Integers
) -> int:
    """Write every pair of vertices whose labels cover all strategies: the equilibria.

    Parameters
    ----------
    row_masks, column_masks : (k,) int64 and (l,) int64
        As `best_response_vertices` leaves them, the column player's own strategies first in its.
    rows, columns : int
        Numbers of strategies.
    out : (c, 2) int64
        Places of the vertices.

    Returns
    -------
    int
        How many there are, which may be more than there was room for.
    """
    everything = (1 << (rows + columns)) - 1
    found = 0
    for column in range(len(column_masks)):
        mask = int(column_masks[column])
        turned = (mask >> columns) | ((mask & ((1 << columns) - 1)) << rows)
        for row in range(len(row_masks)):
            if row_masks[row] | turned == everything:
                if found < len(out):
                    out[found, 0] = row
                    out[found, 1] = column
                found += 1
    return found


@kernel()
def regret(own: Floats, mine: Floats, theirs: Floats) -> float:
    """Return how much a player could gain by changing to a best response; 0 in equilibrium.

    Parameters
    ----------
    own : (m, n) float64
        The player's payoffs, its strategies in rows.
    mine, theirs : (m,) and (n,) float64
        Probabilities.
    """
    best, mean = -math.inf, 0.0
    for row in range(own.shape[0]):
        payoff = 0.0
        for column in range(own.shape[1]):
            payoff += own[row, column] * theirs[column]
        best = max(best, payoff)
        mean += mine[row] * payoff
    return max(0.0, best - mean)
