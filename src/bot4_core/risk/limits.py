"""Risk limits as the order path checks them: exact, all at once, with their numbers."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

import attrs
import numpy as np

from bot4_core.domain_types.canonical_types import text_from_scaled
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.records import Records
from bot4_core.domain_types.risk_limits import RiskLimits
from bot4_core.errors import ValidationError
from bot4_core.kernels.limits import (
    ACCOUNT_DTYPE,
    LIMITS_DTYPE,
    NO_LIMIT,
    SCALE_DTYPE,
    UNMEASURED,
    LimitCode,
    check_limits,
)
from bot4_core.kernels.limits_money import LARGEST
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import Tables

__all__ = ["LimitCheck", "LimitUse", "money_scale"]

MONEY: Final = frozenset(
    {
        LimitCode.ORDER_NOTIONAL,
        LimitCode.POSITION_NOTIONAL,
        LimitCode.GROSS_NOTIONAL,
        LimitCode.MIN_NOTIONAL,
        LimitCode.LEVERAGE,
        LimitCode.DAILY_LOSS,
        LimitCode.DRAWDOWN,
    }
)
SIZES: Final = frozenset(
    {
        LimitCode.REDUCE_ONLY,
        LimitCode.SHORT_SALE,
        LimitCode.LOT,
        LimitCode.MIN_SIZE,
        LimitCode.MAX_SIZE,
    }
)


@attrs.frozen
class LimitUse:
    """One limit as an order met it: what it would use, what is allowed, in decimal text."""

    code: LimitCode
    used: str
    allowed: str
    broken: bool

    @property
    def name(self) -> str:
        """The limit's name in records and reports."""
        return self.code.name.lower()


def money_scale(instrument: Instrument, exponent: int) -> tuple[int, int, int]:
    """Return the exact scale of an instrument's sizes and half prices in money units.

    Raises
    ------
    ValidationError
        If the fraction needs more than 62 bits.
    """
    inverse = instrument.settlement is Settlement.INVERSE
    prices = -instrument.price_exponent if inverse else instrument.price_exponent
    power = instrument.size_exponent + prices - exponent
    ratio = Fraction(instrument.multiplier) * Fraction(10) ** power
    ratio = ratio * 2 if inverse else ratio / 2
    if not ratio > 0 or ratio.numerator > LARGEST or ratio.denominator > LARGEST:
        fault = f"multiplier {instrument.multiplier} at these exponents leaves 62 bits"
        raise ValidationError([(f"instruments.{instrument.symbol}", fault)])
    return ratio.numerator, ratio.denominator, int(inverse)


def scale_row(instrument: Instrument, exponent: int) -> tuple[int, ...]:
    """Return the SCALE row of an instrument."""
    least = Fraction(instrument.min_notional) / Fraction(10) ** exponent
    return (
        *money_scale(instrument, exponent),
        int(instrument.kind is InstrumentKind.SPOT),
        instrument.min_size,
        instrument.max_size or NO_LIMIT,
        min(ceil(least), NO_LIMIT),
    )


def money_units(amount: Decimal, exponent: int) -> int:
    """Round an amount down to money units, at most ``NO_LIMIT``."""
    return min(int(Fraction(amount) / Fraction(10) ** exponent), NO_LIMIT)


def compiled_limits(limits: RiskLimits, exponent: int) -> Records:
    """Return the limits as the one LIMITS row that kernels read."""
    rows = np.zeros(1, LIMITS_DTYPE)
    row = rows[0]
    row["order"] = money_units(limits.max_order_notional, exponent)
    row["position"] = money_units(limits.max_position_notional, exponent)
    row["gross"] = money_units(limits.max_gross_notional, exponent)
    row["loss"] = money_units(limits.max_daily_loss, exponent)
    row["open_orders"] = limits.max_open_orders
    for name, number in (
        ("collar", limits.price_collar),
        ("leverage", limits.max_leverage),
        ("drawdown", limits.max_drawdown),
    ):
        fraction = Fraction(number)
        row[name] = fraction.numerator
        row[f"{name}_divisor"] = fraction.denominator
    return rows


class LimitCheck:
    """The limits of one session over its instruments' views.

    Parameters
    ----------
    limits : RiskLimits
    instruments : sequence of Instrument
    views : (n,) VIEW
        Shared with the session, which keeps positions, open sizes and best prices in them.
    exponent : int
        Exponent of the account's money units.
    equity : int
        Opening equity in money units.
    """

    def __init__(
        self,
        limits: RiskLimits,
        instruments: Sequence[Instrument],
        views: Records,
        exponent: int,
        equity: int,
    ) -> None:
        self.limits = limits
        self.instruments = tuple(instruments)
        self.exponent = exponent
        self.views = views
        self.scales: Records = np.array(
            [scale_row(each, exponent) for each in self.instruments], SCALE_DTYPE
        )
        self.rows = compiled_limits(limits, exponent)
        self.account: Records = np.zeros(1, ACCOUNT_DTYPE)
        self.account["equity"] = self.account["peak"] = self.account["day_start"] = equity
        self.times = np.zeros(max(1, limits.max_orders_per_second), np.int64)
        self.found = np.zeros((len(LimitCode), 2), np.int64)
        self._fixed = (views, self.scales, self.rows, self.account, self.times, self.found)

    def check(self, intents: Records) -> int:
        """Check the one INTENT row; return a bit for each broken limit, 0 for none."""
        return check_limits(intents, *self._fixed)

    def place(self, tables: Tables) -> None:
        """Put what the checks read into a session's tables."""
        tables.put(Slot.SCALES, self.scales)
        tables.put(Slot.LIMITS, self.rows)
        tables.put(Slot.ACCOUNT, self.account)
        tables.put(Slot.TIMES, self.times)
        tables.put(Slot.FOUND, self.found.reshape(-1))

    def uses(
        self, broken: int, instrument: int, numbers: Sequence[Sequence[int]]
    ) -> tuple[LimitUse, ...]:
        """Return every limit that applied to an order, with its numbers as text.

        ``numbers`` is what ``found.tolist()`` was after the check.
        """
        return tuple(
            LimitUse(
                LimitCode(code),
                self._text(LimitCode(code), used, instrument),
                self._text(LimitCode(code), allowed, instrument),
                bool(broken >> code & 1),
            )
            for code, (used, allowed) in enumerate(numbers)
            if used or allowed
        )

    def _text(self, code: LimitCode, number: int, instrument: int) -> str:
        if number == UNMEASURED:
            return "unknown"
        if code in MONEY:
            return text_from_scaled(number, self.exponent)
        if code in SIZES:
            return text_from_scaled(number, self.instruments[instrument].size_exponent)
        if code is LimitCode.TICK:
            return text_from_scaled(number, self.instruments[instrument].price_exponent)
        if code is LimitCode.PRICE_COLLAR:
            return text_from_scaled(number * 5, self.instruments[instrument].price_exponent - 1)
        return str(number)
