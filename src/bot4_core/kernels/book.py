"""Apply event records to the order books of many instruments in one compiled call."""

from typing import Final

from bot4_core.domain_types.records import BookState, EventKind
from bot4_core.jit import kernel
from bot4_core.kernels.book_messages import take_message
from bot4_core.kernels.book_state import BookRow, Events, distrust
from bot4_core.kernels.book_window import Words
from bot4_core.kernels.wire_bytes import borrowed

__all__ = ["ROWS", "WORDS", "apply_events"]

ROWS: Final = 0
"""Slot of the books' tables: a row an instrument."""
WORDS: Final = 1
"""Slot: the memory of their levels."""

BOOK_END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
GAP: Final = int(EventKind.GAP)
LIVE: Final = int(BookState.LIVE)
STALE: Final = int(BookState.STALE)
KIND_MASK: Final = 31


@kernel(inline=True)
def _take_quote(row: BookRow, event: BookRow) -> None:
    """Remember the venue's own best bid and ask."""
    row["quotes"] += 1
    row["quote_time"] = event["time"]
    row["quote_bid"] = event["price"]
    row["quote_bid_size"] = event["size"]
    row["quote_ask"] = event["aux"]
    row["quote_ask_size"] = event["link"]


@kernel(inline=True)
def _take_trade(row: BookRow, event: BookRow) -> None:
    """Remember the last print."""
    row["trades"] += 1
    row["trade_time"] = event["time"]
    row["trade_price"] = event["price"]
    row["trade_size"] = event["size"]
    row["trade_side"] = event["side"]


@kernel(inline=True)
def _take_other(row: BookRow, memory: Words, event: BookRow) -> None:
    """Count an event; a gap seen by the adapter makes the book stale."""
    kind = event["kind"] & KIND_MASK
    memory[row["counts"] + kind] += 1
    if kind == QUOTE:
        _take_quote(row, event)
    elif kind == TRADE:
        _take_trade(row, event)
    elif kind == GAP:
        row["gaps"] += 1
        if row["state"] == LIVE:
            distrust(row, STALE)


@kernel(inline=True)
def _last_whole(events: Events, start: int, stop: int) -> int:
    """Return the end of the last message that is complete."""
    while stop > start and 0 < events[stop - 1]["kind"] < BOOK_END:
        stop -= 1
    return stop


@kernel()
def apply_events(rows: Events, memory: Words, events: Events, start: int, stop: int) -> int:
    """Apply the event records ``start`` to ``stop`` to the books of their instruments.

    Parameters
    ----------
    rows : (instruments,) BOOK_DTYPE
        One row an instrument.
    memory : (words,) int64
        Ladders, counters and kept deltas of all rows.
    events : (n,) EVENT_DTYPE
        Any mix of messages and instruments; a book message's records stand together.

    Returns
    -------
    int
        ``stop``, or the place of the record it could not begin with: an instrument without a row,
        a book message whose end is not in the slice, or one that needs more memory (see
        ``market.order_book.Books.make_room``). Nothing at or after that place was applied.
    """
    words, records = borrowed(memory), borrowed(events)
    whole = _last_whole(records, start, stop)
    at = start
    while at < whole:
        event = records[at]
        instrument = int(event["instrument"])
        if instrument >= rows.size:
            return at
        row = rows[instrument]
        if event["kind"] > BOOK_END or event["kind"] == 0:
            _take_other(row, words, event)
            at += 1
        else:
            end = take_message(row, words, records, at, whole)
            if end == at:
                return at
            at = end
    return whole
