"""Records what a venue says: the raw bytes, and the events that they mean."""

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import attrs

from bot4_core.errors import VenueError
from bot4_core.jit import warm_up
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.recordings import (
    Durability,
    RecordingCounts,
    RecordingHeader,
    RecordingWriter,
)
from bot4_core.market.recordings.messages import Channel, Origin, block_from_messages
from bot4_core.plugins.exchange import Exchange, Outbound, Reply
from bot4_plugins.venue_toolkit.backoff import compile_limits
from bot4_plugins.venue_toolkit.connection_health import ConnectionHealth
from bot4_plugins.venue_toolkit.event_sink import BookSink
from bot4_plugins.venue_toolkit.pace import Pace, SystemPace
from bot4_plugins.venue_toolkit.supervisor import Supervisor
from bot4_plugins.venue_toolkit.transports import Transport

__all__ = ["RecordedSession", "RecordingSink", "record"]

SECOND: Final = 1_000_000_000
LOOK: Final = 0.25
"""Seconds between commits, and between looks whether to stop: at most this much is lost."""
PATIENCE: Final = 30
ROOM: Final = 1 << 14


@attrs.frozen(kw_only=True)
class RecordedSession:
    """What was recorded."""

    path: Path
    digest: str
    counts: RecordingCounts
    instruments: tuple[str, ...]
    seconds: float
    lost: int
    """Connections that were lost and opened again."""
    resyncs: int
    """Snapshots asked for because of gaps."""


class RecordingSink(BookSink):
    """Keeps raw messages beside the events that they become, until they are written.

    Parameters
    ----------
    exchange : Exchange
    writer : RecordingWriter
    """

    def __init__(self, exchange: Exchange, writer: RecordingWriter) -> None:
        super().__init__(exchange, EventBatch(ROOM))
        self.counts = RecordingCounts()
        self._writer = writer
        self._origins: dict[tuple[Channel, str, str], int] = {}
        self._messages: list[bytes] = []
        self._received: list[int] = []
        self._sources: list[int] = []
        self._streamed = self._answered = self._events = 0

    def message(self, connection: str, data: bytes, received: int) -> int:
        """Keep a message, then decode it and apply it to the books."""
        self._keep(Channel.STREAM, connection, "", data, received)
        self._streamed += 1
        return super().message(connection, data, received)

    def reply(self, request: Outbound, reply: Reply) -> int:
        """Keep a reply, then decode it and apply it to the books."""
        self._keep(Channel.RESPONSE, request.connection, request.path, reply.body, reply.received)
        self._answered += 1
        return super().reply(request, reply)

    def _keep(
        self, channel: Channel, connection: str, url: str, data: bytes, received: int
    ) -> None:
        key = (channel, connection, url)
        if key not in self._origins:
            origin = Origin(source="live", channel=channel, connection=connection, url=url)
            self._origins[key] = self._writer.add_origin(origin)
        self._messages.append(data)
        self._received.append(received)
        self._sources.append(self._origins[key])

    def commit(self) -> None:
        """Write what came in since the last time, all of it or nothing.

        Raises
        ------
        RecordingError
            If it cannot be written.
        """
        if not self._messages and not self.batch.count:
            return
        block = block_from_messages(self._messages, self._received, self._sources)
        self._writer.add_messages(block)
        self._writer.add_events(self.batch.events)
        self._events += self.batch.count
        self.counts = RecordingCounts(
            messages=self._streamed,
            responses=self._answered,
            quarantined=self.exchange.quarantined,
            events=self._events,
        )
        self._writer.commit(self.counts, self.exchange.instruments)
        self._messages, self._received, self._sources = [], [], []
        self.clear()


async def record(
    exchange: Exchange,
    transport: Transport,
    path: Path,
    market: str,
    *,
    stop: Callable[[], bool],
    progress: Callable[[RecordingCounts, Sequence[ConnectionHealth]], None] | None = None,
    pace: Pace | None = None,
) -> RecordedSession:
    """Record public data into a new file until told to stop.

    What was committed, four times a second, can be read whatever happens to the process.

    Parameters
    ----------
    exchange : Exchange
    transport : Transport
    path : Path
        Must not exist.
    market : str
        The venue's own name for its division.
    stop : callable
        Asked four times a second.
    progress : callable, optional
        Told the counts and the connections' health as often.
    pace : Pace, optional

    Raises
    ------
    RecordingError
        If the file exists or cannot be written.
    VenueError
        If the venue will not have us, or says nothing for 30 s from the start.
    """
    pace = pace or SystemPace()
    header = RecordingHeader(
        venue=exchange.name,
        market=market,
        tool=f"bot4-venue-toolkit {version('bot4-venue-toolkit')}",
    )
    compile_limits()
    warm_up(exchange.specialisations())
    begin, resyncs = pace.elapsed(), 0
    with RecordingWriter(path, header, durability=Durability.CLOSE) as writer:
        sink = RecordingSink(exchange, writer)
        supervisor = Supervisor(exchange, transport, sink, pace)
        task = asyncio.create_task(supervisor.run())
        try:
            while not stop() and not task.done():
                await pace.sleep(LOOK)
                supervisor.note(sink.pushed())
                for instrument in sink.torn():
                    supervisor.resync(instrument)
                    resyncs += 1
                sink.commit()
                _require_data(sink, supervisor, pace.elapsed() - begin)
                if progress is not None:
                    progress(sink.counts, supervisor.health())
        finally:
            await _ended(task)
        sink.commit()
        digest = writer.finish()
    return RecordedSession(
        path=path,
        digest=digest,
        counts=sink.counts,
        instruments=tuple(str(each.symbol) for each in exchange.instruments),
        seconds=(pace.elapsed() - begin) / SECOND,
        lost=sum(each.lost for each in supervisor.health()),
        resyncs=resyncs,
    )


def _require_data(sink: RecordingSink, supervisor: Supervisor, passed: int) -> None:
    """Give up where nothing ever comes."""
    if sink.counts.events or passed < PATIENCE * SECOND:
        return
    said = "; ".join(each.text for each in list(supervisor.notices.latest)[-3:])
    raise VenueError(f"{sink.exchange.name} said nothing for {PATIENCE} s: {said or 'no error'}")


async def _ended(task: "asyncio.Task[None]") -> None:
    """End the supervisor; raise what it ended with by itself."""
    was_over = task.done()
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if was_over and isinstance(result, BaseException):
        raise result
