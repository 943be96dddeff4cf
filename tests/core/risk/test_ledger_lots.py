"""What was bought first is sold first, and a trade taken back was never made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.risk.ledger_builders import ALL, INVERSE, OPENING, SPOT, instrument, trade
from tests.core.risk.test_ledger_fractions import fills

from bot4_core.domain_types.accounts import CostMethod
from bot4_core.domain_types.canonical_types import Money, Price
from bot4_core.domain_types.instruments import Instrument, Settlement
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import Side
from bot4_core.risk.ledger import Ledger

BUY, SELL = Side.BUY, Side.SELL
PLAIN = instrument(Settlement.LINEAR, size_exponent=0)


def ledger_of(of: Instrument, *trades: tuple[Side, str, str]) -> Ledger:
    ledger = Ledger([of], OPENING, cost=CostMethod.FIFO)
    for side, size, price in trades:
        ledger.book(trade(of, side, size, price))
    return ledger


def test_a_sale_is_set_against_the_oldest_lots() -> None:
    ledger = ledger_of(PLAIN, (BUY, "10", "100"), (BUY, "5", "120"), (BUY, "5", "130"))
    # ten at 100, and two of the five at 120
    assert ledger.book(trade(PLAIN, SELL, "12", "150")) == Money.of("560")
    assert [size for size, _ in ledger.lots(0)] == [3, 5]
    position = ledger.position(0)
    assert position.average_price == Price.of("126.25")
    ledger.mark_price(0, 1300)
    assert ledger.unrealised(0) == Money.of("30")
    ledger.check()


def test_the_average_of_the_same_trades_realises_less() -> None:
    trades = ((BUY, "10", "100"), (BUY, "10", "120"), (SELL, "10", "150"))
    average = Ledger([PLAIN], OPENING)
    for side, size, price in trades:
        average.book(trade(PLAIN, side, size, price))
    assert average.position(0).realised == Money.of("400")
    assert average.lots(0) == ((10, average.cost(0)[0]),)
    assert ledger_of(PLAIN, *trades).position(0).realised == Money.of("500")


def test_a_trade_through_zero_closes_all_lots_and_opens_the_rest() -> None:
    ledger = ledger_of(PLAIN, (SELL, "3", "110"), (SELL, "2", "100"), (BUY, "9", "90"))
    position = ledger.position(0)
    assert position.realised == Money.of("80")
    assert (position.size.value, position.average_price) == (4, Price.of("90"))
    assert ledger.lots(0) == ((4, ledger.cost(0)[0]),)


def test_lots_of_an_inverse_contract_close_at_their_own_prices() -> None:
    dollar = instrument(Settlement.INVERSE, size_exponent=0)
    ledger = ledger_of(dollar, (BUY, "50000", "500"), (BUY, "50000", "600"))
    # 50,000 * (1/500 - 1/700)
    assert ledger.book(trade(dollar, SELL, "50000", "700")) == Money.of("28.57142857")
    assert ledger.lots(0) == ((50_000, 8_333_333_333),)


def test_a_flat_position_has_no_lots() -> None:
    for cost in CostMethod:
        assert Ledger(ALL, OPENING, cost=cost).lots(0) == ()


@given(st.lists(fills(), min_size=1, max_size=12, unique_by=lambda fill: fill.trade_id), st.data())
def test_i30_after_a_bust_the_books_are_those_without_the_trade(
    history: list[Fill], data: st.DataObject
) -> None:
    """Fees of the busted trade come back as well; only the sums of fees paid see both."""
    busted = data.draw(st.sampled_from(history))
    late = data.draw(st.integers(history.index(busted) + 1, len(history)))
    told = [*history[:late], busted.reversal(), *history[late:]]
    rest = list(history)
    rest.remove(busted)
    books = Ledger.replay(ALL, OPENING, told, cost=CostMethod.FIFO)
    without = Ledger.replay(ALL, OPENING, rest, cost=CostMethod.FIFO)
    assert books.sizes == without.sizes
    for number in range(len(ALL)):
        assert books.lots(number) == without.lots(number)
        assert books.position(number).realised == without.position(number).realised
    for asset in without.assets:
        assert books.balance(asset) == without.balance(asset)


@pytest.mark.parametrize("of", [SPOT, INVERSE])
def test_a_bust_of_a_trade_that_was_never_told_is_booked_as_its_opposite(of: Instrument) -> None:
    ledger = Ledger([of], OPENING, cost=CostMethod.FIFO)
    ledger.book(trade(of, BUY, "2", "100").reversal())
    assert ledger.sizes[0] < 0
    ledger.check()
