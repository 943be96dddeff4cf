"""Value at risk and expected shortfall of returns; losses are positive.

``tail`` is the probability of the tail, 0.05 at a level of 95 %. Of n returns the tail holds
``n * tail`` of them, given as ``whole`` returns and a ``part`` of the next, which callers compute
exactly: ``20 * (1 - 0.95)`` is 1, and a float a little above it.

References
----------
.. [1] Acerbi, C. and Tasche, D. (2002). On the coherence of expected shortfall. Journal of
   Banking and Finance 26(7), 1487-1503. doi:10.1016/S0378-4266(02)00283-2, definition 2.6.
.. [2] Rockafellar, R. T. and Uryasev, S. (2002). Conditional value-at-risk for general loss
   distributions. Journal of Banking and Finance 26(7), 1443-1471, proposition 8.
.. [3] Hyndman, R. J. and Fan, Y. (1996). Sample quantiles in statistical packages. American
   Statistician 50(4), 361-365. doi:10.2307/2684934, definitions 1 and 7.
.. [4] Cornish, E. A. and Fisher, R. A. (1938). Moments and cumulants in the specification of
   distributions. Revue de l'Institut International de Statistique 5(4), 307-320.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels import normal, student_t
from bot4_core.kernels.lanes import sum_of_distances, sum_of_squares, sum_of_values

__all__ = [
    "cornish_fisher",
    "is_monotone_below",
    "lowest",
    "moments_of",
    "normal_tail",
    "quantile_between",
    "select",
    "shortfall",
    "sorted_push",
    "student_tail",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SAMPLE: Final = 512
SAMPLE_STEPS: Final = 8  # with fewer values to each of the sample a pass saves nothing


@kernel()
def select(values: Floats, rank: int) -> float:
    """Return the value of a rank and put all smaller ones before it; O(n) on average.

    Parameters
    ----------
    values : (n,) float64
        Put into another order; no NaN.
    rank : int
        0 for the least.

    References
    ----------
    .. [1] Hoare, C. A. R. (1961). Algorithm 65: Find. Communications of the ACM 4(7), 321-322.
       doi:10.1145/366622.366647.
    """
    low, high = 0, len(values) - 1
    while low < high:
        first, middle, last = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(first, middle), min(max(first, middle), last))
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                kept = values[left]
                values[left] = values[right]
                values[right] = kept
                left += 1
                right -= 1
        if rank <= right:
            high = right
        elif rank >= left:
            low = left
        else:
            return float(values[rank])
    return float(values[rank])


@kernel()
def lowest(values: Floats, count: int, out: Floats) -> int:
    """Copy the ``count`` least values and some more; one pass where they are few.

    A sample tells below which value they lie; where it misleads, all values are copied.

    Parameters
    ----------
    values : (n,) float64
    count : int
        At most n.
    out : (n,) float64
        Out: its first places, in no order.

    Returns
    -------
    int
        How many were copied.
    """
    if len(values) > SAMPLE * SAMPLE_STEPS and count < len(values) // 4:
        sample = values[:: len(values) // SAMPLE].copy()
        rank = len(sample) * count // len(values)
        edge = select(sample, rank + 2 + 3 * int(math.sqrt(rank)))
        found = 0
        for index in range(len(values)):
            out[found] = values[index]
            found += 1 if values[index] <= edge else 0
        if found >= count:
            return found
    out[:] = values
    return len(values)


@kernel()
def shortfall(values: Floats, whole: int, part: float, out: Floats) -> None:
    """Write historical value at risk (an order statistic) and expected shortfall (ref. 1 and 2).

    Parameters
    ----------
    values : (n,) float64
        Returns; put into another order.
    whole, part : int and float
        What the tail holds: so many returns and, in [0, 1), that part of the next; not both 0.
    out : (2,) float64
        Losses.
    """
    rank = whole if part > 0.0 else whole - 1
    edge = select(values, rank)
    lowest = sum_of_values(values[:whole]) + part * edge
    out[0] = -edge
    out[1] = -min(edge, lowest / (whole + part))


@kernel()
def quantile_between(values: Floats, tail: float) -> float:
    """Return the quantile interpolated between two order statistics (Hyndman and Fan 7).

    Parameters
    ----------
    values : (n,) float64
        Put into another order; not empty.
    tail : float
        In [0, 1].
    """
    place = tail * (len(values) - 1)
    rank = int(place)
    low = select(values, rank)
    if place == rank:
        return low
    following = math.inf
    for index in range(rank + 1, len(values)):
        following = min(following, values[index])
    return low + (place - rank) * (following - low)


@kernel()
def moments_of(values: Floats, out: Floats) -> None:
    """Write mean, deviation (ddof = 1), skewness and excess kurtosis (both biased, 1/n).

    Parameters
    ----------
    values : (n,) float64
        Not empty.
    out : (4,) float64
        NaN where undefined: one value has no deviation, equal ones no skewness or kurtosis.
    """
    count = len(values)
    mean = values[0] + sum_of_distances(values, float(values[0])) / count
    squares = sum_of_squares(values, mean)
    out[0] = mean
    out[1] = math.sqrt(squares / (count - 1)) if count > 1 else math.nan
    out[2] = math.nan
    out[3] = math.nan
    if squares > 0.0:
        distance = values - mean
        square = distance * distance
        variance = squares / count
        out[2] = sum_of_values(square * distance) / count / (variance * math.sqrt(variance))
        out[3] = sum_of_values(square * square) / count / (variance * variance) - 3.0


@kernel()
def normal_tail(mean: float, deviation: float, tail: float, out: Floats) -> None:
    """Write value at risk and expected shortfall of a normal law.

    Parameters
    ----------
    mean, deviation : float
    tail : float
        In (0, 1).
    out : (2,) float64
    """
    z = normal.quantile(tail)
    out[0] = -(mean + deviation * z)
    out[1] = -mean + deviation * normal.density(z) / tail


@kernel()
def student_tail(mean: float, deviation: float, freedom: float, tail: float, out: Floats) -> None:
    """Write value at risk and expected shortfall of Student's law with a given deviation.

    Parameters
    ----------
    mean, deviation : float
    freedom : float
        Above 2.
    tail : float
        In (0, 1).
    out : (2,) float64
    """
    scale = deviation * math.sqrt((freedom - 2.0) / freedom)
    t = student_t.quantile(tail, freedom)
    beyond = student_t.density(t, freedom) * (freedom + t * t) / ((freedom - 1.0) * tail)
    out[0] = -(mean + scale * t)
    out[1] = -mean + scale * beyond


@kernel()
def cornish_fisher(moments: Floats, tail: float, out: Floats) -> None:
    """Write value at risk and expected shortfall of the Cornish-Fisher quantile (ref. 4).

    The shortfall is the average of that quantile over the tail, in closed form; it is not the
    "modified" one of other packages. Where skewness is not defined it is the normal law.

    Parameters
    ----------
    moments : (4,) float64
        As `moments_of` writes them.
    tail : float
        In (0, 1).
    out : (2,) float64
    """
    mean, deviation, skew, excess = moments[0], moments[1], moments[2], moments[3]
    if math.isnan(skew):
        normal_tail(mean, deviation, tail, out)
        return
    z = normal.quantile(tail)
    square = z * z
    bent = z + (square - 1.0) * skew / 6.0 + z * (square - 3.0) * excess / 24.0
    bent -= z * (2.0 * square - 5.0) * skew * skew / 36.0
    factor = 1.0 + z * skew / 6.0 + (square - 1.0) * excess / 24.0
    factor -= (2.0 * square - 1.0) * skew * skew / 36.0
    out[0] = -(mean + deviation * bent)
    out[1] = -mean + deviation * normal.density(z) / tail * factor


@kernel()
def is_monotone_below(skew: float, excess: float, z: float) -> bool:
    """Tell whether the Cornish-Fisher quantile rises all the way up to a normal quantile.

    Its slope is a parabola in z; where it is negative the expansion is outside its domain.

    Parameters
    ----------
    skew, excess : float
    z : float
    """
    bend = excess / 8.0 - skew * skew / 6.0
    tilt = skew / 3.0
    level = 1.0 - excess / 8.0 + 5.0 * skew * skew / 36.0
    if bend < 0.0 or (bend == 0.0 and tilt > 0.0):
        return False
    lowest = z
    if bend > 0.0:
        lowest = min(z, -tilt / (2.0 * bend))
    return level + lowest * (tilt + lowest * bend) >= 0.0


@kernel()
def sorted_push(ordered: Floats, ring: Floats, cursor: Integers, value: float) -> None:
    """Put a value into a rolling window that is kept in order, the oldest leaving; O(w) moves.

    Parameters
    ----------
    ordered : (w,) float64
        The window's values from the least on, as many as the cursor counts.
    ring : (w,) float64
        The same in the order in which they came.
    cursor : (2,) int64
        Count, next place of the ring; zeros at the start.
    value : float
        Not NaN.
    """
    count, place = int(cursor[0]), int(cursor[1])
    gap = count
    if count == len(ring):
        gap = int(np.searchsorted(ordered, ring[place]))
    else:
        cursor[0] = count + 1
    while gap > 0 and ordered[gap - 1] > value:
        ordered[gap] = ordered[gap - 1]
        gap -= 1
    while gap + 1 < count and ordered[gap + 1] < value:
        ordered[gap] = ordered[gap + 1]
        gap += 1
    ordered[gap] = value
    ring[place] = value
    cursor[1] = place + 1 if place + 1 < len(ring) else 0
