"""Value at risk and expected shortfall (CVaR) of returns at any level; losses are positive.

Functions work per period of the returns, and nothing is scaled to another horizon. The default
is `historical`: its pair of definitions never lets the shortfall fall below the value at risk,
as mixing a quantile and a tail mean of other conventions may.
"""

import math
from decimal import Decimal
from typing import Final

import attrs
import numpy as np

from bot4_core.kernels import value_at_risk as kernels
from bot4_core.kernels.normal import quantile
from bot4_core.kernels.volatility import ewma_variances
from bot4_core.models.inputs import FloatInput, Floats, Inputs, MatrixInput

__all__ = [
    "ComponentRisk",
    "CornishFisherRisk",
    "RollingRisk",
    "TailRisk",
    "component_risk",
    "cornish_fisher",
    "ewma_filtered",
    "historical",
    "interpolated",
    "normal",
    "student",
]

LEVEL: Final = 0.95
SYMMETRIC: Final = 1e-9
"""Relative to the largest entry of a covariance."""


@attrs.frozen(kw_only=True)
class TailRisk:
    """What is lost at a level, and on average beyond it.

    Attributes
    ----------
    value_at_risk, expected_shortfall : float
        Share of the value that is lost; negative where even the tail gains.
    """

    value_at_risk: float
    expected_shortfall: float


@attrs.frozen(kw_only=True)
class CornishFisherRisk(TailRisk):
    """Risk of the Cornish-Fisher quantile.

    Attributes
    ----------
    is_monotone : bool
        False where the expansion is outside its domain: the quantile falls somewhere in the tail,
        and another estimate should be used.
    skewness, excess_kurtosis : float
        Biased (1/n); NaN for returns that are all equal, which count as normal.
    """

    is_monotone: bool
    skewness: float
    excess_kurtosis: float


@attrs.frozen(kw_only=True, eq=False)
class ComponentRisk:
    """Normal value at risk of a portfolio, taken apart.

    Attributes
    ----------
    value_at_risk : float
    marginal : (n,) float64
        What a little more of each asset adds.
    components : (n,) float64
        Shares of the whole; they add up to it.
    """

    value_at_risk: float
    marginal: Floats
    components: Floats


def _checked(
    returns: FloatInput, level: float, least: int, name: str = "returns"
) -> tuple[Inputs, Floats]:
    inputs = Inputs()
    values = inputs.vector(name, returns, least=least)
    inputs.require(0.0 < level < 1.0, "level", f"{level} is not in (0, 1)")
    return inputs, values


def _tail(level: float) -> Decimal:
    """Return what is left of 1, by the digits of the level rather than its bits."""
    return 1 - Decimal(repr(float(level)))


def _risk(out: Floats) -> TailRisk:
    return TailRisk(value_at_risk=float(out[0]), expected_shortfall=float(out[1]))


def historical(returns: FloatInput, level: float = LEVEL) -> TailRisk:
    """Return the loss of an order statistic, and the average of the worst ``n (1 - level)``.

    Parameters
    ----------
    returns : (n,) float
        One or more simple returns.
    level : float
        In (0, 1).

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs, values = _checked(returns, level, 1)
    inputs.settle()
    return _risk(_shortfall(values, _tail(level)))


def _shortfall(values: Floats, tail: Decimal) -> Floats:
    held, out, scratch = len(values) * tail, np.empty(2), np.empty(len(values))
    whole = int(held)
    found = kernels.lowest(values, min(whole + 1, len(values)), scratch)
    kernels.shortfall(scratch[:found], whole, float(held - whole), out)
    return out


def interpolated(returns: FloatInput, level: float = LEVEL) -> TailRisk:
    """Return the loss of an interpolated quantile, and the mean of returns at most as high.

    These are the conventions of numpy and empyrical, for comparison.

    Parameters
    ----------
    returns : (n,) float
        One or more.
    level : float

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs, values = _checked(returns, level, 1)
    inputs.settle()
    edge = kernels.quantile_between(values.copy(), float(_tail(level)))
    beyond = values[values <= edge]
    mean = float(np.mean(beyond)) if len(beyond) else edge
    return TailRisk(value_at_risk=-edge, expected_shortfall=-mean)


def _moments(returns: FloatInput, level: float, freedom: float = math.inf) -> Floats:
    inputs, values = _checked(returns, level, 2)
    inputs.require(freedom > 2.0, "freedom", f"{freedom}, must be above 2 to have a deviation")
    inputs.settle()
    moments = np.empty(4)
    kernels.moments_of(values, moments)
    return moments


def normal(returns: FloatInput, level: float = LEVEL) -> TailRisk:
    """Return the risk of the normal law with the mean and deviation (ddof = 1) of returns.

    Parameters
    ----------
    returns : (n,) float
        Two or more.
    level : float

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    moments, out = _moments(returns, level), np.empty(2)
    kernels.normal_tail(float(moments[0]), float(moments[1]), float(_tail(level)), out)
    return _risk(out)


def student(returns: FloatInput, freedom: float, level: float = LEVEL) -> TailRisk:
    """Return the risk of Student's law with the mean and deviation (ddof = 1) of returns.

    Parameters
    ----------
    returns : (n,) float
        Two or more.
    freedom : float
        Degrees of freedom, above 2.
    level : float

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    moments, out = _moments(returns, level, freedom), np.empty(2)
    mean, deviation, tail = float(moments[0]), float(moments[1]), float(_tail(level))
    kernels.student_tail(mean, deviation, float(freedom), tail, out)
    return _risk(out)


def cornish_fisher(returns: FloatInput, level: float = LEVEL) -> CornishFisherRisk:
    """Return the risk of a normal quantile bent by skewness and kurtosis.

    Parameters
    ----------
    returns : (n,) float
        Two or more.
    level : float

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    moments, out = _moments(returns, level), np.empty(2)
    tail = float(_tail(level))
    kernels.cornish_fisher(moments, tail, out)
    skewness, excess = float(moments[2]), float(moments[3])
    known = not math.isnan(skewness)
    return CornishFisherRisk(
        value_at_risk=float(out[0]),
        expected_shortfall=float(out[1]),
        is_monotone=not known or kernels.is_monotone_below(skewness, excess, quantile(tail)),
        skewness=skewness,
        excess_kurtosis=excess,
    )


def ewma_filtered(
    returns: FloatInput, level: float = LEVEL, decay: float = 0.94, first: float = math.nan
) -> TailRisk:
    """Return the risk of the next period: normal, mean 0, deviation by EWMA (RiskMetrics).

    Parameters
    ----------
    returns : (n,) float
        One or more.
    level : float
    decay : float
        In (0, 1).
    first : float
        Variance forecast before the first return; NaN takes that return squared.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs, values = _checked(returns, level, 1)
    inputs.require(0.0 < decay < 1.0, "decay", f"{decay} is not in (0, 1)")
    sound = math.isnan(first) or 0.0 <= first < math.inf
    inputs.require(sound, "first", f"{first}, must be at least 0 and finite, or NaN")
    inputs.settle()
    variances, out = np.empty(len(values) + 1), np.empty(2)
    ewma_variances(values, float(decay), float(first), variances)
    kernels.normal_tail(0.0, math.sqrt(variances[-1]), float(_tail(level)), out)
    return _risk(out)


def component_risk(
    weights: FloatInput, covariance: MatrixInput, level: float = LEVEL
) -> ComponentRisk:
    """Take the normal value at risk (mean 0) of a portfolio apart; a perfect hedge has none.

    Parameters
    ----------
    weights : (n,) float
    covariance : (n, n) float
        Symmetric.
    level : float

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs, shares = _checked(weights, level, 1, "weights")
    matrix = inputs.matrix("covariance", covariance)
    fits = matrix.shape == (len(shares), len(shares))
    if matrix.size and len(shares):
        inputs.require(fits, "covariance", f"{matrix.shape}, must fit {len(shares)} weights")
    if matrix.size and matrix.shape[0] == matrix.shape[1]:
        skew = float(np.max(np.abs(matrix - matrix.T)))
        even = skew <= SYMMETRIC * float(np.max(np.abs(matrix)))
        inputs.require(even, "covariance", f"is not symmetric by {skew}")
    inputs.settle()
    pull = matrix @ shares
    variance = float(shares @ pull)
    deviations = -quantile(float(_tail(level)))
    deviation = math.sqrt(max(0.0, variance))
    marginal = deviations * pull / deviation if deviation > 0.0 else np.zeros(len(shares))
    return ComponentRisk(
        value_at_risk=deviations * deviation, marginal=marginal, components=shares * marginal
    )


class RollingRisk:
    """Historical risk of the last returns, kept in order; O(window) moves for each return.

    Parameters
    ----------
    window : int
        Returns, at least 1.
    level : float
        In (0, 1).

    Raises
    ------
    ValidationError
        With every fault at once.
    """

    def __init__(self, window: int, level: float = LEVEL) -> None:
        inputs = Inputs()
        inputs.require(window >= 1, "window", f"{window}, must be at least 1")
        inputs.require(0.0 < level < 1.0, "level", f"{level} is not in (0, 1)")
        inputs.settle()
        self._tail = _tail(level)
        self._ordered, self._ring = np.zeros(window), np.zeros(window)
        self._cursor = np.zeros(2, np.int64)

    def add(self, value: float) -> None:
        """Take in a return, the oldest making room.

        Raises
        ------
        ValidationError
            If it is not finite.
        """
        inputs = Inputs()
        inputs.require(math.isfinite(value), "value", f"{value} is not finite")
        inputs.settle()
        kernels.sorted_push(self._ordered, self._ring, self._cursor, float(value))

    def risk(self) -> TailRisk:
        """Return the historical risk of what is in the window; NaN while it is empty."""
        count = int(self._cursor[0])
        if count == 0:
            return _risk(np.full(2, math.nan))
        return _risk(_shortfall(self._ordered[:count], self._tail))
