"""The shell of a session: walks a market through it and does what it wants done."""

from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import attrs
import numpy as np

from bot4_core.audit import AuditLog
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import EventFlag, OrderFlag, OrderStatus
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import AuditError, ConfigError
from bot4_core.plugins.host import PluginHost
from bot4_core.plugins.interfaces import Records
from bot4_core.session.audit_opening import open_log
from bot4_core.session.audit_writer import AuditWriter
from bot4_core.session.building import build_market, build_parts, require_parts, require_recordings
from bot4_core.session.collector import quiet_collector
from bot4_core.session.config import DriverChoice, SessionConfig, SessionMode
from bot4_core.session.durations import LatencyHistogram
from bot4_core.session.effects import (
    CancelOrder,
    Effect,
    Note,
    QueryOrder,
    RecordIntent,
    Resync,
    SendOrder,
)
from bot4_core.session.event_stream import ReadingOptions
from bot4_core.session.feed import FeedLink, feed_kernels
from bot4_core.session.fused import FusedDriver
from bot4_core.session.ports import Clock, Connect, Market, Progress, RunProgress, Stop
from bot4_core.session.reconciling import Reconciler, Reconciliation
from bot4_core.session.recovery import Recovered, last_run, recover
from bot4_core.session.report import (
    AuditReport,
    SessionReport,
    TimingReport,
    breaker_reports,
    position_reports,
    profit_report,
    strike_warnings,
)
from bot4_core.session.series import FillMark, SeriesRecorder, TripMark
from bot4_core.session.session import Session
from bot4_core.session.trace_digest import TraceDigest
from bot4_core.session.warming import warm_session

__all__ = ["SessionRunner", "run"]

LAST: Final = int(EventFlag.LAST)
FLAGS: Final = 5
"""Where the terms of an order hold its flags."""


class SessionRunner:
    """Runs one session on one market.

    Parameters
    ----------
    session : Session
    market : Market
    clock : Clock
        Only for the audit log's wall times and the report's timing.
    log : AuditLog, optional
        Without one nothing is kept, and intents act at once.
    progress : Progress, optional
    stop : callable, optional
        Asked after every batch: a reason ends the session there, in good order.
    recovered : Recovered, optional
        What an earlier run left behind, to go on from.
    """

    def __init__(
        self,
        session: Session,
        market: Market,
        clock: Clock,
        *,
        log: AuditLog | None = None,
        progress: Progress | None = None,
        stop: Stop | None = None,
        recovered: Recovered | None = None,
    ) -> None:
        state = session.state
        self._session = session
        self._market = market
        self._clock = clock
        self._progress = progress
        self._stop = stop
        self._stopped = ""
        self._audit = AuditWriter(log, session.text, state.strategy.strategy.name, clock)
        self._digest = TraceDigest()
        self._series = SeriesRecorder(
            [str(each.symbol) for each in state.instruments], state.ordering.tables
        )
        self._lag, self._pauses = LatencyHistogram(), LatencyHistogram()
        self._messages = 0
        self._strikes = 0
        self._struck: dict[str, Note] = {}
        market.attach(state)
        venue = market.paper if session.state.config.driver is not DriverChoice.STAGED else None
        self._fused = None
        if venue is not None:
            self._fused = FusedDriver(session, venue, self, clock, spelled=log is not None)
        elif session.state.config.driver is DriverChoice.FUSED:
            fault = "only recordings are played by the fused driver; leave it to 'auto'"
            raise ConfigError("session", [("driver", fault)])

        self._reconciler: Reconciler | None = None
        if recovered is not None:
            self._go_on(recovered)

    def _go_on(self, recovered: Recovered) -> None:
        """Take over what an earlier run left behind, and ask the venue whether it agrees."""
        session = self._session
        self._act(session.restore(recovered))
        policy = session.state.config.start.on_difference
        self._reconciler = Reconciler(session, policy)
        self._reconcile()

    def _reconcile(self) -> None:
        """Compare with what the venue says now, unless it was said to agree."""
        reconciler = self._reconciler
        if reconciler is None or reconciler.state is not Reconciliation.WAITING:
            return
        account = self._market.account(Nanoseconds(self._session.now))
        if account is not None:
            self._act(reconciler.compare(account))

    @property
    def _halted(self) -> str:
        """Why the session must not go on, if so."""
        reconciler = self._reconciler
        if reconciler is None or reconciler.state is not Reconciliation.HALTED:
            return ""
        return f"the venue's account differs in {len(reconciler.found)} things"

    def run(self) -> SessionReport:
        """Play the market to its end, take back what works, and report."""
        begin = self._clock.perf_counter_ns()
        clock = self._clock.perf_counter_ns
        with quiet_collector(clock) as self._pauses:
            play = self._play if self._fused is None else self._fused.play
            for batch in self._market.batches():
                turn = clock()
                play(batch)
                self._messages += int(np.count_nonzero(batch["flags"] & LAST))
                self._tell(self._market.share)
                self._reconcile()
                self._stopped = self._halted or (self._stop() if self._stop is not None else "")
                self._lag.add(clock() - turn)
                if self._stopped:
                    break
            self._finish()
        self._tell(1.0)
        return self._report((self._clock.perf_counter_ns() - begin) / 1e9)

    def _play(self, batch: Records) -> None:
        """Take the messages of a batch one by one, and what they make the venue answer."""
        market, step, clock = self._market, self._session.step, self._clock.perf_counter_ns
        spans, due = array("q"), self._series.due
        stops = ((batch["flags"] & LAST).nonzero()[0] + 1).tolist()
        times = batch["received"][[stop - 1 for stop in stops]].tolist()
        start = 0
        for stop, now in zip(stops, times, strict=True):
            answers = market.before(now)
            if len(answers):
                self.answer(answers)
            begin = clock()
            effects = step(batch, start, stop)
            spans.append(clock() - begin)
            if effects:
                self._act(effects)
            answers = market.after(batch, start, stop, now)
            if len(answers):
                self.answer(answers)
            start = stop
            if now >= due:
                self._series.sample(now)
                due = self._series.due
        self._series.latency.add_all(np.frombuffer(spans, np.int64))

    def answer(self, answers: Records) -> None:
        """Let the session take in what its orders were answered, and do what it wants."""
        self._act(self._session.step(answers))

    def act(self) -> None:
        """Do what the session wants done by now."""
        self._act(self._session.take_effects())

    def sample(self, now: int) -> None:
        """Take a sample of the session for its report."""
        self._series.sample(now)

    def note_latency(self, begin: int) -> None:
        """Note how long the message took that was begun at a time of the clock."""
        self._series.latency.add(self._clock.perf_counter_ns() - begin)

    def _act(self, effects: list[Effect]) -> None:
        """Keep what a step decided, then do what it wants, both in its order.

        So all intents of a step are made durable by one commit, before the first of them acts.
        """
        audit = self._audit
        ready = self._keep(effects)
        for effect in effects:
            if isinstance(effect, SendOrder):
                self._send(effect, ready=ready)
            elif isinstance(effect, CancelOrder):
                self._market.cancel(effect.number, Nanoseconds(effect.time))
                audit.keep_cancel(effect, self._client_id(effect.number))
            elif isinstance(effect, QueryOrder):
                self._market.query(effect.number, Nanoseconds(effect.time))
                audit.keep_query(effect, self._client_id(effect.number))
            elif isinstance(effect, Resync):
                self._market.resync(effect.instrument, effect.time)
        audit.keep_up()
        if audit.healthy is not self._session.state.gate.healthy:
            self._session.audit_failed(failed=not audit.healthy)

    def _keep(self, effects: list[Effect]) -> bool:
        """Keep intents and notes; return whether they are durable, where orders wait for that."""
        sending = False
        for effect in effects:
            self._digest.effect(effect)
            if isinstance(effect, RecordIntent):
                self._audit.keep_intent(effect)
            elif isinstance(effect, Note):
                if effect.kind is AuditKind.PLUGIN_STRIKE:
                    self._strikes += 1
                    self._struck[effect.actor] = effect
                self._audit.keep_note(effect)
            elif isinstance(effect, SendOrder):
                sending = True
        return self._audit.commit() if sending else False

    def _send(self, effect: SendOrder, *, ready: bool) -> None:
        reducing = effect.terms[FLAGS] & OrderFlag.REDUCE_ONLY
        if ready or reducing:  # what closes risk leaves even unrecorded
            why = self._market.place(effect.intent, Nanoseconds(effect.time))
            if why:
                self._session.withhold(effect.number, why, rest=True)
            else:
                self._audit.keep_send(effect, self._client_id(effect.number))
        else:
            self._session.withhold(effect.number, "its intent could not be kept")

    def _client_id(self, number: int) -> str:
        return self._session.state.account.orders.client_id(number)

    def _finish(self) -> None:
        """Cancel what works and take in the last answers."""
        state = self._session.state
        state.close()
        self._act(self._session.cancel_everything("the session ends"))
        for answers in self._market.settle():
            self.answer(answers)
        self._series.sample(state.now)
        state.account.mark()
        state.account.ledger.check()
        state.account.orders.check()
        self._audit.commit()

    def _tell(self, share: float) -> None:
        if self._progress is not None:
            self._progress(RunProgress("run", share, self._messages))

    def _report(self, wall: float) -> SessionReport:
        session, state = self._session, self._session.state
        fills = self._mark_fills()
        for trip in state.panel.trips:
            mark = TripMark(trip.time, trip.breaker, trip.effect, trip.instrument, trip.reason)
            self._series.trip(mark)
        latency = self._series.latency
        return SessionReport(
            mode=session.state.config.mode.value,
            digest=self._digest.close(state),
            messages=self._messages,
            events=state.events,
            quarantined=self._market.quarantined,
            decisions=state.decisions,
            refusals=state.ordering.refused,
            strikes=self._strikes,
            orders=_order_counts(state.account.orders.counts),
            fills=state.account.fills,
            positions=position_reports(state, fills),
            pnl=profit_report(state),
            breakers=breaker_reports(state),
            linked=tuple(state.links.reports(state.now)),
            audit=AuditReport.of(self._audit.log),
            report="",
            timing=TimingReport(
                wall_s=wall,
                messages_per_s=self._messages / wall if wall > 0 else 0.0,
                decision_p50_us=latency.quantile(0.5),
                decision_p99_us=latency.quantile(0.99),
                driver=(DriverChoice.STAGED if self._fused is None else DriverChoice.FUSED).value,
                audit_commit=self._audit.commits.report(),
                loop_lag=self._lag.report(),
                gc_pause=self._pauses.report(),
            ),
            warnings=(
                *self._market.warnings,
                *strike_warnings(self._struck.values(), state),
                *(map(str, self._reconciler.found) if self._reconciler is not None else ()),
            ),
            stopped=self._stopped,
            series=self._series.series(),
        )

    def _mark_fills(self) -> dict[int, int]:
        counts: Counter[int] = Counter()
        for entry in self._session.state.account.ledger.entries:
            if isinstance(entry, Fill):
                counts[entry.instrument] += 1
                price, size = float(entry.price.decimal), float(entry.size.decimal)
                self._series.fill(
                    FillMark(
                        entry.time, entry.instrument, int(entry.side), price, size, entry.maker
                    )
                )
        return counts


def _order_counts(counts: dict[OrderStatus, int]) -> dict[str, int]:
    return {status.name.lower(): count for status, count in counts.items() if count}


def run(
    config: SessionConfig,
    host: PluginHost,
    clock: Clock,
    *,
    consent: bool = False,
    progress: Progress | None = None,
    stop: Stop | None = None,
    options: ReadingOptions | None = None,
    feed: FeedLink | None = None,
    connect: Connect | None = None,
) -> SessionReport:
    """Run the session that a configuration describes, and keep its audit log.

    Parameters
    ----------
    config : SessionConfig
    host : PluginHost
        Knows the plugins that the configuration names.
    clock : Clock
        For instance the module ``time``.
    consent : bool
        Somebody agreed, outside the configuration, that real orders may be sent.
    progress : Progress, optional
    stop : callable, optional
        Asked after every batch: a reason ends the session there, with its orders taken back, its
        audit log closed and its report made.
    options : ReadingOptions, optional
        How recordings are read.
    feed : FeedLink, optional
        Starts a process that reads them instead; the result is the same.
    connect : Connect, optional
        Opens the live market, where the configuration wants one.

    Raises
    ------
    ConfigError
        If the configuration does not fit together, or real orders lack somebody's consent.
    VenueError
        If the venue cannot be reached, or will not have us.
    ChannelError
        If the process that reads the recordings died.
    AuditError
        If the audit log cannot be written, is damaged, or another process holds it.
    """
    if config.mode is SessionMode.LIVE and not consent:
        fault = "live trading sends real orders; agree to it outside the file (consent)"
        raise ConfigError("session", [("mode", fault)])
    if feed is not None:
        require_recordings(config)
    require_parts(config, host)
    name = f"{config.mode.value}-{clock.time_ns()}"
    continues = last_run(config.audit.path) if config.start.recover else ""
    with open_log(config, name, clock, continues) as log:
        with noted_failure(log, clock):
            if feed is not None:
                feed.start()
            warm_session(config, host, progress, more=feed_kernels() if feed is not None else ())
            market = build_market(config, host, options, feed, connect)
            parts = build_parts(config, host, market.instruments)
            offered: Capabilities | None = getattr(market, "capabilities", None)
            session = Session(config, market.instruments, market.table, parts, name, offered)
            recovered = recover(config.audit.path, market.instruments) if continues else None
            runner = SessionRunner(
                session,
                market,
                clock,
                log=log,
                progress=progress,
                stop=stop,
                recovered=recovered,
            )
        report = runner.run()
        facts = {"digest": report.digest, "stopped": report.stopped}
        log.finish(clock.time_ns(), session.now, facts)
        return attrs.evolve(report, audit=AuditReport.of(log))


@contextmanager
def noted_failure(log: AuditLog, clock: Clock) -> Iterator[None]:
    """End the run in its log when it comes to nothing before its first event."""
    try:
        yield
    except BaseException as error:
        text = str(error) or type(error).__name__
        with suppress(AuditError):
            log.finish(clock.time_ns(), 0, {"digest": "", "stopped": f"not begun: {text}"})
        raise
