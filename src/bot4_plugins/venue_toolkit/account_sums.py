"""What accounts of several venues have in common: positions, coins and prices at our scales."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Price,
    Quantity,
    Rounding,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import DecodeError

__all__ = ["HeldPosition", "ToldAccount", "held_coins", "held_positions", "settlement_assets"]


@attrs.frozen
class HeldPosition:
    """One position: signed size and entry price, as text; ``part`` names one of a hedged pair."""

    symbol: str
    size: Quantity
    price: str
    part: str = ""


@attrs.define
class ToldAccount:
    """What private streams and lists last said of an account.

    Attributes
    ----------
    balances : dict of str to Money
        By asset.
    positions : dict of (str, str) to HeldPosition
        By symbol and part.
    passed_over : Counter of str
        What was said that no event stands for, such as funding payments.
    """

    balances: dict[str, Money] = attrs.field(factory=dict)
    positions: dict[tuple[str, str], HeldPosition] = attrs.field(factory=dict)
    passed_over: Counter[str] = attrs.field(factory=Counter)

    def hold(self, positions: Iterable[HeldPosition]) -> None:
        """Take in positions; others stay as they were."""
        self.positions |= {(each.symbol, each.part): each for each in positions}


def settlement_assets(instruments: Sequence[Instrument]) -> list[str]:
    """Return what the instruments are settled in, each once."""
    return list(dict.fromkeys(item.settled_in for item in instruments))


def held_positions(
    found: Iterable[HeldPosition], instruments: Sequence[Instrument]
) -> dict[InstrumentId, tuple[int, int]]:
    """Add up the positions of each instrument; the two of a hedged contract count against.

    Average prices are rounded down to what the instrument's prices can say.
    """
    numbers = {str(item.symbol): number for number, item in enumerate(instruments)}
    held: dict[InstrumentId, tuple[int, int]] = {}
    for each in found:
        if each.symbol in numbers and each.size.value:
            number = InstrumentId(numbers[each.symbol])
            instrument = instruments[number]
            size = each.size.scaled_at(instrument.size_exponent)
            price = Price.of(each.price).rescaled(instrument.price_exponent, Rounding.FLOOR)
            held[number] = held.get(number, (0, 0))[0] + size, price.value
    return held


def held_coins(
    wallet: Mapping[str, Money], instruments: Sequence[Instrument]
) -> dict[InstrumentId, tuple[int, int]]:
    """Return what spot holds of each instrument's base asset; what was paid for it is not known.

    Raises
    ------
    DecodeError
        If an asset is the base of several instruments.
    """
    held = {}
    for number, item in enumerate(instruments):
        if sum(other.base == item.base for other in instruments) > 1:
            raise DecodeError(f"{item.base} is traded against several assets: whose is it?")
        money = wallet.get(item.base)
        if money is not None and money.value:
            size = money.rescaled(item.size_exponent, Rounding.TOWARD_ZERO)
            held[InstrumentId(number)] = size.value, 0
    return held
