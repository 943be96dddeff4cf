"""The iterated prisoner's dilemma: matches, noise, tournaments, memory-one play, best answers."""

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

import attrs
import numpy as np

from bot4_core.kernels import games_repeated as kernels
from bot4_core.models.inputs import Floats, Inputs, Integers

__all__ = [
    "STRATEGIES",
    "BestAnswer",
    "Dilemma",
    "Machine",
    "Match",
    "MemoryOne",
    "best_answer",
    "memory_one_payoffs",
    "moves_in_the_long_run",
    "play_match",
    "play_tournament",
]

State: TypeAlias = tuple[int, int, int, int, int]


@attrs.frozen(kw_only=True)
class Dilemma:
    """What the first player gets when both cooperate, he is exploited, exploits, both defect.

    A prisoner's dilemma has ``temptation > reward > punishment > sucker``, and taking turns at
    exploiting pays less than cooperating: ``2 reward > temptation + sucker``.
    """

    reward: float = 3.0
    sucker: float = 0.0
    temptation: float = 5.0
    punishment: float = 1.0

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not self.temptation > self.reward > self.punishment > self.sucker:
            yield "", "temptation > reward > punishment > sucker does not hold"
        if not 2.0 * self.reward > self.temptation + self.sucker:
            yield "", "2 reward > temptation + sucker does not hold"
        if not math.isfinite(self.temptation) or not math.isfinite(self.sucker):
            yield "", "payoffs must be finite"

    def row(self) -> Floats:
        """Return what the first player gets for CC, CD, DC, DD."""
        return np.array([self.reward, self.sucker, self.temptation, self.punishment], np.float64)

    @property
    def grim_threshold(self) -> float:
        """Least discount factor at which the threat of defecting for ever keeps the peace."""
        return (self.temptation - self.reward) / (self.temptation - self.punishment)


@attrs.frozen
class Machine:
    """A strategy as a machine of few states; it begins in the first.

    Parameters
    ----------
    states : tuple of (move, after CC, after CD, after DC, after DD)
        The move it intends, 0 to cooperate or 1 to defect, and the state it goes to after (own,
        other's) moves as they were made.
    """

    states: tuple[State, ...]

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        if not self.states:
            yield "states", "must be at least one"
        for number, state in enumerate(self.states):
            if state[0] not in (0, 1):
                yield f"states[{number}][0]", f"{state[0]}, must be 0 or 1"
            for place, after in enumerate(state[1:], 1):
                if not 0 <= after < len(self.states):
                    yield f"states[{number}][{place}]", f"there is no state {after}"

    def rows(self) -> Integers:
        """Return the states as kernels read them."""
        return np.array(self.states, np.int64)


STRATEGIES: Final[Mapping[str, Machine]] = MappingProxyType(
    {
        "cooperator": Machine(((0, 0, 0, 0, 0),)),
        "defector": Machine(((1, 0, 0, 0, 0),)),
        "tit_for_tat": Machine(((0, 0, 1, 0, 1), (1, 0, 1, 0, 1))),
        "suspicious_tit_for_tat": Machine(((1, 1, 0, 1, 0), (0, 1, 0, 1, 0))),
        "tit_for_two_tats": Machine(((0, 0, 1, 0, 1), (0, 0, 2, 0, 2), (1, 0, 2, 0, 2))),
        "grudger": Machine(((0, 0, 1, 0, 1), (1, 1, 1, 1, 1))),
        "alternator": Machine(((0, 1, 1, 0, 0), (1, 1, 1, 0, 0))),
        "win_stay_lose_shift": Machine(((0, 0, 1, 1, 0), (1, 0, 1, 1, 0))),
        "bully": Machine(((1, 0, 1, 0, 1), (0, 0, 1, 0, 1))),
    }
)
"""Strategies of Axelrod's tournaments, by name.

``tit_for_two_tats`` defects after two defections in a row; ``grudger`` for ever after one;
``win_stay_lose_shift`` repeats its move after the other's cooperation and changes it after a
defection; ``bully`` begins with a defection and then does the opposite of the other's last move.
"""


@attrs.frozen(kw_only=True)
class Match:
    """A match of two machines.

    Attributes
    ----------
    moves : tuple of str
        C and D of both, turn by turn; empty strings where noise makes them a matter of chance.
    scores : tuple of float
        Totals, expected where there is noise.
    """

    moves: tuple[str, str]
    scores: tuple[float, float]


@attrs.frozen(kw_only=True)
class MemoryOne:
    """Chances to cooperate, given the (own, other's) last moves.

    Parameters
    ----------
    first, after_cc, after_cd, after_dc, after_dd : float
        In [0, 1].
    """

    first: float = 1.0
    after_cc: float
    after_cd: float
    after_dc: float
    after_dd: float

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong."""
        for name, chance in attrs.asdict(self).items():
            if not 0.0 <= chance <= 1.0:
                yield name, f"{chance} is not in [0, 1]"

    def row(self) -> Floats:
        """Return the five chances as kernels read them."""
        return np.array(attrs.astuple(self), np.float64)

    def with_noise(self, noise: float) -> "MemoryOne":
        """Return the player whose moves come out wrong with a chance."""
        return MemoryOne(
            **{name: p + noise * (1.0 - 2.0 * p) for name, p in attrs.asdict(self).items()}
        )


@attrs.frozen(kw_only=True)
class BestAnswer:
    """The sure plan that scores most, and its payoff a turn."""

    plan: MemoryOne
    payoff: float


def _inputs(dilemma: Dilemma, turns: int, noise: float, *players: Machine) -> Inputs:
    inputs = Inputs((dilemma, *players))
    inputs.require(turns >= 0, "turns", f"{turns}, must be at least 0")
    inputs.require(0.0 <= noise <= 1.0, "noise", f"{noise} is not in [0, 1]")
    return inputs


DILEMMA: Final = Dilemma()


def play_match(
    one: Machine, other: Machine, turns: int, *, noise: float = 0.0, dilemma: Dilemma = DILEMMA
) -> Match:
    """Return how a match of two machines goes; nothing is drawn, expectations are exact.

    Parameters
    ----------
    one, other : Machine
    turns : int
    noise : float
        Chance that a move is not the intended one.
    dilemma : Dilemma

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    _inputs(dilemma, turns, noise, one, other).settle()
    first, second, out = one.rows(), other.rows(), np.empty(2)
    kernels.expected_scores(first, second, float(noise), dilemma.row(), turns, out)
    texts = ("", "")
    if noise == 0.0:
        moves = np.empty((turns, 2), np.int64)
        kernels.play(first, second, moves)
        mine, theirs = ("".join("CD"[move] for move in moves[:, side]) for side in (0, 1))
        texts = (mine, theirs)
    return Match(moves=texts, scores=(float(out[0]), float(out[1])))


def play_tournament(
    players: Sequence[Machine], turns: int, *, noise: float = 0.0, dilemma: Dilemma = DILEMMA
) -> Floats:
    """Return what each machine scores against each, itself included.

    Parameters
    ----------
    players : sequence of Machine
    turns : int
    noise : float
    dilemma : Dilemma

    Returns
    -------
    (n, n) float64
        Totals of the row's machine against the column's.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    inputs = _inputs(dilemma, turns, noise, *players)
    inputs.require(len(players) > 0, "players", "must be at least one")
    inputs.settle()
    machines = [player.rows() for player in players]
    starts = np.cumsum([0, *map(len, machines)])
    scores = np.empty((len(players), len(players)))
    rows = np.concatenate(machines)
    kernels.tournament(rows, starts, float(noise), dilemma.row(), turns, scores)
    return scores


def _joined(one: MemoryOne, other: MemoryOne) -> tuple[Floats, Floats]:
    start, chain = np.empty(4), np.empty((4, 4))
    kernels.joint_chain(one.row(), other.row(), start, chain)
    return start, chain


def moves_in_the_long_run(one: MemoryOne, other: MemoryOne) -> Floats:
    """Return the shares of time in CC, CD, DC and DD, from the first moves on, over for ever.

    Raises
    ------
    ValidationError
    """
    Inputs((one, other)).settle()
    out = np.empty(4)
    kernels.long_run(*_joined(one, other), out)
    return out


def _check_discount(inputs: Inputs, discount: float) -> None:
    inputs.require(0.0 <= discount <= 1.0, "discount", f"{discount} is not in [0, 1]")
    inputs.settle()


def memory_one_payoffs(
    one: MemoryOne, other: MemoryOne, *, discount: float = 1.0, dilemma: Dilemma = DILEMMA
) -> tuple[float, float]:
    """Return the payoffs a turn of two memory-one players.

    Parameters
    ----------
    one, other : MemoryOne
    discount : float
        ``(1 - d) * sum of d**t * payoff``; 1 takes the average over for ever.
    dilemma : Dilemma

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    _check_discount(Inputs((dilemma, one, other)), discount)
    out = np.empty(2)
    kernels.discounted_payoffs(*_joined(one, other), float(discount), dilemma.row(), out)
    return float(out[0]), float(out[1])


def best_answer(
    other: MemoryOne, *, discount: float = 1.0, dilemma: Dilemma = DILEMMA
) -> BestAnswer:
    """Return the best that anybody can do against a memory-one player, and how.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    _check_discount(Inputs((dilemma, other)), discount)
    plan = np.empty(5)
    payoff = kernels.best_answer(other.row(), float(discount), dilemma.row(), plan)
    first, cc, cd, dc, dd = plan.tolist()
    chosen = MemoryOne(first=first, after_cc=cc, after_cd=cd, after_dc=dc, after_dd=dd)
    return BestAnswer(plan=chosen, payoff=payoff)
