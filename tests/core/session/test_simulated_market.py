"""Sessions on a simulated venue: the same path, the same digest, its faults survived."""

import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from tests.core.session.session_world import (
    both_sides,
    configuration,
)

from bot4_core import PluginHost, SessionConfig, run
from bot4_core.audit import AuditQuery, read_records, search, verify
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.decisions import Signal
from bot4_core.errors import RecordingError
from bot4_core.plugins import Component, hookimpl
from bot4_core.plugins.interfaces import (
    PartSettings,
    Record,
    Strategy,
)
from bot4_core.session.building import build_market
from bot4_core.session.config import (
    AccountConfig,
    AuditConfig,
    PartConfig,
    SessionMode,
    SourceConfig,
    StartConfig,
    VenueConfig,
)
from bot4_core.session.markets import SimulatedMarket
from bot4_core.session.ports import RunProgress


def simulated(folder: Path, **changes: object) -> SessionConfig:
    settings = {
        "mode": SessionMode.PAPER,
        "seed": 3,
        "venue": VenueConfig(
            plugin="sim",
            market="sim",
            symbols=("BTC-USD-PERP",),
            settings={"faults": [{"kind": "drop", "symbol": "BTC-USD-PERP", "message": 9}]},
        ),
        "source": SourceConfig(seconds=1.0),
        "account": AccountConfig(asset="USD", cash=Decimal(100_000)),
        "audit": AuditConfig(path=folder / "deep" / "audit.sqlite"),
        "strategy": PartConfig(plugin="joining"),
        "sizer": PartConfig(plugin="one"),
    }
    return configuration(**{**settings, **changes})


class Joining(Strategy[PartSettings]):
    """Joins both sides."""

    name = "joining"

    def decide(self, view: Record) -> Sequence[Signal]:
        return both_sides(view)


MARKETS = "tests.core.session.test_markets"


class Joins:
    """A plugin of one strategy and one sizer."""

    HOOK_API = 1

    @hookimpl
    def bot4_components(self) -> Sequence[Component]:
        here = "tests.core.session.test_simulated_market"
        return (
            Component(kind="strategy", name="joining", load=f"{here}:Joining"),
            Component(kind="sizer", name="one", load=f"{MARKETS}:One"),
        )


def full_host() -> PluginHost:
    host = PluginHost.installed(allow=["exchange-sim"])
    host.register(Joins(), name="joins")
    return host


def test_a_simulated_session_trades_survives_a_gap_and_can_be_repeated(tmp_path: Path) -> None:
    told: list[RunProgress] = []
    first = run(simulated(tmp_path / "a"), full_host(), time, progress=told.append)
    second = run(simulated(tmp_path / "b"), full_host(), time)
    other = run(simulated(tmp_path / "c", seed=4), full_host(), time)
    assert first.digest == second.digest != other.digest
    assert (first.fills, first.orders) == (second.fills, second.orders)
    assert sum(first.orders.values()) > 0
    log = tmp_path / "a" / "deep" / "audit.sqlite"
    assert verify(log).records == first.audit.records
    kinds = {record.kind for record in read_records(log)}
    assert {AuditKind.INTENT, AuditKind.SEND, AuditKind.ACK, AuditKind.BOOK_GAP} <= kinds
    assert first.positions["BTC-USD-PERP"].state == "live"
    assert {each.stage for each in told} == {"compile", "run"}
    assert told[-1].share == pytest.approx(1.0)


def test_a_run_that_recovers_asks_the_venue_before_anything_opens(tmp_path: Path) -> None:
    recovering = StartConfig(recover=True)
    first = run(simulated(tmp_path, start=recovering), full_host(), time)
    assert (first.stopped, first.warnings) == ("", ())
    held = first.positions["BTC-USD-PERP"].size
    assert held != "0.000"
    second = run(simulated(tmp_path, start=recovering), full_host(), time)
    assert second.stopped == "the venue's account differs in 1 things"
    assert second.warnings == (f"position: BTC-USD-PERP: {held} here, 0.000 there",)
    assert second.fills == 0
    starts = AuditQuery(kinds=(AuditKind.RUN_START,))
    *_, last = search(tmp_path / "deep" / "audit.sqlite", starts)
    assert b'"continues":"paper-' in last.payload


def test_a_simulated_market_serves_a_session_only() -> None:
    config = simulated(Path("nowhere"))
    market = build_market(config, full_host())
    assert isinstance(market, SimulatedMarket)
    assert (market.quarantined, market.share) == (0, 0.0)
    with pytest.raises(RecordingError, match="not attached"):
        market.cancel(1, Nanoseconds(1))


def test_a_session_of_no_time_is_over() -> None:
    market = build_market(simulated(Path("nowhere")), full_host())
    assert isinstance(market, SimulatedMarket)
    market._end = market._begin
    assert market.share == 1.0
