"""A hash table from a symbol's bytes to a row of integers, read by compiled decoders.

The table is a flat int64 array of ``slots`` rows (a power of two) of `SYMBOL_WIDTH` integers:
three words of text (up to 24 ASCII bytes, zero-padded) and what a decoder wants to know. An empty
row has a zero first word. Open addressing, linear probing.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.wire import Buffer, byte, word

__all__ = [
    "INSTRUMENT",
    "LONGEST_SYMBOL",
    "PRICE_PLACES",
    "SIZE_PLACES",
    "SYMBOL_WIDTH",
    "find_symbol",
    "insert_symbol",
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


@kernel()
def text_word(data: Buffer, at: int, end: int, stop: int) -> int:
    """Return up to eight bytes of text as a little-endian integer, zero beyond ``end``."""
    length = min(end - at, 8)
    if length <= 0:
        return 0
    if at + 8 <= stop:
        eight = word(data, at)
        return eight if length == 8 else eight & ((1 << (8 * length)) - 1)
    spelled = 0
    for offset in range(length):
        spelled |= byte(data, at + offset) << (8 * offset)
    return spelled


@kernel()
def _slot(first: int, second: int, third: int, slots: int) -> int:
    mixed = first ^ (second >> 1) ^ (third >> 2)
    mixed ^= (mixed >> 7) ^ (mixed >> 23) ^ (mixed >> 41)
    return mixed & (slots - 1)


@kernel()
def find_symbol(  # noqa: PLR0917 - text and table
    data: Buffer, at: int, end: int, stop: int, table: NDArray[np.int64], base: int, slots: int
) -> int:
    """Return the position of the symbol's row in ``table``, -1 if it has none.

    Parameters
    ----------
    at, end, stop : int
        The symbol is ``data[at:end]``; ``stop`` is where the readable bytes end.
    base, slots : int
        Where the rows begin in ``table``, and how many there are.
    """
    if end - at > LONGEST_SYMBOL:
        return -1
    first = text_word(data, at, end, stop)
    second = text_word(data, at + 8, end, stop)
    third = text_word(data, at + 16, end, stop)
    slot = _slot(first, second, third, slots)
    while True:
        row = base + slot * SYMBOL_WIDTH
        if table[row] == 0:
            return -1
        if table[row] == first and table[row + 1] == second and table[row + 2] == third:
            return row
        slot = (slot + 1) & (slots - 1)


@kernel()
def insert_symbol(
    symbol: Buffer, table: NDArray[np.int64], base: int, slots: int, values: NDArray[np.int64]
) -> None:
    """Write a row for a symbol that has none yet; the caller keeps at least one row empty.

    Parameters
    ----------
    symbol : bytes
        1 to 24 ASCII bytes.
    values : (3,) int64
        Instrument number, decimals of prices, decimals of sizes.
    """
    length = len(symbol)
    first = text_word(symbol, 0, length, length)
    second = text_word(symbol, 8, length, length)
    third = text_word(symbol, 16, length, length)
    slot = _slot(first, second, third, slots)
    while table[base + slot * SYMBOL_WIDTH] != 0:
        slot = (slot + 1) & (slots - 1)
    row = base + slot * SYMBOL_WIDTH
    table[row] = first
    table[row + 1] = second
    table[row + 2] = third
    for offset in range(SYMBOL_WIDTH - INSTRUMENT):
        table[row + INSTRUMENT + offset] = values[offset]
