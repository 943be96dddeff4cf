"""The ledger with fractions: no exponents, no rounding, no bookkeeping tricks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from bot4_core.domain_types.accounts import FundingPayment, Transfer
from bot4_core.domain_types.instruments import Instrument, Settlement
from bot4_core.domain_types.orders import Fill


@dataclass
class Holding:
    """One position: signed size, and what it cost at its average entry."""

    instrument: Instrument
    size: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)
    realised: Fraction = Fraction(0)

    def worth(self, size: Fraction, price: Fraction) -> Fraction:
        contracts = size * Fraction(self.instrument.multiplier)
        inverse = self.instrument.settlement is Settlement.INVERSE
        return contracts / price if inverse else contracts * price

    def profit(self, change_of_worth: Fraction) -> Fraction:
        long = self.size > 0
        inverse = self.instrument.settlement is Settlement.INVERSE
        return change_of_worth if long != inverse else -change_of_worth

    def trade(self, signed: Fraction, price: Fraction) -> Fraction:
        closed = min(abs(self.size), abs(signed)) if self.size * signed < 0 else Fraction(0)
        realised = Fraction(0)
        if closed:
            released = self.cost * closed / abs(self.size)
            realised = self.profit(self.worth(closed, price) - released)
            self.cost -= released
        self.cost += self.worth(abs(signed) - closed, price)
        self.size += signed
        self.realised += realised
        return realised

    def unrealised(self, price: Fraction) -> Fraction:
        return self.profit(self.worth(abs(self.size), price) - self.cost)


@dataclass
class FractionLedger:
    """Balances and holdings after a list of entries."""

    holdings: list[Holding]
    balances: defaultdict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))

    def equity(self, asset: str, marks: Sequence[Fraction]) -> Fraction:
        total = self.balances[asset]
        for holding, mark in zip(self.holdings, marks, strict=True):
            if holding.instrument.settled_in != asset or not holding.size:
                continue
            if holding.instrument.settlement is Settlement.SPOT:
                total += holding.worth(holding.size, mark)
            else:
                total += holding.unrealised(mark)
        return total


@dataclass
class LotHolding(Holding):
    """The same, where each opening trade is a lot and the oldest is closed first."""

    lots: list[tuple[Fraction, Fraction]] = field(default_factory=list)

    def trade(self, signed: Fraction, price: Fraction) -> Fraction:
        realised, left = Fraction(0), abs(signed)
        while left and self.size * signed < 0:
            size, entry = self.lots.pop(0)
            closed = min(size, left)
            if closed < size:
                self.lots.insert(0, (size - closed, entry))
            realised += self.profit(self.worth(closed, price) - self.worth(closed, entry))
            self.size += closed if signed > 0 else -closed
            left -= closed
        if left:
            self.lots.append((left, price))
            self.size += left if signed > 0 else -left
        self.cost = sum((self.worth(*lot) for lot in self.lots), Fraction(0))
        self.realised += realised
        return realised


def books(
    instruments: Sequence[Instrument],
    opening: Mapping[str, Fraction],
    entries: Sequence[Fill | FundingPayment | Transfer],
    holding: type[Holding] = Holding,
) -> FractionLedger:
    """Add up all entries."""
    ledger = FractionLedger([holding(instrument) for instrument in instruments])
    ledger.balances.update(opening)
    for entry in entries:
        if isinstance(entry, Fill):
            _book(ledger, entry)
        else:
            ledger.balances[entry.asset] += entry.amount.fraction
    return ledger


def _book(ledger: FractionLedger, fill: Fill) -> None:
    holding = ledger.holdings[fill.instrument]
    signed = fill.size.fraction * int(fill.side)
    price = fill.price.fraction
    realised = holding.trade(signed, price)
    if holding.instrument.settlement is Settlement.SPOT:
        ledger.balances[holding.instrument.base] += signed
        ledger.balances[holding.instrument.settled_in] -= holding.worth(signed, price)
    else:
        ledger.balances[holding.instrument.settled_in] += realised
    ledger.balances[fill.fee_asset] -= fill.fee.fraction
