"""Two-player games in matrix form: every equilibrium, one equilibrium, values of zero-sum games."""

from math import comb
from typing import Final

import attrs
import numpy as np

from bot4_core.errors import ValidationError
from bot4_core.kernels import games_nash as kernels
from bot4_core.kernels.games_lemke_howson import lemke_howson
from bot4_core.models.inputs import Floats, Inputs, Integers, MatrixInput

__all__ = [
    "BimatrixGame",
    "Equilibria",
    "MixedEquilibrium",
    "ZeroSumSolution",
    "all_equilibria",
    "one_equilibrium",
    "pure_equilibria",
    "solve_zero_sum",
]

MOST_SYSTEMS: Final = 2**20
MOST_VERTICES: Final = 2**16
MOST_PIVOTS: Final = 100_000


@attrs.frozen(eq=False)
class BimatrixGame:
    """Payoffs of both players, checked; make one by `of`.

    Attributes
    ----------
    row_payoffs, column_payoffs : (m, n) float64
        What the row player and the column player get, and want as much as possible of.
    """

    row_payoffs: Floats
    column_payoffs: Floats

    @classmethod
    def of(cls, row_payoffs: MatrixInput, column_payoffs: MatrixInput) -> "BimatrixGame":
        """Check two matrices of the same shape.

        Raises
        ------
        ValidationError
            With every fault at once.
        """
        inputs = Inputs()
        own = inputs.matrix("row_payoffs", row_payoffs)
        other = inputs.matrix("column_payoffs", column_payoffs)
        if own.size and other.size:
            fits = own.shape == other.shape
            text = f"{other.shape}, must be {own.shape} like row_payoffs"
            inputs.require(fits, "column_payoffs", text)
        inputs.settle()
        return cls(own, other)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of strategies of the row and of the column player."""
        return self.row_payoffs.shape[0], self.row_payoffs.shape[1]

    def normalised(self) -> tuple[Floats, Floats]:
        """Return both matrices with payoffs from 0 to 1; the equilibria are the same."""
        own, other = np.empty(self.shape), np.empty(self.shape)
        kernels.normalise(self.row_payoffs, own)
        kernels.normalise(self.column_payoffs, other)
        return own, other

    def equilibrium(self, row: Floats, column: Floats) -> "MixedEquilibrium":
        """Return what two mixtures pay, and what either player would gain by leaving its own."""
        other = np.ascontiguousarray(self.column_payoffs.T)
        return MixedEquilibrium(
            row=row,
            column=column,
            row_payoff=float(row @ self.row_payoffs @ column),
            column_payoff=float(row @ self.column_payoffs @ column),
            regret=max(
                kernels.regret(self.row_payoffs, row, column), kernels.regret(other, column, row)
            ),
        )


@attrs.frozen(kw_only=True, eq=False)
class MixedEquilibrium:
    """Mixtures that are best responses to each other.

    Attributes
    ----------
    row, column : (m,) and (n,) float64
        Probabilities.
    row_payoff, column_payoff : float
        Expected.
    regret : float
        The most that either player would gain by a best response, in its payoff's unit: 0 but
        for rounding.
    """

    row: Floats
    column: Floats
    row_payoff: float
    column_payoff: float
    regret: float

    @property
    def supports(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The strategies that both play at all."""
        return tuple(np.flatnonzero(self.row).tolist()), tuple(np.flatnonzero(self.column).tolist())


@attrs.frozen(kw_only=True, eq=False)
class Equilibria:
    """What was found, and whether that is all.

    Attributes
    ----------
    found : tuple of MixedEquilibrium
        Ordered by supports. All equilibria, unless ``is_degenerate``: then the extreme ones, of
        which all others are mixtures.
    is_degenerate : bool
        In some equilibrium a mixture has more best responses than strategies: there may be a
        continuum.
    is_generic : bool
        No mixture at all has more best responses than strategies (von Stengel's definition of a
        game that is not degenerate), so every method finds its way.
    is_complete : bool
        False where there were more than was asked for.
    """

    found: tuple[MixedEquilibrium, ...]
    is_degenerate: bool
    is_generic: bool
    is_complete: bool


@attrs.frozen(kw_only=True, eq=False)
class ZeroSumSolution:
    """Optimal strategies of a game where one player gets what the other loses.

    Attributes
    ----------
    value : float
        What the row player gets.
    row, column : (m,) and (n,) float64
        One pair of optimal strategies; there may be others.
    gap : float
        Between what each of the two guarantees: 0 but for rounding.
    """

    value: float
    row: Floats
    column: Floats
    gap: float


def pure_equilibria(game: BimatrixGame) -> list[tuple[int, int]]:
    """Return every pair of pure strategies that are best responses to each other; O(m n (m + n)).

    Payoffs closer than 1e-9 of the game's range are ties.
    """
    out = np.empty((game.row_payoffs.size, 2), np.int64)
    found = kernels.pure_equilibria(*game.normalised(), out)
    return [(row, column) for row, column in out[:found].tolist()]


def _vertices(rivals: Floats) -> tuple[Integers, Floats, Integers]:
    rows, columns = rivals.shape
    room = min(comb(rows + columns, rows), MOST_VERTICES)
    masks, points = np.empty(room, np.int64), np.empty((room, rows))
    report = np.zeros(3, np.int64)
    kernels.best_response_vertices(rivals, masks, points, report)
    found = int(report[kernels.FOUND])
    return masks[:found], points[:found], report


def all_equilibria(game: BimatrixGame, most: int = 1000) -> Equilibria:
    """Return all equilibria, or the extreme ones of a degenerate game, by support enumeration.

    Parameters
    ----------
    game : BimatrixGame
        Up to 11 x 11: the cost is C(m + n, m) small linear systems.
    most : int
        Equilibria to return.

    Raises
    ------
    ValidationError
        If the game is too large; `one_equilibrium` may do.
    """
    rows, columns = game.shape
    systems = comb(rows + columns, rows)
    if systems > MOST_SYSTEMS or most < 1:
        text = f"{rows} x {columns} takes {systems} systems, must be at most {MOST_SYSTEMS}"
        raise ValidationError([("game", text) if most >= 1 else ("most", "must be at least 1")])
    own, other = game.normalised()
    row_masks, row_points, row_report = _vertices(other)
    column_masks, column_points, column_report = _vertices(np.ascontiguousarray(own.T))
    pairs = np.empty((most, 2), np.int64)
    count = kernels.complementary_pairs(row_masks, column_masks, rows, columns, pairs)
    found = [
        game.equilibrium(row_points[row].copy(), column_points[column].copy())
        for row, column in pairs[: min(count, most)].tolist()
    ]
    tight = any(
        int(row_masks[row]).bit_count() > rows or int(column_masks[column]).bit_count() > columns
        for row, column in pairs[: min(count, most)].tolist()
    )
    found.sort(key=lambda each: (each.supports, *each.row.tolist(), *each.column.tolist()))
    reports = row_report + column_report
    return Equilibria(
        found=tuple(found),
        is_degenerate=tight,
        is_generic=not reports[kernels.DEGENERATE],
        is_complete=count <= most and not reports[kernels.OVERFLOW],
    )


def one_equilibrium(
    game: BimatrixGame, label: int = 0, most: int = MOST_PIVOTS
) -> MixedEquilibrium | None:
    """Return one equilibrium by Lemke and Howson's path, with lexicographic pivots.

    Parameters
    ----------
    game : BimatrixGame
    label : int
        Strategy dropped first, 0 to m + n - 1: rows, then columns.
    most : int
        Pivots after which to give up; rarely more than m + n are needed.

    Returns
    -------
    MixedEquilibrium or None
        None if it gave up.

    Raises
    ------
    ValidationError
        If there is no such label.
    """
    rows, columns = game.shape
    if not 0 <= label < rows + columns:
        raise ValidationError([("label", f"{label}, must be 0 to {rows + columns - 1}")])
    mine, theirs = np.empty(rows), np.empty(columns)
    pivots = lemke_howson(*game.normalised(), int(label), int(most), mine, theirs)
    return game.equilibrium(mine, theirs) if pivots > 0 else None


def solve_zero_sum(payoffs: MatrixInput, most: int = MOST_PIVOTS) -> ZeroSumSolution | None:
    """Return the value of a zero-sum game and a strategy that guarantees it, for each player.

    Parameters
    ----------
    payoffs : (m, n) float
        What the column player pays to the row player.
    most : int
        Pivots after which to give up on a path of Lemke and Howson.

    Returns
    -------
    ZeroSumSolution or None
        None if no path came to its end.

    Raises
    ------
    ValidationError
        If that is no matrix of finite numbers.

    References
    ----------
    .. [1] von Neumann, J. (1928). Zur Theorie der Gesellschaftsspiele. Mathematische Annalen
       100, 295-320. doi:10.1007/BF01448847.
    """
    inputs = Inputs()
    own = inputs.matrix("payoffs", payoffs)
    inputs.settle()
    game = BimatrixGame(own, -own)
    for label in range(sum(game.shape)):
        solution = one_equilibrium(game, label, most)
        if solution is not None:
            low = float(np.min(solution.row @ own))
            high = float(np.max(own @ solution.column))
            return ZeroSumSolution(
                value=0.5 * (low + high), row=solution.row, column=solution.column, gap=high - low
            )
    return None
