"""Affine congestion by trying every set of used and full resources, in exact fractions."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

__all__ = ["splits", "whole_splits"]

Link = tuple[int, int, int]
"""Base, slope (above 0) and capacity."""


def splits(links: Sequence[Link], demand: int, *, marginal: bool) -> list[Fraction]:
    """Return the flows at one level on links in use, lower on full, higher on unused ones."""
    weight = 2 if marginal else 1
    for states in product(("unused", "used", "full"), repeat=len(links)):
        held = sum(link[2] for link, state in zip(links, states, strict=True) if state == "full")
        used = [link for link, state in zip(links, states, strict=True) if state == "used"]
        rate = sum((Fraction(1, weight * slope) for _, slope, _ in used), Fraction(0))
        if not used:
            tops = [
                base + weight * slope * capacity
                for (base, slope, capacity), state in zip(links, states, strict=True)
                if state == "full"
            ]
            rest = [link[0] for link, state in zip(links, states, strict=True) if state != "full"]
            if held == demand and (not tops or not rest or max(tops) <= min(rest)):
                return [
                    Fraction(link[2] if state == "full" else 0)
                    for link, state in zip(links, states, strict=True)
                ]
            continue
        start = sum((Fraction(base, weight * slope) for base, slope, _ in used), Fraction(0))
        level = (demand - held + start) / rate
        flows = []
        for (base, slope, capacity), state in zip(links, states, strict=True):
            flow = (level - base) / (weight * slope)
            if state == "unused" and flow <= 0:
                flows.append(Fraction(0))
            elif state == "full" and flow >= capacity:
                flows.append(Fraction(capacity))
            elif state == "used" and 0 <= flow <= capacity:
                flows.append(flow)
        if len(flows) == len(links):
            return flows
    raise AssertionError("no split")


def whole_splits(resources: int, units: int) -> Iterator[tuple[int, ...]]:
    """Yield every split of whole units."""
    if resources == 1:
        yield (units,)
        return
    for first in range(units + 1):
        for rest in whole_splits(resources - 1, units - first):
            yield (first, *rest)
