"""Markets and what builds them: recordings, a simulated venue, and clear refusals."""

import gzip
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from tests.core.session.scripted_market import Ticking
from tests.core.session.session_world import (
    FixedSizer,
    ScriptedStrategy,
    configuration,
    quote,
)
from tests.core.session.toy_exchange import ToyExchange, toy_instrument

from bot4_core import PluginHost, SessionConfig, run, warm_session
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.decisions import BreakerScope, Signal
from bot4_core.domain_types.instruments import FeeSchedule, Instrument
from bot4_core.domain_types.records import Side
from bot4_core.errors import ConfigError, MissingPluginError, RecordingError
from bot4_core.market.recordings import ZLIB, GzipLibrary, Inflater
from bot4_core.plugins import Component, hookimpl
from bot4_core.plugins.interfaces import (
    Breaker,
    Connection,
    Exchange,
    PartSettings,
    Record,
    Router,
    Sizer,
    Strategy,
)
from bot4_core.session.building import (
    build_market,
    build_parts,
    exchange_factory,
    require_parts,
)
from bot4_core.session.config import (
    AccountConfig,
    AuditConfig,
    BreakerConfig,
    PartConfig,
    SessionMode,
    SourceConfig,
    VenueConfig,
)
from bot4_core.session.event_stream import ReadingOptions
from bot4_core.session.markets import RecordedMarket, survey
from bot4_core.session.paper import PaperSettings
from bot4_core.session.ports import Market, RunProgress
from bot4_core.session.runner import SessionRunner
from bot4_core.session.session import Session
from bot4_core.session.state import Parts

SNAPSHOT = '{{"s":"{symbol}","book":[["BUY","{bid}","50"],["SELL","102","50"]],"snapshot":true}}'


def toy_file(path: Path, bid: str = "100", symbol: str = "A") -> Path:
    """Write a recording of one toy instrument: a book, and prints around it."""
    begin = 1_700_000_000_000_000_000
    lines = [f"{begin} {SNAPSHOT.format(symbol=symbol, bid=bid)}"]
    lines += [
        f'{begin + step * 100_000_000} {{"s":"{symbol}","trade":["{price}","100"]}}'
        for step, price in enumerate([90, 110] * 20, 1)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return toy_file(tmp_path / "a.txt")


def recorded(path: Path, instruments: Sequence[Instrument] = ()) -> RecordedMarket:
    return RecordedMarket([path], ToyExchange, instruments, PaperSettings())


def bids(view: Record) -> Sequence[Signal]:
    """Join the best bid, at the toy's whole prices."""
    return [quote(view, Side.BUY, 100 * int(view["bid"]))]


# -- recordings -----------------------------------------------------------------------------------


def test_instruments_are_learnt_from_the_recording(toy: Path) -> None:
    market = recorded(toy)
    assert [str(each.symbol) for each in market.instruments] == ["A"]
    assert (market.surveyed, len(market.table)) == (True, 1)
    assert market.warnings == ("scales of A were read off the data, not off metadata",)


def test_decimals_that_come_late_are_learnt_as_well(tmp_path: Path) -> None:
    path = toy_file(tmp_path / "a.txt")
    path.write_text(path.read_text() + '1700000009000000000 {"s":"A","trade":["101.25","1"]}\n')
    known = survey([path], ToyExchange, ReadingOptions())
    assert known[0].price_exponent == -2
    assert recorded(path).instruments[0].price_exponent == -2


def test_given_instruments_are_not_looked_for(toy: Path) -> None:
    given = attrs.evolve(toy_instrument("A"), from_data=False)
    market = recorded(toy, [given])
    assert (market.surveyed, market.warnings) == (False, ())


def test_a_recording_of_more_than_was_given_is_refused(tmp_path: Path) -> None:
    path = toy_file(tmp_path / "b.txt", symbol="B")
    market = recorded(path, [toy_instrument("A")])
    with pytest.raises(ConfigError, match="the recordings hold B too"):
        list(market.batches())


def test_a_recording_of_finer_prices_than_given_is_refused(tmp_path: Path) -> None:
    path = toy_file(tmp_path / "a.txt", bid="100.5")
    market = recorded(path, [toy_instrument("A")])
    with pytest.raises(ConfigError, match="finer exponents"):
        list(market.batches())


def test_a_market_serves_a_session_only(toy: Path) -> None:
    with pytest.raises(RecordingError, match="not attached"):
        recorded(toy).before(1)


def test_a_session_plays_a_recording_to_its_end(toy: Path) -> None:
    market = recorded(toy)
    strategy = ScriptedStrategy(market.instruments, bids)
    parts = Parts(strategy=strategy, sizer=FixedSizer(market.instruments, 1))
    config = configuration(account=AccountConfig(asset="USD", cash=Decimal(100_000)))
    session = Session(config, market.instruments, market.table, parts)
    report = SessionRunner(session, market, Ticking()).run()
    assert (report.messages, report.positions["A"].state) == (41, "live")
    assert sum(report.orders.values()) == 1
    assert market.share == 1.0
    assert market.resync(0, 1) is None  # type: ignore[func-returns-value]  # it does nothing
    market.query(1, Nanoseconds(1))
    assert market.account(Nanoseconds(1)) is None  # type: ignore[func-returns-value]  # nobody to ask
    assert len(market.before(2**62)) == 0


def test_an_empty_recording_is_wholly_read(toy: Path, tmp_path: Path) -> None:
    market = recorded(toy)
    market._total = 0
    assert market.share == 1.0


# -- building -------------------------------------------------------------------------------------


class ToyParts:
    """A plugin that brings the toy venue and scripted parts."""

    HOOK_API = 1

    @hookimpl
    def bot4_components(self) -> Sequence[Component]:
        here = "tests.core.session.test_markets"
        return (
            Component(kind="exchange", name="toy", load=f"{here}:ToyVenue"),
            Component(kind="exchange", name="odd", load=f"{here}:OddVenue"),
            Component(kind="exchange", name="reachable", load=f"{here}:ReachableVenue"),
            Component(kind="strategy", name="quiet", load=f"{here}:Quiet"),
            Component(kind="strategy", name="choosy", load=f"{here}:Choosy"),
            Component(kind="sizer", name="one", load=f"{here}:One"),
            Component(kind="breaker", name="calm", load=f"{here}:Calm"),
            Component(kind="router", name="straight", load=f"{here}:Straight"),
        )


class ToyVenue(ToyExchange):
    """The toy venue as plugins bring it."""

    name = "toy"

    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument] = ()) -> None:
        super().__init__(instruments)
        self.settings = settings


class ReachableVenue(ToyVenue):
    """Has sockets, and takes no orders."""

    name = "reachable"

    def connections(self) -> Sequence[Connection]:
        return ()


class OddVenue(ToyVenue):
    """Promises a simulated venue and has none."""

    name = "odd"

    def open_venue(self) -> object:
        return "nothing"


class Quiet(Strategy[PartSettings]):
    name = "quiet"

    def decide(self, view: Record) -> Sequence[Signal]:
        return []


class Choosy(Quiet):
    """Will not be made for other instruments than its own."""

    name = "choosy"

    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument]) -> None:
        super().__init__(settings, instruments)
        if instruments[0].symbol != "A":
            raise ConfigError("session", [("strategy", "trades A alone")])


class One(Sizer[PartSettings]):
    name = "one"

    def size(self, signal: Signal, view: Record) -> int:
        return 1


class Calm(Breaker[PartSettings]):
    name = "calm"

    def observe(self, view: Record) -> None:
        return None


class Straight(Router[PartSettings]):
    name = "straight"


def toy_host() -> PluginHost:
    host = PluginHost()
    host.register(ToyParts(), name="toys")
    return host


def toy_config(**changes: object) -> SessionConfig:
    settings = {
        "venue": VenueConfig(plugin="toy", market="spot"),
        "account": AccountConfig(asset="USD", cash=Decimal(100_000)),
        "strategy": PartConfig(plugin="quiet"),
        "sizer": PartConfig(plugin="one"),
    }
    return configuration(**{**settings, **changes})


def test_parts_are_made_by_name_with_their_settings() -> None:
    config = toy_config(
        router=PartConfig(plugin="straight"),
        breakers=(BreakerConfig(plugin="calm", name="first", scope=BreakerScope.VENUE),),
    )
    parts = build_parts(config, toy_host(), [toy_instrument("A")])
    assert (parts.strategy.name, parts.sizer.name) == ("quiet", "one")
    assert parts.router is not None
    assert [(name, scope) for name, scope, _ in parts.breakers] == [("first", BreakerScope.VENUE)]


def test_settings_of_a_part_are_checked_under_their_path() -> None:
    config = toy_config(breakers=(BreakerConfig(plugin="calm", settings={"speed": 1}),))
    with pytest.raises(ConfigError, match=r"breakers\[0\].settings.speed"):
        build_parts(config, toy_host(), [])


def test_an_unknown_plugin_is_named() -> None:
    with pytest.raises(MissingPluginError, match="'loud'"):
        build_parts(toy_config(strategy=PartConfig(plugin="loud")), toy_host(), [])


def test_a_market_that_the_venue_has_not_is_refused() -> None:
    config = toy_config(venue=VenueConfig(plugin="toy", market="moon"))
    with pytest.raises(ConfigError, match="it serves spot"):
        exchange_factory(config, toy_host())


def test_fees_of_the_configuration_replace_the_instruments() -> None:
    fees = FeeSchedule(maker=Decimal("0.001"))
    factory = exchange_factory(toy_config(fees=fees), toy_host())
    assert factory([toy_instrument("A")]).instruments[0].fees == fees


def test_recordings_make_a_recorded_market(toy: Path) -> None:
    config = toy_config(source=SourceConfig(recordings=(toy,)))
    assert isinstance(build_market(config, toy_host()), RecordedMarket)


def test_a_run_reads_recordings_with_the_options_it_is_given(toy: Path, tmp_path: Path) -> None:
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(toy.read_bytes()))
    made = []

    def inflater() -> Inflater:
        made.append(ZLIB.inflater())
        return made[-1]

    options = ReadingOptions(gzip=GzipLibrary(inflater=inflater, error=ZLIB.error))
    config = toy_config(
        source=SourceConfig(recordings=(packed,)), audit=AuditConfig(path=tmp_path / "audit.db")
    )
    assert run(config, toy_host(), Ticking(), options=options).messages == 41
    assert made


@pytest.mark.parametrize("mode", [SessionMode.BACKTEST, SessionMode.PAPER])
def test_without_anything_to_play_the_configuration_is_refused(mode: SessionMode) -> None:
    with pytest.raises(ConfigError, match="nothing to play"):
        build_market(toy_config(mode=mode), toy_host())


@pytest.mark.parametrize(("seconds", "text"), [(0.0, "some seconds"), (1.0, "no simulated venue")])
def test_what_is_no_simulated_session_is_refused(seconds: float, text: str) -> None:
    config = toy_config(
        mode=SessionMode.PAPER,
        venue=VenueConfig(plugin="odd", market="spot"),
        source=SourceConfig(seconds=seconds),
    )
    with pytest.raises(ConfigError, match=text):
        build_market(config, toy_host())


@pytest.mark.parametrize(
    ("consent", "live", "plugin", "path"),
    [
        (False, True, "reachable", "mode"),
        (True, False, "reachable", "source.live"),
        (True, True, "toy", "venue.plugin"),
        (True, True, "reachable", "venue.plugin"),
    ],
)
def test_live_trading_is_refused_with_the_reason(
    consent: bool, live: bool, plugin: str, path: str
) -> None:
    config = toy_config(
        mode=SessionMode.LIVE,
        venue=VenueConfig(plugin=plugin, market="spot"),
        source=SourceConfig(live=live),
    )
    with pytest.raises(ConfigError) as caught:
        run(config, toy_host(), Ticking(), consent=consent)
    assert [each for each, _ in caught.value.faults] == [path]


def test_a_live_market_is_opened_by_the_host_and_by_nobody_else() -> None:
    config = toy_config(
        mode=SessionMode.PAPER,
        venue=VenueConfig(plugin="reachable", market="spot"),
        source=SourceConfig(live=True),
    )
    require_parts(config, toy_host())
    with pytest.raises(ConfigError, match="nothing here connects"):
        build_market(config, toy_host())
    given: list[object] = []

    def connect(config: SessionConfig, exchange: Exchange) -> Market:
        given.extend((config, exchange.name))
        missing = SourceConfig(recordings=(Path("nowhere"),))
        return build_market(toy_config(source=missing), toy_host())

    with pytest.raises(RecordingError):
        build_market(config, toy_host(), connect=connect)
    assert given == [config, "reachable"]


def test_warming_up_for_a_live_market_compiles_the_paper_venue_where_it_takes_the_orders() -> None:
    names: dict[SessionMode, set[str]] = {}
    for mode in (SessionMode.PAPER, SessionMode.LIVE):
        told: set[str] = set()
        config = toy_config(mode=mode, source=SourceConfig(live=True))
        warm_session(config, toy_host(), lambda at, told=told: told.add(at.detail))
        names[mode] = told
    assert names[SessionMode.PAPER] - names[SessionMode.LIVE]


def test_warming_up_without_known_instruments_compiles_the_session_all_the_same() -> None:
    told: list[RunProgress] = []
    warm_session(toy_config(), toy_host(), told.append)
    assert "think" in {each.detail for each in told}
    assert told[-1] == RunProgress("compile", 1.0, 0, "")


def test_parts_that_need_their_instruments_are_left_for_later() -> None:
    config, host = toy_config(strategy=PartConfig(plugin="choosy")), toy_host()
    warm_session(config, host)
    warm_session(config, host, None, [toy_instrument("A")])
    with pytest.raises(ConfigError, match="A alone"):
        warm_session(config, host, None, [toy_instrument("B")])


def test_matching_on_paper_is_compiled_where_recordings_are_played(tmp_path: Path) -> None:
    recorded = SourceConfig(recordings=(toy_file(tmp_path / "a.jsonl"),))
    for source, wanted in ((recorded, True), (SourceConfig(seconds=1.0), False)):
        told: list[RunProgress] = []
        warm_session(toy_config(source=source), toy_host(), told.append)
        assert ("match_events" in {each.detail for each in told}) is wanted


def test_warming_up_twice_compiles_nothing_the_second_time() -> None:
    instruments = [toy_instrument("A")]
    told: list[RunProgress] = []
    warm_session(toy_config(), toy_host(), told.append, instruments)
    assert "think" in {each.detail for each in told}
    assert warm_session(toy_config(), toy_host(), None, instruments) == 0
