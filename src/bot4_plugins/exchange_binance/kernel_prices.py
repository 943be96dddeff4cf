"""Mark prices, funding rates and candles: events whose fields need more care than a trade's."""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, Record, Records
from bot4_core.jit import kernel
from bot4_core.kernels.wire import scan_signed_decimal
from bot4_core.kernels.wire_bytes import Text
from bot4_core.kernels.wire_messages import UNKNOWN
from bot4_core.kernels.wire_symbols import INSTRUMENT, PRICE_PLACES, SIZE_PLACES
from bot4_core.kernels.wire_times import nanoseconds
from bot4_plugins.exchange_binance.kernel_events import begin, event_time, read_amounts
from bot4_plugins.exchange_binance.kernel_fields import begin_fields, scan_fields
from bot4_plugins.exchange_binance.kernel_layout import bit, letter

__all__ = ["MARK_PLACES", "RATE_PLACES", "decode_candle", "decode_mark"]

MARK_PLACES: Final = 8
"""Decimals of mark and index prices, which are finer than the tick."""
RATE_PLACES: Final = 12
"""Decimals of funding rates."""

MARK: Final = int(EventKind.MARK)
INDEX: Final = int(EventKind.INDEX)
FUNDING: Final = int(EventKind.FUNDING)
CANDLE: Final = int(EventKind.CANDLE)
LAST: Final = int(EventFlag.LAST)
LAST_CLOSED: Final = int(EventFlag.LAST | EventFlag.CLOSED)

EVENT_TIME: Final = letter("E")
SETTLES: Final = letter("T")
INDEX_PRICE: Final = letter("i")
RATE: Final = letter("r")
BODY: Final = letter("k")
STARTS: Final = letter("t")
OPEN: Final = letter("o")
HIGH: Final = letter("h")
LOW: Final = letter("l")
CLOSE: Final = letter("c")
IS_FINAL: Final = letter("x")

MARK_PRICES: Final = (letter("p"),)
INDEX_PRICES: Final = (INDEX_PRICE,)
CANDLE_PRICES: Final = (OPEN, HIGH, LOW, CLOSE)
CANDLE_VOLUME: Final = (letter("v"),)

HAS_EVENT_TIME: Final = bit("E")
HAS_SETTLES: Final = bit("T")
HAS_INDEX: Final = bit("i")
HAS_RATE: Final = bit("r")
HAS_BODY: Final = bit("k")
HAS_STARTS: Final = bit("t")
HAS_IS_FINAL: Final = bit("x")
MARK_TEXTS: Final = bit("s", "p")
MARK_OPTIONS: Final = bit("i", "r")
CANDLE_TEXTS: Final = bit("o", "h", "l", "c", "v")


@kernel()
def _decode_index(text: Text, stop: int, state: Record, records: Records, at: int) -> bool:
    records[at] = records[at - 1]
    price = read_amounts(text, stop, state, INDEX_PRICES, MARK_PLACES)
    records[at]["kind"] = INDEX
    records[at]["price"] = price
    records[at - 1]["flags"] = 0
    return price > 0


@kernel()
def _decode_rate(text: Text, stop: int, state: Record, records: Records, at: int) -> bool:
    records[at] = records[at - 1]
    rate, end = scan_signed_decimal(text, state["values"][RATE], stop, RATE_PLACES)
    settles = nanoseconds(state["values"][SETTLES]) if state["seen"] & HAS_SETTLES else 0
    records[at]["kind"] = FUNDING
    records[at]["price"] = rate
    records[at]["aux"] = settles
    records[at - 1]["flags"] = 0
    return bool(end == state["ends"][RATE])


@kernel()
def decode_mark(
    text: Text, stop: int, received: int, state: Record, records: Records, count: int
) -> int:
    """Write mark price, index price and funding rate, the latter two where they are sent.

    ``T`` is the time of the next funding, so that only ``E`` can be the time of the event.
    """
    seen = state["seen"]
    texts = state["texts"]
    time = nanoseconds(state["values"][EVENT_TIME]) if seen & HAS_EVENT_TIME else 0
    if event_time(state) < 0 or time < 0 or (texts | ~seen) & MARK_OPTIONS != MARK_OPTIONS:
        return UNKNOWN
    mark = read_amounts(text, stop, state, MARK_PRICES, MARK_PLACES)
    if texts & MARK_TEXTS != MARK_TEXTS or mark <= 0:
        return UNKNOWN
    begin(records[count], MARK, time, received, state["symbols"][state["row"] + INSTRUMENT])
    records[count]["price"] = mark
    following = count + 1
    if texts & HAS_INDEX and state["ends"][INDEX_PRICE] > state["values"][INDEX_PRICE]:
        if not _decode_index(text, stop, state, records, following):
            return UNKNOWN
        following += 1
    if texts & HAS_RATE and state["ends"][RATE] > state["values"][RATE]:
        if not _decode_rate(text, stop, state, records, following):
            return UNKNOWN
        following += 1
    return following - count


@kernel()
def decode_candle(
    text: Text, stop: int, received: int, state: Record, records: Records, count: int
) -> int:
    """Write a candle: the event names the symbol, its body has the prices."""
    row = state["row"]
    plain = state["texts"] | state["counts"] | state["truths"]
    if event_time(state) < 0 or not state["seen"] & ~plain & HAS_BODY:
        return UNKNOWN
    at = begin_fields(text, state["values"][BODY], stop, state)
    if scan_fields(text, at, stop, state) >= stop or state["side"] >= 0:
        return UNKNOWN
    time = nanoseconds(state["values"][STARTS]) if state["counts"] & HAS_STARTS else -1
    if (
        state["texts"] & CANDLE_TEXTS != CANDLE_TEXTS
        or not state["truths"] & HAS_IS_FINAL
        or time < 0
    ):
        return UNKNOWN
    prices = read_amounts(text, stop, state, CANDLE_PRICES, state["symbols"][row + PRICE_PLACES])
    volume = read_amounts(text, stop, state, CANDLE_VOLUME, state["symbols"][row + SIZE_PLACES])
    if prices <= 0 or volume < 0:
        return UNKNOWN
    record = records[count]
    begin(record, CANDLE, time, received, state["symbols"][row + INSTRUMENT])
    record["price"] = state["values"][CLOSE]
    record["size"] = volume
    record["sequence"] = state["values"][LOW]
    record["aux"] = state["values"][OPEN]
    record["link"] = state["values"][HIGH]
    record["flags"] = LAST_CLOSED if state["values"][IS_FINAL] else LAST
    return 1
