"""Real orders of a session at a Binance that is on this machine; answers get lost."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from tests.plugins.venue_toolkit.simulated_sockets import SocketPlugin
from tests.plugins.venue_toolkit.test_binance_loopback import BITCOIN

from bot4_core import PluginHost, SessionConfig, run
from bot4_core.convert import from_toml
from bot4_core.session.report import SessionReport
from bot4_plugins.exchange_binance import hooks
from bot4_plugins.exchange_binance.venue import VENUES
from bot4_plugins.venue_toolkit.canaries import leaks, planted
from bot4_plugins.venue_toolkit.live_link import LiveLink
from bot4_plugins.venue_toolkit.loopback.binance_orders import BinanceSpotOrders
from bot4_plugins.venue_toolkit.loopback.faults import ScriptedFault, ScriptedKind
from bot4_plugins.venue_toolkit.loopback.server import LoopbackVenue
from bot4_plugins.venue_toolkit.loopback.threaded_venue import ThreadedVenue
from bot4_plugins.venue_toolkit.network import NetworkTransport

ORIGINS = sorted({"/".join(url.split("/")[:3]) for url in VENUES["spot"].hosts.values()})
METADATA = json.dumps(
    {
        "exchangeFilters": [],
        "rateLimits": [],
        "symbols": [{**BITCOIN, "permissions": ["SPOT"], "isSpotTradingAllowed": True}],
    }
).encode()
SESSION = """
mode = "live"
source = { live = true }
account = { asset = "USDT", cash = "1000000" }
strategy = { plugin = "joining" }
sizer = { plugin = "twenty" }
audit = { path = "audit.sqlite" }
answers = { reply_ms = 300, expiry_ms = 5000, lag_ms = 100, pause_ms = 100 }
quoting = { retry_ms = 50 }

[venue]
plugin = "binance"
market = "spot"
symbols = ["BTCUSDT"]
settings = { streams = ["depth"], route = "rest" }
"""


@contextmanager
def served(*faults: ScriptedFault) -> Iterator[tuple[BinanceSpotOrders, ThreadedVenue]]:
    """Serve a book whose price walks up and down, over resting orders."""
    protocol = BinanceSpotOrders(METADATA)

    async def move() -> None:
        step, bid = 0, 60_000
        while True:
            protocol.time = time.time_ns() // 1_000_000
            step += 1
            before, bid = bid, 60_000 + abs(step // 5 % 20 - 10)
            gone = [(f"{before}.00", "0.000")] if before != bid else []
            lifted = [(f"{before + 1}.00", "0.000")] if before != bid else []
            size = f"{1 + step % 3}.000"
            protocol.change(
                "BTCUSDT", [*gone, (f"{bid}.00", size)], [*lifted, (f"{bid + 1}.00", size)]
            )
            await asyncio.sleep(0.01)

    with ThreadedVenue(LoopbackVenue(protocol, faults), move) as venue:
        yield protocol, venue


def traded(folder: Path, venue: ThreadedVenue, enough: Callable[[], bool]) -> SessionReport:
    """Run a session of real orders until there is enough of something."""
    host = PluginHost()
    host.register(hooks, name="binance")
    host.register(SocketPlugin(), name="parts")
    config = from_toml(SESSION, SessionConfig).at(folder)
    transport = NetworkTransport(venue.venue.hosts(*ORIGINS))
    with LiveLink(transport, planted) as link:
        return run(
            config,
            host,
            time,
            consent=True,
            connect=link,
            stop=lambda: "enough" if enough() else "",
        )


def held(protocol: BinanceSpotOrders) -> Decimal:
    """Return what the venue says that the account bought, less what it sold."""
    signs = {"BUY": 1, "SELL": -1}
    return sum((signs[each.side] * each.filled for each in protocol.orders.values()), Decimal(0))


def created(venue: ThreadedVenue) -> Counter[str]:
    """Return how often the creation of each order arrived, by client id."""
    posts = [each for each in venue.venue.requests if each.method == "POST"]
    return Counter(each.query.get("newClientOrderId", each.body.decode()) for each in posts)


def test_i23_orders_rest_fill_and_are_cancelled_and_the_positions_agree(tmp_path: Path) -> None:
    with served() as (protocol, venue):
        report = traded(
            tmp_path,
            venue,
            lambda: any(each.status == "FILLED" for each in [*protocol.orders.values()]),
        )
        assert report.fills >= 1
        assert report.quarantined == 0
        assert Decimal(report.positions["BTCUSDT"].size) == held(protocol)
        assert all(
            each.status not in {"NEW", "PARTIALLY_FILLED"} for each in protocol.orders.values()
        )
        assert set(created(venue).values()) == {1}
    assert leaks(tmp_path, planted("binance")) == []


def test_o01_i22_lost_answers_are_asked_about_and_no_order_is_made_twice(tmp_path: Path) -> None:
    lost = [
        ScriptedFault(kind=ScriptedKind.LOST_ANSWER, where="/api/v3/order", nth=nth)
        for nth in (1, 4)
    ]
    with served(*lost) as (protocol, venue):
        plan = venue.venue.plan
        report = traded(
            tmp_path,
            venue,
            lambda: plan.happened[ScriptedKind.LOST_ANSWER] == 2 and len(protocol.orders) >= 4,
        )
        assert set(created(venue).values()) == {1}
        assert Decimal(report.positions["BTCUSDT"].size) == held(protocol)
        assert report.orders.keys() <= {"filled", "canceled", "expired", "rejected"}
