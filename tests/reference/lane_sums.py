"""Sums over eight lanes, one addition at a time."""

import math
from collections.abc import Sequence

__all__ = ["lane_extreme", "lane_prefix_sums", "lane_sum"]


def lane_sum(terms: Sequence[float]) -> float:
    """Add term i to lane i % 8, then the lanes as a tree of halves."""
    lanes = [0.0] * 8
    for place, term in enumerate(terms):
        lanes[place % 8] += term
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [lanes[i] + lanes[half + i] for i in range(half)]
    return lanes[0]


def lane_extreme(values: Sequence[float], sign: float) -> float:
    """Return the least (sign 1) or greatest (sign -1) number that is not NaN."""
    best = math.inf * sign
    for value in values:
        if sign * value < sign * best:
            best = value
    return best


def lane_prefix_sums(values: Sequence[float]) -> list[float]:
    """Return running sums: in blocks of eight by shifts of 1, 2, 4, plus the sum before."""
    sums: list[float] = []
    for start in range(0, len(values), 8):
        carry = sums[-1] if sums else 0.0
        block = [*values[start : start + 8], *([0.0] * 8)][:8]
        for step in (1, 2, 4):
            block = [block[i] + (block[i - step] if i >= step else 0.0) for i in range(8)]
        sums += [value + carry for value in block]
    return sums[: len(values)]
