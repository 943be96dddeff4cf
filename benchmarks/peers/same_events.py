"""One recording as our event records, and the same events as columns for the other side."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot4_core import SessionConfig
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import BookState, EventFlag, EventKind, Records, Side
from bot4_core.market.order_book import Books
from bot4_core.session.event_stream import ReadingOptions, open_files, open_stream
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

CONFIG = Path(__file__).resolve().parents[2] / "examples" / "binance_recording.toml"
FILE = "binance/usdm_btcusdt_20240808.gz"
LAST = int(EventFlag.LAST)
LEVEL, TRADE, SNAPSHOT_LEVEL = 1, 2, 4
"""Kinds of events, by the numbers that the other side gives them."""
ROI_SHARE = 0.1
"""How far from the first best bid the other side's range of interest reaches."""


@dataclass(frozen=True)
class SameEvents:
    """A recording from the message on that makes its book LIVE.

    Attributes
    ----------
    records : (n,) EVENT_DTYPE
        All records but those of the venue's best prices, which no side of the comparison uses.
    begin : int
        The first record after the snapshot was taken in.
    columns : mapping
        From the LIVE book on, one row an event: kind, side,
        time, price, size, all int64 and scaled as the records.
    """

    instrument: Instrument
    table: Records
    records: Records
    begin: int
    columns: dict[str, Any]

    @property
    def count(self) -> int:
        """Levels and trades after the snapshot, the events of the comparison."""
        return int(np.isin(self.columns["kind"], (LEVEL, TRADE)).sum())

    @property
    def low(self) -> int:
        """The lowest price of the range of interest."""
        return self._around(1 - ROI_SHARE)

    @property
    def high(self) -> int:
        """The first price above it."""
        return self._around(1 + ROI_SHARE)

    def _around(self, share: float) -> int:
        best = (self.columns["kind"] == SNAPSHOT_LEVEL) & (self.columns["side"] > 0)
        tick = self.instrument.tick
        return int(self.columns["price"][best].max() * share) // tick * tick

    def save(self, path: Path) -> None:
        """Write what the other side needs."""
        rules = self.instrument
        np.savez(
            path,
            price_scale=10**-rules.price_exponent,
            size_scale=10**-rules.size_exponent,
            tick=rules.tick,
            maker=float(rules.fees.maker),
            taker=float(rules.fees.taker),
            low=self.low,
            high=self.high,
            **self.columns,
        )


def same_events(recordings: Path) -> SameEvents:
    """Read the recording once, with our decoder."""
    instrument = SessionConfig.read(CONFIG).instruments[0]
    exchange = BinanceExchange(BinanceSettings(market="usdm"), (instrument,))
    options = ReadingOptions()
    stream = open_stream(open_files([recordings / FILE], options), exchange, options)
    records = np.concatenate([batch.copy() for batch in stream.batches()])
    records = records[records["kind"] != EventKind.QUOTE]
    books = Books(exchange.table)
    begin = 0
    for stop in (np.flatnonzero(records["flags"] & LAST) + 1).tolist():
        books.apply(records, begin, stop)
        begin = stop
        if books.rows[0]["state"] == BookState.LIVE:
            break
    columns = as_columns(books, records, begin)
    return SameEvents(instrument, exchange.table, records, begin, columns)


def as_columns(books: Books, records: Records, begin: int) -> dict[str, Any]:
    """Return the LIVE book as snapshot levels, and what comes after it."""
    after = records[begin:]
    after = after[np.isin(after["kind"], (EventKind.BOOK_SET, EventKind.TRADE))]
    time = int(records["received"][begin - 1])
    levels = [
        (SNAPSHOT_LEVEL, int(side), time, int(price), int(size))
        for side in (Side.BUY, Side.SELL)
        for price, size in zip(*books[0].scaled_levels(side), strict=True)
    ]
    head = np.array(levels, np.int64)
    kinds = np.where(after["kind"] == EventKind.TRADE, TRADE, LEVEL)
    fields = ("side", "received", "price", "size")
    tail = np.column_stack([kinds, *(after[name].astype(np.int64) for name in fields)])
    table = np.concatenate([head, tail])
    names = ("kind", "side", "time", "price", "size")
    return {name: np.ascontiguousarray(table[:, place]) for place, name in enumerate(names)}
