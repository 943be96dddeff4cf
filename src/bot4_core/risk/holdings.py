"""The ledger's sums in tables, so that compiled code books fills ahead of it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from bot4_core.domain_types.accounts import CostMethod
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.kernels.holdings import BANK_DTYPE, HOLDING_DTYPE
from bot4_core.kernels.limits_money import LARGEST
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import Tables
from bot4_core.risk.ledger import Ledger
from bot4_core.risk.ledger_positions import SHOWN_DIGITS

__all__ = ["Holdings"]

NOTHING: Final = (0,) * len(HOLDING_DTYPE.names or ())
AHEAD: Final = 4096
"""Fills that are booked before the ledger is told."""
FINEST_UNIT: Final = 22
"""Up to here a power of ten is a float exactly."""


class Holdings:
    """What compiled code books fills with, and what the ledger is told of it.

    Holdings by average cost whose units fit are booked in compiled code; the others are left to
    the ledger, fill by fill.

    Parameters
    ----------
    ledger : Ledger
    instruments : sequence of Instrument
    asset : str
        Of the account; what other assets settle is left to the ledger.
    money_exponent : int
        Of the units that positions and equity are shown in.
    tables : Tables
        Get the ``HOLDINGS``, the ``BANK`` and the fills ``BOOKED``.
    """

    def __init__(
        self,
        ledger: Ledger,
        instruments: Sequence[Instrument],
        asset: str,
        money_exponent: int,
        tables: Tables,
    ) -> None:
        self._ledger = ledger
        self._instruments = tuple(instruments)
        self._asset = asset
        self._money = money_exponent
        self._rows = np.zeros(len(self._instruments), HOLDING_DTYPE)
        self._bank = np.zeros(1, BANK_DTYPE)
        self._booked = np.zeros(AHEAD, EVENT_DTYPE)
        tables.put(Slot.HOLDINGS, self._rows)
        tables.put(Slot.BANK, self._bank)
        tables.put(Slot.BOOKED, self._booked)
        self.take()

    @property
    def waiting(self) -> int:
        """How many fills the ledger was not told of."""
        return int(self._bank["booked"][0])

    def take(self) -> None:
        """Take the ledger's sums over; nothing is waiting to be told."""
        if self._ledger.method is not CostMethod.AVERAGE:
            return
        balance, exponent = self._ledger.balance_units(self._asset)
        up, down = _fraction(exponent - self._money)
        for number in range(len(self._instruments)):
            self._rows[number] = self._row(number, exponent)
        if max(abs(balance), up, down) > LARGEST:
            self._rows["usable"] = 0
        else:
            self._bank[0] = (balance, up, down, 0)

    def hand_over(self) -> int:
        """Tell the ledger what was booked; return how many fills it was."""
        count = self.waiting
        if count:
            self._ledger.catch_up(self._booked[:count].copy(), self._rows)
            for name in ("realised", "traded", "fees"):
                self._rows[name] = 0
            self._bank["booked"] = 0
        return count

    def _row(self, number: int, bank_exponent: int) -> tuple[float, ...]:
        """Return an instrument's row, zeros where it is the ledger's work."""
        held, rules = self._ledger.holding(number), self._instruments[number]
        if held.asset != self._asset:
            return NOTHING
        unit = SHOWN_DIGITS - rules.price_exponent
        scales = (
            *held.factors,
            held.inverse,
            held.spot,
            10 ** (held.exponent - bank_exponent),
            10 ** (rules.settlement_exponent - bank_exponent),
            *_fraction(held.exponent - self._money),
        )
        if max(held.cost, abs(held.size), *scales) > LARGEST or not 0 <= unit <= FINEST_UNIT:
            return NOTHING
        return (1, held.size, held.cost, 0, 0, 0, *scales, 10.0**unit)


def _fraction(power: int) -> tuple[int, int]:
    """Return a power of ten as numerator and denominator."""
    return 10 ** max(power, 0), 10 ** max(-power, 0)
