"""Step one of decoding: find the fields of a Binance event, whatever their order.

Integers are read, strings are located, book sides are turned into records on the way. Anything
that is not a plain field with a short name is left to the slow decoder.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, ZERO, Buffer, byte, peek, scan_count, word
from bot4_core.kernels.wire_json import (
    CLOSE_OBJECT,
    COLON,
    COMMA,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    enter,
    skip_literal,
    skip_space,
    skip_string,
    skip_value,
)
from bot4_core.kernels.wire_symbols import find_symbol
from bot4_core.plugins.interfaces import Records
from bot4_plugins.exchange_binance import kernel_layout as layout
from bot4_plugins.exchange_binance.kernel_layout import (
    COUNTS,
    ENDS,
    PREVIOUS,
    ROW,
    SEEN,
    SLOTS,
    SYMBOLS,
    TEXTS,
    TRUTHS,
)
from bot4_plugins.exchange_binance.kernel_levels import read_side

__all__ = ["scan_fields"]

OTHER: Final = 61  # field number of one unknown two-letter name
SYMBOL: Final = layout.letter("s")
CANDLE: Final = layout.letter("k")
PU: Final = int.from_bytes(b"pu", "little")
PS: Final = int.from_bytes(b"ps", "little")
ST: Final = int.from_bytes(b"st", "little")
KEY_MASK: Final = 0xFFFF00FF
KEY: Final = int.from_bytes(b'"\0":', "little")


@kernel()
def _is_letter(found: int) -> bool:
    return ord("a") <= (found | 32) <= ord("z")


@kernel()
def _scan_name(data: Buffer, at: int, stop: int) -> tuple[int, int]:
    # one or two letters between quotes -> field number
    at = enter(data, at, stop, QUOTE)
    if not _is_letter(peek(data, at, stop)):
        return 0, LOST
    first = byte(data, at)
    second = peek(data, at + 1, stop)
    if second == QUOTE:
        return first - ord("A"), at + 2
    if not _is_letter(second) or peek(data, at + 2, stop) != QUOTE:
        return 0, LOST
    name = first | second << 8
    if name == PU:
        return PREVIOUS, at + 3
    if name == PS:
        return PREVIOUS + 1, at + 3
    return PREVIOUS + 2 if name == ST else OTHER, at + 3


@kernel()
def _scan_key(data: Buffer, at: int, stop: int) -> tuple[int, int]:
    """Return field number and position of the value."""
    if at + 8 <= stop:
        eight = word(data, at)
        first = (eight >> 8) & 0xFF
        if (eight & KEY_MASK) == KEY and _is_letter(first):
            return first - ord("A"), skip_space(data, at + 4, stop)
    field, at = _scan_name(data, at, stop)
    return field, skip_space(data, enter(data, at, stop, COLON), stop)


@kernel()
def _scan_value(  # noqa: PLR0917
    data: Buffer, at: int, stop: int, state: NDArray[np.int64], records: Records, field: int
) -> int:
    """Take in one value and return the position after it."""
    found = peek(data, at, stop)
    if found == QUOTE:
        end = skip_string(data, at + 1, stop)
        state[field] = at + 1
        state[ENDS + field] = end
        state[TEXTS] |= 1 << field
        if field == SYMBOL and end < stop:
            state[ROW] = find_symbol(data, at + 1, end, stop, state, SYMBOLS, state[SLOTS])
        return end + 1
    if ZERO <= found <= ZERO + 9:
        state[field], at = scan_count(data, at, stop)
        state[COUNTS] |= 1 << field
        return at
    if found == OPEN_ARRAY:
        return read_side(data, at, stop, state, records, field)
    if found == OPEN_OBJECT and field == CANDLE:
        state[field] = at
        return skip_value(data, at, stop)
    if found == ord("t") or found == ord("f"):
        state[field] = found == ord("t")
        state[TRUTHS] |= 1 << field
        return skip_literal(data, at, stop)
    return LOST


@kernel()
def scan_fields(
    data: Buffer, at: int, stop: int, state: NDArray[np.int64], records: Records
) -> int:
    """Read the object at ``at`` into ``state`` and return the position after it."""
    state[SEEN] = 0
    state[COUNTS] = 0
    state[TEXTS] = 0
    state[TRUTHS] = 0
    seen = 0
    at = enter(data, at, stop, OPEN_OBJECT)
    while at < stop:
        field, at = _scan_key(data, at, stop)
        if seen >> field & 1:
            return LOST
        seen |= 1 << field
        at = _scan_value(data, at, stop, state, records, field)
        if peek(data, at, stop) != COMMA:
            at = skip_space(data, at, stop)
        found = peek(data, at, stop)
        if found == CLOSE_OBJECT:
            state[SEEN] = seen
            return at + 1
        if found != COMMA:
            return LOST
        at += 1
    return LOST
