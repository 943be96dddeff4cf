"""Book sides in arrays of quoted texts: ``[["price","size"],...]`` straight into event records."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventKind, Record, Records
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
    skip_string,
)
from bot4_core.kernels.wire_symbols import INSTRUMENT, PRICE_PLACES, SIZE_PLACES

__all__ = ["complete_book", "read_levels", "write_level"]

BOOK_SET: Final = int(EventKind.BOOK_SET)
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
    text: Text, at: int, stop: int, price_places: int, size_places: int, extras: int
) -> tuple[int, int, int]:
    at = enter(text, at, stop, OPEN_ARRAY)
    price, at = _scan_quoted(text, at, stop, price_places)
    at = enter(text, at, stop, COMMA)
    size, at = _scan_quoted(text, at, stop, size_places)
    for _ in range(extras):
        at = enter(text, enter(text, at, stop, COMMA), stop, QUOTE)
        at = skip_string(text, at, stop) + 1
    return price, size, enter(text, at, stop, CLOSE_ARRAY)


@kernel()
def _skip_texts(text: Text, at: int, stop: int, extras: int) -> int:
    """Step from the quote that ends one text to that of the last of some more."""
    for _ in range(extras):
        if at + 8 > stop or word(text, at) & THREE_BYTES != LEVEL_MIDDLE:
            return LOST
        at = skip_string(text, at + 3, stop)
    return at


@kernel(inline=True)
def _scan_level(
    text: Text, at: int, stop: int, price_places: int, size_places: int, extras: int
) -> tuple[int, int, int]:
    """Read price and size, spelled as usual or with white space and longer numbers."""
    if at + 8 <= stop and word(text, at) & TWO_BYTES == LEVEL_BEGIN:
        price, end = scan_decimal(text, at + 2, stop, price_places)
        if end + 8 <= stop and word(text, end) & THREE_BYTES == LEVEL_MIDDLE:
            size, end = scan_decimal(text, end + 3, stop, size_places)
            if extras:
                end = _skip_texts(text, end, stop, extras)
            if end + 2 <= stop and byte(text, end) == QUOTE and byte(text, end + 1) == CLOSE_ARRAY:
                return price, size, end + 2
    return _scan_spaced_level(text, at, stop, price_places, size_places, extras)


@kernel(inline=True)
def write_level(
    records: Records, index: int, instrument: int, side: int, price: int, size: int
) -> None:
    """Write what is a level's own of a record; `complete_book` writes the rest."""
    record = records[np.uint64(index)]
    record["price"] = price
    record["size"] = size
    record["instrument"] = instrument
    record["kind"] = BOOK_SET
    record["side"] = side


@kernel()
def _read_alike(
    text: Text,
    at: int,
    stop: int,
    entry: NDArray[np.int64],
    index: int,
    records: Records,
    side: int,
    extras: int,
) -> tuple[int, int]:
    """Write the levels that follow, while each price is laid out as the first of them.

    Begins and ends after a level. What stops it is for `read_levels` to judge.
    """
    instrument = entry[INSTRUMENT]
    price_places = int(entry[PRICE_PLACES])
    size_places = int(entry[SIZE_PLACES])
    if at + LONGEST_ALIKE > stop:
        return at, index
    point, length = decimal_layout(word(text, at + 3))
    if length == 0 or price_places > MOST_PLACES:
        return at, index
    missing = price_places - (length - point - 1)
    kept = length + min(missing, 0)
    scale = int(POWERS[max(missing, 0)])
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
        if extras:
            end = _skip_texts(text, end, stop, extras)
            if end + 2 > stop:
                break
        if byte(text, end) != QUOTE or byte(text, end + 1) != CLOSE_ARRAY:
            break
        write_level(records, index, instrument, side, price, size)
        index += 1
        at = end + 2
    return at, index


@kernel()
def read_levels(
    text: Text,
    at: int,
    stop: int,
    entry: NDArray[np.int64],
    index: int,
    records: Records,
    side: int,
    extras: int,
) -> tuple[int, int]:
    """Write one record a level, from ``records[index]`` on.

    Parameters
    ----------
    entry : (SYMBOL_WIDTH,) int64
        The row of the instrument in a symbol table.
    extras : int
        Texts in a level behind price and size, which are not read.

    Returns
    -------
    next, index : int
        The position after the array and the next record, or `LOST` and a number of no meaning.
    """
    instrument = entry[INSTRUMENT]
    price_places = int(entry[PRICE_PLACES])
    size_places = int(entry[SIZE_PLACES])
    at = skip_space(text, enter(text, at, stop, OPEN_ARRAY), stop)
    if peek(text, at, stop) == CLOSE_ARRAY:
        return at + 1, index
    while at < stop:
        price, size, at = _scan_level(text, at, stop, price_places, size_places, extras)
        if at >= stop or price <= 0:
            return LOST, index
        write_level(records, index, instrument, side, price, size)
        at, index = _read_alike(text, at, stop, entry, index + 1, records, side, extras)
        if peek(text, at, stop) != COMMA:
            return enter(text, at, stop, CLOSE_ARRAY), index
        at = skip_space(text, at + 1, stop)
    return LOST, index


@kernel()
def complete_book(records: Records, first: int, end: int, flags: int, last_flags: int) -> None:
    """Give the records from ``first`` to before ``end`` the time and the ids of ``records[end]``.

    Parameters
    ----------
    flags, last_flags : int
        Of these records, and of the one at ``end``.
    """
    last: Record = records[end]
    time, received = last["time"], last["received"]
    sequence, aux, link = last["sequence"], last["aux"], last["link"]
    for index in range(first, end):
        record = records[index]
        record["time"] = time
        record["received"] = received
        record["sequence"] = sequence
        record["aux"] = aux
        record["link"] = link
        record["flags"] = flags
    last["flags"] = last_flags
