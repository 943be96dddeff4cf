"""How informed trading moves a price (Kyle 1985), and the impact of flow measured by regression.

An asset is worth ``v``, normal with variance ``prior_variance`` (price squared). Noise traders
send flow of standard deviation ``noise`` per square root of time. Prices are quote per unit, flow
in units, impacts (lambda) in price per unit.

References
----------
.. [1] Kyle, A. S. (1985). Continuous auctions and insider trading. Econometrica 53(6), 1315-1335.
   doi:10.2307/1913210, theorems 1 to 3.
.. [2] West, D. H. D. (1979). Updating mean and variance estimates: an improved method.
   Communications of the ACM 22(9), 532-535. doi:10.1145/359146.359153.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = [
    "CHANGE_MEAN",
    "FLOW_MEAN",
    "MOMENTS",
    "add_pair",
    "add_pairs",
    "auctions",
    "estimate",
    "roll_pair",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOMENTS: Final = 7
WEIGHT: Final = 0  # sum of weights
SQUARED_WEIGHT: Final = 1  # sum of squared weights
FLOW_MEAN: Final = 2
CHANGE_MEAN: Final = 3
FLOW_SQUARES: Final = 4  # weighted sums of products of distances from the means
PRODUCTS: Final = 5
CHANGE_SQUARES: Final = 6
CANCELLATION: Final = 2.0**-20


@kernel()
def _scaled_impact(value: float) -> float:
    """Return the root x of ``(1 - x**2) (1 - value x) = 1/2`` below 1 and ``1 / value``.

    ``x`` is the impact times the ratio of noise to remaining uncertainty; both factors fall, so
    the root is single, and Newton's step is kept inside the bracket.
    """
    low, high = 0.0, 1.0 if value <= 1.0 else 1.0 / value
    x = 0.5 * high
    while True:
        noise, profit = 1.0 - x * x, 1.0 - value * x
        excess = noise * profit - 0.5
        if excess > 0.0:
            low = x
        else:
            high = x
        step = x + excess / (2.0 * x * profit + value * noise)
        following = step if low < step < high else 0.5 * (low + high)
        if not low < following < high or following == x:
            return x
        x = following


@kernel()
def auctions(
    market: Floats,
    steps: Floats,
    impacts: Floats,
    intensities: Floats,
    values: Floats,
    constants: Floats,
    variances: Floats,
) -> None:
    """Write the equilibrium of sequential auctions (Kyle 1985, theorem 2); O(N).

    The recursion runs backward from a last variance of 1, and everything is rescaled so that the
    first variance is the given one, which needs no search.

    Parameters
    ----------
    market : (2,) float64
        Prior variance, noise; both above 0.
    steps : (N,) float64
        Time from each auction to the one before, above 0.
    impacts : (N,) float64
        Out: lambda, price per unit of flow.
    intensities : (N,) float64
        Out: beta, units per price and time; the order is ``beta * step * (v - price)``.
    values, constants : (N + 1,) float64
        Out: alpha and delta of the insider's expected profit
        ``alpha * (v - price)**2 + delta``.
    variances : (N + 1,) float64
        Out: what is left of the prior variance after each auction.
    """
    noise = market[1]
    variances[len(steps)] = 1.0
    values[len(steps)] = 0.0
    constants[len(steps)] = 0.0
    for index in range(len(steps) - 1, -1, -1):
        left, after = variances[index + 1], values[index + 1]
        ratio = noise * math.sqrt(steps[index] / left)
        x = _scaled_impact(after / ratio)
        impact = x / ratio
        impacts[index] = impact
        intensities[index] = impact * noise * noise / left
        variances[index] = left / (1.0 - x * x)
        values[index] = 1.0 / (4.0 * impact * (1.0 - after * impact))
        constants[index] = constants[index + 1] + after * left * x * x
    scale = market[0] / variances[0]
    root = math.sqrt(scale)
    for index in range(len(steps)):
        impacts[index] *= root
        intensities[index] /= root
    for index in range(len(steps) + 1):
        variances[index] *= scale
        values[index] /= root
        constants[index] *= root
    variances[0] = market[0]


@kernel()
def add_pair(moments: Floats, flow: float, change: float, decay: float) -> None:
    """Add one flow and the price change it came with to the moments of all so far; O(1).

    Parameters
    ----------
    moments : (7,) float64
        Zeros at the start, changed in place.
    flow : float
        Signed, positive for buying.
    change : float
        Of the price.
    decay : float
        What earlier weights are multiplied by; 1.0 forgets nothing.
    """
    weight = decay * moments[WEIGHT] + 1.0
    moments[WEIGHT] = weight
    moments[SQUARED_WEIGHT] = decay * decay * moments[SQUARED_WEIGHT] + 1.0
    flow_distance = flow - moments[FLOW_MEAN]
    change_distance = change - moments[CHANGE_MEAN]
    moments[FLOW_MEAN] += flow_distance / weight
    moments[CHANGE_MEAN] += change_distance / weight
    left = change - moments[CHANGE_MEAN]
    moments[FLOW_SQUARES] = decay * moments[FLOW_SQUARES] + flow_distance * (
        flow - moments[FLOW_MEAN]
    )
    moments[PRODUCTS] = decay * moments[PRODUCTS] + flow_distance * left
    moments[CHANGE_SQUARES] = decay * moments[CHANGE_SQUARES] + change_distance * left


@kernel()
def add_pairs(moments: Floats, flows: Floats, changes: Floats, decay: float) -> None:
    """Call `add_pair` for every pair of two arrays.

    Parameters
    ----------
    moments : (7,) float64
    flows, changes : (n,) float64
    decay : float
    """
    for index in range(len(flows)):
        add_pair(moments, flows[index], changes[index], decay)


@kernel()
def _remove_pair(moments: Floats, flow: float, change: float) -> None:
    """Take a pair of weight 1 out of the moments."""
    weight = moments[WEIGHT] - 1.0
    flow_distance = flow - moments[FLOW_MEAN]
    change_distance = change - moments[CHANGE_MEAN]
    moments[WEIGHT] = weight
    moments[SQUARED_WEIGHT] = weight
    moments[FLOW_MEAN] -= flow_distance / weight
    moments[CHANGE_MEAN] -= change_distance / weight
    left = change - moments[CHANGE_MEAN]
    moments[FLOW_SQUARES] -= flow_distance * (flow - moments[FLOW_MEAN])
    moments[PRODUCTS] -= flow_distance * left
    moments[CHANGE_SQUARES] -= change_distance * left


@kernel()
def roll_pair(
    window: Floats, moments: Floats, cursor: Integers, flow: float, change: float
) -> None:
    """Put a pair into a rolling window, the oldest making room; O(1) on average.

    The moments are counted anew once a window length, and whenever an outlier leaves.

    Parameters
    ----------
    window : (w, 2) float64
        Flows and changes, in a ring; w at least 2.
    moments : (7,) float64
    cursor : (3,) int64
        Count, next position, pushes since the last count; zeros at the start.
    flow, change : float
    """
    count, position = int(cursor[0]), int(cursor[1])
    flows, changes = moments[FLOW_SQUARES], moments[CHANGE_SQUARES]
    if count == len(window):
        _remove_pair(moments, window[position, 0], window[position, 1])
    else:
        cursor[0] = count + 1
    lost = (
        moments[FLOW_SQUARES] < flows * CANCELLATION
        or moments[CHANGE_SQUARES] < changes * CANCELLATION
    )
    add_pair(moments, flow, change, 1.0)
    window[position, 0] = flow
    window[position, 1] = change
    cursor[1] = position + 1 if position + 1 < len(window) else 0
    cursor[2] += 1
    if lost or cursor[2] >= len(window):
        moments[:] = 0.0
        for index in range(cursor[0]):
            add_pair(moments, window[index, 0], window[index, 1], 1.0)
        cursor[2] = 0


@kernel()
def estimate(moments: Floats, with_intercept: bool, out: Floats) -> None:
    """Write the least-squares impact of flow on price, with classical standard errors.

    Under forgetting the number of pairs is the effective one,
    ``(sum of weights)**2 / (sum of squared weights)``.

    Parameters
    ----------
    moments : (7,) float64
    with_intercept : bool
        False forces the line through the origin, and R squared is then uncentred.
    out : (6,) float64
        Impact, intercept, standard error and t of the impact, R squared, number of pairs.
        NaN where undefined: flow that never varies has no impact, too few pairs no error.
    """
    out[:] = math.nan
    weight = moments[WEIGHT]
    pairs = weight * weight / moments[SQUARED_WEIGHT] if weight > 0.0 else 0.0
    out[5] = pairs
    flows, products, changes = moments[FLOW_SQUARES], moments[PRODUCTS], moments[CHANGE_SQUARES]
    if not with_intercept:
        flow_mean, change_mean = moments[FLOW_MEAN], moments[CHANGE_MEAN]
        flows += weight * flow_mean * flow_mean
        products += weight * flow_mean * change_mean
        changes += weight * change_mean * change_mean
    if not flows > 0.0:
        return
    slope = products / flows
    out[0] = slope
    out[1] = moments[CHANGE_MEAN] - slope * moments[FLOW_MEAN] if with_intercept else 0.0
    unexplained = max(0.0, changes - slope * products)
    if changes > 0.0:
        out[4] = 1.0 - unexplained / changes
    free = pairs - (2.0 if with_intercept else 1.0)
    if free > 0.0:
        out[2] = math.sqrt(unexplained / flows / free)
        if out[2] > 0.0:
            out[3] = slope / out[2]
        elif slope != 0.0:
            out[3] = math.copysign(math.inf, slope)
