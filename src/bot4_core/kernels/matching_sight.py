"""What the paper matcher sees of a book: state, best price, size at a price, next level."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import BookState
from bot4_core.jit import kernel

__all__ = ["FlatBooks", "best_price", "is_live", "next_price", "size_at"]

LIVE = int(BookState.LIVE)


class FlatBooks(NamedTuple):
    """Sorted levels of every instrument; side 0 holds bids and side 1 asks, best first."""

    state: NDArray[np.int64]  # (instruments,)
    counts: NDArray[np.int64]  # (instruments, 2)
    prices: NDArray[np.int64]  # (instruments, 2, levels)
    sizes: NDArray[np.int64]


@kernel()
def is_live(books: FlatBooks, instrument: int) -> bool:
    """Tell whether the book may be traded against."""
    return bool(books.state[instrument] == LIVE)


@kernel()
def next_price(books: FlatBooks, instrument: int, side: int, price: int) -> int:
    """Return the first level of a side that is worse than a price, 0 for none."""
    row = 0 if side > 0 else 1
    for at in range(books.counts[instrument, row]):
        found = books.prices[instrument, row, at]
        if (price - found) * side > 0:
            return int(found)
    return 0


@kernel()
def best_price(books: FlatBooks, instrument: int, side: int) -> int:
    """Return the best price of a side, 0 where it is empty."""
    row = 0 if side > 0 else 1
    if books.counts[instrument, row] == 0:
        return 0
    return int(books.prices[instrument, row, 0])


@kernel()
def size_at(books: FlatBooks, instrument: int, side: int, price: int) -> int:
    """Return the displayed size at a price of a side."""
    row = 0 if side > 0 else 1
    for at in range(books.counts[instrument, row]):
        if books.prices[instrument, row, at] == price:
            return int(books.sizes[instrument, row, at])
    return 0
