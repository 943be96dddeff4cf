"""The account of a session: orders, books, limits, and what the views show of them."""

from collections.abc import Sequence
from typing import Final

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Fill
from bot4_core.orders import OrderChange, Orders
from bot4_core.plugins.interfaces import Record, Records
from bot4_core.risk.ledger import Ledger
from bot4_core.risk.limits import LimitCheck
from bot4_core.session.config import SessionConfig

__all__ = ["MONEY_EXPONENT", "Account"]

MONEY_EXPONENT: Final = -8
"""Exponent of the money units that limits are checked in."""
MONEY_UNITS: Final = 1e8


class Account:
    """Keeps orders and ledger, and writes what they hold into views and limits.

    Parameters
    ----------
    config : SessionConfig
    instruments : sequence of Instrument
    views : (n,) VIEW
    tag : str
        The run's mark in client order ids, 16 hexadecimal digits.
    """

    def __init__(
        self, config: SessionConfig, instruments: Sequence[Instrument], views: Records, tag: str
    ) -> None:
        self.asset = config.account.asset
        self.instruments = tuple(instruments)
        self.orders = Orders(instruments, tag)
        self.ledger = Ledger(instruments, {self.asset: config.account.cash})
        limits = config.limits.limits(config.account.cash)
        self.limits = LimitCheck(limits, instruments, views, MONEY_EXPONENT, self._equity())
        self.fills = 0
        self._positions = views["position"]
        self._buying = views["open_buy"]
        self._selling = views["open_sell"]
        self._bids, self._asks = views["bid"], views["ask"]
        self._averages = views["average_price"]
        self._equities = views["equity"]
        self._open_orders = self.limits.account["open_orders"]
        self._equities[:] = float(config.account.cash)

    def apply(self, event: Record, now: int) -> OrderChange | None:
        """Take one order event in; None when it told nothing new."""
        change = self.orders.apply(event)
        if change is None:
            return None
        if change.fill is not None:
            self._book(change.fill, now)
        self.show(int(event["instrument"]))
        return change

    def show(self, instrument: int) -> None:
        """Write what is open on an instrument into its view and into the limits."""
        self._buying[instrument] = self.orders.open_buy[instrument]
        self._selling[instrument] = self.orders.open_sell[instrument]
        self._open_orders[0] = self.orders.open_count

    def revalue(self, instrument: int, bid: int, ask: int, now: int) -> None:
        """Mark a held instrument at the mid of its LIVE book."""
        self.ledger.mark(instrument, bid, ask)
        equity = self._equity()
        self.limits.revalue(equity, now)
        self._equities[:] = equity / MONEY_UNITS

    def _book(self, fill: Fill, now: int) -> None:
        self.fills += 1
        number = fill.instrument
        bid, ask = int(self._bids[number]), int(self._asks[number])
        if bid > 0 and ask > 0:
            self.ledger.mark(number, bid, ask)
        self.ledger.book(fill)
        self._positions[number] = self.ledger.sizes[number]
        average = self.ledger.position(number).average_price
        self._averages[number] = float(average.decimal) if average is not None else 0.0
        equity = self._equity()
        self.limits.revalue(equity, now)
        self._equities[:] = equity / MONEY_UNITS

    def _equity(self) -> int:
        """Return what the account is worth, rounded down to money units."""
        units, exponent = self.ledger.equity_units(self.asset), self.ledger.exponent(self.asset)
        if exponent >= MONEY_EXPONENT:
            return units * int(10 ** (exponent - MONEY_EXPONENT))
        return units // int(10 ** (MONEY_EXPONENT - exponent))
