"""Book sides: ``[["price","size"],...]`` straight into event records."""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import EventKind, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import (
    LOST,
    POWERS,
    are_zeros,
    decimal_layout,
    is_laid_out,
    laid_out_digits,
    peek,
    scan_decimal,
    scan_short_decimal,
)
from bot4_core.kernels.wire_bytes import Text, byte, word
from bot4_core.kernels.wire_json import (
    CLOSE_ARRAY,
    COMMA,
    OPEN_ARRAY,
    QUOTE,
    enter,
    skip_space,
    skip_value,
)
from bot4_core.kernels.wire_symbols import INSTRUMENT, PRICE_PLACES, SIZE_PLACES
from bot4_core.plugins.interfaces import Record, Records
from bot4_plugins.exchange_binance.kernel_layout import letter

__all__ = ["read_deferred", "read_levels", "read_side"]

BOOK_SET: Final = int(EventKind.BOOK_SET)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
BIDS: Final = letter("b")
ASKS: Final = letter("a")
TWO_BYTES: Final = (1 << 16) - 1
THREE_BYTES: Final = (1 << 24) - 1
LEVEL_BEGIN: Final = int.from_bytes(b'["', "little")
LEVEL_MIDDLE: Final = int.from_bytes(b'","', "little")
NEXT_LEVEL: Final = int.from_bytes(b',["', "little")
LONGEST_ALIKE: Final = 24
"""Bytes of a level of two short decimals, from the comma before it to its bracket."""
MOST_PLACES: Final = 10
"""Decimals kept of a price whose digits are read at once, so that 64 bits hold it."""


@kernel()
def _scan_quoted(text: Text, at: int, stop: int, places: int) -> tuple[int, int]:
    """Read a decimal between quotes; ``next`` is after the closing quote."""
    at = enter(text, at, stop, QUOTE)
    value, end = scan_decimal(text, at, stop, places)
    if peek(text, end, stop) != QUOTE:
        return 0, LOST
    return value, end + 1


@kernel()
def _scan_spaced_level(
    text: Text, at: int, stop: int, price_places: int, size_places: int
) -> tuple[int, int, int]:
    at = enter(text, at, stop, OPEN_ARRAY)
    price, at = _scan_quoted(text, at, stop, price_places)
    at = enter(text, at, stop, COMMA)
    size, at = _scan_quoted(text, at, stop, size_places)
    return price, size, enter(text, at, stop, CLOSE_ARRAY)


@kernel(inline=True)
def _scan_level(
    text: Text, at: int, stop: int, price_places: int, size_places: int
) -> tuple[int, int, int]:
    """Read price and size, spelled as usual or with white space and longer numbers."""
    if at + 8 <= stop and word(text, at) & TWO_BYTES == LEVEL_BEGIN:
        price, end = scan_decimal(text, at + 2, stop, price_places)
        if end + 8 <= stop and word(text, end) & THREE_BYTES == LEVEL_MIDDLE:
            size, end = scan_decimal(text, end + 3, stop, size_places)
            if end + 2 <= stop and byte(text, end) == QUOTE and byte(text, end + 1) == CLOSE_ARRAY:
                return price, size, end + 2
    return _scan_spaced_level(text, at, stop, price_places, size_places)


@kernel(inline=True)
def _write_level(
    records: Records, index: int, instrument: int, side: int, price: int, size: int
) -> None:
    record = records[np.uint64(index)]
    record["price"] = price
    record["size"] = size
    record["instrument"] = instrument
    record["kind"] = BOOK_SET
    record["side"] = side


@kernel()
def _read_alike(text: Text, at: int, stop: int, state: Record, records: Records, side: int) -> int:
    """Write the levels that follow, while each price is laid out as the first of them.

    Begins and ends after a level. What stops it is for `read_levels` to judge.
    """
    row = state["row"]
    instrument = state["symbols"][row + INSTRUMENT]
    size_places = int(state["symbols"][row + SIZE_PLACES])
    price_places = int(state["symbols"][row + PRICE_PLACES])
    if at + LONGEST_ALIKE > stop:
        return at
    point, length = decimal_layout(word(text, at + 3))
    if length == 0 or price_places > MOST_PLACES:
        return at
    missing = price_places - (length - point - 1)
    kept = length + min(missing, 0)
    scale = int(POWERS[max(missing, 0)])
    index = state["next"]
    while at + LONGEST_ALIKE <= stop and word(text, at) & THREE_BYTES == NEXT_LEVEL:
        eight = word(text, at + 3)
        end = at + 3 + length
        if not is_laid_out(eight, point, length) or not are_zeros(eight, kept, length):
            break
        if word(text, end) & THREE_BYTES != LEVEL_MIDDLE:
            break
        price = laid_out_digits(eight, point, kept) * scale
        size, end = scan_short_decimal(text, end + 3, size_places)
        if price == 0 or end == LOST:
            break
        if byte(text, end) != QUOTE or byte(text, end + 1) != CLOSE_ARRAY:
            break
        _write_level(records, index, instrument, side, price, size)
        index += 1
        at = end + 2
    state["next"] = index
    return at


@kernel()
def read_levels(text: Text, at: int, stop: int, state: Record, records: Records, side: int) -> int:
    """Write one record a level and return the position after the array."""
    row = state["row"]
    instrument = state["symbols"][row + INSTRUMENT]
    price_places = int(state["symbols"][row + PRICE_PLACES])
    size_places = int(state["symbols"][row + SIZE_PLACES])
    at = skip_space(text, enter(text, at, stop, OPEN_ARRAY), stop)
    if peek(text, at, stop) == CLOSE_ARRAY:
        return at + 1
    while at < stop:
        price, size, at = _scan_level(text, at, stop, price_places, size_places)
        if at >= stop or price <= 0:
            return LOST
        _write_level(records, state["next"], instrument, side, price, size)
        state["next"] += 1
        at = _read_alike(text, at, stop, state, records, side)
        if peek(text, at, stop) != COMMA:
            return enter(text, at, stop, CLOSE_ARRAY)
        at = skip_space(text, at + 1, stop)
    return LOST


@kernel()
def read_side(text: Text, at: int, stop: int, state: Record, records: Records) -> int:
    """Read a book side, or step over it until the symbol is known and the bids are written."""
    field = state["side"]
    if field not in (BIDS, ASKS):
        return LOST
    if state["row"] < 0 or (field == ASKS and state["written"] != 1):
        state["values"][field] = at
        state["deferred"] |= 1 if field == BIDS else 2
        return skip_value(text, at, stop)
    state["written"] |= 1 if field == BIDS else 2
    return read_levels(text, at, stop, state, records, BUY if field == BIDS else SELL)


@kernel()
def read_deferred(text: Text, stop: int, state: Record, records: Records) -> bool:
    """Read the sides stepped over; True if both sides are written now."""
    deferred = state["deferred"]
    if deferred & 1:
        at = read_levels(text, state["values"][BIDS], stop, state, records, BUY)
        if at >= stop:
            return False
    if deferred & 2:
        at = read_levels(text, state["values"][ASKS], stop, state, records, SELL)
        if at >= stop:
            return False
    return int(deferred | state["written"]) == 3
