"""What can be traded: spot pairs, perpetuals and dated futures."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import (
    Nanoseconds,
    Price,
    Quantity,
    Rounding,
    Symbol,
    VenueName,
)
from bot4_core.domain_types.records import INSTRUMENT_DTYPE, ChainRule, Side
from bot4_core.errors import PrecisionError

__all__ = [
    "FeeSchedule",
    "Instrument",
    "InstrumentKind",
    "InstrumentStatus",
    "Settlement",
    "instrument_table",
]


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
    """One tradable thing at one venue, with the scale of its numbers.

    A price step is ``tick * 10 ** price_exponent`` quote units, a size step
    ``lot * 10 ** size_exponent`` base units or contracts. ``version`` rises when any of this
    changes while running.
    """

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
    settlement_asset: str = ""  # empty: see ``settled_in``
    settlement_exponent: int = -8
    fees: FeeSchedule = FeeSchedule()
    status: InstrumentStatus = InstrumentStatus.TRADING
    expiry: Nanoseconds | None = None
    chain: ChainRule = ChainRule.NONE
    depth: int = 0  # levels a side that the venue keeps us informed of, 0 for all
    version: int = 1
    from_data: bool = False  # exponents were read off the data, not off metadata

    @property
    def settled_in(self) -> str:
        """The asset in which profit, loss and fees are booked."""
        if self.settlement_asset:
            return self.settlement_asset
        return self.base if self.settlement is Settlement.INVERSE else self.quote

    @property
    def tick_size(self) -> Price:
        """The price step."""
        return Price(self.tick, self.price_exponent)

    @property
    def lot_size(self) -> Quantity:
        """The size step."""
        return Quantity(self.lot, self.size_exponent)

    def price(self, text: str) -> Price:
        """Read decimal text as a price of this instrument, exactly.

        Raises
        ------
        PrecisionError, NumberOverflowError
            As ``Price.parse`` does. The tick is not asked for: see ``quantise_price``.
        """
        return Price.parse(text, self.price_exponent)

    def size(self, text: str) -> Quantity:
        """Read decimal text as a size of this instrument, exactly.

        Raises
        ------
        PrecisionError, NumberOverflowError
            As ``Quantity.parse`` does. The lot is not asked for: see ``quantise_size``.
        """
        return Quantity.parse(text, self.size_exponent)

    def quantise_price(self, price: Price, side: Side, rounding: Rounding | None = None) -> Price:
        """Move a price to the tick grid, to the side that pays no more than was asked.

        Parameters
        ----------
        price : Price
        side : Side
            A buy moves down, a sell moves up.
        rounding : Rounding, optional
            Overrides the side.

        Raises
        ------
        PrecisionError
            If there is neither a side nor a rounding.
        NumberOverflowError
            If the result leaves 64 bits.
        """
        if rounding is None:
            if side is Side.NONE:
                raise PrecisionError(f"price {price} cannot be quantised without a side")
            rounding = Rounding.FLOOR if side is Side.BUY else Rounding.CEILING
        return price.quantised(self.tick_size, rounding)

    def quantise_size(self, size: Quantity, rounding: Rounding = Rounding.TOWARD_ZERO) -> Quantity:
        """Move a size to the lot grid, towards zero unless told otherwise.

        Raises
        ------
        NumberOverflowError
            If the result leaves 64 bits.
        """
        return size.quantised(self.lot_size, rounding)

    def notional(self, price: Price, size: Quantity) -> Fraction:
        """Return the exact worth of a size at a price, in quote units, signed as the size is."""
        contracts = size.fraction * Fraction(self.multiplier)
        return contracts if self.settlement is Settlement.INVERSE else contracts * price.fraction


def instrument_table(instruments: Sequence[Instrument]) -> NDArray[np.void]:
    """Write instruments as the rows that kernels read.

    Returns
    -------
    (n,) INSTRUMENT_DTYPE
        Same order; the row number is the instrument id.

    Raises
    ------
    OverflowError
        If a number leaves 64 bits.
    """
    table = np.zeros(len(instruments), INSTRUMENT_DTYPE)
    for row, item in enumerate(instruments):
        table[row] = (
            item.price_exponent,
            item.size_exponent,
            item.tick,
            item.lot,
            item.min_size,
            int(item.chain),
            item.depth,
            # read from text: correctly rounded, where a power function need not be
            float(f"1e{item.price_exponent}"),
            float(f"1e{item.size_exponent}"),
            float(item.multiplier),
        )
    return table
