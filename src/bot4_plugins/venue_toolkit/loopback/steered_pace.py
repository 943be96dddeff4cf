"""A clock that stands until a test moves it, for I/O that otherwise is real."""

import asyncio
import heapq
from typing import Final

__all__ = ["SteeredPace"]

START: Final = 1_767_225_600_000_000_000  # 2026-01-01
TURNS: Final = 3


class SteeredPace:
    """Satisfies `Pace`: time passes in `advance` only, draws are what a test says.

    Parameters
    ----------
    share : float
        What every draw gives.
    start : int
        UTC time at the beginning, ns.

    Attributes
    ----------
    waits : list of float
        Seconds that were asked for, in order.
    """

    def __init__(self, share: float = 0.5, start: int = START) -> None:
        self.share = share
        self.waits: list[float] = []
        self._start = start
        self._passed = 0
        self._count = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """Return UTC time, ns."""
        return self._start + self._passed

    def elapsed(self) -> int:
        """Return the time passed, ns."""
        return self._passed

    def draw(self) -> float:
        """Return what the test said."""
        return self.share

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has moved time far enough."""
        self.waits.append(seconds)
        woken = asyncio.get_running_loop().create_future()
        self._count += 1
        due = self._passed + int(seconds * 1e9)
        heapq.heappush(self._sleepers, (due, self._count, woken))
        await woken

    def shift(self, seconds: float) -> None:
        """Step the UTC clock alone, as somebody who sets the machine's clock does."""
        self._start += int(seconds * 1e9)

    async def advance(self, seconds: float) -> None:
        """Move time, waking whom it reaches one by one."""
        end = self._passed + int(seconds * 1e9)
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            self._passed = max(self._passed, due)
            if not woken.done():
                woken.set_result(None)
            for _ in range(TURNS):
                await asyncio.sleep(0)
        self._passed = end
        for _ in range(TURNS):
            await asyncio.sleep(0)
