"""Shapley values: exact to 20 players, by sampling beyond, and for votes and shared costs."""

import math
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import attrs
import numpy as np

from bot4_core.errors import ValidationError
from bot4_core.kernels import games_shapley as kernels
from bot4_core.kernels.matching_latency import MODULUS
from bot4_core.kernels.normal import quantile
from bot4_core.models.inputs import FloatInput, Floats, Inputs, IntegerInput, Integers

__all__ = [
    "CoalitionValue",
    "SampledShapley",
    "SamplingSettings",
    "airport_shares",
    "dividends",
    "sampled_shapley_values",
    "shapley_values",
    "table_of",
    "voting_power",
]

CoalitionValue: TypeAlias = Callable[[int], float]
"""What a coalition earns, given as a mask with bit i for player i."""

MOST_WEIGHT: Final = 100_000


@attrs.frozen(kw_only=True)
class SamplingSettings:
    """How many orders of the players are tried.

    Parameters
    ----------
    pairs : int
        Orders, each with its reverse, at least 2.
    seed : int
        From 1 to 2**31 - 2; the same seed gives the same orders everywhere.
    """

    pairs: int = 500
    seed: int = 1

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if self.pairs < 2:
            yield "pairs", f"{self.pairs}, must be at least 2"
        if not 1 <= self.seed < MODULUS:
            yield "seed", f"{self.seed}, must be 1 to {MODULUS - 1}"


@attrs.frozen(kw_only=True, eq=False)
class SampledShapley:
    """Estimated Shapley values; they add up exactly, as those of every single order do.

    Attributes
    ----------
    values : (n,) float64
    errors : (n,) float64
        Standard errors, from the spread between pairs of an order and its reverse.
    pairs : int
    """

    values: Floats
    errors: Floats
    pairs: int

    def half_widths(self, level: float) -> Floats:
        """Return half the widths of the intervals that hold at a level, for many pairs.

        Raises
        ------
        ValidationError
        """
        return quantile(0.5 + 0.5 * _level(level)) * self.errors

    def certain_half_width(self, width: float, level: float) -> float:
        """Return Hoeffding's half width, which holds at a level for any number of pairs.

        Parameters
        ----------
        width : float
            Between the least and the most that a player can add to a coalition.
        level : float
            In (0, 1), for one player.

        Raises
        ------
        ValidationError

        References
        ----------
        .. [1] Hoeffding, W. (1963). Probability inequalities for sums of bounded random
           variables. JASA 58(301), 13-30. doi:10.1080/01621459.1963.10500830, theorem 2.
        """
        return width * math.sqrt(math.log(2.0 / (1.0 - _level(level))) / (2.0 * self.pairs))


def _level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise ValidationError([("level", f"{level} is not in (0, 1)")])
    return level


def _table(values: FloatInput) -> Floats:
    inputs = Inputs()
    table = inputs.vector("values", values, least=2)
    sound = len(table) < 2 or len(table).bit_count() == 1
    inputs.require(sound, "values", f"{len(table)}, must be 2**n for n players")
    most = 2**kernels.MOST_PLAYERS
    inputs.require(len(table) <= most, "values", f"{len(table)}, must be at most {most}: sample")
    inputs.settle()
    return table


def table_of(players: int, value: CoalitionValue) -> Floats:
    """Return what every coalition earns, each asked once, by rising mask.

    Raises
    ------
    ValidationError
        If there are no players, or more than 20.
    """
    if not 1 <= players <= kernels.MOST_PLAYERS:
        text = f"{players}, must be 1 to {kernels.MOST_PLAYERS}; sample for more"
        raise ValidationError([("players", text)])
    return np.array([value(mask) for mask in range(2**players)], np.float64)


def shapley_values(values: FloatInput) -> Floats:
    """Return the exact Shapley value of each player; O(n 2**n).

    Parameters
    ----------
    values : (2**n,) float
        What each coalition earns, by mask (bit i for player i), for up to 20 players. What the
        empty one earns is shared by nobody.

    Raises
    ------
    ValidationError
    """
    table = _table(values)
    out = np.empty(len(table).bit_length() - 1)
    kernels.shapley_values(table, out)
    return out


def dividends(values: FloatInput) -> Floats:
    """Return Harsanyi's dividend of each coalition, by mask; that of none is what it earns.

    Raises
    ------
    ValidationError
    """
    table = _table(values).copy()
    kernels.dividends(table)
    return table


def sampled_shapley_values(
    players: int, value: CoalitionValue, settings: SamplingSettings | None = None
) -> SampledShapley:
    """Estimate Shapley values from random orders of the players, each with its reverse.

    Parameters
    ----------
    players : int
    value : CoalitionValue
        Asked once for each coalition that comes up.
    settings : SamplingSettings, optional

    Raises
    ------
    ValidationError
        With every fault at once, or if a coalition earns no finite number.
    """
    settings = settings if settings is not None else SamplingSettings()
    inputs = Inputs(settings)
    inputs.require(players >= 1, "players", f"{players}, must be at least 1")
    inputs.settle()
    known: dict[int, float] = {}
    order, state = np.arange(players), np.array([settings.seed], np.int64)
    samples = np.empty((settings.pairs, players))
    for row in samples:
        kernels.shuffle(order, state)
        row[:] = 0.5 * (_added(order, value, known) + _added(order[::-1], value, known))
    means, errors = np.empty(players), np.empty(players)
    kernels.sample_moments(samples, means, errors)
    return SampledShapley(values=means, errors=errors, pairs=settings.pairs)


def _added(order: Integers, value: CoalitionValue, known: dict[int, float]) -> Floats:
    """Return what each player adds to those before it in an order."""
    added, mask = np.empty(len(order)), 0
    before = _earned(mask, value, known)
    for player in order.tolist():
        mask |= 1 << player
        after = _earned(mask, value, known)
        added[player] = after - before
        before = after
    return added


def _earned(mask: int, value: CoalitionValue, known: dict[int, float]) -> float:
    if mask not in known:
        earned = float(value(mask))
        if not math.isfinite(earned):
            raise ValidationError([(f"value({mask:#b})", f"{earned} is not finite")])
        known[mask] = earned
    return known[mask]


def voting_power(weights: IntegerInput, quota: int) -> Floats:
    """Return the Shapley-Shubik power of each voter; O(n**2 quota) for each different weight.

    Parameters
    ----------
    weights : (n,) int
    quota : int
        Weight that wins, from 1 to the sum of all.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs()
    votes = inputs.counts("weights", weights, least=1)
    total = sum(votes.tolist())
    if len(votes):
        inputs.require(1 <= quota <= total, "quota", f"{quota}, must be 1 to {total}")
        inputs.require(quota <= MOST_WEIGHT, "quota", f"{quota}, must be at most {MOST_WEIGHT}")
    inputs.settle()
    shares, known = np.empty((len(votes), quota)), dict[int, float]()
    for player, weight in enumerate(votes.tolist()):
        if weight not in known:
            known[weight] = kernels.voting_power(votes, int(quota), player, shares)
    return np.array([known[weight] for weight in votes.tolist()])


def airport_shares(costs: FloatInput) -> Floats:
    """Return each user's Shapley share of what the costliest user needs; O(n log n).

    Parameters
    ----------
    costs : (n,) float
        What each would need alone, at least 0.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs()
    needs = inputs.vector("costs", costs, least=1)
    inputs.require(bool(np.all(needs >= 0.0)), "costs", "must all be at least 0")
    inputs.settle()
    out = np.empty(len(needs))
    kernels.airport_shares(needs, np.argsort(needs, kind="stable").astype(np.int64), out)
    return out
