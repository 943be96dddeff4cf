"""Optimal execution by exact linear algebra, and costs by walking the price trade by trade."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Terms", "largest_remainders", "shortfall", "trajectory"]


class Terms(NamedTuple):
    """What an execution costs."""

    volatility: float
    fixed: float
    permanent: float
    temporary: float
    drift: float


def trajectory(
    quantity: float, slices: int, step: float, aversion: float, terms: Terms
) -> list[float]:
    """Set the derivative of ``cost + aversion * variance`` to 0 and solve in fractions.

    ``(2 eta / step) (2 x_k - x_(k-1) - x_(k+1)) + 2 aversion volatility**2 step x_k = drift step``
    """
    volatility, _, permanent, temporary, drift = map(Fraction, terms)
    tau = Fraction(step)
    pull = 2 * (temporary - permanent * tau / 2) / tau
    diagonal = 2 * pull + 2 * Fraction(aversion) * volatility**2 * tau
    factors, results = [Fraction(0)], [Fraction(quantity)]
    for _ in range(1, slices):
        pivot = diagonal - pull * factors[-1]
        results.append((drift * tau + pull * results[-1]) / pivot)
        factors.append(pull / pivot)
    holdings = [Fraction(0)]
    for factor, result in zip(reversed(factors[1:]), reversed(results[1:]), strict=True):
        holdings.append(result + factor * holdings[-1])
    return [float(each) for each in (Fraction(quantity), *reversed(holdings))]


def shortfall(holdings: Sequence[float], step: float, terms: Terms) -> float:
    """Sell at a price that drifts and is pushed down by each sale after it (equations 1 to 3)."""
    _, fixed, permanent, temporary, drift = map(Fraction, terms)
    tau, price, lost = Fraction(step), Fraction(0), Fraction(0)
    for before, after in itertools.pairwise(holdings):
        sold = Fraction(before) - Fraction(after)
        lost -= sold * (price - temporary * sold / tau) - fixed * abs(sold)
        price += drift * tau - permanent * sold
    return float(lost)


def largest_remainders(trades: Sequence[int], lots: int) -> list[int]:
    """Round down, then serve the largest remainders first, the earliest of equal ones."""
    size = abs(lots)
    shares = [Fraction(each * size, sum(trades)) for each in trades]
    whole = [share.numerator // share.denominator for share in shares]
    order = sorted(range(len(shares)), key=lambda place: (whole[place] - shares[place], place))
    for place in order[: size - sum(whole)]:
        whole[place] += 1
    return whole if lots >= 0 else [-each for each in whole]
