"""How far this machine's clock is from a venue's."""

from collections import deque
from statistics import median
from typing import Final

__all__ = ["ClockOffset"]

KEPT: Final = 16
BEST: Final = 5
WARN_NS: Final = 250_000_000


class ClockOffset:
    """Estimates a venue's clock from the round trips of questions for its time.

    Of the latest questions the ones with the shortest round trips say most: an offset can be wrong
    by at most half of one (Cristian, 1989, doi:10.1007/BF01784024). The estimate is their median.

    Parameters
    ----------
    kept, best : int
        How many questions are remembered, and how many of those count.
    """

    def __init__(self, kept: int = KEPT, best: int = BEST) -> None:
        self._trips: deque[tuple[int, int]] = deque(maxlen=kept)
        self._best = best

    def add(self, sent: int, received: int, venue: int) -> None:
        """Take one answer: when it was asked and received here, and what the venue said, ns."""
        if received >= sent:
            self._trips.append((received - sent, venue - (sent + received) // 2))

    @property
    def known(self) -> bool:
        """Whether there was an answer yet."""
        return bool(self._trips)

    @property
    def offset(self) -> int:
        """Venue's clock less ours, ns; 0 while nothing is known."""
        best = sorted(self._trips)[: self._best]
        return int(median(offset for _, offset in best)) if best else 0

    @property
    def uncertainty(self) -> int:
        """Half the shortest round trip, ns; how wrong the estimate can be."""
        return min(self._trips)[0] // 2 if self._trips else 0

    @property
    def warns(self) -> bool:
        """Whether somebody should look at this machine's clock."""
        return abs(self.offset) > WARN_NS

    def stops(self, window: int) -> bool:
        """Tell whether signed orders would come too near the end of a request window, ns."""
        return abs(self.offset) > window // 2
