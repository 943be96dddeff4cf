import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.core.orders.builders import TAG, event, fill, instrument, intent, registry
from tests.reference.orders import FINAL_AFTER, Evidence, final_state

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Price, Quantity
from bot4_core.domain_types.orders import FillOrigin
from bot4_core.domain_types.records import (
    EventFlag,
    EventKind,
    OrderReason,
    OrderStatus,
    OrderType,
    Records,
    Side,
)
from bot4_core.errors import OrderError
from bot4_core.kernels.order_rows import Slot
from bot4_core.orders import LocalEvidence, OrderAlarm, OrderChange, Orders, client_order_id
from bot4_core.orders.order_tables import FIRST_FILLS


def changed(change: OrderChange | None) -> OrderChange:
    assert change is not None
    return change


def one_order(side: int = 1) -> Orders:
    orders = registry()
    orders.create(intent(side=side))
    orders.note(1, LocalEvidence.SENT, 2)
    return orders


def test_an_order_reserves_its_size_from_the_intent_until_evidence_releases_it() -> None:
    orders = registry(2)
    orders.create(intent(1, of=1, side=-1))
    assert (orders.open_buy, orders.open_sell) == ([0, 0], [0, 10])
    orders.note(1, LocalEvidence.SENT, 2)
    orders.note(1, LocalEvidence.TIMED_OUT, 3)
    assert orders.open_sell == [0, 10]
    orders.apply(event(EventKind.ORDER_CANCELED, 1, size=10, of=1))
    assert orders.open_sell == [0, 0]


def test_working_orders_are_listed_by_instrument_oldest_first() -> None:
    orders = registry(2)
    for number, of in ((1, 0), (2, 1), (3, 0)):
        orders.create(intent(number, of=of))
    assert [order.number for order in orders.working(0)] == [1, 3]
    assert [order.number for order in orders] == [1, 3, 2]
    assert (orders.open_count, len(orders), 3 in orders, 4 in orders) == (3, 3, True, False)


def test_a_fill_is_handed_on_once_as_a_domain_object() -> None:
    orders = one_order(side=-1)
    record = fill(trade=7, size=4, aux=25, flags=int(EventFlag.MAKER), side=-1)
    change = changed(orders.apply(record))
    assert change.order == orders[1]
    assert (change.before, change.after) == (OrderStatus.SUBMITTED, OrderStatus.PARTIAL)
    booked = change.fill
    assert booked is not None
    assert (booked.price, booked.size) == (Price(1000, -1), Quantity(4, -3))
    assert (booked.fee, booked.fee_asset) == (Money(25, -8), "USDT")
    assert (booked.side, booked.maker, booked.trade_id, booked.time) == (Side.SELL, True, 7, 4)
    assert orders.apply(record) is None
    assert orders.duplicates == 1
    assert orders.open_sell == [6]


def test_a_fill_without_venue_time_takes_the_time_it_came() -> None:
    booked = changed(one_order().apply(fill(time=0, received=9))).fill
    assert booked is not None
    assert booked.time == 9


@pytest.mark.parametrize("fields", [{"trade": -1}, {"size": 0}])
def test_a_fill_without_identity_or_size_is_refused(fields: dict[str, int]) -> None:
    with pytest.raises(OrderError, match="cumulative"):
        one_order().apply(fill(**fields))


def test_a_fee_in_another_asset_is_named_or_alarmed() -> None:
    flags = int(EventFlag.THIRD_ASSET_FEE)
    change = changed(one_order().apply(fill(flags=flags)))
    assert change.alarms == OrderAlarm.FEE_ASSET
    named = Orders([instrument()], TAG, fee_assets={InstrumentId(0): ("BNB", -8)})
    named.create(intent())
    change = changed(named.apply(fill(flags=flags)))
    assert change.fill is not None
    assert (change.fill.fee_asset, change.alarms) == ("BNB", OrderAlarm.NONE)


def test_a_fill_of_a_foreign_order_is_handed_on_once_and_alarmed() -> None:
    orders = registry()
    change = changed(orders.apply(fill(number=-1, side=-1)))
    assert change.order is None
    assert change.alarms == OrderAlarm.EXTERNAL
    assert change.fill is not None
    assert change.fill.side is Side.SELL
    assert orders.apply(fill(number=-1)) is None
    assert (orders.orphans, orders.duplicates) == (1, 1)


def test_foreign_fills_are_remembered_only_so_long() -> None:
    orders = registry()
    for trade in range(5000):
        assert orders.apply(fill(number=-1, trade=trade)) is not None
    assert orders.apply(fill(number=-1, trade=4999)) is None
    assert orders.apply(fill(number=-1, trade=0)) is not None


def test_other_evidence_on_foreign_orders_is_counted() -> None:
    orders = registry()
    assert orders.apply(event(EventKind.ORDER_CANCELED, 9, size=1)) is None
    assert orders.orphans == 1


def test_a_trade_id_with_two_contents_is_alarmed_once_and_booked_once() -> None:
    orders = one_order()
    orders.apply(fill(trade=7, size=4))
    change = changed(orders.apply(fill(trade=7, size=5)))
    assert (change.fill, change.alarms) == (None, OrderAlarm.CONTRADICTED)
    assert orders.apply(fill(trade=7, size=6)) is None
    assert orders[1].filled == 4


@pytest.mark.parametrize("fields", [{"side": -1}, {"of": 1}])
def test_a_fill_that_is_not_of_what_its_order_says_is_a_strangers(fields: dict[str, int]) -> None:
    orders = registry(2)
    orders.create(intent(1))
    change = changed(orders.apply(fill(**fields)))
    assert (change.order, change.alarms) == (None, OrderAlarm.EXTERNAL)
    assert (orders[1].filled, orders.open_buy) == (0, [10, 0])


def test_an_end_that_says_nothing_of_fills_keeps_the_reservation() -> None:
    orders = one_order()
    orders.apply(event(EventKind.ORDER_CANCELED, size=-1))
    assert (orders[1].status, orders.open_buy) == (OrderStatus.CANCELED, [10])
    orders.apply(event(EventKind.ORDER_CANCELED, size=7))
    assert orders.open_buy == [3]


def test_repeated_evidence_is_counted_and_changes_nothing() -> None:
    orders = one_order()
    accepted = event(EventKind.ORDER_ACCEPTED, size=10, sequence=44)
    assert changed(orders.apply(accepted)).after is OrderStatus.OPEN
    assert orders.apply(accepted) is None
    assert orders.note(1, LocalEvidence.SENT, 2) is None
    assert orders.duplicates == 1


def test_market_events_are_refused() -> None:
    with pytest.raises(OrderError, match="nothing of orders"):
        one_order().apply(event(EventKind.TRADE))


@pytest.mark.parametrize("fields", [{"number": 2}, {"size": 0}, {"side": 0}])
def test_an_order_out_of_line_is_refused(fields: dict[str, int]) -> None:
    with pytest.raises(OrderError):
        registry().create(intent(**fields))


def test_asking_for_an_order_that_is_not_there_names_the_last_one() -> None:
    with pytest.raises(OrderError, match="no order 5 \\(last number 1\\)"):
        one_order().note(5, LocalEvidence.SENT, 1)
    for number in (0, 5):
        with pytest.raises(OrderError, match=f"no order {number} "):
            _ = one_order()[number]


def test_numbers_are_dense_and_client_ids_carry_the_run() -> None:
    orders = one_order()
    assert orders.next_number == 2
    assert orders.client_id(1) == client_order_id(TAG, 1)


def not_found(time: int) -> Records:
    return event(EventKind.ORDER_NOT_FOUND, time=time)


def test_not_found_is_no_proof_before_the_venue_can_no_longer_accept_the_order() -> None:
    orders = one_order()
    orders.note(1, LocalEvidence.TIMED_OUT, 50)
    assert orders.in_doubt() == (orders[1],)
    still = changed(orders.apply(not_found(2 + FINAL_AFTER)))
    assert (still.after, orders.open_buy) == (OrderStatus.UNKNOWN, [10])
    change = changed(orders.apply(not_found(3 + FINAL_AFTER)))
    assert change.after is OrderStatus.REJECTED
    assert orders.open_buy == [0]
    assert orders.in_doubt() == ()


def test_an_order_that_the_venue_had_and_does_not_know_keeps_its_reservation() -> None:
    orders = one_order()
    orders.apply(event(EventKind.ORDER_ACCEPTED, size=10))
    change = changed(orders.apply(not_found(3 + FINAL_AFTER)))
    assert (change.after, change.alarms) == (OrderStatus.REJECTED, OrderAlarm.CONTRADICTED)
    assert (orders.open_buy, orders[1].finished) == ([10], False)
    orders.apply(event(EventKind.ORDER_CANCELED, size=10))
    assert (orders.open_buy, orders.alarms(1)) == ([0], OrderAlarm.NONE)


def test_a_number_that_the_venue_has_already_is_an_order_that_it_has() -> None:
    orders = one_order()
    orders.note(1, LocalEvidence.TIMED_OUT, 50)
    orders.apply(event(EventKind.ORDER_REJECTED, size=0, aux=OrderReason.DUPLICATE))
    assert (orders[1].status, orders.open_buy) == (OrderStatus.OPEN, [10])


def statuses(orders: Orders) -> list[OrderStatus]:
    return [orders[number].status for number in range(1, orders.last_number + 1)]


@pytest.mark.parametrize(
    ("cancel", "new", "reserved"),
    [
        (EventKind.ORDER_CANCELED, EventKind.ORDER_ACCEPTED, 7),
        (EventKind.ORDER_CANCELED, EventKind.ORDER_REJECTED, 0),
        (EventKind.CANCEL_REJECTED, EventKind.ORDER_REJECTED, 10),
        (EventKind.CANCEL_REJECTED, EventKind.ORDER_ACCEPTED, 17),
    ],
)
def test_a_replacement_is_two_legs_and_either_may_fail(
    cancel: EventKind, new: EventKind, reserved: int
) -> None:
    orders = one_order()
    orders.apply(event(EventKind.ORDER_ACCEPTED, size=10))
    made = orders.replace(1, intent(2, size=7), 5)
    assert (made.replaces, made.price) == (1, 1000)
    assert orders.open_buy == [17]
    orders.apply(event(EventKind.REPLACE_PENDING, size=10, received=6))
    assert statuses(orders) == [OrderStatus.PENDING_REPLACE, OrderStatus.CREATED]
    orders.apply(event(cancel, 1, size=10, received=7))
    orders.apply(event(new, 2, size=7, received=7))
    assert orders.open_buy == [reserved]
    assert OrderStatus.PENDING_REPLACE not in statuses(orders)
    orders.check()


def test_an_order_is_replaced_on_its_own_side_only() -> None:
    with pytest.raises(OrderError, match="own instrument and side"):
        one_order().replace(1, intent(2, side=-1), 5)


def test_a_busted_trade_is_taken_back_and_its_size_does_not_work_again() -> None:
    orders = one_order()
    booked = changed(orders.apply(fill(trade=7, size=4, aux=25))).fill
    change = changed(orders.apply(event(EventKind.TRADE_BUSTED, sequence=7, size=4)))
    assert booked is not None
    assert change.bookings == (booked.reversal(),)
    assert (booked.reversal().side, booked.reversal().fee) == (Side.SELL, Money(-25, -8))
    order = orders[1]
    assert (order.filled, order.executed, order.fills) == (0, 4, {})
    assert (order.status, orders.open_buy) == (OrderStatus.OPEN, [6])
    assert orders.apply(fill(trade=7, size=4, aux=25)) is None


def test_a_bust_before_its_trade_keeps_the_trade_out_of_the_books() -> None:
    orders = one_order()
    first = changed(orders.apply(event(EventKind.TRADE_BUSTED, sequence=7, size=-1)))
    later = changed(orders.apply(fill(trade=7, size=4)))
    assert (first.bookings, later.bookings) == ((), ())
    assert (orders[1].filled, orders[1].executed) == (0, 4)
    orders.check()


def test_a_corrected_trade_is_taken_back_and_booked_as_corrected() -> None:
    orders = one_order()
    words = {"sequence": 7, "price": 1001, "size": 3, "time": 9, "aux": 20}
    orders.apply(fill(trade=7, size=4, aux=25))
    change = changed(orders.apply(event(EventKind.TRADE_CORRECTED, **words)))
    assert change.reversal is not None
    assert change.fill is not None
    assert (change.reversal.size, change.fill.size) == (Quantity(4, -3), Quantity(3, -3))
    assert (change.fill.price, change.fill.fee) == (Price(1001, -1), Money(20, -8))
    assert orders[1].fills == {7: (1001, 3)}
    assert orders.apply(event(EventKind.TRADE_CORRECTED, **words | {"time": 8})) is None


def test_trades_of_orders_that_a_venue_made_are_marked_and_alarmed() -> None:
    orders = registry()
    for trade, (flag, origin) in enumerate(
        [
            (EventFlag.NONE, FillOrigin.EXTERNAL),
            (EventFlag.LIQUIDATED, FillOrigin.LIQUIDATION),
            (EventFlag.DELEVERAGED, FillOrigin.DELEVERAGING),
            (EventFlag.SETTLED, FillOrigin.SETTLEMENT),
        ]
    ):
        change = changed(orders.apply(fill(-1, trade, flags=int(flag))))
        assert change.fill is not None
        assert (change.fill.origin, change.alarms) == (origin, OrderAlarm.EXTERNAL)


def test_a_foreign_trade_is_corrected_and_busted_like_one_of_ours() -> None:
    orders = registry()
    booked = changed(orders.apply(fill(-1, 7, size=4))).fill
    words = {"number": -1, "sequence": 7, "price": 1001, "size": 3, "time": 9}
    corrected = changed(orders.apply(event(EventKind.TRADE_CORRECTED, **words)))
    assert booked is not None
    assert corrected.fill is not None
    assert corrected.bookings == (booked.reversal(), corrected.fill)
    assert orders.apply(event(EventKind.TRADE_CORRECTED, **words | {"time": 8})) is None
    busted = changed(orders.apply(event(EventKind.TRADE_BUSTED, number=-1, sequence=7, size=4)))
    assert busted.bookings == (corrected.fill.reversal(),)
    assert orders.apply(event(EventKind.TRADE_BUSTED, number=-1, sequence=7, size=4)) is None
    unseen = changed(orders.apply(event(EventKind.TRADE_BUSTED, number=-1, sequence=8, size=4)))
    assert unseen.bookings == ()
    assert orders.apply(fill(-1, 8)) is None


def test_finished_orders_are_kept_up_to_a_number() -> None:
    orders = registry(keep_finished=1)
    for number in (1, 2, 3):
        orders.create(intent(number))
        orders.note(number, LocalEvidence.WITHHELD, 3)
    assert (1 in orders, 2 in orders, 3 in orders) == (False, False, True)
    assert orders.counts[OrderStatus.REJECTED] == 3
    orders.check()


def test_a_finished_order_works_again_in_the_books_when_unseen_fills_are_reported() -> None:
    orders = one_order()
    orders.apply(event(EventKind.ORDER_EXPIRED, size=10))
    assert orders.open_count == 0
    orders.apply(event(EventKind.ORDER_CANCELED, size=7))
    assert (orders.open_count, orders.open_buy) == (1, [3])
    orders.apply(fill(size=3))
    assert (orders.open_count, orders.open_buy) == (0, [0])
    orders.apply(fill(trade=2, size=1))
    assert orders[1].filled == 4
    orders.check()


def test_a_snapshot_is_the_order_in_domain_types() -> None:
    orders = one_order()
    orders.apply(event(EventKind.ORDER_CANCELED, size=10, sequence=4, aux=OrderReason.REQUESTED))
    order = orders.snapshot(1)
    assert order.intent.client_id == orders.client_id(1)
    assert (order.intent.price, order.intent.size) == (Price(1000, -1), Quantity(10, -3))
    assert (order.status, order.venue_order_id, order.reason) == (
        OrderStatus.CANCELED,
        "4",
        "requested",
    )


def test_a_snapshot_of_a_market_order_has_no_price_and_shows_foreign_reasons_as_they_are() -> None:
    orders = registry()
    orders.create(intent(order_type=OrderType.MARKET, price=0))
    assert orders.snapshot(1).reason == ""
    orders.apply(event(EventKind.ORDER_REJECTED, aux=2010))
    order = orders.snapshot(1)
    assert (order.intent.price, order.reason, order.venue_order_id) == (None, "2010", "")


def test_check_finds_a_wrong_reservation_count_or_sum() -> None:
    orders = one_order()
    orders.check()
    views, tally, rows = (orders.tables[slot] for slot in (Slot.VIEWS, Slot.TALLY, Slot.ORDERS))
    views["open_buy"][0] += 1
    with pytest.raises(OrderError, match="reserved"):
        orders.check()
    views["open_buy"][0] -= 1
    tally["counts"][0, OrderStatus.OPEN] += 1
    with pytest.raises(OrderError, match="counted"):
        orders.check()
    tally["counts"][0, OrderStatus.OPEN] -= 1
    rows["filled"][1] += 1
    with pytest.raises(OrderError, match="sum"):
        orders.check()


def test_rows_make_room_for_more_unfinished_orders_than_were_foreseen() -> None:
    orders = registry(2, keep_finished=2)
    for number in range(1, 20):
        orders.create(intent(number, of=number % 2, size=number))
        orders.apply(fill(number, trade=number, size=1, of=number % 2))
    assert [order.number for order in orders.working(1)] == list(range(3, 20, 2))
    assert orders[7].fills == {7: (1000, 1)}
    orders.check()


def test_fills_find_room_whatever_their_number_and_give_it_back() -> None:
    orders = registry(keep_finished=1)
    orders.create(intent(1, size=1200))
    for trade in range(1200):
        assert orders.apply(fill(1, trade=trade, size=1)) is not None
    assert (orders[1].filled, len(orders[1].fills)) == (1200, 1200)
    rows = len(orders.tables[Slot.FILLS])
    assert rows > FIRST_FILLS
    for number in range(2, 2 + FIRST_FILLS):
        orders.create(intent(number, size=1))
        orders.apply(fill(number, trade=1, size=1))
    assert len(orders.tables[Slot.FILLS]) == rows
    orders.check()


WORDS = [20, 22, 23, 24, 25, 26, 27, 28, 29]


class OrderLife(RuleBasedStateMachine):
    """Many orders, evidence in any order; a list of everything seen is the model."""

    @initialize(count=st.integers(1, 3))
    def start(self, count: int) -> None:
        self.orders = registry(2)
        self.seen: dict[int, list[Evidence]] = {}
        self.sides: dict[int, tuple[int, int]] = {}
        self.clock = 10
        for _ in range(count):
            self.create(0, 1, 10)

    @rule(of=st.integers(0, 1), side=st.sampled_from([1, -1]), size=st.integers(1, 12))
    def create(self, of: int, side: int, size: int) -> None:
        number = self.orders.next_number
        self.orders.create(intent(number, of=of, side=side, size=size))
        self.seen[number] = []
        self.sides[number] = of, side

    @rule(
        data=st.data(),
        kind=st.sampled_from([20, 22, 23, 24, 25, 26, 27, 28, 29]),
        size=st.integers(-1, 12),
    )
    def venue_says(self, data: st.DataObject, kind: int, size: int) -> None:
        number = data.draw(st.sampled_from(sorted(self.seen)))
        self.clock += 1
        of, side = self.sides[number]
        fields = {"received": self.clock, "time": self.clock, "of": of, "side": side}
        self.orders.apply(event(kind, number, size=size, **fields))
        self.seen[number].append(Evidence(kind, self.clock, size, time=self.clock))

    @rule(data=st.data(), trade=st.integers(1, 5), size=st.integers(1, 6))
    def venue_fills(self, data: st.DataObject, trade: int, size: int) -> None:
        number = data.draw(st.sampled_from(sorted(self.seen)))
        told = [item for item in self.seen[number] if item.trade == trade]
        of, side = self.sides[number]
        event = fill(number, trade, size, received=self.clock, of=of, side=side)
        change = self.orders.apply(event)
        assert (change is None or change.fill is None) == bool(told)
        revised = any(item.kind != EventKind.ORDER_FILLED for item in told)
        if revised or not told:  # else it contradicts the first report, which stands
            self.seen[number].append(Evidence(21, self.clock, size, trade, 1000))

    @rule(
        data=st.data(),
        kind=st.sampled_from([EventKind.TRADE_BUSTED, EventKind.TRADE_CORRECTED]),
        trade=st.integers(1, 5),
        size=st.integers(1, 6),
    )
    def venue_revises(self, data: st.DataObject, kind: EventKind, trade: int, size: int) -> None:
        number = data.draw(st.sampled_from(sorted(self.seen)))
        self.clock += 1
        of, side = self.sides[number]
        times = {"received": self.clock, "time": self.clock}
        self.orders.apply(event(kind, number, size=size, sequence=trade, of=of, side=side, **times))
        self.seen[number].append(Evidence(kind, self.clock, size, trade, 1000, self.clock))

    @rule(data=st.data(), kind=st.sampled_from(list(LocalEvidence)))
    def we_know(self, data: st.DataObject, kind: LocalEvidence) -> None:
        number = data.draw(st.sampled_from(sorted(self.seen)))
        self.clock += 1
        self.orders.note(number, kind, self.clock)
        self.seen[number].append(Evidence(kind, self.clock))

    @precondition(lambda self: hasattr(self, "orders"))
    @invariant()
    def books_agree_with_the_model(self) -> None:
        self.orders.check()
        reserved = {1: [0, 0], -1: [0, 0]}
        for number, evidence in self.seen.items():
            order, (of, side) = self.orders[number], self.sides[number]
            expected = final_state(order.size, evidence)
            assert (order.status, order.filled) == (expected.status, expected.filled)
            reserved[side][of] += expected.reserved
        assert (self.orders.open_buy, self.orders.open_sell) == (reserved[1], reserved[-1])


TestOrderLife = OrderLife.TestCase
