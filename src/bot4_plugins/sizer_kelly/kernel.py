"""The compiled Kelly stake."""

import math
from enum import IntEnum
from typing import Final

import numpy as np

from bot4_core.jit import kernel
from bot4_core.kernels.contracts import size_value

Row = np.void

LARGEST: Final = 2.0**62


class KellyParam(IntEnum):
    """Slots of the parameter row's floats."""

    FRACTION = 0
    CAP = 1


class KellyValue(IntEnum):
    """Slots of the state row's floats that explain the last size."""

    FULL_KELLY = 0
    AFTER_FRACTION = 1
    AFTER_CAP = 2
    TARGET = 3  # scaled position


@kernel()
def kelly_share(edge: float, variance: float) -> float:
    """Return the growth-optimal share of wealth to hold.

    Parameters
    ----------
    edge : float
        Expected return over the horizon, above the riskless rate.
    variance : float
        Variance of that return.

    Returns
    -------
    float
        ``edge / variance``; 0 for no positive edge, +inf for an edge without variance.

    References
    ----------
    .. [1] Thorp, E. O. (2006). The Kelly criterion in blackjack, sports betting and the stock
       market. Handbook of Asset and Liability Management, vol. 1, eq. 7.3.
    """
    if not edge > 0.0 or math.isnan(variance):
        return 0.0
    return edge / variance if variance > 0.0 else math.inf


@kernel()
def size(signal: Row, view: Row, state: Row, params: Row) -> int:
    """Return the scaled size that brings the position to the Kelly target on the signal's side."""
    values = state["f"]
    full = kelly_share(float(signal["edge"]), float(signal["variance"]))
    fractional = full * float(params["f"][KellyParam.FRACTION])
    capped = min(fractional, float(params["f"][KellyParam.CAP])) * float(signal["strength"])
    value = size_value(view)
    equity = float(view["equity"])
    values[KellyValue.FULL_KELLY] = full
    values[KellyValue.AFTER_FRACTION] = fractional
    values[KellyValue.AFTER_CAP] = capped
    values[KellyValue.TARGET] = 0.0
    if not (equity > 0.0 and value > 0.0 and capped > 0.0):
        return 0
    target = capped * equity / value
    values[KellyValue.TARGET] = target
    wanted = target - float(signal["side"] * view["position"])
    if not 0.0 < wanted < LARGEST:
        return 0
    lot = int(view["lot"])
    return int(wanted) // lot * lot
