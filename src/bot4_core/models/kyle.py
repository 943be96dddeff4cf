"""Kyle (1985): what an informed trader does, what the price does, and lambda from data."""

import math
from collections.abc import Iterator
from enum import Enum
from typing import Self

import attrs
import numpy as np

from bot4_core.domain_types.validation import validate
from bot4_core.kernels import impact_kyle
from bot4_core.models.inputs import FloatInput, Floats, Inputs

__all__ = [
    "Auctions",
    "ContinuousAuction",
    "FlowMeasure",
    "ImpactEstimate",
    "ImpactRegression",
    "InformedMarket",
    "RegressionSettings",
    "SingleAuction",
    "continuous_auction",
    "regress",
    "sequential_auctions",
    "signed_root",
    "single_auction",
]


@attrs.frozen(kw_only=True)
class InformedMarket:
    """One insider among noise traders.

    Parameters
    ----------
    prior_variance : float
        Variance (not deviation) of the value that only the insider knows, price squared.
    noise : float
        Standard deviation of the noise traders' flow per square root of time, units.
    """

    prior_variance: float
    noise: float

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        for name, value in (("prior_variance", self.prior_variance), ("noise", self.noise)):
            if not 0.0 < value < math.inf:
                yield name, f"{value}, must be above 0 and finite: lambda is not defined"


@attrs.frozen(kw_only=True)
class SingleAuction:
    """Equilibrium of one auction (theorem 1).

    Attributes
    ----------
    impact : float
        lambda, price per unit of total flow.
    intensity : float
        beta, units that the insider orders per unit of mispricing.
    posterior_variance : float
        Half of the prior variance.
    expected_profit : float
        Of the insider before the value is known.
    """

    impact: float
    intensity: float
    posterior_variance: float
    expected_profit: float

    def order(self, value: float, price: float) -> float:
        """Return the insider's order when the asset is worth ``value``."""
        return self.intensity * (value - price)

    def price(self, price: float, flow: float) -> float:
        """Return the price after a total flow, insider's and noise."""
        return price + self.impact * flow

    def profit(self, value: float, price: float) -> float:
        """Return the insider's expected profit when the asset is worth ``value``."""
        return (value - price) ** 2 / (4.0 * self.impact)


@attrs.frozen(kw_only=True, eq=False)
class Auctions:
    """Equilibrium of N auctions (theorem 2); arrays as `kernels.impact_kyle.auctions` writes them.

    Attributes
    ----------
    impacts, intensities : (N,) float64
        lambda and beta (per unit of time).
    values, constants : (N + 1,) float64
        alpha and delta of the insider's profit still to come.
    variances : (N + 1,) float64
        What the market does not know before the first and after each auction.
    expected_profit : float
    """

    impacts: Floats
    intensities: Floats
    values: Floats
    constants: Floats
    variances: Floats
    expected_profit: float


@attrs.frozen(kw_only=True)
class ContinuousAuction:
    """The limit of ever more auctions between times 0 and 1 (theorem 3).

    Attributes
    ----------
    impact : float
    expected_profit : float
    prior_variance, noise : float
    """

    impact: float
    expected_profit: float
    prior_variance: float
    noise: float

    def variance(self, time: float) -> float:
        """Return what the market does not know at a time in [0, 1]."""
        return (1.0 - time) * self.prior_variance

    def intensity(self, time: float) -> float:
        """Return beta at a time in [0, 1); it grows without bound."""
        return self.noise / math.sqrt(self.prior_variance) / (1.0 - time)


def single_auction(market: InformedMarket) -> SingleAuction:
    """Return the equilibrium of one auction.

    Raises
    ------
    ValidationError
    """
    validate(market)
    deviation = math.sqrt(market.prior_variance)
    return SingleAuction(
        impact=0.5 * deviation / market.noise,
        intensity=market.noise / deviation,
        posterior_variance=0.5 * market.prior_variance,
        expected_profit=0.5 * market.noise * deviation,
    )


def sequential_auctions(market: InformedMarket, steps: FloatInput) -> Auctions:
    """Return the equilibrium of a sequence of auctions; O(N).

    Parameters
    ----------
    market : InformedMarket
    steps : (N,) float
        Time from each auction to the one before, above 0.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs(market)
    times = inputs.vector("steps", steps, least=1)
    inputs.require(bool(np.all(times > 0.0)), "steps", "must all be above 0")
    inputs.settle()
    auctions = Auctions(
        impacts=np.empty(len(times)),
        intensities=np.empty(len(times)),
        values=np.empty(len(times) + 1),
        constants=np.empty(len(times) + 1),
        variances=np.empty(len(times) + 1),
        expected_profit=math.nan,
    )
    impact_kyle.auctions(
        np.array([market.prior_variance, market.noise]),
        times,
        auctions.impacts,
        auctions.intensities,
        auctions.values,
        auctions.constants,
        auctions.variances,
    )
    profit = auctions.values[0] * market.prior_variance + auctions.constants[0]
    return attrs.evolve(auctions, expected_profit=float(profit))


def continuous_auction(market: InformedMarket) -> ContinuousAuction:
    """Return the limit in continuous time.

    Raises
    ------
    ValidationError
    """
    validate(market)
    deviation = math.sqrt(market.prior_variance)
    return ContinuousAuction(
        impact=deviation / market.noise,
        expected_profit=market.noise * deviation,
        prior_variance=market.prior_variance,
        noise=market.noise,
    )


class FlowMeasure(Enum):
    """What price changes are regressed on; the name of the estimator goes with its number.

    ``SIGNED_VOLUME`` is Kyle's lambda. ``SIGNED_ROOT_DOLLARS`` is Hasbrouck's: the sign times the
    square root of the dollar volume. Neither is a regression of absolute changes on unsigned
    volume, which is closer to Amihud's illiquidity.

    References
    ----------
    .. [1] Hasbrouck, J. (2009). Trading costs and returns for U.S. equities. Journal of Finance
       64(3), 1445-1477. doi:10.1111/j.1540-6261.2009.01469.x, section III.
    """

    SIGNED_VOLUME = "signed_volume"
    SIGNED_ROOT_DOLLARS = "signed_root_dollars"


@attrs.frozen(kw_only=True)
class RegressionSettings:
    """Which line is fitted, and to how much of the past.

    Parameters
    ----------
    measure : FlowMeasure
        ``SIGNED_ROOT_DOLLARS`` takes flows in dollars and roots them here.
    intercept : bool
        False forces the line through the origin.
    decay : float
        What earlier weights are multiplied by at each pair, in (0, 1]; 1 forgets nothing.
    window : int
        Only so many latest pairs count, at least 3; 0 for all of them.
    """

    measure: FlowMeasure = FlowMeasure.SIGNED_VOLUME
    intercept: bool = True
    decay: float = 1.0
    window: int = 0

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not 0.0 < self.decay <= 1.0:
            yield "decay", f"{self.decay} is not in (0, 1]"
        if self.window < 0 or 0 < self.window < 3:
            yield "window", f"{self.window}, must be 0 or at least 3"
        if self.window > 0 and self.decay != 1.0:
            yield "window", "a window and a decay exclude each other"


@attrs.frozen(kw_only=True)
class ImpactEstimate:
    """A fitted line; NaN where undefined (flow that never varied, too few pairs).

    Attributes
    ----------
    impact : float
        lambda: price per unit of flow, or per root dollar.
    intercept : float
    standard_error, t : float
        Classical, of the impact; a perfect fit has error 0 and an infinite t.
    r_squared : float
        Uncentred where there is no intercept.
    pairs : float
        How many, or how many equally weighted ones would say as much.
    """

    impact: float
    intercept: float
    standard_error: float
    t: float
    r_squared: float
    pairs: float

    @classmethod
    def of(cls, moments: Floats, *, intercept: bool) -> Self:
        """Return the line through the moments that the kernels keep."""
        out = np.empty(6)
        impact_kyle.estimate(moments, intercept, out)
        impact, constant, error, t, r_squared, pairs = out.tolist()
        return cls(
            impact=impact,
            intercept=constant,
            standard_error=error,
            t=t,
            r_squared=r_squared,
            pairs=pairs,
        )


class ImpactRegression:
    """Lambda that follows a stream; O(1) for each pair.

    Parameters
    ----------
    settings : RegressionSettings, optional

    Raises
    ------
    ValidationError
        If a setting breaks a rule.
    """

    def __init__(self, settings: RegressionSettings | None = None) -> None:
        self.settings = validate(settings if settings is not None else RegressionSettings())
        self._moments = np.zeros(impact_kyle.MOMENTS)
        self._window = np.zeros((self.settings.window, 2))
        self._cursor = np.zeros(3, np.int64)

    def add(self, flow: float, change: float) -> None:
        """Take in one signed flow and the price change that it came with.

        Raises
        ------
        ValidationError
            If one of them is not finite; neither is then taken in.
        """
        inputs = Inputs()
        inputs.require(math.isfinite(flow), "flow", f"{flow} is not finite")
        inputs.require(math.isfinite(change), "change", f"{change} is not finite")
        inputs.settle()
        if self.settings.measure is FlowMeasure.SIGNED_ROOT_DOLLARS:
            flow = signed_root(flow)
        if self.settings.window:
            impact_kyle.roll_pair(
                self._window, self._moments, self._cursor, float(flow), float(change)
            )
        else:
            decay = float(self.settings.decay)
            impact_kyle.add_pair(self._moments, float(flow), float(change), decay)

    def estimate(self) -> ImpactEstimate:
        """Return the line through what was taken in so far."""
        return ImpactEstimate.of(self._moments, intercept=self.settings.intercept)


def signed_root(dollars: float) -> float:
    """Return the sign times the square root, Hasbrouck's measure of a dollar flow."""
    return math.copysign(math.sqrt(abs(dollars)), dollars)


def regress(
    flows: FloatInput, changes: FloatInput, settings: RegressionSettings | None = None
) -> ImpactEstimate:
    """Return the line through pairs of signed flow and price change, as the stream ends with it.

    Parameters
    ----------
    flows, changes : (n,) float
    settings : RegressionSettings, optional

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    settings = settings if settings is not None else RegressionSettings()
    inputs = Inputs(settings)
    x, y = inputs.vector("flows", flows), inputs.vector("changes", changes)
    inputs.require(len(x) == len(y), "changes", f"{len(y)} for {len(x)} flows")
    inputs.settle()
    if settings.measure is FlowMeasure.SIGNED_ROOT_DOLLARS:
        x = np.copysign(np.sqrt(np.abs(x)), x)
    if settings.window:  # only those count, and in the order in which they came
        x, y = x[-settings.window :], y[-settings.window :]
    moments = np.zeros(impact_kyle.MOMENTS)
    impact_kyle.add_pairs(moments, x, y, float(settings.decay))
    return ImpactEstimate.of(moments, intercept=settings.intercept)
