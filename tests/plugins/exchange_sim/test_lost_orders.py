"""Sessions on a venue that loses requests and answers: nothing is lost, doubled or guessed at."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.core.session.scripted_market import Ticking
from tests.core.session.session_world import FixedSizer, ScriptedStrategy, both_sides, configuration

from bot4_core.audit import AuditLog
from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import OrderStatus
from bot4_core.errors import DecodeError
from bot4_core.session.config import AccountConfig, AnswersConfig
from bot4_core.session.markets import SimulatedMarket
from bot4_core.session.recovery import CONTINUES, recover
from bot4_core.session.runner import SessionRunner
from bot4_core.session.session import Session
from bot4_core.session.state import Parts
from bot4_plugins.exchange_sim.adapter import SimExchange
from bot4_plugins.exchange_sim.engine import POSITION
from bot4_plugins.exchange_sim.settings import Fault, SimSettings
from bot4_plugins.exchange_sim.venue import SimVenue

SYMBOL = "BTC-USD-PERP"
ANSWERS = AnswersConfig(reply_ms=50, expiry_ms=100, lag_ms=20, pause_ms=20, longest_pause_ms=50)


class BrokenOffError(Exception):
    """The process ends here."""


class Scene:
    """A quoting session on a venue with faults."""

    def __init__(self, seed: int, *faults: Fault, lots: int = 5) -> None:
        exchange = SimExchange(SimSettings(symbols=(SYMBOL,), seed=seed, faults=faults))
        self.venue: SimVenue = exchange.open_venue()
        market = SimulatedMarket(exchange, self.venue, 1.5, 5_000_000)
        parts = Parts(
            strategy=ScriptedStrategy(exchange.instruments, both_sides),
            sizer=FixedSizer(exchange.instruments, lots),
        )
        account = AccountConfig(asset="USD", cash=Decimal(100_000))
        config = configuration(account=account, answers=ANSWERS)
        self.session = Session(config, exchange.instruments, exchange.table, parts)
        self.report = SessionRunner(self.session, market, Ticking()).run()

    @property
    def venue_position(self) -> int:
        return int(self.venue._pits[Symbol(SYMBOL)].words[POSITION])

    @property
    def booked(self) -> int:
        entries = self.session.state.account.ledger.entries
        return sum(each.side * each.size.value for each in entries if isinstance(each, Fill))


def losing(kind: str, *messages: int, count: int = 1) -> tuple[Fault, ...]:
    return tuple(
        Fault(kind=kind, symbol=SYMBOL, message=message, count=count) for message in messages
    )


@pytest.mark.parametrize(
    "faults",
    [
        losing("lose_answer", 1, 5, 8, 11, 12, 20),
        losing("lose_request", 2, 5, 6, 13),
        losing("lose_answer", 3, 9, count=3) + losing("lose_request", 4, 10),
    ],
)
def test_i23_fills_add_up_to_the_venue_position_whatever_is_lost(faults: tuple[Fault, ...]) -> None:
    scene = Scene(3, *faults)
    orders = scene.session.state.account.orders
    assert not {"submitted", "unknown"} & set(scene.report.orders)
    assert scene.report.fills > 0
    assert scene.booked == scene.venue_position == scene.session.state.account.ledger.sizes[0]
    assert (orders.orphans, orders.open_count) == (0, 0)
    assert orders.counts[OrderStatus.UNKNOWN] == 0
    orders.check()


def test_orders_whose_requests_were_lost_are_refused_only_after_the_last_moment() -> None:
    scene = Scene(3, *losing("lose_request", 1, 2))
    lost = [scene.session.state.account.orders[number] for number in (1, 2)]
    for order in lost:
        assert order.status is OrderStatus.REJECTED
        assert order.not_found > order.sent + ANSWERS.final_after
    assert scene.booked == scene.venue_position


class Lived:
    """Two runs on one venue: the first is broken off, the second goes on from its log."""

    def __init__(self, path: Path, batches: int, asleep: int) -> None:
        exchange = SimExchange(SimSettings(symbols=(SYMBOL,), seed=5))
        self.venue, self.path = exchange.open_venue(), path
        with pytest.raises(BrokenOffError):
            self.run("first", batches)
        self.venue.step(self.venue.now + asleep)
        self.second = self.run("second")

    def run(self, name: str, batches: int = 0) -> SessionRunner:
        exchange = SimExchange(SimSettings(symbols=(SYMBOL,), seed=5))
        market = SimulatedMarket(exchange, self.venue, 0.6, 5_000_000)
        parts = Parts(
            strategy=ScriptedStrategy(exchange.instruments, both_sides),
            sizer=FixedSizer(exchange.instruments, 5),
        )
        account = AccountConfig(asset="USD", cash=Decimal(100_000))
        config = configuration(account=account, answers=ANSWERS)
        left = iter(range(batches))

        def stop() -> str:
            if batches and next(left, None) is None:
                raise BrokenOffError
            return ""

        facts = {CONTINUES: "first"} if not batches else {}
        with AuditLog.open(self.path, run=name, wall_time=1, facts=facts) as log:
            session = Session(config, exchange.instruments, exchange.table, parts, name)
            recovered = None if batches else recover(self.path, exchange.instruments)
            runner = SessionRunner(
                session, market, Ticking(), log=log, stop=stop, recovered=recovered
            )
            self.session, self.report = session, runner.run()
        return runner


@pytest.mark.parametrize(("batches", "asleep"), [(30, 0), (47, 300_000_000), (60, 60_000_000)])
def test_i60_a_run_goes_on_where_the_venue_is_after_a_crash(
    tmp_path: Path, batches: int, asleep: int
) -> None:
    lived = Lived(tmp_path / "audit.sqlite", batches, asleep)
    account = lived.session.state.account
    position = int(lived.venue._pits[Symbol(SYMBOL)].words[POSITION])
    assert account.ledger.sizes[0] == position
    assert account.orders.open_count == 0
    assert (account.orders.orphans, lived.report.stopped) == (0, "")
    assert all("missing" in each for each in lived.report.warnings)
    assert lived.session.state.panel.effects == [0]
    account.orders.check()


def test_an_account_that_cannot_be_read_is_refused() -> None:
    exchange = SimExchange(SimSettings(symbols=(SYMBOL,)))
    with pytest.raises(DecodeError, match="no account of this venue"):
        exchange.read_account([b"{}"], Nanoseconds(0))
