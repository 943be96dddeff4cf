"""What can be traded: spot pairs, perpetuals and dated futures."""

from decimal import Decimal
from enum import StrEnum

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.records import ChainRule

__all__ = ["FeeSchedule", "Instrument", "InstrumentKind", "InstrumentStatus", "Settlement"]


class InstrumentKind(StrEnum):
    """Legal form of the instrument."""

    SPOT = "spot"
    PERPETUAL = "perpetual"
    FUTURE = "future"


class Settlement(StrEnum):
    """What a contract pays in."""

    SPOT = "spot"  # delivery of base against quote at once
    LINEAR = "linear"  # profit in the quote asset
    INVERSE = "inverse"  # profit in the base asset


class InstrumentStatus(StrEnum):
    """What the venue lets anybody do with the instrument now."""

    TRADING = "trading"
    CANCEL_ONLY = "cancel_only"
    POST_ONLY = "post_only"
    HALTED = "halted"
    DELISTED = "delisted"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class FeeSchedule:
    """Fractions of notional; a negative maker fee is a rebate."""

    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)


@attrs.frozen(kw_only=True)
class Instrument:
    """One tradable thing at one venue, with the scale of its numbers."""

    venue: VenueName
    market: str  # the venue's own division: spot, usdm, coinm ...
    symbol: Symbol  # as the venue spells it
    base: str
    quote: str
    kind: InstrumentKind
    settlement: Settlement
    price_exponent: int
    size_exponent: int
    tick: int  # scaled price step
    lot: int  # scaled size step
    min_size: int = 0  # scaled
    max_size: int = 0  # scaled, 0 for none
    min_notional: Decimal = Decimal(0)  # quote units
    multiplier: Decimal = Decimal(1)  # base (linear) or quote (inverse) units of one contract
    settlement_asset: str = ""
    settlement_exponent: int = -8
    fees: FeeSchedule = FeeSchedule()
    status: InstrumentStatus = InstrumentStatus.TRADING
    expiry: Nanoseconds | None = None
    chain: ChainRule = ChainRule.NONE
    depth: int = 0  # levels a side that the venue keeps us informed of, 0 for all
    version: int = 1
    from_data: bool = False  # exponents were read off the data, not off metadata
