"""Replay recordings into order books and report what was seen: what ``bot4 replay`` prints."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import text_from_scaled
from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import PrecisionGrew, RecordingError
from bot4_core.market.order_book import Books
from bot4_core.plugins.interfaces import Exchange, Records
from bot4_core.session.event_stream import (
    EventStream,
    ReadingOptions,
    SessionFile,
    open_files,
    open_stream,
    recorded_instruments,
    regrown,
)
from bot4_core.session.replay_kernels import warm_replay

__all__ = [
    "ExchangeFactory",
    "InstrumentReplay",
    "ReplayProgress",
    "ReplayReport",
    "SessionDigest",
    "compile_report",
    "replay",
]

SCHEMA: Final = 1
UNSEEN: Final = 2**32 - 1
Level = tuple[str, str]
ExchangeFactory = Callable[[Sequence[Instrument]], Exchange]
"""Makes a fresh adapter that knows these instruments, at these ids."""


@attrs.frozen(kw_only=True)
class ReplayProgress:
    """How far a replay has come."""

    bytes_read: int
    bytes_total: int
    messages: int
    events: int
    compiling: str = ""
    """The kernel being compiled; empty once events are read."""
    compiled: float = 1.0
    """Share of the kernels that are ready."""


@attrs.frozen(kw_only=True)
class InstrumentReplay:
    """What a replay saw of one instrument; prices and sizes as decimal text."""

    state: str
    gaps: int
    resyncs: int
    crossed: int
    best_bid: Level | None
    best_ask: Level | None
    last_quote_bid: Level | None
    last_quote_ask: Level | None
    trades: int
    levels: tuple[int, int]
    book_digest: str
    exponents_from_data: bool


@attrs.frozen(kw_only=True)
class ReplayReport:
    """What a replay saw. All but ``wall_s`` and ``messages_per_s`` depend on the input alone.

    ``messages`` counts what the venue pushed, ``responses`` replies to requests, ``quarantined``
    messages of neither known meaning nor form, ``refused`` lines of files that held no message.
    """

    schema: int = SCHEMA
    messages: int
    responses: int
    quarantined: int
    refused: int
    events: int
    kinds: dict[str, int]
    instruments: dict[str, InstrumentReplay]
    warnings: tuple[str, ...]
    digest: str
    wall_s: float
    messages_per_s: float


class SessionDigest:
    """A digest of events in order, the same whatever numbers the instruments happen to have.

    An event counts with its instrument's rank: how many instruments had events before it.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._ranks: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self.seen: list[int] = []
        """Instrument ids by rank."""
        self._plain = True

    def add(self, events: Records) -> None:
        """Take further events; about a nanosecond a byte."""
        ids = events["instrument"]
        highest = int(ids.max(initial=0))
        if self._plain and highest < len(self.seen):
            self._hash.update(np.ascontiguousarray(events).view(np.uint8).data)
            return
        if highest >= len(self._ranks):
            grown = np.full(highest + 1, UNSEEN, np.uint32)
            grown[: len(self._ranks)] = self._ranks
            self._ranks = grown
        ranks = self._ranks[ids]
        if (ranks == UNSEEN).any():
            self._rank(ids[ranks == UNSEEN])
            ranks = self._ranks[ids]
        if not self._plain:
            events = events.copy()
            events["instrument"] = ranks
        self._hash.update(np.ascontiguousarray(events).view(np.uint8).data)

    def _rank(self, ids: NDArray[np.uint32]) -> None:
        for instrument in dict.fromkeys(ids.tolist()):
            self._ranks[instrument] = len(self.seen)
            self.seen.append(instrument)
        self._plain = self.seen == list(range(len(self.seen)))

    def close(self, books: Sequence[tuple[str, str]]) -> str:
        """Add the symbol and final book digest of each instrument, by rank; return the digest."""
        for symbol, digest in books:
            self._hash.update(f"{symbol} {digest}\n".encode())
        return self._hash.hexdigest()


def replay(
    paths: Sequence[Path],
    exchange_factory: ExchangeFactory,
    clock: Callable[[], int],
    *,
    options: ReadingOptions | None = None,
    progress: Callable[[ReplayProgress], None] | None = None,
) -> ReplayReport:
    """Replay files as one session and report.

    Parameters
    ----------
    paths : sequence of Path
        Recordings of our own or foreign ones, in order.
    exchange_factory : callable
        Makes the adapter that decodes foreign files.
    clock : callable
        Nanoseconds that never go back; only for ``wall_s``, in which compiling does not count.
    options : ReadingOptions, optional
    progress : callable, optional
        Told which kernel is compiled, then how far it is, about a hundred times a second.

    Raises
    ------
    RecordingError
        If a file cannot be read, or breaks off and salvage was not asked for.
    """
    begin = clock()
    reading = options or ReadingOptions()
    files = open_files(paths, reading)
    exchange = exchange_factory(recorded_instruments(files))
    before = clock() - begin
    warm_replay(exchange, compile_report(progress))
    begin = clock() - before
    while True:
        run = _Run(files, exchange, reading, progress)
        try:
            run.play()
        except PrecisionGrew as grown:
            files = open_files(paths, reading)
            exchange = exchange_factory(regrown(exchange.instruments, grown))
        else:
            return run.report((clock() - begin) / 1e9)


def compile_report(
    progress: Callable[[ReplayProgress], None] | None,
) -> Callable[[float, int, str], None] | None:
    """Return what tells of a replay's progress while kernels are compiled."""
    if progress is None:
        return None

    def report(done: float, total: int, name: str) -> None:
        progress(
            ReplayProgress(
                bytes_read=0,
                bytes_total=0,
                messages=0,
                events=0,
                compiling=name,
                compiled=done / total,
            )
        )

    return report


class _Run:
    """One attempt at a replay, with one adapter."""

    def __init__(
        self,
        files: Sequence[SessionFile],
        exchange: Exchange,
        options: ReadingOptions,
        progress: Callable[[ReplayProgress], None] | None,
    ) -> None:
        self.exchange = exchange
        self.books = Books(exchange.table)
        self.digest = SessionDigest()
        self.progress = progress
        self.bytes_total = sum(file.path.stat().st_size for file in files)
        self.stream: EventStream = open_stream(files, exchange, options)

    def play(self) -> None:
        for events in self.stream.batches():
            if len(self.exchange.table) > len(self.books):
                self.books.extend(self.exchange.table)
            if self.books.apply(events) != len(events):
                raise RecordingError("a batch of events ends within a message; import it again")
            self.digest.add(events)
            if self.progress is not None:
                counts = self.stream.counts
                self.progress(
                    ReplayProgress(
                        bytes_read=self.stream.bytes_read,
                        bytes_total=self.bytes_total,
                        messages=counts.messages,
                        events=counts.events,
                    )
                )

    def report(self, wall: float) -> ReplayReport:
        counts = self.stream.counts
        instruments = {
            str(self.exchange.instruments[number].symbol): self._instrument(number)
            for number in self.digest.seen
        }
        books = [(symbol, found.book_digest) for symbol, found in instruments.items()]
        return ReplayReport(
            messages=counts.messages,
            responses=counts.responses,
            quarantined=counts.quarantined,
            refused=counts.refused,
            events=counts.events,
            kinds={kind.name.lower(): count for kind, count in self.books.kinds().items()},
            instruments=instruments,
            warnings=tuple(self.stream.warnings),
            digest=self.digest.close(books),
            wall_s=wall,
            messages_per_s=counts.messages / wall if wall > 0 else 0.0,
        )

    def _instrument(self, number: int) -> InstrumentReplay:
        instrument = self.exchange.instruments[number]
        book = self.books[number]
        row = book.row

        def level(name: str) -> Level | None:
            size = int(row[f"{name}_size"])
            return (
                (
                    text_from_scaled(int(row[name]), instrument.price_exponent),
                    text_from_scaled(size, instrument.size_exponent),
                )
                if size
                else None
            )

        return InstrumentReplay(
            state=book.state.name,
            gaps=int(row["gaps"]),
            resyncs=int(row["resyncs"]),
            crossed=int(row["crossed"]),
            best_bid=level("bid"),
            best_ask=level("ask"),
            last_quote_bid=level("quote_bid"),
            last_quote_ask=level("quote_ask"),
            trades=int(row["trades"]),
            levels=book.level_counts,
            book_digest=book.digest(),
            exponents_from_data=instrument.from_data,
        )
