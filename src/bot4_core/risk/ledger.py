"""The books of the account: every fill, fee, funding payment and transfer, adding up exactly."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, Self

import numpy as np

from bot4_core.domain_types.accounts import (
    CostMethod,
    FundingPayment,
    Position,
    ProfitAndLoss,
    Transfer,
)
from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import Records
from bot4_core.errors import LedgerError
from bot4_core.risk.ledger_accounts import AssetAccount, money, units_of
from bot4_core.risk.ledger_entries import (
    PLACE,
    FiledFills,
    FillRow,
    LedgerEntry,
    filed_row,
    fill_of,
    row_of,
)
from bot4_core.risk.ledger_lots import LotPosition
from bot4_core.risk.ledger_positions import CostPosition

__all__ = ["FillRow", "Ledger", "LedgerEntry"]

_POSITIONS: Final[dict[CostMethod, type[CostPosition]]] = {
    CostMethod.AVERAGE: CostPosition,
    CostMethod.FIFO: LotPosition,
}


class Ledger:
    """Balances, positions and profits of one account.

    For each asset ``opening + trades - fees + funding + transfers == closing`` holds exactly. A
    spot trade moves both assets; a contract moves only its settlement asset, by the profit that a
    close realises. Everything is integers (see ``CostPosition`` for the two rounded divisions) and
    a function of the opening balances and the entries in their order, so ``replay`` of the same
    entries gives the same books to the last digit.

    Parameters
    ----------
    instruments : sequence of Instrument
        Position = instrument id.
    opening : mapping of asset to Decimal
        Balances before the first entry.
    keep_entries : bool
        Keep all entries in ``entries``, so that ``check`` can recompute the books.
    cost : CostMethod
        Which entry prices a close is set against.

    Attributes
    ----------
    sizes : list of int
        Signed scaled position by instrument id, for the hot path; not to be written to.
    method : CostMethod
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        opening: Mapping[str, Decimal],
        *,
        keep_entries: bool = True,
        cost: CostMethod = CostMethod.AVERAGE,
    ) -> None:
        self.method = cost
        self.sizes: list[int] = []
        self._entries: list[LedgerEntry | FillRow | FiledFills] = []
        self._keep = keep_entries
        self._opening = dict(opening)
        self._accounts: dict[str, AssetAccount] = {}
        self._positions: list[CostPosition] = []
        self._held_in: dict[str, list[CostPosition]] = {}
        for asset, amount in self._opening.items():
            units, exponent = units_of(amount)
            self._account(asset, exponent).open(units, exponent)
        for instrument in instruments:
            self.add_instrument(instrument)

    def add_instrument(self, instrument: Instrument) -> InstrumentId:
        """Append an instrument and return its id."""
        position = _POSITIONS[self.method](instrument)
        self._positions.append(position)
        self._held_in.setdefault(position.asset, []).append(position)
        self._account(position.asset, position.exponent)
        self.sizes.append(0)
        return InstrumentId(len(self._positions) - 1)

    @property
    def entries(self) -> list[LedgerEntry]:
        """Everything that was booked, if entries are kept."""
        return [self._entry(row) for row in self._single_entries()]

    def book(self, fill: Fill) -> Money:
        """Book a fill and return the profit that it realised, before fees.

        Raises
        ------
        LedgerError
            If the instrument is unknown, or side, price or size are not those of a trade.
        PrecisionError
            If price or size are finer than the instrument's exponents.
        """
        position = self._position(fill.instrument)
        row = row_of(fill, position.instrument)
        return money(self.book_row(row), position.exponent)

    def book_row(self, row: FillRow) -> int:
        """Book a fill given as integers; return what it realised, as `book` at full precision.

        Raises
        ------
        LedgerError
            As `book`.
        """
        position = self._position(row.instrument)
        side, price, size = row.side, row.price, row.size
        if side not in (-1, 1) or price <= 0 or size <= 0:
            raise LedgerError(f"trade {row.trade_id}: side {side}, {size} at {price}")
        if row.reverses:
            worth, realised = position.reverse(side, size, price, row.trade_id)
        else:
            worth, realised = position.trade(side, size, price, row.trade_id)
        account = self._account(position.asset, position.exponent)
        if position.spot:
            instrument = position.instrument
            account.trade(-side * worth, position.exponent)
            base = self._account(instrument.base, instrument.size_exponent)
            base.trade(side * size, instrument.size_exponent)
        else:
            account.trade(realised, position.exponent)
        if row.fee:
            self._account(row.fee_asset, row.fee_exponent).fee(row.fee, row.fee_exponent)
        if row.fee_asset == position.asset:
            position.charges.fee(row.fee, row.fee_exponent)
        self.sizes[row.instrument] = position.size
        if self._keep:
            self._entries.append(row)
        return realised

    def holding(self, instrument: int) -> CostPosition:
        """Return what the books say of one instrument; not to be written to."""
        return self._position(instrument)

    def catch_up(self, fills: Records, sums: Records) -> None:
        """Take over what compiled code booked ahead.

        Parameters
        ----------
        fills : (n,) EVENT
            The fills, which become entries.
        sums : (instruments,) records
            By instrument: the ``size`` that is open now and its ``cost``; what the fills
            ``realised``, what they ``traded`` of the settlement asset, and their ``fees``.
        """
        for number in np.unique(fills["instrument"]).tolist():
            row = sums[number]
            size, cost, realised = int(row["size"]), int(row["cost"]), int(row["realised"])
            traded, fees = int(row["traded"]), int(row["fees"])
            position = self._positions[number]
            account = self._account(position.asset, position.exponent)
            exponent = position.instrument.settlement_exponent
            account.trade(traded, position.exponent)
            account.fee(fees, exponent)
            position.charges.fee(fees, exponent)
            if position.spot:
                instrument = position.instrument
                base = self._account(instrument.base, instrument.size_exponent)
                base.trade(size - position.size, instrument.size_exponent)
            position.size, position.cost = size, cost
            position.realised += realised
            self.sizes[number] = size
        if self._keep:
            self._entries.append(FiledFills(fills))

    def fund(self, instrument: int, rate: int, price: int, time: int) -> FundingPayment | None:
        """Book a funding settlement of a perpetual; None without a position.

        Parameters
        ----------
        instrument : int
        rate : int
            Scaled by 1e12, as in a FUNDING record; longs pay a positive rate.
        price : int
            Scaled mark price at the settlement.
        time : int
            Of the settlement, ns.
        """
        position = self._position(instrument)
        if not position.size:
            return None
        exponent = position.instrument.settlement_exponent
        payment = FundingPayment(
            instrument=InstrumentId(instrument),
            amount=Money(position.funding_due(rate, price), exponent),
            asset=position.asset,
            time=Nanoseconds(time),
        )
        self.book_funding(payment)
        return payment

    def book_funding(self, payment: FundingPayment) -> None:
        """Book a funding payment that a venue reports.

        Raises
        ------
        LedgerError
            If the instrument is unknown.
        """
        position = self._position(payment.instrument)
        units, exponent = payment.amount.value, payment.amount.exponent
        self._account(payment.asset, exponent).fund(units, exponent)
        if payment.asset == position.asset:
            position.charges.fund(units, exponent)
        self._note(payment)

    def transfer(self, transfer: Transfer) -> None:
        """Book a deposit or a withdrawal."""
        exponent = transfer.amount.exponent
        self._account(transfer.asset, exponent).transfer(transfer.amount.value, exponent)
        self._note(transfer)

    def mark(self, instrument: int, bid: int, ask: int) -> None:
        """Mark a position at the mid of its LIVE book (scaled touch prices)."""
        position = self._positions[instrument]
        position.mark = bid + ask
        position.fresh = True

    def mark_price(self, instrument: int, price: int) -> None:
        """Mark a position at a venue's mark price (scaled)."""
        self.mark(instrument, price, price)

    def unmark(self, instrument: int) -> None:
        """Say that the book is not LIVE: the last mark stays, and is listed as stale."""
        self._positions[instrument].fresh = False

    def stale_marks(self) -> tuple[InstrumentId, ...]:
        """Return the held instruments whose worth is not that of a LIVE book."""
        return tuple(
            InstrumentId(number)
            for number, position in enumerate(self._positions)
            if position.size and not position.fresh
        )

    def exponent(self, asset: str) -> int:
        """Return the exponent at which ``equity_units`` counts an asset."""
        return self._known(asset).exponent

    def equity_units(self, asset: str) -> int:
        """Return what the account is worth in an asset: balance and open positions at their marks.

        Holdings of other assets count only where they were bought with this one.
        """
        account = self._known(asset)
        total = account.closing
        for position in self._held_in.get(asset, ()):
            if position.size:
                total += account.scaled(position.open_worth(), position.exponent)
        return total

    def equity(self, asset: str) -> Decimal:
        """Return ``equity_units`` as an exact decimal."""
        return money(self.equity_units(asset), self.exponent(asset)).decimal

    def profit(self, asset: str) -> ProfitAndLoss:
        """Return what was earned in one asset since the start."""
        account = self._known(asset)
        realised = unrealised = 0
        for position in self._held_in.get(asset, ()):
            realised += account.scaled(position.realised, position.exponent)
            unrealised += account.scaled(position.unrealised(), position.exponent)
        exponent = account.exponent
        net = realised + unrealised - account.fees + account.funding
        return ProfitAndLoss(
            asset=asset,
            realised=money(realised, exponent),
            unrealised=money(unrealised, exponent),
            fees=money(account.fees, exponent),
            funding=money(account.funding, exponent),
            net=money(net, exponent),
        )

    @property
    def assets(self) -> tuple[str, ...]:
        """All assets that ever moved or could, in order of appearance."""
        return tuple(self._accounts)

    def balance_units(self, asset: str) -> tuple[int, int]:
        """Return what the account holds of an asset: units and their exponent."""
        account = self._known(asset)
        return account.closing, account.exponent

    def balance(self, asset: str) -> Money:
        """Return what the account holds of an asset."""
        account = self._known(asset)
        return money(account.closing, account.exponent)

    def position(self, instrument: int) -> Position:
        """Return a position as a domain object; fees are those in the settlement asset."""
        held = self._position(instrument)
        return Position(
            instrument=InstrumentId(instrument),
            size=Quantity(held.size, held.instrument.size_exponent),
            average_price=held.average_price(),
            realised=money(held.realised, held.exponent),
            fees=money(held.charges.fees, held.charges.exponent),
        )

    def cost(self, instrument: int) -> tuple[int, int]:
        """Return what the open size of a position is worth at its entry prices, not negative.

        Returns
        -------
        units, exponent : int
        """
        held = self._position(instrument)
        return held.cost, held.exponent

    def lots(self, instrument: int) -> tuple[tuple[int, int], ...]:
        """Return what is open, oldest first: unsigned scaled size and cost; one by average cost."""
        return self._position(instrument).lots

    def average_price(self, instrument: int) -> Price | None:
        """Return the entry price of an open position."""
        return self._position(instrument).average_price()

    def average_number(self, instrument: int) -> float:
        """Return the entry price of an open position as a number, 0 when flat."""
        return self._position(instrument).average_number()

    def unrealised(self, instrument: int) -> Money:
        """Return the profit of closing a position at its mark."""
        held = self._position(instrument)
        return money(held.unrealised(), held.exponent)

    def check(self) -> None:
        """Add everything up again.

        Raises
        ------
        LedgerError
            If an account does not close, if equity is not opening + transfers + net profit, or if
            the kept entries booked once more end in other books.
        """
        for asset, account in self._accounts.items():
            account.check()
            self._check_equity(asset, account)
        if self._keep:
            instruments = [position.instrument for position in self._positions]
            again = type(self)(instruments, self._opening, keep_entries=False, cost=self.method)
            for entry in self._single_entries():
                again._book_any(entry)
            if again.digest() != self.digest():
                raise LedgerError("booking the entries once more ends in other books")

    @classmethod
    def replay(
        cls,
        instruments: Sequence[Instrument],
        opening: Mapping[str, Decimal],
        entries: Iterable[LedgerEntry],
        *,
        cost: CostMethod = CostMethod.AVERAGE,
    ) -> Self:
        """Build the books from their entries, for instance from the audit log."""
        ledger = cls(instruments, opening, keep_entries=False, cost=cost)
        for entry in entries:
            ledger._book_any(entry)
        return ledger

    def _book_any(self, entry: LedgerEntry | FillRow) -> None:
        if isinstance(entry, FillRow):
            self.book_row(entry)
        elif isinstance(entry, Fill):
            self.book(entry)
        elif isinstance(entry, FundingPayment):
            self.book_funding(entry)
        else:
            self.transfer(entry)

    def _single_entries(self) -> Iterator[LedgerEntry | FillRow]:
        for entry in self._entries:
            if isinstance(entry, FiledFills):
                for fields in entry.fills.tolist():
                    yield filed_row(fields, self._positions[fields[PLACE]].instrument)
            else:
                yield entry

    def _entry(self, row: LedgerEntry | FillRow) -> LedgerEntry:
        if not isinstance(row, FillRow):
            return row
        return fill_of(row, self._positions[row.instrument].instrument)

    def digest(self) -> tuple[tuple[str, ...], ...]:
        """Return every sum as text, equal exactly when two ledgers hold the same (marks apart)."""
        accounts = [account.summary() for _, account in sorted(self._accounts.items())]
        return (*accounts, *(position.summary() for position in self._positions))

    def _check_equity(self, asset: str, account: AssetAccount) -> None:
        profit = self.profit(asset)
        spot_base = any(held.spot and held.instrument.base == asset for held in self._positions)
        total = account.opening + account.transfers + account.scaled(*_pair(profit.net))
        if not spot_base and total != self.equity_units(asset):
            raise LedgerError(
                f"{asset}: equity {self.equity(asset)} is not"
                f" {money(total, account.exponent)}, opening + transfers + net profit"
            )

    def _position(self, instrument: int) -> CostPosition:
        if not 0 <= instrument < len(self._positions):
            raise LedgerError(f"instrument {instrument} is not in the ledger")
        return self._positions[instrument]

    def _account(self, asset: str, exponent: int) -> AssetAccount:
        account = self._accounts.get(asset)
        if account is None:
            account = self._accounts[asset] = AssetAccount(asset, exponent)
        account.refine(exponent)
        return account

    def _known(self, asset: str) -> AssetAccount:
        account = self._accounts.get(asset)
        if account is None:
            known = ", ".join(sorted(self._accounts))
            raise LedgerError(f"no account in {asset!r}; there are accounts in {known}")
        return account

    def _note(self, entry: LedgerEntry) -> None:
        if self._keep:
            self._entries.append(entry)


def _pair(amount: Money) -> tuple[int, int]:
    return amount.value, amount.exponent
