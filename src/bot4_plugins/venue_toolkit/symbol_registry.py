"""The instruments of one session, and the table by which the compiled decoder knows them."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import attrs
import numpy as np

from bot4_core.domain_types.canonical_types import Symbol, VenueName
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    Settlement,
    instrument_table,
)
from bot4_core.domain_types.records import ChainRule, Records
from bot4_core.errors import DecodeError, PrecisionGrew
from bot4_core.kernels.wire_messages import SYMBOL_ROWS
from bot4_core.kernels.wire_symbols import INSTRUMENT, LONGEST_SYMBOL, SYMBOL_WIDTH, insert_symbol

__all__ = [
    "FINEST_EXPONENT",
    "MOST_SYMBOLS",
    "Exponents",
    "ListingGuess",
    "MarketRules",
    "SymbolRegistry",
]

Exponents: TypeAlias = tuple[int, int]
"""Of prices and of sizes."""
FINEST_EXPONENT: Final = -18
MOST_SYMBOLS: Final = SYMBOL_ROWS // 2
"""Symbols that the compiled decoder knows; messages of further ones go to the slow one."""


@attrs.frozen(kw_only=True)
class ListingGuess:
    """Assets and form of an instrument, as its name suggests them."""

    base: str
    quote: str
    kind: InstrumentKind
    settlement: Settlement
    multiplier: Decimal = Decimal(1)


@attrs.frozen(kw_only=True)
class MarketRules:
    """What all instruments of one market of a venue have in common.

    Parameters
    ----------
    venue : VenueName
    market : str
    chain : ChainRule
    fees : FeeSchedule
    depth : int
        Levels a side that the subscribed book has, 0 for all.
    guess : callable
        Reads assets and form off a symbol without metadata.
    """

    venue: VenueName
    market: str
    chain: ChainRule
    fees: FeeSchedule
    depth: int = 0
    guess: Callable[[str], ListingGuess]


class SymbolRegistry:
    """Instruments in the order they were first needed.

    Metadata may list thousands of symbols; only those asked for, or seen, become instruments.

    Parameters
    ----------
    rules : MarketRules
    dtype : dtype
        Layout of the compiled decoder's record, made by ``wire_messages.decoder_dtype``.
    wanted : sequence of str
        Symbols that become instruments as soon as metadata describes them.
    instruments : sequence of Instrument
        Known from elsewhere; they come first.
    presets : mapping of str to int
        Fields of the decoder's record that it begins with.

    Attributes
    ----------
    state : (1,) dtype
        What the compiled decoder is given; a new one when an instrument is added.
    rows : dict
        Positions of the symbols that it knows.
    """

    def __init__(
        self,
        rules: MarketRules,
        dtype: np.dtype[np.void],
        wanted: Sequence[str] = (),
        instruments: Sequence[Instrument] = (),
        presets: Mapping[str, int] | None = None,
    ) -> None:
        self.rules = rules
        self.wanted = tuple(wanted)
        self.instruments = tuple(instruments)
        self.state: Records
        self.table: Records
        self.rows: dict[str, int] = {}
        self._dtype = dtype
        self._presets = dict(presets or {})
        self._listed: dict[str, Instrument] = {}
        self._numbers: dict[str, int] = {}
        self._rebuild()

    def number(self, symbol: str) -> int:
        """Return the instrument number of a symbol, -1 if it has none."""
        return self._numbers.get(symbol, -1)

    def describe(self, found: Mapping[str, Exponents]) -> dict[str, tuple[int, Instrument]]:
        """Return number and instrument of symbols in whose data these exponents were seen.

        Symbols without instrument get numbers here, and are filed by `add`.

        Raises
        ------
        PrecisionGrew
            If an instrument's exponents were read off data, and these are finer.
        DecodeError
            If no instrument has so fine exponents.
        """
        described = {}
        following = len(self.instruments)
        for symbol, exponents in found.items():
            number = self._numbers.get(symbol)
            if number is None:
                instrument = self._first_sight(symbol, exponents)
                described[symbol] = following, instrument
                following += 1
            else:
                instrument = self.instruments[number]
                described[symbol] = number, instrument
            _check_precision(instrument, exponents)
        return described

    def add(self, described: Mapping[str, tuple[int, Instrument]]) -> None:
        """File what `describe` gave, where it is new."""
        known = len(self.instruments)
        new = [instrument for number, instrument in described.values() if number >= known]
        if new:
            self.instruments = (*self.instruments, *new)
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
        guess = self.rules.guess(symbol)
        return Instrument(
            venue=self.rules.venue,
            market=self.rules.market,
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
            fees=self.rules.fees,
            chain=self.rules.chain,
            depth=self.rules.depth,
            from_data=True,
        )

    def _rebuild(self) -> None:
        self._numbers = {item.symbol: number for number, item in enumerate(self.instruments)}
        self.table = instrument_table(self.instruments)
        self.state = np.zeros(1, self._dtype)
        for field, value in self._presets.items():
            self.state[field] = value
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


def _check_precision(instrument: Instrument, seen: Exponents) -> None:
    price_exponent = min(instrument.price_exponent, seen[0])
    size_exponent = min(instrument.size_exponent, seen[1])
    if min(price_exponent, size_exponent) < FINEST_EXPONENT:
        raise DecodeError(f"{instrument.symbol}: a number has digits below 1e{FINEST_EXPONENT}")
    known = (instrument.price_exponent, instrument.size_exponent)
    if instrument.from_data and (price_exponent, size_exponent) != known:
        raise PrecisionGrew(instrument.symbol, price_exponent, size_exponent)


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
