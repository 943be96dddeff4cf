"""Event to decision to gated intent, and one observation of the breaker panel."""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from bot4_core import PluginHost, Session, SessionConfig
from bot4_core.domain_types.records import EventFlag, Records
from bot4_core.session.building import build_parts, exchange_factory
from bot4_core.session.collector import quiet_collector
from bot4_core.session.effects import CancelOrder, Effect, RecordIntent, SendOrder
from bot4_core.session.event_stream import ReadingOptions, open_files, open_stream
from bot4_core.session.paper import PaperVenue

CONFIG = Path(__file__).resolve().parent.parent / "examples" / "binance_recording.toml"
FILE = "binance/usdm_btcusdt_20240808.gz"
# What the description of another trading bot claims; neither could be measured beside ours.
PUBLISHED_CLAIM_US = 47.0
PANEL_CLAIM_US = 1000.0
MESSAGES = 60_000
WARM_UP = 5_000
LAST = int(EventFlag.LAST)


def rows(recordings: Path) -> list[dict[str, object]]:
    """Return the rows of the table; they walk one recording message by message."""
    session, stops, events = prepared(recordings / FILE)
    with quiet_collector(time.perf_counter_ns):
        times = walked(session, events, stops)
        observed = observations(session)
    claim = PUBLISHED_CLAIM_US
    return [
        row("view -> decision, every message", times.thought, claim, 10.0),
        row("view -> decision -> gated intent", times.gated, claim, 10.0),
        row("bytes' events -> book -> decision, every message", times.every, claim, None),
        row("the same, messages that make an intent", times.intents, claim, None),
        row("gated intents spelled out as effects", times.spelled, claim, None),
        row("breaker panel, one observation", observed, PANEL_CLAIM_US, 2.0),
    ]


def row(work: str, times: list[int], claim: float, budget: float | None) -> dict[str, object]:
    """Describe durations in ns."""
    p50, p99, p999 = np.percentile(np.array(times) / 1e3, [50, 99, 99.9])
    limit = "p50" if claim == PANEL_CLAIM_US else "p99"
    return {
        "work": f"{work} ({len(times):,})",
        "p50_us": round(float(p50), 2),
        "p99_us": round(float(p99), 2),
        "p999_us": round(float(p999), 2),
        "baseline": f"a published claim of {claim:,.0f} us",
        "baseline_us": claim,
        "ratio": round(claim / float(p99), 1),
        "budget": f"{budget} us {limit}" if budget is not None else None,
    }


def prepared(path: Path) -> tuple[Session, list[int], Records]:
    """Return a session and the events of a recording with the ends of its messages."""
    config = SessionConfig.read(CONFIG)
    host = PluginHost.installed()
    exchange = exchange_factory(config, host)(config.instruments)
    stream = open_stream(open_files([path], ReadingOptions()), exchange, ReadingOptions())
    events = np.concatenate([batch.copy() for batch in stream.batches()])
    parts = build_parts(config, host, exchange.instruments)
    config = attrs.evolve(config, account=attrs.evolve(config.account, cash=Decimal(100_000)))
    session = Session(config, exchange.instruments, exchange.table, parts)
    stops = (np.flatnonzero(events["flags"] & LAST) + 1).tolist()
    return session, stops, events


@attrs.define
class Times:
    """Durations in ns: of thinking, and of all that a message takes."""

    thought: list[int] = attrs.field(factory=list)
    gated: list[int] = attrs.field(factory=list)  # of thoughts that made an intent
    every: list[int] = attrs.field(factory=list)
    intents: list[int] = attrs.field(factory=list)
    spelled: list[int] = attrs.field(factory=list)


def watched(session: Session) -> list[int]:
    """Make a session's driver time its second stage; return where the last time will stand."""
    driver: Any = session.driver
    think, clock = driver._think, time.perf_counter_ns
    last = [0]

    def timed(*arguments: object) -> int:
        begin = clock()
        code: int = think(*arguments)
        last[0] = clock() - begin
        return code

    driver._think = timed
    return last


def walked(session: Session, events: Records, stops: list[int]) -> Times:
    """Walk messages through a session, one at a time as they would come from a socket."""
    state = session.state
    venue = PaperVenue(state.books.table, state.instruments, state.config.matching, state.books)
    clock: Callable[[], int] = time.perf_counter_ns
    times, last, start = Times(), watched(session), 0
    for stop in stops:
        now = int(events["received"][stop - 1])
        answer(session, venue.due(now), venue)
        last[0] = 0
        begin = clock()
        session.decide(events, start, stop)
        decided = clock()
        effects = session.take_effects()
        spelled = clock()
        if state.decisions > WARM_UP and last[0]:
            times.every.append(decided - begin)
            times.thought.append(last[0])
            if any(isinstance(effect, RecordIntent) for effect in effects):
                times.intents.append(decided - begin)
                times.gated.append(last[0])
                times.spelled.append(spelled - decided)
        answer(session, venue.on_market(events, start, stop, now), venue)
        act(effects, venue)
        start = stop
        if len(times.every) >= MESSAGES:
            break
    return times


def answer(session: Session, answers: Records, venue: PaperVenue) -> None:
    """Tell the session what became of its orders."""
    if len(answers):
        act(session.step(answers), venue)


def act(effects: Sequence[Effect], venue: PaperVenue) -> None:
    """Send what the session wants sent."""
    for effect in effects:
        if isinstance(effect, SendOrder):
            venue.place(effect.intent[0])
        elif isinstance(effect, CancelOrder):
            venue.cancel(effect.number, effect.time)


def observations(session: Session) -> list[int]:
    """Show the panel the same view many times."""
    panel, clock = session.state.panel, time.perf_counter_ns
    times = []
    for _ in range(MESSAGES):
        begin = clock()
        panel.observe(0, 0)
        times.append(clock() - begin)
    return times
