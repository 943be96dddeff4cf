"""What a holding cost and what it earned, lot by lot, in exact integers."""

from collections import deque
from typing import Final

from bot4_core.domain_types.canonical_types import Rounding, divide_rounded
from bot4_core.domain_types.instruments import Instrument
from bot4_core.risk.ledger_positions import CostPosition

__all__ = ["LotPosition"]

_HALF_EVEN: Final = Rounding.HALF_EVEN


class LotPosition(CostPosition):
    """The position in one instrument, of which what was opened first is closed first.

    Every fill that opens is a lot of its own. For spot and linear instruments no division is left:
    a part of a lot costs what its size costs at its price. For inverse ones a lot's worth is
    rounded once, and closing a part of it releases its share, half to even; the rest stays in the
    lot.

    A trade that a venue takes back is struck out: lots, cost and realised profit become what they
    are without it. All trades are kept for that.
    """

    __slots__ = ("_lots", "_trades")

    def __init__(self, instrument: Instrument) -> None:
        super().__init__(instrument)
        self._lots: deque[tuple[int, int]] = deque()
        self._trades: list[tuple[int, int, int, int]] = []

    @property
    def lots(self) -> tuple[tuple[int, int], ...]:
        """Open lots, oldest first: unsigned size, and what it cost."""
        return tuple(self._lots)

    def trade(self, side: int, size: int, price: int, number: int = 0) -> tuple[int, int]:
        """Book an execution, as with average cost; ``number`` is its trade id."""
        self._trades.append((side, size, price, number))
        worth = self.worth(size, 2 * price)
        return worth, self._take(side, size, worth)

    def reverse(self, side: int, size: int, price: int, number: int) -> tuple[int, int]:
        """Strike out the latest trade that these take back; book them as a trade if none is here.

        Costs a step for each trade of the instrument.
        """
        struck = (-side, size, price, number)
        if struck not in self._trades:
            return self.trade(side, size, price, number)
        trades, before = self._trades, self.realised
        del trades[len(trades) - 1 - trades[::-1].index(struck)]
        self.size = self.cost = self.realised = 0
        self._lots.clear()
        for each_side, each_size, each_price, _ in trades:
            self._take(each_side, each_size, self.worth(each_size, 2 * each_price))
        return self.worth(size, 2 * price), self.realised - before

    def summary(self) -> tuple[str, ...]:
        """Return what the position adds up to as text, lots included."""
        return (*super().summary(), str(self.lots))

    def _take(self, side: int, size: int, worth: int) -> int:
        closed = min(abs(self.size), size) if self.size * side < 0 else 0
        realised = 0
        if closed:
            sold = worth if closed == size else divide_rounded(worth * closed, size, _HALF_EVEN)
            released = self._release(closed)
            realised = self._direction() * (sold - released)
            worth -= sold
            self.cost -= released
            self.realised += realised
        if size > closed:
            self._lots.append((size - closed, worth))
            self.cost += worth
        self.size += side * size
        return realised

    def _release(self, closed: int) -> int:
        """Take a size off the oldest lots, and return what it cost."""
        released = 0
        while closed:
            size, cost = self._lots.popleft()
            taken = min(size, closed)
            part = cost if taken == size else divide_rounded(cost * taken, size, _HALF_EVEN)
            if taken < size:
                self._lots.appendleft((size - taken, cost - part))
            released += part
            closed -= taken
        return released
