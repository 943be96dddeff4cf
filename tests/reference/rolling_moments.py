"""Windows of numbers, described anew each time with exact fractions."""

import math
from collections.abc import Sequence
from fractions import Fraction

__all__ = ["ewma", "mean_and_std", "prior_scores"]


def mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the sample standard deviation (ddof = 1)."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    if len(exact) < 2:
        return float(mean), math.nan
    variance = sum((value - mean) ** 2 for value in exact) / (len(exact) - 1)
    return float(mean), math.sqrt(variance)


def prior_scores(values: Sequence[float], window: int) -> list[float]:
    """Return the z-score of each value against the window before it, NaN until it is full."""
    scores = [math.nan] * min(window, len(values))
    for place in range(window, len(values)):
        mean, std = mean_and_std(values[place - window : place])
        distance = float(Fraction(values[place]) - Fraction(mean))
        if std == 0.0:
            scores.append(math.copysign(math.inf, distance) if distance else 0.0)
        else:
            scores.append(distance / std)
    return scores


def ewma(returns: Sequence[float], decay: float, first: float) -> list[float]:
    """Return the forecasts as explicit weighted sums of squared returns."""
    return [
        decay**place * first
        + (1 - decay)
        * math.fsum(decay ** (place - 1 - past) * returns[past] ** 2 for past in range(place))
        for place in range(len(returns) + 1)
    ]
