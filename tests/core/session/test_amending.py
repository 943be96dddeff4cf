"""A working order changed by its host: two legs, judged, reserved and recorded."""

from pathlib import Path

import pytest
from tests.core.session.effect_facts import BID, accept_all, of, sent
from tests.core.session.session_world import (
    START,
    World,
    make_world,
    order_event,
    quote,
    silent,
    touch,
)
from tests.core.session.test_recovery import Run

from bot4_core.domain_types.canonical_types import Price, Quantity
from bot4_core.domain_types.records import EventKind, OrderStatus, Side
from bot4_core.errors import OrderError, PrecisionError, ValidationError
from bot4_core.orders.linked_plans import LinkedPlan
from bot4_core.session.effects import CancelOrder, RecordIntent, SendOrder

LOWER = Price(BID - 100, -2)


@pytest.fixture
def resting() -> World:
    """One buy of 100 that rests at the best bid; the strategy wants no more."""
    world = make_world(lambda view: [quote(view, Side.BUY, BID)])
    effects = world.session.step(touch(START, BID, BID + 10))
    accept_all(world, effects, START)
    world.strategy.answer = silent
    return world


def status(world: World, number: int) -> OrderStatus:
    return world.session.state.account.orders[number].status


def test_the_old_order_is_cancelled_and_the_new_one_leaves(resting: World) -> None:
    made, effects = resting.session.amend(1, price=LOWER)
    assert [type(effect) for effect in effects] == [CancelOrder, RecordIntent, SendOrder]
    assert (made, sent(effects)) == (2, [(Side.BUY, BID - 100, 100)])
    assert status(resting, 1) is OrderStatus.PENDING_REPLACE
    orders = resting.session.state.account.orders
    assert orders[2].replaces == 1
    assert orders.open_buy[0] == 200  # either leg may fail alone
    told = resting.session.text.intent(of(effects, RecordIntent)[0])
    assert told["signal"]["reason"] == "in place of order 1"
    assert told["size"]["sizer"] == "amend"
    accept_all(resting, effects, START + 1)
    gone = order_event(EventKind.ORDER_CANCELED, 1, START + 2, side=1, size=100)
    resting.session.step(gone)
    assert orders.open_buy[0] == 100
    orders.check()


def test_a_size_is_the_whole_one_and_what_is_filled_counts(resting: World) -> None:
    order = resting.session.state.account.orders[1]
    event = order_event(EventKind.ORDER_FILLED, 1, START + 1, side=1, price=BID, size=30)
    resting.session.step(event)
    assert order.size == 100
    _, effects = resting.session.amend(1, size=Quantity(50, -3))
    assert sent(effects) == [(Side.BUY, BID, 20)]


def test_what_the_gate_refuses_leaves_the_old_order_alone(resting: World) -> None:
    resting.session.audit_failed()
    before = status(resting, 1)
    made, effects = resting.session.amend(1, price=LOWER)
    assert (made, sent(effects), of(effects, CancelOrder)) == (0, [], [])
    assert status(resting, 1) is before


def test_a_price_off_the_tick_is_refused_by_the_gate(resting: World) -> None:
    made, effects = resting.session.amend(1, price=Price(BID - 3, -2))
    (record,) = of(effects, RecordIntent)
    assert (made, status(resting, 1)) == (0, OrderStatus.OPEN)
    assert record.refusals[0][1] == "tick"


def test_only_what_rests_can_be_changed(resting: World) -> None:
    resting.session.amend(1, price=LOWER)
    for number in (1, 2):  # being replaced, and not yet answered for
        with pytest.raises(OrderError, match="no plain limit order"):
            resting.session.amend(number, price=LOWER)
    with pytest.raises(OrderError, match="no order 9"):
        resting.session.amend(9, price=LOWER)


def test_a_child_of_a_linked_order_is_left_to_it() -> None:
    world = make_world(silent)
    world.session.step(touch(START, BID, BID + 10))
    world.session.place_linked(LinkedPlan(side=Side.BUY, size=10, target=BID - 50))
    effects = world.session.step(touch(START + 1, BID, BID + 10))
    accept_all(world, effects, START + 1)
    with pytest.raises(OrderError, match="no linked order"):
        world.session.amend(1, price=LOWER)


def test_numbers_that_make_no_order_are_refused(resting: World) -> None:
    with pytest.raises(PrecisionError):
        resting.session.amend(1, price=Price.parse("59999.001", -3))
    fill_event = order_event(EventKind.ORDER_FILLED, 1, START + 1, side=1, price=BID, size=30)
    resting.session.step(fill_event)
    with pytest.raises(ValidationError, match="30 is filled already"):
        resting.session.amend(1, size=Quantity(30, -3))


def test_i60_both_legs_are_there_after_a_crash(tmp_path: Path) -> None:
    run = Run(tmp_path / "audit.sqlite", "first")
    world = run.world
    world.strategy.answer = lambda view: [quote(view, Side.BUY, BID)]
    effects = run.keep(world.session.step(touch(START, BID, BID + 10)))
    run.keep(accept_all(world, effects, START))
    run.keep(world.session.amend(1, price=LOWER)[1])
    run.crash()
    again = Run(run.path, "second", continues="first")
    orders = again.session.state.account.orders
    assert orders.open_buy[0] == 200
    assert [order.price for order in orders] == [BID, BID - 100]
