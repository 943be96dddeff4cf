"""Lines of text recordings: where they are, and receive times read off their fronts."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.wire import HIGHS, digit_count, digits_value
from bot4_core.kernels.wire_bytes import Text, byte, leading_bytes, text_of, word
from bot4_core.kernels.wire_json import ONES

__all__ = ["line_bounds", "read_times"]

SPACE: Final = ord(" ")
NEWLINE: Final = ord("\n")
RETURN: Final = ord("\r")
NEWLINES: Final = NEWLINE * ONES
INT64_MAX: Final = 2**63 - 1
LARGEST_FRONT: Final = INT64_MAX // 1000  # the first 16 of its 19 digits
LARGEST_REST: Final = INT64_MAX % 1000


@kernel(inline=True)
def _line_end(text: Text, at: int, stop: int) -> int:
    """Return the position of the next newline, or ``stop``."""
    while at + 8 <= stop:
        others = word(text, at) ^ NEWLINES
        marks = (others - ONES) & ~others & HIGHS  # exact up to the first newline
        if marks != 0:
            return at + leading_bytes(marks)
        at += 8
    while at < stop and byte(text, at) != NEWLINE:
        at += 1
    return at


@kernel()
def line_bounds(
    buffer: NDArray[np.uint8], starts: NDArray[np.int64], stops: NDArray[np.int64]
) -> int:
    """Find the lines of a buffer, without their line ends.

    Parameters
    ----------
    buffer : (n,) uint8
        The last line may lack its newline.
    starts, stops : (m,) int64
        Filled with the bounds of the first ``m`` lines.

    Returns
    -------
    int
        Number of lines, which may be more than ``m``.
    """
    text = text_of(buffer)
    at = 0
    count = 0
    while at < len(buffer):
        end = _line_end(text, at, len(buffer))
        if count < len(starts):
            starts[count] = at
            stops[count] = end - 1 if end > at and byte(text, end - 1) == RETURN else end
        count += 1
        at = end + 1
    return count


@kernel(inline=True)
def _read_digits(text: Text, at: int, digits: int) -> int:
    """Return the number that 8 to 19 digits spell, -1 if it is none or leaves 64 bits."""
    value = 0
    end = at + digits
    while at + 8 <= end:
        eight = word(text, at)
        if digit_count(eight) < 8:
            return -1
        value = value * 10**8 + digits_value(eight, 8)
        at += 8
    rest = end - at
    eight = word(text, end - 8)
    if digit_count(eight) < 8:
        return -1
    if rest > 0:
        last = digits_value(eight >> (64 - 8 * rest), rest)
        if digits == 19 and (value, last) > (LARGEST_FRONT, LARGEST_REST):
            return -1
        value = value * 10**rest + last
    return value


@kernel()
def read_times(
    buffer: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    received: NDArray[np.int64],
    digits: int,
) -> int:
    """Read ``<time> <message>`` lines; ``starts`` moves on to the message.

    Parameters
    ----------
    buffer : (n,) uint8
    starts, stops : (m,) int64
        Bounds of the lines in ``buffer``.
    received : (m,) int64
        Filled with ns, -1 for a line of another shape.
    digits : int
        Digits of every time, from which the unit follows: 19 for ns, 16 for µs, 13 for ms.

    Returns
    -------
    int
        Number of lines of another shape.
    """
    text = text_of(buffer)
    unit = 10 ** (19 - digits)
    refused = 0
    for i in range(len(starts)):
        first = starts[i]
        end = first + digits
        value = -1
        if end + 1 < stops[i] and byte(text, end) == SPACE:
            value = _read_digits(text, first, digits)
        if 0 <= value <= INT64_MAX // unit:
            received[i] = value * unit
            starts[i] = end + 1
        else:
            received[i] = -1
            refused += 1
    return refused
