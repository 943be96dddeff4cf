"""The iterated prisoner's dilemma by strategies that read the whole history."""

from collections.abc import Callable, Sequence
from itertools import product

__all__ = ["STRATEGIES", "expected", "moves", "value_of_best"]

History = list[int]
Strategy = Callable[[History, History], int]


def _win_stay(own: History, other: History) -> int:
    return (own[-1] ^ other[-1]) if own else 0


STRATEGIES: dict[str, Strategy] = {
    "cooperator": lambda own, other: 0,
    "defector": lambda own, other: 1,
    "tit_for_tat": lambda own, other: other[-1] if other else 0,
    "suspicious_tit_for_tat": lambda own, other: other[-1] if other else 1,
    "tit_for_two_tats": lambda own, other: int(other[-2:] == [1, 1]),
    "grudger": lambda own, other: int(1 in other),
    "alternator": lambda own, other: 1 - own[-1] if own else 0,
    "win_stay_lose_shift": _win_stay,
    "bully": lambda own, other: 1 - other[-1] if other else 1,
}


def moves(one: Strategy, other: Strategy, flips: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Play as many turns as there are pairs of flips, which turn moves into the other one."""
    mine: History = []
    theirs: History = []
    for flip, turned in flips:
        move, answer = one(mine, theirs) ^ flip, other(theirs, mine) ^ turned
        mine.append(move)
        theirs.append(answer)
    return list(zip(mine, theirs, strict=True))


def expected(
    one: Strategy, other: Strategy, turns: int, noise: float, payoffs: Sequence[float]
) -> tuple[float, float]:
    """Weigh every pattern of flips by its chance."""
    mine = theirs = 0.0
    for pattern in product(product((0, 1), repeat=2), repeat=turns):
        chance = 1.0
        for flip in (bit for pair in pattern for bit in pair):
            chance *= noise if flip else 1.0 - noise
        for move, answer in moves(one, other, pattern):
            mine += chance * payoffs[2 * move + answer]
            theirs += chance * payoffs[2 * answer + move]
    return mine, theirs


def value_of_best(other: Sequence[float], discount: float, payoffs: Sequence[float]) -> float:
    """Improve the value of each pair of last moves until nothing changes (Bellman)."""

    def value(trust: float, after: Sequence[float]) -> float:
        return max(
            trust * ((1 - discount) * payoffs[2 * move] + discount * after[2 * move])
            + (1 - trust)
            * ((1 - discount) * payoffs[2 * move + 1] + discount * after[2 * move + 1])
            for move in (0, 1)
        )

    values = [0.0] * 4
    for _ in range(300):
        values = [value(other[1 + 2 * (pair & 1) + (pair >> 1)], values) for pair in range(4)]
    return value(other[0], values)
