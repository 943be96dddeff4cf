"""What both sides do, in words that travel as JSON; imports nothing of either side."""

from dataclasses import asdict, dataclass
from typing import Any

REST_EVERY = 8
"""The strategy looks at every message but each eighth: one event in 19 of the recording."""
LATENCY_NS = 5_000_000
PAUSE_NS = 2 * LATENCY_NS + 1
"""A quote is moved again only when the answers to its last move are there."""
SIZE_LOTS = 1
POWER = 3


@dataclass(frozen=True)
class Task:
    """One measured run.

    ``queue`` is empty where nothing is quoted, else ``risk_averse`` or a profile of our probability
    model; ``offset`` is in ticks behind the touch.
    """

    depth: str = "roivec"
    queue: str = ""
    offset: int = 2
    partial: bool = False
    whole_depth: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Prices, sizes and their products are scaled as our events are; levels are (price, size), best
    first. ``error`` is the code with which hftbacktest stopped before the end of the data.
    """

    seconds: float
    bid: int
    ask: int
    decisions: int = 0
    orders: int = 0
    fills: int = 0
    filled: int = 0
    value: int = 0
    position: int = 0
    error: int = 0
    bids: tuple[tuple[int, int], ...] = ()
    asks: tuple[tuple[int, int], ...] = ()

    def row(self) -> dict[str, Any]:
        return asdict(self)
