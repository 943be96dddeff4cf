"""What a session makes of its orders' fates, of gaps in books and of parts that raise."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from tests.core.session.effect_facts import (
    ASK,
    BID,
    accept_all,
    fill,
    notes,
    of,
    start,
)
from tests.core.session.session_world import (
    START,
    World,
    both_sides,
    instrument,
    make_world,
    order_event,
    quote,
    silent,
    snapshot,
    touch,
    trade,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import InstrumentId
from bot4_core.domain_types.decisions import Signal
from bot4_core.domain_types.records import (
    BookState,
    ChainRule,
    EventKind,
    OrderStatus,
    Side,
)
from bot4_core.plugins.interfaces import Record
from bot4_core.session.config import AccountConfig
from bot4_core.session.effects import (
    CancelOrder,
    Effect,
    Note,
    Resync,
    SendOrder,
)


def test_fills_move_position_equity_and_view() -> None:
    world = make_world()
    effects = start(world)
    accept_all(world, effects, START + 1)
    told = fill(world, of(effects, SendOrder)[0], START + 2, 40, fee=1_000_000)
    payload = notes(told, AuditKind.FILL)[0].payload
    assert (payload["price"], payload["size"], payload["fee"]) == (
        "60000.00",
        "0.040",
        "0.01000000",
    )
    view = world.session.state.views[0]
    assert (int(view["position"]), int(view["open_buy"])) == (40, 60)
    assert float(view["average_price"]) == 60_000.0
    assert float(view["equity"]) == pytest.approx(99_999.99)
    world.session.step(touch(START + 3, BID + 990, ASK + 990))
    assert float(world.session.state.views["equity"][0]) == pytest.approx(99_999.99 + 0.04 * 9.95)


def test_acknowledgements_and_ends_are_noted_and_repetitions_are_not() -> None:
    world = make_world()
    effects = start(world)
    told = accept_all(world, effects, START + 1)
    assert len(notes(told, AuditKind.ACK)) == 2
    assert accept_all(world, effects, START + 2) == []
    ended = world.session.step(order_event(EventKind.ORDER_CANCELED, 1, START + 3, side=1))
    assert len(notes(ended, AuditKind.CANCEL)) == 1


def test_an_overfill_stops_new_risk() -> None:
    world = make_world()
    effects = start(world)
    told = fill(world, of(effects, SendOrder)[0], START + 1, 101)
    assert notes(told, AuditKind.OPERATOR)[0].payload == {"alarms": ["overfilled"]}
    trip = notes(told, AuditKind.BREAKER_TRIP)[0]
    assert (trip.payload["breaker"], trip.payload["reason"]) == ("order_evidence", "overfilled")


def test_a_fill_of_a_foreign_order_is_booked_and_stops_new_risk() -> None:
    world = make_world(silent)
    start(world)
    event = order_event(EventKind.ORDER_FILLED, 77, START + 1, side=1, price=BID, size=5)
    effects = world.session.step(event)
    assert world.session.state.account.ledger.sizes[0] == 5
    assert notes(effects, AuditKind.FILL)[0].correlation == ""
    assert len(notes(effects, AuditKind.BREAKER_TRIP)) == 1


def test_order_and_market_records_may_share_a_message() -> None:
    world = make_world(both_sides)
    effects = start(world)
    row = of(effects, SendOrder)[0].intent[0]
    fields = {name: int(row[name]) for name in ("instrument", "side", "price", "size")}
    event = order_event(EventKind.ORDER_ACCEPTED, 1, START + 1, **fields)
    event["flags"] = 0
    world.session.step(np.concatenate([event, trade(START + 1, ASK, 5, Side.BUY)]))
    assert world.session.state.account.orders[1].status is OrderStatus.OPEN
    assert world.session.state.decisions == 2


def test_a_fill_before_any_book_is_valued_at_its_own_price() -> None:
    world = make_world(silent)
    event = order_event(EventKind.ORDER_FILLED, 77, START, side=1, price=BID, size=5)
    world.session.step(event)
    assert float(world.session.state.views["equity"][0]) == 100_000.0


def test_an_account_in_coarser_money_is_counted_exactly() -> None:
    world = make_world(silent, account=AccountConfig(asset="USDT", cash=Decimal(250)))
    assert world.session.state.account.limits.account["equity"][0] == 250 * 10**8


def test_an_account_in_finer_money_is_counted_rounded_down() -> None:
    fine = instrument(price_exponent=-6, size_exponent=-6, tick=1)
    world = make_world(silent, [fine])
    event = order_event(EventKind.ORDER_FILLED, 77, START, side=1, price=1_000_001, size=3)
    world.session.step(event)
    world.session.step(touch(START + 1, 1_000_000, 1_000_001))
    assert world.session.state.account.limits.account["equity"][0] == 100_000 * 10**8 - 1


def gapped(world: World) -> list[Effect]:
    """A delta that does not follow the snapshot."""
    records = touch(START + 1, BID, ASK)[1:]
    records["flags"] &= 0xFFFE
    records["sequence"], records["aux"], records["link"] = START + 9, START + 8, START + 7
    return world.session.step(records)


def test_a_gap_asks_for_a_snapshot_and_takes_the_quotes_back() -> None:
    world = make_world(instruments=[instrument()], chain=ChainRule.LINK)
    effects = start(world)
    accept_all(world, effects, START)
    records = touch(START + 1, BID, ASK)[1:]
    records["flags"] &= 0xFFFE
    records["sequence"], records["aux"], records["link"] = START + 2, START, START
    world.session.step(records)
    found = gapped(world)
    assert world.session.state.views["state"][0] == BookState.STALE
    assert of(found, Resync) == [Resync(0, START + 1)]
    assert len(notes(found, AuditKind.BOOK_GAP)) == 1
    assert [effect.reason for effect in of(found, CancelOrder)] == ["the book is not live"] * 2


def test_nobody_decides_on_a_book_that_is_not_live() -> None:
    world = make_world()
    effects = world.session.step(trade(START, ASK, 5, Side.BUY))
    assert (effects, world.session.state.decisions) == ([], 0)


def test_books_grow_as_they_need() -> None:
    world = make_world(silent)
    levels = [(BID - 10 * step, 5) for step in range(3_000)]
    world.session.step(snapshot(START, levels, [(ASK, 5)]))
    assert world.session.state.books[0].level_counts == (3_000, 1)


def failing(view: Record) -> Sequence[Signal]:
    raise RuntimeError("oops")


def test_three_errors_put_the_strategy_out_and_take_its_orders_back() -> None:
    answers = [both_sides]

    def changing(view: Record) -> Sequence[Signal]:
        return answers[-1](view)

    world = make_world(changing)
    accept_all(world, start(world), START)
    answers.append(failing)
    found = [world.session.step(touch(START + step, BID, ASK)) for step in (1, 2, 3, 4)]
    counts = [
        [note.payload["count"] for note in notes(each, AuditKind.PLUGIN_STRIKE)] for each in found
    ]
    assert counts == [[1], [2], [3], []]
    assert [effect.number for effect in of(found[2], CancelOrder)] == [1, 2]
    assert notes(found[2], AuditKind.PLUGIN_STRIKE)[0].payload["error"] == "RuntimeError: oops"


def test_a_breaker_that_raises_is_noted() -> None:
    world = make_world(silent)
    world.breaker.effect = RuntimeError("oops")
    assert len(notes(start(world), AuditKind.PLUGIN_STRIKE)) == 1


@pytest.mark.parametrize(
    "signal",
    [
        lambda view: "buy",
        lambda view: quote(view, Side.BUY, BID, instrument=InstrumentId(1)),
        lambda view: quote(view, Side.BUY, BID, strength=float("nan")),
        lambda view: quote(view, Side.BUY, BID, edge=float("inf")),
    ],
)
def test_what_is_no_sound_signal_is_a_strike(signal: object) -> None:
    world = make_world(lambda view: [signal(view)])  # type: ignore[operator]  # one of the above
    effects = start(world)
    assert [type(effect) for effect in effects] == [Note]


def test_too_many_signals_are_a_strike() -> None:
    world = make_world(lambda view: [quote(view, Side.BUY, BID)] * 17)
    assert "17 signals" in notes(start(world), AuditKind.PLUGIN_STRIKE)[0].payload["error"]


@pytest.mark.parametrize("size", [-1, 2.5, True])
def test_what_is_no_size_is_a_strike(size: object) -> None:
    world = make_world()
    world.sizer.lots = size  # type: ignore[assignment]  # that is the point
    assert "whole number" in notes(start(world), AuditKind.PLUGIN_STRIKE)[0].payload["error"]


def test_a_breaker_must_give_a_verdict() -> None:
    world = make_world()
    world.breaker.observe = lambda view: "stop"  # type: ignore[assignment,method-assign,return-value]  # that is the point
    assert "BreakerVerdict" in notes(start(world), AuditKind.PLUGIN_STRIKE)[0].payload["error"]


def test_parts_cannot_write_into_what_they_are_shown() -> None:
    def meddling(view: Record) -> Sequence[Signal]:
        view["bid"] = 1
        return []

    effects = start(make_world(meddling))
    assert "read-only" in notes(effects, AuditKind.PLUGIN_STRIKE)[0].payload["error"]
