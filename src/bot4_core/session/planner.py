"""From signals to the orders that should stand, within what breakers still allow."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from bot4_core.domain_types.decisions import BreakerEffect
from bot4_core.domain_types.records import OrderFlag, SignalAction
from bot4_core.orders import QuotePlan, QuoteTolerance, Target, WorkingOrder, plan_quotes
from bot4_core.risk.limits import LimitCheck
from bot4_core.session.config import QuotingConfig
from bot4_core.session.parts import SizerCalls, StrategyCalls

__all__ = ["Planner", "Wanted"]

QUOTE: Final = int(SignalAction.QUOTE)
TAKE: Final = int(SignalAction.TAKE)
CANCEL: Final = int(SignalAction.CANCEL)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
POST_ONLY: Final = int(OrderFlag.POST_ONLY)


class Wanted(NamedTuple):
    """What the signals of one decision ask for; ``origin`` finds a target's signal by side."""

    targets: list[Target]
    takes: list[tuple[Target, int]]
    origin: dict[tuple[int, int], int]


class Planner:
    """Sizes signals, fits them to the grid and compares them with what stands.

    Parameters
    ----------
    config : QuotingConfig
    strategy : StrategyCalls
    sizer : SizerCalls
    limits : LimitCheck
        Sizes are cut to the room that they leave.
    """

    def __init__(
        self, config: QuotingConfig, strategy: StrategyCalls, sizer: SizerCalls, limits: LimitCheck
    ) -> None:
        self.tolerance = QuoteTolerance(
            behind=config.keep_behind,
            ahead=config.keep_ahead,
            size_percent=config.keep_size_percent,
        )
        self.post_only = config.post_only
        self._fields = strategy.fields
        self._size = sizer.size
        self._limits = limits
        self.ticks: list[int] = [max(1, tick) for tick in limits.views["tick"].tolist()]
        self._lots: list[int] = [max(1, lot) for lot in limits.views["lot"].tolist()]

    def wanted(self, count: int, instrument: int, touch: tuple[int, int]) -> Wanted:
        """Turn the first ``count`` signals into quotes and trades, never at more risk than asked.

        Buy prices round down to the tick, sell prices up, sizes down to the lot and to what one
        order may be worth. A post-only quote stays a tick from the other side of the ``touch``
        (best bid, best ask).
        """
        wanted = Wanted([], [], {})
        bid, ask = touch
        tick = self.ticks[instrument]
        for number, (_, action, side, asked) in enumerate(self._fields[:count].tolist()):
            if action == CANCEL:
                wanted.targets.append(Target(side, 0, 0))
                continue
            price = asked - asked % tick if side > 0 else asked + -asked % tick
            if action == TAKE:
                size = self._sized(number, instrument, max(bid + ask, 2 * price))
                wanted.takes.append((Target(side, price, size), number))
            elif action == QUOTE:
                price = self._passive(side, price, touch, tick)
                size = self._sized(number, instrument, max(bid + ask, 2 * price))
                wanted.targets.append(Target(side, price, size if price > 0 else 0))
                wanted.origin[side, price] = number
        return wanted

    def _passive(self, side: int, price: int, touch: tuple[int, int], tick: int) -> int:
        """Keep a post-only quote a tick from the other side."""
        if not self.post_only:
            return price
        bid, ask = touch
        return min(price, ask - tick) if side > 0 else max(price, bid + tick)

    def _sized(self, number: int, instrument: int, twice_price: int) -> int:
        """Size a signal, cut to what one order may be worth and to the lot."""
        size = min(self._size(number, instrument), self._limits.order_room(instrument, twice_price))
        return size - size % self._lots[instrument]

    def fitting(self, instrument: int, side: int, size: int, twice_price: int) -> int:
        """Cut a size that adds to a position to what the position limit leaves."""
        size = min(size, self._limits.position_room(instrument, side, twice_price))
        return size - size % self._lots[instrument]

    def plan(
        self, targets: list[Target], standing: Iterable[WorkingOrder], instrument: int
    ) -> QuotePlan:
        """Compare what is wanted with what stands."""
        return plan_quotes(targets, standing, self.ticks[instrument], self.tolerance)


def restrict(targets: list[Target], effect: int, position: int) -> tuple[list[Target], int]:
    """Cut wanted quotes down to what a breaker's effect allows; return them and order flags.

    Under ``BLOCK_OPEN`` only the side that reduces the position is quoted, reduce-only and for no
    more than is held. Under everything stronger nothing new is wanted.
    """
    if effect != BreakerEffect.BLOCK_OPEN:
        return [Target(side, 0, 0) for side, _, _ in targets], 0
    cut = [
        Target(side, price, min(size, -position * side) if position * side < 0 else 0)
        for side, price, size in targets
    ]
    return cut, REDUCE_ONLY
