"""Sessions on a live market: the simulated venue behind real sockets, in a thread of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from tests.plugins.venue_toolkit.simulated_sockets import SimProtocol, SocketPlugin, SocketSim
from tests.plugins.venue_toolkit.venue_cases import REST_URL, STREAM_URL

from bot4_core import PluginHost, SessionConfig, run
from bot4_core.convert import from_toml
from bot4_core.domain_types.records import EventKind
from bot4_core.errors import ConfigError, VenueError
from bot4_core.session.report import SessionReport
from bot4_plugins.exchange_sim.settings import SimSettings
from bot4_plugins.venue_toolkit.canaries import leaks, planted
from bot4_plugins.venue_toolkit.live_feed import LiveFeed
from bot4_plugins.venue_toolkit.live_link import LiveLink
from bot4_plugins.venue_toolkit.live_markets import known_symbols
from bot4_plugins.venue_toolkit.loopback.faults import ScriptedFault, ScriptedKind
from bot4_plugins.venue_toolkit.loopback.server import LoopbackVenue
from bot4_plugins.venue_toolkit.loopback.threaded_venue import ThreadedVenue
from bot4_plugins.venue_toolkit.network import NetworkTransport

SESSION = """
mode = "{mode}"
venue = {{ plugin = "socketsim", market = "sim", symbols = ["BTC-USD-PERP"] }}
source = {{ live = true }}
account = {{ asset = "USD", cash = "100000" }}
strategy = {{ plugin = "joining" }}
sizer = {{ plugin = "twenty" }}
limits = {{ preset = "moderate" }}
audit = {{ path = "audit.sqlite", durable = "{durable}" }}
"""


def configuration(folder: Path, mode: str = "paper") -> SessionConfig:
    durable = "full" if mode == "live" else "normal"
    return from_toml(SESSION.format(mode=mode, durable=durable), SessionConfig).at(folder)


def host() -> PluginHost:
    plugins = PluginHost()
    plugins.register(SocketPlugin(), name="sockets")
    return plugins


@pytest.fixture
def protocol() -> SimProtocol:
    return SimProtocol(SimSettings(symbols=("BTC-USD-PERP",), latency_ns=1_000_000))


@pytest.fixture
def venue(protocol: SimProtocol) -> Iterator[ThreadedVenue]:
    with ThreadedVenue(LoopbackVenue(protocol), protocol.move) as served:
        yield served


def network(venue: ThreadedVenue) -> NetworkTransport:
    return NetworkTransport(venue.venue.hosts(STREAM_URL, REST_URL))


class Ticks:
    def __init__(self) -> None:
        import time

        self.time_ns, self.perf_counter_ns = time.time_ns, time.perf_counter_ns


def played(
    config: SessionConfig, link: LiveLink, enough: Callable[[], bool], *, consent: bool = False
) -> SessionReport:
    """Run until there is enough of something."""
    with link:
        return run(
            config,
            host(),
            time,
            consent=consent,
            connect=link,
            stop=lambda: "enough" if enough() else "",
        )


def received(link: LiveLink, count: int) -> Callable[[], bool]:
    """Tell whether so many messages came in."""

    def enough() -> bool:
        assert link.feed is not None
        return sum(each.messages for each in link.feed.supervisor.health()) >= count

    return enough


def test_paper_orders_meet_live_data_and_none_leaves_this_machine(
    tmp_path: Path, venue: ThreadedVenue, protocol: SimProtocol
) -> None:
    threads = threading.active_count()
    link = LiveLink(network(venue))
    report = played(configuration(tmp_path), link, received(link, 30))
    assert report.messages >= 30
    assert report.quarantined == 0
    assert sum(report.orders.values()) > 0
    assert protocol.placed == []
    assert report.timing.driver == "staged"
    assert (report.warnings, report.stopped) == ((), "enough")
    assert threading.active_count() == threads
    assert link.feed is not None
    with pytest.raises(VenueError, match="closed"):
        link.feed.take()


def test_real_orders_reach_the_venue_and_come_back(
    tmp_path: Path, venue: ThreadedVenue, protocol: SimProtocol
) -> None:
    config = configuration(tmp_path, "live")
    link = LiveLink(network(venue), planted)
    report = played(config, link, lambda: len(protocol.placed) >= 3, consent=True)
    assert len(protocol.placed) == sum(report.orders.values()) > 0
    assert report.orders.keys() <= {"canceled", "filled", "rejected", "expired"}
    assert SocketSim.keys == planted("socketsim")
    assert leaks(tmp_path, planted("socketsim")) == []
    assert protocol.venue.refused == 0


def test_real_orders_need_consent_and_keys(tmp_path: Path, venue: ThreadedVenue) -> None:
    config = configuration(tmp_path, "live")
    with pytest.raises(ConfigError, match="agree to it outside the file"):
        played(config, LiveLink(network(venue), planted), lambda: True)
    with pytest.raises(ConfigError, match="need the keys of socketsim"):
        played(config, LiveLink(network(venue)), lambda: True, consent=True)


def test_t01_a_lost_connection_is_in_the_report_and_the_book_comes_back(
    tmp_path: Path, protocol: SimProtocol
) -> None:
    drop = ScriptedFault(kind=ScriptedKind.DROP, nth=10)
    with ThreadedVenue(LoopbackVenue(protocol, [drop]), protocol.move) as venue:
        link = LiveLink(network(venue))
        report = played(configuration(tmp_path), link, received(link, 25))
    assert report.warnings == ("1 connections were lost and opened again",)
    assert {each.state for each in report.positions.values()} == {"live"}


def test_a_session_of_some_seconds_ends_by_itself(tmp_path: Path, venue: ThreadedVenue) -> None:
    config = configuration(tmp_path)
    config = attrs.evolve(config, source=attrs.evolve(config.source, seconds=0.1))
    assert played(config, LiveLink(network(venue)), lambda: False).stopped == ""


def test_a_venue_that_tells_nothing_is_given_up_with_what_was_noticed() -> None:
    hosts = {STREAM_URL: "ws://127.0.0.1:9", REST_URL: "http://127.0.0.1:9"}
    feed = LiveFeed(SocketSim(), NetworkTransport(hosts), tick=0.01)
    with pytest.raises(VenueError, match=r"told nothing of BTC-USD within 0.05 s: stream: "):
        known_symbols(feed, ("BTC-USD",), 0.05)
    feed.close()
    feed.close()


def test_time_passes_where_nothing_comes_in(protocol: SimProtocol) -> None:
    with ThreadedVenue(LoopbackVenue(protocol)) as venue:
        feed = LiveFeed(SocketSim(), network(venue), tick=0.01)
        known_symbols(feed, ("BTC-USD",))
        events = feed.take()
        assert events["kind"].tolist() == [EventKind.TIMER]
        assert int(events["received"][0]) > 0
        feed.close()
