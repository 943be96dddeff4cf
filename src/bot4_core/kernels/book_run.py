"""The hot loop: set many levels of a message without a branch that the data decides.

It reads each record once: a look ahead for the message's end would cost as much as all the rest,
because then reading and computing do not overlap. ``benchmarks/bench_book.py`` prints the figures.
"""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import EventKind
from bot4_core.jit import kernel
from bot4_core.kernels.book_ladder import DONE, put_far
from bot4_core.kernels.book_state import BookRow, Events, set_level
from bot4_core.kernels.book_window import (
    BASE,
    BEST,
    BITS,
    GRAIN,
    HEADER,
    INSIDE,
    LAST,
    MASK,
    MISSES,
    SIZES,
    Words,
)

__all__ = ["put_levels"]

BOOK_SET: Final = int(EventKind.BOOK_SET)
ZERO: Final = np.int64(0)
ONE: Final = np.int64(1)


@kernel(inline=True)
def _put_run(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> int:
    """Set levels of one instrument and side from ``begin`` on while they need nothing unusual.

    Stops at another side, instrument or kind, at a price outside the window or its grain, at the
    removal of a best level and, for a strict row, at an orphan; returns the place it stopped at.
    """
    side, instrument = events[begin]["side"], events[begin]["instrument"]
    at = row["bids"] if side > 0 else row["asks"]
    mask, base, last = memory[at + MASK], memory[at + BASE], memory[at + LAST]
    grain, best, inside = memory[at + GRAIN], memory[at + BEST], memory[at + INSIDE]
    bits, sizes = memory[at + BITS], memory[at + SIZES]
    scale = 1.0 / max(grain, 1)
    strict = row["strict"]
    orphans = 0
    place = begin
    while place < end:
        event = events[np.uint64(place)]
        key = event["price"] ^ mask
        size = event["size"]
        if event["kind"] != BOOK_SET or event["side"] != side or event["instrument"] != instrument:
            break
        if key < base or key > last or size < 0:
            break
        index = int((key - base) * scale + 0.5)  # a guess in floating point; the next line decides
        if index * grain != key - base:
            break
        if index <= best:
            if size == 0:
                break
            best = index
        slot = np.uint64(sizes + index)
        held = memory[slot]
        memory[slot] = size
        change = (ONE if size != 0 else ZERO) - (ONE if held != 0 else ZERO)
        inside += change
        slot = np.uint64(bits + (index >> 6))
        word = memory[slot]
        left = word ^ ((change & 1) << (index & 63))
        memory[slot] = left
        if (left == 0) != (word == 0):
            memory[np.uint64(at + HEADER + (index >> 12))] ^= ONE << ((index >> 6) & 63)
        elif size | held == 0:
            if strict != 0:
                break
            orphans += 1
        place += 1
    memory[at + BEST] = best
    memory[at + INSIDE] = inside
    row["orphans"] += orphans
    return place


@kernel(inline=True)
def _put_beyond(row: BookRow, memory: Words, at: int, key: int, size: int) -> bool:
    """Set a level worse than the window; False where it takes more than the overflow."""
    if (
        memory[at + INSIDE] == 0
        or key <= memory[at + LAST]
        or (key ^ memory[at + MASK]) % memory[at + GRAIN] != 0
    ):
        return False
    if size == 0 and row["strict"] != 0:
        return False
    memory[at + MISSES] += 1
    if put_far(memory, at, key, size) != DONE:
        row["orphans"] += 1
    return True


@kernel()
def put_levels(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> int:
    """Set the levels of the message that starts at ``begin``, at most up to ``end``.

    Both ladders must have room for ``end - begin`` levels more.

    Returns
    -------
    int
        Place of the first record that is no level of the message.
    """
    instrument = events[begin]["instrument"]
    place = begin
    while place < end:
        place = _put_run(row, memory, events, place, end)
        if place == end:
            break
        event = events[place]
        price, size = event["price"], event["size"]
        if event["kind"] != BOOK_SET or event["instrument"] != instrument:
            break
        if event["side"] == 0 or size < 0:
            break
        side = 1 if event["side"] > 0 else -1
        at = row["bids"] if side > 0 else row["asks"]
        if not _put_beyond(row, memory, at, price ^ memory[at + MASK], size):
            set_level(row, memory, side, price, size)
        place += 1
    return place
