"""Step two of decoding: the fields of one event become records, or are left to the slow decoder."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import Buffer, scan_decimal
from bot4_core.kernels.wire_symbols import INSTRUMENT, PRICE_PLACES, SIZE_PLACES
from bot4_core.plugins.interfaces import Record, Records
from bot4_plugins.exchange_binance.kernel_layout import (
    COUNTS,
    ENDS,
    LINKED,
    NEXT,
    PREVIOUS,
    ROW,
    SEEN,
    TEXTS,
    TRUTHS,
    UNKNOWN,
    bit,
    letter,
)
from bot4_plugins.exchange_binance.kernel_levels import LONGEST_NUMBER, read_deferred

__all__ = [
    "amount",
    "begin",
    "decode_book",
    "decode_quote",
    "decode_trade",
    "event_time",
    "nanoseconds",
]

BOOK_END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
LAST: Final = int(EventFlag.LAST)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)

NANOSECONDS: Final = 1_000_000  # in a millisecond
LAST_MOMENT: Final = 9_223_372_036_854  # milliseconds that fit into 64 bits as nanoseconds

EVENT_TIME: Final = letter("E")
TIME: Final = letter("T")
FIRST_ID: Final = letter("U")
LAST_ID: Final = letter("u")
TRADE_ID: Final = letter("t")
PRICE: Final = letter("p")
SIZE: Final = letter("q")
BUYER_MAKER: Final = letter("m")
BID: Final = letter("b")
BID_SIZE: Final = letter("B")
ASK: Final = letter("a")
ASK_SIZE: Final = letter("A")

HAS_EVENT_TIME: Final = bit("E")
HAS_TIME: Final = bit("T")
HAS_LINK: Final = 1 << PREVIOUS
HAS_IDS: Final = bit("U", "u")
HAS_ORDERS: Final = bit("a", "b")
HAS_MAKER: Final = bit("m")
HAS_UPDATE: Final = bit("u")
QUOTE_TEXTS: Final = bit("s", "b", "B", "a", "A")
TRADE_TEXTS: Final = bit("s", "p", "q")


@kernel()
def amount(data: Buffer, stop: int, state: NDArray[np.int64], field: int, places: int) -> int:
    """Return the decimal in a text field, -1 where it is not plain."""
    at = state[field]
    end = state[ENDS + field]
    value, following = scan_decimal(data, at, stop, places)
    if following != end or end - at > LONGEST_NUMBER:
        return -1
    return value


@kernel()
def nanoseconds(milliseconds: int) -> int:
    """Return a time in nanoseconds, -1 if it leaves 64 bits."""
    return milliseconds * NANOSECONDS if milliseconds <= LAST_MOMENT else -1


@kernel()
def event_time(state: NDArray[np.int64]) -> int:
    """Return the event's time in nanoseconds, 0 if it has none, -1 where it is no time."""
    seen = state[SEEN]
    if seen & (HAS_TIME | HAS_EVENT_TIME) & ~state[COUNTS]:
        return -1
    if seen & HAS_TIME:
        return nanoseconds(state[TIME])
    if seen & HAS_EVENT_TIME:
        return nanoseconds(state[EVENT_TIME])
    return 0


@kernel()
def begin(record: Record, kind: int, time: int, received: int, instrument: int) -> None:
    """Write all fields of a record that is the only one of its message so far."""
    record["time"] = time
    record["received"] = received
    record["price"] = 0
    record["size"] = 0
    record["sequence"] = -1
    record["aux"] = -1
    record["link"] = -1
    record["instrument"] = instrument
    record["kind"] = kind
    record["side"] = 0
    record["flags"] = LAST


@kernel()
def decode_book(  # noqa: PLR0917
    data: Buffer, stop: int, received: int, state: NDArray[np.int64], records: Records, count: int
) -> int:
    """Complete the levels already written and add the end of the book message."""
    seen = state[SEEN]
    counts = state[COUNTS]
    needed = HAS_IDS | (HAS_LINK if state[LINKED] or seen & HAS_LINK else 0)
    time = event_time(state)
    if counts & needed != needed or time < 0 or not read_deferred(data, stop, state, records):
        return UNKNOWN
    first = state[FIRST_ID]
    last = state[LAST_ID]
    link = state[PREVIOUS] if seen & HAS_LINK else -1
    if first > last:
        return UNKNOWN
    end = int(state[NEXT])
    begin(records[end], BOOK_END, time, received, state[state[ROW] + INSTRUMENT])
    records[end]["size"] = end - count
    for index in range(count, end + 1):
        record = records[index]
        record["time"] = time
        record["received"] = received
        record["sequence"] = last
        record["aux"] = first
        record["link"] = link
        record["flags"] = 0
    records[end]["flags"] = LAST
    return end + 1 - count


@kernel()
def decode_quote(  # noqa: PLR0917
    data: Buffer, stop: int, received: int, state: NDArray[np.int64], records: Records, count: int
) -> int:
    """Write a best bid and ask; a side without orders has price and size zero."""
    time = event_time(state)
    if state[TEXTS] & QUOTE_TEXTS != QUOTE_TEXTS or not state[COUNTS] & HAS_UPDATE or time < 0:
        return UNKNOWN
    row = state[ROW]
    bid = amount(data, stop, state, BID, state[row + PRICE_PLACES])
    bid_size = amount(data, stop, state, BID_SIZE, state[row + SIZE_PLACES])
    ask = amount(data, stop, state, ASK, state[row + PRICE_PLACES])
    ask_size = amount(data, stop, state, ASK_SIZE, state[row + SIZE_PLACES])
    if min(bid, bid_size, ask, ask_size) < 0:
        return UNKNOWN
    if (bid == 0 and bid_size > 0) or (ask == 0 and ask_size > 0):
        return UNKNOWN
    record = records[count]
    begin(record, QUOTE, time, received, state[row + INSTRUMENT])
    record["price"] = bid
    record["size"] = bid_size
    record["sequence"] = state[LAST_ID]
    record["aux"] = ask
    record["link"] = ask_size
    return 1


@kernel()
def decode_trade(  # noqa: PLR0917
    data: Buffer,
    stop: int,
    received: int,
    state: NDArray[np.int64],
    records: Records,
    count: int,
    id_field: int,
) -> int:
    """Write a trade; ``m`` says that the buyer was the maker, so that the seller struck."""
    time = event_time(state)
    if state[TEXTS] & TRADE_TEXTS != TRADE_TEXTS or not state[TRUTHS] & HAS_MAKER or time < 0:
        return UNKNOWN
    orders = state[SEEN] & HAS_ORDERS if id_field == TRADE_ID else 0
    needed = orders | 1 << id_field
    if state[COUNTS] & needed != needed:
        return UNKNOWN
    row = state[ROW]
    price = amount(data, stop, state, PRICE, state[row + PRICE_PLACES])
    size = amount(data, stop, state, SIZE, state[row + SIZE_PLACES])
    if price <= 0 or size <= 0:
        return UNKNOWN
    record = records[count]
    begin(record, TRADE, time, received, state[row + INSTRUMENT])
    record["price"] = price
    record["size"] = size
    record["sequence"] = state[id_field]
    record["side"] = SELL if state[BUYER_MAKER] else BUY
    if orders == HAS_ORDERS:
        record["aux"] = state[BID] if state[BUYER_MAKER] else state[ASK]
        record["link"] = state[ASK] if state[BUYER_MAKER] else state[BID]
    return 1
