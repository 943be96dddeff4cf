"""How a rule is written down."""

import math
from collections.abc import Iterator
from typing import TypeAlias

__all__ = ["Faults", "broken", "finite"]

Faults: TypeAlias = Iterator[tuple[str, str]]
"""Paths, and what is wrong there: the value, and what would be right."""


def broken(*rules: tuple[bool, str, str]) -> Faults:
    """Yield path and message of every rule whose first item is true."""
    for wrong, path, text in rules:
        if wrong:
            yield path, text


def finite(values: tuple[tuple[str, float], ...]) -> Faults:
    """Yield a fault for every named number that is not finite."""
    for place, (name, number) in enumerate(values):
        if not math.isfinite(number):
            yield f"values[{place}]", f"{name} is {number}, not a finite number"
