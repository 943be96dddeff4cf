"""Pseudo-random integers that are the same on every machine: Marsaglia's xorwow."""

from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = ["draw", "new_draws"]

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
def draw(state: NDArray[np.int64]) -> int:
    """Return the next integer of 32 uniform bits.

    References
    ----------
    Marsaglia (2003), "Xorshift RNGs", Journal of Statistical Software 8(14), section 3.1 (xorwow),
    doi:10.18637/jss.v008.i14. Words are kept in 64-bit integers, so nothing ever overflows.
    """
    mixed = state[0] ^ (state[0] >> 2)
    state[0] = state[1]
    state[1] = state[2]
    state[2] = state[3]
    last = state[4]
    state[3] = last
    last = last ^ ((last << 4) & WORD) ^ mixed ^ ((mixed << 1) & WORD)
    state[4] = last
    state[5] = (state[5] + WEYL) & WORD
    return int((last + state[5]) & WORD)
