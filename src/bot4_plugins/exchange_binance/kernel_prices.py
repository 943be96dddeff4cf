"""Mark prices, funding rates and candles: events whose fields need more care than a trade's."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.jit import kernel
from bot4_core.kernels.wire import Buffer, scan_signed_decimal
from bot4_core.kernels.wire_symbols import INSTRUMENT, PRICE_PLACES, SIZE_PLACES
from bot4_core.plugins.interfaces import Records
from bot4_plugins.exchange_binance.kernel_events import amount, begin, event_time, nanoseconds
from bot4_plugins.exchange_binance.kernel_fields import scan_fields
from bot4_plugins.exchange_binance.kernel_layout import (
    COUNTS,
    ENDS,
    ROW,
    SEEN,
    TEXTS,
    TRUTHS,
    UNKNOWN,
    bit,
    letter,
)
from bot4_plugins.exchange_binance.kernel_levels import LONGEST_NUMBER

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
PRICE: Final = letter("p")
INDEX_PRICE: Final = letter("i")
RATE: Final = letter("r")
BODY: Final = letter("k")
STARTS: Final = letter("t")
OPEN: Final = letter("o")
HIGH: Final = letter("h")
LOW: Final = letter("l")
CLOSE: Final = letter("c")
VOLUME: Final = letter("v")
IS_FINAL: Final = letter("x")

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
def _decode_index(
    data: Buffer, stop: int, state: NDArray[np.int64], records: Records, at: int
) -> bool:
    records[at] = records[at - 1]
    price = amount(data, stop, state, INDEX_PRICE, MARK_PLACES)
    records[at]["kind"] = INDEX
    records[at]["price"] = price
    records[at - 1]["flags"] = 0
    return price > 0


@kernel()
def _decode_rate(
    data: Buffer, stop: int, state: NDArray[np.int64], records: Records, at: int
) -> bool:
    records[at] = records[at - 1]
    rate, end = scan_signed_decimal(data, state[RATE], stop, RATE_PLACES)
    settles = nanoseconds(state[SETTLES]) if state[SEEN] & HAS_SETTLES else 0
    records[at]["kind"] = FUNDING
    records[at]["price"] = rate
    records[at]["aux"] = settles
    records[at - 1]["flags"] = 0
    return end == state[ENDS + RATE] and end - state[RATE] <= LONGEST_NUMBER and settles >= 0


@kernel()
def decode_mark(  # noqa: PLR0917
    data: Buffer, stop: int, received: int, state: NDArray[np.int64], records: Records, count: int
) -> int:
    """Write mark price, index price and funding rate, the latter two where they are sent.

    ``T`` is the time of the next funding, so that only ``E`` can be the time of the event.
    """
    seen = state[SEEN]
    texts = state[TEXTS]
    time = nanoseconds(state[EVENT_TIME]) if seen & HAS_EVENT_TIME else 0
    if event_time(state) < 0 or time < 0 or (texts | ~seen) & MARK_OPTIONS != MARK_OPTIONS:
        return UNKNOWN
    mark = amount(data, stop, state, PRICE, MARK_PLACES)
    if texts & MARK_TEXTS != MARK_TEXTS or mark <= 0:
        return UNKNOWN
    begin(records[count], MARK, time, received, state[state[ROW] + INSTRUMENT])
    records[count]["price"] = mark
    following = count + 1
    if texts & HAS_INDEX and state[ENDS + INDEX_PRICE] > state[INDEX_PRICE]:
        if not _decode_index(data, stop, state, records, following):
            return UNKNOWN
        following += 1
    if texts & HAS_RATE and state[ENDS + RATE] > state[RATE]:
        if not _decode_rate(data, stop, state, records, following):
            return UNKNOWN
        following += 1
    return following - count


@kernel()
def decode_candle(  # noqa: PLR0917
    data: Buffer, stop: int, received: int, state: NDArray[np.int64], records: Records, count: int
) -> int:
    """Write a candle: the event names the symbol, its body has the prices."""
    row = state[ROW]
    plain = state[TEXTS] | state[COUNTS] | state[TRUTHS]
    if event_time(state) < 0 or not state[SEEN] & ~plain & HAS_BODY:
        return UNKNOWN
    if scan_fields(data, state[BODY], stop, state, records) >= stop:
        return UNKNOWN
    time = nanoseconds(state[STARTS]) if state[COUNTS] & HAS_STARTS else -1
    if state[TEXTS] & CANDLE_TEXTS != CANDLE_TEXTS or not state[TRUTHS] & HAS_IS_FINAL or time < 0:
        return UNKNOWN
    places = state[row + PRICE_PLACES]
    opened = amount(data, stop, state, OPEN, places)
    high = amount(data, stop, state, HIGH, places)
    low = amount(data, stop, state, LOW, places)
    close = amount(data, stop, state, CLOSE, places)
    volume = amount(data, stop, state, VOLUME, state[row + SIZE_PLACES])
    if min(opened, high, low, close) <= 0 or volume < 0:
        return UNKNOWN
    record = records[count]
    begin(record, CANDLE, time, received, state[row + INSTRUMENT])
    record["price"] = close
    record["size"] = volume
    record["sequence"] = low
    record["aux"] = opened
    record["link"] = high
    record["flags"] = LAST_CLOSED if state[IS_FINAL] else LAST
    return 1
