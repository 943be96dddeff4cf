"""The Binance adapter and a server written from the documentation, over real sockets."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from tests.plugins.venue_toolkit.venue_cases import until

from bot4_core.domain_types.records import Side
from bot4_core.jit import warm_up
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_binance.adapter import BinanceExchange
from bot4_plugins.exchange_binance.settings import BinanceSettings
from bot4_plugins.exchange_binance.venue import VENUES
from bot4_plugins.venue_toolkit.backoff import compile_limits
from bot4_plugins.venue_toolkit.event_sink import BookSink
from bot4_plugins.venue_toolkit.loopback.binance_protocol import BinanceProtocol
from bot4_plugins.venue_toolkit.loopback.faults import ScriptedFault, ScriptedKind
from bot4_plugins.venue_toolkit.loopback.server import LoopbackVenue
from bot4_plugins.venue_toolkit.loopback.steered_pace import SteeredPace
from bot4_plugins.venue_toolkit.network import NetworkTransport
from bot4_plugins.venue_toolkit.supervisor import Supervisor

TURNS = 40
DEPTH = 100
FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "900000", "tickSize": "0.10"},
    {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"},
]
BITCOIN = {
    "symbol": "BTCUSDT",
    "pair": "BTCUSDT",
    "contractType": "PERPETUAL",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "filters": FILTERS,
}
METADATA = json.dumps({"exchangeFilters": [], "rateLimits": [], "symbols": [BITCOIN]}).encode()
MARKETS = ("spot", "usdm")


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Compile what a message goes through, while no socket waits."""
    compile_limits()
    for market in MARKETS:
        scene = Followed(market)
        scene.move(0)
        warm_up(scene.exchange.specialisations())
        update = b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"T":1,'
        update += b'"s":"BTCUSDT","U":1,"u":2,"pu":1,"b":[["1.0","2.000"]],"a":[]}}'
        scene.sink.message("market", update, 1)


class Followed:
    """A supervised adapter, the server, and the books of both."""

    def __init__(self, market: str, *faults: ScriptedFault) -> None:
        facts = VENUES[market]
        self.protocol = BinanceProtocol(facts.prefix, METADATA, linked=market != "spot")
        self.venue = LoopbackVenue(self.protocol, faults)
        self.exchange = BinanceExchange(
            BinanceSettings(market=market, symbols=("BTCUSDT",), streams=("depth",))
        )
        self.sink = BookSink(self.exchange, EventBatch(1024))
        self.pace = SteeredPace()
        self.origins = {"/".join(url.split("/")[:3]) for url in facts.hosts.values()}
        self.supervisor: Supervisor

    def start(self) -> "asyncio.Task[None]":
        transport = NetworkTransport(self.venue.hosts(*self.origins))
        self.supervisor = Supervisor(self.exchange, transport, self.sink, self.pace)
        return asyncio.create_task(self.supervisor.run())

    def move(self, step: int) -> None:
        """Change the book: a level on each side, and one taken out."""
        bid, ask = f"{60_000 - step % 7}.00", f"{60_001 + step % 5}.00"
        gone = f"{59_990 - step % 3}.00"
        self.protocol.change(
            "BTCUSDT",
            [(bid, f"{1 + step % 9}.000"), (gone, "0.000" if step % 2 else "2.000")],
            [(ask, f"{2 + step % 4}.000")],
        )

    @property
    def is_live(self) -> bool:
        return len(self.sink.books) > 0 and not self.sink.books.needs_snapshot(0)

    def agrees(self) -> bool:
        """Whether the client's book is the server's, as deep as snapshots go."""
        if not self.is_live:
            return False
        book, served = self.sink.books[0], self.protocol.books["BTCUSDT"]
        rules, snapshot = self.exchange.instruments[0], json.loads(served.snapshot(DEPTH))
        for side, levels in ((Side.BUY, snapshot["bids"]), (Side.SELL, snapshot["asks"])):
            prices, sizes = book.scaled_levels(side, DEPTH)
            there = [
                (
                    int(Decimal(price).scaleb(-rules.price_exponent)),
                    int(Decimal(size).scaleb(-rules.size_exponent)),
                )
                for price, size in levels
            ]
            if [*zip(prices.tolist(), sizes.tolist(), strict=True)] != there:
                return False
        return True

    async def second(self) -> None:
        """Let the book change, a second pass, and gaps be seen to."""
        self.move(int(self.pace.elapsed() // 10**9))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        for instrument in self.sink.torn():
            self.supervisor.resync(instrument)
        self.supervisor.note(self.sink.pushed())
        self.sink.clear()
        await self.pace.advance(1.0)

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            await self.second()

    async def agree(self) -> None:
        """Go on until the books agree."""
        for _ in range(40):
            if self.agrees():
                return
            await self.second()
            for _ in range(20 * TURNS):
                if self.agrees():
                    return
                await asyncio.sleep(0)
        raise AssertionError([each.text for each in self.supervisor.notices.latest])


@asynccontextmanager
async def followed(market: str, *faults: ScriptedFault) -> AsyncIterator[Followed]:
    scene = Followed(market, *faults)
    scene.move(0)
    async with scene.venue:
        task = scene.start()
        try:
            await until(lambda: scene.venue.requests)
            await scene.agree()
            yield scene
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("market", MARKETS)
def test_a_book_is_bridged_from_subscription_and_snapshot(market: str) -> None:
    async def scene() -> None:
        async with followed(market) as scene:
            await scene.seconds(3)
            assert scene.agrees()
            assert [each.head for each in scene.exchange.quarantine] == []

    asyncio.run(scene())


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize(
    "fault",
    [
        ScriptedFault(kind=ScriptedKind.GAP, nth=2),
        ScriptedFault(kind=ScriptedKind.GAP, nth=2, count=3),
        ScriptedFault(kind=ScriptedKind.REORDER, nth=2),
        ScriptedFault(kind=ScriptedKind.DUPLICATE, nth=1, count=4),
        ScriptedFault(kind=ScriptedKind.DROP, nth=2),
        ScriptedFault(kind=ScriptedKind.RESET, nth=2),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.count}",
)
def test_m01_m02_m03_t01_the_book_is_the_venues_again(market: str, fault: ScriptedFault) -> None:
    async def scene() -> None:
        async with followed(market) as scene:
            scene.venue.plan.add(fault)
            await scene.seconds(6)
            assert scene.venue.plan.happened[fault.kind] == fault.count
            await scene.agree()

    asyncio.run(scene())


@pytest.mark.parametrize("market", MARKETS)
def test_m08_a_snapshot_from_before_is_asked_for_again(market: str) -> None:
    async def scene() -> None:
        async with followed(market) as scene:
            scene.venue.plan.add(ScriptedFault(kind=ScriptedKind.GAP, nth=2))
            scene.venue.plan.add(ScriptedFault(kind=ScriptedKind.STALE, count=2))
            await scene.seconds(6)
            await scene.agree()
            assert scene.venue.plan.happened[ScriptedKind.STALE] >= 1

    asyncio.run(scene())


def test_t03_the_retired_path_that_confirms_and_stays_silent_is_noticed() -> None:
    async def scene() -> None:
        async with followed("usdm") as scene:
            silent = ScriptedFault(kind=ScriptedKind.SILENCE, count=10_000)
            scene.venue.plan.add(silent)
            subscriptions = scene.venue.connects
            await scene.seconds(140)
            said = [each.text for each in scene.supervisor.notices.latest]
            assert "BTCUSDT: subscribed and silent; resubscribe" in said
            assert scene.venue.connects > subscriptions
            scene.venue.plan.heal()
            await scene.agree()

    asyncio.run(scene())


def test_t05_an_announced_restart_costs_no_live_time() -> None:
    async def scene() -> None:
        async with followed("spot") as scene:
            before = scene.venue.connects
            scene.venue.announce_restart()
            for _ in range(8):
                await scene.second()
                assert scene.is_live
            assert scene.venue.connects == before + 1
            assert [each.rotated for each in scene.supervisor.health()] == [1]
            assert sum(each.lost for each in scene.supervisor.health()) == 0
            await scene.agree()

    asyncio.run(scene())


def test_c01_the_venues_clock_and_its_counts_are_heard() -> None:
    async def scene() -> None:
        async with followed("usdm") as scene:
            scene.protocol.time = scene.pace.now() // 1_000_000
            await scene.seconds(2)
            assert scene.supervisor.clock.known

    asyncio.run(scene())


def test_a_recorded_session_is_followed_to_the_last_level(recordings: Path) -> None:
    path = recordings / "binance" / "usdm_btcusdt_20240808.gz"
    with gzip.open(path) as lines:
        texts = [line.partition(b" ")[2].strip() for line in islice(lines, 1500)]
    begin = next(at for at, text in enumerate(texts) if b"lastUpdateId" in text)
    snapshot = json.loads(texts[begin])

    async def scene() -> None:
        scene = Followed("usdm")
        book = scene.protocol.books
        scene.protocol.change("BTCUSDT")
        book["BTCUSDT"].replace(snapshot)
        rest = [
            text
            for text in texts
            if json.loads(text).get("data", {}).get("u", 0) > snapshot["lastUpdateId"]
        ]
        depth = [text for text in rest if b'"depthUpdate"' in text]
        async with scene.venue:
            task = scene.start()
            await until(lambda: any(peer.streams for peer in scene.venue.peers))
            for text in depth[:20]:
                scene.protocol.feed(text)
            await until(lambda: scene.sink.batch.count)
            for text in depth[20:]:
                scene.protocol.feed(text)
            await until(scene.agrees)
            assert len(depth) > 100
            assert scene.exchange.quarantined == 0
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
