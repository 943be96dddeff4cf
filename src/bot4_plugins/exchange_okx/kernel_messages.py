"""Books, trades and best prices as the venue spells them; the rest is for the slow decoder."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventFlag, EventKind, Record, Records, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, peek, scan_count, scan_decimal
from bot4_core.kernels.wire_bytes import Text
from bot4_core.kernels.wire_json import QUOTE, skip_string
from bot4_core.kernels.wire_levels import complete_book, read_levels
from bot4_core.kernels.wire_literals import follow_literal, literal
from bot4_core.kernels.wire_messages import (
    SYMBOL_ROWS,
    UNKNOWN,
    begin_record,
    decoder_dtype,
    message_kernels,
)
from bot4_core.kernels.wire_symbols import (
    INSTRUMENT,
    PRICE_PLACES,
    SIZE_PLACES,
    SYMBOL_WIDTH,
    scan_symbol,
)
from bot4_core.kernels.wire_times import scan_milliseconds

__all__ = ["MESSAGES"]

BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
TRADE: Final = int(EventKind.TRADE)
QUOTED: Final = int(EventKind.QUOTE)
BOOK_CLEAR: Final = int(EventKind.BOOK_CLEAR)
BOOK_END: Final = int(EventKind.BOOK_END)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
LAST: Final = int(EventFlag.LAST)
CHECKED: Final = int(EventFlag.PAIRS_CHECKED)
MINUS: Final = ord("-")
LARGEST_CHECKSUM: Final = 2**31 - 1
EXTRAS: Final = 2
"""Texts in a level behind price and size."""

BOOKS: Final = literal('{"arg":{"channel":"books","instId":"')
TRADES: Final = literal('{"arg":{"channel":"trades","instId":"')
BEST: Final = literal('{"arg":{"channel":"bbo-tbt","instId":"')
UPDATE: Final = literal('"},"action":"update","data":[{"asks":')
WHOLE: Final = literal('"},"action":"snapshot","data":[{"asks":')
BEST_DATA: Final = literal('"},"data":[{"asks":')
BIDS: Final = literal(',"bids":')
TIME: Final = literal(',"ts":"')
CHECKSUM: Final = literal('","checksum":')
SEQUENCE_FIRST: Final = literal('","seqId":')
SEQUENCE: Final = literal(',"seqId":')
PREVIOUS: Final = literal(',"prevSeqId":')
CLOSE: Final = literal("}]}")
TRADE_DATA: Final = literal('"},"data":[{"instId":"')
NEXT_TRADE: Final = literal(',{"instId":"')
TRADE_ID: Final = literal('","tradeId":"')
PRICE: Final = literal('","px":"')
SIZE: Final = literal('","sz":"')
BUYS: Final = literal('","side":"buy","ts":"')
SELLS: Final = literal('","side":"sell","ts":"')
COUNT: Final = literal('","count":"')
SOURCE: Final = literal('","source":"')
TRADE_CLOSE: Final = literal('"}')
TRADE_SEQUENCE: Final = literal('","seqId":')
OBJECT_CLOSE: Final = literal("}")
LIST_CLOSE: Final = literal("]}")


@kernel()
def _scan_signed(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Read a whole number with or without a sign; no negative zero."""
    if peek(text, at, stop) != MINUS:
        return scan_count(text, at, stop)
    value, at = scan_count(text, at + 1, stop)
    return -value, at if value else LOST


@kernel()
def _scan_ids(text: Text, at: int, stop: int) -> tuple[int, int, int]:
    """Read the ids of a book message, in either order; -1 where they are not sent."""
    sequence, link = -1, -1
    behind = follow_literal(text, at, stop, SEQUENCE)
    if behind < LOST:
        sequence, at = scan_count(text, behind, stop)
    behind = follow_literal(text, at, stop, PREVIOUS)
    if behind < LOST:
        link, at = _scan_signed(text, behind, stop)
        behind = follow_literal(text, at, stop, SEQUENCE)
        if behind < LOST and sequence < 0:
            sequence, at = scan_count(text, behind, stop)
    return sequence, link, at if link >= -1 else LOST


@kernel()
def _decode_book(
    text: Text, at: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    row, at = scan_symbol(text, at, stop, state["symbols"])
    if row < 0:
        return UNKNOWN
    whole = 0
    behind = follow_literal(text, at, stop, UPDATE)
    if behind >= LOST:
        whole, behind = 1, follow_literal(text, at, stop, WHOLE)
    entry = state["symbols"][row : row + SYMBOL_WIDTH]
    first = count + whole
    at, index = read_levels(text, behind, stop, entry, first, records, SELL, EXTRAS)
    at = follow_literal(text, at, stop, BIDS)
    at, index = read_levels(text, at, stop, entry, index, records, BUY, EXTRAS)
    time, at = scan_milliseconds(text, follow_literal(text, at, stop, TIME), stop)
    checksum, at = _scan_signed(text, follow_literal(text, at, stop, CHECKSUM), stop)
    sequence, link, at = _scan_ids(text, at, stop)
    at = follow_literal(text, at, stop, CLOSE)
    if at != stop or not -LARGEST_CHECKSUM <= checksum <= LARGEST_CHECKSUM:
        return UNKNOWN
    instrument = int(entry[INSTRUMENT])
    end = records[index]
    begin_record(end, BOOK_END, time, received, instrument)
    end["price"] = checksum
    end["size"] = index - first
    end["sequence"] = sequence
    end["link"] = link
    if whole:
        begin_record(records[count], BOOK_CLEAR, time, received, instrument)
        state["whole"][row // SYMBOL_WIDTH] = 1
    flags = SNAPSHOT * whole
    complete_book(records, count, index, flags, flags | LAST | (CHECKED if checksum else 0))
    return index + 1 - count


@kernel()
def _write_quote(records: Records, count: int, asks: int, bids: int, quote: Record) -> None:
    """Make one record of the levels of the best asks and bids, at most one of each."""
    ask, ask_size, bid, bid_size = 0, 0, 0, 0
    if asks:
        ask, ask_size = records[count]["price"], records[count]["size"]
    if bids:
        bid, bid_size = records[count + asks]["price"], records[count + asks]["size"]
    quote["price"], quote["size"] = bid, bid_size
    quote["aux"], quote["link"] = ask, ask_size


@kernel()
def _decode_best(
    text: Text, at: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    row, at = scan_symbol(text, at, stop, state["symbols"])
    if row < 0:
        return UNKNOWN
    entry = state["symbols"][row : row + SYMBOL_WIDTH]
    at = follow_literal(text, at, stop, BEST_DATA)
    at, middle = read_levels(text, at, stop, entry, count, records, SELL, EXTRAS)
    at = follow_literal(text, at, stop, BIDS)
    at, index = read_levels(text, at, stop, entry, middle, records, BUY, EXTRAS)
    time, at = scan_milliseconds(text, follow_literal(text, at, stop, TIME), stop)
    sequence, at = scan_count(text, follow_literal(text, at, stop, SEQUENCE_FIRST), stop)
    asks, bids = middle - count, index - middle
    if follow_literal(text, at, stop, CLOSE) != stop or asks > 1 or bids > 1:
        return UNKNOWN
    quote = records[count + 2]
    begin_record(quote, QUOTED, time, received, int(entry[INSTRUMENT]))
    quote["sequence"] = sequence
    quote["flags"] = LAST
    _write_quote(records, count, asks, bids, quote)
    records[count] = quote
    return 1


@kernel()
def _scan_end(text: Text, at: int, stop: int) -> int:
    """Read what may stand behind a trade's time; return the position after the trade."""
    behind = follow_literal(text, at, stop, COUNT)
    if behind < LOST:
        at = skip_string(text, behind, stop)
    behind = follow_literal(text, at, stop, SOURCE)
    if behind < LOST:
        at = skip_string(text, behind, stop)
    behind = follow_literal(text, at, stop, TRADE_SEQUENCE)
    if behind < LOST:
        _, at = scan_count(text, behind, stop)
        return follow_literal(text, at, stop, OBJECT_CLOSE)
    return follow_literal(text, at, stop, TRADE_CLOSE)


@kernel()
def _scan_trade(
    text: Text, at: int, stop: int, state: Record, entry: NDArray[np.int64], record: Record
) -> int:
    """Read a trade from its symbol on."""
    found, at = scan_symbol(text, at, stop, state["symbols"])
    if found < 0 or state["symbols"][found + INSTRUMENT] != entry[INSTRUMENT]:
        return LOST
    record["sequence"], at = scan_count(text, follow_literal(text, at, stop, TRADE_ID), stop)
    at = follow_literal(text, at, stop, PRICE)
    record["price"], at = scan_decimal(text, at, stop, int(entry[PRICE_PLACES]))
    at = follow_literal(text, at, stop, SIZE)
    record["size"], at = scan_decimal(text, at, stop, int(entry[SIZE_PLACES]))
    behind = follow_literal(text, at, stop, BUYS)
    record["side"] = BUY
    if behind >= LOST:
        behind = follow_literal(text, at, stop, SELLS)
        record["side"] = SELL
    record["time"], at = scan_milliseconds(text, behind, stop)
    if peek(text, at, stop) != QUOTE or record["price"] <= 0 or record["size"] <= 0:
        return LOST
    return _scan_end(text, at, stop)


@kernel()
def _decode_trades(
    text: Text, at: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    row, at = scan_symbol(text, at, stop, state["symbols"])
    if row < 0:
        return UNKNOWN
    entry = state["symbols"][row : row + SYMBOL_WIDTH]
    index = count
    at = follow_literal(text, at, stop, TRADE_DATA)
    while at < stop:
        begin_record(records[index], TRADE, 0, received, int(entry[INSTRUMENT]))
        at = _scan_trade(text, at, stop, state, entry, records[index])
        index += 1
        if follow_literal(text, at, stop, LIST_CLOSE) == stop:
            records[index - 1]["flags"] = LAST
            return index - count
        at = follow_literal(text, at, stop, NEXT_TRADE)
    return UNKNOWN


@kernel()
def decode_text(
    text: Text, start: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    """Decode one message; see ``wire_messages.DecodeText``."""
    at = follow_literal(text, start, stop, BOOKS)
    if at < LOST:
        return _decode_book(text, at, stop, received, records, count, state)
    at = follow_literal(text, start, stop, TRADES)
    if at < LOST:
        return _decode_trades(text, at, stop, received, records, count, state)
    at = follow_literal(text, start, stop, BEST)
    if at < LOST:
        return _decode_best(text, at, stop, received, records, count, state)
    return UNKNOWN


MESSAGES: Final = message_kernels(decode_text, decoder_dtype(("whole", np.uint8, (SYMBOL_ROWS,))))
