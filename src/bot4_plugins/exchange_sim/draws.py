"""Pseudo-random integers that are the same on every machine: Marsaglia's xorwow."""

from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = ["DRAW_WORDS", "draw", "new_draws"]

DRAW_WORDS: Final = 6

WORD: Final = 0xFFFFFFFF
WEYL: Final = 362437


def new_draws(seed: int, stream: str) -> NDArray[np.int64]:
    """Return the state of a stream of draws: five words and a counter.

    Parameters
    ----------
    seed : int
        Any integer.
    stream : str
        Streams of one seed are unrelated.
    """
    digest = sha256(f"{seed}/{stream}".encode()).digest()
    words = np.frombuffer(digest, "<u4", 6).astype(np.int64)
    words[0] |= 1  # the five words must not all be zero
    return words


@kernel()
def draw(words: NDArray[np.int64], at: int) -> int:
    """Return the next integer of 32 uniform bits from the state at a place.

    References
    ----------
    Marsaglia (2003), "Xorshift RNGs", Journal of Statistical Software 8(14), section 3.1 (xorwow),
    doi:10.18637/jss.v008.i14. Words are kept in 64-bit integers, so nothing ever overflows.
    """
    mixed = words[at] ^ (words[at] >> 2)
    words[at] = words[at + 1]
    words[at + 1] = words[at + 2]
    words[at + 2] = words[at + 3]
    last = words[at + 4]
    words[at + 3] = last
    last = last ^ ((last << 4) & WORD) ^ mixed ^ ((mixed << 1) & WORD)
    words[at + 4] = last
    words[at + 5] = (words[at + 5] + WEYL) & WORD
    return int((last + words[at + 5]) & WORD)
