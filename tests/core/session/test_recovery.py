"""A run that continues a crashed one starts with its orders, its books and its trips."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.core.session.effect_facts import BID, accept_all, fill, of, start
from tests.core.session.scripted_market import Ticking
from tests.core.session.session_world import (
    SECOND,
    START,
    World,
    instrument,
    make_world,
    order_event,
    touch,
)

from bot4_core.audit import AuditLog
from bot4_core.domain_types.decisions import BreakerEffect
from bot4_core.domain_types.records import EventFlag, EventKind, OrderStatus
from bot4_core.errors import AuditError
from bot4_core.orders import WorkingOrder, client_order_id, run_tag
from bot4_core.orders.working import EVIDENCE
from bot4_core.session.audit_writer import AuditWriter
from bot4_core.session.effects import (
    CancelOrder,
    Effect,
    Note,
    QueryOrder,
    RecordIntent,
    SendOrder,
)
from bot4_core.session.recovery import CONTINUES, Recovered, recover

INSTRUMENTS = (instrument(), instrument("ETHUSDT"))


class Run:
    """A run with its audit log, that can be broken off."""

    def __init__(self, path: Path, name: str, *, continues: str = "") -> None:
        self.path = path
        self.recovered = recover(path, INSTRUMENTS) if continues else None
        facts = {CONTINUES: continues} if continues else {}
        self.log = AuditLog.open(path, run=name, wall_time=START, facts=facts)
        self.world: World = make_world(run=name, instruments=INSTRUMENTS)
        self.session = self.world.session
        self.writer = AuditWriter(self.log, self.session.text, "test", Ticking())
        if self.recovered is not None:
            self.keep(self.session.restore(self.recovered))

    def keep(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        for effect in effects:
            client_id = ""
            if isinstance(effect, SendOrder | CancelOrder | QueryOrder):
                client_id = self.session.state.account.orders.client_id(effect.number)
            if isinstance(effect, RecordIntent):
                self.writer.keep_intent(effect)
            elif isinstance(effect, SendOrder):
                self.writer.keep_send(effect, client_id)
            elif isinstance(effect, CancelOrder):
                self.writer.keep_cancel(effect, client_id)
            elif isinstance(effect, QueryOrder):
                self.writer.keep_query(effect, client_id)
            elif isinstance(effect, Note):
                self.writer.keep_note(effect)
        return effects

    def say(self, kind: EventKind, number: int, time: int, **fields: int) -> None:
        self.keep(self.session.step(order_event(kind, number, START + time, **fields)))

    def crash(self) -> Recovered:
        """End without a word; everything that was kept is durable."""
        self.log.commit()
        self.log.close()
        return recover(self.path, INSTRUMENTS)

    @property
    def open_orders(self) -> list[tuple[WorkingOrder, str]]:
        orders = self.session.state.account.orders
        return [(order, orders.client_id(order.number)) for order in orders]


@pytest.fixture
def traded(tmp_path: Path) -> Run:
    """A run with orders in many states and a position."""
    run = Run(tmp_path / "audit.sqlite", "first")
    effects = run.keep(start(run.world))
    run.keep(accept_all(run.world, effects, START + 1))
    buy, sell = of(effects, SendOrder)
    run.keep(fill(run.world, buy, START + 2, 40, fee=1_000_000))
    run.keep(fill(run.world, sell, START + 3, 100))
    run.keep(run.session.step(touch(START + 2 * SECOND, BID, BID + 20)))
    run.say(
        EventKind.TRADE_CORRECTED, 1, 3 * SECOND, side=1, sequence=START + 2, size=30, price=BID
    )
    run.say(EventKind.CANCEL_PENDING, 1, 4 * SECOND, side=1, size=70, sequence=9)
    run.keep(run.session.step(touch(START + 5 * SECOND, BID, BID + 20, 1)))
    return run


def test_i60_a_run_after_a_crash_starts_with_the_same_orders_and_books(traded: Run) -> None:
    traded.crash()
    again = Run(traded.path, "second", continues="first")
    assert again.open_orders == traded.open_orders
    assert len(again.open_orders) >= 3
    one, other = traded.session.state, again.session.state
    assert other.account.ledger.digest() == one.account.ledger.digest()
    assert other.account.ledger.entries == one.account.ledger.entries
    assert other.account.orders.counts == one.account.orders.counts
    for name in ("position", "open_buy", "open_sell", "average_price"):
        assert other.views[name].tolist() == one.views[name].tolist()
    assert other.now == one.now
    other.account.orders.check()


def test_i22_numbers_and_client_ids_go_on_where_the_last_run_ended(traded: Run) -> None:
    last = traded.session.state.account.orders.last_number
    traded.crash()
    again = Run(traded.path, "second", continues="first")
    orders = again.session.state.account.orders
    sent = of(again.keep(again.session.step(touch(START + 9 * SECOND, BID, BID + 30))), SendOrder)
    assert orders.client_id(1) == client_order_id(run_tag("first"), 1)
    assert all(each.number > last for each in sent)
    assert orders.client_id(last + 1) == client_order_id(run_tag("second"), last + 1)


def test_a_third_run_knows_the_first(traded: Run) -> None:
    traded.crash()
    second = Run(traded.path, "second", continues="first")
    second.say(EventKind.ORDER_CANCELED, 1, 9 * SECOND, side=1, size=70, sequence=9)
    second.crash()
    third = Run(traded.path, "third", continues="second")
    assert third.open_orders == second.open_orders
    assert third.session.state.account.orders.client_id(1).startswith(run_tag("first"))
    ledgers = [run.session.state.account.ledger for run in (second, third)]
    assert ledgers[0].digest() == ledgers[1].digest()


def test_orders_that_were_not_answered_are_asked_about(traded: Run) -> None:
    traded.crash()
    again = Run(traded.path, "second", continues="first")
    waiting = [
        order.number for order, _ in again.open_orders if order.status is OrderStatus.SUBMITTED
    ]
    assert waiting
    effects = again.keep(again.session.step(touch(START + 60 * SECOND, BID, BID + 20)))
    assert set(waiting) <= {each.number for each in of(effects, QueryOrder)}


def test_r07_what_was_tripped_starts_tripped_until_it_is_armed_again(traded: Run) -> None:
    traded.keep(traded.session.halt("somebody", "to see"))
    assert [trip.breaker for trip in traded.crash().trips] == ["operator"]
    again = Run(traded.path, "second", continues="first")
    assert again.session.state.panel.effects == [BreakerEffect.CANCEL_ALL] * 2
    again.keep(again.session.rearm("operator", actor="somebody", reason="seen")[1])
    assert again.crash().trips == ()


def test_a_run_that_continues_no_other_one_starts_from_nothing(traded: Run) -> None:
    traded.crash()
    found = Run(traded.path, "second").crash()
    assert (found.run, found.entries, dict(found.orders.open)) == ("second", (), {})


def test_a_busted_trade_stays_out_of_the_books(traded: Run) -> None:
    traded.say(EventKind.TRADE_BUSTED, 1, 8 * SECOND, side=1, sequence=START + 2, size=30)
    traded.crash()
    again = Run(traded.path, "second", continues="first")
    assert again.open_orders == traded.open_orders
    assert again.session.state.account.ledger.sizes == traded.session.state.account.ledger.sizes


def test_foreign_trades_and_funding_are_booked_again(traded: Run) -> None:
    flags = int(EventFlag.LAST | EventFlag.LIQUIDATED)
    words = {"side": -1, "sequence": 77, "size": 5, "price": BID, "flags": flags}
    traded.say(EventKind.ORDER_FILLED, -1, 8 * SECOND, **words)
    traded.say(EventKind.MARK, 0, 9 * SECOND, price=BID)
    for hour in (1, 2, 3):
        due = START + hour * 3600 * SECOND
        traded.say(EventKind.FUNDING, 0, 9 * SECOND + hour, price=10**9, aux=due)
        traded.say(EventKind.FUNDING, 0, hour * 3600 * SECOND + 5, price=10**9, aux=due + SECOND)
    entries = traded.session.state.account.ledger.entries
    assert traded.crash().entries == tuple(entries)
    again = Run(traded.path, "second", continues="first")
    assert again.session.state.account.ledger.entries == entries


def test_a_log_of_something_else_is_refused(traded: Run) -> None:
    traded.crash()
    with pytest.raises(AuditError, match="BTCUSDT, which this session does not trade"):
        recover(traded.path, INSTRUMENTS[1:])


def test_an_intent_that_never_left_is_over(traded: Run) -> None:
    number = traded.session.state.account.orders.last_number
    traded.session.withhold(number)
    traded.keep(traded.session.take_effects())
    assert number not in traded.crash().orders.open


def test_evidence_names_fields_of_an_order() -> None:
    assert set(EVIDENCE) <= set(WorkingOrder.__annotations__)
