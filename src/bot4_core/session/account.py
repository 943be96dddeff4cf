"""The account of a session: orders, books, limits, and what the views show of them."""

from collections.abc import Sequence
from typing import Final

from bot4_core.domain_types.accounts import FundingPayment, Transfer
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Fill
from bot4_core.jit import entry_point
from bot4_core.kernels.equity import rebase, revalue, show_position
from bot4_core.kernels.order_rows import Slot
from bot4_core.orders import OrderChange, Orders
from bot4_core.orders.restoring import KeptOrders
from bot4_core.plugins.interfaces import Records
from bot4_core.risk.holdings import Holdings
from bot4_core.risk.ledger import Ledger, LedgerEntry
from bot4_core.risk.ledger_entries import PLACE, filed_row
from bot4_core.risk.limits import LimitCheck
from bot4_core.session.config import SessionConfig
from bot4_core.session.funding import Due

__all__ = ["MONEY_EXPONENT", "MONEY_UNIT", "Account"]

MONEY_EXPONENT: Final = -8
"""Exponent of the money units that limits are checked in."""
MONEY_UNIT: Final = 1e-8
POWERS: Final[tuple[int, ...]] = tuple(10**power for power in range(64))


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
        self.orders = Orders(instruments, tag, views=views, final_after=config.answers.final_after)
        self._ahead: Holdings | None = None
        self._ledger = Ledger(
            instruments, {self.asset: config.account.cash}, cost=config.account.cost
        )
        limits = config.limits.limits(config.account.cash)
        opening = in_money(*self.ledger.balance_units(self.asset))
        self.limits = LimitCheck(limits, instruments, views, MONEY_EXPONENT, opening)
        tables = self.orders.tables
        self.limits.place(tables)
        self._views, self._desks = views, tables[Slot.DESKS]
        views["equity"] = opening * MONEY_UNIT
        self._fills = 0
        self._handle = tables.handle
        self._show = entry_point(show_position, self._handle, 0, 0, 0, 0.0, 0)
        self._revalue = entry_point(revalue, self._handle, 0, 0)
        self._rebase = entry_point(rebase, self._handle, 0, 0)

    @property
    def ledger(self) -> Ledger:
        """The books, up to the last fill."""
        if self._ahead is not None:
            self._fills += self._ahead.hand_over()
        return self._ledger

    @property
    def fills(self) -> int:
        """How many fills were booked."""
        ahead = 0 if self._ahead is None else self._ahead.waiting
        return self._fills + ahead

    def book_ahead(self) -> None:
        """Let compiled code book fills by itself; the ledger is told of them when it is read."""
        self._ahead = Holdings(
            self.ledger, self.instruments, self.asset, MONEY_EXPONENT, self.orders.tables
        )

    def apply(self, events: Records, at: int) -> OrderChange | None:
        """Take one order event in; None when it told nothing new."""
        change = self.orders.apply(events, at)
        if change is not None:
            for fill in change.bookings:
                self.book(fill)
        return change

    def revalue(self, instrument: int, now: int) -> None:
        """Value a position at the best prices that its desk holds."""
        self._revalue(self._handle, instrument, now)

    def book(self, fill: Fill) -> None:
        """Book a fill and show what it changed."""
        self.ledger.book(fill)
        self._fills += 1
        self._follow(fill.instrument)
        self._booked()

    def book_filed(self, events: Records) -> None:
        """Book the one EVENT row, a fill on paper that the order tables have taken in just now."""
        fields: tuple[int, ...] = events.tolist()[0]
        row = filed_row(fields, self.instruments[fields[PLACE]])
        self.ledger.book_row(row)
        self._fills += 1
        self._follow(row.instrument)
        self._booked()

    def _booked(self) -> None:
        """Let compiled code know what was booked without it."""
        if self._ahead is not None:
            self._ahead.take()

    def _follow(self, instrument: int) -> None:
        """Show a position; a long one's cost is rounded up, a short one's down."""
        held = self.ledger.sizes[instrument]
        units, exponent = self.ledger.cost(instrument)
        cost = -in_money(-units, exponent) if held > 0 else in_money(units, exponent)
        balance = in_money(*self.ledger.balance_units(self.asset))
        average = self.ledger.average_number(instrument)
        self._show(self._handle, instrument, held, cost, average, balance)

    def move(self, transfer: Transfer, now: int) -> None:
        """Book an amount that came in or went out without a trade."""
        self.ledger.transfer(transfer)
        self._rebase(self._handle, in_money(*self.ledger.balance_units(self.asset)), now)
        self._booked()

    def restore(self, orders: KeptOrders, entries: Sequence[LedgerEntry], now: int) -> None:
        """Take over the orders and bookings of earlier runs."""
        orders.restore(self.orders)
        for entry in entries:
            if isinstance(entry, Fill):
                self.ledger.book(entry)
                if entry.trade_id >= 0 and entry.order not in self.orders:
                    self.orders.recall(entry)
            elif isinstance(entry, FundingPayment):
                self.ledger.book_funding(entry)
            else:
                self.ledger.transfer(entry)
        for number in range(len(self.instruments)):
            self._follow(number)
        self._rebase(self._handle, in_money(*self.ledger.balance_units(self.asset)), now)
        self._booked()

    def fund(self, instrument: int, due: Due, now: int) -> FundingPayment | None:
        """Book a funding settlement that has passed; None without a position."""
        payment = self.ledger.fund(instrument, due.rate, due.price, due.time)
        if payment is not None:
            self._rebase(self._handle, in_money(*self.ledger.balance_units(self.asset)), now)
            self._booked()
        return payment

    def mark(self) -> None:
        """Tell the ledger the best prices that positions were last valued at."""
        for number, (bid, ask) in enumerate(self._desks[["bid", "ask"]].tolist()):
            if bid > 0 and ask > 0:
                self.ledger.mark(number, bid, ask)


def in_money(units: int, exponent: int) -> int:
    """Return an amount in money units, rounded down."""
    power = exponent - MONEY_EXPONENT
    return units * POWERS[power] if power >= 0 else units // POWERS[-power]
