"""What a holding cost and what it earned, by average cost, in exact integers."""

from typing import Final

from bot4_core.domain_types.canonical_types import Price, Rounding, divide_rounded
from bot4_core.domain_types.instruments import Instrument, Settlement
from bot4_core.risk.ledger_accounts import AssetAccount, units_of

__all__ = ["SHOWN_DIGITS", "CostPosition"]

_HALF_EVEN: Final = Rounding.HALF_EVEN
SHOWN_DIGITS: Final = 4
"""Decimals of an average price beyond those of the instrument."""


class CostPosition:
    """The position in one instrument, carried at average cost.

    Amounts are integers of the settlement asset at ``exponent``. ``cost`` is what the open size is
    worth at its entry prices: ``size * price * multiplier`` (spot, linear), or
    ``size * multiplier / price`` (inverse). Two divisions need a rule, both half to even:

    - an inverse contract's worth is rounded once a fill, at the settlement exponent;
    - closing a part of a position releases ``cost * closed / size``; the remainder stays, so that
      closing everything releases exactly what was paid.

    Hence for spot and linear instruments ``realised + unrealised`` has no rounding error at all,
    and only the split between the two is rounded, by at most half a unit for each partial close.
    The exponent is one digit finer than price times size, so that a mid price is exact as well.

    Attributes
    ----------
    size : int
        Signed, scaled at the instrument's size exponent.
    cost : int
        Not negative.
    realised : int
        Profit of what was closed, before fees.
    charges : AssetAccount
        Fees and funding of this position in the settlement asset.
    mark : int
        Twice the scaled price that the position is marked at; 0 before the first.
    fresh : bool
        Whether the mark is that of a LIVE book.
    """

    __slots__ = (
        "_down",
        "_up",
        "asset",
        "charges",
        "cost",
        "exponent",
        "fresh",
        "instrument",
        "inverse",
        "mark",
        "realised",
        "size",
        "spot",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.asset = instrument.settled_in
        self.spot = instrument.settlement is Settlement.SPOT
        self.inverse = instrument.settlement is Settlement.INVERSE
        self.size = 0
        self.cost = 0
        self.realised = 0
        self.mark = 0
        self.fresh = False
        multiplier, power = units_of(instrument.multiplier)
        power += instrument.size_exponent
        if self.inverse:
            self.exponent = instrument.settlement_exponent
            power -= instrument.price_exponent + self.exponent
            self._up: int = 2 * multiplier * 10 ** max(power, 0)
            self._down = 10 ** max(-power, 0)
        else:
            power += instrument.price_exponent
            self.exponent = min(instrument.settlement_exponent, power - 1)
            self._up = multiplier * 10 ** (power - self.exponent) // 2
            self._down = 1
        self.charges = AssetAccount(self.asset, self.exponent)

    @property
    def factors(self) -> tuple[int, int]:
        """What worth is made with: ``up`` and ``down`` of `worth`."""
        return self._up, self._down

    def worth(self, size: int, twice_price: int) -> int:
        """Return what an unsigned size is worth at half of ``twice_price``."""
        if self.inverse:
            return divide_rounded(size * self._up, twice_price * self._down, _HALF_EVEN)
        return size * twice_price * self._up

    @property
    def lots(self) -> tuple[tuple[int, int], ...]:
        """The open size and its cost, as one lot; none when flat."""
        return ((abs(self.size), self.cost),) if self.size else ()

    def trade(self, side: int, size: int, price: int, number: int = 0) -> tuple[int, int]:
        """Book an execution.

        Returns
        -------
        worth, realised : int
            What was traded, and the profit that it locked in.
        """
        worth = self.worth(size, 2 * price)
        if self.size * side >= 0:
            self.cost += worth
            self.size += side * size
            return worth, 0
        held = abs(self.size)
        closed = min(held, size)
        exit_worth = worth if closed == size else divide_rounded(worth * closed, size, _HALF_EVEN)
        released = divide_rounded(self.cost * closed, held, _HALF_EVEN)
        realised = self._direction() * (exit_worth - released)
        self.cost += worth - exit_worth - released
        self.size += side * size
        self.realised += realised
        return worth, realised

    def reverse(self, side: int, size: int, price: int, number: int) -> tuple[int, int]:
        """Take an execution back, with its opposite; returns as `trade`."""
        return self.trade(side, size, price, number)

    def _direction(self) -> int:
        """Return the sign with which a rise in worth is a profit."""
        return 1 if (self.size > 0) is not self.inverse else -1

    def unrealised(self) -> int:
        """Return the profit of closing at the mark; 0 before the first mark."""
        if not self.size or not self.mark:
            return 0
        return self._direction() * (self.worth(abs(self.size), self.mark) - self.cost)

    def market_worth(self) -> int:
        """Return the signed worth of the position at the mark, at cost before the first mark."""
        worth = self.worth(abs(self.size), self.mark) if self.mark else self.cost
        return worth if self.size >= 0 else -worth

    def open_worth(self) -> int:
        """Return what the position adds to the account's equity at its mark."""
        return self.market_worth() if self.spot else self.unrealised()

    def funding_due(self, rate: int, price: int) -> int:
        """Return what a funding settlement pays us, at the settlement exponent.

        Parameters
        ----------
        rate : int
            Scaled by 1e12; longs pay a positive one.
        price : int
            Scaled mark price at the settlement.
        """
        worth = self.worth(abs(self.size), 2 * price) * rate
        step = 10 ** (12 + self.instrument.settlement_exponent - self.exponent)
        return divide_rounded(-worth if self.size > 0 else worth, step, _HALF_EVEN)

    def average_price(self) -> Price | None:
        """Return the entry price that explains the cost, rounded four digits below the price."""
        exponent = self.instrument.price_exponent - SHOWN_DIGITS
        return Price(self._average(), exponent) if self.size and self.cost else None

    def average_number(self) -> float:
        """Return `average_price` as the nearest float, 0 where there is none."""
        if not self.size or not self.cost:
            return 0.0
        exponent = self.instrument.price_exponent - SHOWN_DIGITS
        average = self._average()
        return average / 10**-exponent if exponent < 0 else float(average * 10**exponent)

    def _average(self) -> int:
        size, step = abs(self.size), 10**SHOWN_DIGITS
        if self.inverse:
            top, bottom = size * self._up * step, 2 * self.cost * self._down
        else:
            top, bottom = self.cost * step, 2 * size * self._up
        return divide_rounded(top, bottom, _HALF_EVEN)

    def summary(self) -> tuple[str, ...]:
        """Return what the position adds up to as text; marks are not part of it."""
        sums = (self.size, self.cost, self.realised)
        return (str(self.instrument.symbol), *map(str, sums), *self.charges.summary())
