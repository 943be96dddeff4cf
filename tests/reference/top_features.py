"""Features of a top of book, from its whole history and in exact fractions."""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Top", "flow", "flow_event", "imbalance", "volatility", "walk_price"]

Levels = Sequence[tuple[int, int]]


class Top(NamedTuple):
    """The best prices and sizes at a time, scaled."""

    time: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int

    @property
    def is_sound(self) -> bool:
        """Whether both sides hold something and do not touch."""
        return self.bid_size > 0 and self.ask_size > 0 and self.bid < self.ask


def flow_event(before: Top, after: Top) -> int:
    """Return one event by the case table: price up, same or down, on each side."""
    if after.bid > before.bid:
        demand = after.bid_size
    elif after.bid == before.bid:
        demand = after.bid_size - before.bid_size
    else:
        demand = -before.bid_size
    if after.ask < before.ask:
        supply = after.ask_size
    elif after.ask == before.ask:
        supply = after.ask_size - before.ask_size
    else:
        supply = -before.ask_size
    return demand - supply


def flow(tops: Sequence[Top], bucket_length: int, buckets: int) -> int:
    """Return the events of the last buckets up to the last top; times must not fall."""
    newest = tops[-1].time // bucket_length
    sound = [top for top in tops if top.is_sound]
    return sum(
        flow_event(before, after)
        for before, after in pairwise(sound)
        if newest - after.time // bucket_length < buckets
    )


def volatility(tops: Sequence[Top], interval: int, count: int, minimum: int) -> float:
    """Return the sample deviation of mid changes per root second, in half price units."""
    samples: list[float] = []
    last: tuple[int, int] | None = None
    for top in tops:
        if not top.is_sound or (last is not None and top.time - last[0] < interval):
            continue
        if last is not None:
            change = top.bid + top.ask - last[1]
            samples.append(change / math.sqrt((top.time - last[0]) / 1e9))
        last = (top.time, top.bid + top.ask)
    kept = [Fraction(sample) for sample in samples[-count:]]
    if len(kept) < minimum:
        return math.nan
    mean = sum(kept) / len(kept)
    return math.sqrt(sum((each - mean) ** 2 for each in kept) / (len(kept) - 1))


def imbalance(bids: Levels, asks: Levels, levels: int) -> Fraction:
    """Return (bids - asks) / (bids + asks) over the best levels."""
    bought = sum(size for _, size in bids[:levels])
    sold = sum(size for _, size in asks[:levels])
    return Fraction(bought - sold, bought + sold)


def walk_price(levels: Levels, wanted: int) -> Fraction | None:
    """Return the average price of taking one unit after the other, None where they run out."""
    units = [price for price, size in levels for _ in range(size)][:wanted]
    return Fraction(sum(units), wanted) if wanted > 0 and len(units) == wanted else None
