"""Almgren and Chriss (2001): how fast to trade, what it costs, and how sure that is."""

import math
from collections.abc import Iterator

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.kernels import impact_almgren_chriss as kernels
from bot4_core.kernels.normal import quantile
from bot4_core.models.inputs import FloatInput, Floats, Inputs

__all__ = [
    "ExecutionProblem",
    "Frontier",
    "Schedule",
    "ValueAtRiskSchedule",
    "cost_of_trades",
    "efficient_frontier",
    "in_lots",
    "next_holding",
    "optimal_schedule",
    "value_at_risk_schedule",
]

MOST_LOTS = 2**40
SAME = 1e-9
"""Trades add up to the quantity within this share of it."""


@attrs.frozen(kw_only=True)
class ExecutionProblem:
    """What is to be traded, and what trading costs.

    Parameters
    ----------
    quantity : float
        Units to sell, negative to buy.
    horizon : float
        Time within which it must be done.
    slices : int
        Of equal length.
    volatility : float
        Price per square root of time (not a return).
    fixed_cost : float
        Price per unit, whatever the speed: half the spread and the fee (epsilon).
    permanent_impact : float
        Price per unit, for good (gamma).
    temporary_impact : float
        Price per unit of speed (eta). ``temporary - permanent * step / 2`` must be above 0, or
        a faster trade would cost less.
    drift : float
        Expected change of the price per unit of time (alpha).
    """

    quantity: float
    horizon: float
    slices: int
    volatility: float
    temporary_impact: float
    permanent_impact: float = 0.0
    fixed_cost: float = 0.0
    drift: float = 0.0

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        for name in ("quantity", "drift"):
            if not math.isfinite(getattr(self, name)):
                yield name, f"{getattr(self, name)} is not finite"
        for name in ("volatility", "fixed_cost", "permanent_impact"):
            if not 0.0 <= getattr(self, name) < math.inf:
                yield name, f"{getattr(self, name)}, must be at least 0 and finite"
        if not 0.0 < self.horizon < math.inf:
            yield "horizon", f"{self.horizon}, must be above 0 and finite"
        if self.slices < 1:
            yield "slices", f"{self.slices}, must be at least 1"
        elif not 0.0 < self.net_impact < math.inf:
            yield "temporary_impact", f"exceeds permanent * step / 2 by {self.net_impact}, not > 0"

    @property
    def step(self) -> float:
        """Length of a slice."""
        return self.horizon / self.slices

    @property
    def net_impact(self) -> float:
        """Temporary impact less half of what a slice moves the price for good."""
        return self.temporary_impact - 0.5 * self.permanent_impact * self.step

    def terms(self) -> Floats:
        """Return the row that kernels read."""
        terms = np.empty(kernels.TERMS)
        terms[kernels.VOLATILITY] = self.volatility
        terms[kernels.FIXED] = self.fixed_cost
        terms[kernels.PERMANENT] = self.permanent_impact
        terms[kernels.TEMPORARY] = self.temporary_impact
        terms[kernels.DRIFT] = self.drift
        return terms


@attrs.frozen(kw_only=True, eq=False)
class Schedule:
    """Holdings over time and what they are expected to cost.

    Attributes
    ----------
    holdings : (N + 1,) float64
        From the quantity to 0.
    trades : (N,) float64
        What each slice sells (buys, where negative).
    expected_cost : float
        Quote, positive is a loss.
    variance : float
        Of the cost, quote squared.
    decay_rate : float
        kappa, per unit of time; NaN for a schedule that was given rather than found.
    """

    holdings: Floats
    trades: Floats
    expected_cost: float
    variance: float
    decay_rate: float = math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation of the cost."""
        return math.sqrt(self.variance)

    @property
    def decay_time(self) -> float:
        """Time in which holdings fall by e, 1 / kappa: what the paper calls the half-life."""
        return 1.0 / self.decay_rate if self.decay_rate else math.inf

    @property
    def half_life(self) -> float:
        """Time in which holdings halve, ln 2 / kappa, where the end is far away."""
        return math.log(2.0) * self.decay_time


@attrs.frozen(kw_only=True, eq=False)
class Frontier:
    """Costs and variances of the optimal schedules, in the order of the risk aversions."""

    aversions: Floats
    expected_costs: Floats
    variances: Floats


@attrs.frozen(kw_only=True, eq=False)
class ValueAtRiskSchedule:
    """The schedule with the least cost at a confidence level.

    Attributes
    ----------
    schedule : Schedule
    value_at_risk : float
        ``expected_cost + quantile * deviation``.
    aversion : float
        Risk aversion with the same schedule; +inf where all is traded at once.
    """

    schedule: Schedule
    value_at_risk: float
    aversion: float


def optimal_schedule(execution: ExecutionProblem, aversion: float) -> Schedule:
    """Return the schedule with the least ``expected_cost + aversion * variance``; O(N).

    As in the paper, a drift so strong that trades change sign is not held back by the fixed cost,
    which is constant only while all trades go one way.

    Parameters
    ----------
    execution : ExecutionProblem
    aversion : float
        Quote given up for one unit of variance, at least 0. (The paper's trajectory C takes a
        negative one; it seeks risk, and is refused here.)

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs(execution)
    inputs.require(0.0 <= aversion < math.inf, "aversion", f"{aversion}, must be 0 or more, finite")
    inputs.settle()
    return _schedule(execution, float(aversion))


def _schedule(execution: ExecutionProblem, aversion: float) -> Schedule:
    holdings = np.empty(execution.slices + 1)
    terms = execution.terms()
    kernels.trajectory(float(execution.quantity), aversion, terms, execution.step, holdings)
    decay = kernels.decay_rate(aversion, terms, execution.step)
    return attrs.evolve(_costed(execution, holdings), decay_rate=decay)


def _costed(execution: ExecutionProblem, holdings: Floats) -> Schedule:
    out = np.empty(2)
    kernels.cost_of(holdings, execution.terms(), execution.step, out)
    return Schedule(
        holdings=holdings,
        trades=holdings[:-1] - holdings[1:],
        expected_cost=float(out[kernels.COST]),
        variance=float(out[kernels.VARIANCE]),
    )


def cost_of_trades(execution: ExecutionProblem, trades: FloatInput) -> Schedule:
    """Return cost and variance of any trades that add up to the quantity.

    Parameters
    ----------
    execution : ExecutionProblem
    trades : (N,) float
        One for each slice.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs(execution)
    sizes = inputs.vector("trades", trades)
    inputs.require(
        len(sizes) == execution.slices, "trades", f"{len(sizes)}, must be {execution.slices}"
    )
    holdings = np.concatenate([[execution.quantity], execution.quantity - np.cumsum(sizes)])
    off = abs(float(holdings[-1]))
    inputs.require(
        off <= SAME * float(np.sum(np.abs(sizes))), "trades", f"leave {off} of the quantity"
    )
    inputs.settle()
    holdings[-1] = 0.0
    return _costed(execution, holdings)


def efficient_frontier(execution: ExecutionProblem, aversions: FloatInput) -> Frontier:
    """Return cost and variance of the optimal schedule for each risk aversion.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs(execution)
    given = inputs.vector("aversions", aversions)
    inputs.require(bool(np.all(given >= 0.0)), "aversions", "must all be at least 0")
    inputs.settle()
    out, scratch = np.empty((len(given), 2)), np.empty(execution.slices + 1)
    quantity, step = float(execution.quantity), execution.step
    kernels.frontier(quantity, given, execution.terms(), step, scratch, out)
    return Frontier(
        aversions=given,
        expected_costs=out[:, kernels.COST].copy(),
        variances=out[:, kernels.VARIANCE].copy(),
    )


def value_at_risk_schedule(execution: ExecutionProblem, level: float) -> ValueAtRiskSchedule:
    """Return the schedule whose cost at a confidence level is least (section 3.2 of the paper).

    Such plans are not time-consistent: planned anew half-way, the rest comes out different.

    Parameters
    ----------
    execution : ExecutionProblem
    level : float
        In [0.5, 1), 0.95 for 95 %.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs(execution)
    inputs.require(0.5 <= level < 1.0, "level", f"{level} is not in [0.5, 1)")
    inputs.settle()
    deviations = quantile(float(level))
    scratch = np.empty(execution.slices + 1)
    aversion = kernels.value_at_risk_aversion(
        float(execution.quantity), deviations, execution.terms(), execution.step, scratch
    )
    schedule = _schedule(execution, aversion)
    return ValueAtRiskSchedule(
        schedule=schedule,
        value_at_risk=schedule.expected_cost + deviations * schedule.deviation,
        aversion=aversion,
    )


def next_holding(held: float, decay_rate: float, left: float, step: float) -> float:
    """Return what to hold one slice later, given what is held now; O(1).

    A plan without drift is time-consistent, so this is the plan made anew, after any fill.

    Parameters
    ----------
    held : float
    decay_rate : float
        kappa of the schedule.
    left : float
        Time to the end of the horizon, at least ``step``.
    step : float

    Raises
    ------
    ValidationError
    """
    inputs = Inputs()
    inputs.require(math.isfinite(held), "held", f"{held} is not finite")
    inputs.require(decay_rate >= 0.0, "decay_rate", f"{decay_rate}, must be at least 0")
    inputs.require(0.0 < step < math.inf, "step", f"{step}, must be above 0 and finite")
    inputs.require(step <= left < math.inf, "left", f"{left}, must be at least step, finite")
    inputs.settle()
    return kernels.next_holding(float(held), float(decay_rate), float(left), float(step))


def in_lots(trades: FloatInput, lots: int) -> NDArray[np.int64]:
    """Split whole lots in the proportions of a schedule's trades, keeping the sum to the lot.

    Parameters
    ----------
    trades : (N,) float
        Their sum is not 0.
    lots : int
        The parent order in lots, signed.

    Returns
    -------
    (N,) int64

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs()
    sizes = inputs.vector("trades", trades, least=1)
    inputs.require(abs(lots) < MOST_LOTS, "lots", f"{lots}, must be below 2**40")
    whole, total = abs(float(np.sum(sizes))), float(np.sum(np.abs(sizes)))
    inputs.require(whole > SAME * total, "trades", "add up to nothing")
    inputs.settle()
    out = np.empty(len(sizes), np.int64)
    kernels.round_lots(sizes, int(lots), out)
    return out
