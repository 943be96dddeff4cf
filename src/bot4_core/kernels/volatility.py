"""Volatility estimates: per period (EWMA) and per square-root second (rolling, time-aware)."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.stats import rolling_push, rolling_std

__all__ = ["ewma_step", "ewma_variances", "sample_push", "sample_volatility"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

NANOSECOND: Final = 1e-9


@kernel()
def ewma_step(variance: float, value: float, decay: float) -> float:
    """Return the variance forecast after one more return, whose mean is taken as zero.

    Parameters
    ----------
    variance : float
        Forecast made before the return.
    value : float
        Return of the period (the RiskMetrics convention is a log return).
    decay : float
        Weight of the past, 0.94 for daily data.

    References
    ----------
    .. [1] J.P. Morgan/Reuters (1996). RiskMetrics Technical Document, 4th ed., eq. 5.3.
    """
    return decay * variance + (1.0 - decay) * (value * value)


@kernel()
def ewma_variances(returns: Floats, decay: float, first: float, out: Floats) -> None:
    """Write the variance forecast before each return, and the one after the last.

    Parameters
    ----------
    returns : (n,) float64
    decay : float
    first : float
        Forecast before the first return; NaN takes the first return squared.
    out : (n + 1,) float64
        Per-period variances, not annualised.
    """
    if len(returns) == 0:
        out[0] = first
        return
    variance = first if first == first else returns[0] * returns[0]  # noqa: PLR0124  # NaN
    for index in range(len(returns)):
        out[index] = variance
        variance = ewma_step(variance, returns[index], decay)
    out[len(returns)] = variance


@kernel(inline=True)
def sample_push(
    window: Floats, moments: Floats, cursor: Integers, change: float, elapsed: int
) -> None:
    """Put a change of level over a span of time into a rolling window, per square-root second.

    Parameters
    ----------
    window : (w,) float64
    moments : (2,) float64
    cursor : (3,) int64
    change : float
        Quote units.
    elapsed : int
        Nanoseconds, above zero.
    """
    rolling_push(window, moments, cursor, change / math.sqrt(elapsed * NANOSECOND))


@kernel(inline=True)
def sample_volatility(moments: Floats, cursor: Integers, minimum: int) -> float:
    """Return the standard deviation (ddof = 1) per square-root second; NaN while warming up.

    Parameters
    ----------
    moments : (2,) float64
    cursor : (3,) int64
    minimum : int
        Samples below which there is no estimate, at least 2.
    """
    if cursor[0] < minimum:
        return math.nan
    return rolling_std(moments, cursor)
