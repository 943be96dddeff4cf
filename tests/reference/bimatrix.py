"""Equilibria by supports in exact fractions, and exact best responses."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

__all__ = ["Mixture", "equilibria", "has_spare_responses", "is_equilibrium", "is_nondegenerate"]

Matrix = Sequence[Sequence[int]]
Mixture = tuple[Fraction, ...]


def _solve(rows: list[list[Fraction]]) -> list[Fraction] | None:
    """Solve a square system given with its right side, or return None."""
    size = len(rows)
    for pivot in range(size):
        best = next((row for row in range(pivot, size) if rows[row][pivot]), None)
        if best is None:
            return None
        rows[pivot], rows[best] = rows[best], rows[pivot]
        rows[pivot] = [each / rows[pivot][pivot] for each in rows[pivot]]
        for row in range(size):
            if row != pivot:
                factor = rows[row][pivot]
                pairs = zip(rows[row], rows[pivot], strict=True)
                rows[row] = [one - factor * other for one, other in pairs]
    return [row[-1] for row in rows]


def _vertices(rivals: Matrix) -> Iterator[tuple[Mixture, set[int]]]:
    """Yield mixtures of the rows with the columns that are best against them."""
    rows, columns = len(rivals), len(rivals[0])
    for size in range(1, min(rows, columns) + 1):
        for mine in combinations(range(rows), size):
            for theirs in combinations(range(columns), size):
                system = [
                    [*(Fraction(rivals[own][other]) for own in mine), Fraction(-1), Fraction(0)]
                    for other in theirs
                ]
                system.append([*[Fraction(1)] * size, Fraction(0), Fraction(1)])
                solved = _solve(system)
                if solved is None or min(solved[:-1]) < 0:
                    continue
                shares = dict(zip(mine, solved, strict=False))
                mixture = tuple(shares.get(own, Fraction(0)) for own in range(rows))
                payoffs = _payoffs(rivals, mixture)
                if max(payoffs) == solved[-1]:
                    best = {place for place, each in enumerate(payoffs) if each == solved[-1]}
                    yield mixture, best


def _payoffs(rivals: Matrix, mixture: Mixture) -> list[Fraction]:
    columns = zip(*rivals, strict=True)
    return [
        sum(p * each for p, each in zip(mixture, column, strict=True)) + Fraction(0)
        for column in columns
    ]


def _turned(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def is_nondegenerate(own: Matrix, other: Matrix) -> bool:
    """Tell whether no mixture has more best responses than strategies (von Stengel 2007, 3.2)."""
    return all(
        len(best) <= sum(map(bool, mixture))
        for rivals in (other, _turned(own))
        for mixture, best in _vertices(rivals)
    )


def has_spare_responses(own: Matrix, other: Matrix, found: set[tuple[Mixture, Mixture]]) -> bool:
    """Tell whether a mixture of some equilibrium has more best responses than strategies."""
    for mine, theirs in found:
        for rivals, played in ((other, mine), (_turned(own), theirs)):
            payoffs = _payoffs(rivals, played)
            if payoffs.count(max(payoffs)) > sum(map(bool, played)):
                return True
    return False


def is_equilibrium(own: Matrix, other: Matrix, mine: Mixture, theirs: Mixture) -> bool:
    """Tell whether each mixture plays only best responses to the other."""
    for rivals, played, answers in ((other, mine, theirs), (_turned(own), theirs, mine)):
        payoffs = _payoffs(rivals, played)
        if any(p and each < max(payoffs) for p, each in zip(answers, payoffs, strict=True)):
            return False
    return True


def equilibria(own: Matrix, other: Matrix) -> set[tuple[Mixture, Mixture]]:
    """Return every pair of vertices that are best responses to each other."""
    rows, columns = list(_vertices(other)), list(_vertices(_turned(own)))
    return {
        (mine, theirs)
        for mine, _ in rows
        for theirs, _ in columns
        if is_equilibrium(own, other, mine, theirs)
    }
