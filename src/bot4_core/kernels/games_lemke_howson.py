"""One Nash equilibrium of a two-player game by complementary pivoting.

Payoffs are normalised to [0, 1] first (`games_nash.normalise`) and raised by 1, so that both
best-response polyhedra are bounded. Ties are broken lexicographically, so that degenerate games
do not cycle.

References
----------
.. [1] Lemke, C. E. and Howson, J. T. (1964). Equilibrium points of bimatrix games. Journal of the
   SIAM 12(2), 413-423. doi:10.1137/0112033.
.. [2] von Stengel, B. (2007). Equilibrium computation for two-player games in strategic and
   extensive form. In Algorithmic Game Theory, chapter 3, algorithm 3.5 and section 3.6.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = ["lemke_howson"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SMALLEST_PIVOT: Final = 1e-9
TIE: Final = 1e-12  # of ratios, relative


@kernel()
def _difference(tableau: Floats, row: int, rival: int, entering: int, column: int) -> float:
    """Return how much larger one row's ratio of two columns is than another's; 0.0 for a tie."""
    one = tableau[row, column] / tableau[row, entering]
    other = tableau[rival, column] / tableau[rival, entering]
    gap = one - other
    return 0.0 if abs(gap) <= TIE * (abs(one) + abs(other)) else gap


@kernel()
def _leaving_row(tableau: Floats, entering: int, slack: int) -> int:
    """Return the row of the lexicographically least ratio, which cannot cycle; -1 for none.

    Ties of the right side are broken by the columns of the starting basis, in order.
    """
    rows, last = tableau.shape[0], tableau.shape[1] - 1
    best = -1
    for row in range(rows):
        if tableau[row, entering] <= SMALLEST_PIVOT:
            continue
        if best < 0:
            best = row
            continue
        column = 0
        gap = _difference(tableau, row, best, entering, last)
        while gap == 0.0 and column < rows:
            gap = _difference(tableau, row, best, entering, slack + column)
            column += 1
        if gap < 0.0:
            best = row
    return best


@kernel()
def _pivot(tableau: Floats, row: int, entering: int) -> None:
    """Bring a column into the basis at a row."""
    scale = tableau[row, entering]
    for column in range(tableau.shape[1]):
        tableau[row, column] /= scale
    for other in range(tableau.shape[0]):
        factor = tableau[other, entering]
        if other != row and factor != 0.0:
            for column in range(tableau.shape[1]):
                tableau[other, column] -= factor * tableau[row, column]


@kernel()
def _fill_tableau(
    payoffs: Floats, first: int, slack: int, tableau: Floats, basis: Integers
) -> None:
    """Write ``payoffs' z + s = 1``: z from column ``first``, s from ``slack``, payoffs above 0."""
    tableau[:] = 0.0
    for row in range(payoffs.shape[1]):
        for column in range(payoffs.shape[0]):
            tableau[row, first + column] = 1.0 + payoffs[column, row]
        tableau[row, slack + row] = 1.0
        tableau[row, tableau.shape[1] - 1] = 1.0
        basis[row] = slack + row


@kernel()
def _read_mixture(tableau: Floats, basis: Integers, first: int, out: Floats) -> None:
    """Write the basic values of variables ``first`` on, scaled to add up to 1."""
    out[:] = 0.0
    total = 0.0
    for row in range(len(basis)):
        place = basis[row] - first
        if 0 <= place < len(out):
            value = max(0.0, tableau[row, tableau.shape[1] - 1])
            out[place] = value
            total += value
    for place in range(len(out)):
        out[place] /= total


@kernel()
def lemke_howson(
    own: Floats, other: Floats, label: int, most: int, mine: Floats, theirs: Floats
) -> int:
    """Follow one path of almost complementary vertices to an equilibrium.

    Parameters
    ----------
    own, other : (m, n) float64
        Normalised payoffs of the row and of the column player.
    label : int
        Strategy dropped first, 0 to m + n - 1: rows, then columns. Other labels may lead to
        other equilibria, but some equilibria are reached from none (Shapley 1974).
    most : int
        Pivots after which to give up; the worst case is exponential.
    mine, theirs : (m,) and (n,) float64
        Out: probabilities.

    Returns
    -------
    int
        Pivots made, -1 if it gave up or lost its way by rounding.
    """
    rows, columns = own.shape
    width = rows + columns + 1
    of_rows, of_columns = np.zeros((columns, width)), np.zeros((rows, width))
    row_basis, column_basis = np.zeros(columns, np.int64), np.zeros(rows, np.int64)
    _fill_tableau(other, 0, rows, of_rows, row_basis)
    _fill_tableau(own.T.copy(), rows, 0, of_columns, column_basis)
    entering, on_rows = label, label < rows
    for pivots in range(1, most + 1):
        tableau, basis = (of_rows, row_basis) if on_rows else (of_columns, column_basis)
        row = _leaving_row(tableau, entering, rows if on_rows else 0)
        if row < 0:
            break
        leaving = int(basis[row])
        _pivot(tableau, row, entering)
        basis[row] = entering
        if leaving == label:
            _read_mixture(of_rows, row_basis, 0, mine)
            _read_mixture(of_columns, column_basis, rows, theirs)
            return pivots
        entering, on_rows = leaving, not on_rows
    return -1
