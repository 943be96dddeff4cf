"""The one array in which all ladders, counters and kept deltas of a session live."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.kernels.book_messages import LARGEST_PENDING, LARGEST_WINDOW, window_is_small
from bot4_core.kernels.book_state import KIND_SLOTS
from bot4_core.kernels.book_window import (
    BASE,
    CAPACITY,
    GRAIN,
    INSIDE,
    KEYS,
    MASK,
    MINIMUM_WINDOW,
    OUTSIDE,
    WINDOW,
    copy_ladder,
    ladder_words,
    new_ladder,
)

__all__ = ["BookMemory"]

FIRST_WORDS: Final = 1 << 26  # the system gives pages only where they are written
LEAST_WORDS: Final = 1 << 20  # where it does not give so much room
FIRST_CAPACITY: Final = 1024  # overflow levels of a fresh ladder
FIRST_PENDING: Final = 2048  # words


class BookMemory:
    """An int64 array that hands out zeroed slices and doubles when it is full.

    Slices never move; one that is outgrown is handed out again where the same size is wanted. The
    array begins so large that hardly any session doubles it, which takes both copies for a moment.

    Attributes
    ----------
    words : (n,) int64
        Replaced by a longer copy when memory is full: read it again after every growth.
    """

    __slots__ = ("_outgrown", "_used", "words")

    def __init__(self) -> None:
        self.words: NDArray[np.int64] = reserved()
        self._used = 0
        self._outgrown: dict[int, list[int]] = {}

    def take(self, count: int) -> int:
        """Return the start of a fresh zeroed slice; amortised O(count)."""
        if self._outgrown.get(count):
            start = self._outgrown[count].pop()
            self.words[start : start + count] = 0
            return start
        start = self._used
        self._used += count
        if self._used > self.words.size:
            longer = np.zeros(max(2 * self.words.size, self._used), np.int64)
            longer[:start] = self.words[:start]
            self.words = longer
        return start

    def give_back(self, start: int, count: int) -> None:
        """Take back a slice that nobody uses any more."""
        self._outgrown.setdefault(count, []).append(start)

    def add_book(self, row: np.void) -> None:
        """Give a new book its ladders, counters and space for kept deltas."""
        for field, mask in (("bids", -1), ("asks", 0)):
            row[field] = self._add_ladder(MINIMUM_WINDOW, FIRST_CAPACITY, mask)
        row["counts"] = self.take(KIND_SLOTS)
        row["pending"] = self.take(FIRST_PENDING)
        row["pending_size"] = FIRST_PENDING

    def _add_ladder(self, window: int, capacity: int, mask: int) -> int:
        at = self.take(int(ladder_words(window, capacity)))
        new_ladder(self.words, at, window, capacity, mask)
        return at

    def grow_ladder(self, row: np.void, field: str, room: int) -> None:
        """Move a ladder to a slice with room for more levels, and a larger window if it misses."""
        old = int(row[field])
        window, capacity, inside, outside, mask = (
            int(self.words[old + slot]) for slot in (WINDOW, CAPACITY, INSIDE, OUTSIDE, MASK)
        )
        outgrown = int(ladder_words(window, capacity))
        while capacity < inside + outside + room:
            capacity *= 2
        if window_is_small(self.words, old):
            while window < LARGEST_WINDOW and window < self._wanted_window(old):
                window *= 2
        row[field] = self._add_ladder(window, capacity, mask)
        copy_ladder(self.words, old, int(row[field]))
        self.give_back(old, outgrown)

    def _wanted_window(self, at: int) -> int:
        """Return twice the ticks that cover three quarters of a ladder's overflow."""
        words = self.words
        far = int(words[int(words[at + KEYS]) + int(words[at + OUTSIDE]) * 3 // 4])
        ticks = (far - int(words[at + BASE])) // int(words[at + GRAIN])
        return 2 * max(ticks, int(words[at + WINDOW]))

    def grow_pending(self, row: np.void, words: int) -> None:
        """Move the kept deltas to a slice with room for so many words, within the bound."""
        old, used, size = (int(row[f]) for f in ("pending", "pending_used", "pending_size"))
        outgrown = size
        while size < used + words and size < LARGEST_PENDING:
            size *= 2
        row["pending"] = self.take(size)
        row["pending_size"] = size
        new = int(row["pending"])
        self.words[new : new + used] = self.words[old : old + used]
        self.give_back(old, outgrown)


def reserved() -> NDArray[np.int64]:
    """Return zeroed memory, less of it where the system gives no more."""
    try:
        return np.zeros(FIRST_WORDS, np.int64)
    except MemoryError:
        return np.zeros(LEAST_WORDS, np.int64)
