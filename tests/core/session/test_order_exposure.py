"""Whatever a venue answers, loses or repeats, what is at stake stays within the limits."""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.core.session.effect_facts import ASK, BID
from tests.core.session.session_world import (
    SECOND,
    START,
    World,
    make_world,
    order_event,
    quote,
    touch,
)

from bot4_core.domain_types.decisions import BreakerEffect, Signal
from bot4_core.domain_types.records import (
    EventKind,
    OrderFlag,
    OrderStatus,
    Records,
    Side,
    SignalAction,
)
from bot4_core.kernels.order_rows import Slot
from bot4_core.orders import WorkingOrder
from bot4_core.plugins.interfaces import Record
from bot4_core.session.config import AnswersConfig, LimitsConfig, QuotingConfig
from bot4_core.session.effects import CancelOrder, Effect, QueryOrder, SendOrder

ANSWERS = AnswersConfig(reply_ms=1000, expiry_ms=1000, lag_ms=1000, pause_ms=500)
LIMITS = LimitsConfig(max_position_notional=Decimal(15_000), max_order_notional=Decimal(9_000))
MOST = 15_000 * 100_000
"""The position limit in price times size."""
LOWEST = BID - 300


class Exposure(RuleBasedStateMachine):
    """A venue that says anything true of orders, in any order, or nothing; and breakers."""

    @initialize()
    def begin(self) -> None:
        self.prices = BID, ASK
        self.world: World = make_world(
            self.both, limits=LIMITS, answers=ANSWERS, quoting=QuotingConfig(retry_ms=1)
        )
        self.clock, self.trades = START, 0
        self.taking = Side.NONE
        self.sent: list[int] = []
        self.over: set[int] = set()
        self.tripped = False
        self.step(touch(self.clock, *self.prices))

    def both(self, view: Record) -> Sequence[Signal]:
        if self.taking:
            price = int(view["ask"] if self.taking > 0 else view["bid"])
            return [quote(view, self.taking, price, action=SignalAction.TAKE)]
        return [
            quote(view, Side.BUY, int(view["bid"])),
            quote(view, Side.SELL, int(view["ask"])),
        ]

    @property
    def orders(self) -> list[WorkingOrder]:
        return list(self.world.session.state.account.orders)

    def step(self, records: Records) -> None:
        self.take(self.world.session.step(records))

    def take(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, SendOrder):
                self.sent.append(effect.number)
                reducing = int(effect.intent["flags"][0]) & OrderFlag.REDUCE_ONLY
                assert reducing or not self.tripped  # I41
            else:
                assert (
                    not isinstance(effect, CancelOrder | QueryOrder) or effect.number in self.sent
                )

    def say(self, kind: EventKind, order: WorkingOrder, **fields: int) -> None:
        self.clock += 1
        words = {"side": order.side, "price": order.price, "sequence": order.number, **fields}
        self.step(order_event(kind, order.number, self.clock, **words))

    @rule(ticks=st.integers(-30, 30), milliseconds=st.integers(1, 700))
    def market_moves(self, ticks: int, milliseconds: int) -> None:
        self.clock += milliseconds * SECOND // 1000
        self.prices = BID + 10 * ticks, ASK + 10 * ticks
        self.step(touch(self.clock, *self.prices))

    @rule(side=st.sampled_from(Side), ticks=st.integers(-30, 30))
    def strategy_takes(self, side: Side, ticks: int) -> None:
        self.taking = side
        self.market_moves(ticks, 1200)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def accepted(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self.orders))
        self.say(EventKind.ORDER_ACCEPTED, order, size=order.open_size)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), percent=st.integers(1, 100), twice=st.booleans())
    def filled(self, data: st.DataObject, percent: int, twice: bool) -> None:
        order = data.draw(st.sampled_from(self.orders))
        self.trades += 1
        size = order.open_size * percent // 100
        for _ in range(1 + twice if size else 0):
            words = {"size": size, "aux": 0}
            self.say(EventKind.ORDER_FILLED, order, **words | {"sequence": self.trades})

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), kind=st.sampled_from([EventKind.ORDER_CANCELED, EventKind.ORDER_EXPIRED]))
    def ended(self, data: st.DataObject, kind: EventKind) -> None:
        order = data.draw(st.sampled_from(self.orders))
        self.over.add(order.number)
        self.say(kind, order, size=order.open_size)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel_refused(self, data: st.DataObject) -> None:
        self.say(EventKind.CANCEL_REJECTED, data.draw(st.sampled_from(self.orders)))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def not_found(self, data: st.DataObject) -> None:
        doubtful = [each for each in self.orders if each.status is OrderStatus.UNKNOWN]
        for order in doubtful[: data.draw(st.integers(0, 1))]:
            if self.clock + 1 > order.sent + ANSWERS.final_after:
                self.over.add(order.number)  # the venue can no longer take it
            self.say(EventKind.ORDER_NOT_FOUND, order)

    @rule(effect=st.sampled_from([BreakerEffect.BLOCK_ALL, BreakerEffect.CANCEL_ALL]))
    def breaker_trips(self, effect: BreakerEffect) -> None:
        self.world.breaker.effect = effect
        self.tripped = True
        self.market_moves(0, 1)
        self.world.breaker.effect = None

    @precondition(lambda self: self.tripped)
    @rule()
    def rearmed(self) -> None:
        session = self.world.session
        self.tripped = False
        self.take(session.rearm("scripted", actor="test", reason="again", instrument=0)[1])

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def exposure_is_within_the_limit(self) -> None:
        held = int(self.world.session.state.views["position"][0])
        orders = [self.world.session.state.account.orders[number] for number in self.sent]
        loose = [order for order in orders if order.number not in self.over]
        buying = sum(order.size - order.executed for order in loose if order.side > 0)
        selling = sum(order.size - order.executed for order in loose if order.side < 0)
        assert max(held + buying, selling - held) * LOWEST <= MOST

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def reservations_add_up(self) -> None:
        state = self.world.session.state
        orders = state.account.orders
        orders.check()
        for side, name in ((1, "open_buy"), (-1, "open_sell")):
            mine = [each.reserved for each in self.orders if each.side == side]
            assert int(state.views[name][0]) == sum(mine)
        assert self.sent == list(range(1, orders.last_number + 1))  # I22
        assert int(state.ordering.tables[Slot.TALLY]["open"][0]) == len(self.orders)


def test_i40_worst_case_exposure_stays_within_the_limits_under_every_interleaving() -> None:
    few = settings(max_examples=40, stateful_step_count=40)
    run_state_machine_as_test(Exposure, settings=few)


def one_order_filled() -> Exposure:
    machine = Exposure()
    machine.begin()
    order = machine.orders[0]
    machine.say(EventKind.ORDER_ACCEPTED, order, size=100)
    machine.say(EventKind.ORDER_FILLED, order, size=100, sequence=1, aux=0)
    return machine


def test_i41_nothing_is_sent_after_a_trip_until_somebody_rearms() -> None:
    machine = one_order_filled()
    before = list(machine.sent)
    machine.breaker_trips(BreakerEffect.CANCEL_ALL)
    for ticks in range(20):
        machine.market_moves(ticks, 500)
    assert machine.sent == before
    for order in machine.orders:
        machine.say(EventKind.ORDER_CANCELED, order, size=order.open_size)
    machine.rearmed()
    machine.market_moves(1, 500)
    assert len(machine.sent) > len(before)


def test_i42_what_is_reserved_is_the_sum_over_orders_that_may_yet_be_filled() -> None:
    machine = one_order_filled()
    views = machine.world.session.state.views
    assert (int(views["open_buy"][0]), int(views["open_sell"][0])) == (0, 100)
    machine.market_moves(1, 1200)
    assert [order.status for order in machine.orders if order.side < 0] == [OrderStatus.UNKNOWN]
    assert int(views["open_sell"][0]) == 100
    machine.reservations_add_up()
