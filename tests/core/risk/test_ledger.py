from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.risk.ledger_builders import INVERSE, LINEAR, OPENING, SPOT, instrument, trade

from bot4_core.domain_types.accounts import FundingPayment, Transfer
from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    Price,
)
from bot4_core.domain_types.instruments import Instrument, Settlement
from bot4_core.domain_types.records import Side
from bot4_core.errors import LedgerError, PrecisionError
from bot4_core.risk.ledger import Ledger
from bot4_core.risk.ledger_accounts import AssetAccount, money, units_of
from bot4_core.risk.ledger_positions import CostPosition


def ledger_of(of: Instrument, *trades: tuple[Side, str, str]) -> Ledger:
    ledger = Ledger([of], {})
    for side, size, price in trades:
        ledger.book(trade(of, side, size, price))
    return ledger


def test_average_cost_of_a_linear_position() -> None:
    plain = instrument(Settlement.LINEAR)
    ledger = ledger_of(plain, (Side.BUY, "2", "100"), (Side.BUY, "1", "103"))
    assert ledger.position(0).average_price == Price.of("101")
    assert ledger.book(trade(plain, Side.SELL, "1", "110")) == Money.of("9")
    ledger.mark(0, 1049, 1052)
    assert ledger.unrealised(0) == Money.of("8.1")
    assert ledger.sizes == [2000]
    ledger.check()


def test_profit_of_an_inverse_contract_as_bitmex_explains_it() -> None:
    # long 50,000 contracts of one dollar at 600, closed at 700: 50,000 * (1/600 - 1/700)
    dollar = instrument(Settlement.INVERSE, size_exponent=0)
    ledger = ledger_of(dollar, (Side.BUY, "50000", "600"))
    assert ledger.book(trade(dollar, Side.SELL, "50000", "700")) == Money.of("11.90476190")
    assert ledger.balance("BTC") == Money.of("11.90476190")


def test_a_short_earns_when_the_price_falls() -> None:
    for of, size in ((LINEAR, "3"), (INVERSE, "3"), (SPOT, "3")):
        ledger = ledger_of(of, (Side.SELL, size, "200"))
        ledger.mark_price(0, 100 * 10**-of.price_exponent)
        assert ledger.unrealised(0).value > 0
        assert ledger.book(trade(of, Side.BUY, size, "100")).value > 0
        ledger.check()


def test_a_trade_through_zero_closes_first_and_opens_the_rest_at_its_own_price() -> None:
    ledger = ledger_of(LINEAR, (Side.BUY, "2", "100"), (Side.SELL, "5", "110"))
    position = ledger.position(0)
    assert (position.size.value, position.average_price) == (-3000, Price.of("110"))
    assert position.realised == Money.of("0.2")


def test_a_spot_trade_moves_both_assets() -> None:
    ledger = Ledger([SPOT], OPENING)
    ledger.book(trade(SPOT, Side.BUY, "0.5", "1000.01", fee="0.0005", asset="BTC"))
    assert ledger.balance("USDT") == Money.of("9500.495")
    assert ledger.balance("BTC") == Money.of("1.7495")
    ledger.mark(0, 100_001, 100_002)
    assert ledger.equity("USDT") == Decimal("10000.5025")
    ledger.check()


def test_a_contract_moves_only_its_settlement_asset_and_only_by_profit() -> None:
    ledger = Ledger([LINEAR], OPENING)
    ledger.book(trade(LINEAR, Side.BUY, "1", "1000"))
    assert ledger.balance("USDT") == Money.of("10000.5")
    assert ledger.assets == ("USDT", "BTC")


def test_fees_are_kept_by_asset_and_a_rebate_comes_in() -> None:
    ledger = Ledger([LINEAR], {})
    ledger.book(trade(LINEAR, Side.BUY, "1", "1000", fee="0.000000000001", asset="BNB"))
    ledger.book(trade(LINEAR, Side.BUY, "1", "1000", fee="-0.25"))
    assert ledger.balance("BNB") == Money.of("-0.000000000001")
    assert ledger.profit("BNB").net == Money.of("-0.000000000001")
    assert ledger.balance("USDT") == Money.of("0.25")
    assert ledger.position(0).fees == Money.of("-0.25")
    ledger.check()


def test_longs_pay_positive_funding_and_shorts_receive_it() -> None:
    rate = 100_000_000  # 0.0001
    for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
        ledger = ledger_of(LINEAR, (side, "3", "1000"))
        payment = ledger.fund(0, rate, 20_000, time=9)
        assert payment is not None
        assert payment.amount.decimal == sign * Decimal("0.006")  # 3 * 0.01 * 2000 * 0.0001
        assert ledger.profit("USDT").net == payment.amount
        ledger.check()


def test_funding_of_an_inverse_contract_is_in_the_base_asset() -> None:
    ledger = ledger_of(INVERSE, (Side.BUY, "7", "1000"))
    payment = ledger.fund(0, 100_000_000, 30_000, time=9)
    assert payment is not None
    assert (payment.asset, payment.amount) == ("BTC", Money.of("-0.00002333"))


def test_funding_without_a_position_is_nothing() -> None:
    assert Ledger([LINEAR], {}).fund(0, 100, 100, time=1) is None


def test_funding_may_be_paid_in_another_asset() -> None:
    ledger = Ledger([LINEAR], {})
    ledger.book_funding(
        FundingPayment(
            instrument=InstrumentId(0), amount=Money.of("-1"), asset="BNFCR", time=Nanoseconds(1)
        )
    )
    assert ledger.balance("BNFCR") == Money.of("-1")
    ledger.check()


def test_transfers_come_in_and_go_out_and_are_no_profit() -> None:
    ledger = Ledger([LINEAR], OPENING)
    ledger.transfer(Transfer(asset="USDT", amount=Money.of("-0.5"), time=Nanoseconds(1)))
    assert ledger.equity("USDT") == Decimal(10_000)
    assert ledger.profit("USDT").net == Money.of("0")
    ledger.check()


def test_a_position_without_a_mark_counts_at_cost() -> None:
    ledger = ledger_of(SPOT, (Side.BUY, "1", "1000"))
    assert ledger.equity("USDT") == 0
    assert ledger.stale_marks() == (0,)
    ledger.mark(0, 100_000, 100_000)
    assert ledger.stale_marks() == ()
    ledger.unmark(0)
    assert ledger.stale_marks() == (0,)
    assert ledger.unrealised(0) == Money.of("0")


def test_a_flat_position_has_no_average_price() -> None:
    assert Ledger([LINEAR], {}).position(0).average_price is None


def test_an_instrument_can_be_added_while_running() -> None:
    ledger = Ledger([], OPENING)
    assert ledger.add_instrument(LINEAR) == 0
    ledger.book(trade(LINEAR, Side.BUY, "1", "1"))
    assert ledger.sizes == [1000]
    ledger.check()


@pytest.mark.parametrize("number", [-1, 1])
def test_an_unknown_instrument_is_refused(number: int) -> None:
    with pytest.raises(LedgerError, match=f"instrument {number} is not"):
        Ledger([LINEAR], {}).book(trade(LINEAR, Side.BUY, "1", "1", number=number))


@pytest.mark.parametrize(
    ("side", "size", "price"),
    [(Side.NONE, "1", "1"), (Side.BUY, "0", "1"), (Side.BUY, "1", "0"), (Side.BUY, "-1", "1")],
)
def test_what_is_no_trade_is_refused(side: Side, size: str, price: str) -> None:
    with pytest.raises(LedgerError, match="trade 1"):
        Ledger([LINEAR], {}).book(trade(LINEAR, side, size, price))


def test_a_price_finer_than_the_instrument_is_refused() -> None:
    fine = instrument(Settlement.LINEAR, price_exponent=-3)
    with pytest.raises(PrecisionError):
        Ledger([LINEAR], {}).book(trade(fine, Side.BUY, "1", "1.001"))


def test_asking_for_an_unknown_asset_names_the_known_ones() -> None:
    with pytest.raises(LedgerError, match="no account in 'DOGE'; there are accounts in BTC, USDT"):
        Ledger([LINEAR], OPENING).equity("DOGE")


def test_an_opening_balance_must_be_a_number() -> None:
    with pytest.raises(LedgerError, match="NaN is not an amount"):
        Ledger([], {"USDT": Decimal("NaN")})


def test_check_finds_an_amount_that_went_missing() -> None:
    ledger = ledger_of(LINEAR, (Side.BUY, "1", "100"))
    ledger._accounts["USDT"].closing += 1
    with pytest.raises(LedgerError, match="the account holds"):
        ledger.check()


def test_check_finds_profits_that_do_not_explain_the_equity() -> None:
    ledger = ledger_of(LINEAR, (Side.BUY, "1", "100"))
    ledger._positions[0].realised += 1
    with pytest.raises(LedgerError, match="equity"):
        ledger.check()


def test_check_finds_books_that_their_entries_do_not_make() -> None:
    ledger = ledger_of(LINEAR, (Side.BUY, "1", "100"))
    ledger._entries.pop()
    with pytest.raises(LedgerError, match="once more"):
        ledger.check()


def test_a_ledger_need_not_keep_its_entries() -> None:
    ledger = Ledger([LINEAR], {}, keep_entries=False)
    ledger.book(trade(LINEAR, Side.BUY, "1", "100"))
    assert ledger.entries == []
    ledger.check()


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_finite_decimal_is_taken_apart_exactly(number: Decimal) -> None:
    units, exponent = units_of(number)
    assert Fraction(number) == Fraction(units) * Fraction(10) ** exponent


@given(st.integers(-(10**12), 10**12), st.integers(-10, 2))
def test_money_gives_up_zeros_and_no_digits(units: int, exponent: int) -> None:
    assert money(units, exponent).fraction == Fraction(units) * Fraction(10) ** exponent


def test_money_fits_where_its_zeros_would_not() -> None:
    assert money(10**25, -20).decimal == Decimal(100_000)


@given(st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-6, 2)), max_size=8))
def test_an_account_holds_amounts_of_any_exponent(amounts: list[tuple[int, int]]) -> None:
    account = AssetAccount("X", -2)
    for units, exponent in amounts:
        account.transfer(units, exponent)
    account.check()
    total = sum((Fraction(units) * Fraction(10) ** power for units, power in amounts), Fraction(0))
    assert Fraction(account.closing) * Fraction(10) ** account.exponent == total


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_average_price_of_one_fill_is_its_price(size: int, price: int) -> None:
    for of in (SPOT, LINEAR):
        position = CostPosition(of)
        position.trade(1, size, price)
        assert position.average_price() == Price(price, of.price_exponent)


def test_an_inverse_average_price_is_the_harmonic_one() -> None:
    ledger = ledger_of(INVERSE, (Side.BUY, "3000", "1000"), (Side.BUY, "3000", "3000"))
    assert ledger.position(0).average_price == Price.of("1500.00000")


@pytest.mark.parametrize("exponent", [-12, -8, 0])
def test_a_mid_between_ticks_is_exact_at_any_settlement_exponent(exponent: int) -> None:
    of = instrument(Settlement.LINEAR, settlement_exponent=exponent)
    ledger = ledger_of(of, (Side.BUY, "0.001", "0.1"))
    ledger.mark(0, 1, 2)
    assert ledger.unrealised(0) == Money.of("0.00005")
