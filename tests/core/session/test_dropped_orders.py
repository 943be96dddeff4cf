"""Nothing that a strategy asked for is dropped for want of room, and errors have the right name."""

from collections.abc import Sequence
from typing import Any

import pytest
from tests.core.session.effect_facts import ASK, BID, accept_all, notes, of, sent, start
from tests.core.session.session_world import (
    SECOND,
    START,
    make_world,
    order_event,
    quote,
    touch,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.decisions import BreakerEffect, Signal
from bot4_core.domain_types.records import EventKind, Side, SignalAction
from bot4_core.kernels.order_rows import MOST_ACTIONS, Action, Slot
from bot4_core.plugins.interfaces import Record
from bot4_core.session.effects import CancelOrder
from bot4_core.session.report import strike_warnings


def takes(view: Record) -> Sequence[Signal]:
    return [quote(view, Side.BUY, ASK, action=SignalAction.TAKE)]


def test_a_trade_leaves_although_its_row_had_to_be_made() -> None:
    world = make_world()
    accept_all(world, start(world), START)
    tables = world.session.state.ordering.tables
    rows = len(tables[Slot.ORDERS])
    tables[Slot.TALLY]["last_number"] = rows  # the next one would take the place of a working one
    world.strategy.answer = takes
    effects = world.session.step(touch(START + 1, BID, ASK))
    assert sent(effects) == [(Side.BUY, ASK, 100)]
    assert len(tables[Slot.ORDERS]) == 2 * rows


def test_a_trade_leaves_although_much_else_was_asked_for() -> None:
    world = make_world()
    accept_all(world, start(world), START)
    tables = world.session.state.ordering.tables

    def crowded(view: Record) -> Sequence[Signal]:
        rows = tables[Slot.ACTIONS]
        rows["kind"], rows["number"], rows["time"] = Action.CANCEL, 1, START
        tables[Slot.TALLY]["actions"] = MOST_ACTIONS - 10
        return takes(view)

    world.strategy.answer = crowded
    effects = world.session.step(touch(START + 1, BID, ASK))
    assert sent(effects) == [(Side.BUY, ASK, 100)]
    assert len(of(effects, CancelOrder)) == MOST_ACTIONS - 10


def test_a_refused_cancel_is_asked_for_again_after_a_pause() -> None:
    world = make_world()
    accept_all(world, start(world), START)
    world.breaker.effect = BreakerEffect.CANCEL_ALL
    assert len(of(world.session.step(touch(START + 1, BID, ASK)), CancelOrder)) == 2
    for number, side in ((1, Side.BUY), (2, Side.SELL)):
        event = order_event(EventKind.CANCEL_REJECTED, number, START + 2, side=side)
        world.session.step(event)
    asked = []
    for time in (3, 4, SECOND // 2, SECOND + 1, SECOND + 2, SECOND + 3):
        effects = world.session.step(touch(START + time, BID, ASK))
        asked.append(len(of(effects, CancelOrder)))
    assert asked == [0, 0, 0, 0, 2, 0]


@pytest.mark.parametrize("part", ["strategy", "sizer"])
def test_an_error_is_noted_under_the_name_of_its_part(part: str) -> None:
    world = make_world(takes)

    def fails(*arguments: Any) -> int:
        raise ValueError("no")

    if part == "strategy":
        world.strategy.answer = fails  # type: ignore[assignment]  # it raises
    else:
        world.sizer.size = fails  # type: ignore[method-assign,assignment]  # as above
    found = []
    for step in range(4):
        effects = world.session.step(touch(START + step, BID, ASK))
        found += notes(effects, AuditKind.PLUGIN_STRIKE)
    name = "scripted" if part == "strategy" else "fixed"
    assert [each.actor for each in found] == [name] * 3
    assert [each.payload["disabled"] for each in found] == [False, False, True]
    (text,) = strike_warnings(found[-1:], world.session.state)
    assert text == f"{part} {name} disabled after 3 errors: ValueError: no"
