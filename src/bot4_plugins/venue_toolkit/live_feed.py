"""A supervisor in an event loop that runs only while the session waits: no threads."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final

import numpy as np

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind
from bot4_core.errors import VenueError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.interfaces import Exchange, Records
from bot4_plugins.venue_toolkit.backoff import compile_limits
from bot4_plugins.venue_toolkit.event_sink import EventSink
from bot4_plugins.venue_toolkit.pace import Pace, SystemPace
from bot4_plugins.venue_toolkit.supervisor import Supervisor
from bot4_plugins.venue_toolkit.transports import Transport

__all__ = ["LiveFeed", "own_event"]

SECOND: Final = 1_000_000_000
TICK: Final = 0.25
"""Seconds between looks where nothing comes in: how soon a stop is noticed, and the clock moves."""
ROOM: Final = 1 << 12


class LiveFeed:
    """Turns what sockets bring into batches, for a session that asks for the next one.

    The event loop runs inside `take`, and stops as soon as something came in. What the session
    sends meanwhile leaves at once (frames) or when the loop runs next (requests).

    Parameters
    ----------
    exchange : Exchange
    transport : Transport
    pace : Pace, optional
    tick : float
        Seconds.
    """

    def __init__(
        self,
        exchange: Exchange,
        transport: Transport,
        pace: Pace | None = None,
        tick: float = TICK,
    ) -> None:
        self.exchange = exchange
        self.pace: Pace = pace or SystemPace()
        self._tick = tick
        self._loop = asyncio.new_event_loop()
        self._batches = [EventBatch(ROOM), EventBatch(ROOM)]
        self._sink = EventSink(exchange, self._batches[0], self._loop.stop)
        self.supervisor = Supervisor(exchange, transport, self._sink, self.pace)
        self._task: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._timer = np.zeros(1, EVENT_DTYPE)
        self._timer["kind"], self._timer["flags"] = EventKind.TIMER, EventFlag.LAST
        self._timer["sequence"] = -1

    def start(self) -> None:
        """Begin to connect."""
        compile_limits()
        self._task = self._loop.create_task(self.supervisor.run())

    def wait_until(self, ready: Callable[[], bool], seconds: float, what: str) -> None:
        """Let the loop run until something is so; what comes in meanwhile stays for `take`.

        Raises
        ------
        VenueError
            If it is not so in time, or the venue will not have us.
        """
        deadline = self._loop.time() + seconds
        while not ready():
            self._turn()
            if self._loop.time() > deadline:
                latest = [each.text for each in self.supervisor.notices.latest][-3:]
                said = f": {'; '.join(latest)}" if latest else ""
                raise VenueError(f"{what} within {seconds:g} s{said}")

    def take(self) -> Records:
        """Wait for events and return them; a timer event if nothing came for a tick.

        The records are valid until the call after the next one.

        Raises
        ------
        VenueError
            If the venue will not have us any more.
        """
        if not self._sink.batch.count:
            self._turn()
        batch = self._sink.batch
        if not batch.count:
            self._timer["received"] = self._timer["time"] = self.pace.now()
            return self._timer
        self._batches.reverse()
        self._batches[0].clear()
        self.supervisor.note(self._sink.pushed())
        self._sink.replace(self._batches[0])
        return batch.events

    def append(self, row: Records) -> None:
        """Add an event of our own to what comes next."""
        batch = self._sink.batch
        batch.reserve(1)
        batch.records[batch.count] = row[0]
        batch.count += 1

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the supervisor, from the loop's next turn on."""
        task = self._loop.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _turn(self) -> None:
        """Run the loop until something came in, or for a tick."""
        self._require_running()
        handle = self._loop.call_later(self._tick, self._loop.stop)
        self._loop.run_forever()
        handle.cancel()
        self._require_running()

    def _require_running(self) -> None:
        task = self._task
        if task is None:
            raise VenueError("the feed was not started, or is closed")
        if task.done():
            task.result()
            raise VenueError("the connections ended")

    def close(self) -> None:
        """Close everything; may be called again."""
        loop, task, self._task = self._loop, self._task, None
        if loop.is_closed():
            return
        if task is not None:
            task.cancel()
        rest = asyncio.all_tasks(loop)
        for each in rest:
            each.cancel()
        try:
            loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    def batches(self, until: Callable[[], bool]) -> Iterator[Records]:
        """Yield batches until something is so."""
        while not until():
            yield self.take()


def own_event(kind: EventKind, now: int, **fields: int) -> Records:
    """Return one event of our own making, whole by itself."""
    row = np.zeros(1, EVENT_DTYPE)
    row["received"] = row["time"] = now
    row["kind"], row["flags"], row["sequence"] = kind, EventFlag.LAST, -1
    for name, value in fields.items():
        row[name] = value
    return row
