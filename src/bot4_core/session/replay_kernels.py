"""Compile what a replay runs before its clock starts."""

from collections.abc import Callable
from typing import Final

import numpy as np

from bot4_core.domain_types.records import EVENT_DTYPE, INSTRUMENT_DTYPE, EventFlag, EventKind
from bot4_core.jit import Specialisation, warm_up
from bot4_core.kernels.book import apply_events
from bot4_core.kernels.lines import line_bounds, read_times
from bot4_core.market.order_book import Books
from bot4_core.plugins.interfaces import Exchange

__all__ = ["warm_replay"]

REHEARSED_LEVELS: Final = 512


def warm_replay(exchange: Exchange, report: Callable[[int, int, str], None] | None = None) -> int:
    """Compile the reading, decoding and book kernels; what is cached on disk only loads.

    Parameters
    ----------
    exchange : Exchange
        Of the class that will decode; it is only asked for its ``specialisations``.
    report : callable, optional
        Called with ``(done, total, name)`` before each kernel.

    Returns
    -------
    int
        Kernels that were compiled rather than found.
    """
    own = getattr(exchange, "specialisations", None)  # not every adapter is compiled
    compiled = warm_up([*_shared_kernels(), *(own() if own is not None else ())], report)
    rehearse_books()
    return compiled


def _shared_kernels() -> list[Specialisation]:
    books = Books(np.zeros(0, INSTRUMENT_DTYPE))
    events, numbers = np.zeros(0, EVENT_DTYPE), np.zeros(0, np.int64)
    buffer = np.frombuffer(b"\n", np.uint8)
    return [
        Specialisation(line_bounds, (buffer, numbers, numbers)),
        Specialisation(read_times, (buffer, numbers, numbers, numbers, 0)),
        Specialisation(apply_events, (books.rows, books.memory.words, events, 0, 0)),
    ]


def rehearse_books() -> None:
    """Let a book grow and be read, so that the kernels of both are compiled."""
    books = Books(np.zeros(1, INSTRUMENT_DTYPE))
    events = np.zeros(REHEARSED_LEVELS + 2, EVENT_DTYPE)
    events["kind"] = EventKind.BOOK_SET
    events["price"] = np.arange(events.size)
    events["size"] = events["side"] = 1
    events[0]["kind"] = EventKind.BOOK_CLEAR
    events[-1]["kind"], events[-1]["size"] = EventKind.BOOK_END, REHEARSED_LEVELS
    events[-1]["flags"] = EventFlag.LAST
    books.apply(events)
    books[0].digest()
