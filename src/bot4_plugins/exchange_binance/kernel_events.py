"""Step two of decoding: the fields of one event become records, or are left to the slow decoder."""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, Record, Records, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import scan_decimal
from bot4_core.kernels.wire_bytes import Text
from bot4_core.kernels.wire_levels import complete_book
from bot4_core.kernels.wire_messages import UNKNOWN, begin_record
from bot4_core.kernels.wire_symbols import INSTRUMENT, PRICE_PLACES, SIZE_PLACES
from bot4_core.kernels.wire_times import nanoseconds
from bot4_plugins.exchange_binance.kernel_layout import PREVIOUS, bit, letter
from bot4_plugins.exchange_binance.kernel_levels import read_deferred

__all__ = [
    "begin",
    "decode_book",
    "decode_quote",
    "decode_trade",
    "event_time",
    "read_amounts",
]

BOOK_END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
LAST: Final = int(EventFlag.LAST)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)

INT64_MAX: Final = 2**63 - 1

EVENT_TIME: Final = letter("E")
TIME: Final = letter("T")
FIRST_ID: Final = letter("U")
LAST_ID: Final = letter("u")
TRADE_ID: Final = letter("t")
BUYER_MAKER: Final = letter("m")
BID: Final = letter("b")
BID_SIZE: Final = letter("B")
ASK: Final = letter("a")
ASK_SIZE: Final = letter("A")

QUOTE_PRICES: Final = (BID, ASK)
QUOTE_SIZES: Final = (BID_SIZE, ASK_SIZE)
TRADE_PRICE: Final = (letter("p"),)
TRADE_SIZE: Final = (letter("q"),)

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
def read_amounts(text: Text, stop: int, state: Record, fields: tuple[int, ...], places: int) -> int:
    """Replace text fields by the decimals in them and return the smallest.

    -1 stands for all that are not plain decimals.
    """
    smallest = INT64_MAX
    for field in fields:
        value, following = scan_decimal(text, state["values"][field], stop, places)
        if following != state["ends"][field]:
            return -1
        state["values"][field] = value
        smallest = min(smallest, value)
    return smallest


@kernel(inline=True)
def event_time(state: Record) -> int:
    """Return the event's time in nanoseconds, 0 if it has none, -1 where it is no time."""
    seen = state["seen"]
    if seen & (HAS_TIME | HAS_EVENT_TIME) & ~state["counts"]:
        return -1
    if seen & HAS_TIME:
        return nanoseconds(state["values"][TIME])
    if seen & HAS_EVENT_TIME:
        return nanoseconds(state["values"][EVENT_TIME])
    return 0


@kernel(inline=True)
def begin(record: Record, kind: int, time: int, received: int, instrument: int) -> None:
    """Write all fields of a record that is the only one of its message so far."""
    begin_record(record, kind, time, received, instrument)
    record["flags"] = LAST


@kernel()
def decode_book(
    text: Text, stop: int, received: int, state: Record, records: Records, count: int
) -> int:
    """Complete the levels already written and add the end of the book message."""
    seen = state["seen"]
    counts = state["counts"]
    needed = HAS_IDS | (HAS_LINK if state["linked"] or seen & HAS_LINK else 0)
    time = event_time(state)
    if counts & needed != needed or time < 0 or not read_deferred(text, stop, state, records):
        return UNKNOWN
    first = state["values"][FIRST_ID]
    last = state["values"][LAST_ID]
    link = state["values"][PREVIOUS] if seen & HAS_LINK else -1
    if first > last:
        return UNKNOWN
    end = int(state["next"])
    begin(records[end], BOOK_END, time, received, state["symbols"][state["row"] + INSTRUMENT])
    closing = records[end]
    closing["size"] = end - count
    closing["sequence"] = last
    closing["aux"] = first
    closing["link"] = link
    complete_book(records, count, end, 0, LAST)
    return end + 1 - count


@kernel()
def decode_quote(
    text: Text, stop: int, received: int, state: Record, records: Records, count: int
) -> int:
    """Write a best bid and ask; a side without orders has price and size zero."""
    time = event_time(state)
    if state["texts"] & QUOTE_TEXTS != QUOTE_TEXTS or not state["counts"] & HAS_UPDATE or time < 0:
        return UNKNOWN
    row = state["row"]
    prices = read_amounts(text, stop, state, QUOTE_PRICES, state["symbols"][row + PRICE_PLACES])
    sizes = read_amounts(text, stop, state, QUOTE_SIZES, state["symbols"][row + SIZE_PLACES])
    bid, ask = state["values"][BID], state["values"][ASK]
    bid_size, ask_size = state["values"][BID_SIZE], state["values"][ASK_SIZE]
    if min(prices, sizes) < 0 or (bid == 0 and bid_size > 0) or (ask == 0 and ask_size > 0):
        return UNKNOWN
    record = records[count]
    begin(record, QUOTE, time, received, state["symbols"][row + INSTRUMENT])
    record["price"] = bid
    record["size"] = bid_size
    record["sequence"] = state["values"][LAST_ID]
    record["aux"] = ask
    record["link"] = ask_size
    return 1


@kernel()
def decode_trade(
    text: Text,
    stop: int,
    received: int,
    state: Record,
    records: Records,
    count: int,
    id_field: int,
) -> int:
    """Write a trade; ``m`` says that the buyer was the maker, so that the seller struck."""
    time = event_time(state)
    if state["texts"] & TRADE_TEXTS != TRADE_TEXTS or not state["truths"] & HAS_MAKER or time < 0:
        return UNKNOWN
    orders = state["seen"] & HAS_ORDERS if id_field == TRADE_ID else 0
    needed = orders | 1 << id_field
    if state["counts"] & needed != needed:
        return UNKNOWN
    row = state["row"]
    price = read_amounts(text, stop, state, TRADE_PRICE, state["symbols"][row + PRICE_PLACES])
    size = read_amounts(text, stop, state, TRADE_SIZE, state["symbols"][row + SIZE_PLACES])
    if price <= 0 or size <= 0:
        return UNKNOWN
    record = records[count]
    begin(record, TRADE, time, received, state["symbols"][row + INSTRUMENT])
    record["price"] = price
    record["size"] = size
    record["sequence"] = state["values"][id_field]
    record["side"] = SELL if state["values"][BUYER_MAKER] else BUY
    if orders == HAS_ORDERS:
        record["aux"] = (
            state["values"][BID] if state["values"][BUYER_MAKER] else state["values"][ASK]
        )
        record["link"] = (
            state["values"][ASK] if state["values"][BUYER_MAKER] else state["values"][BID]
        )
    return 1
