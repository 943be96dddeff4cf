"""Order books of a session: all of them for the drivers, one of them for people."""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import InstrumentId, Price, Quantity
from bot4_core.domain_types.market_data import BookLevel, BookSnapshot
from bot4_core.domain_types.records import EVENT_DTYPE, BookState, ChainRule, EventKind, Side
from bot4_core.errors import BookStateError, ValidationError
from bot4_core.jit import entry_point
from bot4_core.kernels.book import ROWS, WORDS, apply_events
from bot4_core.kernels.book_ladder import depth_cost, level_size, walk_levels
from bot4_core.kernels.book_messages import (
    ladder_is_short,
    message_stop,
    wants_of,
)
from bot4_core.kernels.book_pending import KEPT_HEADER, KEPT_LEVEL
from bot4_core.kernels.book_state import BOOK_DTYPE, distrust
from bot4_core.kernels.book_window import GRAIN
from bot4_core.kernels.tables import Tables
from bot4_core.market.book_memory import BookMemory

__all__ = ["Books", "OrderBook"]

COUNTERS: Final = (
    "updates",
    "snapshots",
    "outdated",
    "refused",
    "gaps",
    "resyncs",
    "crossed",
    "orphans",
    "duplicates",
    "mismatched",
    "malformed",
    "dropped",
    "quotes",
    "trades",
    "wanted",
)


class Books:
    """The order books of all instruments of a session.

    Parameters
    ----------
    table : (n,) INSTRUMENT_DTYPE
        One row an instrument; its number is the instrument id of the event records.

    Attributes
    ----------
    rows : (n,) BOOK_DTYPE
        State, best levels and counters, for drivers to read.
    memory : BookMemory
        ``memory.words`` goes with ``rows`` into ``kernels.book.apply_events``.
    tables : Tables
        Both for kernels that are handed tables: at ``ROWS`` and ``WORDS`` of ``kernels.book``.
    """

    __slots__ = ("_apply", "_stop", "_wants", "memory", "rows", "table", "tables")

    def __init__(self, table: NDArray[np.void]) -> None:
        self._apply: Callable[..., int] = self._first_apply
        self._stop: Callable[..., int] = message_stop
        self._wants: Callable[..., tuple[int, bool]] = wants_of
        self.table = table[:0]
        self.rows: NDArray[np.void] = np.zeros(0, BOOK_DTYPE)
        self.memory = BookMemory()
        self.tables = Tables(2)
        self.extend(table)

    def extend(self, table: NDArray[np.void]) -> None:
        """Take a longer table, whose first rows are those of before; new rows start SYNCING."""
        start = self.rows.size
        rows = np.zeros(table.size, BOOK_DTYPE)
        rows[:start] = self.rows
        for i in range(start, table.size):
            row = rows[i]
            self.memory.add_book(row)
            for field in ("chain", "depth"):
                row[field] = table[i][field]
            row["strict"] = int(table[i]["chain"] in (ChainRule.STEP, ChainRule.CHECKSUM))
            row["price_places"] = -table[i]["price_exponent"]
            row["size_places"] = -table[i]["size_exponent"]
            for field in ("last", "first", "link"):
                row[field] = -1
            row["wanted"] = 1
            if table[i]["tick"] > 1:
                for field in ("bids", "asks"):
                    self.memory.words[int(row[field]) + GRAIN] = table[i]["tick"]
        self.table = table
        self.rows = rows
        self._place()

    def _place(self) -> None:
        self.tables.put(ROWS, self.rows)
        self.tables.put(WORDS, self.memory.words)

    def __len__(self) -> int:
        return int(self.rows.size)

    def __getitem__(self, instrument: int) -> "OrderBook":
        """Return one instrument's book."""
        if not 0 <= instrument < self.rows.size:
            raise IndexError(f"instrument {instrument} of {self.rows.size}")
        return OrderBook(self, InstrumentId(instrument))

    def __iter__(self) -> Iterator["OrderBook"]:
        return (self[i] for i in range(self.rows.size))

    def apply(self, records: NDArray[np.void], start: int = 0, stop: int | None = None) -> int:
        """Apply event records in order, any mix of messages and instruments.

        Returns
        -------
        int
            ``stop``, or the place of a book message whose closing record is not in the slice;
            nothing of it was applied.

        Raises
        ------
        ValidationError
            If a record names an instrument that is not in the table; nothing at or after that
            record was applied.
        """
        if records.dtype is not EVENT_DTYPE or not records.flags.c_contiguous:
            records = np.ascontiguousarray(records, EVENT_DTYPE)
        end = len(records) if stop is None else stop
        at = self._apply(self.rows, self.memory.words, records, start, end)
        while at < end and self.make_room(records, at, end):
            at = self._apply(self.rows, self.memory.words, records, at, end)
        return at

    def bind(self) -> None:
        """Get ready for the first event: what is bound late costs milliseconds then."""
        events = np.zeros(0, EVENT_DTYPE)
        self._apply = entry_point(apply_events, self.rows, self.memory.words, events, 0, 0)
        self._stop = entry_point(message_stop, events, 0, 0)
        self._wants = entry_point(wants_of, self.rows, 0, 0)

    def _first_apply(self, *arguments: object) -> int:
        self.bind()
        return self._apply(*arguments)

    def make_room(self, records: NDArray[np.void], at: int, stop: int) -> bool:
        """Grow what the message at ``at`` needs; return whether the kernel may go on.

        For drivers that call ``kernels.book.apply_events`` themselves: call this when it returns
        early, then call it again with the new ``memory.words``.
        """
        instrument = int(records[at]["instrument"])
        if instrument >= self.rows.size:
            fault = f"instrument {instrument} is not in the table of {self.rows.size}; extend it"
            raise ValidationError([(f"records[{at}].instrument", fault)])
        row = self.rows[instrument]
        levels = abs(self._stop(records, at, stop)) - at
        room, unkept = self._wants(self.rows, instrument, levels)
        grown = False
        for field in ("bids", "asks"):
            if ladder_is_short(self.memory.words, int(row[field]), room):
                self.memory.grow_ladder(row, field, room)
                grown = True
        if unkept:
            self.memory.grow_pending(row, KEPT_HEADER + KEPT_LEVEL * levels)
            grown = True
        self._place()
        return grown

    def needs_snapshot(self, instrument: int) -> bool:
        """Return whether the instrument's book waits for a snapshot."""
        return bool(self.rows[instrument]["state"] != BookState.LIVE)

    def invalidate(self, instrument: int) -> None:
        """Distrust a LIVE book (lost connection, silence): STALE until the next snapshot.

        Deltas kept so far are forgotten: what follows on a new connection does not continue them.
        """
        row = self.rows[instrument]
        row["pending_used"] = 0
        row["held"] = 0
        if row["state"] == BookState.LIVE:
            distrust(row, int(BookState.STALE))

    def kinds(self) -> dict[EventKind, int]:
        """Return how many events of each kind were applied, over all instruments."""
        totals: dict[EventKind, int] = {}
        for kind in EventKind:
            count = sum(int(self.memory.words[int(row["counts"]) + kind]) for row in self.rows)
            if count:
                totals[kind] = count
        return totals


class OrderBook:
    """A live view of one instrument's book; reading never changes it.

    Attributes
    ----------
    instrument : InstrumentId
        Row of the instrument table.
    """

    __slots__ = ("_books", "instrument")

    def __init__(self, books: Books, instrument: InstrumentId) -> None:
        self._books = books
        self.instrument = instrument

    @property
    def row(self) -> np.void:
        """The BOOK_DTYPE row behind the view."""
        row: np.void = self._books.rows[self.instrument]
        return row

    @property
    def state(self) -> BookState:
        """How far the book may be trusted."""
        return BookState(int(self.row["state"]))

    @property
    def needs_snapshot(self) -> bool:
        """Whether the book waits for a snapshot."""
        return self._books.needs_snapshot(self.instrument)

    @property
    def sequence(self) -> int:
        """Id of the last book message applied, -1 for none."""
        return int(self.row["last"])

    @property
    def counters(self) -> dict[str, int]:
        """What happened to the book so far, by name."""
        return {name: int(self.row[name]) for name in COUNTERS}

    @property
    def level_counts(self) -> tuple[int, int]:
        """Number of bid and ask levels held."""
        return int(self.row["bid_levels"]), int(self.row["ask_levels"])

    def _require_live(self, allow_stale: bool) -> None:
        if not allow_stale and self.state is not BookState.LIVE:
            raise BookStateError(int(self.instrument), self.state.name)

    def _level(self, price: int, size: int) -> BookLevel:
        table = self._books.table[self.instrument]
        return BookLevel(
            price=Price(price, int(table["price_exponent"])),
            size=Quantity(size, int(table["size_exponent"])),
        )

    def best_bid(self, *, allow_stale: bool = False) -> BookLevel | None:
        """Return the best bid, None where nobody bids.

        Raises
        ------
        BookStateError
            If the book is not LIVE and ``allow_stale`` was not asked for.
        """
        self._require_live(allow_stale)
        row = self.row
        return self._level(int(row["bid"]), int(row["bid_size"])) if row["bid_levels"] else None

    def best_ask(self, *, allow_stale: bool = False) -> BookLevel | None:
        """Return the best ask, None where nobody offers; raises as `best_bid` does."""
        self._require_live(allow_stale)
        row = self.row
        return self._level(int(row["ask"]), int(row["ask_size"])) if row["ask_levels"] else None

    def scaled_levels(self, side: Side, depth: int = 0) -> tuple[NDArray[np.int64], ...]:
        """Return prices and sizes of one side as scaled integers, best first.

        Parameters
        ----------
        side : Side
            BUY for bids, SELL for asks.
        depth : int
            Number of levels, 0 for all.

        Returns
        -------
        tuple
            Two (k,) int64 arrays.
        """
        held = self.level_counts[0 if side is Side.BUY else 1]
        count = min(depth, held) if depth > 0 else held
        prices, sizes = np.zeros(count, np.int64), np.zeros(count, np.int64)
        walk_levels(self._books.memory.words, self._ladder(side), prices, sizes)
        return prices, sizes

    def _ladder(self, side: Side) -> int:
        return int(self.row["bids" if side is Side.BUY else "asks"])

    def levels(
        self, depth: int = 0, *, allow_stale: bool = False
    ) -> tuple[tuple[BookLevel, ...], tuple[BookLevel, ...]]:
        """Return bids and asks, best first, all of them for ``depth`` 0; raises as `best_bid`."""
        self._require_live(allow_stale)
        bids, asks = (
            tuple(
                self._level(int(price), int(size))
                for price, size in zip(*self.scaled_levels(side, depth), strict=True)
            )
            for side in (Side.BUY, Side.SELL)
        )
        return bids, asks

    def size_at(self, side: Side, price: int) -> int:
        """Return the scaled size resting at a scaled price, 0 for none."""
        return int(level_size(self._books.memory.words, self._ladder(side), price))

    def depth_cost(self, side: Side, size: int) -> tuple[float, int]:
        """Return price times size to take ``size`` from a side, and the size there was."""
        cost, taken = depth_cost(self._books.memory.words, self._ladder(side), size)
        return float(cost), int(taken)

    def snapshot(self, depth: int = 0, *, allow_stale: bool = False) -> BookSnapshot:
        """Return the levels, sequence and state as one frozen value; raises as `best_bid`."""
        bids, asks = self.levels(depth, allow_stale=allow_stale)
        return BookSnapshot(
            instrument=self.instrument,
            sequence=self.sequence,
            state=self.state,
            bids=bids,
            asks=asks,
        )

    def digest(self) -> str:
        """Return a content digest of all levels, the same for the same numbers at any exponent."""
        table = self._books.table[self.instrument]
        exponents = int(table["price_exponent"]), int(table["size_exponent"])
        digest = blake2b(digest_size=16)
        for side in (Side.BUY, Side.SELL):
            for level in zip(*self.scaled_levels(side), strict=True):
                digest.update(side.name.encode())
                for value, exponent in zip(level, exponents, strict=True):
                    digest.update(b" %de%d" % _without_zeros(int(value), exponent))
                digest.update(b"\n")
        return digest.hexdigest()

    def __repr__(self) -> str:
        bid, ask = self.best_bid(allow_stale=True), self.best_ask(allow_stale=True)
        return (
            f"<OrderBook {self.instrument} {self.state.name} "
            f"bid {_level_text(bid)} ask {_level_text(ask)} levels {self.level_counts}>"
        )

    def _repr_html_(self) -> str:
        """Show the ten best levels of each side as a table."""
        bids, asks = self.levels(10, allow_stale=True)
        rows = [f"<caption>{escape(repr(self))}</caption>"]
        rows.append("<tr><th>bid size</th><th>price</th><th>ask size</th></tr>")
        rows += [f"<tr><td></td><td>{a.price}</td><td>{a.size}</td></tr>" for a in reversed(asks)]
        rows += [f"<tr><td>{b.size}</td><td>{b.price}</td><td></td></tr>" for b in bids]
        return "<table>" + "".join(rows) + "</table>"


def _level_text(level: BookLevel | None) -> str:
    return f"{level.size}@{level.price}" if level else "none"


def _without_zeros(value: int, exponent: int) -> tuple[int, int]:
    while value and value % 10 == 0:
        value //= 10
        exponent += 1
    return value, exponent if value else 0
