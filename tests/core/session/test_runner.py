"""The runner: intents durable before orders, the same digest every time, and a report."""

import contextlib
import gc
import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from tests.core.session.scripted_market import (
    ASK,
    BID,
    ScriptedMarket,
    Ticking,
    market_of,
)
from tests.core.session.session_world import (
    SECOND,
    START,
    ScriptedStrategy,
    World,
    both_sides,
    make_world,
    touch,
)

from bot4_core.audit import AuditLog, read_records, verify, why
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.decisions import BreakerEffect, Signal
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import Side
from bot4_core.errors import AuditError
from bot4_core.plugins.interfaces import Record, Records
from bot4_core.session.paper import PaperSettings
from bot4_core.session.ports import RunProgress
from bot4_core.session.report import SessionReport
from bot4_core.session.runner import SessionRunner


def ran(
    path: Path | None = None, world: World | None = None, **options: Any
) -> tuple[SessionReport, World]:
    world = world or make_world(both_sides)
    market = market_of(world)
    clock = Ticking()
    if path is None:
        return SessionRunner(world.session, market, clock, **options).run(), world
    with AuditLog.open(path, run="run", wall_time=clock.time_ns()) as log:
        report = SessionRunner(world.session, market, clock, log=log, **options).run()
        log.finish(clock.time_ns())
        return report, world


def test_a_run_trades_and_reports() -> None:
    report, world = ran()
    assert report.fills > 0
    assert report.messages == 120
    assert report.events == world.session.state.events
    assert sum(report.orders.values()) == world.session.state.account.orders.last_number
    assert set(report.orders) <= {"filled", "canceled", "rejected", "expired"}
    assert (report.quarantined, report.warnings) == (3, ("half of it was made up",))
    assert sum(each.fills for each in report.positions.values()) == report.fills


def test_the_numbers_add_up() -> None:
    report, _ = ran()
    pnl = report.pnl
    parts = Decimal(pnl.realised) + Decimal(pnl.unrealised) - Decimal(pnl.fees)
    assert parts + Decimal(pnl.funding) == Decimal(pnl.net)
    assert Decimal(100_000) + Decimal(pnl.net) == Decimal(pnl.equity)
    assert Decimal(pnl.fees) > 0


def test_nothing_works_when_the_run_is_over() -> None:
    _, world = ran()
    assert world.session.state.account.orders.open_count == 0
    assert world.session.state.views["open_buy"].tolist() == [0, 0]


def test_the_same_input_gives_the_same_digest_whatever_log_and_run(tmp_path: Path) -> None:
    first, _ = ran()
    second, _ = ran(tmp_path / "a.sqlite", make_world(both_sides, run="another"))
    assert first.digest == second.digest


def test_another_input_gives_another_digest() -> None:
    first, _ = ran()
    second, _ = ran(world=make_world(both_sides, lots=99))
    assert first.digest != second.digest


def test_the_plain_report_is_data_without_the_series() -> None:
    report, _ = ran()
    data = report.data()
    assert data["pnl"]["net"] == report.pnl.net
    assert "series" not in data
    assert {"schema", "mode", "digest", "decisions", "breakers", "audit", "timing"} <= set(data)


def test_every_order_has_a_durable_intent_before_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    report, world = ran(path)
    assert verify(path).records == len(list(read_records(path)))
    seen: set[str] = set()
    for record in read_records(path):
        if record.kind is AuditKind.INTENT:
            seen.add(record.correlation)
        elif record.kind in {AuditKind.SEND, AuditKind.ACK, AuditKind.FILL}:
            assert record.correlation in seen
    assert len(seen) == sum(report.orders.values())
    assert report.audit.records > len(seen)
    story = why(path, world.session.state.account.orders.client_id(1))
    assert [record.kind for record in story][:3] == [
        AuditKind.INTENT,
        AuditKind.SEND,
        AuditKind.ACK,
    ]


def test_i51_an_intent_is_committed_when_its_order_reaches_the_venue(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    world = make_world(both_sides)
    market = market_of(world)
    committed: list[bool] = []

    def place(intents: Records, time: Nanoseconds) -> None:
        with contextlib.closing(sqlite3.connect(path)) as reader:
            query = "SELECT count(*) FROM records WHERE kind = 'intent' AND correlation = ?"
            name = world.session.state.account.orders.client_id(int(intents["number"][0]))
            committed.append(reader.execute(query, (name,)).fetchone() == (1,))
        market.venue.place(intents[0])

    market.place = place  # type: ignore[method-assign]  # to look at the file at that moment
    with AuditLog.open(path, run="run", wall_time=START) as log:
        SessionRunner(world.session, market, Ticking(), log=log).run()
    assert len(committed) > 10
    assert all(committed)


def test_intents_of_one_step_share_a_commit_before_the_first_of_them_leaves(
    tmp_path: Path,
) -> None:
    world = make_world(both_sides)
    market = market_of(world)
    with AuditLog.open(tmp_path / "a.sqlite", run="run", wall_time=START) as log:
        counting = BrokenLog(log, range(0))
        SessionRunner(world.session, market, Ticking(), log=counting).run()  # type: ignore[arg-type]  # a stand-in
    kinds = [record.kind for record in read_records(tmp_path / "a.sqlite")]
    intents = kinds.count(AuditKind.INTENT)
    pairs = sum(pair == (AuditKind.INTENT, AuditKind.INTENT) for pair in pairwise(kinds))
    assert pairs > 3
    assert counting.commits <= intents - pairs + 1


class BrokenLog:
    """Stands for a log whose disk is full for a while."""

    def __init__(self, log: AuditLog, failing: range) -> None:
        self._log = log
        self._failing = failing
        self.commits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def commit(self) -> int:
        self.commits += 1
        if self.commits in self._failing:
            raise AuditError("the disk is full")
        return self._log.commit()


def test_while_the_log_cannot_be_written_no_order_leaves_and_later_they_do(
    tmp_path: Path,
) -> None:
    world = make_world(both_sides)
    market = market_of(world, 200)
    with AuditLog.open(tmp_path / "a.sqlite", run="run", wall_time=1) as log:
        broken = BrokenLog(log, range(5, 8))
        runner = SessionRunner(world.session, market, Ticking(), log=broken)  # type: ignore[arg-type]  # a stand-in
        report = runner.run()
    assert report.orders["rejected"] >= 1
    withheld = set(range(1, world.session.state.account.orders.last_number + 1))
    withheld -= set(market.placed)
    assert len(withheld) == report.orders["rejected"]
    assert max(market.placed) > max(withheld)
    assert report.refusals > 0


def test_a_log_that_takes_no_records_stops_new_risk(tmp_path: Path) -> None:
    world = make_world(both_sides)
    log = AuditLog.open(tmp_path / "a.sqlite", run="run", wall_time=1)
    log.close()
    market = market_of(world)
    report = SessionRunner(world.session, market, Ticking(), log=log).run()
    assert (market.placed, report.fills) == ([], 0)


def test_trips_stand_in_report_and_series(tmp_path: Path) -> None:
    world = make_world(both_sides)
    world.breaker.effect = BreakerEffect.BLOCK_OPEN
    report, _ = ran(tmp_path / "a.sqlite", world)
    assert [(each.breaker, each.effect) for each in report.breakers] == [
        ("scripted", "block_open"),
        ("scripted", "block_open"),
    ]
    assert report.series is not None
    assert [mark.effect for mark in report.series.trips] == [BreakerEffect.BLOCK_OPEN] * 2
    assert report.fills == 0


def test_strikes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptedStrategy, "name", "maker")
    world = make_world(both_sides)
    world.breaker.effect = RuntimeError("oops")
    report, _ = ran(world=world)
    assert report.strikes == 4 - 1
    assert report.warnings[1:] == ("breaker scripted disabled after 3 errors: RuntimeError: oops",)


@pytest.mark.parametrize(
    ("errors", "told"),
    [(1, "had 1 error"), (2, "had 2 errors"), (9, "disabled after 3 errors")],
)
def test_a_strategy_that_raises_is_a_warning(errors: int, told: str) -> None:
    left = [ValueError("boom")] * errors

    def decide(view: Record) -> Sequence[Signal]:
        if left:
            raise left.pop()
        return ()

    report, _ = ran(world=make_world(decide))
    assert report.warnings[1:] == (f"strategy scripted {told}: ValueError: boom",)
    assert report.data()["warnings"][-1] == report.warnings[-1]


def test_a_gap_asks_the_market_for_a_snapshot() -> None:
    world = make_world(both_sides)
    crossed = touch(START + 1, ASK, BID)
    market = ScriptedMarket(world.instruments, [touch(START, BID, ASK), crossed])
    SessionRunner(world.session, market, Ticking()).run()
    assert market.resyncs == [(0, START + 1)]


def test_progress_is_told_batch_by_batch() -> None:
    told: list[RunProgress] = []
    ran(progress=told.append)
    assert [(each.stage, each.share, each.messages) for each in told] == [
        ("run", 0.5, 60),
        ("run", 0.5, 120),
        ("run", 1.0, 120),
    ]


def test_a_run_may_be_stopped_and_still_ends_properly() -> None:
    report, world = ran(stop=lambda: "told to")
    assert (report.stopped, report.messages) == ("told to", 60)
    assert world.session.state.account.orders.open_count == 0


def test_answers_may_come_with_the_message_that_caused_them() -> None:
    world = make_world(both_sides)
    market = market_of(world)
    market.matching = PaperSettings(latency_out_ns=0, latency_back_ns=0)
    assert SessionRunner(world.session, market, Ticking()).run().fills > 0


def test_funding_counts_as_no_fill() -> None:
    world = make_world(both_sides)
    ledger = world.session.state.account.ledger
    fill = Fill(
        order=OrderNumber(1),
        instrument=InstrumentId(0),
        side=Side.BUY,
        price=Price(BID, -2),
        size=Quantity(5, -3),
        fee=Money(0, -8),
        fee_asset="USDT",
        time=Nanoseconds(START),
        trade_id=1,
        maker=True,
    )
    ledger.book(fill)
    ledger.fund(0, 10**8, BID, START)
    market = ScriptedMarket(world.instruments, [])
    report = SessionRunner(world.session, market, Ticking()).run()
    assert report.positions["BTCUSDT"].fills == 1
    assert Decimal(report.pnl.funding) < 0


def test_pauses_and_turns_of_the_loop_and_commits_are_timed(tmp_path: Path) -> None:
    world = make_world(both_sides)
    market = market_of(world)
    plain = market.batches

    def batches() -> Iterator[Records]:
        for batch in plain():
            gc.collect()
            yield batch

    market.batches = batches  # type: ignore[method-assign]  # to collect garbage meanwhile
    with AuditLog.open(tmp_path / "a.sqlite", run="run", wall_time=1) as log:
        timing = SessionRunner(world.session, market, Ticking(), log=log).run().timing
    turns = len([*plain()])
    assert timing.loop_lag.count == turns
    assert timing.gc_pause.count >= turns
    assert timing.audit_commit.count > 0
    assert sum(count for _, count in timing.audit_commit.bins) == timing.audit_commit.count


def test_a_run_without_a_log_commits_nothing() -> None:
    assert ran()[0].timing.audit_commit.count == 0


def test_series_follow_the_session() -> None:
    report, world = ran()
    series = report.series
    assert series is not None
    assert series.symbols == ("BTCUSDT", "ETHUSDT")
    assert series.inventory.shape == series.mid.shape == (len(series.time), 2)
    assert np.all(np.diff(series.time) >= 0)
    last = world.session.state.views["position"] * 1e-3
    assert series.inventory[-1].tolist() == pytest.approx(last.tolist())
    assert len(series.fills) == report.fills
    assert 0 < int(series.latency_counts.sum()) <= report.messages
    assert report.timing.decision_p50_us > 0
    assert attrs.evolve(report, series=None) == report


def test_an_empty_market_gives_an_empty_report() -> None:
    world = make_world(both_sides)
    report = SessionRunner(world.session, ScriptedMarket(world.instruments, []), Ticking()).run()
    assert (report.messages, report.fills, report.orders) == (0, 0, {})
    assert report.series is not None
    assert len(report.series.latency_counts) == 0


def test_a_long_run_keeps_its_rate_limit(tmp_path: Path) -> None:
    _, world = ran(tmp_path / "a.sqlite")
    times = sorted(
        record.event_time
        for record in read_records(tmp_path / "a.sqlite")
        if record.kind is AuditKind.INTENT
    )
    most = world.session.state.account.limits.limits.max_orders_per_second
    assert all(b - a >= SECOND for a, b in zip(times, times[most:], strict=False))
