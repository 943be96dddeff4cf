"""Shapley values by walking every order of the players, and by counting coalitions."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations
from math import factorial

__all__ = ["by_orders", "by_subsets", "votes"]


def by_orders(table: Sequence[int]) -> list[Fraction]:
    """Average what each player adds over all orders."""
    players = len(table).bit_length() - 1
    added = [0] * players
    for order in permutations(range(players)):
        mask = 0
        for player in order:
            added[player] += table[mask | 1 << player] - table[mask]
            mask |= 1 << player
    return [Fraction(each, factorial(players)) for each in added]


def by_subsets(table: Sequence[float]) -> list[Fraction]:
    """Weigh what each player adds to each coalition by Shapley's factorials."""
    players = len(table).bit_length() - 1
    shares = [Fraction(0)] * players
    for mask, earned in enumerate(table):
        size = mask.bit_count()
        for player in range(players):
            if not mask >> player & 1:
                weight = Fraction(
                    factorial(size) * factorial(players - size - 1), factorial(players)
                )
                shares[player] += weight * (Fraction(table[mask | 1 << player]) - Fraction(earned))
    return shares


def votes(weights: Sequence[int], quota: int) -> list[int]:
    """Return the table of a vote: 1 for a coalition that wins."""
    players = range(len(weights))
    table = [0] * 2 ** len(weights)
    for size in players:
        for winners in combinations(players, size + 1):
            if sum(weights[each] for each in winners) >= quota:
                table[sum(1 << each for each in winners)] = 1
    return table
