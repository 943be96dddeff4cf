"""Book sides: ``[["price","size"],...]`` straight into event records."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventKind, Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, Buffer, peek, scan_decimal
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
from bot4_core.plugins.interfaces import Records
from bot4_plugins.exchange_binance.kernel_layout import (
    ASKS,
    BIDS,
    BOOK_SIDES,
    DEFERRED,
    NEXT,
    ROW,
)

__all__ = ["LONGEST_NUMBER", "read_deferred", "read_side", "scan_quoted"]

LONGEST_NUMBER: Final = 64
"""Characters of a decimal text beyond which it is taken for damage."""
BOOK_SET: Final = int(EventKind.BOOK_SET)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)


@kernel()
def scan_quoted(data: Buffer, at: int, stop: int, places: int) -> tuple[int, int]:
    """Read a decimal between quotes; ``next`` is after the closing quote."""
    at = enter(data, at, stop, QUOTE)
    value, end = scan_decimal(data, at, stop, places)
    if peek(data, end, stop) != QUOTE or end - at > LONGEST_NUMBER:
        return 0, LOST
    return value, end + 1


@kernel()
def _read_levels(  # noqa: PLR0917
    data: Buffer, at: int, stop: int, state: NDArray[np.int64], records: Records, side: int
) -> int:
    row = state[ROW]
    instrument = state[row + INSTRUMENT]
    price_places = state[row + PRICE_PLACES]
    size_places = state[row + SIZE_PLACES]
    index = state[NEXT]
    while at < stop:
        at = enter(data, at, stop, OPEN_ARRAY)
        price, at = scan_quoted(data, at, stop, price_places)
        at = enter(data, at, stop, COMMA)
        size, at = scan_quoted(data, at, stop, size_places)
        at = enter(data, at, stop, CLOSE_ARRAY)
        if price <= 0 or at >= stop:
            return LOST
        record = records[index]
        record["price"] = price
        record["size"] = size
        record["instrument"] = instrument
        record["kind"] = BOOK_SET
        record["side"] = side
        index += 1
        if peek(data, at, stop) != COMMA:
            state[NEXT] = index
            return enter(data, at, stop, CLOSE_ARRAY)
        at = skip_space(data, at + 1, stop)
    return LOST


@kernel()
def read_levels(  # noqa: PLR0917
    data: Buffer, at: int, stop: int, state: NDArray[np.int64], records: Records, side: int
) -> int:
    """Write one record a level and return the position after the array."""
    at = skip_space(data, enter(data, at, stop, OPEN_ARRAY), stop)
    if peek(data, at, stop) == CLOSE_ARRAY:
        return at + 1
    return _read_levels(data, at, stop, state, records, side)


@kernel()
def read_side(  # noqa: PLR0917
    data: Buffer, at: int, stop: int, state: NDArray[np.int64], records: Records, field: int
) -> int:
    """Read a book side, or step over it until the symbol is known and the bids are written."""
    if field not in {BIDS, ASKS}:
        return LOST
    if state[ROW] < 0 or (field == ASKS and state[BOOK_SIDES] != 1):
        state[field] = at
        state[DEFERRED] |= 1 if field == BIDS else 2
        return skip_value(data, at, stop)
    state[BOOK_SIDES] |= 1 if field == BIDS else 2
    return read_levels(data, at, stop, state, records, BUY if field == BIDS else SELL)


@kernel()
def read_deferred(data: Buffer, stop: int, state: NDArray[np.int64], records: Records) -> bool:
    """Read the sides stepped over; True if both sides are written now."""
    deferred = state[DEFERRED]
    if deferred & 1 and read_levels(data, state[BIDS], stop, state, records, BUY) >= stop:
        return False
    if deferred & 2 and read_levels(data, state[ASKS], stop, state, records, SELL) >= stop:
        return False
    return int(deferred | state[BOOK_SIDES]) == 3
