"""Time and chance as the I/O of venues sees them: one small port, so that tests steer both."""

import asyncio
import random
import time
from typing import Protocol

__all__ = ["Pace", "SystemPace"]


class Pace(Protocol):
    """Clocks, waiting and draws."""

    def now(self) -> int:
        """Return UTC time, ns."""
        raise NotImplementedError

    def elapsed(self) -> int:
        """Return a time that never goes back, ns."""
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        """Wait; never less than asked for."""
        raise NotImplementedError

    def draw(self) -> float:
        """Return a number from 0 to below 1."""
        raise NotImplementedError


class SystemPace:
    """The machine's clocks, asyncio's sleep, and draws that differ from run to run."""

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311 - spreads reconnects, keeps no secret

    def now(self) -> int:
        """Return UTC time, ns."""
        return time.time_ns()

    def elapsed(self) -> int:
        """Return the monotonic clock, ns."""
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        await asyncio.sleep(seconds)

    def draw(self) -> float:
        """Return a number from 0 to below 1."""
        return self._random.random()
