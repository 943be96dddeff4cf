"""The venue's messages as JSON text, written by compiled code.

One message is the rows up to a ``LAST`` flag. Prices and sizes are decimal text, times are
nanoseconds. README.md lists the messages.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.jit import kernel

__all__ = ["Scale", "write_frames"]

Bytes = NDArray[np.uint8]

SET: Final = int(EventKind.BOOK_SET)
CLEAR: Final = int(EventKind.BOOK_CLEAR)
END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
MARK: Final = int(EventKind.MARK)
FILLED: Final = int(EventKind.ORDER_FILLED)
LAST: Final = int(EventFlag.LAST)
MAKER: Final = int(EventFlag.MAKER)
LEVEL_BYTES: Final = 64
MESSAGE_BYTES: Final = 512


def _text(text: str) -> Bytes:
    return np.frombuffer(text.encode(), np.uint8)


BOOK_HEAD: Final = _text('{"ch":"book","s":"')
SNAPSHOT_HEAD: Final = _text('{"ch":"snapshot","s":"')
TRADE_HEAD: Final = _text('{"ch":"trade","s":"')
QUOTE_HEAD: Final = _text('{"ch":"quote","s":"')
MARK_HEAD: Final = _text('{"ch":"mark","s":"')
ORDER_HEAD: Final = _text('{"ch":"order","s":"')
KEY_TIME: Final = _text('","t":')
KEY_UPDATE: Final = _text(',"u":')
KEY_BIDS: Final = _text(',"b":[')
KEY_ASKS: Final = _text('],"a":[')
KEY_ID: Final = _text(',"i":')
KEY_PRICE: Final = _text(',"p":"')
KEY_SIZE: Final = _text('","q":"')
KEY_BUY: Final = _text('","d":"buy"')
KEY_SELL: Final = _text('","d":"sell"')
KEY_NONE: Final = _text('","d":""')
KEY_MAKER_ORDER: Final = _text(',"m":')
KEY_TAKER_ORDER: Final = _text(',"k":')
KEY_MARK: Final = _text(',"m":"')
KEY_INDEX: Final = _text('","i":"')
KEY_RATE: Final = _text('","r":')
KEY_NEXT: Final = _text(',"n":')
KEY_EVENT: Final = _text(',"e":')
KEY_AUX: Final = _text(',"x":')
IS_MAKER: Final = _text(',"l":1')
IS_TAKER: Final = _text(',"l":0')
OPEN_LEVEL: Final = _text('["')
QUOTE_COMMA: Final = _text('","')
CLOSE_LEVEL: Final = _text('"],')
CLOSE_BOOK: Final = _text("]}")
CLOSE: Final = _text("}")
COMMA: Final = 44


class Scale(NamedTuple):
    """How an instrument's numbers are written."""

    symbol: Bytes
    price_decimals: int
    size_decimals: int


@kernel()
def put(out: Bytes, at: int, text: Bytes) -> int:
    """Copy text and return the place behind it."""
    for offset in range(len(text)):
        out[at + offset] = text[offset]
    return at + len(text)


@kernel()
def put_number(out: Bytes, at: int, value: int, decimals: int) -> int:
    """Write ``value / 10**decimals`` as decimal text and return the place behind it."""
    if value < 0:
        out[at] = 45
        at += 1
        value = -value
    digits = 1
    rest = value // 10
    while rest > 0 or digits <= decimals:
        digits += 1
        rest //= 10
    end = at + digits + (1 if decimals > 0 else 0)
    place = end - 1
    for digit in range(digits):
        if digit == decimals and decimals > 0:
            out[place] = 46
            place -= 1
        out[place] = 48 + value % 10
        place -= 1
        value //= 10
    return end


@kernel()
def put_level(out: Bytes, at: int, row: np.void, scale: Scale) -> int:
    """Write ``["price","size"],``."""
    at = put(out, at, OPEN_LEVEL)
    at = put_number(out, at, row["price"], scale.price_decimals)
    at = put(out, at, QUOTE_COMMA)
    at = put_number(out, at, row["size"], scale.size_decimals)
    return put(out, at, CLOSE_LEVEL)


@kernel()
def put_book(
    out: Bytes, at: int, rows: NDArray[np.void], begin: int, end: int, scale: Scale
) -> int:
    """Write a book update or snapshot: the levels of rows ``begin`` to ``end - 1``."""
    snapshot = rows[begin]["kind"] == CLEAR
    at = put(out, at, SNAPSHOT_HEAD if snapshot else BOOK_HEAD)
    at = put(out, at, scale.symbol)
    at = put_number(out, put(out, at, KEY_TIME), rows[end]["time"], 0)
    at = put_number(out, put(out, at, KEY_UPDATE), rows[end]["sequence"], 0)
    at = put(out, at, KEY_BIDS)
    for side in (1, -1):
        first = at
        for row in range(begin, end):
            if rows[row]["kind"] == SET and rows[row]["side"] == side:
                at = put_level(out, at, rows[row], scale)
        if at > first:
            at -= 1  # the comma behind the last level
        at = put(out, at, KEY_ASKS if side > 0 else CLOSE_BOOK)
    return at


@kernel()
def put_trade(out: Bytes, at: int, row: np.void, scale: Scale) -> int:
    """Write a public trade."""
    at = put(out, put(out, at, TRADE_HEAD), scale.symbol)
    at = put_number(out, put(out, at, KEY_TIME), row["time"], 0)
    at = put_number(out, put(out, at, KEY_ID), row["sequence"], 0)
    at = put_number(out, put(out, at, KEY_PRICE), row["price"], scale.price_decimals)
    at = put_number(out, put(out, at, KEY_SIZE), row["size"], scale.size_decimals)
    at = put(out, at, KEY_BUY if row["side"] > 0 else KEY_SELL)
    at = put_number(out, put(out, at, KEY_MAKER_ORDER), row["aux"], 0)
    at = put_number(out, put(out, at, KEY_TAKER_ORDER), row["link"], 0)
    return put(out, at, CLOSE)


@kernel()
def put_quote(out: Bytes, at: int, row: np.void, scale: Scale) -> int:
    """Write the best prices."""
    at = put(out, put(out, at, QUOTE_HEAD), scale.symbol)
    at = put_number(out, put(out, at, KEY_TIME), row["time"], 0)
    at = put_number(out, put(out, at, KEY_UPDATE), row["sequence"], 0)
    at = put(out, at, KEY_BIDS)
    at = put_level(out, at, row, scale) - 1
    at = put(out, put(out, at, KEY_ASKS), OPEN_LEVEL)
    at = put_number(out, at, row["aux"], scale.price_decimals)
    at = put(out, at, QUOTE_COMMA)
    at = put_number(out, at, row["link"], scale.size_decimals)
    return put(out, put(out, at, CLOSE_LEVEL) - 1, CLOSE_BOOK)


@kernel()
def put_mark(out: Bytes, at: int, rows: NDArray[np.void], begin: int, scale: Scale) -> int:
    """Write mark price, index price and funding from three rows."""
    at = put(out, put(out, at, MARK_HEAD), scale.symbol)
    at = put_number(out, put(out, at, KEY_TIME), rows[begin]["time"], 0)
    at = put_number(out, put(out, at, KEY_MARK), rows[begin]["price"], scale.price_decimals)
    at = put_number(out, put(out, at, KEY_INDEX), rows[begin + 1]["price"], scale.price_decimals)
    at = put_number(out, put(out, at, KEY_RATE), rows[begin + 2]["price"], 0)
    at = put_number(out, put(out, at, KEY_NEXT), rows[begin + 2]["aux"], 0)
    return put(out, at, CLOSE)


@kernel()
def put_order(out: Bytes, at: int, row: np.void, scale: Scale) -> int:
    """Write what became of the client's order."""
    at = put(out, put(out, at, ORDER_HEAD), scale.symbol)
    at = put_number(out, put(out, at, KEY_TIME), row["time"], 0)
    at = put_number(out, put(out, at, KEY_EVENT), row["kind"], 0)
    at = put_number(out, put(out, at, KEY_NEXT), row["link"], 0)
    at = put_number(out, put(out, at, KEY_ID), row["sequence"], 0)
    at = put_number(out, put(out, at, KEY_PRICE), row["price"], scale.price_decimals)
    at = put_number(out, put(out, at, KEY_SIZE), row["size"], scale.size_decimals)
    side = row["side"]
    at = put(out, at, KEY_BUY if side > 0 else (KEY_SELL if side < 0 else KEY_NONE))
    at = put_number(out, put(out, at, KEY_AUX), row["aux"], 0)
    at = put(out, at, IS_MAKER if row["flags"] & MAKER else IS_TAKER)
    return put(out, at, CLOSE)


@kernel()
def put_message(
    out: Bytes, at: int, rows: NDArray[np.void], begin: int, end: int, scale: Scale
) -> int:
    """Write the message of rows ``begin`` to ``end`` (inclusive)."""
    kind = rows[end]["kind"]
    if kind == END:
        return put_book(out, at, rows, begin, end, scale)
    if kind == TRADE:
        return put_trade(out, at, rows[end], scale)
    if kind == QUOTE:
        return put_quote(out, at, rows[end], scale)
    if rows[begin]["kind"] == MARK:
        return put_mark(out, at, rows, begin, scale)
    return put_order(out, at, rows[end], scale)


@kernel()
def write_frames(
    rows: NDArray[np.void], count: int, scale: Scale, out: Bytes, ends: NDArray[np.int64]
) -> tuple[int, int]:
    """Write messages one behind the other.

    Parameters
    ----------
    rows : (n,) EVENT_DTYPE
        The first ``count`` hold whole messages.
    out : (bytes,) uint8
        Text; room for 512 bytes a message and 64 a row is needed to begin one.
    ends : (messages, 2) int64
        For each message the place behind its text, and the index of its last row.

    Returns
    -------
    tuple of int
        Messages written and rows used.
    """
    at, begin, messages = 0, 0, 0
    for row in range(count):
        if rows[row]["flags"] & LAST == 0:
            continue
        room = MESSAGE_BYTES + LEVEL_BYTES * (row - begin)
        if messages == len(ends) or at + room > len(out):
            break
        at = put_message(out, at, rows, begin, row, scale)
        ends[messages, 0] = at
        ends[messages, 1] = row
        messages += 1
        begin = row + 1
    return messages, begin
