"""Compile what a replay runs before its clock starts."""

from collections.abc import Callable

import numpy as np

from bot4_core.jit import Specialisation, warm_up
from bot4_core.kernels.lines import line_bounds, read_times
from bot4_core.market.book_kernels import book_kernels
from bot4_core.plugins.interfaces import Exchange

__all__ = ["reading_kernels", "warm_replay"]


def warm_replay(exchange: Exchange, report: Callable[[float, int, str], None] | None = None) -> int:
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
    return warm_up([*reading_kernels(), *exchange.specialisations(), *book_kernels()], report)


def reading_kernels() -> list[Specialisation]:
    """Return what finds the lines of a foreign file and the times in them."""
    numbers = np.zeros(0, np.int64)
    buffer = np.frombuffer(b"\n", np.uint8)
    return [
        Specialisation(line_bounds, (buffer, numbers, numbers)),
        Specialisation(read_times, (buffer, numbers, numbers, numbers, 0)),
    ]
