"""Instruments and trades for the tests of the ledger."""

from decimal import Decimal

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Symbol,
    VenueName,
)
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import Side


def instrument(
    settlement: Settlement,
    *,
    price_exponent: int = -1,
    size_exponent: int = -3,
    multiplier: str = "1",
    settlement_exponent: int = -8,
) -> Instrument:
    spot = settlement is Settlement.SPOT
    return Instrument(
        venue=VenueName("binance"),
        market=settlement.value,
        symbol=Symbol(f"BTC-{settlement.value}"),
        base="BTC",
        quote="USDT",
        kind=InstrumentKind.SPOT if spot else InstrumentKind.PERPETUAL,
        settlement=settlement,
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        tick=1,
        lot=1,
        multiplier=Decimal(multiplier),
        settlement_exponent=settlement_exponent,
    )


SPOT = instrument(Settlement.SPOT, price_exponent=-2, size_exponent=-5)
LINEAR = instrument(Settlement.LINEAR, multiplier="0.01")
INVERSE = instrument(Settlement.INVERSE, size_exponent=0, multiplier="100")
ALL = (SPOT, LINEAR, INVERSE)
OPENING = {"USDT": Decimal("10000.5"), "BTC": Decimal("1.25")}


def trade(
    of: Instrument,
    side: Side,
    size: str,
    price: str,
    *,
    number: int = 0,
    fee: str = "0",
    asset: str = "",
) -> Fill:
    return Fill(
        order=OrderNumber(1),
        instrument=InstrumentId(number),
        side=side,
        price=of.price(price),
        size=of.size(size),
        fee=Money.of(fee),
        fee_asset=asset or of.settled_in,
        time=Nanoseconds(1),
        trade_id=1,
        maker=False,
    )
