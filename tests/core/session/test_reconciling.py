"""No new risk before session and venue agree; what differs is listed, and settled as chosen."""

from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np
import pytest
from tests.core.session.effect_facts import BID, accept_all, notes, of, start
from tests.core.session.scripted_market import ScriptedMarket, Ticking
from tests.core.session.session_world import (
    SECOND,
    START,
    World,
    make_world,
    order_event,
    touch,
)
from tests.core.session.test_recovery import INSTRUMENTS, Run

from bot4_core.domain_types.accounts import Transfer
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import InstrumentId, Money, Nanoseconds
from bot4_core.domain_types.decisions import BreakerEffect
from bot4_core.domain_types.orders import Fill, FillOrigin
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    EventKind,
    OrderFlag,
    OrderStatus,
    Records,
    Side,
)
from bot4_core.orders import client_order_id, run_tag
from bot4_core.orders.reconciliation import DifferenceKind, VenueAccount, VenueOrder
from bot4_core.session.config import OnDifference
from bot4_core.session.effects import Effect, QueryOrder, SendOrder
from bot4_core.session.reconciling import Reconciler, Reconciliation
from bot4_core.session.runner import SessionRunner

NONE: Records = np.zeros(0, EVENT_DTYPE)
BTC = InstrumentId(0)


def working(number: int = -1, client_id: str = "", side: Side = Side.BUY) -> VenueOrder:
    return VenueOrder(
        client_id=client_id, number=number, instrument=BTC, side=side, price=BID, size=100, filled=0
    )


def account(
    *orders: VenueOrder, size: int = 0, balance: str = "", trades: Sequence[Records] = ()
) -> VenueAccount:
    balances = {"USDT": Money(int(balance) * 10**8, -8)} if balance else {}
    return VenueAccount(
        time=Nanoseconds(START + 2 * SECOND),
        orders=orders,
        positions={BTC: (size, BID)},
        balances=balances,
        trades=np.concatenate(trades) if trades else NONE,
    )


def begun(policy: OnDifference, answered: bool = True) -> tuple[World, Reconciler]:
    """A session with two orders, and somebody to ask the venue."""
    world = make_world(instruments=INSTRUMENTS)
    effects = start(world)
    if answered:
        accept_all(world, effects, START + 1)
    return world, Reconciler(world.session, policy)


def opening(effects: Sequence[Effect]) -> list[SendOrder]:
    sent = of(effects, SendOrder)
    return [each for each in sent if not int(each.intent["flags"][0]) & OrderFlag.REDUCE_ONLY]


def moved(world: World, second: int) -> list[Effect]:
    return world.session.step(touch(START + second * SECOND, BID + 10 * second, BID + 50 * second))


def test_nothing_that_opens_leaves_before_the_venue_agrees() -> None:
    world, reconciler = begun(OnDifference.HALT)
    assert opening(moved(world, 3)) == []
    world, reconciler = begun(OnDifference.HALT)
    effects = reconciler.compare(account(working(1), working(2, side=Side.SELL)))
    assert (reconciler.state, reconciler.found) == (Reconciliation.DONE, [])
    assert len(notes(effects, AuditKind.BREAKER_REARM)) == 1
    ended = [order_event(EventKind.ORDER_CANCELED, each, START + 3 * SECOND) for each in (1, 2)]
    for each, side in zip(ended, (1, -1), strict=True):
        each["side"], each["size"] = side, 100
        world.session.step(each)
    assert opening(moved(world, 5))


def test_missed_trades_are_booked_and_listed() -> None:
    world, reconciler = begun(OnDifference.HALT)
    words = {"side": 1, "price": BID, "size": 100, "sequence": 9, "aux": 0}
    trade = order_event(EventKind.ORDER_FILLED, 1, START + SECOND, **words)
    reconciler.compare(account(working(2, side=Side.SELL), size=100, trades=[trade, trade]))
    assert [each.kind for each in reconciler.found] == [DifferenceKind.TRADE_MISSING]
    assert reconciler.state is Reconciliation.DONE
    assert world.session.state.account.ledger.sizes[0] == 100


def test_o18_what_differs_halts_where_that_was_chosen() -> None:
    world, reconciler = begun(OnDifference.HALT)
    effects = reconciler.compare(account(working(1), working(2, side=Side.SELL), size=7))
    assert reconciler.state is Reconciliation.HALTED
    assert [str(each) for each in reconciler.found] == [
        "position: BTCUSDT: 0.000 here, 0.007 there"
    ]
    listed = notes(effects, AuditKind.RECONCILIATION)
    assert [each.payload["what"] for each in listed] == ["position"]
    assert world.session.state.panel.effects == [BreakerEffect.CANCEL_ALL] * 2


def test_an_adopted_position_is_a_trade_of_somebody_else() -> None:
    world, reconciler = begun(OnDifference.ADOPT)
    reconciler.compare(account(working(1), working(2, side=Side.SELL), size=-7, balance="100001"))
    assert reconciler.state is Reconciliation.DONE
    ledger = world.session.state.account.ledger
    trade, transfer = ledger.entries
    assert isinstance(trade, Fill)
    assert isinstance(transfer, Transfer)
    assert (trade.origin, trade.side, ledger.sizes[0]) == (FillOrigin.EXTERNAL, Side.SELL, -7)
    assert ledger.balance("USDT").decimal == 100_001
    assert int(world.session.state.views["position"][0]) == -7
    ledger.check()


def test_an_adopted_order_works_under_its_own_client_id() -> None:
    world, reconciler = begun(OnDifference.ADOPT)
    reconciler.compare(account(working(1), working(2, side=Side.SELL), working(client_id="web-1")))
    orders = world.session.state.account.orders
    assert [each.kind for each in reconciler.found] == [DifferenceKind.ORDER_MISSING_HERE]
    assert (orders[3].status, orders.client_id(3), orders.open_buy[0]) == (
        OrderStatus.OPEN,
        "web-1",
        200,
    )
    assert orders.ids.number("web-1") == 3
    assert orders.ids.number("web-2") == -1


def test_an_order_that_the_venue_does_not_list_is_asked_about_before_anything_opens() -> None:
    world, reconciler = begun(OnDifference.HALT)
    listed = [reconciler.compare(account(working(1))) for _ in range(2)]
    assert [len(notes(each, AuditKind.RECONCILIATION)) for each in listed] == [1, 0]
    effects = moved(world, 3)
    assert [each.number for each in of(effects, QueryOrder)] == [2]
    assert opening(effects) == []
    words = {"side": -1, "size": 100}
    world.session.step(order_event(EventKind.ORDER_CANCELED, 2, START + 4 * SECOND, **words))
    reconciler.compare(account(working(1)))
    assert reconciler.state is Reconciliation.DONE
    assert [each.kind for each in reconciler.found] == [DifferenceKind.ORDER_MISSING_THERE]


@pytest.mark.parametrize("policy", OnDifference)
def test_o19_an_order_of_another_process_halts_whatever_was_chosen(policy: OnDifference) -> None:
    _, reconciler = begun(policy)
    foreign = client_order_id(run_tag("another process"), 1)
    reconciler.compare(account(working(1), working(2, side=Side.SELL), working(client_id=foreign)))
    assert reconciler.state is Reconciliation.HALTED
    assert [each.kind for each in reconciler.found] == [DifferenceKind.FOREIGN_RUN]


def test_everything_is_closed_where_that_was_chosen() -> None:
    world, reconciler = begun(OnDifference.FLATTEN)
    reconciler.compare(account(working(1), working(2, side=Side.SELL), size=7))
    assert reconciler.state is Reconciliation.DONE
    for number, side in ((1, 1), (2, -1)):
        words = {"side": side, "size": 100}
        world.session.step(
            order_event(EventKind.ORDER_CANCELED, number, START + 3 * SECOND, **words)
        )
    rows = [each.intent[0] for each in of(moved(world, 5), SendOrder)]
    assert [(int(row["side"]), int(row["size"])) for row in rows] == [(-1, 7)]


def test_what_was_adopted_is_recovered(tmp_path: Path) -> None:
    run = Run(tmp_path / "audit.sqlite", "first")
    run.keep(start(run.world))
    reconciler = Reconciler(run.session, OnDifference.ADOPT)
    there = account(
        working(1), working(2, side=Side.SELL), working(client_id="web-1"), size=7, balance="5"
    )
    run.keep(reconciler.compare(there))
    run.crash()
    again = Run(run.path, "second", continues="first")
    assert again.open_orders == run.open_orders
    ledgers = [each.session.state.account.ledger for each in (run, again)]
    assert ledgers[0].digest() == ledgers[1].digest()
    assert again.session.state.panel.effects == run.session.state.panel.effects


def test_an_order_that_ended_here_and_works_there_is_no_foreign_one() -> None:
    world, reconciler = begun(OnDifference.HALT)
    words = {"side": 1, "size": 100}
    world.session.step(order_event(EventKind.ORDER_CANCELED, 1, START + SECOND, **words))
    client_id = world.session.state.account.orders.client_id(1)
    reconciler.compare(account(working(client_id=client_id), working(2, side=Side.SELL)))
    assert [each.kind for each in reconciler.found] == [DifferenceKind.ORDER_MISSING_HERE]


def test_only_what_differs_is_adopted() -> None:
    world, reconciler = begun(OnDifference.ADOPT)
    there = account(working(1), working(2, side=Side.SELL), size=7, balance="100000")
    positions = {BTC: (7, BID), InstrumentId(1): (0, 1)}
    reconciler.compare(attrs.evolve(there, positions=positions))
    assert reconciler.state is Reconciliation.DONE
    assert len(world.session.state.account.ledger.entries) == 1


def test_without_anybody_to_ask_nothing_opens(tmp_path: Path) -> None:
    run = Run(tmp_path / "audit.sqlite", "first")
    run.keep(start(run.world))
    left = run.crash()
    world = make_world(run="second", instruments=INSTRUMENTS)
    market = ScriptedMarket(INSTRUMENTS, [touch(START + 9 * SECOND, BID, BID + 30)] * 4)
    report = SessionRunner(world.session, market, Ticking(), recovered=left).run()
    assert market.placed == []
    assert report.stopped == ""


def test_a_position_that_the_venue_does_not_list_is_closed_at_its_entry() -> None:
    world, reconciler = begun(OnDifference.ADOPT)
    words = {"side": 1, "price": BID, "size": 100, "sequence": 9, "aux": 0}
    world.session.step(order_event(EventKind.ORDER_FILLED, 1, START + SECOND, **words))
    reconciler.compare(attrs.evolve(account(working(2, side=Side.SELL)), positions={}))
    ledger = world.session.state.account.ledger
    assert (reconciler.state, ledger.sizes[0]) == (Reconciliation.DONE, 0)
    assert ledger.balance("USDT").decimal == 100_000
