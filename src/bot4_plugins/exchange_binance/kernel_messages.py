"""Whole messages: envelope, event, records; and many messages of one buffer in one call."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, Buffer, word
from bot4_core.kernels.wire_json import (
    CLOSE_OBJECT,
    COLON,
    COMMA,
    OPEN_OBJECT,
    QUOTE,
    enter,
    skip_space,
    skip_string,
)
from bot4_core.kernels.wire_symbols import text_word
from bot4_core.plugins.interfaces import Records
from bot4_plugins.exchange_binance.kernel_events import decode_book, decode_quote, decode_trade
from bot4_plugins.exchange_binance.kernel_fields import scan_fields
from bot4_plugins.exchange_binance.kernel_layout import (
    BOOK_SIDES,
    DEFERRED,
    ENDS,
    NEXT,
    ROOM,
    ROW,
    SEEN,
    TEXTS,
    UNKNOWN,
    bit,
    letter,
)
from bot4_plugins.exchange_binance.kernel_prices import decode_candle, decode_mark

__all__ = ["decode_message", "decode_messages"]


def _spelled(text: bytes) -> int:
    return int.from_bytes(text, "little")


SHORTEST_LEVEL: Final = 8
"""Bytes that a book level takes at least; it bounds the records of a message."""
SPARE: Final = 8
"""Records beyond those of the levels that a message may give."""
EVENT: Final = letter("e")
HAS_EVENT: Final = bit("e")
BARE_QUOTE: Final = bit("u", "s", "b", "B", "a", "A")
TRADE_ID: Final = letter("t")
AGGREGATE_ID: Final = letter("a")
STREAM_KEY: Final = _spelled(b'"stream"')
DATA_KEY: Final = _spelled(b'"data"')
DATA_MASK: Final = (1 << 48) - 1
DEPTH_HEAD: Final = _spelled(b"depthUpd")
DEPTH_TAIL: Final = _spelled(b"ate")
TICKER_HEAD: Final = _spelled(b"bookTick")
TICKER_TAIL: Final = _spelled(b"er")
MARK_HEAD: Final = _spelled(b"markPric")
MARK_TAIL: Final = _spelled(b"eUpdate")
TRADE_WORD: Final = _spelled(b"trade")
AGGREGATE_WORD: Final = _spelled(b"aggTrade")
KLINE_WORD: Final = _spelled(b"kline")


@kernel()
def _scan_member(
    data: Buffer, at: int, stop: int, state: NDArray[np.int64], records: Records
) -> tuple[int, int]:
    # one member of the envelope -> (1 stream, 2 data), position after it
    if at + 8 > stop:
        return 0, LOST
    eight = word(data, at)
    if eight == STREAM_KEY:
        at = enter(data, enter(data, at + 8, stop, COLON), stop, QUOTE)
        return 1, skip_string(data, at, stop) + 1
    if eight & DATA_MASK == DATA_KEY:
        at = skip_space(data, enter(data, at + 6, stop, COLON), stop)
        return 2, scan_fields(data, at, stop, state, records)
    return 0, LOST


@kernel()
def _scan_message(
    data: Buffer, at: int, stop: int, state: NDArray[np.int64], records: Records
) -> int:
    """Read the event, bare or in a combined stream's envelope; return the position after it."""
    begins = skip_space(data, at, stop)
    at = skip_space(data, enter(data, begins, stop, OPEN_OBJECT), stop)
    seen, following = _scan_member(data, at, stop, state, records)
    if seen == 0:
        return scan_fields(data, begins, stop, state, records)
    at = enter(data, following, stop, COMMA)
    member, at = _scan_member(data, skip_space(data, at, stop), stop, state, records)
    if member + seen != 3:
        return LOST
    return enter(data, at, stop, CLOSE_OBJECT)


@kernel()
def _decode_event(  # noqa: PLR0917, PLR0911 - one for each kind of event
    data: Buffer, stop: int, received: int, state: NDArray[np.int64], records: Records, count: int
) -> int:
    if not state[SEEN] & HAS_EVENT:
        if state[SEEN] & BARE_QUOTE == BARE_QUOTE:
            return decode_quote(data, stop, received, state, records, count)
        return UNKNOWN
    if not state[TEXTS] & HAS_EVENT:
        return UNKNOWN
    at = state[EVENT]
    end = state[ENDS + EVENT]
    head = text_word(data, at, end, stop)
    tail = text_word(data, at + 8, end, stop)
    if head == TICKER_HEAD and tail == TICKER_TAIL:
        return decode_quote(data, stop, received, state, records, count)
    if head == DEPTH_HEAD and tail == DEPTH_TAIL:
        return decode_book(data, stop, received, state, records, count)
    if head == TRADE_WORD:
        return decode_trade(data, stop, received, state, records, count, TRADE_ID)
    if head == AGGREGATE_WORD and tail == 0:
        return decode_trade(data, stop, received, state, records, count, AGGREGATE_ID)
    if head == MARK_HEAD and tail == MARK_TAIL:
        return decode_mark(data, stop, received, state, records, count)
    if head == KLINE_WORD:
        return decode_candle(data, stop, received, state, records, count)
    return UNKNOWN


@kernel()
def decode_message(  # noqa: PLR0917
    data: Buffer,
    start: int,
    stop: int,
    received: int,
    records: Records,
    count: int,
    state: NDArray[np.int64],
) -> int:
    """Write the records of ``data[start:stop]`` from ``records[count]`` on.

    Returns
    -------
    int
        How many; or ``ROOM`` if they might not fit, ``UNKNOWN`` if the slow decoder must judge.
    """
    if (stop - start) // SHORTEST_LEVEL + SPARE > len(records) - count:
        return ROOM
    state[ROW] = -1
    state[NEXT] = count
    state[BOOK_SIDES] = 0
    state[DEFERRED] = 0
    at = _scan_message(data, start, stop, state, records)
    if at != stop:
        at = skip_space(data, at, stop)
    if at != stop or state[ROW] < 0:
        return UNKNOWN
    return _decode_event(data, stop, received, state, records, count)


@kernel()
def decode_messages(  # noqa: PLR0917
    data: Buffer,
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    received: NDArray[np.int64],
    records: Records,
    count: int,
    state: NDArray[np.int64],
    first: int,
) -> tuple[int, int, int]:
    """Decode messages from number ``first`` on until one needs room or the slow decoder.

    Returns
    -------
    next, count, result : int
        Number of the message not decoded, records now held, and why it stopped (0: at the end).
    """
    for index in range(first, len(starts)):
        result = decode_message(
            data, starts[index], stops[index], received[index], records, count, state
        )
        if result < 0:
            return index, count, result
        count += result
    return len(starts), count, 0
