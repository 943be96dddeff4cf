"""Trades that a venue took back leave no trace in what the account is worth."""

import pytest
from tests.core.risk.ledger_builders import ALL, LINEAR, OPENING, SPOT, trade

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import Side
from bot4_core.risk.ledger import Ledger


@pytest.mark.parametrize("of", ALL)
def test_i30_a_busted_trade_leaves_balances_and_size_as_they_were(of: Instrument) -> None:
    ledger = Ledger([of], OPENING)
    before = {asset: ledger.balance(asset) for asset in OPENING}
    fill = trade(of, Side.BUY, "7", "60000.5", fee="0.25", asset="USDT")
    ledger.book(fill)
    ledger.book(fill.reversal())
    assert {asset: ledger.balance(asset) for asset in OPENING} == before
    assert ledger.sizes == [0]
    ledger.check()


@pytest.mark.parametrize("of", [SPOT, LINEAR])
def test_i30_equity_after_a_bust_is_that_of_the_other_trades(of: Instrument) -> None:
    kept = trade(of, Side.BUY, "4", "90")
    busted = trade(of, Side.BUY, "4", "100", fee="0.5", asset="USDT")
    with_bust, without = Ledger([of], OPENING), Ledger([of], OPENING)
    for fill in (kept, busted, busted.reversal()):
        with_bust.book(fill)
    without.book(kept)
    for ledger in (with_bust, without):
        ledger.mark(0, 1200, 1201)
    assert with_bust.equity("USDT") == without.equity("USDT")
    assert with_bust.sizes == without.sizes
    with_bust.check()
