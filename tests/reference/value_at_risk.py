"""Value at risk and shortfall from a sorted list in exact fractions."""

import math
from collections.abc import Sequence
from fractions import Fraction

__all__ = ["historical", "interpolated"]


def historical(returns: Sequence[float], tail: Fraction) -> tuple[float, float]:
    """Return the loss of the order statistic, and of the worst share of returns on average."""
    ordered = sorted(map(Fraction, returns))
    held = len(ordered) * tail
    left, lost = held, Fraction(0)
    for each in ordered:
        taken = min(left, Fraction(1))
        lost -= taken * each
        left -= taken
    return -float(ordered[math.ceil(held) - 1]), float(lost / held)


def interpolated(returns: Sequence[float], tail: Fraction) -> float:
    """Return the loss of the quantile between two order statistics."""
    ordered = sorted(map(Fraction, returns))
    place = tail * (len(ordered) - 1)
    rank = math.floor(place)
    following = ordered[min(rank + 1, len(ordered) - 1)]
    return -float(ordered[rank] + (place - rank) * (following - ordered[rank]))
