"""What an account holds."""

from enum import StrEnum

import attrs

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    Price,
    Quantity,
)

__all__ = ["Balance", "CostMethod", "FundingPayment", "Position", "ProfitAndLoss", "Transfer"]


class CostMethod(StrEnum):
    """Which entry prices the profit of a close is set against."""

    AVERAGE = "average"  # the average of all that is open
    FIFO = "fifo"  # those of what was opened first


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


@attrs.frozen(kw_only=True)
class FundingPayment:
    """What a perpetual position paid (negative) or was paid at one settlement."""

    instrument: InstrumentId
    amount: Money
    asset: str
    time: Nanoseconds


@attrs.frozen(kw_only=True)
class Transfer:
    """An amount that came into the account (positive) or left it without a trade."""

    asset: str
    amount: Money
    time: Nanoseconds


@attrs.frozen(kw_only=True)
class ProfitAndLoss:
    """What trading in one asset earned; ``net`` is realised + unrealised - fees + funding."""

    asset: str
    realised: Money
    unrealised: Money
    fees: Money
    funding: Money
    net: Money
