"""Books and trades, read as the venue spells them; every other message is for the slow decoder."""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, Record, Records, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, peek, scan_count, scan_decimal
from bot4_core.kernels.wire_bytes import Text
from bot4_core.kernels.wire_json import CLOSE_ARRAY, CLOSE_OBJECT, COMMA, skip_string, skip_value
from bot4_core.kernels.wire_levels import complete_book, read_levels
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
    SYMBOL_WIDTH,
    scan_symbol,
)
from bot4_core.kernels.wire_times import scan_milliseconds
from bot4_plugins.exchange_bybit.kernel_fields import scan_head, scan_id, scan_side

__all__ = ["MESSAGES"]

BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
TRADE: Final = int(EventKind.TRADE)
BOOK_CLEAR: Final = int(EventKind.BOOK_CLEAR)
BOOK_END: Final = int(EventKind.BOOK_END)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
LAST: Final = int(EventFlag.LAST)
FULL_STOP: Final = ord(".")

BOOK_TOPIC: Final = literal('{"topic":"orderbook.')
TRADE_TOPIC: Final = literal('{"topic":"publicTrade.')
BOOK_DATA: Final = literal(',"data":{"s":"')
BIDS: Final = literal('","b":')
ASKS: Final = literal(',"a":')
UPDATE: Final = literal(',"u":')
SEQUENCE: Final = literal(',"seq":')
ENGINE_TIME: Final = literal('},"cts":')
BOOK_CLOSE: Final = literal("}}")
TRADE_DATA: Final = literal(',"data":[')
MOMENT: Final = literal('{"T":')
SYMBOL_LATER: Final = literal(',"s":"')
SIDE: Final = literal('","S":"')
SIZE_AFTER_SIDE: Final = literal(',"v":"')
PRICE_LATER: Final = literal('","p":"')
DIRECTION: Final = literal('","L":"')
ID_LATER: Final = literal('","i":"')
BLOCK: Final = literal(',"BT":')
BLOCK_AFTER_NAME: Final = literal('","BT":')
IMPROVED: Final = literal(',"RPI":')
ID_FIRST: Final = literal('{"i":"')
MOMENT_LATER: Final = literal(',"T":')
PRICE: Final = literal(',"p":"')
SIZE: Final = literal('","v":"')


@kernel()
def _scan_marks(text: Text, at: int, stop: int) -> int:
    """Step over what says whether it was a block trade, and one of improved price."""
    at = skip_value(text, at, stop)
    return skip_value(text, follow_literal(text, at, stop, IMPROVED), stop)


@kernel()
def _scan_contract_trade(
    text: Text, at: int, stop: int, state: Record, row: int, record: Record
) -> int:
    symbols = state["symbols"]
    record["time"], at = scan_milliseconds(text, follow_literal(text, at, stop, MOMENT), stop)
    found, at = scan_symbol(
        text, follow_literal(text, at, stop, SYMBOL_LATER), stop, state["symbols"]
    )
    if found != row:
        return LOST
    record["side"], at = scan_side(text, follow_literal(text, at, stop, SIDE), stop)
    at = follow_literal(text, at, stop, SIZE_AFTER_SIDE)
    record["size"], at = scan_decimal(text, at, stop, int(symbols[row + SIZE_PLACES]))
    at = follow_literal(text, at, stop, PRICE_LATER)
    record["price"], at = scan_decimal(text, at, stop, int(symbols[row + PRICE_PLACES]))
    at = skip_string(text, follow_literal(text, at, stop, DIRECTION), stop)
    record["sequence"], at = scan_id(text, follow_literal(text, at, stop, ID_LATER), stop)
    at = _scan_marks(text, follow_literal(text, at, stop, BLOCK), stop)
    _, at = scan_count(text, follow_literal(text, at, stop, SEQUENCE), stop)
    return at


@kernel()
def _scan_spot_trade(
    text: Text, at: int, stop: int, state: Record, row: int, record: Record
) -> int:
    symbols = state["symbols"]
    record["sequence"], at = scan_id(text, follow_literal(text, at, stop, ID_FIRST), stop)
    at = follow_literal(text, at, stop, MOMENT_LATER)
    record["time"], at = scan_milliseconds(text, at, stop)
    at = follow_literal(text, at, stop, PRICE)
    record["price"], at = scan_decimal(text, at, stop, int(symbols[row + PRICE_PLACES]))
    at = follow_literal(text, at, stop, SIZE)
    record["size"], at = scan_decimal(text, at, stop, int(symbols[row + SIZE_PLACES]))
    record["side"], at = scan_side(text, follow_literal(text, at, stop, SIDE), stop)
    _, at = scan_count(text, follow_literal(text, at, stop, SEQUENCE), stop)
    found, at = scan_symbol(
        text, follow_literal(text, at, stop, SYMBOL_LATER), stop, state["symbols"]
    )
    if found != row:
        return LOST
    return _scan_marks(text, follow_literal(text, at, stop, BLOCK_AFTER_NAME), stop)


@kernel()
def _decode_trades(
    text: Text, at: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    row, at = scan_symbol(text, at, stop, state["symbols"])
    if row < 0:
        return UNKNOWN
    _, _, at = scan_head(text, at, stop)
    at = follow_literal(text, at, stop, TRADE_DATA)
    contract = follow_literal(text, at, stop, MOMENT) < LOST
    instrument, index = int(state["symbols"][row + INSTRUMENT]), count
    while at < stop:
        record = records[index]
        begin_record(record, TRADE, 0, received, instrument)
        if contract:
            at = _scan_contract_trade(text, at, stop, state, row, record)
        else:
            at = _scan_spot_trade(text, at, stop, state, row, record)
        if peek(text, at, stop) != CLOSE_OBJECT or record["price"] <= 0 or record["size"] <= 0:
            return UNKNOWN
        index += 1
        if peek(text, at + 1, stop) != COMMA:
            break
        at += 2
    if peek(text, at + 1, stop) != CLOSE_ARRAY or peek(text, at + 2, stop) != CLOSE_OBJECT:
        return UNKNOWN
    records[index - 1]["flags"] = LAST
    return index - count if at + 3 == stop else UNKNOWN


@kernel()
def _scan_close(text: Text, at: int, stop: int, sent: int) -> tuple[int, int]:
    """Read the end of a book message; return the engine's time, or the time of sending."""
    _, at = scan_count(text, follow_literal(text, at, stop, SEQUENCE), stop)
    closed = follow_literal(text, at, stop, BOOK_CLOSE)
    if closed < LOST:
        return sent, closed
    matched, at = scan_milliseconds(text, follow_literal(text, at, stop, ENGINE_TIME), stop)
    return matched, at + 1 if peek(text, at, stop) == CLOSE_OBJECT else LOST


@kernel()
def _decode_book(
    text: Text, at: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    _, at = scan_count(text, at, stop)
    if peek(text, at, stop) != FULL_STOP:
        return UNKNOWN
    row, at = scan_symbol(text, at + 1, stop, state["symbols"])
    if row < 0:
        return UNKNOWN
    snapshot, sent, at = scan_head(text, at, stop)
    found, at = scan_symbol(text, follow_literal(text, at, stop, BOOK_DATA), stop, state["symbols"])
    if found != row:
        return UNKNOWN
    entry = state["symbols"][row : row + SYMBOL_WIDTH]
    first = count + snapshot
    at = follow_literal(text, at, stop, BIDS)
    at, index = read_levels(text, at, stop, entry, first, records, BUY, 0)
    at = follow_literal(text, at, stop, ASKS)
    at, index = read_levels(text, at, stop, entry, index, records, SELL, 0)
    last, at = scan_count(text, follow_literal(text, at, stop, UPDATE), stop)
    time, at = _scan_close(text, at, stop, sent)
    if at != stop:
        return UNKNOWN
    instrument = int(entry[INSTRUMENT])
    begin_record(records[index], BOOK_END, time, received, instrument)
    records[index]["size"] = index - first
    records[index]["sequence"] = last
    if snapshot:
        begin_record(records[count], BOOK_CLEAR, time, received, instrument)
    complete_book(records, count, index, SNAPSHOT * snapshot, SNAPSHOT * snapshot | LAST)
    return index + 1 - count


@kernel()
def decode_text(
    text: Text, start: int, stop: int, received: int, records: Records, count: int, state: Record
) -> int:
    """Decode one message; see ``wire_messages.DecodeText``."""
    at = follow_literal(text, start, stop, BOOK_TOPIC)
    if at < LOST:
        return _decode_book(text, at, stop, received, records, count, state)
    at = follow_literal(text, start, stop, TRADE_TOPIC)
    if at < LOST:
        return _decode_trades(text, at, stop, received, records, count, state)
    return UNKNOWN


MESSAGES: Final = message_kernels(decode_text, decoder_dtype())
