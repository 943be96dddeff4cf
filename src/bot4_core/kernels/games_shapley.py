"""Shapley values: each player's share of what all earn together, averaged over all orders.

A coalition is a mask: bit i for player i. A game is a table of what each of the ``2**n``
coalitions earns. Shares add up to what all earn less what nobody earns.

References
----------
.. [1] Shapley, L. S. (1953). A value for n-person games. Contributions to the Theory of Games II,
   307-317. doi:10.1515/9781400881970-018.
.. [2] Shapley, L. S. and Shubik, M. (1954). A method for evaluating the distribution of power in
   a committee system. American Political Science Review 48(3), 787-792. doi:10.2307/1951053.
.. [3] Littlechild, S. C. and Owen, G. (1973). A simple expression for the Shapley value in a
   special case. Management Science 20(3), 370-372. doi:10.1287/mnsc.20.3.370.
.. [4] Harsanyi, J. C. (1963). A simplified bargaining model for the n-person cooperative game.
   International Economic Review 4(2), 194-220. doi:10.2307/2525487 (dividends).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.matching_latency import MODULUS, MULTIPLIER

__all__ = [
    "MOST_PLAYERS",
    "airport_shares",
    "dividends",
    "sample_moments",
    "shapley_values",
    "shuffle",
    "voting_power",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_PLAYERS: Final = 20


@kernel()
def shapley_values(table: Floats, out: Floats) -> None:
    """Write exact Shapley values; O(n 2**n).

    What a player adds is summed for each size of coalition, and each size weighs the same, so
    that no factorial is needed.

    Parameters
    ----------
    table : (2**n,) float64
        Earnings of each coalition, by mask.
    out : (n,) float64
    """
    players = len(out)
    sizes = np.zeros(len(table), np.int8)
    for mask in range(1, len(table)):
        sizes[mask] = sizes[mask >> 1] + (mask & 1)
    added = np.zeros(players)
    for player in range(players):
        bit = 1 << player
        added[:] = 0.0
        for base in range(0, len(table), 2 * bit):
            for mask in range(base, base + bit):
                added[sizes[mask]] += table[mask + bit] - table[mask]
        total, coalitions = 0.0, 1.0
        for size in range(players):
            total += added[size] / coalitions
            coalitions = coalitions * (players - 1 - size) / (size + 1)
        out[player] = total / players


@kernel()
def dividends(table: Floats) -> None:
    """Turn earnings into Harsanyi's dividends, in place; O(n 2**n).

    A dividend is what a coalition earns beyond the dividends of all smaller ones within it; its
    members share it equally in the Shapley value.

    Parameters
    ----------
    table : (2**n,) float64
    """
    bit = 1
    while bit < len(table):
        for base in range(0, len(table), 2 * bit):
            for mask in range(base, base + bit):
                table[mask + bit] -= table[mask]
        bit *= 2


@kernel()
def voting_power(weights: Integers, quota: int, player: int, shares: Floats) -> float:
    """Return a player's chance of turning a losing coalition into a winning one; O(n**2 q).

    ``shares[s, w]`` is the share of the coalitions of s others that weigh w. Adding a player
    mixes two shares of the table with positive weights, so nothing overflows or cancels.

    Parameters
    ----------
    weights : (n,) int64
        At least 0.
    quota : int
        Weight that wins, at least 1.
    player : int
    shares : (n, q) float64
        Scratch.
    """
    shares[:] = 0.0
    shares[0, 0] = 1.0
    others = 0
    for other in range(len(weights)):
        if other == player:
            continue
        others += 1
        weight = int(weights[other])
        for size in range(others, -1, -1):
            without, within = (others - size) / others, size / others
            for total in range(quota - 1, -1, -1):
                share = without * shares[size, total]
                if size > 0 and total >= weight:
                    share += within * shares[size - 1, total - weight]
                shares[size, total] = share
    power = 0.0
    for size in range(len(weights)):
        for total in range(max(0, quota - int(weights[player])), quota):
            power += shares[size, total]
    return power / len(weights)


@kernel()
def airport_shares(costs: Floats, order: Integers, out: Floats) -> None:
    """Write shares of a runway that must be as long as the longest user's; O(n).

    Each stretch is paid by those who need it, in equal parts.

    Parameters
    ----------
    costs : (n,) float64
        Of the runway that each user would need alone.
    order : (n,) int64
        Users by rising cost.
    out : (n,) float64
    """
    paid, before = 0.0, 0.0
    for place in range(len(order)):
        user = order[place]
        paid += (costs[user] - before) / (len(order) - place)
        before = costs[user]
        out[user] = paid


@kernel()
def shuffle(order: Integers, state: Integers) -> None:
    """Put players into a random order (Fisher and Yates), the same for the same state.

    Parameters
    ----------
    order : (n,) int64
        Changed in place.
    state : (1,) int64
        From 1 to ``MODULUS`` - 1; changed in place.
    """
    for last in range(len(order) - 1, 0, -1):
        state[0] = state[0] * MULTIPLIER % MODULUS
        place = state[0] * (last + 1) // MODULUS
        kept = order[last]
        order[last] = order[place]
        order[place] = kept


@kernel()
def sample_moments(samples: Floats, means: Floats, errors: Floats) -> None:
    """Write the mean of each column and its standard error; NaN for one row.

    Parameters
    ----------
    samples : (m, n) float64
    means, errors : (n,) float64
    """
    rows = samples.shape[0]
    for column in range(samples.shape[1]):
        mean, squares = 0.0, 0.0
        for row in range(rows):
            distance = samples[row, column] - mean
            mean += distance / (row + 1)
            squares += distance * (samples[row, column] - mean)
        means[column] = mean
        errors[column] = math.sqrt(squares / (rows - 1) / rows) if rows > 1 else math.nan
