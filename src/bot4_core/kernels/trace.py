"""A running checksum of what happened, cheap enough to be kept of every event.

Words are mixed with their place and added up in eight lanes, so that the sums depend on the order
of the words, and a processor may take the eight side by side. This tells runs apart that differ by
accident; nothing here withstands somebody who looks for two runs of one sum. That is what the
hash chain of the audit log is for.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import is_compiling, kernel
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import TableSet, table_at

__all__ = ["TRACE_DTYPE", "TRACE_WORDS", "trace_events", "trace_words"]

TRACE_DTYPE: Final = np.dtype("<i8")
TRACE_WORDS: Final = 9
"""How many words were added, and the eight sums."""
TRACE: Final = int(Slot.TRACE)
COMPILING: Final = is_compiling()

STEP: Final = -7046029254386353131  # 2**64 over the golden ratio, odd
FIRST: Final = -4658895280553007687
SECOND: Final = -7723592293110705685
LOW_32: Final = (1 << 32) - 1
LOW_35: Final = (1 << 35) - 1
HALF: Final = 1 << 63


def _wrap_by_hand(number: int) -> int:
    return (number + HALF) % (2 * HALF) - HALF


wrapped = _wrap_by_hand
"""Keep the low 64 bits of a number, signed; compiled they are all there is."""

if COMPILING:

    @kernel(inline=True)
    def wrapped(number: int) -> int:
        """Return a number that has wrapped already."""
        return number


@kernel(inline=True)
def mixed(word: int, place: int) -> int:
    """Return 64 bits that depend on every bit of a word and of its place.

    References
    ----------
    Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA '14,
    doi:10.1145/2660193.2660195, ``mix64`` (here with the shifts 32, 29 and 32).
    """
    bits = wrapped(word + wrapped(place * STEP))
    bits = wrapped((bits ^ ((bits >> 32) & LOW_32)) * FIRST)
    bits = wrapped((bits ^ ((bits >> 29) & LOW_35)) * SECOND)
    return bits ^ ((bits >> 32) & LOW_32)


@kernel()
def trace_events(tables: TableSet, records: NDArray[np.void], start: int, stop: int) -> None:
    """Add event records."""
    sums = table_at(tables, TRACE, TRACE_DTYPE)
    place = int(sums[0])
    a, b, c, d = int(sums[1]), int(sums[2]), int(sums[3]), int(sums[4])
    e, f, g, h = int(sums[5]), int(sums[6]), int(sums[7]), int(sums[8])
    for at in range(start, stop):
        event = records[at]
        codes = (int(event["instrument"]) << 32) | (int(event["kind"]) << 24)
        codes |= ((int(event["side"]) & 255) << 16) | int(event["flags"])
        place += 1
        a = wrapped(a + mixed(int(event["time"]), place))
        b = wrapped(b + mixed(int(event["received"]), place))
        c = wrapped(c + mixed(int(event["price"]), place))
        d = wrapped(d + mixed(int(event["size"]), place))
        e = wrapped(e + mixed(int(event["sequence"]), place))
        f = wrapped(f + mixed(int(event["aux"]), place))
        g = wrapped(g + mixed(int(event["link"]), place))
        h = wrapped(h + mixed(codes, place))
    sums[0] = place
    sums[1], sums[2], sums[3], sums[4] = a, b, c, d
    sums[5], sums[6], sums[7], sums[8] = e, f, g, h


@kernel()
def trace_words(tables: TableSet, first: int, second: int, third: int, fourth: int) -> None:
    """Add four words of something that is no event."""
    sums = table_at(tables, TRACE, TRACE_DTYPE)
    place = int(sums[0]) + 1
    sums[0] = place
    sums[5] = wrapped(int(sums[5]) + mixed(first, -place))
    sums[6] = wrapped(int(sums[6]) + mixed(second, -place))
    sums[7] = wrapped(int(sums[7]) + mixed(third, -place))
    sums[8] = wrapped(int(sums[8]) + mixed(fourth, -place))
