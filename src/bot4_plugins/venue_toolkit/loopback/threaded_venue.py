"""A loopback venue in a thread of its own, for clients that have the main one."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bot4_plugins.venue_toolkit.loopback.server import LoopbackVenue

__all__ = ["ThreadedVenue"]


class ThreadedVenue:
    """Runs a venue's server, and what makes it move, in an event loop of its own.

    Parameters
    ----------
    venue : LoopbackVenue
    move : callable, optional
        Makes a coroutine that lets the venue's market move until it is cancelled.
    """

    def __init__(
        self, venue: LoopbackVenue, move: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self.venue = venue
        self._move = move
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="loopback", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stop is not None:
            self.call(self._stop.set)
        self._thread.join()

    def call(self, what: Callable[[], object]) -> None:
        """Do something in the server's loop, soon."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(what)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._listening.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self.venue:
            self._listening.set()
            if self._move is None:
                await self._stop.wait()
                return
            moving = asyncio.ensure_future(self._move())
            await self._stop.wait()
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)
