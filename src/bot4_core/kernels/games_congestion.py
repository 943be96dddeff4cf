"""Congestion games: a demand over parallel resources that cost more the more they are used.

A unit on resource i costs ``base[i] + slope[i] * x**degree[i]`` where x units use it, up to a
capacity. In the *user equilibrium* (Wardrop) no unit is cheaper elsewhere, so all resources in
use cost the same. In the *social optimum* the total cost is least, so their marginal costs
``base + (degree + 1) * slope * x**degree`` are the same. One trader who routes a whole parent
order wants the latter: it is the optimum of its own cost.

References
----------
.. [1] Wardrop, J. G. (1952). Some theoretical aspects of road traffic research. Proceedings of
   the Institution of Civil Engineers 1(3), 325-362. doi:10.1680/ipeds.1952.11259.
.. [2] Rosenthal, R. W. (1973). A class of games possessing pure-strategy Nash equilibria.
   International Journal of Game Theory 2, 65-67. doi:10.1007/BF01737559.
.. [3] Roughgarden, T. (2003). The price of anarchy is independent of the network topology.
   Journal of Computer and System Sciences 67(2), 341-364. doi:10.1016/S0022-0000(03)00044-8.
"""

import math

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.elementary import exp, log

__all__ = ["assign_units", "equal_levels", "potential", "total_cost", "unit_cost"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@kernel()
def _power(x: float, exponent: float) -> float:
    """Return ``x ** exponent`` for x at least 0 and an exponent above 0."""
    if exponent == 1.0 or x == 0.0:
        return x
    return exp(exponent * log(x))


@kernel()
def unit_cost(terms: Floats, resource: int, flow: float, marginal: bool) -> float:
    """Return what a unit costs on a resource, or what one more adds to the total.

    Parameters
    ----------
    terms : (4, n) float64
        Base, slope, degree and capacity of each resource.
    resource : int
    flow : float
        Units that use it.
    marginal : bool
    """
    steepness = terms[1, resource] * (terms[2, resource] + 1.0 if marginal else 1.0)
    return float(terms[0, resource] + steepness * _power(flow, float(terms[2, resource])))


@kernel()
def _flow_at(terms: Floats, resource: int, level: float, demand: float, marginal: bool) -> float:
    """Return how many units a resource takes where a unit may cost a level."""
    most = min(demand, float(terms[3, resource]))
    above = level - terms[0, resource]
    if above < 0.0:
        return 0.0
    steepness = terms[1, resource] * (terms[2, resource] + 1.0 if marginal else 1.0)
    if steepness == 0.0:
        return most
    return min(most, _power(above / steepness, 1.0 / terms[2, resource]))


@kernel()
def _flows_at(terms: Floats, level: float, demand: float, marginal: bool, out: Floats) -> float:
    """Write the flows at a level and return their sum."""
    total = 0.0
    for resource in range(len(out)):
        out[resource] = _flow_at(terms, resource, level, demand, marginal)
        total += out[resource]
    return total


@kernel()
def equal_levels(terms: Floats, demand: float, marginal: bool, flows: Floats) -> float:
    """Split a demand so that all resources in use cost the same; O(n) for each halving.

    The common level is bracketed down to neighbouring floats and the flows are taken between the
    two ends, so they add up, and resources of constant cost at the level share what is left in
    proportion to what they could take.

    Parameters
    ----------
    terms : (4, n) float64
        Base, slope (at least 0), degree (above 0) and capacity of each resource; capacities add
        up to the demand at least.
    demand : float
        At least 0.
    marginal : bool
        False for the user equilibrium, True for the social optimum.
    flows : (n,) float64
        Out.

    Returns
    -------
    float
        The level: what a unit (or one more) costs on every resource in use that is not full.
    """
    low, high = math.inf, -math.inf
    for resource in range(len(flows)):
        low = min(low, terms[0, resource])
        most = min(demand, float(terms[3, resource]))
        high = max(high, unit_cost(terms, resource, most, marginal))
    flows[:] = 0.0
    if demand == 0.0:
        return low
    low -= max(1.0, abs(low), high - low)
    ends = np.zeros(len(flows))
    middle = 0.5 * (low + high)
    while low < middle < high:
        if _flows_at(terms, middle, demand, marginal, flows) >= demand:
            high = middle
        else:
            low = middle
        middle = 0.5 * (low + high)
    less = _flows_at(terms, low, demand, marginal, flows)
    more = _flows_at(terms, high, demand, marginal, ends)
    share = (demand - less) / (more - less) if more > demand else 1.0
    missing = demand - more  # above 0 where so few units change no cost by a rounding
    for resource in range(len(flows)):
        flow = flows[resource] + share * (ends[resource] - flows[resource])
        taken = min(missing, float(terms[3, resource]) - flow) if missing > 0.0 else 0.0
        missing -= taken
        flows[resource] = flow + taken
    return high


@kernel()
def total_cost(terms: Floats, flows: Floats) -> float:
    """Return what all units cost together.

    Parameters
    ----------
    terms : (4, n) float64
    flows : (n,) float64
    """
    total = 0.0
    for resource in range(len(flows)):
        flow = flows[resource]
        if flow > 0.0:
            total += flow * unit_cost(terms, resource, flow, False)  # noqa: FBT003  # of the units
    return total


@kernel()
def _whole_cost(terms: Floats, resource: int, units: int, marginal: bool) -> float:
    """Return what the last of so many whole units pays, or adds to the total."""
    cost = unit_cost(terms, resource, float(units), False)  # noqa: FBT003
    if not marginal:
        return cost
    before = unit_cost(terms, resource, units - 1.0, False)  # noqa: FBT003
    return units * cost - (units - 1) * before


@kernel()
def assign_units(terms: Floats, players: int, marginal: bool, counts: Integers) -> bool:
    """Place whole units one by one where each costs, or adds, least; O(players n).

    With costs that never fall this is a pure equilibrium that minimises Rosenthal's potential,
    and with ``marginal`` the least total cost. Of equal resources the first is taken.

    Parameters
    ----------
    terms : (4, n) float64
    players : int
    marginal : bool
    counts : (n,) int64
        Out.

    Returns
    -------
    bool
        False if the capacities do not hold all.
    """
    counts[:] = 0
    for _ in range(players):
        best, least = -1, math.inf
        for resource in range(len(counts)):
            if counts[resource] + 1 > terms[3, resource]:
                continue
            cost = _whole_cost(terms, resource, int(counts[resource]) + 1, marginal)
            if best < 0 or cost < least:
                best, least = resource, cost
        if best < 0:
            return False
        counts[best] += 1
    return True


@kernel()
def potential(terms: Floats, counts: Integers) -> float:
    """Return Rosenthal's potential: the sum of what each unit paid as it came.

    Parameters
    ----------
    terms : (4, n) float64
    counts : (n,) int64
    """
    total = 0.0
    for resource in range(len(counts)):
        for unit in range(1, counts[resource] + 1):
            total += unit_cost(terms, resource, float(unit), False)  # noqa: FBT003
    return total
