"""Replies to depth requests, which name no symbol: a snapshot of both sides of a book.

Only the spelling that the venue uses is read here: no white space, this order of fields.
"""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, Record, Records
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, peek, scan_count
from bot4_core.kernels.wire_bytes import Text, word
from bot4_core.kernels.wire_json import CLOSE_OBJECT, OPEN_OBJECT, skip_space
from bot4_core.kernels.wire_levels import complete_book
from bot4_core.kernels.wire_messages import UNKNOWN
from bot4_core.kernels.wire_symbols import INSTRUMENT
from bot4_core.kernels.wire_times import nanoseconds
from bot4_plugins.exchange_binance.kernel_events import begin
from bot4_plugins.exchange_binance.kernel_levels import BUY, SELL, read_state_levels

__all__ = ["decode_snapshot", "is_snapshot"]

BOOK_CLEAR: Final = int(EventKind.BOOK_CLEAR)
BOOK_END: Final = int(EventKind.BOOK_END)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
LAST_SNAPSHOT: Final = int(EventFlag.SNAPSHOT | EventFlag.LAST)
ID_HEAD: Final = int.from_bytes(b'"lastUpd', "little")
ID_TAIL: Final = int.from_bytes(b'ateId":', "little")
ID_TAIL_MASK: Final = (1 << 56) - 1
EVENT_TIME: Final = int.from_bytes(b',"E":', "little")
TIME: Final = int.from_bytes(b',"T":', "little")
TIME_MASK: Final = (1 << 40) - 1
BIDS: Final = int.from_bytes(b',"bids":', "little")
ASKS: Final = int.from_bytes(b',"asks":', "little")


@kernel(inline=True)
def is_snapshot(text: Text, at: int, stop: int) -> bool:
    """Say whether a message begins as a snapshot does."""
    return at + 16 < stop and peek(text, at, stop) == OPEN_OBJECT and word(text, at + 1) == ID_HEAD


@kernel()
def _scan_time(text: Text, at: int, stop: int, key: int) -> tuple[int, int]:
    """Read a time if it stands here; -1 and the same position where it does not."""
    if at + 8 <= stop and word(text, at) & TIME_MASK == key:
        return scan_count(text, at + 5, stop)
    return -1, at


@kernel()
def _scan_head(text: Text, at: int, stop: int) -> tuple[int, int, int]:
    """Read last id and time in ns; the position is that of the bids."""
    if word(text, at + 9) & ID_TAIL_MASK != ID_TAIL:
        return 0, 0, LOST
    last, at = scan_count(text, at + 16, stop)
    event, at = _scan_time(text, at, stop, EVENT_TIME)
    time, at = _scan_time(text, at, stop, TIME)
    return last, nanoseconds(max(time if time >= 0 else event, 0)), at


@kernel()
def _scan_side(
    text: Text, at: int, stop: int, state: Record, records: Records, key: int, side: int
) -> int:
    if at + 8 > stop or word(text, at) != key:
        return LOST
    return read_state_levels(text, at + 8, stop, state, records, side)


@kernel()
def decode_snapshot(
    text: Text,
    start: int,
    stop: int,
    received: int,
    state: Record,
    records: Records,
    count: int,
) -> int:
    """Write the records of a snapshot of the message's subject."""
    if state["subject"] == 0:
        return UNKNOWN
    state["row"] = state["subject"] - 1
    state["next"] = count + 1
    last, time, at = _scan_head(text, start, stop)
    at = _scan_side(text, at, stop, state, records, BIDS, BUY)
    at = _scan_side(text, at, stop, state, records, ASKS, SELL)
    if peek(text, at, stop) != CLOSE_OBJECT or skip_space(text, at + 1, stop) != stop or time < 0:
        return UNKNOWN
    end = int(state["next"])
    instrument = state["symbols"][state["row"] + INSTRUMENT]
    begin(records[count], BOOK_CLEAR, time, received, instrument)
    begin(records[end], BOOK_END, time, received, instrument)
    records[end]["size"] = end - count - 1
    records[end]["sequence"] = last
    complete_book(records, count, end, SNAPSHOT, LAST_SNAPSHOT)
    return end + 1 - count
