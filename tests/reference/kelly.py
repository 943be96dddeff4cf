"""Growth in exact fractions before the logarithm, and the best stakes of a fine grid."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

__all__ = ["best_on_grid", "growth"]


def growth(
    stakes: Sequence[float], returns: Sequence[Sequence[float]], chances: Sequence[float]
) -> float:
    """Return the expected logarithm of wealth; -inf for ruin."""
    total = 0.0
    for row, chance in zip(returns, chances, strict=True):
        wealth = 1 + sum(Fraction(s) * Fraction(r) for s, r in zip(stakes, row, strict=True))
        if wealth <= 0 and chance > 0:
            return -math.inf
        if chance > 0:
            total += chance * math.log(wealth)
    return total


def best_on_grid(
    returns: Sequence[Sequence[float]], chances: Sequence[float], budget: float, steps: int
) -> float:
    """Return the largest growth of stakes that are multiples of ``budget / steps``."""
    return max(
        growth([budget * each / steps for each in stakes], returns, chances)
        for stakes in product(range(steps + 1), repeat=len(returns[0]))
        if sum(stakes) <= steps
    )
