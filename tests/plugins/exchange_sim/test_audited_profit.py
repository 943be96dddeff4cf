"""What a session earned can be computed again from its audit log alone."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.core.session.scripted_market import Ticking
from tests.core.session.session_world import FixedSizer, ScriptedStrategy, both_sides, configuration

from bot4_core.audit import AuditLog
from bot4_core.domain_types.accounts import CostMethod, FundingPayment
from bot4_core.domain_types.orders import Fill
from bot4_core.risk.ledger import Ledger
from bot4_core.session.config import AccountConfig
from bot4_core.session.markets import SimulatedMarket
from bot4_core.session.recovery import recover
from bot4_core.session.report import plain_text
from bot4_core.session.runner import SessionRunner
from bot4_core.session.session import Session
from bot4_core.session.state import Parts
from bot4_plugins.exchange_sim.adapter import SimExchange
from bot4_plugins.exchange_sim.settings import SimSettings

SECOND = 1_000_000_000
SETTLEMENT = (1_735_689_600 + 8 * 3600) * SECOND  # of funding
CASH = Decimal(100_000)


@pytest.mark.parametrize(
    ("cost", "symbols"),
    [(CostMethod.AVERAGE, ("BTC-USD-PERP", "BTC-USD")), (CostMethod.FIFO, ("BTC-USD-PERP",))],
)
def test_i31_profit_computed_again_from_the_audit_is_that_of_the_session(
    tmp_path: Path, cost: CostMethod, symbols: tuple[str, ...]
) -> None:
    """What is quoted pays funding on the way, and something stays open."""
    sim = SimSettings(symbols=symbols, seed=3, start_ns=SETTLEMENT - 3 * SECOND // 2)
    exchange = SimExchange(sim)
    market = SimulatedMarket(exchange, exchange.open_venue(), 2.1, 5_000_000)
    parts = Parts(
        strategy=ScriptedStrategy(exchange.instruments, both_sides),
        sizer=FixedSizer(exchange.instruments, 100),
    )
    account = AccountConfig(asset="USD", cash=CASH, cost=cost)
    session = Session(configuration(account=account), exchange.instruments, exchange.table, parts)
    path = tmp_path / "audit.sqlite"
    with AuditLog.open(path, run="run", wall_time=1, facts={}) as log:
        report = SessionRunner(session, market, Ticking(), log=log).run()

    entries = recover(path, exchange.instruments).entries
    again = Ledger.replay(exchange.instruments, {"USD": CASH}, entries, cost=cost)
    for number, book in enumerate(session.state.books):
        bid, ask = book.best_bid(), book.best_ask()
        assert bid is not None
        assert ask is not None
        again.mark(number, bid.price.value, ask.price.value)
    live = session.state.account.ledger
    assert again.digest() == live.digest()
    assert again.profit("USD") == live.profit("USD")
    profit = again.profit("USD")
    assert report.pnl.realised == plain_text(profit.realised.decimal)
    assert report.pnl.unrealised == plain_text(profit.unrealised.decimal)
    assert report.pnl.net == plain_text(profit.net.decimal)
    assert report.pnl.cost == cost
    assert sum(isinstance(entry, Fill) for entry in entries) == report.fills > 5
    assert any(isinstance(entry, FundingPayment) for entry in entries)
    assert all(part.value for part in (profit.realised, profit.unrealised, profit.fees))
