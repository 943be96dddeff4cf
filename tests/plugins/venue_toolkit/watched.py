"""A supervisor of the tiny venue over real sockets, with a clock that tests move."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from tests.plugins.venue_toolkit.tiny_venue import TinyExchange, TinyProtocol
from tests.plugins.venue_toolkit.venue_cases import REST_URL, STREAM_URL, until

from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.venue_toolkit.backoff import compile_limits
from bot4_plugins.venue_toolkit.event_sink import EventSink
from bot4_plugins.venue_toolkit.loopback.faults import ScriptedFault
from bot4_plugins.venue_toolkit.loopback.server import LoopbackVenue
from bot4_plugins.venue_toolkit.loopback.steered_pace import SteeredPace
from bot4_plugins.venue_toolkit.network import NetworkTransport
from bot4_plugins.venue_toolkit.supervisor import Supervisor


class Watched:
    """Everything of one scene."""

    def __init__(self, faults: Iterable[ScriptedFault], exchange: TinyExchange) -> None:
        self.exchange = exchange
        self.protocol = TinyProtocol()
        self.venue = LoopbackVenue(self.protocol, faults)
        self.pace = SteeredPace()
        self.batch = EventBatch(64)
        self.sink = EventSink(exchange, self.batch)
        self.failure: BaseException | None = None
        self.supervisor: Supervisor
        self.task: asyncio.Task[None]

    @property
    def texts(self) -> list[str]:
        """What was noticed."""
        return [each.text for each in self.supervisor.notices.latest]

    @property
    def events(self) -> list[tuple[str, int, int]]:
        """Kind, instrument and sequence of what came in; snapshots are called so."""
        names = []
        for row in self.batch.events:
            whole = int(row["flags"]) & EventFlag.SNAPSHOT
            name = "WHOLE" if whole else EventKind(int(row["kind"])).name
            names.append((name, int(row["instrument"]), int(row["sequence"])))
        return names

    def updates(self, instrument: int = 0) -> list[int]:
        """Update numbers of a book as they came in, without snapshots."""
        return [last for kind, at, last in self.events if kind == "BOOK_END" and at == instrument]

    def count(self, kind: str) -> int:
        """How many events of a kind came in."""
        return sum(each[0] == kind for each in self.events)

    async def pass_seconds(self, seconds: int) -> None:
        """Move time second by second; sockets get their turns between."""
        for _ in range(seconds):
            await self.pace.advance(1.0)
            for _ in range(20):
                await asyncio.sleep(0)
            self.supervisor.note(self.sink.pushed())

    async def until_passing(self, condition: object, seconds: int = 60) -> None:
        """Let time pass until something is so."""
        assert callable(condition)
        for _ in range(seconds):
            if condition():
                return
            await self.pass_seconds(1)
            for _ in range(200):
                if condition():
                    return
                await asyncio.sleep(0)
        raise AssertionError(f"not within {seconds} s: {self.texts}")


@asynccontextmanager
async def watched(
    *faults: ScriptedFault, exchange: TinyExchange | None = None, ready: bool = True
) -> AsyncIterator[Watched]:
    """Run a supervisor; wait until both books were subscribed to and asked for."""
    compile_limits()
    scene = Watched(faults, exchange or TinyExchange())
    async with scene.venue as venue:
        transport = NetworkTransport(venue.hosts(STREAM_URL, REST_URL))
        scene.supervisor = Supervisor(scene.exchange, transport, scene.sink, scene.pace)
        task = scene.task = asyncio.create_task(scene.supervisor.run())
        try:
            if ready:
                await until(lambda: scene.count("WHOLE") == 2 or task.done())
            yield scene
        finally:
            task.cancel()
            (scene.failure,) = await asyncio.gather(task, return_exceptions=True)
