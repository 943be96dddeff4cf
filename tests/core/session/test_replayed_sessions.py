"""A session on recorded inputs, played again: the same effects, the same state, nothing left."""

import gc
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import attrs
import numpy as np
import pytest
from tests.core.session.scripted_market import Ticking
from tests.core.session.session_world import START, instrument, touch, trade

from bot4_core import PluginHost, SessionConfig, SessionReport, run
from bot4_core.audit import read_records
from bot4_core.convert import structure
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import VenueName
from bot4_core.domain_types.records import ChainRule, Side
from bot4_core.market.recordings import RecordingCounts, RecordingHeader, RecordingWriter
from bot4_core.orders.client_ids import run_tag
from bot4_core.plugins.interfaces import Records

MILLISECOND = 1_000_000
MESSAGES = 1500
QUOTES = {"cover_fees": False, "horizon_seconds": 5.0, "fill_decay": 60.0, "risk_aversion": 0.02}
SCORE = {"threshold": 4, "window": 60, "interval_ms": 10}


def market(seed: int) -> Iterator[Records]:
    """Yield a wandering book of one level a side, and trades that reach beyond it."""
    chance = np.random.default_rng(seed)
    middle, now = 6_000_000, START
    for _ in range(MESSAGES):
        now += int(chance.integers(1, 20)) * MILLISECOND
        if chance.random() < 0.3:
            side = Side.BUY if chance.random() < 0.5 else Side.SELL
            yield trade(now, middle + 300 * side, int(chance.integers(1, 900)), side)
            continue
        middle += 10 * int(chance.integers(-4, 5))
        yield touch(now, middle - 10, middle + 10)


def write(path: Path, seed: int) -> Path:
    """Write a quarter of a minute of a perpetual as events."""
    known = instrument(venue=VenueName("binance"), chain=ChainRule.NONE)
    with RecordingWriter(path, RecordingHeader(venue="binance", market="usdm")) as writer:
        events = np.concatenate(list(market(seed)))
        writer.add_events(events)
        writer.commit(RecordingCounts(events=len(events)), [known])
        writer.finish()
    return path


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return inputs on which orders are filled until a breaker trips."""
    return write(tmp_path_factory.mktemp("recorded") / "inputs.b4r", 6)


def configured(folder: Path, recording: Path, driver: str = "auto") -> SessionConfig:
    settings: dict[str, Any] = {
        "mode": "backtest",
        "driver": driver,
        "venue": {"plugin": "binance", "market": "usdm"},
        "source": {"recordings": [str(recording)]},
        "account": {"asset": "USDT", "cash": "100000"},
        "strategy": {"plugin": "market_making", "settings": QUOTES},
        "sizer": {"plugin": "kelly"},
        "router": {"plugin": "best_price"},
        "breakers": [{"plugin": "statistical", "settings": SCORE}],
        "quoting": {"keep_behind": 200, "keep_ahead": 200},
        "audit": {"path": str(folder / "audit.sqlite")},
    }
    return structure(settings, SessionConfig)


class Played(NamedTuple):
    """A session's report, and what its log says beside times of day and names of runs."""

    report: SessionReport
    facts: list[tuple[object, ...]]


def played(folder: Path, recording: Path, driver: str, clock: int) -> Played:
    """Run a session on the recording."""
    folder.mkdir()
    config = configured(folder, recording, driver)
    report = run(config, PluginHost.installed(), Ticking(clock))
    opening, *others = read_records(config.audit.path)
    assert opening.kind is AuditKind.RUN_START
    return Played(report, [facts(each) for each in others])


def facts(record: AuditRecord) -> tuple[object, ...]:
    """Return what a record says, with the number of an order for its id."""
    tag = run_tag(record.run).encode()
    payload = record.payload.replace(tag, b"").replace(record.run.encode(), b"")
    order = record.correlation[len(tag) :]
    return record.sequence, record.kind, record.actor, order, record.event_time, payload


def end_state(report: SessionReport) -> dict[str, Any]:
    """Return everything of a report that is no time of day and no place of a log."""
    left_out = attrs.filters.exclude("timing", "audit", "series")
    return attrs.asdict(report, filter=left_out)


@pytest.fixture(scope="module")
def first(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Play the recording message by message."""
    return played(tmp_path_factory.mktemp("once") / "first", recording, "staged", START)


@pytest.mark.parametrize(
    ("driver", "clock"), [("staged", START), ("staged", 2 * START), ("fused", 3 * START)]
)
def test_i52_the_recorded_inputs_give_the_same_effects_and_state_again(
    first: Played, recording: Path, tmp_path: Path, driver: str, clock: int
) -> None:
    again = played(tmp_path / "again", recording, driver, clock)
    assert again.facts == first.facts
    assert again.report.digest == first.report.digest
    assert end_state(again.report) == end_state(first.report)
    kinds = {fact[1] for fact in again.facts}
    assert {AuditKind.INTENT, AuditKind.SEND, AuditKind.FILL, AuditKind.BREAKER_TRIP} <= kinds


def test_i52_other_inputs_give_other_effects(first: Played, tmp_path: Path) -> None:
    other = tmp_path / "other.b4r"
    write(other, 7)
    found = played(tmp_path / "again", other, "staged", START)
    assert found.report.digest != first.report.digest


def open_files() -> Counter[str]:
    """Count what the descriptors of this process stand for."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the listing itself
            found.append(str(entry.readlink()))
    return Counter(found)


def children() -> set[str]:
    """Return the processes that this one has started and not yet seen the end of."""
    tasks = Path("/proc/self/task").resolve().glob("*/children")
    return {child for path in tasks for child in path.read_text().split()}


def test_i61_a_session_leaves_no_thread_process_descriptor_or_stray_file(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    played(tmp_path / "before", recording, "auto", START)  # imports and compiles what it needs
    gc.collect()  # a mapped recording goes with the arrays that show it
    before = open_files(), children(), set(threading.enumerate())
    played(tmp_path / "run", recording, "auto", START)
    gc.collect()
    assert (open_files(), children(), set(threading.enumerate())) == before
    assert list(scratch.iterdir()) == []
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left == {"audit.sqlite", "audit.sqlite.lock"}
