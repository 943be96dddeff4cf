"""What the paper matcher sees of a book: state, best price, size at a price, next level."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import BookState
from bot4_core.jit import kernel
from bot4_core.kernels.book_ladder import count_levels, level_size
from bot4_core.kernels.book_state import BOOK_DTYPE
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

__all__ = ["Sight", "best_price", "is_live", "next_price", "see", "size_at"]

LIVE: Final = int(BookState.LIVE)
ROW_WORDS: Final = BOOK_DTYPE.itemsize // 8
FIELDS: Final = list(BOOK_DTYPE.names or ())  # all of 64 bits
STATE: Final = FIELDS.index("state")
BID: Final = FIELDS.index("bid")
ASK: Final = FIELDS.index("ask")
BIDS: Final = FIELDS.index("bids")
ASKS: Final = FIELDS.index("asks")


class Sight(NamedTuple):
    """The order books as their kernels keep them; only read here."""

    rows: Words  # BOOK_DTYPE rows as words
    words: Words


def see(rows: NDArray[np.void], words: Words) -> Sight:
    """Return the sight of books: their BOOK_DTYPE rows and their memory."""
    return Sight(rows.view(np.int64), words)


@kernel()
def is_live(sight: Sight, instrument: int) -> bool:
    """Tell whether the book may be traded against."""
    return bool(sight.rows[ROW_WORDS * instrument + STATE] == LIVE)


@kernel()
def best_price(sight: Sight, instrument: int, side: int) -> int:
    """Return the best price of a side, 0 where it is empty."""
    return int(sight.rows[ROW_WORDS * instrument + (BID if side > 0 else ASK)])


@kernel()
def size_at(sight: Sight, instrument: int, side: int, price: int) -> int:
    """Return the displayed size at a price of a side."""
    at = sight.rows[ROW_WORDS * instrument + (BIDS if side > 0 else ASKS)]
    if count_levels(sight.words, at) == 0:
        return 0
    return level_size(sight.words, at, price)


@kernel()
def next_price(sight: Sight, instrument: int, side: int, price: int) -> int:
    """Return the next level behind a level's price, 0 for none."""
    words = sight.words
    at = sight.rows[ROW_WORDS * instrument + (BIDS if side > 0 else ASKS)]
    mask = words[at + MASK]
    key = price ^ mask
    if key <= words[at + LAST]:
        grain = words[at + GRAIN]
        index = next_occupied(words, at, int((key - words[at + BASE]) // grain + 1))
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
