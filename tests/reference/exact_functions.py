"""Elementary and normal functions in 60 decimal digits, from series."""

from decimal import Decimal, localcontext
from functools import cache

__all__ = ["cumulative", "density", "exp", "expm1", "log", "log1p", "quantile_error", "tanh"]

DIGITS = 60
GUARD = 130


@cache
def pi() -> Decimal:
    """Return pi by Machin's formula."""
    with localcontext() as context:
        context.prec = GUARD + 10
        return +(4 * (4 * _inverse_tangent(5) - _inverse_tangent(239)))


def _inverse_tangent(inverse: int) -> Decimal:
    term = total = Decimal(1) / inverse
    odd = 1
    while abs(term) > Decimal(10) ** -(GUARD + 5):
        term = -term / (inverse * inverse)
        odd += 2
        total += term / odd
    return total


def exp(x: Decimal) -> Decimal:
    """Return e to the power x."""
    with localcontext() as context:
        context.prec = DIGITS
        return x.exp()


def expm1(x: Decimal) -> Decimal:
    """Return ``exp(x) - 1``, with digits to spare for the cancellation."""
    with localcontext() as context:
        context.prec = GUARD
        return x.exp() - 1


def log(x: Decimal) -> Decimal:
    """Return the natural logarithm."""
    with localcontext() as context:
        context.prec = DIGITS
        return x.ln()


def log1p(x: Decimal) -> Decimal:
    """Return ``log(1 + x)``, with digits to spare for the cancellation."""
    with localcontext() as context:
        context.prec = 400 if abs(x) < Decimal("1e-100") else GUARD
        return (1 + x).ln()


def tanh(x: Decimal) -> Decimal:
    """Return ``(exp(2x) - 1) / (exp(2x) + 1)``."""
    with localcontext() as context:
        context.prec = GUARD
        power = (2 * x).exp()
        return (power - 1) / (power + 1)


def density(x: Decimal) -> Decimal:
    """Return the standard normal density."""
    with localcontext() as context:
        context.prec = DIGITS
        return (-x * x / 2).exp() / (2 * pi()).sqrt()


def mills(x: Decimal) -> Decimal:
    """Return (1 - cumulative) / density for x >= 0: a series near zero, a fraction far out.

    The kernel's constants are the Chebyshev coefficients of ``(1 + x) mills(x)`` in
    ``t = (x - 3) / (x + 3)``: ``2 / n`` times the sum of ``f(t_j) cos(k pi (2j + 1) / 2n)``.
    """
    with localcontext() as context:
        context.prec = GUARD
        if x > 8:
            tail = x
            for place in range(400, 0, -1):
                tail = x + place / tail
            return 1 / tail
        term = total = x
        odd = 1
        while abs(term) > Decimal(10) ** -(GUARD - 5):
            odd += 2
            term = term * x * x / odd
            total += term
        return (pi() / 2).sqrt() * (x * x / 2).exp() - total


def cumulative(x: Decimal) -> Decimal:
    """Return the standard normal distribution function."""
    with localcontext() as context:
        context.prec = DIGITS
        tail = mills(abs(x)) * density(x)
        return tail if x < 0 else 1 - tail


def quantile_error(x: float, probability: float) -> Decimal:
    """Return how far x is from the quantile: one Newton step in exact arithmetic."""
    point = Decimal(x)
    with localcontext() as context:
        context.prec = DIGITS
        if point <= 0:
            return (cumulative(point) - Decimal(probability)) / density(point)
        return (1 - Decimal(probability) - cumulative(-point)) / density(point)
