"""What is booked: fills as integers, and all that moves an amount."""

from typing import Final, NamedTuple, TypeAlias

from bot4_core.domain_types.accounts import FundingPayment, Transfer
from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Fill, FillOrigin
from bot4_core.domain_types.records import EventFlag, Records, Side

__all__ = ["PLACE", "FiledFills", "FillRow", "LedgerEntry", "filed_row", "fill_of", "row_of"]

PLACE: Final = 7
"""Where the fields of an EVENT record hold its instrument."""
MAKER: Final = int(EventFlag.MAKER)
LedgerEntry: TypeAlias = Fill | FundingPayment | Transfer
"""Anything that moves an amount."""


class FiledFills(NamedTuple):
    """Fills of orders of ours as EVENT records, in the order they were booked."""

    fills: Records


class FillRow(NamedTuple):
    """A fill as integers, scaled as its instrument and its fee's asset are."""

    instrument: int
    side: int
    price: int
    size: int
    fee: int
    fee_exponent: int
    fee_asset: str
    order: int
    time: int
    trade_id: int
    maker: bool
    origin: FillOrigin = FillOrigin.OWN
    reverses: bool = False


def row_of(fill: Fill, instrument: Instrument) -> FillRow:
    """Return a fill as integers.

    Raises
    ------
    PrecisionError
        If price or size are finer than the instrument's exponents.
    """
    return FillRow(
        instrument=fill.instrument,
        side=int(fill.side),
        price=fill.price.scaled_at(instrument.price_exponent),
        size=fill.size.scaled_at(instrument.size_exponent),
        fee=fill.fee.value,
        fee_exponent=fill.fee.exponent,
        fee_asset=fill.fee_asset,
        order=fill.order,
        time=fill.time,
        trade_id=fill.trade_id,
        maker=fill.maker,
        origin=fill.origin,
        reverses=fill.reverses,
    )


def fill_of(row: FillRow, instrument: Instrument) -> Fill:
    """Return what ``row_of`` made a row of."""
    return Fill(
        order=OrderNumber(row.order),
        instrument=InstrumentId(row.instrument),
        side=Side(row.side),
        price=Price(row.price, instrument.price_exponent),
        size=Quantity(row.size, instrument.size_exponent),
        fee=Money(row.fee, row.fee_exponent),
        fee_asset=row.fee_asset,
        time=Nanoseconds(row.time),
        trade_id=row.trade_id,
        maker=row.maker,
        origin=row.origin,
        reverses=row.reverses,
    )


def filed_row(fields: tuple[int, ...], instrument: Instrument) -> FillRow:
    """Return the fields of an ``ORDER_FILLED`` record of an order of ours, fee as it settles."""
    time, received, price, size, trade, fee, number, place, _, side, flags = fields
    return FillRow(
        instrument=place,
        side=side,
        price=price,
        size=size,
        fee=fee,
        fee_exponent=instrument.settlement_exponent,
        fee_asset=instrument.settled_in,
        order=number,
        time=time or received,
        trade_id=trade,
        maker=bool(flags & MAKER),
    )
