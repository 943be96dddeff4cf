"""Mean and variance that follow a stream, and how unusual the next value is.

A rolling window is three arrays that belong to the caller: ``window`` (the values, in a ring),
``moments`` (mean, sum of squared distances from it) and ``cursor`` (how many values, where the
next goes, pushes since the last exact pass).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.lanes import sum_of_distances, sum_of_squares

__all__ = [
    "accumulate",
    "prior_z",
    "prior_z_scores",
    "rolling_clear",
    "rolling_push",
    "rolling_refresh",
    "rolling_std",
    "rolling_z",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CANCELLATION: Final = 2.0**-20  # a fall of the squares by more loses digits: count anew


@kernel()
def accumulate(moments: Floats, value: float) -> None:
    """Add one value to the count, mean and sum of squared distances of all so far.

    Parameters
    ----------
    moments : (3,) float64
        Count, mean, sum of squares; zeros at the start. Changed in place.
    value : float

    References
    ----------
    .. [1] Welford, B. P. (1962). Note on a method for calculating corrected sums of squares
       and products. Technometrics 4(3), 419-420. doi:10.1080/00401706.1962.10490022.
    """
    moments[0] += 1.0
    distance = value - moments[1]
    moments[1] += distance / moments[0]
    moments[2] += distance * (value - moments[1])


@kernel()
def rolling_clear(moments: Floats, cursor: Integers) -> None:
    """Forget all values of a rolling window."""
    moments[:] = 0.0
    cursor[:] = 0


@kernel(inline=True)
def rolling_refresh(window: Floats, moments: Floats, cursor: Integers) -> None:
    """Compute mean and squares from the values kept, in two passes; exact for equal values.

    Parameters
    ----------
    window : (w,) float64
    moments : (2,) float64
    cursor : (3,) int64
        At least one value.
    """
    values = window[: cursor[0]]
    pivot = values[0]
    moments[0] = pivot + sum_of_distances(values, pivot) / len(values)
    moments[1] = sum_of_squares(values, moments[0])
    cursor[2] = 0


@kernel()
def rolling_push(window: Floats, moments: Floats, cursor: Integers, value: float) -> None:
    """Put a value into a rolling window, the oldest making room; O(1) on average.

    Mean and squares are updated by Welford's step and recomputed once per window length, and
    whenever an outlier leaves (the difference of large squares would keep its rounding error).

    Parameters
    ----------
    window : (w,) float64
    moments : (2,) float64
        Mean and sum of squared distances, changed in place.
    cursor : (3,) int64
        Count, next position, pushes since the exact pass; changed in place.
    value : float
    """
    count, position = int(cursor[0]), int(cursor[1])
    before = moments[1]
    if count < len(window):
        cursor[0] = count + 1
        distance = value - moments[0]
        moments[0] += distance / (count + 1)
        moments[1] += distance * (value - moments[0])
    else:
        oldest = window[position]
        mean = moments[0]
        moments[0] = mean + (value - oldest) / count
        moments[1] += (value - oldest) * ((value - moments[0]) + (oldest - mean))
    window[position] = value
    cursor[1] = position + 1 if position + 1 < len(window) else 0
    cursor[2] += 1
    if cursor[2] >= len(window) or moments[1] < before * CANCELLATION:
        rolling_refresh(window, moments, cursor)


@kernel()
def rolling_std(moments: Floats, cursor: Integers) -> float:
    """Return the sample standard deviation (ddof = 1) of a window; NaN below two values."""
    if cursor[0] < 2:
        return math.nan
    return math.sqrt(moments[1] / float(cursor[0] - 1))


@kernel()
def prior_z(value: float, mean: float, std: float) -> float:
    """Return how many standard deviations a value lies from a mean it has no part in.

    Parameters
    ----------
    value, mean, std : float

    Returns
    -------
    float
        With ``std == 0``: 0.0 where the value equals the mean, else +inf or -inf, which trips
        any threshold. NaN if any argument is.
    """
    if std == 0.0:
        if value == mean:
            return 0.0
        if value > mean:
            return math.inf
        return -math.inf if value < mean else math.nan
    return (value - mean) / std


@kernel()
def rolling_z(window: Floats, moments: Floats, cursor: Integers, value: float) -> float:
    """Return the z-score of a value against the window before it, then push the value.

    Parameters
    ----------
    window : (w,) float64
    moments : (2,) float64
    cursor : (3,) int64
    value : float

    Returns
    -------
    float
        NaN until the window is full. A value that trips enters the window all the same, so a
        shift of level is reported once and then becomes the level.
    """
    score = math.nan
    if cursor[0] == len(window):
        score = prior_z(value, float(moments[0]), rolling_std(moments, cursor))
    rolling_push(window, moments, cursor, value)
    return score


@kernel()
def prior_z_scores(values: Floats, window: Floats, out: Floats) -> None:
    """Write the z-score of each value against the ``len(window)`` values before it.

    Parameters
    ----------
    values : (n,) float64
    window : (w,) float64
        Scratch; its length is the window's, at least 2.
    out : (n,) float64
        NaN where fewer than w values came before.
    """
    moments = np.zeros(2)
    cursor = np.zeros(3, np.int64)
    for index in range(len(values)):
        out[index] = rolling_z(window, moments, cursor, values[index])
