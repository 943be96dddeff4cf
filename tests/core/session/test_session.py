"""The session: one message in, the right quotes, trades and limits out."""

from collections.abc import Sequence
from decimal import Decimal

import attrs
import numpy as np
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
    both_sides,
    instrument,
    make_world,
    order_event,
    quote,
    silent,
    touch,
    trade,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.decisions import Signal
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
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
from bot4_core.kernels.order_desk import NO_ORDER_ROOM
from bot4_core.kernels.order_rows import Slot
from bot4_core.plugins.interfaces import Record
from bot4_core.session.config import LimitsConfig, QuotingConfig
from bot4_core.session.effects import (
    CancelOrder,
    RecordIntent,
    SendOrder,
)


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


def test_withholding_an_order_twice_says_it_once() -> None:
    world = make_world()
    start(world)
    world.session.withhold(1, "no room")
    assert len(world.session.take_effects()) == 1
    world.session.withhold(1, "no room")
    assert world.session.take_effects() == []


def test_a_batch_is_taken_in_message_by_message_as_at_once() -> None:
    batch = np.concatenate([touch(START, BID, ASK), touch(START + SECOND, BID, ASK)])
    whole, parts = make_world(), make_world()
    whole.session.decide(batch)
    for stop in (len(batch) // 2, len(batch)):
        parts.session.decide(batch, stop - len(batch) // 2, stop)
    assert parts.session.state.decisions == whole.session.state.decisions == 2


def test_room_is_made_for_an_order_that_closes_a_position() -> None:
    world = make_world()
    ordering = world.session.state.ordering
    think, answers = ordering._think, [NO_ORDER_ROOM]
    before = len(ordering.tables[Slot.ORDERS])
    ordering._think = lambda *given: answers.pop() if answers else think(*given)
    ordering.flatten(0, 100, "a test", START + SECOND)
    assert len(ordering.tables[Slot.ORDERS]) == 2 * before
    assert answers == []


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
