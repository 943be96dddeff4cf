"""Recorded numbers at the exponents of a session that counts in other ones."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EventKind, Records
from bot4_core.errors import NumberOverflowError, PrecisionGrew

__all__ = ["ScaleChange", "contradictions", "rescale", "scale_changes"]

PRICED: Final = (
    EventKind.BOOK_SET,
    EventKind.TRADE,
    EventKind.QUOTE,
    EventKind.LIQUIDATION,
    EventKind.CANDLE,
)
FIELDS: Final[tuple[tuple[str, str, tuple[EventKind, ...]], ...]] = (
    ("price", "price", PRICED),
    ("size", "size", PRICED),
    ("sequence", "price", (EventKind.CANDLE,)),
    ("aux", "price", (EventKind.QUOTE, EventKind.CANDLE)),
    ("link", "size", (EventKind.QUOTE,)),
    ("link", "price", (EventKind.CANDLE,)),
)
"""Which fields of market data hold what: the table of ``EventKind``."""
LARGEST: Final = 2**63 - 1
MOST_DIGITS: Final = 18


@attrs.frozen
class ScaleChange:
    """An instrument as it was recorded, and as the session counts it."""

    recorded: Instrument
    wanted: Instrument

    def digits(self, unit: str) -> int:
        """Return how many decimals more the session has for a price or a size."""
        recorded, wanted = self.recorded, self.wanted
        if unit == "price":
            return recorded.price_exponent - wanted.price_exponent
        return recorded.size_exponent - wanted.size_exponent

    @property
    def same(self) -> bool:
        """Whether all numbers stay as they are."""
        return not any(map(self.digits, ("price", "size")))


def scale_changes(
    recorded: Sequence[Instrument], wanted: Sequence[Instrument]
) -> Mapping[int, ScaleChange]:
    """Return by its number in the recording each instrument that the session scales differently.

    Parameters
    ----------
    recorded, wanted : sequence of Instrument
        The same instruments, in the same order.
    """
    changes = enumerate(map(ScaleChange, recorded, wanted))
    return {number: change for number, change in changes if not change.same}


def contradictions(recorded: Instrument, wanted: Instrument) -> Iterator[tuple[str, str]]:
    """Yield what a session says of an instrument that its recording knows better.

    Steps that were read off data are a guess, and contradict nothing.
    """
    path = f"instruments.{wanted.symbol}"
    for name in ("base", "quote", "kind", "settlement", "multiplier"):
        here, there = getattr(wanted, name), getattr(recorded, name)
        if here != there:
            yield f"{path}.{name}", f"is {there} in the recording, not {here}"
    if recorded.from_data:
        return
    for name, here, there in (
        ("tick", wanted.tick_size, recorded.tick_size),
        ("lot", wanted.lot_size, recorded.lot_size),
    ):
        if here.decimal % there.decimal:
            yield f"{path}.{name}", f"{here} is no multiple of the venue's, {there}"


def rescale(events: Records, changes: Mapping[int, ScaleChange]) -> None:
    """Bring events to the session's exponents, in place and exactly.

    Raises
    ------
    PrecisionGrew
        If the session's exponents are too coarse for a number.
    NumberOverflowError
        If they are so fine that a number leaves 64 bits.
    """
    for number, change in changes.items():
        ours = events["instrument"] == number
        for name, unit, kinds in FIELDS:
            digits = change.digits(unit)
            if digits:
                rows = (ours & np.isin(events["kind"], kinds)).nonzero()[0]
                events[name][rows] = _shifted(events[name][rows], digits, change)


def _shifted(numbers: NDArray[np.int64], digits: int, change: ScaleChange) -> NDArray[np.int64]:
    """Return numbers with so many decimals more, or less."""
    recorded = change.recorded
    most = int(np.abs(numbers).max(initial=0))
    power = np.int64(10 ** min(abs(digits), MOST_DIGITS))
    if digits > 0:
        if most * 10**digits > LARGEST:
            raise NumberOverflowError(
                f"{recorded.symbol}: {most} was recorded with {digits} decimals less than the "
                "session has, and leaves 64 bits there; choose coarser exponents"
            )
        return numbers * power
    if most and (digits < -MOST_DIGITS or (numbers % power).any()):
        raise PrecisionGrew(recorded.symbol, recorded.price_exponent, recorded.size_exponent)
    return numbers // power
