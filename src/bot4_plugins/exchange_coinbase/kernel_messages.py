"""Books and trades as the venue spells them, straight into event records.

No white space, this order of members; anything else is for the slow decoder, and so is a frame
whose number does not follow the one before it.
"""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, Record, Records, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, peek, scan_count, scan_decimal
from bot4_core.kernels.wire_bytes import Text, byte
from bot4_core.kernels.wire_json import COMMA, skip_string
from bot4_core.kernels.wire_levels import complete_book, write_level
from bot4_core.kernels.wire_literals import follow_literal, literal
from bot4_core.kernels.wire_messages import (
    UNKNOWN,
    begin_record,
    decoder_dtype,
    message_kernels,
)
from bot4_core.kernels.wire_symbols import INSTRUMENT, PRICE_PLACES, SIZE_PLACES, find_symbol
from bot4_core.kernels.wire_times import scan_timestamp

__all__ = ["ANY", "MESSAGES"]

ANY: Final = -1
"""Number of the next frame where any may come."""

BOOK_CLEAR: Final = int(EventKind.BOOK_CLEAR)
BOOK_END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
LAST: Final = int(EventFlag.LAST)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)

BOOK = literal('{"channel":"l2_data","timestamp":"')
TRADES = literal('{"channel":"market_trades","timestamp":"')
NUMBER = literal('","sequence_num":')
UPDATE = literal(',"events":[{"type":"update","product_id":"')
WHOLE = literal(',"events":[{"type":"snapshot","product_id":"')
LEVELS = literal('","updates":[')
BID = literal('{"side":"bid","event_time":"')
OFFER = literal('{"side":"offer","event_time":"')
PRICE = literal('","price_level":"')
SIZE = literal('","new_quantity":"')
LEVEL_TAIL = literal('"}')
BOOK_TAIL = literal("]}]}")

TRADE_UPDATE = literal(',"events":[{"type":"update","trades":[')
PRODUCT = literal('{"product_id":"')
TRADE_ID = literal('","trade_id":"')
TRADE_PRICE = literal('","price":"')
TRADE_SIZE = literal('","size":"')
TRADE_TIME = literal('","time":"')
MAKER_BUYS = literal('","side":"BUY"}')
MAKER_SELLS = literal('","side":"SELL"}')


@kernel()
def _scan_number(text: Text, at: int, stop: int, places: int) -> tuple[int, int]:
    return scan_decimal(text, at, stop, places)


@kernel()
def _read_levels(
    text: Text, at: int, stop: int, state: Record, row: int, records: Records, index: int
) -> tuple[int, int]:
    """Write one record a level; return the place after the last one, and the next record."""
    symbols = state["symbols"]
    instrument = int(symbols[row + INSTRUMENT])
    price_places, size_places = int(symbols[row + PRICE_PLACES]), int(symbols[row + SIZE_PLACES])
    while True:
        side = BUY
        start = follow_literal(text, at, stop, BID)
        if start >= stop:
            side = SELL
            start = follow_literal(text, at, stop, OFFER)
        at = follow_literal(text, skip_string(text, start, stop), stop, PRICE)
        price, at = _scan_number(text, at, stop, price_places)
        at = follow_literal(text, at, stop, SIZE)
        size, at = _scan_number(text, at, stop, size_places)
        at = follow_literal(text, at, stop, LEVEL_TAIL)
        if at >= stop or price <= 0:
            return LOST, index
        write_level(records, index, instrument, side, price, size)
        index += 1
        if byte(text, at) != COMMA:
            return at, index
        at += 1


@kernel()
def _decode_book(
    text: Text,
    at: int,
    stop: int,
    received: int,
    records: Records,
    count: int,
    state: Record,
    time: int,
) -> int:
    """Read from the frame's number on."""
    snapshot = 0
    start = follow_literal(text, at, stop, UPDATE)
    if start >= stop:
        snapshot = 1
        start = follow_literal(text, at, stop, WHOLE)
    end = skip_string(text, start, stop)
    row = find_symbol(text, start, end, stop, state["symbols"]) if end < stop else -1
    if row < 0:
        return UNKNOWN
    at = follow_literal(text, end, stop, LEVELS)
    at, index = _read_levels(text, at, stop, state, row, records, count + snapshot)
    if follow_literal(text, at, stop, BOOK_TAIL) != stop:
        return UNKNOWN
    instrument = int(state["symbols"][row + INSTRUMENT])
    begin_record(records[index], BOOK_END, time, received, instrument)
    records[index]["size"] = index - count - snapshot
    if snapshot:
        begin_record(records[count], BOOK_CLEAR, time, received, instrument)
    flags = SNAPSHOT * snapshot
    complete_book(records, count, index, flags, flags | LAST)
    return index + 1 - count


@kernel()
def _decode_trade(text: Text, at: int, stop: int, state: Record, record: Record) -> tuple[int, int]:
    """Read one trade; return its symbol's row and the place after it."""
    symbols = state["symbols"]
    start = follow_literal(text, at, stop, PRODUCT)
    end = skip_string(text, start, stop)
    row = find_symbol(text, start, end, stop, symbols) if end < stop else -1
    if row < 0:
        return row, LOST
    number, at = scan_count(text, follow_literal(text, end, stop, TRADE_ID), stop)
    at = follow_literal(text, at, stop, TRADE_PRICE)
    price, at = _scan_number(text, at, stop, int(symbols[row + PRICE_PLACES]))
    at = follow_literal(text, at, stop, TRADE_SIZE)
    size, at = _scan_number(text, at, stop, int(symbols[row + SIZE_PLACES]))
    time, at = scan_timestamp(text, follow_literal(text, at, stop, TRADE_TIME), stop)
    side = SELL  # who takes is on the other side than the maker
    end = follow_literal(text, at, stop, MAKER_BUYS)
    if end >= stop:
        side = BUY
        end = follow_literal(text, at, stop, MAKER_SELLS)
    if end >= stop or price <= 0 or size <= 0:
        return row, LOST
    begin_record(record, TRADE, time, 0, int(symbols[row + INSTRUMENT]))
    record["price"] = price
    record["size"] = size
    record["sequence"] = number
    record["side"] = side
    return row, end


@kernel()
def _swap(records: Records, first: int, second: int) -> None:
    """Exchange two trades of one instrument."""
    one, two = records[first], records[second]
    time, price, size, number = one["time"], one["price"], one["size"], one["sequence"]
    side = one["side"]
    one["time"], one["price"], one["size"] = two["time"], two["price"], two["size"]
    one["sequence"], one["side"] = two["sequence"], two["side"]
    two["time"], two["price"], two["size"] = time, price, size
    two["sequence"], two["side"] = number, side


@kernel()
def _decode_trades(
    text: Text, at: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    """Read from the frame's number on; the newest trade comes first, and goes last."""
    at = follow_literal(text, at, stop, TRADE_UPDATE)
    index = count
    first = -1
    while at < stop:
        row, at = _decode_trade(text, at, stop, state, records[index])
        if at >= stop or (first >= 0 and row != first):
            return UNKNOWN
        first = row
        records[index]["received"] = received
        index += 1
        if byte(text, at) != COMMA:
            break
        at += 1
    if follow_literal(text, at, stop, BOOK_TAIL) != stop:
        return UNKNOWN
    for step in range((index - count) // 2):
        _swap(records, count + step, index - 1 - step)
    records[index - 1]["flags"] = LAST
    return index - count


@kernel()
def _decode_text(
    text: Text, start: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    begins = follow_literal(text, start, stop, BOOK)
    is_book = begins < stop
    if not is_book:
        begins = follow_literal(text, start, stop, TRADES)
    time, at = scan_timestamp(text, begins, stop)
    number, at = scan_count(text, follow_literal(text, at, stop, NUMBER), stop)
    if peek(text, at, stop) != COMMA:
        return UNKNOWN
    expected = state["expected"]
    if expected not in (number, ANY):
        return UNKNOWN
    if is_book:
        made = _decode_book(text, at, stop, received, records, count, state, time)
    else:
        made = _decode_trades(text, at, stop, received, records, count, state)
    if made > 0:
        state["expected"] = number + 1
    return made


MESSAGES: Final = message_kernels(_decode_text, decoder_dtype(("expected", "<i8")))
"""Decodes books and trades."""
