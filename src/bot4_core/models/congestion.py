"""Congestion games over parallel resources, such as venues: equilibrium, optimum, and the gap.

For a venue ``base`` is the fee plus half the spread less the rebate, and ``slope`` what each unit
more costs. A trader who splits a whole parent order wants `social_optimum`, where what one more
unit adds is the same everywhere; many small traders who each take the cheapest end in
`user_equilibrium`.
"""

import math
from collections.abc import Iterator
from typing import Final

import attrs
import numpy as np

from bot4_core.kernels import games_congestion as kernels
from bot4_core.models.inputs import Floats, Inputs, Integers

__all__ = [
    "SOCIETY",
    "USERS",
    "CongestionGame",
    "Resource",
    "Split",
    "WholeSplit",
    "is_whole_equilibrium",
    "price_of_anarchy",
    "social_optimum",
    "user_equilibrium",
    "whole_equilibrium",
    "whole_optimum",
]

MOST_UNITS: Final = 10_000_000
SAME: Final = 1e-12
USERS: Final = False
"""For kernels: each unit minds what it pays itself."""
SOCIETY: Final = True
"""For kernels: each unit minds what it adds to the total."""


@attrs.frozen(kw_only=True)
class Resource:
    """What a unit costs where x units go: ``base + slope * x**degree``.

    Parameters
    ----------
    base : float
        Of the first unit; may be negative.
    slope : float
        At least 0.
    degree : float
        At least 1, so that the cost is convex.
    capacity : float
        The most that it takes.
    """

    base: float
    slope: float
    degree: float = 1.0
    capacity: float = math.inf

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not math.isfinite(self.base):
            yield "base", f"{self.base} is not finite"
        if not 0.0 <= self.slope < math.inf:
            yield "slope", f"{self.slope}, must be at least 0 and finite"
        if not 1.0 <= self.degree < math.inf:
            yield "degree", f"{self.degree}, must be at least 1 and finite"
        if not self.capacity >= 0.0:
            yield "capacity", f"{self.capacity}, must be at least 0"


@attrs.frozen(kw_only=True)
class CongestionGame:
    """A demand and the resources that it may use.

    Parameters
    ----------
    resources : tuple of Resource
    demand : float
        Units, at least 0; the capacities hold it.
    """

    resources: tuple[Resource, ...]
    demand: float

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not self.resources:
            yield "resources", "must be at least one"
        if not 0.0 <= self.demand < math.inf:
            yield "demand", f"{self.demand}, must be at least 0 and finite"
        room = sum(resource.capacity for resource in self.resources)
        if self.resources and room < self.demand:
            yield "demand", f"{self.demand} exceeds all capacities, {room}"

    def terms(self) -> Floats:
        """Return the columns that kernels read."""
        rows = [attrs.astuple(resource) for resource in self.resources]
        return np.ascontiguousarray(np.array(rows, np.float64).T)


@attrs.frozen(kw_only=True, eq=False)
class Split:
    """How a demand is split.

    Attributes
    ----------
    flows : (n,) float64
    level : float
        What a unit costs (in the optimum: what one more adds) on each resource that is used and
        not full.
    total_cost : float
    """

    flows: Floats
    level: float
    total_cost: float


@attrs.frozen(kw_only=True, eq=False)
class WholeSplit:
    """How whole units are split.

    Attributes
    ----------
    counts : (n,) int64
    total_cost : float
    potential : float
        Rosenthal's.
    """

    counts: Integers
    total_cost: float
    potential: float


def _split(game: CongestionGame, *, marginal: bool) -> Split:
    Inputs(game).settle()
    terms, flows = game.terms(), np.empty(len(game.resources))
    level = kernels.equal_levels(terms, float(game.demand), marginal, flows)
    return Split(flows=flows, level=level, total_cost=kernels.total_cost(terms, flows))


def user_equilibrium(game: CongestionGame) -> Split:
    """Return the split in which no unit is cheaper elsewhere (Wardrop's first principle).

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    return _split(game, marginal=USERS)


def social_optimum(game: CongestionGame) -> Split:
    """Return the split with the least total cost: what one owner of all units wants.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    return _split(game, marginal=SOCIETY)


def price_of_anarchy(game: CongestionGame) -> float:
    """Return the total cost of the user equilibrium over that of the optimum.

    Returns
    -------
    float
        At least 1, and at most 4/3 for degree 1 and bases of at least 0. NaN where the optimum
        costs nothing or less, so that a ratio says nothing.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    best = social_optimum(game).total_cost
    return user_equilibrium(game).total_cost / best if best > 0.0 else math.nan


def _whole(game: CongestionGame, *, marginal: bool) -> WholeSplit:
    inputs = Inputs(game)
    units = int(game.demand) if math.isfinite(game.demand) else 0
    inputs.require(units == game.demand, "demand", f"{game.demand} is not a whole number")
    inputs.require(units <= MOST_UNITS, "demand", f"{units}, must be at most {MOST_UNITS}")
    room = sum(math.floor(min(each.capacity, MOST_UNITS)) for each in game.resources)
    inputs.require(units <= room, "demand", f"{units} exceeds the room for whole units, {room}")
    inputs.settle()
    terms, counts = game.terms(), np.empty(len(game.resources), np.int64)
    kernels.assign_units(terms, units, marginal, counts)
    return WholeSplit(
        counts=counts,
        total_cost=kernels.total_cost(terms, counts.astype(np.float64)),
        potential=kernels.potential(terms, counts),
    )


def whole_equilibrium(game: CongestionGame) -> WholeSplit:
    """Return a pure Nash equilibrium of whole units, one of least potential; O(demand n).

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    return _whole(game, marginal=USERS)


def whole_optimum(game: CongestionGame) -> WholeSplit:
    """Return the split of whole units, such as lots, with the least total cost; O(demand n).

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    return _whole(game, marginal=SOCIETY)


def is_whole_equilibrium(game: CongestionGame, counts: Integers) -> bool:
    """Tell whether no single unit of a split would be cheaper on another resource.

    Parameters
    ----------
    game : CongestionGame
    counts : (n,) int64
        Adding up to the demand.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = Inputs(game)
    given = inputs.counts("counts", counts)
    fits = len(given) == len(game.resources) and sum(given.tolist()) == game.demand
    inputs.require(fits, "counts", "must be one for each resource and add up to the demand")
    inputs.settle()
    terms = game.terms()
    paid = [
        kernels.unit_cost(terms, place, float(count), USERS) if count else -math.inf
        for place, count in enumerate(given.tolist())
    ]
    for place, count in enumerate(given.tolist()):
        if count + 1 > game.resources[place].capacity:
            continue
        cost = kernels.unit_cost(terms, place, count + 1.0, USERS)
        others = [each for rival, each in enumerate(paid) if rival != place]
        if any(cost < each - SAME * (abs(each) + abs(cost)) for each in others):
            return False
    return True
