"""How much may be at stake: the limits that every order is checked against."""

from decimal import MAX_PREC, Decimal, localcontext
from enum import StrEnum
from typing import Final, Self

import attrs

__all__ = ["LimitsPreset", "RiskLimits"]


class LimitsPreset(StrEnum):
    """Named sets of limits, each looser than the one before."""

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
        """Scale a named preset to an account's equity, exactly.

        Parameters
        ----------
        name : LimitsPreset
        equity : Decimal
            In the settlement asset.
        """
        share = _SHARES[name]
        with localcontext(prec=MAX_PREC):
            return cls(
                max_position_notional=equity * share.position,
                max_order_notional=equity * share.order,
                max_gross_notional=equity * share.gross,
                max_open_orders=share.open_orders,
                max_orders_per_second=share.orders_per_second,
                price_collar=share.collar,
                max_leverage=share.leverage,
                max_daily_loss=equity * share.daily_loss,
                max_drawdown=share.drawdown,
            )


@attrs.frozen(kw_only=True)
class _Shares:
    """A preset, as fractions of equity."""

    position: Decimal
    order: Decimal
    gross: Decimal
    open_orders: int
    orders_per_second: int
    collar: Decimal
    leverage: Decimal
    daily_loss: Decimal
    drawdown: Decimal


_SHARES: Final = {
    LimitsPreset.CONSERVATIVE: _Shares(
        position=Decimal("0.25"),
        order=Decimal("0.05"),
        gross=Decimal("0.5"),
        open_orders=20,
        orders_per_second=20,
        collar=Decimal("0.02"),
        leverage=Decimal(1),
        daily_loss=Decimal("0.01"),
        drawdown=Decimal("0.03"),
    ),
    LimitsPreset.MODERATE: _Shares(
        position=Decimal("0.5"),
        order=Decimal("0.1"),
        gross=Decimal(1),
        open_orders=50,
        orders_per_second=50,
        collar=Decimal("0.05"),
        leverage=Decimal(2),
        daily_loss=Decimal("0.03"),
        drawdown=Decimal("0.1"),
    ),
    LimitsPreset.AGGRESSIVE: _Shares(
        position=Decimal(2),
        order=Decimal("0.5"),
        gross=Decimal(5),
        open_orders=200,
        orders_per_second=100,
        collar=Decimal("0.1"),
        leverage=Decimal(5),
        daily_loss=Decimal("0.1"),
        drawdown=Decimal("0.25"),
    ),
}
