"""Kelly stakes: one bet, one or many assets in continuous time, and any table of scenarios.

Full Kelly on estimated chances stakes too much: half of it keeps three quarters of the growth.
`sized` therefore takes a fraction first and a cap after it, and both are visible.
"""

import math
from enum import Enum
from typing import Final

import attrs
import numpy as np

from bot4_core.kernels import kelly as kernels
from bot4_core.kernels.elementary import log1p
from bot4_core.models.inputs import FloatInput, Floats, Inputs, MatrixInput

__all__ = [
    "CapRule",
    "KellyStake",
    "KellyStakes",
    "binary",
    "continuous",
    "continuous_assets",
    "scenarios",
    "sized",
]

CERTAIN: Final = 1e-9
"""Chances add up to 1 within this."""


class CapRule(Enum):
    """What a cap bounds: each stake by itself, or all together, scaled in proportion."""

    PER_ASSET = "per_asset"
    GROSS = "gross"


@attrs.frozen(kw_only=True)
class KellyStake:
    """The stake of largest growth.

    Attributes
    ----------
    share : float
        Of wealth; negative for an edge on the other side.
    growth : float
        Expected log growth of a bet or a period, at that stake.
    """

    share: float
    growth: float


@attrs.frozen(kw_only=True, eq=False)
class KellyStakes:
    """The stakes of largest growth together.

    Attributes
    ----------
    shares : (n,) float64
    growth : float
    """

    shares: Floats
    growth: float


def binary(chance: float, gain: float, loss: float = 1.0) -> KellyStake:
    """Return the stake on a bet that gains or loses so much for each unit staked.

    A negative edge gives a negative share, and the growth of staking nothing, 0.

    Parameters
    ----------
    chance : float
        Of winning, in [0, 1].
    gain, loss : float
        Above 0. A sure win has the stake ``1 / loss``, beyond which there is no meaning.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs()
    inputs.require(0.0 <= chance <= 1.0, "chance", f"{chance} is not in [0, 1]")
    for name, value in (("gain", gain), ("loss", loss)):
        inputs.require(0.0 < value < math.inf, name, f"{value}, must be above 0 and finite")
    inputs.settle()
    share = chance / loss - (1.0 - chance) / gain
    stake = max(0.0, share)
    growth = chance * log1p(float(stake * gain))
    if chance < 1.0:
        growth += (1.0 - chance) * log1p(float(-stake * loss))
    return KellyStake(share=share, growth=growth)


def continuous(drift: float, volatility: float, rate: float = 0.0) -> KellyStake:
    """Return ``(drift - rate) / volatility**2`` (Thorp 2006, eq. 7.3).

    Parameters
    ----------
    drift : float
        Arithmetic: the mean of simple returns in a period.
    volatility : float
        Standard deviation in the same period, above 0.
    rate : float
        Riskless, in the same period.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs()
    inputs.require(math.isfinite(drift - rate), "drift", f"{drift} less {rate} is not finite")
    sound = 0.0 < volatility < math.inf
    inputs.require(sound, "volatility", f"{volatility}, must be above 0 and finite")
    inputs.settle()
    share = (drift - rate) / volatility**2
    return KellyStake(share=share, growth=rate + 0.5 * share * (drift - rate))


def continuous_assets(
    drifts: FloatInput, covariance: MatrixInput, rate: float = 0.0
) -> KellyStakes:
    """Return the stakes that solve ``covariance @ shares = drifts - rate``.

    Parameters
    ----------
    drifts : (n,) float
        Arithmetic.
    covariance : (n, n) float
        Symmetric and positive definite.
    rate : float

    Raises
    ------
    ValidationError
        With every fault at once; a singular covariance is one: some portfolio of no risk has an
        edge without bound.
    """
    inputs = Inputs()
    edges = inputs.vector("drifts", drifts, least=1) - rate
    matrix = inputs.matrix("covariance", covariance)
    inputs.require(math.isfinite(rate), "rate", f"{rate} is not finite")
    fits = matrix.shape == (len(edges), len(edges))
    inputs.require(fits, "covariance", f"{matrix.shape}, must fit {len(edges)} drifts")
    shares = edges.copy()
    if fits:
        even = bool(np.allclose(matrix, matrix.T, rtol=CERTAIN, atol=0.0))
        inputs.require(even, "covariance", "is not symmetric")
        definite = kernels.solve_positive(matrix.copy(), shares)
        inputs.require(definite, "covariance", "is not positive definite")
    inputs.settle()
    return KellyStakes(shares=shares, growth=rate + 0.5 * float(shares @ edges))


def scenarios(returns: MatrixInput, chances: FloatInput, budget: float = 1.0) -> KellyStakes:
    """Return the stakes of largest growth over a table of outcomes, none of them short.

    Parameters
    ----------
    returns : (m, n) float
        Simple returns of each asset, an outcome in a row.
    chances : (m,) float
        Of the outcomes; they add up to 1.
    budget : float
        The most that all stakes may be together, above 0.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs()
    table = inputs.matrix("returns", returns)
    odds = inputs.vector("chances", chances, least=1)
    inputs.require(len(odds) == len(table), "chances", f"{len(odds)} for {len(table)} outcomes")
    inputs.require(bool(np.all(odds >= 0.0)), "chances", "must all be at least 0")
    total = float(odds.sum())
    inputs.require(abs(total - 1.0) <= CERTAIN, "chances", f"add up to {total}, not 1")
    inputs.require(0.0 < budget < math.inf, "budget", f"{budget}, must be above 0 and finite")
    inputs.settle()
    shares = np.empty(table.shape[1])
    kernels.best_stakes(table, odds, float(budget), shares)
    return KellyStakes(shares=shares, growth=kernels.growth_of(shares, table, odds))


def sized(
    shares: FloatInput,
    *,
    fraction: float = 0.5,
    cap: float = 0.25,
    rule: CapRule = CapRule.PER_ASSET,
    allow_short: bool = False,
) -> Floats:
    """Return what is staked of full Kelly: first a fraction of it, then no more than a cap.

    Parameters
    ----------
    shares : (n,) float
        Full Kelly.
    fraction : float
        In (0, 1].
    cap : float
        Above 0.
    rule : CapRule
    allow_short : bool
        False stakes nothing on a negative share.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs()
    full = inputs.vector("shares", shares)
    inputs.require(0.0 < fraction <= 1.0, "fraction", f"{fraction} is not in (0, 1]")
    inputs.require(0.0 < cap < math.inf, "cap", f"{cap}, must be above 0 and finite")
    inputs.settle()
    wanted = fraction * (full if allow_short else np.maximum(full, 0.0))
    if rule is CapRule.PER_ASSET:
        return np.clip(wanted, -cap, cap)
    gross = float(np.abs(wanted).sum())
    return wanted * (cap / gross) if gross > cap else wanted
