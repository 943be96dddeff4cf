"""Strategies for bare units and exact numbers."""

from decimal import Decimal
from typing import Final

from hypothesis import strategies as st

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    Price,
    Quantity,
)
from bot4_core.domain_types.number_text import INT64_MAX
from bot4_core.domain_types.records import Side

__all__ = [
    "STEPS",
    "decimals",
    "exponents",
    "instrument_ids",
    "moneys",
    "named_numbers",
    "names",
    "nanoseconds",
    "prices",
    "quantities",
    "sides",
]

STEPS: Final = 10**8
"""Most steps of a drawn price or size: products with coarse grids stay within 64 bits."""


def names() -> st.SearchStrategy[str]:
    """Draw short names of assets, venues, actors."""
    return st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=8)


def sides() -> st.SearchStrategy[Side]:
    """Draw BUY or SELL."""
    return st.sampled_from([Side.BUY, Side.SELL])


def nanoseconds() -> st.SearchStrategy[Nanoseconds]:
    """Draw UTC times between 1970 and 2262."""
    return st.integers(0, INT64_MAX).map(Nanoseconds)


def instrument_ids() -> st.SearchStrategy[InstrumentId]:
    """Draw rows of a small instrument table."""
    return st.integers(0, 15).map(InstrumentId)


def exponents() -> st.SearchStrategy[int]:
    """Draw exponents that instruments have."""
    return st.integers(-12, 4)


def decimals(low: str = "0", high: str = "1000000") -> st.SearchStrategy[Decimal]:
    """Draw exact decimals of up to eight places between two bounds."""
    scale = 10**8
    bounds = int(Decimal(low) * scale), int(Decimal(high) * scale)
    return st.integers(*bounds).map(lambda units: Decimal(units).scaleb(-8))


def prices(exponent: int | None = None, tick: int = 1) -> st.SearchStrategy[Price]:
    """Draw positive prices on a grid; without an exponent, also any signed 64-bit number.

    Parameters
    ----------
    exponent : int, optional
        Of all prices drawn.
    tick : int
        Scaled price step.
    """
    if exponent is None:
        return st.builds(Price, _int64(), exponents())
    return st.integers(1, STEPS).map(lambda steps: Price(steps * tick, exponent))


def quantities(exponent: int | None = None, lot: int = 1) -> st.SearchStrategy[Quantity]:
    """Draw positive sizes on a grid; without an exponent, also any signed 64-bit number.

    Parameters
    ----------
    exponent : int, optional
        Of all sizes drawn.
    lot : int
        Scaled size step.
    """
    if exponent is None:
        return st.builds(Quantity, _int64(), exponents())
    return st.integers(1, STEPS).map(lambda steps: Quantity(steps * lot, exponent))


def moneys(exponent: int | None = None) -> st.SearchStrategy[Money]:
    """Draw signed amounts, at one exponent if it is given."""
    return st.builds(Money, _int64(), exponents() if exponent is None else st.just(exponent))


def _int64() -> st.SearchStrategy[int]:
    small = st.integers(-(10**6), 10**6)
    return small | st.integers(-INT64_MAX, INT64_MAX) | st.sampled_from([-INT64_MAX, INT64_MAX])


def named_numbers() -> st.SearchStrategy[tuple[tuple[str, float], ...]]:
    """Draw the numbers behind a reason."""
    number = st.floats(allow_nan=False, allow_infinity=False)
    return st.lists(st.tuples(names(), number), max_size=4).map(tuple)
