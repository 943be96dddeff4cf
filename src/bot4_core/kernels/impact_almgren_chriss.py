"""Optimal execution under linear impact (Almgren and Chriss 2001).

A position of ``X`` units is sold (bought, where negative) over N slices of length ``step``. Each
unit a slice trades moves the price by ``permanent`` for good, and costs ``fixed`` plus
``temporary * units / step``. ``x`` are the N + 1 holdings from X to 0, ``n`` the N trades.
With ``eta = temporary - permanent * step / 2``, equations 5, 8 and 24:

    cost     = permanent X**2 / 2 + fixed sum|n| + (eta / step) sum n**2 - drift step sum x
    variance = volatility**2 step sum x**2          over x_1 to x_N

Volatility is in price per square root of time, not a return.

References
----------
.. [1] Almgren, R. and Chriss, N. (2001). Optimal execution of portfolio transactions. Journal of
   Risk 3(2), 5-39. doi:10.21314/JOR.2001.041, equations 3 to 27.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.elementary import exp, expm1, log, log1p
from bot4_core.kernels.lanes import dot, sum_of_values

__all__ = [
    "COST",
    "DRIFT",
    "FIXED",
    "PERMANENT",
    "TEMPORARY",
    "TERMS",
    "VARIANCE",
    "VOLATILITY",
    "cost_of",
    "decay_rate",
    "frontier",
    "next_holding",
    "round_lots",
    "trajectory",
    "value_at_risk_aversion",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TERMS: Final = 5
VOLATILITY: Final = 0
FIXED: Final = 1
PERMANENT: Final = 2
TEMPORARY: Final = 3
DRIFT: Final = 4
COST: Final = 0
VARIANCE: Final = 1
STRAIGHT: Final = 1e-100  # a decay over the whole horizon below it bends nothing
LARGE: Final = 1e100
DOUBLINGS: Final = 400


@kernel()
def _net_impact(terms: Floats, step: float) -> float:
    """Return the temporary impact less the part of the permanent one that it contains."""
    return float(terms[TEMPORARY] - 0.5 * terms[PERMANENT] * step)


@kernel()
def decay_rate(aversion: float, terms: Floats, step: float) -> float:
    """Return kappa: holdings fall by e in a time of 1 / kappa.

    The root of ``2 (cosh(kappa step) - 1) / step**2 = aversion volatility**2 / eta`` is taken
    by the inverse hyperbolic sine of half the argument, which loses no digits where it is small.

    Parameters
    ----------
    aversion : float
        Cost given up for one unit of variance (lambda), at least 0; +inf trades at once.
    terms : (5,) float64
        Volatility, fixed, permanent and temporary cost, drift.
    step : float
    """
    volatility = float(terms[VOLATILITY])
    if volatility == 0.0:
        return 0.0
    half = 0.5 * step * volatility * math.sqrt(aversion / _net_impact(terms, step))
    if half > LARGE:
        return 2.0 / step * log(2.0 * half)
    return 2.0 / step * log1p(half + half * half / (1.0 + math.sqrt(1.0 + half * half)))


@kernel()
def _remaining(left: float, whole: float, decay: float) -> float:
    """Return ``sinh(decay left) / sinh(decay whole)`` without overflow."""
    if decay * whole < STRAIGHT:
        return left / whole
    fall = exp(-decay * (whole - left))
    return fall * (expm1(-2.0 * decay * left) / expm1(-2.0 * decay * whole))


@kernel()
def next_holding(held: float, decay: float, left: float, step: float) -> float:
    """Return what to hold one slice later, from what is held now; the plan is time-consistent.

    Parameters
    ----------
    held : float
        Now, whatever the plan had been.
    decay : float
        kappa, without drift.
    left : float
        Time to the end, at least ``step``.
    step : float
    """
    if decay == math.inf:
        return 0.0
    return held * _remaining(left - step, left, decay)


@kernel()
def _drift_share(passed: float, left: float, decay: float) -> float:
    """Return ``1 - (sinh(decay left) + sinh(decay passed)) / sinh(decay (left + passed))``."""
    away = expm1(-decay * passed) * expm1(-decay * left)
    return away / (1.0 + exp(-decay * (passed + left)))


@kernel()
def trajectory(quantity: float, aversion: float, terms: Floats, step: float, out: Floats) -> None:
    """Write the holdings that minimise ``cost + aversion * variance`` (eq. 17 and 26); O(N).

    Parameters
    ----------
    quantity : float
    aversion : float
        At least 0; +inf trades all in the first slice.
    terms : (5,) float64
    step : float
    out : (N + 1,) float64
        Holdings from ``quantity`` to 0.
    """
    slices = len(out) - 1
    drift, volatility = float(terms[DRIFT]), float(terms[VOLATILITY])
    decay = decay_rate(aversion, terms, step)
    out[:] = 0.0
    out[0] = quantity
    if decay == math.inf:
        return
    whole = step * slices
    bends = decay * whole >= STRAIGHT
    if bends:
        target = 0.5 * drift / volatility / aversion / volatility
    else:
        target = 0.25 * drift / _net_impact(terms, step)
    for index in range(1, slices):
        passed, left = step * index, step * (slices - index)
        share = _drift_share(passed, left, decay) if bends else passed * left
        out[index] = quantity * _remaining(left, whole, decay) + target * share


@kernel()
def cost_of(holdings: Floats, terms: Floats, step: float, out: Floats) -> None:
    """Write expected cost and variance of any schedule, optimal or not (eq. 5, 8 and 24).

    Parameters
    ----------
    holdings : (N + 1,) float64
    terms : (5,) float64
    step : float
    out : (2,) float64
        Cost (positive is a loss) in quote, variance in quote squared.
    """
    trades = holdings[:-1] - holdings[1:]
    quantity = holdings[0] - holdings[-1]
    spread = terms[FIXED] * sum_of_values(np.abs(trades))
    own = _net_impact(terms, step) / step * dot(trades, trades)
    drift = terms[DRIFT] * step * sum_of_values(holdings[1:])
    at_risk = holdings[1:] * terms[VOLATILITY]
    out[COST] = 0.5 * terms[PERMANENT] * quantity * quantity + spread + own - drift
    out[VARIANCE] = step * dot(at_risk, at_risk)


@kernel()
def frontier(
    quantity: float, aversions: Floats, terms: Floats, step: float, holdings: Floats, out: Floats
) -> None:
    """Write cost and variance of the optimal schedule for each risk aversion; O(k N).

    Parameters
    ----------
    quantity : float
    aversions : (k,) float64
    terms : (5,) float64
    step : float
    holdings : (N + 1,) float64
        Scratch.
    out : (k, 2) float64
    """
    for index in range(len(aversions)):
        trajectory(quantity, aversions[index], terms, step, holdings)
        cost_of(holdings, terms, step, out[index])


@kernel()
def _deviation(
    quantity: float, aversion: float, terms: Floats, step: float, holdings: Floats
) -> float:
    """Return the standard deviation of the optimal schedule's cost."""
    trajectory(quantity, aversion, terms, step, holdings)
    return float(terms[VOLATILITY]) * math.sqrt(step * dot(holdings[1:], holdings[1:]))


@kernel()
def value_at_risk_aversion(
    quantity: float, quantile: float, terms: Floats, step: float, holdings: Floats
) -> float:
    """Return the risk aversion whose schedule has the least ``cost + quantile * deviation``.

    At it ``2 aversion deviation = quantile``, and the left side grows with aversion, so it is
    found by halving.

    Parameters
    ----------
    quantity, quantile : float
        The quantile is at least 0.
    terms : (5,) float64
    step : float
    holdings : (N + 1,) float64
        Scratch.

    Returns
    -------
    float
        +inf where trading all in the first slice is best.
    """
    if quantile == 0.0 or terms[VOLATILITY] == 0.0:
        return 0.0
    spread = float(terms[VOLATILITY]) * step * (len(holdings) - 1)
    low, high = 0.0, min(_net_impact(terms, step) / spread / spread, 1.0 / STRAIGHT)
    for _ in range(DOUBLINGS):
        if 2.0 * high * _deviation(quantity, high, terms, step, holdings) >= quantile:
            break
        low, high = high, 2.0 * high
    else:
        return math.inf
    middle = 0.5 * (low + high)
    while low < middle < high:
        if 2.0 * middle * _deviation(quantity, middle, terms, step, holdings) >= quantile:
            high = middle
        else:
            low = middle
        middle = 0.5 * (low + high)
    return high


@kernel()
def round_lots(trades: Floats, lots: int, out: Integers) -> None:
    """Split whole lots in the proportions of trades, by largest remainders; O(N**2).

    The sum is kept to the lot, a larger trade never gets fewer lots, and of equal remainders the
    earliest trade is served first.

    Parameters
    ----------
    trades : (N,) float64
        Their sum is not 0.
    lots : int
        Signed, below 2**40 in size.
    out : (N,) int64
    """
    size, sign = (lots, 1) if lots >= 0 else (-lots, -1)
    scale = float(size) / sum_of_values(trades)
    remainders = np.empty(len(trades))
    left = size
    for index in range(len(trades)):
        share = trades[index] * scale
        whole = math.floor(share)
        out[index] = whole
        remainders[index] = share - whole
        left -= int(whole)
    for _ in range(left):
        largest = 0
        for index in range(1, len(trades)):
            if remainders[index] > remainders[largest]:
                largest = index
        remainders[largest] -= 1.0
        out[largest] += 1
    for index in range(len(trades)):
        out[index] *= sign
