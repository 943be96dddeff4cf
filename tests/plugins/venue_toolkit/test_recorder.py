"""What a venue says, on disk: whole, in order, and readable whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from tests.plugins.venue_toolkit.simulated_sockets import SimProtocol, SocketSim
from tests.plugins.venue_toolkit.venue_cases import REST_URL, STREAM_URL

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import EventKind, Records
from bot4_core.errors import RecordingError, VenueError, VenueRefusedError
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.market.recordings import Recording
from bot4_plugins.exchange_sim.settings import SimSettings
from bot4_plugins.venue_toolkit.loopback.faults import ScriptedFault, ScriptedKind
from bot4_plugins.venue_toolkit.loopback.server import LoopbackVenue
from bot4_plugins.venue_toolkit.loopback.steered_pace import SteeredPace
from bot4_plugins.venue_toolkit.network import NetworkTransport
from bot4_plugins.venue_toolkit.recorder import RecordedSession, record

SETTINGS = SimSettings(symbols=("BTC-USD-PERP",))
TURNS = 40


class Recorder:
    """A recording in the making; time passes when a test says so."""

    def __init__(self, path: Path, venue: LoopbackVenue, protocol: SimProtocol) -> None:
        self.path = path
        self.venue = venue
        self.protocol = protocol
        self.pace = SteeredPace()
        self.enough = False
        transport = NetworkTransport(venue.hosts(STREAM_URL, REST_URL))
        self.task = asyncio.create_task(
            record(
                SocketSim(SETTINGS),
                transport,
                path,
                "sim",
                stop=lambda: self.enough,
                pace=self.pace,
            )
        )

    async def looks(self, count: int) -> None:
        """Let the venue move and the recorder look, so many times."""
        for _ in range(count):
            for _ in range(5):
                self.protocol.step()
            for _ in range(TURNS):
                await asyncio.sleep(0)
            await self.pace.advance(0.25)
            for _ in range(TURNS):
                await asyncio.sleep(0)

    async def end(self) -> RecordedSession:
        self.enough = True
        while not self.task.done():
            await self.looks(1)
        return await self.task


@asynccontextmanager
async def recording(path: Path, *faults: ScriptedFault) -> AsyncIterator[Recorder]:
    protocol = SimProtocol(SETTINGS)
    async with LoopbackVenue(protocol, faults) as venue:
        scene = Recorder(path, venue, protocol)
        try:
            yield scene
        finally:
            scene.task.cancel()
            await asyncio.gather(scene.task, return_exceptions=True)


def events_of(path: Path) -> Records:
    return np.concatenate([*Recording(path, salvage=True).batches()])


def decoded(path: Path) -> Records:
    """Decode the raw messages of a recording again."""
    batch, exchange = EventBatch(64), SocketSim(SETTINGS)
    for block in Recording(path).messages():
        for number in range(len(block)):
            time = Nanoseconds(int(block.received[number]))
            exchange.decode(block.message(number), time, batch)
    return batch.events


def test_events_are_what_the_raw_messages_say(tmp_path: Path) -> None:
    path = tmp_path / "a.b4r"

    async def scene() -> None:
        async with recording(path) as recorder:
            await recorder.looks(12)
            report = await recorder.end()
        assert report.counts.messages > 20
        assert report.counts.events > report.counts.messages
        assert (report.counts.quarantined, report.lost, report.resyncs) == (0, 0, 0)
        assert report.instruments == ("BTC-USD-PERP",)
        assert report.seconds >= 3

    asyncio.run(scene())
    kept = Recording(path)
    kept.check_digest()
    assert (kept.header.venue, kept.header.market) == ("socketsim", "sim")
    assert np.array_equal(events_of(path), decoded(path))
    books = Books(SocketSim(SETTINGS).table)
    books.apply(events_of(path))
    assert not books.needs_snapshot(0)


@pytest.mark.parametrize("kind", [ScriptedKind.GAP, ScriptedKind.REORDER])
def test_m01_m03_a_gap_is_recorded_and_mended_by_a_snapshot(
    tmp_path: Path, kind: ScriptedKind
) -> None:
    path = tmp_path / "a.b4r"
    fault = ScriptedFault(kind=kind, nth=12, count=3, value=9)

    async def scene() -> None:
        async with recording(path, fault) as recorder:
            await recorder.looks(20)
            report = await recorder.end()
        assert report.resyncs >= 1
        assert recorder.venue.plan.happened[kind] == 3

    asyncio.run(scene())
    books = Books(SocketSim(SETTINGS).table)
    books.apply(events_of(path))
    assert not books.needs_snapshot(0)


def test_m02_what_comes_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.b4r"

    async def scene() -> None:
        twice = ScriptedFault(kind=ScriptedKind.DUPLICATE, nth=10, count=4)
        async with recording(path, twice) as recorder:
            await recorder.looks(8)
            report = await recorder.end()
        assert report.resyncs == 0

    asyncio.run(scene())


def test_t01_a_lost_connection_is_recorded_as_gaps(tmp_path: Path) -> None:
    path = tmp_path / "a.b4r"

    async def scene() -> None:
        async with recording(path, ScriptedFault(kind=ScriptedKind.DROP, nth=15)) as recorder:
            await recorder.looks(16)
            report = await recorder.end()
        assert report.lost == 1

    asyncio.run(scene())
    events = events_of(path)
    (gap,) = np.flatnonzero(events["kind"] == EventKind.GAP)
    assert 0 < gap < len(events) - 1


def test_what_was_committed_can_be_read_when_the_process_dies(tmp_path: Path) -> None:
    path = tmp_path / "a.b4r"

    async def scene() -> None:
        async with recording(path) as recorder:
            await recorder.looks(8)

    asyncio.run(scene())
    torn = tmp_path / "torn.b4r"
    torn.write_bytes(path.read_bytes()[:-7])
    whole, rest = events_of(path), events_of(torn)
    assert 10 < len(rest) < len(whole)
    assert np.array_equal(whole[: len(rest)], rest)


def test_a_venue_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    async def scene() -> None:
        silent = ScriptedFault(kind=ScriptedKind.SILENCE, count=1_000_000)
        async with recording(tmp_path / "a.b4r", silent) as recorder:
            while not recorder.task.done():
                await recorder.looks(4)
            with pytest.raises(VenueError, match="socketsim said nothing for 30 s: no error"):
                await recorder.task

    asyncio.run(scene())


def test_t13_a_venue_that_will_not_have_us_ends_the_recording(tmp_path: Path) -> None:
    async def scene() -> None:
        refused = ScriptedFault(kind=ScriptedKind.REFUSE, value=451)
        async with recording(tmp_path / "a.b4r", refused) as recorder:
            while not recorder.task.done():
                await recorder.looks(1)
            with pytest.raises(VenueRefusedError):
                await recorder.task

    asyncio.run(scene())


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.b4r"
    path.write_bytes(b"mine")

    async def scene() -> None:
        async with recording(path) as recorder:
            with pytest.raises(RecordingError, match="exists already"):
                await recorder.end()

    asyncio.run(scene())
    assert path.read_bytes() == b"mine"
