"""Whole messages: envelope, event, records."""

from typing import Final

from bot4_core.domain_types.records import Record, Records
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_bytes import Text, word
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
from bot4_core.kernels.wire_messages import UNKNOWN, message_kernels
from bot4_core.kernels.wire_symbols import text_word
from bot4_plugins.exchange_binance.kernel_events import decode_book, decode_quote, decode_trade
from bot4_plugins.exchange_binance.kernel_fields import begin_fields, follow, scan_fields
from bot4_plugins.exchange_binance.kernel_layout import DECODER_DTYPE, bit, letter
from bot4_plugins.exchange_binance.kernel_levels import read_side
from bot4_plugins.exchange_binance.kernel_prices import decode_candle, decode_mark
from bot4_plugins.exchange_binance.kernel_snapshots import decode_snapshot, is_snapshot

__all__ = ["MESSAGES"]


def _spelled(text: bytes) -> int:
    return int.from_bytes(text, "little")


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
def _scan_event(text: Text, at: int, stop: int, state: Record, records: Records) -> int:
    """Read an event's fields and its book sides; return the position after it."""
    at = scan_fields(text, begin_fields(text, at, stop, state), stop, state)
    while at < stop and state["side"] >= 0:
        at, ended = follow(text, read_side(text, at, stop, state, records), stop)
        if ended:
            return at
        at = scan_fields(text, at, stop, state)
    return at


@kernel()
def _scan_member(
    text: Text, at: int, stop: int, state: Record, records: Records
) -> tuple[int, int]:
    # one member of the envelope -> (1 stream, 2 data), position after it
    if at + 8 > stop:
        return 0, LOST
    eight = word(text, at)
    if eight == STREAM_KEY:
        at = skip_space(text, enter(text, at + 8, stop, COLON), stop)
        return 1, skip_string(text, enter(text, at, stop, QUOTE), stop) + 1
    if eight & DATA_MASK == DATA_KEY:
        at = skip_space(text, enter(text, at + 6, stop, COLON), stop)
        return 2, _scan_event(text, at, stop, state, records)
    return 0, LOST


@kernel()
def _scan_message(text: Text, at: int, stop: int, state: Record, records: Records) -> int:
    """Read the event, bare or in a combined stream's envelope; return the position after it."""
    begins = skip_space(text, at, stop)
    at = skip_space(text, enter(text, begins, stop, OPEN_OBJECT), stop)
    seen, following = _scan_member(text, at, stop, state, records)
    if seen == 0:
        return _scan_event(text, begins, stop, state, records)
    at = skip_space(text, enter(text, following, stop, COMMA), stop)
    member, at = _scan_member(text, at, stop, state, records)
    if member + seen != 3:
        return LOST
    return enter(text, at, stop, CLOSE_OBJECT)


@kernel()
def _decode_event(  # noqa: PLR0911 - one for each kind of event
    text: Text, stop: int, received: int, state: Record, records: Records, count: int
) -> int:
    if not state["seen"] & HAS_EVENT:
        if state["seen"] & BARE_QUOTE == BARE_QUOTE:
            return decode_quote(text, stop, received, state, records, count)
        return UNKNOWN
    if not state["texts"] & HAS_EVENT:
        return UNKNOWN
    at = state["values"][EVENT]
    end = state["ends"][EVENT]
    head = text_word(text, at, end, stop)
    tail = text_word(text, at + 8, end, stop)
    if head == TICKER_HEAD and tail == TICKER_TAIL:
        return decode_quote(text, stop, received, state, records, count)
    if head == DEPTH_HEAD and tail == DEPTH_TAIL:
        return decode_book(text, stop, received, state, records, count)
    if head == TRADE_WORD or (head == AGGREGATE_WORD and tail == 0):
        number = TRADE_ID if head == TRADE_WORD else AGGREGATE_ID
        return decode_trade(text, stop, received, state, records, count, number)
    if head == MARK_HEAD and tail == MARK_TAIL:
        return decode_mark(text, stop, received, state, records, count)
    if head == KLINE_WORD:
        return decode_candle(text, stop, received, state, records, count)
    return UNKNOWN


@kernel()
def _decode_text(
    text: Text, start: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    if is_snapshot(text, start, stop):
        return decode_snapshot(text, start, stop, received, state, records, count)
    state["row"] = -1
    state["next"] = count
    state["written"] = 0
    state["deferred"] = 0
    at = _scan_message(text, start, stop, state, records)
    if at != stop:
        at = skip_space(text, at, stop)
    if at != stop or state["row"] < 0:
        return UNKNOWN
    return _decode_event(text, stop, received, state, records, count)


MESSAGES: Final = message_kernels(_decode_text, DECODER_DTYPE)
"""The decoder as the adapter calls it."""
