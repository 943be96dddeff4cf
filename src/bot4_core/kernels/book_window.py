"""One side of an order book: a dense window of ticks, a bitmap over it and a sorted overflow.

A ladder lives in a slice of one int64 array (``memory``), starting at word ``at``. Both sides use
the same code because prices are turned into *keys* whose order is the order of the book, best
first: an ask's key is its price, a bid's key is the price's bitwise complement.

====================== ==========================================================================
words                  content
====================== ==========================================================================
header                 ``HEADER`` words, named by the constants below
summary                one bit a word of the bitmap
bitmap                 one bit a tick of the window, 64 ticks a word
sizes                  size at each tick of the window, 0 for none
keys, amounts          levels worse than the window, best first
====================== ==========================================================================

The best level is always inside the window. ``tests/core/kernels/test_book_ladder.py`` asserts
every invariant after random operations.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = [
    "AMOUNTS",
    "BASE",
    "BEST",
    "BITS",
    "CAPACITY",
    "GRAIN",
    "HEADER",
    "INSIDE",
    "INT64_MAX",
    "KEYS",
    "LAST",
    "MASK",
    "MINIMUM_WINDOW",
    "MISSES",
    "OUTSIDE",
    "SIZES",
    "WINDOW",
    "Words",
    "clear_ladder",
    "copy_ladder",
    "highest_bit",
    "ladder_words",
    "last_occupied",
    "lowest_bit",
    "mark_tick",
    "new_ladder",
    "next_occupied",
    "recentre",
    "set_grain",
    "unmark_tick",
]

Words = NDArray[np.int64]

WINDOW: Final = 0  # ticks that have memory, a multiple of 4096
CAPACITY: Final = 1  # levels that fit into the overflow
GRAIN: Final = 2  # price step of the window, 0 while no price was seen
BASE: Final = 3  # key of the window's first tick
LAST: Final = 4  # key of the window's last tick
BEST: Final = 5  # first occupied tick, WINDOW for none
INSIDE: Final = 6  # levels in the window
OUTSIDE: Final = 7  # levels in the overflow
MISSES: Final = 8  # levels set outside the window since it was laid out
MASK: Final = 9  # key = price ^ mask: -1 for bids, 0 for asks
BITS: Final = 10  # where the bitmap starts
SIZES: Final = 11
KEYS: Final = 12
AMOUNTS: Final = 13
HEADER: Final = 16

MINIMUM_WINDOW: Final = 4096

ONE: Final = np.int64(1)
ALL_BITS: Final = np.int64(-1)
SPAN_LIMIT: Final = 2**62  # the window never spans more, so that differences cannot overflow
INT64_MAX: Final = 2**63 - 1


@kernel()
def lowest_bit(word: int) -> int:
    """Return the position of the lowest set bit of a non-zero word."""
    position = 0
    if word & 0xFFFFFFFF == 0:
        word >>= 32
        position += 32
    if word & 0xFFFF == 0:
        word >>= 16
        position += 16
    if word & 0xFF == 0:
        word >>= 8
        position += 8
    if word & 0xF == 0:
        word >>= 4
        position += 4
    if word & 0x3 == 0:
        word >>= 2
        position += 2
    return position + 1 - (word & 1)


@kernel()
def highest_bit(word: int) -> int:
    """Return the position of the highest set bit of a non-zero word."""
    if word < 0:
        return 63
    position = 0
    for step in (32, 16, 8, 4, 2, 1):
        if word >> step:
            word >>= step
            position += step
    return position


@kernel()
def ladder_words(window: int, capacity: int) -> int:
    """Return how many words a ladder takes."""
    return HEADER + (window >> 12) + (window >> 6) + window + 2 * capacity


@kernel()
def new_ladder(memory: Words, at: int, window: int, capacity: int, mask: int) -> None:
    """Lay out an empty ladder in zeroed memory."""
    bits = at + HEADER + (window >> 12)
    memory[at + WINDOW] = window
    memory[at + CAPACITY] = capacity
    memory[at + LAST] = -1
    memory[at + BEST] = window
    memory[at + MASK] = mask
    memory[at + BITS] = bits
    memory[at + SIZES] = bits + (window >> 6)
    memory[at + KEYS] = bits + (window >> 6) + window
    memory[at + AMOUNTS] = bits + (window >> 6) + window + capacity


@kernel()
def next_occupied(memory: Words, at: int, start: int) -> int:
    """Return the first occupied tick at or after ``start``, the window's size if none."""
    window = memory[at + WINDOW]
    if start >= window:
        return int(window)
    bits = memory[at + BITS]
    word = start >> 6
    found = memory[bits + word] & (ALL_BITS << (start & 63))
    if found != 0:
        return (word << 6) + lowest_bit(int(found))
    word += 1
    group = word >> 6
    groups = window >> 12
    if group >= groups:
        return int(window)
    found = memory[at + HEADER + group] & (ALL_BITS << (word & 63))
    while found == 0:
        group += 1
        if group >= groups:
            return int(window)
        found = memory[at + HEADER + group]
    word = (group << 6) + lowest_bit(int(found))
    return (word << 6) + lowest_bit(int(memory[bits + word]))


@kernel()
def last_occupied(memory: Words, at: int) -> int:
    """Return the last occupied tick of a window that holds a level."""
    group = (memory[at + WINDOW] >> 12) - 1
    while memory[at + HEADER + group] == 0:
        group -= 1
    word = (group << 6) + highest_bit(int(memory[at + HEADER + group]))
    return int((word << 6) + highest_bit(int(memory[memory[at + BITS] + word])))


@kernel()
def mark_tick(memory: Words, at: int, index: int) -> None:
    """Set the bit of a tick."""
    word = index >> 6
    memory[memory[at + BITS] + word] |= ONE << (index & 63)
    memory[at + HEADER + (word >> 6)] |= ONE << (word & 63)


@kernel()
def unmark_tick(memory: Words, at: int, index: int) -> None:
    """Clear the bit of a tick."""
    word = index >> 6
    left = memory[memory[at + BITS] + word] & ~(ONE << (index & 63))
    memory[memory[at + BITS] + word] = left
    if left == 0:
        memory[at + HEADER + (word >> 6)] &= ~(ONE << (word & 63))


@kernel()
def _spill(memory: Words, at: int) -> None:
    """Move every level of the window into the overflow."""
    inside = memory[at + INSIDE]
    outside = memory[at + OUTSIDE]
    keys = memory[at + KEYS]
    amounts = memory[at + AMOUNTS]
    for i in range(outside - 1, -1, -1):
        memory[keys + inside + i] = memory[keys + i]
        memory[amounts + inside + i] = memory[amounts + i]
    index = memory[at + BEST]
    for i in range(inside):
        memory[keys + i] = memory[at + BASE] + index * memory[at + GRAIN]
        memory[amounts + i] = memory[memory[at + SIZES] + index]
        memory[memory[at + SIZES] + index] = 0
        unmark_tick(memory, at, index)
        index = next_occupied(memory, at, index + 1)
    memory[at + INSIDE] = 0
    memory[at + OUTSIDE] = inside + outside
    memory[at + BEST] = memory[at + WINDOW]


@kernel()
def _fill(memory: Words, at: int) -> None:
    """Move the overflow's levels that the window covers into the window."""
    outside = memory[at + OUTSIDE]
    keys = memory[at + KEYS]
    amounts = memory[at + AMOUNTS]
    best = memory[at + WINDOW]
    if outside > 0 and memory[keys] <= memory[at + LAST]:
        best = (memory[keys] - memory[at + BASE]) // memory[at + GRAIN]
    moved = 0
    while moved < outside and memory[keys + moved] <= memory[at + LAST]:
        index = (memory[keys + moved] - memory[at + BASE]) // memory[at + GRAIN]
        memory[memory[at + SIZES] + index] = memory[amounts + moved]
        mark_tick(memory, at, index)
        moved += 1
    for i in range(moved, outside):
        memory[keys + i - moved] = memory[keys + i]
        memory[amounts + i - moved] = memory[amounts + i]
    memory[at + INSIDE] = moved
    memory[at + OUTSIDE] = outside - moved
    memory[at + BEST] = best


@kernel()
def _lay_window(memory: Words, at: int, key: int) -> None:
    """Put the window around a key, an eighth of it on the better side, without overflow."""
    grain = memory[at + GRAIN]
    limit = max(SPAN_LIMIT // grain, 1)
    below = INT64_MAX if key >= 0 else max(key + INT64_MAX, 0)
    margin = min(memory[at + WINDOW] >> 3, below // grain, limit - 1)
    base = key - margin * grain
    above = INT64_MAX if base < 0 else INT64_MAX - base
    steps = min(memory[at + WINDOW] - 1, limit - 1, above // grain)
    memory[at + BASE] = base
    memory[at + LAST] = base + steps * grain


@kernel()
def recentre(memory: Words, at: int, key: int) -> None:
    """Move the window so that ``key`` lies near its better end; O(levels)."""
    _spill(memory, at)
    _lay_window(memory, at, key)
    _fill(memory, at)


@kernel()
def set_grain(memory: Words, at: int, grain: int) -> None:
    """Rebuild the window with another price step; every level must be a multiple of it."""
    _spill(memory, at)
    memory[at + GRAIN] = grain
    if memory[at + OUTSIDE] > 0:
        _lay_window(memory, at, int(memory[memory[at + KEYS]]))
        _fill(memory, at)
    else:
        memory[at + BASE] = 0
        memory[at + LAST] = -1


@kernel()
def clear_ladder(memory: Words, at: int) -> None:
    """Remove every level; the window stays where it is."""
    index = memory[at + BEST]
    window = memory[at + WINDOW]
    while index < window:
        memory[memory[at + SIZES] + index] = 0
        unmark_tick(memory, at, index)
        index = next_occupied(memory, at, index + 1)
    memory[at + BEST] = window
    memory[at + INSIDE] = 0
    memory[at + OUTSIDE] = 0


@kernel()
def copy_ladder(memory: Words, source: int, target: int) -> None:
    """Move all levels into a fresh, larger ladder elsewhere in the same memory."""
    _spill(memory, source)
    count = memory[source + OUTSIDE]
    for i in range(count):
        memory[memory[target + KEYS] + i] = memory[memory[source + KEYS] + i]
        memory[memory[target + AMOUNTS] + i] = memory[memory[source + AMOUNTS] + i]
    memory[target + OUTSIDE] = count
    set_grain(memory, target, memory[source + GRAIN])
