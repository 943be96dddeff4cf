"""Book and trade messages as the venue spells them, straight into event records.

No white space, this order of members; anything else is for the slow decoder. Prices and sizes are
JSON numbers whose last zeros count, since checksums are made of their digits.
"""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, Record, Records, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, ZERO, peek, scan_count, scan_decimal
from bot4_core.kernels.wire_bytes import Text, byte, word
from bot4_core.kernels.wire_json import CLOSE_ARRAY, CLOSE_OBJECT, COMMA, skip_string
from bot4_core.kernels.wire_levels import complete_book, write_level
from bot4_core.kernels.wire_literals import follow_literal, literal
from bot4_core.kernels.wire_messages import (
    UNKNOWN,
    begin_record,
    decoder_dtype,
    message_kernels,
)
from bot4_core.kernels.wire_symbols import (
    INSTRUMENT,
    PRICE_PLACES,
    SIZE_PLACES,
    find_symbol,
)
from bot4_core.kernels.wire_times import scan_timestamp

__all__ = ["MESSAGES"]

BOOK_CLEAR: Final = int(EventKind.BOOK_CLEAR)
BOOK_END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
LAST: Final = int(EventFlag.LAST)
CHECKED: Final = int(EventFlag.LAST | EventFlag.DIGITS_CHECKED)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
LARGEST_CHECKSUM: Final = (1 << 32) - 1
QUOTE: Final = ord('"')

HEAD = literal('{"channel":"')
BOOK_UPDATE = literal('book","type":"update","data":[{"symbol":"')
BOOK_SNAPSHOT = literal('book","type":"snapshot","data":[{"symbol":"')
TRADE_UPDATE = literal('trade","type":"update","data":[{"symbol":"')
BIDS = literal('","bids":[')
ASKS = literal(',"asks":[')
CHECKSUM = literal(',"checksum":')
TIMESTAMP = literal(',"timestamp":"')
BOOK_TAIL = literal('"}]}')
PRICE: Final = int.from_bytes(b'{"price"', "little")
SIZE: Final = int.from_bytes(b',"qty":', "little")
SEVEN_BYTES: Final = (1 << 56) - 1
COLON: Final = ord(":")

IS_BUY = literal('","side":"buy","price":')
IS_SELL = literal('","side":"sell","price":')
TRADE_SIZE = literal(',"qty":')
OF_LIMIT = literal(',"ord_type":"limit","trade_id":')
OF_MARKET = literal(',"ord_type":"market","trade_id":')
NEXT_TRADE = literal('"},{"symbol":"')


@kernel()
def _scan_number(text: Text, at: int, stop: int, places: int) -> tuple[int, int]:
    """Read a JSON number without sign and exponent."""
    if at + 1 < stop and byte(text, at) == ZERO and ZERO <= byte(text, at + 1) <= ZERO + 9:
        return 0, LOST
    return scan_decimal(text, at, stop, places)


@kernel()
def _read_levels(
    text: Text, at: int, stop: int, state: Record, row: int, records: Records, index: int, side: int
) -> tuple[int, int]:
    """Write one record a level and return the position after the array, and the next record."""
    symbols = state["symbols"]
    instrument = int(symbols[row + INSTRUMENT])
    price_places, size_places = int(symbols[row + PRICE_PLACES]), int(symbols[row + SIZE_PLACES])
    if peek(text, at, stop) == CLOSE_ARRAY:
        return at + 1, index
    while at + 9 <= stop and word(text, at) == PRICE and byte(text, at + 8) == COLON:
        price, at = _scan_number(text, at + 9, stop, price_places)
        if at + 8 > stop or word(text, at) & SEVEN_BYTES != SIZE or price <= 0:
            return LOST, index
        size, at = _scan_number(text, at + 7, stop, size_places)
        if at + 2 > stop or byte(text, at) != CLOSE_OBJECT:
            return LOST, index
        write_level(records, index, instrument, side, price, size)
        index += 1
        mark = byte(text, at + 1)
        at += 2
        if mark == CLOSE_ARRAY:
            return at, index
        if mark != COMMA:
            return LOST, index
    return LOST, index


@kernel()
def _decode_book(
    text: Text, at: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    """Read from the symbol on; ``records[count]`` is a BOOK_CLEAR where it has SNAPSHOT set."""
    end = skip_string(text, at, stop)
    row = find_symbol(text, at, end, stop, state["symbols"]) if end < stop else -1
    if row < 0:
        return UNKNOWN
    snapshot = int(state["snapshot"])
    index = count + snapshot
    at = follow_literal(text, end, stop, BIDS)
    at, index = _read_levels(text, at, stop, state, row, records, index, BUY)
    at = follow_literal(text, at, stop, ASKS)
    at, index = _read_levels(text, at, stop, state, row, records, index, SELL)
    checksum, at = scan_count(text, follow_literal(text, at, stop, CHECKSUM), stop)
    time, at = scan_timestamp(text, follow_literal(text, at, stop, TIMESTAMP), stop)
    if follow_literal(text, at, stop, BOOK_TAIL) != stop or checksum > LARGEST_CHECKSUM:
        return UNKNOWN
    instrument = int(state["symbols"][row + INSTRUMENT])
    begin_record(records[index], BOOK_END, time, received, instrument)
    records[index]["price"] = checksum
    records[index]["size"] = index - count - snapshot
    flags = SNAPSHOT * snapshot
    if snapshot:
        begin_record(records[count], BOOK_CLEAR, time, received, instrument)
    complete_book(records, count, index, flags, flags | CHECKED)
    return index + 1 - count


@kernel()
def _decode_trade(text: Text, at: int, stop: int, row: int, state: Record, record: Record) -> int:
    """Read one trade from the quote behind its symbol on; return the place of its last quote."""
    symbols = state["symbols"]
    places = int(symbols[row + PRICE_PLACES])
    side = BUY
    start = follow_literal(text, at, stop, IS_BUY)
    if start >= stop:
        side = SELL
        start = follow_literal(text, at, stop, IS_SELL)
    price, at = _scan_number(text, start, stop, places)
    at = follow_literal(text, at, stop, TRADE_SIZE)
    size, at = _scan_number(text, at, stop, int(symbols[row + SIZE_PLACES]))
    start = follow_literal(text, at, stop, OF_LIMIT)
    if start >= stop:
        start = follow_literal(text, at, stop, OF_MARKET)
    number, at = scan_count(text, start, stop)
    time, at = scan_timestamp(text, follow_literal(text, at, stop, TIMESTAMP), stop)
    if at >= stop or price <= 0 or size <= 0:
        return LOST
    begin_record(record, TRADE, time, 0, int(symbols[row + INSTRUMENT]))
    record["price"] = price
    record["size"] = size
    record["sequence"] = number
    record["side"] = side
    return at


@kernel()
def _decode_trades(
    text: Text, at: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    """Read from the first symbol on; all trades must be of one."""
    index = count
    first = -1
    while True:
        end = skip_string(text, at, stop)
        row = find_symbol(text, at, end, stop, state["symbols"]) if end < stop else -1
        if row < 0 or (first >= 0 and row != first):
            return UNKNOWN
        first = row
        at = _decode_trade(text, end, stop, row, state, records[index])
        if at >= stop:
            return UNKNOWN
        records[index]["received"] = received
        index += 1
        following = follow_literal(text, at, stop, NEXT_TRADE)
        if following >= stop:
            break
        at = following
    if follow_literal(text, at, stop, BOOK_TAIL) != stop:
        return UNKNOWN
    records[index - 1]["flags"] = LAST
    return index - count


@kernel()
def _decode_text(
    text: Text, start: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    at = follow_literal(text, start, stop, HEAD)
    if at >= stop:
        return UNKNOWN
    following = follow_literal(text, at, stop, BOOK_UPDATE)
    if following < stop:
        state["snapshot"] = 0
        return _decode_book(text, following, stop, received, records, count, state)
    following = follow_literal(text, at, stop, TRADE_UPDATE)
    if following < stop:
        return _decode_trades(text, following, stop, received, records, count, state)
    following = follow_literal(text, at, stop, BOOK_SNAPSHOT)
    if following < stop:
        state["snapshot"] = 1
        return _decode_book(text, following, stop, received, records, count, state)
    return UNKNOWN


MESSAGES: Final = message_kernels(_decode_text, decoder_dtype(("snapshot", "<i8")))
"""Decodes books and trades."""
