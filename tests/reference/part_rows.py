"""Instruments and rows that decision parts are shown in tests."""

from decimal import Decimal

import numpy as np

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    Settlement,
)
from bot4_core.domain_types.records import VIEW_DTYPE, BookState
from bot4_core.plugins.interfaces import Record, Records

__all__ = ["instrument", "view_row", "view_rows"]


def instrument(
    venue: str = "one", *, inverse: bool = False, maker: str = "0", taker: str = "0", tick: int = 1
) -> Instrument:
    """Return a perpetual at a venue."""
    return Instrument(
        venue=VenueName(venue),
        market="perpetual",
        symbol=Symbol("BTCUSD"),
        base="BTC",
        quote="USD",
        kind=InstrumentKind.PERPETUAL,
        settlement=Settlement.INVERSE if inverse else Settlement.LINEAR,
        price_exponent=-1,
        size_exponent=-3,
        tick=tick,
        lot=10,
        fees=FeeSchedule(maker=Decimal(maker), taker=Decimal(taker)),
    )


def view_rows(count: int = 1) -> Records:
    """Return live views of BTC near 60,000 at one decimal, for an account of 100,000."""
    rows = np.zeros(count, VIEW_DTYPE)
    rows["instrument"], rows["state"] = np.arange(count), BookState.LIVE
    rows["bid"], rows["ask"], rows["bid_size"], rows["ask_size"] = 599_990, 600_010, 500, 700
    rows["tick"], rows["lot"], rows["received"] = 1, 10, 10**18
    rows["price_unit"], rows["size_unit"], rows["multiplier"] = 0.1, 0.001, 1.0
    rows["mid"], rows["volatility"], rows["equity"] = 60_000.0, 3.0, 100_000.0
    return rows


def view_row(**fields: float) -> Record:
    """Return one such view with some fields of its own."""
    row: Record = view_rows()[0]
    for name, value in fields.items():
        row[name] = value
    return row
