"""How much may be at stake: the limits that every order is checked against."""

from decimal import Decimal
from enum import StrEnum
from typing import Self

import attrs

__all__ = ["LimitsPreset", "RiskLimits"]


class LimitsPreset(StrEnum):
    """Named sets of limits."""

    CONSERVATIVE = "conservative"
    MODERATE = "moderate"
    AGGRESSIVE = "aggressive"


@attrs.frozen(kw_only=True)
class RiskLimits:
    """Limits of one session, in the settlement asset unless a name says otherwise."""

    max_position_notional: Decimal
    max_order_notional: Decimal
    max_gross_notional: Decimal
    max_open_orders: int
    max_orders_per_second: int
    price_collar: Decimal  # largest distance of a limit price from the mid, as a fraction
    max_leverage: Decimal
    max_daily_loss: Decimal
    max_drawdown: Decimal  # fraction of the highest equity

    @classmethod
    def preset(cls, name: LimitsPreset, equity: Decimal) -> Self:
        """Scale a named preset to an account's equity."""
        position, order, gross, leverage, loss, drawdown = {
            LimitsPreset.CONSERVATIVE: ("0.25", "0.05", "0.5", "1", "0.01", "0.03"),
            LimitsPreset.MODERATE: ("0.5", "0.1", "1", "2", "0.03", "0.1"),
            LimitsPreset.AGGRESSIVE: ("2", "0.5", "5", "5", "0.1", "0.25"),
        }[name]
        return cls(
            max_position_notional=equity * Decimal(position),
            max_order_notional=equity * Decimal(order),
            max_gross_notional=equity * Decimal(gross),
            max_open_orders=50,
            max_orders_per_second=50,
            price_collar=Decimal("0.05"),
            max_leverage=Decimal(leverage),
            max_daily_loss=equity * Decimal(loss),
            max_drawdown=Decimal(drawdown),
        )
