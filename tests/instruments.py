"""One instrument of the usual kind, and others like it."""

import attrs

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement

PERPETUAL = Instrument(
    venue=VenueName("binance"),
    market="usdm",
    symbol=Symbol("BTCUSDT"),
    base="BTC",
    quote="USDT",
    kind=InstrumentKind.PERPETUAL,
    settlement=Settlement.LINEAR,
    price_exponent=-2,
    size_exponent=-3,
    tick=10,
    lot=1,
)


def perpetual(symbol: str = "BTCUSDT", **changes: object) -> Instrument:
    """Return the linear perpetual with another symbol and any field changed."""
    return attrs.evolve(PERPETUAL, symbol=Symbol(symbol), **changes)  # type: ignore[arg-type]  # any field, by name
