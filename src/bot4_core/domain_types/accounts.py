"""What an account holds."""

import attrs

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Price, Quantity

__all__ = ["Balance", "Position"]


@attrs.frozen(kw_only=True)
class Balance:
    """One asset of one account."""

    asset: str
    total: Money
    reserved: Money


@attrs.frozen(kw_only=True)
class Position:
    """A signed holding and what it cost on average."""

    instrument: InstrumentId
    size: Quantity
    average_price: Price | None = None  # None exactly when flat
    realised: Money
    fees: Money
