"""Fills booked in compiled code come to what the ledger makes of them, digit for digit."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.session.session_world import START, configuration, instrument, table_of

from bot4_core.domain_types.accounts import CostMethod, Transfer
from bot4_core.domain_types.canonical_types import Money, Nanoseconds
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.records import EVENT_DTYPE, VIEW_DTYPE, EventFlag, EventKind, Records
from bot4_core.jit import entry_point
from bot4_core.kernels.holdings import AVERAGE_STEP, book_ahead
from bot4_core.kernels.limits_money import LARGEST
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import Tables
from bot4_core.orders import run_tag
from bot4_core.risk import holdings
from bot4_core.risk.holdings import Holdings
from bot4_core.risk.ledger import Ledger
from bot4_core.risk.ledger_positions import SHOWN_DIGITS
from bot4_core.session.account import Account
from bot4_core.session.config import AccountConfig, QuotingConfig
from bot4_core.session.decision_tables import place_decision_tables
from bot4_core.session.funding import Due

TAG = run_tag("ahead")
LINEAR = instrument("BTCUSDT", multiplier=Decimal("0.01"))
COARSE = instrument("ETHUSDT", price_exponent=0, size_exponent=0, settlement_exponent=-2)
INVERSE = instrument(
    "BTCUSD_PERP",
    quote="USD",
    settlement=Settlement.INVERSE,
    settlement_asset="USDT",
    multiplier=Decimal(100),
    size_exponent=0,
)
SPOT = instrument(
    "SOLUSDT",
    kind=InstrumentKind.SPOT,
    settlement=Settlement.SPOT,
    price_exponent=-4,
    size_exponent=-5,
)
ELSEWHERE = instrument("ADAUSDC", quote="USDC", settlement_asset="USDC")
ALL = (LINEAR, COARSE, INVERSE, SPOT, ELSEWHERE)

FILLS = st.lists(
    st.tuples(
        st.integers(0, len(ALL) - 1),
        st.sampled_from((-1, 1)),
        st.one_of(st.integers(1, 9), st.integers(1, 10**3)),
        st.integers(1, 10**6),
        st.one_of(st.integers(-(10**9), 10**9), st.integers(10**9, 10**10)),
        st.sampled_from(("fill", "fill", "fill", "fill", "read", "move", "fund")),
    ),
    max_size=30,
)


def account_of(instruments: Sequence[Instrument] = ALL, **settings: Any) -> Account:
    config = attrs.evolve(
        configuration(), account=AccountConfig(asset="USDT", cash=Decimal(10_000), **settings)
    )
    views = np.zeros(len(instruments), VIEW_DTYPE)
    views["bid"], views["ask"] = 60_000, 60_010
    table = table_of(instruments)
    for name in ("price_unit", "size_unit", "multiplier"):
        views[name] = table[name]
    account = Account(config, instruments, views, TAG)
    place_decision_tables(account.orders.tables, QuotingConfig())
    desks = account.orders.tables[Slot.DESKS]
    desks["bid"], desks["ask"] = 59_990, 60_020
    return account


def fill(number: int, side: int, size: int, price: int, fee: int, trade: int = 1) -> Records:
    row = np.zeros(1, EVENT_DTYPE)
    row["kind"], row["flags"] = EventKind.ORDER_FILLED, EventFlag.MAKER * (trade % 2)
    row["instrument"], row["side"], row["size"], row["price"] = number, side, size, price
    row["aux"], row["sequence"], row["link"] = fee, trade, 7
    row["time"], row["received"] = START * (trade % 3 > 0), START + trade
    return row


class Ahead:
    """An account whose fills are booked in compiled code where that can be."""

    def __init__(self, account: Account) -> None:
        self.account = account
        account.book_ahead()
        handle = account.orders.tables.handle
        self._book = entry_point(book_ahead, handle, np.zeros(1, EVENT_DTYPE), 0)
        self.left = 0

    def try_booking(self, row: Records) -> bool:
        return bool(self._book(self.account.orders.tables.handle, row, 0))

    def book(self, row: Records) -> bool:
        if self.try_booking(row):
            return True
        self.left += 1
        self.account.book_filed(row)
        return False


def shown(account: Account) -> list[bytes]:
    tables: Tables = account.orders.tables
    return [tables[slot].tobytes() for slot in (Slot.VIEWS, Slot.DESKS, Slot.ACCOUNT)]


def held(account: Account) -> tuple[Any, ...]:
    ledger = account.ledger
    return ledger.digest(), ledger.sizes, ledger.entries, account.fills


@given(FILLS)
def test_what_is_booked_ahead_is_what_the_ledger_books(steps: Sequence[tuple[Any, ...]]) -> None:
    plain, ahead = account_of(), Ahead(account_of())
    for trade, (number, side, size, price, fee, what) in enumerate(steps):
        row = fill(number, side, size, price, fee, trade)
        plain.book_filed(row)
        ahead.book(row)
        for account in (plain, ahead.account):
            if what == "read":
                held(account)
            elif what == "move":
                amount = Transfer(asset="USDT", amount=Money(5, -3), time=Nanoseconds(START))
                account.move(amount, START)
            elif what == "fund":
                due = Due(rate=10**8, price=60_000, time=Nanoseconds(START))
                account.fund(number, due, START)
        assert shown(ahead.account) == shown(plain)
        assert ahead.account.fills == plain.fills
    assert held(ahead.account) == held(plain)
    ahead.account.ledger.check()


@pytest.mark.parametrize("number", range(4))
def test_ordinary_fills_are_booked_in_compiled_code(number: int) -> None:
    ahead = Ahead(account_of())
    for trade, side in enumerate((1, 1, -1, -1, -1, 1, -1, 1)):
        assert ahead.book(fill(number, side, 10 + trade, 60_000 + trade, 3, trade))
    assert ahead.left == 0
    assert ahead.account.fills == 8
    assert len(ahead.account.ledger.entries) == 8


def test_another_asset_and_first_in_first_out_are_the_ledgers_work() -> None:
    ahead = Ahead(account_of())
    assert not ahead.book(fill(4, 1, 10, 60_000, 3))
    by_lots = Ahead(account_of(cost=CostMethod.FIFO))
    assert not by_lots.book(fill(0, 1, 10, 60_000, 3))
    assert not by_lots.book(fill(0, -1, 5, 60_010, 3, 2))
    assert by_lots.account.ledger.lots(0) == ((5, 5 * 60_000 * 10),)


def test_the_ledger_is_told_when_no_more_can_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "AHEAD", 3)
    ahead = Ahead(account_of())
    booked = [ahead.book(fill(0, 1, 1, 60_000, 0, trade)) for trade in range(8)]
    assert booked == [True, True, True, False] * 2
    assert ahead.account.ledger.sizes[0] == ahead.account.fills == 8
    assert [each.trade_id for each in ahead.account.ledger.entries] == list(range(8))  # type: ignore[union-attr]  # fills only


@pytest.mark.parametrize(
    ("number", "terms"),
    [
        (0, (1, LARGEST // 2, 1, 0)),  # worth
        (0, (1, 1, 2**62, 0)),
        (2, (1, LARGEST // 2, 1, 0)),
        (2, (1, 1, LARGEST, 0)),
        (0, (1, 10, 60_000, LARGEST)),  # fee
        (1, (1, LARGEST // 10**7, 1, 0)),  # cost in money
        (2, (1, 10**8, 1, 0)),  # cost, as the divisor of an average
        (0, (1, 1, 2**50, 0)),  # an average that no float is exactly
        (3, (1, 2**30, 2**31, 0)),  # the balance
    ],
)
def test_what_leaves_the_range_is_not_begun(number: int, terms: tuple[int, int, int, int]) -> None:
    ahead = Ahead(account_of())
    before = shown(ahead.account)
    row = fill(number, *terms)
    assert not ahead.try_booking(row)
    assert shown(ahead.account) == before
    assert ahead.account.fills == 0


@pytest.mark.parametrize(("number", "size"), [(0, LARGEST // 10), (2, 2_300_000)])
def test_a_holding_that_grows_out_of_the_range_is_left_as_it_is(number: int, size: int) -> None:
    ahead = Ahead(account_of())
    assert ahead.try_booking(fill(number, 1, size, 1, 0))
    assert not ahead.try_booking(fill(number, 1, size, 1, 0))
    assert ahead.account.ledger.sizes[number] == size


def test_a_closing_part_that_leaves_the_range_is_not_begun() -> None:
    ahead = Ahead(account_of())
    assert ahead.book(fill(2, 1, 3, 1, 0))
    assert not ahead.try_booking(fill(2, -1, 2**50, 1, 0))
    assert ahead.account.ledger.sizes[2] == 3


def test_an_account_too_large_for_the_range_books_nothing_ahead() -> None:
    ledger = Ledger([LINEAR], {"USDT": Decimal(10) ** 12})
    tables = account_of([LINEAR]).orders.tables
    Holdings(ledger, [LINEAR], "USDT", -8, tables)
    assert not tables[Slot.HOLDINGS]["usable"].any()


def test_prices_coarser_than_a_shown_average_are_the_ledgers_work() -> None:
    coarse = instrument("BTCUSDT", price_exponent=5)
    tables = account_of([LINEAR]).orders.tables
    Holdings(Ledger([coarse], {"USDT": Decimal(1)}), [coarse], "USDT", -8, tables)
    assert not tables[Slot.HOLDINGS]["usable"].any()


def test_a_ledger_without_entries_catches_up_as_well() -> None:
    ledger = Ledger([LINEAR], {"USDT": Decimal(10_000)}, keep_entries=False)
    account = account_of([LINEAR])
    tables = account.orders.tables
    ahead = Holdings(ledger, [LINEAR], "USDT", -8, tables)
    run = entry_point(book_ahead, tables.handle, np.zeros(1, EVENT_DTYPE), 0)
    assert run(tables.handle, fill(0, 1, 5, 60_000, 2), 0)
    assert ahead.hand_over() == 1
    assert (ledger.sizes, ledger.entries) == ([5], [])


def test_the_kernel_shows_average_prices_with_the_ledgers_digits() -> None:
    assert AVERAGE_STEP == 10**SHOWN_DIGITS
