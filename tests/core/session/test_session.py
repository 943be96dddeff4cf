"""The session: one message in, the right effects out, and nothing after a trip."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

import attrs
import numpy as np
import pytest
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
    snapshot,
    touch,
    trade,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import InstrumentId
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, Signal
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    BookState,
    ChainRule,
    EventKind,
    OrderFlag,
    OrderReason,
    OrderStatus,
    OrderType,
    Side,
    SignalAction,
    TimeInForce,
)
from bot4_core.errors import ValidationError
from bot4_core.plugins.interfaces import Record
from bot4_core.session.config import AccountConfig, LimitsConfig, QuotingConfig
from bot4_core.session.effects import (
    CancelOrder,
    Effect,
    Note,
    RecordIntent,
    Resync,
    SendOrder,
)

E = TypeVar("E", bound=Effect)
BID, ASK = 6_000_000, 6_000_010


def of(effects: Sequence[Effect], kind: type[E]) -> list[E]:
    return [effect for effect in effects if isinstance(effect, kind)]


def notes(effects: Sequence[Effect], kind: AuditKind) -> list[Note]:
    return [note for note in of(effects, Note) if note.kind is kind]


def sent(effects: Sequence[Effect]) -> list[tuple[int, ...]]:
    """(side, price, size) of the orders that leave."""
    rows = [effect.intent[0] for effect in of(effects, SendOrder)]
    return [(int(row["side"]), int(row["price"]), int(row["size"])) for row in rows]


def accept_all(world: World, effects: Sequence[Effect], time: int) -> list[Effect]:
    found: list[Effect] = []
    for effect in of(effects, SendOrder):
        row = effect.intent[0]
        fields = {name: int(row[name]) for name in ("instrument", "side", "price", "size")}
        event = order_event(EventKind.ORDER_ACCEPTED, effect.number, time, **fields)
        found += world.session.step(event)
    return found


def fill(world: World, effect: SendOrder, time: int, size: int, fee: int = 0) -> list[Effect]:
    row = effect.intent[0]
    fields = {name: int(row[name]) for name in ("instrument", "side")}
    price = int(row["price"]) or ASK
    event = order_event(EventKind.ORDER_FILLED, effect.number, time, **fields)
    event["price"], event["size"], event["sequence"], event["aux"] = price, size, time, fee
    return world.session.step(event)


def start(world: World, number: int = 0) -> list[Effect]:
    return world.session.step(touch(START, BID, ASK, number))


# -- quoting --------------------------------------------------------------------------------------


def test_quotes_leave_after_their_intents_with_every_reason() -> None:
    world = make_world()
    effects = start(world)
    kinds = [type(effect) for effect in effects]
    assert kinds == [RecordIntent, SendOrder, RecordIntent, SendOrder]
    assert sent(effects) == [(1, BID, 100), (-1, ASK, 100)]
    intent = of(effects, RecordIntent)[0]
    text = world.session.text.intent(intent)
    assert text["signal"]["reason"] == "test"
    assert text["signal"]["values"] == {"mid": "60000.05"}
    assert text["size"] == {"sizer": "fixed", "wanted": "0.100", "values": {}}
    assert text["limits"]["order_notional"] == ["6000.00500000", "10000.00000000", "kept"]
    assert text["breakers"] == {"scripted": {"holds": 0, "values": {}}}
    assert text["route"] == "direct"
    assert (text["allowed"], text["refusals"]) == (1, [])
    assert text["order"]["flags"] == ["post_only"]


def test_client_ids_name_the_run_and_the_number() -> None:
    world = make_world()
    first, second = of(start(world), RecordIntent)
    assert first.client_id[:16] == second.client_id[:16]
    assert (first.client_id[16:], second.client_id[16:]) == ("0" * 15 + "1", "0" * 15 + "2")


def test_what_stands_where_it_should_is_left_alone() -> None:
    world = make_world()
    accept_all(world, start(world), START + 1)
    assert world.session.step(touch(START + 2, BID, ASK)) == []


def test_a_moved_market_cancels_and_quotes_anew() -> None:
    world = make_world()
    accept_all(world, start(world), START + 1)
    effects = world.session.step(touch(START + 2, BID + 20, ASK + 20))
    assert [effect.number for effect in of(effects, CancelOrder)] == [1, 2]
    assert sent(effects) == [(1, BID + 20, 100), (-1, ASK + 20, 100)]


def test_post_only_quotes_stay_a_tick_from_the_other_side() -> None:
    def eager(view: Record) -> Sequence[Signal]:
        return [quote(view, Side.BUY, ASK + 50), quote(view, Side.SELL, BID - 50)]

    assert sent(start(make_world(eager))) == [(1, ASK - 10, 100), (-1, BID + 10, 100)]


def test_quotes_may_cross_where_post_only_is_off() -> None:
    world = make_world(
        lambda view: [quote(view, Side.BUY, ASK)], quoting=QuotingConfig(post_only=False)
    )
    effects = start(world)
    assert sent(effects) == [(1, ASK, 100)]
    assert of(effects, SendOrder)[0].intent["flags"][0] == 0


def test_prices_and_sizes_are_quantised_to_the_careful_side() -> None:
    def odd(view: Record) -> Sequence[Signal]:
        return [quote(view, Side.BUY, BID - 3), quote(view, Side.SELL, ASK + 3)]

    world = make_world(odd, [instrument(lot=7)], lots=100)
    assert sent(start(world)) == [(1, BID - 10, 98), (-1, ASK + 10, 98)]


def test_a_cancel_signal_takes_the_side_back() -> None:
    answers = [both_sides]

    def changing(view: Record) -> Sequence[Signal]:
        return answers[-1](view)

    world = make_world(changing)
    accept_all(world, start(world), START + 1)
    answers.append(lambda view: [quote(view, Side.SELL, None, action=SignalAction.CANCEL)])
    effects = world.session.step(touch(START + 2, BID, ASK))
    assert [effect.number for effect in of(effects, CancelOrder)] == [2]


def test_a_signal_without_action_asks_for_nothing() -> None:
    world = make_world(lambda view: [quote(view, Side.BUY, BID, action=SignalAction.NONE)])
    assert start(world) == []


def test_no_price_left_means_no_quote() -> None:
    world = make_world(lambda view: [quote(view, Side.BUY, 5)])
    assert start(world) == []


def test_a_strategy_decides_on_trades_and_quotes_too() -> None:
    world = make_world(silent)
    start(world)
    world.session.step(trade(START + 1, ASK, 5, Side.BUY))
    assert world.session.state.decisions == 2
    assert world.session.state.views["last_price"][0] == ASK


# -- taking ---------------------------------------------------------------------------------------


def take(view: Record) -> Sequence[Signal]:
    return [quote(view, Side.BUY, ASK, action=SignalAction.TAKE)]


def test_a_take_goes_out_immediate_or_cancel_once_at_a_time() -> None:
    world = make_world(take)
    effects = start(world)
    row = of(effects, SendOrder)[0].intent[0]
    assert (int(row["type"]), int(row["time_in_force"])) == (OrderType.LIMIT, TimeInForce.IOC)
    assert int(row["flags"]) == OrderFlag.NONE
    assert sent(world.session.step(touch(START + 1, BID, ASK))) == []


def test_a_take_without_a_price_trades_at_market() -> None:
    world = make_world(lambda view: [quote(view, Side.SELL, None, action=SignalAction.TAKE)])
    effects = start(world)
    assert int(of(effects, SendOrder)[0].intent["type"][0]) == OrderType.MARKET
    assert world.session.text.intent(of(effects, RecordIntent)[0])["order"]["price"] == "market"


# -- limits in the flow ---------------------------------------------------------------------------


def test_sizes_are_cut_to_what_one_order_may_be_worth() -> None:
    effects = start(make_world(lots=5_000))
    assert sent(effects) == [(1, BID, 166), (-1, ASK, 166)]


def test_sizes_are_cut_to_what_the_position_limit_leaves() -> None:
    world = make_world(lots=166)
    effects = start(world)
    for _ in range(4):
        accept_all(world, effects, START + 1)
        fill(world, of(effects, SendOrder)[0], START + 2, 166)
        effects = world.session.step(touch(START + 3, BID, ASK))
    assert world.session.state.account.ledger.sizes[0] == 664
    assert sent(effects) == [(1, BID, 166)]
    accept_all(world, effects, START + 4)
    fill(world, of(effects, SendOrder)[0], START + 5, 166)
    effects = world.session.step(touch(START + 6, BID, ASK))
    assert sent(effects) == [(1, BID, 3)]
    fill(world, of(effects, SendOrder)[0], START + 7, 3)
    assert sent(world.session.step(touch(START + 8, BID, ASK))) == []


def test_a_refused_order_is_recorded_and_its_side_rests() -> None:
    world = make_world(limits=LimitsConfig(max_open_orders=0))
    effects = start(world)
    assert of(effects, SendOrder) == []
    refusals = of(effects, RecordIntent)
    assert [record.kind for record in refusals] == [AuditKind.REFUSAL] * 2
    text = world.session.text.intent(refusals[0])
    assert (text["allowed"], text["refusals"]) == (0, [["limit", "open_orders"]])
    assert world.session.step(touch(START + 1, BID, ASK)) == []
    assert len(world.session.step(touch(START + SECOND, BID, ASK))) == 2


def test_a_rejected_side_rests_as_well() -> None:
    world = make_world(lambda view: [quote(view, Side.BUY, BID)])
    start(world)
    event = order_event(EventKind.ORDER_REJECTED, 1, START + 1, aux=OrderReason.WOULD_TAKE)
    effects = world.session.step(event)
    assert notes(effects, AuditKind.REJECT)[0].payload["reason"] == OrderReason.WOULD_TAKE
    assert world.session.step(touch(START + 2, BID, ASK)) == []
    assert sent(world.session.step(touch(START + 1 + SECOND, BID, ASK))) == [(1, BID, 100)]


def test_nothing_leaves_while_the_audit_log_cannot_be_written() -> None:
    world = make_world()
    world.session.audit_failed()
    effects = start(world)
    assert of(effects, SendOrder) == []
    assert of(effects, RecordIntent)[0].refusals[0][0] == "audit"
    world.session.audit_failed(failed=False)
    assert len(of(world.session.step(touch(START + SECOND, BID, ASK)), SendOrder)) == 2


def test_a_withheld_order_gives_its_reservation_back() -> None:
    world = make_world()
    start(world)
    assert world.session.state.views["open_buy"][0] == 100
    world.session.withhold(1)
    assert world.session.state.views["open_buy"][0] == 0
    assert world.session.state.account.orders[1].status is OrderStatus.REJECTED


# -- order events ---------------------------------------------------------------------------------


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


# -- books ----------------------------------------------------------------------------------------


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


# -- breakers -------------------------------------------------------------------------------------


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


# -- broken parts ---------------------------------------------------------------------------------


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


# -- the edges ------------------------------------------------------------------------------------


def test_records_of_another_layout_are_refused() -> None:
    with pytest.raises(ValidationError, match="event records"):
        make_world().session.step(np.zeros(3, np.dtype([("time", np.int64)])))
    with pytest.raises(ValidationError, match="contiguous"):
        make_world().session.step(np.zeros(6, EVENT_DTYPE)[::2])


def test_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(ValidationError, match="instrument 9"):
        start(make_world(), 9)


def test_half_a_message_is_refused() -> None:
    records = touch(START, BID, ASK)[:-1]
    with pytest.raises(ValidationError, match="within a message"):
        make_world().session.step(records)


def test_several_messages_may_come_at_once_and_time_never_goes_back() -> None:
    world = make_world(silent)
    records = np.concatenate([touch(START + 5, BID, ASK), touch(START, BID, ASK, 1)])
    world.session.step(records)
    state = world.session.state
    assert (state.messages, state.events, state.now) == (2, 8, START + 5)


def test_at_the_end_everything_is_cancelled_and_nobody_is_asked() -> None:
    world = make_world()
    accept_all(world, start(world), START)
    world.session.state.close()
    effects = world.session.cancel_everything("the end")
    assert [(effect.number, effect.reason) for effect in of(effects, CancelOrder)] == [
        (1, "the end"),
        (2, "the end"),
    ]
    assert world.session.cancel_everything("again") == []
    assert world.session.step(touch(START + 1, BID + 50, ASK + 50)) == []


def test_worst_case_exposure_never_passes_the_limit_whatever_fills_come() -> None:
    world = make_world(lots=166, instruments=[instrument()])
    limit = Decimal(50_000)
    open_orders: list[SendOrder] = []
    for step in range(60):
        bid = BID + (step % 7) * 10
        effects = world.session.step(touch(START + step * SECOND, bid, bid + 10))
        open_orders += of(effects, SendOrder)
        if open_orders and step % 3 == 0:
            order = open_orders.pop()
            fill(world, order, START + step * SECOND + 1, int(order.intent["size"][0]))
        view = world.session.state.views[0]
        position, mid = int(view["position"]), Decimal(bid + 5) / 100
        worst = max(position + int(view["open_buy"]), int(view["open_sell"]) - position)
        assert Decimal(worst) / 1000 * mid <= limit * Decimal("1.0001")


def test_settings_of_a_signal_survive_into_the_audit_text() -> None:
    def hesitant(view: Record) -> Sequence[Signal]:
        return [attrs.evolve(quote(view, Side.BUY, BID), strength=0.1, reason="hunch")]

    world = make_world(hesitant)
    text = world.session.text.intent(of(start(world), RecordIntent)[0])
    assert (text["signal"]["strength"], text["signal"]["reason"]) == ("0.1", "hunch")
