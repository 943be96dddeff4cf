"""A running checksum of what happened, cheap enough to be kept of every event.

Words are taken in pairs; a pair's product, each word moved by a key that depends on its place, is
added to one of four sums, of which the first is a chain. So the sums depend on every word and on
their order. This tells runs apart that differ by accident; nothing here withstands somebody who
looks for two runs of one sum. That is what the hash chain of the audit log is for.

References
----------
Black, Halevi, Krawczyk, Krovetz and Rogaway (1999), "UMAC: Fast and Secure Message
Authentication", CRYPTO '99, doi:10.1007/3-540-48405-1_14, section 4 (the hash NH); Steele, Lea and
Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA '14,
doi:10.1145/2660193.2660195, ``mix64`` (for the keys).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import is_compiling, kernel
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import TableSet, table_at

__all__ = ["TRACE_DTYPE", "TRACE_WORDS", "trace_events", "trace_words"]

TRACE_DTYPE: Final = np.dtype("<i8")
TRACE_WORDS: Final = 5
"""How many rounds of eight words were added, and the four sums."""
TRACE: Final = int(Slot.TRACE)
COMPILING: Final = is_compiling()

STEP: Final = -7046029254386353131  # 2**64 over the golden ratio, odd
FIRST: Final = -4658895280553007687
SECOND: Final = -7723592293110705685
THIRD: Final = 2685821657736338717
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
def key_at(place: int) -> int:
    """Return 64 bits that look like those of no other place."""
    bits = wrapped(place * STEP)
    bits = wrapped((bits ^ ((bits >> 32) & LOW_32)) * FIRST)
    return bits ^ ((bits >> 29) & LOW_35)


@kernel(inline=True)
def paired(one: int, other: int, key: int) -> int:
    """Return the product of two words that a key has moved."""
    return wrapped(wrapped(one + key) * wrapped(other + wrapped(key ^ STEP)))


@kernel(inline=True)
def trace_events(tables: TableSet, records: NDArray[np.void], start: int, stop: int) -> None:
    """Add event records.

    The first sum is a chain, which keeps the compiler from gathering words of several records
    into one vector; that is slower.
    """
    sums = table_at(tables, TRACE, TRACE_DTYPE)
    place = int(sums[0])
    a, b, c, d = int(sums[1]), int(sums[2]), int(sums[3]), int(sums[4])
    for at in range(start, stop):
        event = records[at]
        codes = (int(event["instrument"]) << 32) | (int(event["kind"]) << 24)
        codes |= ((int(event["side"]) & 255) << 16) | int(event["flags"])
        place += 1
        key = key_at(place)
        a = wrapped((a ^ paired(int(event["time"]), int(event["received"]), key)) * STEP)
        b = wrapped(b + paired(int(event["price"]), int(event["size"]), key ^ FIRST))
        c = wrapped(c + paired(int(event["sequence"]), int(event["aux"]), key ^ SECOND))
        d = wrapped(d + paired(int(event["link"]), codes, key ^ THIRD))
    sums[0] = place
    sums[1], sums[2], sums[3], sums[4] = a, b, c, d


@kernel()
def trace_words(tables: TableSet, first: int, second: int, third: int, fourth: int) -> None:
    """Add four words of something that is no event."""
    sums = table_at(tables, TRACE, TRACE_DTYPE)
    place = int(sums[0]) + 1
    key = key_at(-place)
    sums[0] = place
    sums[1] = wrapped(int(sums[1]) + paired(first, second, key))
    sums[2] = wrapped(int(sums[2]) + paired(third, fourth, key ^ FIRST))
