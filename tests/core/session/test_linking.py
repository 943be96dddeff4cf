"""Linked orders in a session: driven by evidence and prices, judged, recorded, gone on with."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.session.effect_facts import BID, fill, notes, of, sent
from tests.core.session.scripted_market import ScriptedMarket, Ticking
from tests.core.session.session_world import (
    SECOND,
    START,
    World,
    both_sides,
    instrument,
    make_world,
    order_event,
    quote,
    silent,
    touch,
)
from tests.core.session.test_drivers import (
    ALL_COMPILED,
    MESSAGES,
    MILLISECOND,
    KeptLog,
    left_behind,
    message,
)
from tests.core.session.test_forms import session_of
from tests.core.session.test_recovery import Run

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import Price
from bot4_core.domain_types.decisions import BreakerEffect, Exits, Signal
from bot4_core.domain_types.records import (
    ChainRule,
    EventKind,
    OrderFlag,
    OrderType,
    Records,
    Side,
    SignalAction,
)
from bot4_core.errors import OrderError, ValidationError
from bot4_core.kernels.order_rows import Slot
from bot4_core.orders.linked_plans import LinkedPlan, LinkedSettings
from bot4_core.plugins.interfaces import Record
from bot4_core.session.config import DriverChoice
from bot4_core.session.effects import CancelOrder, Effect, RecordIntent, SendOrder
from bot4_core.session.link_records import KeptLink
from bot4_core.session.paper import PaperSettings
from bot4_core.session.runner import SessionRunner

BRACKET = LinkedPlan(side=Side.SELL, size=10, entry=BID, target=BID + 1000, stop=BID - 1000)
OCO = attrs.evolve(BRACKET, entry=0)
TRAIL = LinkedPlan(side=Side.SELL, size=10, trail=500)
REDUCE_ONLY = int(OrderFlag.REDUCE_ONLY)


def at(world: World, time: int, bid: int, number: int = 0) -> list[Effect]:
    return world.session.step(touch(START + time, bid, bid + 10, number))


def linked(world: World, plan: LinkedPlan) -> list[Effect]:
    """Place a plan at a LIVE book; return what its first message wants."""
    at(world, 0, BID)
    world.session.place_linked(plan)
    return at(world, 1, BID)


def answer(world: World, effects: Sequence[Effect], kind: EventKind, time: int) -> list[Effect]:
    """Let the venue say the same of every order that was sent."""
    found: list[Effect] = []
    for effect in of(effects, SendOrder):
        row = effect.intent[0]
        fields = {name: int(row[name]) for name in ("instrument", "side", "price", "size")}
        found += world.session.step(order_event(kind, effect.number, START + time, **fields))
    return found


def cancelled(world: World, number: int, time: int) -> list[Effect]:
    row = world.session.state.account.orders[number]
    fields = {"instrument": row.instrument, "side": row.side, "size": row.open_size}
    return world.session.step(order_event(EventKind.ORDER_CANCELED, number, START + time, **fields))


def facts(world: World) -> list[tuple[str, list[tuple[int, str, str, str]]]]:
    return [
        (each.status, [attrs.astuple(child) for child in each.children])
        for each in world.session.state.links.reports(world.session.now)
    ]


def test_a_bracket_enters_then_rests_its_target_for_what_was_filled() -> None:
    world = make_world(silent)
    entry = linked(world, BRACKET)
    assert sent(entry) == [(Side.BUY, BID, 10)]
    answer(world, entry, EventKind.ORDER_ACCEPTED, 2)
    target = fill(world, of(entry, SendOrder)[0], START + 3, 4)
    assert sent(target) == [(Side.SELL, BID + 1000, 4)]  # on the evidence, not at the next message
    assert of(target, SendOrder)[0].terms[5] == REDUCE_ONLY
    assert at(world, 4, BID) == []


def test_a_stop_cancels_first_and_sells_what_surely_was_not_sold() -> None:
    world = make_world(silent)
    entry = linked(world, BRACKET)
    target = fill(world, of(entry, SendOrder)[0], START + 3, 10)
    answer(world, target, EventKind.ORDER_ACCEPTED, 4)
    stopped = at(world, 5, BID - 1000)
    assert [each.number for each in of(stopped, CancelOrder)] == [2]
    assert sent(stopped) == []
    stop = cancelled(world, 2, 6)
    assert sent(stop) == [(Side.SELL, 0, 10)]
    assert of(stop, SendOrder)[0].terms[3] == OrderType.MARKET
    fill(world, of(stop, SendOrder)[0], START + 7, 10)
    assert facts(world) == [
        (
            "done",
            [
                (1, "entry", "filled", "0.010"),
                (2, "target", "canceled", "0.000"),
                (3, "stop", "filled", "0.010"),
            ],
        )
    ]
    assert not world.session.state.links


def test_every_step_is_recorded_with_what_it_belongs_to() -> None:
    world = make_world(silent)
    at(world, 0, BID)
    placed = world.session.place_linked(BRACKET)[1]
    (note,) = notes(placed, AuditKind.LINKED)
    assert note.payload["plan"]["entry"] == "60000.00"
    assert (note.payload["kind"], note.payload["form"]) == ("bracket", "emulated")
    entry = at(world, 1, BID)
    (record,) = of(entry, RecordIntent)
    told = world.session.text.intent(record)
    assert told["linked"] == {"linked": 1, "child": 0, "role": "entry"}
    assert told["signal"]["reason"] == "linked order 1: entry"
    assert told["size"]["sizer"] == "linked"
    fill(world, of(entry, SendOrder)[0], START + 2, 10)
    assert [each.payload["what"] for each in notes(at(world, 3, BID - 1000), AuditKind.LINKED)] == [
        "stopped"
    ]


def test_quoting_leaves_the_children_alone() -> None:
    world = make_world(both_sides)
    at(world, 0, BID)
    world.session.place_linked(attrs.evolve(BRACKET, entry=BID - 500))
    effects = at(world, 1, BID)
    answer(world, effects, EventKind.ORDER_ACCEPTED, 2)
    assert [price for _, price, _ in sent(effects)] == [BID - 500]
    moved = [at(world, time, BID + 10 * time) for time in range(3, 9)]
    assert 3 not in {each.number for effects in moved for each in of(effects, CancelOrder)}


def test_a_trailing_stop_follows_and_starts_behind_the_best_touch() -> None:
    world = make_world(silent)
    linked(world, TRAIL)
    assert sent(at(world, 2, BID + 2000)) == []
    assert sent(at(world, 3, BID + 1510)) == []
    assert sent(at(world, 4, BID + 1500)) == [(Side.SELL, 0, 10)]


def test_nothing_starts_on_a_book_that_is_not_live() -> None:
    world = make_world(silent, chain=ChainRule.LINK)
    effects = linked(world, OCO)
    answer(world, effects, EventKind.ORDER_ACCEPTED, 2)
    crash = touch(START + 3, BID - 2000, BID - 1990)[1:]
    crash["flags"] &= 0xFFFE
    crash["sequence"], crash["aux"], crash["link"] = START + 9, START + 8, START + 7
    assert of(world.session.step(crash), CancelOrder) == []  # and the target may stand
    assert not world.live
    crashed = at(world, 10, BID - 2000)  # a snapshot makes it LIVE again
    assert [each.number for each in of(crashed, CancelOrder)] == [1]


def test_a_refused_entry_ends_the_order() -> None:
    world = make_world(silent)
    linked(world, attrs.evolve(BRACKET, size=1_000_000))
    assert facts(world) == [("unentered", [(0, "entry", "rejected", "0.000")])]


def test_a_breaker_that_blocks_all_holds_the_children_back_and_a_rearm_lets_them_go_on() -> None:
    world = make_world(silent)
    effects = linked(world, OCO)
    answer(world, effects, EventKind.ORDER_ACCEPTED, 2)
    world.breaker.effect = BreakerEffect.CANCEL_ALL
    assert [each.number for each in of(at(world, 3, BID), CancelOrder)] == [1]
    cancelled(world, 1, 4)
    world.breaker.effect = None
    assert sent(at(world, 5, BID - 2000)) == []
    assert world.session.state.ordering.refused == 0
    world.session.rearm("scripted", actor="a", reason="b")
    assert sent(at(world, 6, BID - 2000)) == [(Side.SELL, 0, 10)]


def test_i41_exits_leave_under_a_breaker_that_blocks_new_risk() -> None:
    world = make_world(silent)
    entry = linked(world, BRACKET)
    fill(world, of(entry, SendOrder)[0], START + 3, 10)
    world.breaker.effect = BreakerEffect.BLOCK_OPEN
    stopped = at(world, 4, BID - 1000)
    assert [each.number for each in of(stopped, CancelOrder)] == [2]
    assert sent(cancelled(world, 2, 5)) == [(Side.SELL, 0, 10)]


def test_a_breaker_that_closes_everything_ends_linked_orders_first() -> None:
    world = make_world(silent)
    entry = linked(world, BRACKET)
    fill(world, of(entry, SendOrder)[0], START + 3, 10)
    world.session.halt("me", "enough", flatten=True)
    cancelled(world, 2, 4)
    assert facts(world)[0][0] == "cancelled"
    assert sent(at(world, 5, BID)) == [(Side.SELL, 0, 10)]  # once


def test_a_linked_order_is_ended_by_its_number() -> None:
    world = make_world(silent)
    answer(world, linked(world, OCO), EventKind.ORDER_ACCEPTED, 2)
    effects = world.session.cancel_linked(1, "changed my mind")
    assert [each.number for each in of(effects, CancelOrder)] == [1]
    assert world.session.cancel_linked(1, "again") == []
    cancelled(world, 1, 3)
    assert world.session.cancel_linked(1, "once more") == []
    assert facts(world)[0][0] == "cancelled"
    with pytest.raises(OrderError, match="no linked order 2"):
        world.session.cancel_linked(2, "no such")


def test_a_child_that_is_withheld_is_placed_anew() -> None:
    world = make_world(silent)
    linked(world, OCO)
    world.session.withhold(1)
    assert sent(at(world, 2, BID)) == []  # a rejected target pauses
    assert sent(at(world, SECOND + 3, BID)) == [(Side.SELL, BID + 1000, 10)]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"symbol": "XRPUSDT"}, "symbol"),
        ({"size": Decimal("0.0001")}, "size"),
        ({"size": Decimal(-1)}, "size"),
        ({"side": Side.NONE}, "side"),
        ({"target": Decimal("60000.05")}, "target"),
    ],
)
def test_a_plan_that_no_venue_takes_is_refused(changes: dict[str, Any], path: str) -> None:
    world = make_world(silent)
    good = LinkedSettings(
        symbol="BTCUSDT", side=Side.SELL, size=Decimal("0.01"), target=Decimal(61000)
    )
    with pytest.raises(ValidationError) as caught:
        world.session.place_linked(attrs.evolve(good, **changes))
    assert [place for place, _ in caught.value.faults] == [path]
    with pytest.raises(ValidationError, match="no instrument 7"):
        world.session.place_linked(OCO, 7)
    assert facts(world) == []


def test_configured_orders_begin_with_the_first_live_book() -> None:
    plan = LinkedSettings(
        symbol="ETHUSDT", side=Side.BUY, size=Decimal("0.01"), target=Decimal(59000), name="dip"
    )
    world = make_world(silent, linked=(plan,))
    effects = at(world, 0, BID, 1)
    assert sent(effects) == [(Side.BUY, 5_900_000, 10)]
    (note,) = notes(effects, AuditKind.LINKED)
    assert note.payload["name"] == "dip"


def bracketing(view: Record) -> Sequence[Signal]:
    exits = Exits(target=Price(BID + 1005, -2), stop=Price(BID - 1000, -2))
    return [quote(view, Side.BUY, BID + 5, exits=exits), quote(view, Side.SELL, BID + 3000)]


def test_a_signal_with_exits_becomes_a_bracket_once() -> None:
    world = make_world(bracketing)
    effects = at(world, 0, BID)
    assert sorted(sent(effects)) == [(Side.SELL, BID + 3000, 100), (Side.BUY, BID, 100)]
    entry = next(each for each in of(effects, SendOrder) if each.terms[2] == Side.BUY)
    assert sent(at(world, 1, BID + 10)) == []
    target = fill(world, entry, START + 2, 100)
    assert sent(target) == [(Side.SELL, BID + 1010, 100)]  # a sell price rounds up
    fill(world, of(target, SendOrder)[0], START + 3, 100)
    assert [status for status, _ in facts(world)] == ["done"]
    assert (Side.BUY, BID, 100) in sent(at(world, 4, BID))


@pytest.mark.parametrize("changes", [{"price": None}, {"action": SignalAction.CANCEL}])
def test_exits_without_an_entry_count_against_the_strategy(changes: dict[str, Any]) -> None:
    exits = Exits(stop=Price(BID - 1000, -2))
    world = make_world(
        lambda view: [attrs.evolve(quote(view, Side.BUY, BID, exits=exits), **changes)]
    )
    (strike,) = notes(at(world, 0, BID), AuditKind.PLUGIN_STRIKE)
    assert "a signal with exits" in str(strike.payload["error"])
    assert facts(world) == []


def test_a_plan_below_the_least_size_is_refused() -> None:
    world = make_world(silent, instruments=[instrument(min_size=20, lot=4)])
    with pytest.raises(ValidationError) as caught:
        world.session.place_linked(attrs.evolve(OCO, size=10))
    assert [place for place, _ in caught.value.faults] == ["size", "size"]


def test_a_run_that_goes_on_places_configured_orders_once() -> None:
    plan = LinkedSettings(symbol="ETHUSDT", side=Side.BUY, size=Decimal(1), stop=Decimal(1))
    named = attrs.evolve(plan, name="a"), attrs.evolve(plan, name="b"), plan
    world = make_world(silent, linked=named)
    kept = KeptLink(instrument=1, plan=OCO, name="a", by_strategy=False, ended=True)
    world.session.state.links.restore([kept])
    assert [each.name for each in world.session.state.links.reports(0)] == ["a", "b", ""]
    assert world.session.state.account.orders.tables[Slot.DESKS]["links"].tolist() == [0, 2]


def test_a_signal_too_small_for_an_order_places_nothing() -> None:
    exits = Exits(trail=Price(100, -2))
    world = make_world(lambda view: [quote(view, Side.BUY, BID, exits=exits)], lots=0)
    assert (at(world, 0, BID), facts(world)) == ([], [])
    world.sizer.lots = 5
    assert sent(at(world, 1, BID)) == [(Side.BUY, BID, 5)]


FORMS = st.sampled_from((ALL_COMPILED, ALL_COMPILED, (False,) * 4))
PLANS = st.sampled_from(
    (
        LinkedPlan(side=Side.SELL, size=10, entry=60_050, target=60_080, stop=60_020),
        LinkedPlan(side=Side.SELL, size=10, entry=60_050, target=60_080, trail=30),
        LinkedPlan(side=Side.SELL, size=20, target=60_060, visible=5),
        LinkedPlan(side=Side.BUY, size=10, trail=40, target=60_010),
        LinkedPlan(side=Side.BUY, size=7, stop=60_070, pause=50 * MILLISECOND),
    )
)


@settings(max_examples=25)
@given(
    steps=MESSAGES,
    forms=FORMS,
    plans=st.lists(st.tuples(PLANS, st.integers(0, 1)), min_size=1, max_size=3),
    latency=st.sampled_from((0, MILLISECOND, 90 * MILLISECOND)),
    spelled=st.booleans(),
)
def test_staged_and_fused_drive_linked_orders_alike(
    steps: Sequence[tuple[int, int, int, int, int]],
    forms: tuple[bool, bool, bool, bool],
    plans: Sequence[tuple[LinkedPlan, int]],
    latency: int,
    *,
    spelled: bool,
) -> None:
    times = START + MILLISECOND * np.cumsum([0, *(step[0] for step in steps)])
    messages: list[Records] = [touch(int(times[0]), 60_000, 60_010, number) for number in (0, 1)]
    messages += [message(int(time), *step[1:]) for time, step in zip(times[1:], steps, strict=True)]
    ends = []
    for driver in (DriverChoice.STAGED, DriverChoice.FUSED):
        session = session_of(forms, routed=not forms[3])
        session.state.config = attrs.evolve(session.state.config, driver=driver)
        for plan, number in plans:
            session.place_linked(plan, number)
        market = ScriptedMarket(session.state.instruments, messages)
        market.matching = PaperSettings(latency_out_ns=latency, latency_back_ns=latency)
        log = KeptLog() if spelled else None
        runner = SessionRunner(session, market, Ticking(), log=log)  # type: ignore[arg-type]  # a stand-in
        report = runner.run()
        records = log.records if log is not None else []
        ends.append((report.digest, report.linked, report.fills, records, left_behind(session)))
        assert len(report.linked) == len(plans)
    assert ends[1] == ends[0]


def test_i60_linked_orders_go_on_after_a_crash(tmp_path: Path) -> None:
    run = Run(tmp_path / "audit.sqlite", "first")
    world = run.world
    world.strategy.answer = silent
    run.keep(at(world, 0, BID))
    for plan in (BRACKET, attrs.evolve(TRAIL, trail=5000), OCO):
        run.keep(world.session.place_linked(plan)[1])
    effects = run.keep(at(world, 1, BID))
    entry = of(effects, SendOrder)[0]
    run.keep(fill(world, entry, START + 2, 10))
    run.keep(at(world, 3, BID + 900))
    run.keep(world.session.cancel_linked(3, "no"))
    before = facts(world)
    run.crash()
    again = Run(run.path, "second", continues="first")
    again.world.strategy.answer = silent
    assert facts(again.world) == before
    assert again.session.state.links
    links = again.session.state.links
    assert [each.extreme for each in (link.order for link in links._all)] == [0, BID + 900, 0]
    again.keep(at(again.world, 4, BID + 900))
    assert sent(at(again.world, 5, BID + 900)) == []  # nothing is placed twice
    stopped = again.keep(at(again.world, 6, BID - 1000))
    assert {each.number for each in of(stopped, CancelOrder)} >= {3}


def test_a_finished_linked_order_stays_finished_after_a_crash(tmp_path: Path) -> None:
    run = Run(tmp_path / "audit.sqlite", "first")
    world = run.world
    world.strategy.answer = silent
    run.keep(at(world, 0, BID))
    run.keep(world.session.place_linked(OCO)[1])
    run.keep(world.session.place_linked(attrs.evolve(OCO, size=10**6))[1])
    effects = run.keep(at(world, 1, BID))
    run.keep(fill(world, of(effects, SendOrder)[0], START + 2, 10))
    before = facts(world)
    assert before[0][0] == "done"
    run.crash()
    again = Run(run.path, "second", continues="first")
    assert facts(again.world) == before
