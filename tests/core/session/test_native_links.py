"""Plans that a venue looks after as one order of its own."""

from pathlib import Path

import attrs
import pytest
from tests.core.session.effect_facts import BID, accept_all, fill, notes, of
from tests.core.session.scripted_market import Ticking
from tests.core.session.session_world import SECOND, START, World, make_world, order_event, silent
from tests.core.session.test_linking import BRACKET, TRAIL, at, cancelled
from tests.core.session.test_recovery import INSTRUMENTS, Run

from bot4_core.audit import AuditLog
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import Price, Quantity
from bot4_core.domain_types.records import EventKind, OrderType, Side, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities
from bot4_core.orders.linked_plans import LinkedPlan, native_kinds
from bot4_core.session.audit_writer import AuditWriter
from bot4_core.session.effects import CancelOrder, SendOrder
from bot4_core.session.recovery import CONTINUES

OFFERED = Capabilities(
    data=(),
    proof=BookProof.NONE,
    order_types=(OrderType.ICEBERG, OrderType.STOP, OrderType.TRAILING_STOP),
    as_of="2026-01-01",
    source="made up",
)
ICEBERG = LinkedPlan(side=Side.SELL, size=10, target=BID + 1000, visible=4)
STOP = LinkedPlan(side=Side.SELL, size=10, stop=BID - 1000)


def native() -> World:
    return make_world(silent, capabilities=OFFERED)


def placed(world: World, plan: LinkedPlan) -> SendOrder:
    at(world, 0, BID)
    world.session.place_linked(plan)
    effects = at(world, 1, BID)
    accept_all(world, effects, START + 1)
    (order,) = of(effects, SendOrder)
    return order


@pytest.mark.parametrize(
    ("plan", "kind", "price", "told"),
    [
        (ICEBERG, OrderType.ICEBERG, BID + 1000, {"visible": Quantity(4, -3)}),
        (STOP, OrderType.STOP, 0, {"trigger": Price(BID - 1000, -2)}),
        (TRAIL, OrderType.TRAILING_STOP, 0, {"trail": Price(500, -2)}),
    ],
)
def test_the_venue_gets_the_whole_plan_in_one_order(
    plan: LinkedPlan, kind: OrderType, price: int, told: dict[str, object]
) -> None:
    world = native()
    order = placed(world, plan)
    assert order.terms[3:5] == (kind, TimeInForce.GTC)
    assert order.terms[6:8] == (price, 10)
    intent = world.session.state.account.orders.snapshot(1).intent
    assert {name: getattr(intent, name) for name in told} == told
    assert of(at(world, 2, BID - 5000), SendOrder) == []  # the kernel starts no stop
    fill(world, order, START + 3, 10)
    (report,) = world.session.state.links.reports(START + 4)
    assert (report.form, report.status) == ("native", "done")
    assert world.session.state.account.orders.plans == {}


def test_plans_of_several_orders_are_the_kernels_work() -> None:
    world = native()
    placed(world, BRACKET)
    assert [each.form for each in world.session.state.links.reports(START)] == ["emulated"]
    assert native_kinds(None) == frozenset()


def test_a_native_order_is_placed_again_after_a_reject_and_ends_when_asked_to() -> None:
    world = native()
    placed(world, TRAIL)
    ended = order_event(EventKind.ORDER_EXPIRED, 1, START + 2, side=-1, size=10)
    (again,) = of(world.session.step(ended), SendOrder)
    world.session.step(order_event(EventKind.ORDER_REJECTED, again.number, START + 4, side=-1))
    assert of(at(world, 5, BID), SendOrder) == []
    (third,) = of(at(world, SECOND + 5, BID), SendOrder)
    assert third.terms[3] == OrderType.TRAILING_STOP
    event = order_event(
        EventKind.ORDER_ACCEPTED, third.number, START + SECOND + 6, side=-1, size=10
    )
    world.session.step(event)
    effects = world.session.cancel_linked(1, "no more")
    assert [each.number for each in of(effects, CancelOrder)] == [third.number]
    cancelled(world, third.number, SECOND + 7)
    assert [each.status for each in world.session.state.links.reports(START)] == ["cancelled"]


def test_i60_a_native_order_goes_on_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "audit.sqlite"
    run = Run(path, "first")
    run.world = native()
    run.session = run.world.session
    run.writer = AuditWriter(run.log, run.session.text, "test", Ticking())
    run.keep(at(run.world, 0, BID))
    placing = run.keep(run.session.place_linked(TRAIL)[1])
    assert [each.payload["form"] for each in notes(placing, AuditKind.LINKED)] == ["native"]
    run.keep(at(run.world, 1, BID))
    recovered = run.crash()
    facts = {CONTINUES: "first"}
    with AuditLog.open(path, run="second", wall_time=START, facts=facts):
        world = make_world(silent, instruments=INSTRUMENTS, capabilities=OFFERED)
        world.session.restore(recovered)
    (report,) = world.session.state.links.reports(START)
    assert (report.form, [each.order for each in report.children]) == ("native", [1])
    assert world.session.state.account.orders.plans == {1: attrs.evolve(TRAIL)}
