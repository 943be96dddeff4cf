"""A recording through the staged driver, with a Python strategy that reads the top at each event.

The strategy's ``decide`` is called at the end of every message and reads best bid and ask; it wants
nothing. Around it works a whole session: books, views, ledger, gate, digest and the samples of its
report, without an audit log. Time runs from the first event to the last; nothing is compiled or
decoded meanwhile. Rows divide it by events (64-byte records: a level, a trade, a best price) and by
decisions. The published figure of nautilus_trader is of events handed to Python one by one.
"""

import gc
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import attrs
import numpy as np

from benchmarks.peers.our_runs import CASH, UNBOUND
from benchmarks.peers.same_events import CONFIG, FILE
from bot4_core import Session, SessionConfig
from bot4_core.domain_types.decisions import Signal
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EventFlag, EventKind, Feature, Record, Records
from bot4_core.plugins.interfaces import PartSettings, Sizer, Strategy
from bot4_core.session.config import AccountConfig, DriverChoice
from bot4_core.session.event_stream import ReadingOptions, open_files, open_stream
from bot4_core.session.paper import PaperSettings
from bot4_core.session.paper_market import PaperMarket
from bot4_core.session.runner import SessionRunner
from bot4_core.session.state import Parts
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

RUNS = 5
NAUTILUS_EVENTS = 0.2e6  # a second, its engine on the same recording, measured earlier
NAUTILUS_LEVELS = 1.4e6  # a second, levels handed over by the message, the highest that was seen
BUDGET = ">= 5 x nautilus_trader"
LAST = int(EventFlag.LAST)


class TopReader(Strategy[PartSettings]):
    """Reads the top of the book at each message and keeps count."""

    name: ClassVar[str] = "top_reader"
    reads: ClassVar[Feature] = Feature.NONE

    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument]) -> None:
        super().__init__(settings, instruments)
        self.asked, self.crossed = 0, 0

    def decide(self, view: Record) -> Sequence[Signal]:
        """Look at best bid and best ask; want nothing."""
        self.asked += 1
        if view["ask"] <= view["bid"]:
            self.crossed += 1
        return ()


class NoSize(Sizer[PartSettings]):
    """Is never asked."""

    name: ClassVar[str] = "no_size"
    reads: ClassVar[Feature] = Feature.NONE

    def size(self, signal: Signal, view: Record) -> int:
        """Return nothing to trade."""
        return 0


class InMemory(PaperMarket):
    """Event records in memory, handed over at once."""

    def __init__(self, instrument: Instrument, table: Records, records: Records) -> None:
        super().__init__((instrument,), table, PaperSettings())
        self.share, self.quarantined = 0.0, 0
        self.warnings: tuple[str, ...] = ()
        self.seconds = 0.0
        self._records = records

    def batches(self) -> Iterator[Records]:
        """Yield everything, and see how long it takes."""
        begin = time.perf_counter()
        yield self._records
        self.seconds = time.perf_counter() - begin


def recorded(path: Path) -> tuple[Instrument, Records, Records]:
    """Return a recording's instrument, its row and its events."""
    instrument = SessionConfig.read(CONFIG).instruments[0]
    exchange = BinanceExchange(BinanceSettings(market="usdm"), (instrument,))
    options = ReadingOptions()
    stream = open_stream(open_files([path], options), exchange, options)
    records = np.concatenate([batch.copy() for batch in stream.batches()])
    return instrument, exchange.table, records


def run(instrument: Instrument, table: Records, records: Records) -> tuple[float, TopReader]:
    """Play the events once; return seconds and the strategy."""
    config = attrs.evolve(
        SessionConfig.read(CONFIG),
        account=AccountConfig(asset="USDT", cash=CASH),
        instruments=(instrument,),
        limits=UNBOUND,
        breakers=(),
        router=None,
        driver=DriverChoice.STAGED,
    )
    strategy = TopReader(PartSettings(), (instrument,))
    parts = Parts(strategy=strategy, sizer=NoSize(PartSettings(), (instrument,)))
    market = InMemory(instrument, table, records)
    gc.collect()
    SessionRunner(Session(config, (instrument,), table, parts, "bench"), market, time).run()
    return market.seconds, strategy


def rows(recordings: Path) -> list[dict[str, object]]:
    """Measure on the recorded Binance USD-M session of 2024-08-08."""
    instrument, table, records = recorded(recordings / FILE)
    return [
        *played("all events", instrument, table, records),
        *played("levels and trades alone", instrument, table, without_quotes(records)),
    ]


def without_quotes(records: Records) -> Records:
    """Return the events without the venue's own best prices."""
    rest: Records = records[records["kind"] != EventKind.QUOTE]
    return rest


def played(
    what: str, instrument: Instrument, table: Records, records: Records
) -> list[dict[str, object]]:
    """Return the rows of some events."""
    runs = [run(instrument, table, records) for _ in range(RUNS + 1)][1:]
    seconds = [span for span, _ in runs]
    asked = runs[0][1].asked
    work = f"staged, Python strategy reads the top, {what}"
    return [
        row(f"{work}: an event ({len(records):,})", seconds, len(records), NAUTILUS_EVENTS),
        row(f"{work}: a decision ({asked:,})", seconds, asked, None),
    ]


def row(work: str, seconds: list[float], count: int, peer: float | None) -> dict[str, object]:
    """Describe runs, and their rate beside the published one."""
    spans = sorted(1e6 * each / count for each in seconds)
    rate = 1e6 / statistics.median(spans)
    return {
        "work": f"{work} {rate / 1e6:.2f} M/s",
        "p50_us": statistics.median(spans),
        "p99_us": spans[-1],
        "per_s": rate,
        "baseline": f"nautilus_trader, measured earlier, {peer / 1e6:g} M/s" if peer else "",
        "baseline_us": 1e6 / peer if peer else None,
        "ratio": rate / peer if peer else None,
        "budget": BUDGET if peer else "",
    }
