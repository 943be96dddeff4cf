"""Breakers in the flow: nothing new after a trip, and a name for every re-arm."""

import pytest
from tests.core.session.effect_facts import (
    ASK,
    BID,
    accept_all,
    fill,
    notes,
    of,
    sent,
    start,
)
from tests.core.session.session_world import (
    SECOND,
    START,
    World,
    make_world,
    order_event,
    touch,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import InstrumentId
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope
from bot4_core.domain_types.records import (
    EventKind,
    OrderFlag,
    OrderType,
)
from bot4_core.session.effects import (
    CancelOrder,
    RecordIntent,
    SendOrder,
)


@pytest.mark.parametrize("effect", [each for each in BreakerEffect if each])
def test_after_a_trip_no_order_leaves_in_the_same_step_or_later(effect: BreakerEffect) -> None:
    world = make_world()
    world.breaker.effect = effect
    effects = start(world)
    assert of(effects, SendOrder) == []
    assert notes(effects, AuditKind.BREAKER_TRIP)[0].payload["effect"] == effect.name.lower()
    world.breaker.effect = None
    for step in range(1, 4):
        assert of(world.session.step(touch(START + step * SECOND, BID, ASK)), SendOrder) == []


@pytest.mark.parametrize("effect", [BreakerEffect.CANCEL_ALL, BreakerEffect.FLATTEN])
def test_a_session_wide_trip_cancels_on_every_instrument(effect: BreakerEffect) -> None:
    world = make_world(scope=BreakerScope.SESSION)
    for number in (0, 1):
        accept_all(world, start(world, number), START)
    world.breaker.effect = effect
    effects = world.session.step(touch(START + 1, BID, ASK))
    assert [effect.number for effect in of(effects, CancelOrder)] == [1, 2, 3, 4]


def holding(world: World, size: int) -> None:
    """Fill the first quote and end the second."""
    effects = start(world)
    first, second = of(effects, SendOrder)
    fill(world, first, START + 1, size)
    left = int(second.intent["size"][0])
    world.session.step(order_event(EventKind.ORDER_CANCELED, 2, START + 1, side=-1, size=left))


def test_flatten_closes_what_is_held_once_nothing_works_any_more() -> None:
    world = make_world()
    holding(world, 100)
    world.breaker.effect = BreakerEffect.FLATTEN
    effects = world.session.step(touch(START + 2, BID, ASK))
    row = of(effects, SendOrder)[0].intent[0]
    assert (int(row["side"]), int(row["size"])) == (-1, 100)
    assert (int(row["type"]), int(row["flags"])) == (OrderType.MARKET, OrderFlag.REDUCE_ONLY)
    text = world.session.text.intent(of(effects, RecordIntent)[0])
    assert text["signal"] == {"reason": "breaker: flatten", "values": {}}
    assert of(world.session.step(touch(START + 3, BID, ASK)), SendOrder) == []


def test_flatten_waits_for_the_cancellations() -> None:
    world = make_world()
    effects = start(world)
    fill(world, of(effects, SendOrder)[0], START + 1, 100)
    world.breaker.effect = BreakerEffect.FLATTEN
    effects = world.session.step(touch(START + 2, BID, ASK))
    assert [effect.number for effect in of(effects, CancelOrder)] == [2]
    assert of(effects, SendOrder) == []


def test_flatten_tries_again_after_a_rest() -> None:
    world = make_world()
    holding(world, 100)
    world.breaker.effect = BreakerEffect.FLATTEN
    world.session.step(touch(START + 2, BID, ASK))
    world.session.step(order_event(EventKind.ORDER_EXPIRED, 3, START + 3, side=-1, size=100))
    assert world.session.step(touch(START + 4, BID, ASK)) == []
    again = world.session.step(touch(START + 2 + 2 * SECOND, BID, ASK))
    assert sent(again) == [(-1, 0, 100)]


def test_block_open_quotes_only_what_reduces_and_only_that_much() -> None:
    world = make_world(lots=150)
    holding(world, 100)
    world.breaker.effect = BreakerEffect.BLOCK_OPEN
    effects = world.session.step(touch(START + 2, BID, ASK))
    assert [effect.number for effect in of(effects, CancelOrder)] == [1]
    assert sent(effects) == [(-1, ASK, 100)]
    flags = int(of(effects, SendOrder)[0].intent["flags"][0])
    assert flags == OrderFlag.REDUCE_ONLY | OrderFlag.POST_ONLY


def test_a_rearm_lets_orders_out_again_and_is_recorded() -> None:
    world = make_world()
    world.breaker.effect = BreakerEffect.BLOCK_ALL
    start(world)
    world.breaker.effect = None
    entry, effects = world.session.rearm("scripted", actor="anna", reason="checked")
    assert entry.instruments == (InstrumentId(0),)
    assert notes(effects, AuditKind.BREAKER_REARM)[0].actor == "anna"
    assert len(of(world.session.step(touch(START + SECOND, BID, ASK)), SendOrder)) == 2


def test_an_operator_stops_everything_until_a_rearm() -> None:
    world = make_world()
    accept_all(world, start(world), START)
    effects = world.session.halt("anna", "strange prices")
    assert [effect.number for effect in of(effects, CancelOrder)] == [1, 2]
    assert notes(effects, AuditKind.BREAKER_TRIP)[0].payload["reason"] == "anna: strange prices"
    assert of(world.session.step(touch(START + SECOND, BID, ASK)), SendOrder) == []
    world.session.rearm("operator", actor="anna", reason="all is well")
    world.session.halt("anna", "close", flatten=True)
    assert world.session.state.panel.effects == [BreakerEffect.FLATTEN] * 2


def test_a_session_under_two_runs_gives_the_same_orders_under_other_names() -> None:
    first, second = make_world(), make_world(run="another")
    one, two = of(start(first), RecordIntent), of(start(second), RecordIntent)
    assert [each.intent for each in one] == [each.intent for each in two]
    assert one[0].client_id != two[0].client_id
