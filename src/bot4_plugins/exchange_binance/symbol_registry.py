"""The instruments of one session, and the table by which the compiled decoder knows them."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import attrs
import numpy as np

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import Instrument, instrument_table
from bot4_core.domain_types.records import ChainRule
from bot4_core.errors import DecodeError, PrecisionGrew
from bot4_core.kernels.wire_symbols import INSTRUMENT, LONGEST_SYMBOL, SYMBOL_WIDTH, insert_symbol
from bot4_core.plugins.interfaces import Records
from bot4_plugins.exchange_binance.kernel_layout import DECODER_DTYPE, MOST_SYMBOLS
from bot4_plugins.exchange_binance.symbol_names import guess_listing
from bot4_plugins.exchange_binance.venue import VenueFacts

__all__ = ["FINEST_EXPONENT", "Exponents", "SymbolRegistry"]

Exponents: TypeAlias = tuple[int, int]
"""Of prices and of sizes."""
FINEST_EXPONENT: Final = -18


class SymbolRegistry:
    """Instruments in the order they were first needed.

    Metadata may list thousands of symbols; only those asked for, or seen, become instruments.

    Parameters
    ----------
    facts : VenueFacts
        The market.
    wanted : sequence of str
        Symbols that become instruments as soon as metadata describes them.
    instruments : sequence of Instrument
        Known from elsewhere; they come first.

    Attributes
    ----------
    state : (1,) DECODER_DTYPE
        What the compiled decoder is given; a new one when an instrument is added.
    rows : dict
        Positions of the symbols that it knows.
    """

    def __init__(
        self,
        facts: VenueFacts,
        wanted: Sequence[str] = (),
        instruments: Sequence[Instrument] = (),
    ) -> None:
        self.facts = facts
        self.wanted = tuple(wanted)
        self.instruments = tuple(instruments)
        self.state: Records
        self.table: Records
        self._listed: dict[str, Instrument] = {}
        self.rows: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._rebuild()

    def describe(self, symbol: str, exponents: Exponents) -> tuple[int, Instrument]:
        """Return number and instrument of a symbol in whose data these exponents were seen.

        A symbol without instrument gets a number here, and is filed by `add`.

        Raises
        ------
        PrecisionGrew
            If the instrument's exponents were read off data, and these are finer.
        DecodeError
            If no instrument has so fine exponents.
        """
        number = self._numbers.get(symbol)
        if number is None:
            number, instrument = len(self.instruments), self._first_sight(symbol, exponents)
        else:
            instrument = self.instruments[number]
        price_exponent = min(instrument.price_exponent, exponents[0])
        size_exponent = min(instrument.size_exponent, exponents[1])
        if min(price_exponent, size_exponent) < FINEST_EXPONENT:
            raise DecodeError(f"{symbol}: a number has digits below 1e{FINEST_EXPONENT}")
        finer = (price_exponent, size_exponent) != (
            instrument.price_exponent,
            instrument.size_exponent,
        )
        if instrument.from_data and finer:
            raise PrecisionGrew(symbol, price_exponent, size_exponent)
        return number, instrument

    def add(self, number: int, instrument: Instrument) -> None:
        """File an instrument that `describe` gave, if it is new."""
        if number == len(self.instruments):
            self.instruments = (*self.instruments, instrument)
            self._rebuild()

    def learn(self, listed: Mapping[str, Instrument]) -> None:
        """Take in metadata: new instruments for wanted symbols, new versions of known ones.

        Exponents never change while running; a step that needs finer ones ends the session.

        Raises
        ------
        PrecisionGrew
            If a known instrument's new step is finer than its exponents.
        """
        updated = [
            _renewed(instrument, listed.get(instrument.symbol, instrument))
            for instrument in self.instruments
        ]
        self._listed.update(listed)
        new = [
            listed[symbol]
            for symbol in self.wanted
            if symbol in listed and symbol not in self._numbers
        ]
        self.instruments = (*updated, *new)
        self._rebuild()

    def _first_sight(self, symbol: str, exponents: Exponents) -> Instrument:
        listed = self._listed.get(symbol)
        if listed is not None:
            return listed
        guess = guess_listing(self.facts, symbol)
        return Instrument(
            venue=VenueName("binance"),
            market=self.facts.market,
            symbol=Symbol(symbol),
            base=guess.base,
            quote=guess.quote,
            kind=guess.kind,
            settlement=guess.settlement,
            price_exponent=exponents[0],
            size_exponent=exponents[1],
            tick=1,
            lot=1,
            multiplier=guess.multiplier,
            fees=self.facts.default_fees,
            chain=self.facts.chain,
            from_data=True,
        )

    def _rebuild(self) -> None:
        self._numbers = {item.symbol: number for number, item in enumerate(self.instruments)}
        self.table = instrument_table(self.instruments)
        self.state = np.zeros(1, DECODER_DTYPE)
        self.state["linked"] = self.facts.chain is ChainRule.LINK
        self.rows = {}
        symbols = self.state[0]["symbols"]
        for number, item in enumerate(self.instruments[:MOST_SYMBOLS]):
            places = (-item.price_exponent, -item.size_exponent)
            if (
                item.symbol.isascii()
                and 0 < len(item.symbol) <= LONGEST_SYMBOL
                and 0 <= min(places) <= max(places) <= -FINEST_EXPONENT
            ):
                row = insert_symbol(item.symbol.encode(), len(item.symbol), symbols)
                self.rows[item.symbol] = row
                symbols[row + INSTRUMENT : row + SYMBOL_WIDTH] = (number, *places)


def _renewed(old: Instrument, new: Instrument) -> Instrument:
    """Return an instrument with the metadata of ``new`` at the exponents of ``old``."""
    price_shift = new.price_exponent - old.price_exponent
    size_shift = new.size_exponent - old.size_exponent
    if price_shift < 0 or size_shift < 0:
        raise PrecisionGrew(
            old.symbol,
            min(old.price_exponent, new.price_exponent),
            min(old.size_exponent, new.size_exponent),
        )
    size_scale = 10**size_shift
    rescaled = attrs.evolve(
        new,
        price_exponent=old.price_exponent,
        size_exponent=old.size_exponent,
        tick=new.tick * 10**price_shift,
        lot=new.lot * size_scale,
        min_size=new.min_size * size_scale,
        max_size=new.max_size * size_scale,
        version=old.version,
    )
    return old if rescaled == old else attrs.evolve(rescaled, version=old.version + 1)
