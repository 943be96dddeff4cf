"""Orders that a venue does not answer for: in doubt, asked about, never sent again."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from tests.core.session.effect_facts import ASK, BID, accept_all, notes, of, start
from tests.core.session.session_world import (
    SECOND,
    START,
    World,
    both_sides,
    make_world,
    order_event,
    quote,
    touch,
)

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.decisions import Signal
from bot4_core.domain_types.records import EventKind, OrderReason, OrderStatus, Side
from bot4_core.plugins.interfaces import Record
from bot4_core.session.config import AnswersConfig
from bot4_core.session.effects import CancelOrder, Effect, QueryOrder, SendOrder

PATIENT = AnswersConfig(reply_ms=2000, expiry_ms=5000, lag_ms=5000, pause_ms=1000)
FINAL = 10


def one_buy(view: Record) -> Sequence[Signal]:
    return [quote(view, Side.BUY, BID)]


def at(world: World, second: float, *, bid: int = BID) -> list[Effect]:
    """The same book again, some seconds after the start."""
    return world.session.step(touch(START + int(second * SECOND), bid, ASK))


def asked(world: World) -> World:
    """A world with one order sent and not answered."""
    assert len(of(start(world), SendOrder)) == 1
    return world


def not_found(world: World, second: float) -> list[Effect]:
    time = START + int(second * SECOND)
    return world.session.step(order_event(EventKind.ORDER_NOT_FOUND, 1, time))


def status(world: World, number: int = 1) -> OrderStatus:
    return world.session.state.account.orders[number].status


def reserved(world: World) -> int:
    return int(world.session.state.views["open_buy"][0])


def test_an_order_without_an_answer_is_in_doubt_and_asked_about() -> None:
    world = asked(make_world(one_buy, answers=PATIENT))
    assert of(at(world, 1.9), QueryOrder) == []
    assert status(world) is OrderStatus.SUBMITTED
    effects = at(world, 2.0)
    assert of(effects, QueryOrder) == [QueryOrder(1, START + 2 * SECOND, 1)]
    assert len(notes(effects, AuditKind.UNKNOWN)) == 1
    assert (status(world), reserved(world)) == (OrderStatus.UNKNOWN, 100)


def test_o01_an_order_in_doubt_is_never_sent_again_and_asked_about_ever_more_rarely() -> None:
    world = asked(make_world(one_buy, answers=PATIENT))
    times: list[float] = []
    for tenth in range(1, 400):
        effects = at(world, tenth / 10)
        assert of(effects, SendOrder) == []
        times += [(each.time - START) / SECOND for each in of(effects, QueryOrder)]
    assert times == [2.0, 3.0, 5.0, 9.0, 10.1, 20.1, 30.1]


def test_o21_not_found_is_final_only_when_the_venue_can_no_longer_take_the_order() -> None:
    world = asked(make_world(one_buy, answers=PATIENT))
    at(world, 2)
    not_found(world, FINAL)
    assert (status(world), reserved(world)) == (OrderStatus.UNKNOWN, 100)
    not_found(world, FINAL + 0.001)
    assert (status(world), reserved(world)) == (OrderStatus.REJECTED, 0)
    assert of(at(world, 40), QueryOrder) == []


def test_i24_doubt_ends_within_fifteen_seconds_of_the_last_possible_arrival() -> None:
    world = asked(make_world(one_buy, answers=PATIENT))
    second = 0.0
    while status(world) in (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN):
        second += 0.5
        if of(at(world, second), QueryOrder):
            not_found(world, second + 0.01)
    assert second <= FINAL + 15
    later = [each for after in range(1, 30) for each in of(at(world, second + after), QueryOrder)]
    assert all(each.number != 1 for each in later)


def test_an_answer_in_time_asks_nothing() -> None:
    world = make_world(one_buy, answers=PATIENT)
    accept_all(world, start(world), START + SECOND)
    assert all(not of(at(world, second), QueryOrder) for second in range(2, 30))


def test_o06_a_cancellation_without_an_answer_is_asked_about_and_then_sent_again() -> None:
    world = make_world(one_buy, answers=PATIENT)
    accept_all(world, start(world), START + SECOND)
    time = START + 2 * SECOND
    assert len(of(world.session.cancel_everything("test"), CancelOrder)) == 1
    world.session.state.close()
    cancels: list[int] = []
    queries: list[int] = []
    for second in range(3, 12):
        effects = at(world, second)
        cancels += [each.time - time for each in of(effects, CancelOrder)]
        queries += [each.time - time for each in of(effects, QueryOrder)]
    assert queries == [1 * SECOND, 2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert cancels == [2 * SECOND, 4 * SECOND, 8 * SECOND]


def test_o13_a_number_that_the_venue_has_already_is_asked_about_at_once() -> None:
    world = asked(make_world(one_buy, answers=PATIENT))
    words = {"aux": int(OrderReason.DUPLICATE), "sequence": -1}
    world.session.step(order_event(EventKind.ORDER_REJECTED, 1, START + 1, **words))
    assert status(world) is OrderStatus.OPEN
    assert len(of(at(world, 0.1), QueryOrder)) == 1
    accepted = order_event(EventKind.ORDER_ACCEPTED, 1, START + SECOND, size=100, sequence=7)
    world.session.step(accepted)
    assert all(not of(at(world, second), QueryOrder) for second in range(2, 20))


def test_o05_trades_that_the_venue_tells_of_and_nobody_saw_are_asked_for() -> None:
    world = asked(make_world(one_buy, answers=PATIENT))
    words = {"size": 60, "sequence": 7}
    world.session.step(order_event(EventKind.ORDER_ACCEPTED, 1, START + SECOND, **words))
    assert of(at(world, 2.9), QueryOrder) == []
    assert len(of(at(world, 3), QueryOrder)) == 1


def test_an_answer_that_is_no_definitive_refusal_leaves_the_order_in_doubt() -> None:
    world = asked(make_world(one_buy, answers=PATIENT))
    world.session.step(order_event(EventKind.ORDER_IN_DOUBT, 1, START + 1))
    assert (status(world), reserved(world)) == (OrderStatus.UNKNOWN, 100)
    assert len(of(at(world, 0.1), QueryOrder)) == 1


moments = st.lists(st.integers(1, 600), min_size=1, max_size=30, unique=True).map(sorted)


@given(moments, st.integers(0, 600))
def test_i22_one_intent_is_sent_once_whatever_is_lost(tenths: list[int], answer: int) -> None:
    world = make_world(both_sides, answers=PATIENT)
    sent = [each.number for each in of(start(world), SendOrder)]
    for tenth in tenths:
        effects = at(world, tenth / 10)
        sent += [each.number for each in of(effects, SendOrder)]
        if tenth > answer:
            sent += [each.number for each in of(not_found(world, tenth / 10), SendOrder)]
    orders = world.session.state.account.orders
    assert sent == list(range(1, orders.last_number + 1))
    assert len({orders.client_id(number) for number in sent}) == len(sent)
    orders.check()
