"""VPIN by laying every lot in a row, and Student's t from its series."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Bucketed", "buckets", "student_cumulative"]


class Bucketed(NamedTuple):
    """Buckets in the order in which they filled."""

    bought: list[float]
    vpin: list[float]
    left: int


def buckets(volumes: Sequence[int], shares: Sequence[float], capacity: int, count: int) -> Bucketed:
    """Give every lot its bar's share, then cut the row of lots."""
    lots = [
        Fraction(share)
        for volume, share in zip(volumes, shares, strict=True)
        for _ in range(volume)
    ]
    full = len(lots) // capacity
    bought = [
        sum(lots[place * capacity : (place + 1) * capacity], Fraction(0)) for place in range(full)
    ]
    sides = [abs(2 * each - capacity) / capacity for each in bought]
    vpin = [
        float(sum(sides[place + 1 - count : place + 1]) / count) if place + 1 >= count else math.nan
        for place in range(full)
    ]
    return Bucketed([float(each) for each in bought], vpin, len(lots) - full * capacity)


def student_cumulative(x: float, freedom: float) -> float:
    """Sum the hypergeometric series about the centre; right to 1e-13 of 1."""
    z = x * x / freedom
    ratio, term, terms = z / (1 + z), 1.0, [1.0]
    n = 0
    while abs(term) > 1e-18 and n < 20_000:
        term *= (0.5 + n) * (1 - freedom / 2 + n) / (1.5 + n) / (n + 1) * ratio
        terms.append(term)
        n += 1
    front = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2))
    return 0.5 + x * front / math.sqrt(math.pi * freedom * (1 + z)) * math.fsum(terms)
