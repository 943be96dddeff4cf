"""Apply event records to the order books of many instruments in one compiled call."""

from typing import Final

from bot4_core.domain_types.records import BookState, EventFlag, EventKind
from bot4_core.jit import kernel
from bot4_core.kernels.book_pending import KEPT_HEADER, KEPT_LEVEL, keep_delta, replay_pending
from bot4_core.kernels.book_state import (
    BookRow,
    Events,
    clear_book,
    common_grain,
    distrust,
    set_level,
    settle,
)
from bot4_core.kernels.book_sync import (
    CONTINUES,
    DUPLICATE,
    MOST_REPEATS,
    accept_delta,
    is_outdated,
    is_reset,
    judge_delta,
)
from bot4_core.kernels.book_window import (
    CAPACITY,
    GRAIN,
    INSIDE,
    MISSES,
    OUTSIDE,
    WINDOW,
    Words,
    set_grain,
)

__all__ = [
    "LARGEST_PENDING",
    "LARGEST_WINDOW",
    "apply_events",
    "ladder_is_short",
    "message_room",
    "message_stop",
    "pending_is_short",
]

LARGEST_WINDOW: Final = 1 << 17  # ticks
LARGEST_PENDING: Final = 1 << 17  # words

BOOK_CLEAR: Final = int(EventKind.BOOK_CLEAR)
BOOK_SET: Final = int(EventKind.BOOK_SET)
BOOK_END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
GAP: Final = int(EventKind.GAP)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
LIVE: Final = int(BookState.LIVE)
STALE: Final = int(BookState.STALE)
KIND_MASK: Final = 31


@kernel()
def message_stop(events: Events, begin: int, stop: int) -> int:
    """Return the place after a book message's closing record.

    Returns
    -------
    int
        0 when the records end before the message does; the negated place of the first record that
        cannot belong to the message when it is malformed.
    """
    instrument = events[begin]["instrument"]
    at = begin + 1 if events[begin]["kind"] == BOOK_CLEAR else begin
    levels = at
    while at < stop:
        event = events[at]
        if event["instrument"] != instrument:
            return -at
        if event["kind"] != BOOK_SET:
            if event["kind"] == BOOK_END:
                return at + 1 if event["size"] == at - levels else -at - 1
            return -at
        if event["size"] < 0 or event["side"] == 0:
            return -at - 1
        at += 1
    return 0


@kernel()
def ladder_is_short(memory: Words, at: int, room: int) -> bool:
    """Say whether a ladder needs a larger overflow for ``room`` more levels, or a larger window."""
    if memory[at + INSIDE] + memory[at + OUTSIDE] + room > memory[at + CAPACITY]:
        return True
    return bool(memory[at + MISSES] > memory[at + WINDOW] and memory[at + WINDOW] < LARGEST_WINDOW)


@kernel()
def pending_is_short(row: BookRow, levels: int) -> bool:
    """Say whether the space for kept deltas should grow before a delta of so many levels."""
    if row["pending_size"] >= LARGEST_PENDING:
        return False
    words = KEPT_HEADER + KEPT_LEVEL * levels
    used = 0 if row["state"] == LIVE else row["pending_used"]
    return bool(used + words > row["pending_size"])


@kernel()
def message_room(row: BookRow, levels: int) -> int:
    """Return how many levels a message may add to one side, kept deltas included."""
    return int(levels + row["pending_used"] // KEPT_LEVEL)


@kernel()
def _apply_levels(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Set the levels of ``events[begin:end]``."""
    for j in range(begin, end):
        event = events[j]
        set_level(row, memory, event["side"], event["price"], event["size"])


@kernel()
def _infer_grain(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Take the price step from the first prices seen."""
    grain = 0
    for j in range(begin, end):
        grain = common_grain(grain, events[j]["price"])
    if grain > 0:
        set_grain(memory, row["bids"], grain)
        set_grain(memory, row["asks"], grain)


@kernel()
def _take_snapshot(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Replace the book, then continue it with the kept deltas."""
    closing = events[end - 1]
    if is_outdated(row, closing["sequence"]):
        row["outdated"] += 1
        return
    before = row["state"]
    diverged = row["diverged"]
    clear_book(row, memory)
    if memory[row["bids"] + GRAIN] == 0:
        _infer_grain(row, memory, events, begin, end - 1)
    _apply_levels(row, memory, events, begin, end - 1)
    accept_delta(row, -1, closing["sequence"], -1)
    row["bridged"] = 0
    row["time"] = closing["time"]
    row["received"] = closing["received"]
    row["snapshots"] += 1
    row["state"] = LIVE
    settle(row, memory, diverged)
    replay_pending(row, memory)
    if row["state"] == LIVE:
        if before != LIVE and row["was_live"] == 1:
            row["resyncs"] += 1
        row["was_live"] = 1


@kernel()
def _take_delta(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Apply a delta to a LIVE book, or find out why it may not be applied."""
    closing = events[end - 1]
    verdict = judge_delta(row, closing["aux"], closing["sequence"], closing["link"])
    if verdict == CONTINUES:
        diverged = row["diverged"]
        _apply_levels(row, memory, events, begin, end - 1)
        accept_delta(row, closing["aux"], closing["sequence"], closing["link"])
        row["time"] = closing["time"]
        row["received"] = closing["received"]
        settle(row, memory, diverged)
        return
    if verdict == DUPLICATE:
        row["duplicates"] += 1
        row["repeats"] += 1
        if row["repeats"] <= MOST_REPEATS:
            return
    row["gaps"] += 1
    distrust(row, STALE)
    row["pending_used"] = 0
    keep_delta(row, memory, events, begin, end)


@kernel()
def _take_message(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Apply one complete book message."""
    head = events[begin]
    levels = begin + 1 if head["kind"] == BOOK_CLEAR else begin
    memory[row["counts"] + BOOK_CLEAR] += levels - begin
    memory[row["counts"] + BOOK_SET] += end - 1 - levels
    memory[row["counts"] + BOOK_END] += 1
    if levels > begin or head["flags"] & SNAPSHOT != 0 or is_reset(row, head["sequence"]):
        _take_snapshot(row, memory, events, levels, end)
    elif row["state"] == LIVE:
        _take_delta(row, memory, events, levels, end)
    else:
        keep_delta(row, memory, events, levels, end)


@kernel()
def _take_quote(row: BookRow, event: BookRow) -> None:
    """Remember the venue's own best bid and ask."""
    row["quotes"] += 1
    row["quote_time"] = event["time"]
    row["quote_bid"] = event["price"]
    row["quote_bid_size"] = event["size"]
    row["quote_ask"] = event["aux"]
    row["quote_ask_size"] = event["link"]


@kernel()
def _take_trade(row: BookRow, event: BookRow) -> None:
    """Remember the last print."""
    row["trades"] += 1
    row["trade_time"] = event["time"]
    row["trade_price"] = event["price"]
    row["trade_size"] = event["size"]
    row["trade_side"] = event["side"]


@kernel()
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
        a book message whose end is not in the slice, or one that needs more memory
        (``ladder_is_short``, ``pending_is_short``). Nothing at or after that place was applied.
    """
    at = start
    while at < stop:
        event = events[at]
        instrument = event["instrument"]
        if instrument >= rows.size:
            return at
        row = rows[instrument]
        if event["kind"] > BOOK_END or event["kind"] == 0:
            _take_other(row, memory, event)
            at += 1
            continue
        end = message_stop(events, at, stop)
        if end == 0:
            return at
        if end < 0:
            row["malformed"] += 1
            if row["state"] == LIVE:
                distrust(row, STALE)
            at = -end
            continue
        room = message_room(row, end - at)
        if (
            ladder_is_short(memory, row["bids"], room)
            or ladder_is_short(memory, row["asks"], room)
            or pending_is_short(row, end - at)
        ):
            return at
        _take_message(row, memory, events, at, end)
        at = end
    return stop
