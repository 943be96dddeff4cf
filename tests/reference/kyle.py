"""Kyle's auctions in 50 digits by bisection, and the regression from exact sums."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Equilibrium", "Line", "equilibrium", "line"]


class Equilibrium(NamedTuple):
    """lambda, beta, alpha, delta and Sigma of each auction."""

    impacts: list[float]
    intensities: list[float]
    values: list[float]
    constants: list[float]
    variances: list[float]


class Line(NamedTuple):
    """A fitted line."""

    impact: float
    intercept: float
    error: float
    r_squared: float


def _impact(value: Decimal, left: Decimal, noise: Decimal, step: Decimal) -> Decimal:
    """Solve Kyle's equation (3.24) for the root of positive insider demand, by halving."""
    low, high = Decimal(0), (left / (noise * noise * step)).sqrt()
    if value > 0:
        high = min(high, 1 / value)
    for _ in range(170):
        middle = (low + high) / 2
        excess = (1 - middle**2 * noise**2 * step / left) * (1 - value * middle) - Decimal("0.5")
        low, high = (middle, high) if excess > 0 else (low, middle)
    return low


def equilibrium(prior: float, noise: float, steps: Sequence[float]) -> Equilibrium:
    """Run the paper's recursion backward from a last variance of 1, then rescale."""
    with localcontext() as context:
        context.prec = 50
        sigma = Decimal(noise)
        value = constant = Decimal(0)
        left = Decimal(1)
        rows = [(Decimal(0), Decimal(0), value, constant, left)]
        for each in reversed(steps):
            step = Decimal(each)
            impact = _impact(value, left, sigma, step)
            share = (1 - 2 * value * impact) / (2 * impact * (1 - value * impact))
            constant += value * impact**2 * sigma**2 * step
            left /= 1 - share * impact
            value = 1 / (4 * impact * (1 - value * impact))
            rows.append((impact, share / step, value, constant, left))
        rows.reverse()
        scale = Decimal(prior) / left
        root = scale.sqrt()
        return Equilibrium(
            [float(row[0] * root) for row in rows[:-1]],
            [float(row[1] / root) for row in rows[:-1]],
            [float(row[2] / root) for row in rows],
            [float(row[3] * root) for row in rows],
            [float(row[4] * scale) for row in rows],
        )


def line(
    flows: Sequence[float], changes: Sequence[float], *, intercept: bool, decay: float = 1.0
) -> Line | None:
    """Fit by weighted sums in exact fractions; None where the flow never varies."""
    age = range(len(flows) - 1, -1, -1)
    weights = [Fraction(decay) ** power for power in age]
    x, y = [Fraction(each) for each in flows], [Fraction(each) for each in changes]
    total = sum(weights)
    centre_x = centre_y = Fraction(0)
    if intercept and total:
        centre_x = sum((w * a for w, a in zip(weights, x, strict=True)), Fraction(0)) / total
        centre_y = sum((w * b for w, b in zip(weights, y, strict=True)), Fraction(0)) / total
    triples = [(w, a - centre_x, b - centre_y) for w, a, b in zip(weights, x, y, strict=True)]
    xx = sum(w * a * a for w, a, _ in triples)
    xy = sum(w * a * b for w, a, b in triples)
    yy = sum(w * b * b for w, _, b in triples)
    if xx == 0:
        return None
    rest = yy - xy * xy / xx
    pairs = total * total / sum(w * w for w in weights)
    free = pairs - (2 if intercept else 1)
    error = float(rest / xx / free) ** 0.5 if free > 0 else float("nan")
    r_squared = float(1 - rest / yy) if yy else float("nan")
    return Line(float(xy / xx), float(centre_y - xy / xx * centre_x), error, r_squared)
