"""Funding of perpetuals: what was announced, and what falls due."""

from typing import Final, NamedTuple

import attrs

from bot4_core.domain_types.canonical_types import Rounding, divide_rounded
from bot4_core.domain_types.instruments import Instrument

__all__ = ["Due", "FundingSchedule"]

MARK_EXPONENT: Final = -8
"""Exponent of the prices in MARK records."""


class Due(NamedTuple):
    """A settlement that has passed: rate (scaled by 1e12), scaled mark price, time in ns."""

    rate: int
    price: int
    time: int


@attrs.define
class Announced:
    """What a venue last said of one instrument."""

    mark: int = 0
    rate: int = 0
    settles: int = 0


class FundingSchedule:
    """Follows mark prices and announced rates, and tells when a settlement has passed.

    A venue announces the rate of the coming settlement again and again; the first announcement
    of a later settlement, or of a time after the old one, shows that the old one took place, at
    the rate that was announced last.

    Parameters
    ----------
    instruments : sequence of Instrument
    """

    def __init__(self, instruments: tuple[Instrument, ...]) -> None:
        self._instruments = instruments
        self._announced = [Announced() for _ in instruments]

    def mark(self, instrument: int, price: int) -> None:
        """Remember a mark price as a MARK record has it."""
        self._announced[instrument].mark = price

    def announce(self, instrument: int, rate: int, settles: int, now: int) -> Due | None:
        """Take an announcement in; return the settlement that it shows to have passed."""
        known = self._announced[instrument]
        passed = 0 < known.settles <= now or 0 < known.settles < settles
        due = None
        if passed and known.mark > 0:
            due = Due(known.rate, self._scaled(instrument, known.mark), known.settles)
        known.rate = rate
        known.settles = settles if settles > now else 0
        return due

    def _scaled(self, instrument: int, mark: int) -> int:
        """Return a mark price at the instrument's exponent, rounded half to even."""
        power = self._instruments[instrument].price_exponent - MARK_EXPONENT
        if power <= 0:
            return mark * int(10**-power)
        return divide_rounded(mark, int(10**power), Rounding.HALF_EVEN)
