"""A hash table from a symbol's bytes to a row of integers, read by compiled decoders.

The table is a flat int64 array of rows of `SYMBOL_WIDTH` integers: three words of text (up to 24
ASCII bytes, zero-padded) and what a decoder wants to know. The number of rows is a power of two.
An empty row has a zero first word. Open addressing, linear probing: mean cost one probe while the
table is at most half full.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_bytes import Text, byte, word
from bot4_core.kernels.wire_json import skip_string

__all__ = [
    "INSTRUMENT",
    "LONGEST_SYMBOL",
    "PRICE_PLACES",
    "SIZE_PLACES",
    "SYMBOL_WIDTH",
    "find_symbol",
    "insert_symbol",
    "scan_symbol",
    "text_word",
]

LONGEST_SYMBOL: Final = 24
SYMBOL_WIDTH: Final = 6
INSTRUMENT: Final = 3
"""Offset in a row: the instrument's number."""
PRICE_PLACES: Final = 4
"""Offset in a row: decimals kept of a price."""
SIZE_PLACES: Final = 5
"""Offset in a row: decimals kept of a size."""


@kernel(inline=True)
def text_word(text: Text, at: int, end: int, stop: int) -> int:
    """Return up to eight bytes of text as a little-endian integer, zero beyond ``end``."""
    length = min(end - at, 8)
    if length <= 0:
        return 0
    if at + 8 <= stop:
        eight = word(text, at)
        return eight if length == 8 else eight & ((1 << (8 * length)) - 1)
    spelled = 0
    for offset in range(length):
        spelled |= byte(text, at + offset) << (8 * offset)
    return spelled


@kernel(inline=True)
def _slot(first: int, second: int, third: int, rows: int) -> int:
    mixed = first ^ (second >> 1) ^ (third >> 2)
    mixed ^= (mixed >> 7) ^ (mixed >> 23) ^ (mixed >> 41)
    return mixed & (rows - 1)


@kernel()
def find_symbol(text: Text, at: int, end: int, stop: int, table: NDArray[np.int64]) -> int:
    """Return the position of the symbol's row in ``table``, -1 if it has none.

    Parameters
    ----------
    at, end, stop : int
        The symbol is ``text[at:end]``; ``stop`` is where the readable bytes end.
    """
    if end - at > LONGEST_SYMBOL:
        return -1
    first = text_word(text, at, end, stop)
    second = text_word(text, at + 8, end, stop)
    third = text_word(text, at + 16, end, stop)
    rows = len(table) // SYMBOL_WIDTH
    slot = _slot(first, second, third, rows)
    while True:
        row = slot * SYMBOL_WIDTH
        if table[row] == 0:
            return -1
        if table[row] == first and table[row + 1] == second and table[row + 2] == third:
            return row
        slot = (slot + 1) & (rows - 1)


@kernel()
def insert_symbol(symbol: Text, length: int, table: NDArray[np.int64]) -> int:
    """Make a row for a symbol of 1 to 24 ASCII bytes and return its position.

    The symbol has none yet, and the caller keeps at least half of the rows empty.
    """
    rows = len(table) // SYMBOL_WIDTH
    first = text_word(symbol, 0, length, length)
    second = text_word(symbol, 8, length, length)
    third = text_word(symbol, 16, length, length)
    slot = _slot(first, second, third, rows)
    while table[slot * SYMBOL_WIDTH] != 0:
        slot = (slot + 1) & (rows - 1)
    row = slot * SYMBOL_WIDTH
    table[row] = first
    table[row + 1] = second
    table[row + 2] = third
    return row


@kernel()
def scan_symbol(text: Text, at: int, stop: int, table: NDArray[np.int64]) -> tuple[int, int]:
    """Return the place of a quoted symbol in the table, -1 for a stranger, and of its last quote.

    Parameters
    ----------
    at : int
        Position after the opening quote.
    """
    end = skip_string(text, at, stop)
    if end >= stop:
        return -1, LOST
    return find_symbol(text, at, end, stop, table), end
