"""What the paper matcher sees of a book: state, best price, size at a price, next level."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import BookState
from bot4_core.jit import kernel
from bot4_core.kernels.book_ladder import count_levels, level_size
from bot4_core.kernels.book_window import (
    BASE,
    GRAIN,
    KEYS,
    LAST,
    MASK,
    OUTSIDE,
    WINDOW,
    Words,
    next_occupied,
)

__all__ = ["Sight", "best_price", "is_live", "next_price", "size_at"]

LIVE: Final = int(BookState.LIVE)


class Sight(NamedTuple):
    """The order books as their kernels keep them; only read here."""

    rows: NDArray[np.void]  # (instruments,) BOOK_DTYPE
    words: Words


@kernel()
def is_live(sight: Sight, instrument: int) -> bool:
    """Tell whether the book may be traded against."""
    return bool(sight.rows[instrument]["state"] == LIVE)


@kernel()
def best_price(sight: Sight, instrument: int, side: int) -> int:
    """Return the best price of a side, 0 where it is empty."""
    row = sight.rows[instrument]
    return int(row["bid"] if side > 0 else row["ask"])


@kernel()
def size_at(sight: Sight, instrument: int, side: int, price: int) -> int:
    """Return the displayed size at a price of a side."""
    row = sight.rows[instrument]
    at = row["bids"] if side > 0 else row["asks"]
    if count_levels(sight.words, at) == 0:
        return 0
    return level_size(sight.words, at, price)


@kernel()
def next_price(sight: Sight, instrument: int, side: int, price: int) -> int:
    """Return the next level behind a level's price, 0 for none."""
    row = sight.rows[instrument]
    words = sight.words
    at = row["bids"] if side > 0 else row["asks"]
    mask = words[at + MASK]
    key = price ^ mask
    if key <= words[at + LAST]:
        grain = words[at + GRAIN]
        index = next_occupied(words, at, (key - words[at + BASE]) // grain + 1)
        if index < words[at + WINDOW]:
            return int((words[at + BASE] + index * grain) ^ mask)
    keys = words[at + KEYS]
    low, high = 0, words[at + OUTSIDE]
    while low < high:
        middle = (low + high) >> 1
        if words[keys + middle] <= key:
            low = middle + 1
        else:
            high = middle
    if low == words[at + OUTSIDE]:
        return 0
    return int(words[keys + low] ^ mask)
