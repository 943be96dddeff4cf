"""Reductions over eight fixed lanes: element ``i`` belongs to lane ``i % 8``.

The order of the additions is part of the definition, so a replay has the same bits on every
processor. Arrays are one-dimensional, contiguous float64.
"""

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.lane_vectors import (
    LANES,
    highest,
    larger,
    last,
    load,
    load_part,
    lowest,
    running,
    smaller,
    splat,
    store,
    store_part,
    total,
)

__all__ = [
    "dot",
    "maximum",
    "minimum",
    "prefix_sums",
    "sum_of_distances",
    "sum_of_squares",
    "sum_of_values",
    "weighted_sum_of_squares",
]

Floats = NDArray[np.float64]


@kernel()
def sum_of_values(values: Floats) -> float:
    """Add all values.

    Parameters
    ----------
    values : (n,) float64

    Returns
    -------
    float
        0.0 for an empty array.
    """
    whole = len(values) - len(values) % LANES
    lanes = splat(0.0)
    for start in range(0, whole, LANES):
        lanes = lanes + load(values, start)
    lanes = lanes + load_part(values, whole, len(values) - whole, 0.0)
    return total(lanes)


@kernel()
def sum_of_distances(values: Floats, centre: float) -> float:
    """Add the signed distances of all values from a centre; exactly 0.0 if all equal it.

    Parameters
    ----------
    values : (n,) float64
    centre : float
    """
    whole = len(values) - len(values) % LANES
    middle = splat(centre)
    lanes = splat(0.0)
    for start in range(0, whole, LANES):
        lanes = lanes + (load(values, start) - middle)
    lanes = lanes + (load_part(values, whole, len(values) - whole, centre) - middle)
    return total(lanes)


@kernel()
def dot(a: Floats, b: Floats) -> float:
    """Add the products of two arrays: a weighted sum when one of them holds weights.

    Parameters
    ----------
    a, b : (n,) float64
        ``b`` is at least as long as ``a``.
    """
    whole = len(a) - len(a) % LANES
    rest = len(a) - whole
    lanes = splat(0.0)
    for start in range(0, whole, LANES):
        lanes = lanes + load(a, start) * load(b, start)
    lanes = lanes + load_part(a, whole, rest, 0.0) * load_part(b, whole, rest, 0.0)
    return total(lanes)


@kernel()
def sum_of_squares(values: Floats, centre: float) -> float:
    """Add the squared distances of all values from a centre.

    Parameters
    ----------
    values : (n,) float64
    centre : float
        0.0 for plain squares, the mean for a variance's numerator.
    """
    whole = len(values) - len(values) % LANES
    middle = splat(centre)
    lanes = splat(0.0)
    for start in range(0, whole, LANES):
        distance = load(values, start) - middle
        lanes = lanes + distance * distance
    distance = load_part(values, whole, len(values) - whole, centre) - middle
    lanes = lanes + distance * distance
    return total(lanes)


@kernel()
def weighted_sum_of_squares(values: Floats, weights: Floats, centre: float) -> float:
    """Add the weighted squared distances of all values from a centre.

    Parameters
    ----------
    values, weights : (n,) float64
    centre : float
    """
    whole = len(values) - len(values) % LANES
    rest = len(values) - whole
    middle = splat(centre)
    lanes = splat(0.0)
    for start in range(0, whole, LANES):
        distance = load(values, start) - middle
        lanes = lanes + load(weights, start) * (distance * distance)
    distance = load_part(values, whole, rest, centre) - middle
    lanes = lanes + load_part(weights, whole, rest, 0.0) * (distance * distance)
    return total(lanes)


@kernel()
def minimum(values: Floats) -> float:
    """Return the least value; NaN entries are passed over, +inf for an empty array.

    Parameters
    ----------
    values : (n,) float64
    """
    whole = len(values) - len(values) % LANES
    lanes = splat(np.inf)
    for start in range(0, whole, LANES):
        lanes = smaller(lanes, load(values, start))
    lanes = smaller(lanes, load_part(values, whole, len(values) - whole, np.inf))
    return lowest(lanes)


@kernel()
def maximum(values: Floats) -> float:
    """Return the greatest value; NaN entries are passed over, -inf for an empty array.

    Parameters
    ----------
    values : (n,) float64
    """
    whole = len(values) - len(values) % LANES
    lanes = splat(-np.inf)
    for start in range(0, whole, LANES):
        lanes = larger(lanes, load(values, start))
    lanes = larger(lanes, load_part(values, whole, len(values) - whole, -np.inf))
    return highest(lanes)


@kernel()
def prefix_sums(values: Floats, out: Floats) -> None:
    """Write the running sums: within each block of eight in three shifted steps.

    Parameters
    ----------
    values : (n,) float64
    out : (n,) float64
        May be ``values`` itself.
    """
    whole = len(values) - len(values) % LANES
    rest = len(values) - whole
    carry = splat(0.0)
    for start in range(0, whole, LANES):
        lanes = running(load(values, start)) + carry
        store(out, start, lanes)
        carry = splat(last(lanes))
    store_part(out, whole, rest, running(load_part(values, whole, rest, 0.0)) + carry)
