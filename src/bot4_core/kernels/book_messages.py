"""One book message: where it ends, what memory it may need, what it does to its book."""

from typing import Final

from bot4_core.domain_types.records import BookState, EventFlag, EventKind
from bot4_core.jit import kernel
from bot4_core.kernels.book_pending import KEPT_HEADER, KEPT_LEVEL, keep_delta, replay_pending
from bot4_core.kernels.book_run import put_levels
from bot4_core.kernels.book_state import (
    BookRow,
    Events,
    become_live,
    clear_book,
    common_grain,
    distrust,
    publish,
    settle,
)
from bot4_core.kernels.book_sync import (
    CONTINUES,
    DUPLICATE,
    MOST_REPEATS,
    accept_delta,
    is_first,
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
    "ladder_is_short",
    "message_room",
    "message_stop",
    "pending_is_short",
    "take_message",
    "wants_of",
    "window_is_small",
]

LARGEST_WINDOW: Final = 1 << 17  # ticks
BUSY_OVERFLOW: Final = 256  # levels, and sets since the window was laid out
LARGEST_PENDING: Final = 1 << 17  # words

BOOK_CLEAR: Final = int(EventKind.BOOK_CLEAR)
BOOK_SET: Final = int(EventKind.BOOK_SET)
BOOK_END: Final = int(EventKind.BOOK_END)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
LIVE: Final = int(BookState.LIVE)
STALE: Final = int(BookState.STALE)


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
def window_is_small(memory: Words, at: int) -> bool:
    """Say whether so many levels are set outside the window that a larger one pays."""
    window = memory[at + WINDOW]
    busy = memory[at + MISSES] > BUSY_OVERFLOW and memory[at + OUTSIDE] > BUSY_OVERFLOW
    return bool(busy and window < LARGEST_WINDOW)


@kernel()
def ladder_is_short(memory: Words, at: int, room: int) -> bool:
    """Say whether a ladder needs a larger overflow for ``room`` more levels, or a larger window."""
    if memory[at + INSIDE] + memory[at + OUTSIDE] + room > memory[at + CAPACITY]:
        return True
    return window_is_small(memory, at)


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
def wants_of(rows: Events, number: int, levels: int) -> tuple[int, bool]:
    """Return ``message_room`` and ``pending_is_short`` of one book; the form for Python."""
    row = rows[number]
    return message_room(row, levels), pending_is_short(row, levels)


@kernel(inline=True)
def _infer_grain(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Take the price step from the first prices seen."""
    grain = int(memory[row["bids"] + GRAIN])
    for j in range(begin, end):
        grain = common_grain(grain, events[j]["price"])
    if grain > 0:
        set_grain(memory, row["bids"], grain)
        set_grain(memory, row["asks"], grain)


@kernel(inline=True)
def _take_snapshot(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Replace the book, then continue it with the kept deltas."""
    closing = events[end - 1]
    if is_outdated(row, closing["sequence"]):
        row["outdated"] += 1
        return
    if is_first(row, closing["sequence"]):
        row["pending_used"] = 0
    row["resyncing"] = 1 if row["state"] != LIVE and row["was_live"] == 1 else 0
    row["held"] = 0
    diverged = row["diverged"]
    clear_book(row, memory)
    if memory[row["bids"] + GRAIN] == 0:
        _infer_grain(row, memory, events, begin, end - 1)
    put_levels(row, memory, events, begin, end - 1)
    accept_delta(row, closing["aux"], closing["sequence"], closing["link"])
    row["bridged"] = 0
    row["ranged"] = 0
    row["time"] = closing["time"]
    row["received"] = closing["received"]
    row["snapshots"] += 1
    row["state"] = LIVE
    settle(row, memory, diverged, closing["price"], closing["flags"])
    replay_pending(row, memory)
    if row["state"] == LIVE:
        become_live(row)


@kernel()
def _short(row: BookRow, memory: Words, room: int) -> bool:
    """Say whether either ladder must grow first."""
    return ladder_is_short(memory, row["bids"], room) or ladder_is_short(memory, row["asks"], room)


@kernel(inline=True)
def _room(row: BookRow, memory: Words) -> int:
    """Return how many levels both ladders can take."""
    bids, asks = row["bids"], row["asks"]
    return int(
        min(
            memory[bids + CAPACITY] - memory[bids + INSIDE] - memory[bids + OUTSIDE],
            memory[asks + CAPACITY] - memory[asks + INSIDE] - memory[asks + OUTSIDE],
        )
    )


@kernel()
def _count(row: BookRow, memory: Words, begin: int, levels: int, end: int) -> None:
    """Count the records of a message by kind; its levels start at ``levels``."""
    memory[row["counts"] + BOOK_CLEAR] += levels - begin
    memory[row["counts"] + BOOK_SET] += end - 1 - levels
    memory[row["counts"] + BOOK_END] += 1


@kernel()
def _refuse_message(row: BookRow) -> None:
    """Count a message whose records do not fit together; its book cannot be trusted any more."""
    row["malformed"] += 1
    if row["state"] == LIVE:
        distrust(row, STALE)


@kernel(inline=True)
def _take_next(row: BookRow, memory: Words, events: Events, begin: int, stop: int) -> int:
    """Apply a delta that continues a LIVE book; return the place after it."""
    room = _room(row, memory)
    far = begin + room
    small = window_is_small(memory, row["bids"]) or window_is_small(memory, row["asks"])
    if small or room == 0 or (far < stop and _same_message(events, begin, far)):
        end = message_stop(events, begin, stop)
        if _short(row, memory, abs(end) - begin):
            return begin
    diverged = row["diverged"]
    end = put_levels(row, memory, events, begin, min(far, stop))
    head, closing = events[begin], events[min(end, stop - 1)]
    same = closing["instrument"] == head["instrument"]
    closes = closing["kind"] == BOOK_END and closing["sequence"] == head["sequence"]
    if not same or not closes or closing["size"] != end - begin:
        publish(row, memory)
        _refuse_message(row)
        return end + 1 if same and BOOK_SET <= closing["kind"] <= BOOK_END else end
    _count(row, memory, begin, begin, end + 1)
    accept_delta(row, closing["aux"], closing["sequence"], closing["link"])
    row["time"] = closing["time"]
    row["received"] = closing["received"]
    settle(row, memory, diverged, closing["price"], closing["flags"])
    return end + 1


@kernel(inline=True)
def _same_message(events: Events, begin: int, place: int) -> bool:
    """Say whether a later record may be a level of the message that starts at ``begin``."""
    head, event = events[begin], events[place]
    return bool(
        event["kind"] == BOOK_SET
        and event["instrument"] == head["instrument"]
        and event["sequence"] == head["sequence"]
    )


@kernel(inline=True)
def _take_unfit(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Ignore a delta that repeats what a LIVE book knows; leave LIVE at any other."""
    head = events[begin]
    verdict = judge_delta(row, head["aux"], head["sequence"], head["link"])
    if verdict == DUPLICATE:
        row["duplicates"] += 1
        row["repeats"] += 1
        if row["repeats"] <= MOST_REPEATS:
            return
    row["gaps"] += 1
    distrust(row, STALE)
    row["pending_used"] = 0
    keep_delta(row, memory, events, begin, end)


@kernel(inline=True)
def _take_whole(row: BookRow, memory: Words, events: Events, begin: int, stop: int) -> int:
    """Handle any other message after looking at all its records; return the place after it."""
    end = message_stop(events, begin, stop)
    if end <= 0:
        _refuse_message(row)
        return -end
    if _short(row, memory, message_room(row, end - begin)) or pending_is_short(row, end - begin):
        return begin
    head = events[begin]
    clears = 1 if head["kind"] == BOOK_CLEAR else 0
    _count(row, memory, begin, begin + clears, end)
    if clears == 1 or head["flags"] & SNAPSHOT != 0 or is_reset(row, head["sequence"]):
        _take_snapshot(row, memory, events, begin + clears, end)
    elif row["state"] == LIVE:
        _take_unfit(row, memory, events, begin, end)
    else:
        keep_delta(row, memory, events, begin, end)
    return end


@kernel(inline=True)
def take_message(row: BookRow, memory: Words, events: Events, begin: int, stop: int) -> int:
    """Apply the book message that starts at ``begin``.

    Parameters
    ----------
    stop : int
        End of the records; the last of them must not be a BOOK_CLEAR or BOOK_SET.

    Returns
    -------
    int
        The place after the message, or ``begin`` if the book needs more memory first. A message
        whose records do not fit together is refused, and a LIVE book becomes STALE; only then may
        some of its levels have been set.
    """
    head = events[begin]
    replaces = head["kind"] == BOOK_CLEAR or head["flags"] & SNAPSHOT != 0
    usable = row["state"] == LIVE or row["held"] == 1
    if usable and not replaces and not is_reset(row, head["sequence"]):
        verdict = judge_delta(row, head["aux"], head["sequence"], head["link"])
        if verdict == CONTINUES:
            if row["held"] == 1:
                row["pending_used"] = 0
                become_live(row)
            return _take_next(row, memory, events, begin, stop)
    return _take_whole(row, memory, events, begin, stop)
