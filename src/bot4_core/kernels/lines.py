"""Lines of text recordings: receive times read off the front of each line."""

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = ["read_times"]

ZERO = 48
SPACE = 32
INT64_MAX = 2**63 - 1


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
    unit = 10 ** (19 - digits)
    refused = 0
    for i in range(len(starts)):
        first = int(starts[i])
        end = first + digits
        value = 0
        good = end + 1 < stops[i] and buffer[end] == SPACE
        if good:
            for j in range(first, end):
                digit = int(buffer[j]) - ZERO
                if digit < 0 or digit > 9:
                    good = False
                    break
                value = value * 10 + digit
        if good and 0 <= value <= INT64_MAX:
            received[i] = value * unit
            starts[i] = end + 1
        else:
            received[i] = -1
            refused += 1
    return refused
