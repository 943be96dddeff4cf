"""The kernels that books call from Python, to be compiled before the first message."""

import numpy as np

from bot4_core.domain_types.records import EVENT_DTYPE, INSTRUMENT_DTYPE
from bot4_core.jit import Specialisation
from bot4_core.kernels.book import apply_events
from bot4_core.kernels.book_ladder import walk_levels
from bot4_core.kernels.book_messages import (
    ladder_is_short,
    message_stop,
    wants_of,
    window_is_small,
)
from bot4_core.kernels.book_state import distrust
from bot4_core.kernels.book_window import copy_ladder
from bot4_core.market.order_book import Books

__all__ = ["book_kernels"]


def book_kernels() -> list[Specialisation]:
    """Return what applies events, grows a book, reads it whole and distrusts it.

    Making the first book compiles the two that lay out its memory.
    """
    books = Books(np.zeros(1, INSTRUMENT_DTYPE))
    events, levels = np.zeros(1, EVENT_DTYPE), np.zeros(0, np.int64)
    row, words = books.rows[0], books.memory.words
    return [
        Specialisation(apply_events, (books.rows, words, events, 0, 1)),
        Specialisation(message_stop, (events, 0, 1)),
        Specialisation(wants_of, (books.rows, 0, 1)),
        Specialisation(ladder_is_short, (words, 0, 1)),
        Specialisation(window_is_small, (words, 0)),
        Specialisation(copy_ladder, (words, 0, 0)),
        Specialisation(walk_levels, (words, 0, levels, levels)),
        Specialisation(distrust, (row, 0)),
    ]
