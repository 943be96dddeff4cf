"""How long requests and answers of the paper venue take: always the same, drawn, or as the feed."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = ["MODULUS", "MULTIPLIER", "draw", "latency", "see_feed"]

Desk = NDArray[np.int64]

CONSTANT: Final = 0
SAMPLED: Final = 1
FROM_FEED: Final = 2

WAY_OUT: Final = 0
WAY_BACK: Final = 1

# head of the desk, after the words of ``matching_state``
LATENCY_MODEL: Final = 25
DRAWN: Final = 26  # the last number drawn, from 1 to MODULUS - 1
FEED_PERCENT: Final = 27  # of the feed's delay, on the way out and back
FEED_DELAY: Final = 29  # of the last message seen
LEAST_DELAY: Final = 30  # below 0 where the clocks disagree
SAMPLES: Final = 31  # out and back: how many
SAMPLES_AT: Final = 33  # and where

MODULUS: Final = 2**31 - 1
MULTIPLIER: Final = 48_271


@kernel()
def draw(desk: Desk) -> int:
    """Return the next pseudo-random number from 1 to ``MODULUS`` - 1.

    References
    ----------
    .. [1] Park, S. K., Miller, K. W. and Stockmeyer, P. K. (1993). Technical correspondence.
       Communications of the ACM 36(7), 105-110. doi:10.1145/159544.376068 (multiplier 48271).
    """
    desk[DRAWN] = desk[DRAWN] * MULTIPLIER % MODULUS
    return int(desk[DRAWN])


@kernel()
def latency(desk: Desk, way: int, base: int) -> int:
    """Return how long the next request or answer takes, ns.

    Parameters
    ----------
    way : int
        ``WAY_OUT`` or ``WAY_BACK``.
    base : int
        The way's constant part; samples take its place.
    """
    if desk[LATENCY_MODEL] == SAMPLED:
        place = draw(desk) * desk[SAMPLES + way] // MODULUS
        return int(desk[desk[SAMPLES_AT + way] + place])
    if desk[LATENCY_MODEL] == FROM_FEED:
        return int(base + desk[FEED_PERCENT + way] * desk[FEED_DELAY] // 100)
    return int(base)


@kernel(inline=True)
def see_feed(desk: Desk, sent: int, received: int) -> None:
    """Note how long a message of the venue took; one without a time of sending tells nothing.

    Where a message was received before it was sent, our clock is behind the venue's: the largest
    such lead seen so far is then added to every delay.
    """
    if sent <= 0:
        return
    desk[LEAST_DELAY] = min(desk[LEAST_DELAY], received - sent)
    desk[FEED_DELAY] = received - sent - desk[LEAST_DELAY]
