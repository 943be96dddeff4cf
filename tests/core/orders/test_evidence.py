from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.orders.builders import event, intent, registry
from tests.reference.orders import TRADES, Evidence, final_state, traded

from bot4_core.domain_types.order_codes import Fact
from bot4_core.domain_types.records import EventKind, OrderReason, OrderStatus, Records
from bot4_core.kernels.order_evidence import ACCEPTED, status_of
from bot4_core.orders import (
    TERMINAL,
    TRANSITIONS,
    LocalEvidence,
    OrderAlarm,
    Orders,
    may_become,
)

SIZE = 10
VENUE_KINDS = (
    EventKind.ORDER_ACCEPTED,
    EventKind.ORDER_CANCELED,
    EventKind.ORDER_REJECTED,
    EventKind.ORDER_EXPIRED,
    EventKind.CANCEL_REJECTED,
    EventKind.ORDER_NOT_FOUND,
    EventKind.ORDER_UNTRIGGERED,
    EventKind.CANCEL_PENDING,
    EventKind.REPLACE_PENDING,
)
DUPLICATE = OrderReason.DUPLICATE

times = st.integers(1, 6)
trades = st.builds(
    lambda kind, trade, size, received, time: Evidence(
        kind, received, size, trade, 1000 + trade, time
    ),
    st.sampled_from([EventKind.ORDER_FILLED, *TRADES]),
    st.integers(1, 4),
    st.integers(1, 6),
    times,
    st.integers(0, 3),
)
LOCAL = frozenset(map(int, LocalEvidence))

unnamed = {"trade": st.just(-1), "price": st.just(0), "time": st.integers(0, 9)}
venue_words = st.builds(
    Evidence,
    st.sampled_from(VENUE_KINDS),
    times,
    st.integers(-1, 12),
    reason=st.sampled_from([0, int(DUPLICATE)]),
    **unnamed,
)
local_facts = st.builds(
    Evidence, st.sampled_from(list(LocalEvidence)), times, st.just(-1), **unnamed
)
evidence = venue_words | local_facts | trades


def with_one_content_for_each_report(items: list[Evidence]) -> list[Evidence]:
    known: dict[tuple[int, ...], Evidence] = {}
    return [
        known.setdefault((item.kind, item.trade, item.kind != 21 and max(1, item.time)), item)
        if item.trade >= 0
        else item
        for item in items
    ]


histories = st.lists(evidence, max_size=6).map(with_one_content_for_each_report)


def absorb(orders: Orders, item: Evidence) -> None:
    if item.kind in LOCAL:
        orders.note(1, LocalEvidence(item.kind), item.received)
    else:
        orders.apply(record_of(item))


def record_of(item: Evidence) -> Records:
    fields = {"received": item.received, "time": item.time, "aux": item.reason}
    if item.trade >= 0:
        fields |= {"sequence": item.trade, "price": item.price}
    return event(item.kind, 1, size=item.size, **fields)


def gathered(history: tuple[Evidence, ...] | list[Evidence]) -> Orders:
    orders = registry()
    orders.create(intent(size=SIZE))
    for item in history:
        absorb(orders, item)
    return orders


def all_that_is_known(orders: Orders) -> tuple[object, ...]:
    order = orders[1]
    return (
        attrs.astuple(attrs.evolve(order, fills={})),
        sorted(order.fills.items()),
        orders.alarms(1),
    )


def assert_confluent(history: list[Evidence], repeated: list[int]) -> None:
    expected = all_that_is_known(gathered(history))
    for shuffled in permutations(history):
        again = [shuffled[place] for place in repeated if place < len(shuffled)]
        assert all_that_is_known(gathered([*shuffled, *again])) == expected


@given(histories.filter(lambda history: len(history) < 6), st.lists(st.integers(0, 5), max_size=4))
def test_i25_any_order_and_repetition_of_the_same_evidence_ends_in_the_same_state(
    history: list[Evidence], repeated: list[int]
) -> None:
    assert_confluent(history, repeated)


SENT = Evidence(LocalEvidence.SENT, 1)
LATE = Evidence(LocalEvidence.TIMED_OUT, 2)
TAKEN = Evidence(EventKind.ORDER_ACCEPTED, 3, 10)
ASKED = Evidence(LocalEvidence.CANCEL_REQUESTED, 4)
REFUSED = Evidence(EventKind.CANCEL_REJECTED, 5)
EARLIER = Evidence(LocalEvidence.CANCEL_REQUESTED, 1)
GONE = Evidence(EventKind.ORDER_CANCELED, 6, 3)
FIRST, SECOND = Evidence(21, 2, 4, 1, 1000), Evidence(21, 7, 3, 2, 1001)


@pytest.mark.parametrize(
    "history",
    [
        [SENT, LATE, FIRST, ASKED, GONE, SECOND],
        [SENT, TAKEN, FIRST, ASKED, REFUSED, SECOND],
        [LATE, TAKEN, ASKED, Evidence(EventKind.ORDER_REJECTED, 6), SECOND, GONE],
        [TAKEN, ASKED, REFUSED, Evidence(EventKind.CANCEL_REJECTED, 2), EARLIER],
    ],
)
def test_six_pieces_of_evidence_may_come_in_any_of_720_orders(history: list[Evidence]) -> None:
    assert_confluent(history, [0, 3, 5])


@given(histories)
def test_the_state_is_what_all_evidence_together_says(history: list[Evidence]) -> None:
    order = gathered(history)[1]
    found = (order.status, order.filled, order.reserved, order.venue_filled)
    assert found == tuple(final_state(SIZE, history))


@given(histories)
def test_i21_every_step_is_in_the_table_and_terminal_orders_never_work_again(
    history: list[Evidence],
) -> None:
    orders = gathered([])
    for item in history:
        before, executed = orders[1].status, orders[1].executed
        absorb(orders, item)
        order = orders[1]
        assert may_become(before, order.status)
        assert order.executed >= executed
        if before in TERMINAL:
            assert order.status in TERMINAL


@given(histories)
def test_i20_filled_stays_within_the_quantity_unless_the_alarm_says_so(
    history: list[Evidence],
) -> None:
    orders = gathered(history)
    order = orders[1]
    assert order.filled == sum(size for _, size in order.fills.values())
    assert (order.filled > SIZE) == bool(orders.alarms(1) & OrderAlarm.OVERFILLED)
    assert order.reserved >= 0
    assert (order.filled, order.executed) == traded(history)
    assert order.open_size == max(0, SIZE - order.executed)


PENDING = (0, int(OrderStatus.PENDING_CANCEL), int(OrderStatus.PENDING_REPLACE))
Known = tuple[int, int, int, int]


def one_more(known: Known) -> Iterator[Known]:
    """What one more piece of evidence makes of facts, executed and filled size, and a request."""
    facts, executed, filled, pending = known
    yield from ((facts | int(fact), executed, filled, pending) for fact in Fact)
    if executed < 2:
        yield facts | ACCEPTED, executed + 1, filled + 1, pending
        yield facts | ACCEPTED, executed + 1, filled, pending  # of a trade that is busted
    if filled:
        yield facts | ACCEPTED, executed, filled - 1, pending
    yield from ((facts, executed, filled, each) for each in PENDING)


def reachable_steps() -> Iterator[tuple[OrderStatus, OrderStatus]]:
    """Walk every state that evidence can reach on an order of size 2, fill by fill."""
    waiting: list[Known] = [(0, 0, 0, 0)]
    seen = set(waiting)
    while waiting:
        known = waiting.pop()
        before = status_at(known)
        for step in one_more(known):
            yield before, status_at(step)
            if step not in seen:
                seen.add(step)
                waiting.append(step)


def status_at(known: Known) -> OrderStatus:
    facts, executed, filled, pending = known
    return OrderStatus(status_of(facts, executed, filled, 2, pending))


def test_i21_the_transition_table_lists_exactly_the_steps_that_can_happen() -> None:
    found: defaultdict[OrderStatus, set[OrderStatus]] = defaultdict(set)
    for before, after in reachable_steps():
        found[before] |= {after} - {before}
    # a fill of more than one unit: the walk above fills unit by unit
    for status in set(found) - {OrderStatus.FILLED}:
        found[status].add(OrderStatus.FILLED)
    found[OrderStatus.FILLED] |= set()
    assert dict(found) == {before: set(after) for before, after in TRANSITIONS.items()}


def test_a_status_may_stay_but_not_be_made_up() -> None:
    assert may_become(OrderStatus.TRIGGER_PENDING, OrderStatus.TRIGGER_PENDING)
    assert not may_become(OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING)
    assert not may_become(OrderStatus.FILLED, OrderStatus.OPEN)


@pytest.mark.parametrize(
    ("history", "status"),
    [
        ([], OrderStatus.CREATED),
        ([Evidence(LocalEvidence.SENT, 1)], OrderStatus.SUBMITTED),
        (
            [Evidence(LocalEvidence.SENT, 1), Evidence(LocalEvidence.TIMED_OUT, 2)],
            OrderStatus.UNKNOWN,
        ),
        (
            [Evidence(LocalEvidence.TIMED_OUT, 2), Evidence(EventKind.ORDER_ACCEPTED, 3)],
            OrderStatus.OPEN,
        ),
        (
            [Evidence(LocalEvidence.TIMED_OUT, 2), Evidence(LocalEvidence.CANCEL_REQUESTED, 3)],
            OrderStatus.UNKNOWN,
        ),
        ([Evidence(LocalEvidence.NEVER_ARRIVED, 9)], OrderStatus.REJECTED),
    ],
)
def test_local_evidence_alone_gives_a_status(history: list[Evidence], status: OrderStatus) -> None:
    assert gathered(history)[1].status is status


def test_a_fill_before_the_acknowledgement_proves_that_the_order_was_accepted() -> None:
    order = gathered([Evidence(LocalEvidence.TIMED_OUT, 1), Evidence(21, 2, 4, 7, 1000)])[1]
    assert order.status is OrderStatus.PARTIAL
    assert order.reserved == 6


def test_a_fill_after_the_cancellation_is_booked() -> None:
    orders = gathered([Evidence(EventKind.ORDER_CANCELED, 2, 7), Evidence(21, 3, 3, 7, 1000)])
    order = orders[1]
    assert (order.status, order.filled, order.reserved) == (OrderStatus.CANCELED, 3, 0)
    assert orders.alarms(1) is OrderAlarm.NONE


def test_a_cancellation_keeps_in_reserve_what_the_venue_filled_and_did_not_report_yet() -> None:
    orders = gathered([Evidence(EventKind.ORDER_CANCELED, 2, 7)])
    assert (orders[1].reserved, orders[1].finished) == (3, False)
    absorb(orders, Evidence(EventKind.ORDER_FILLED, 3, 3, 7, 1000))
    assert orders[1].finished


def test_a_refused_cancel_lets_the_order_work_on_and_a_later_request_counts_again() -> None:
    asked = Evidence(LocalEvidence.CANCEL_REQUESTED, 3)
    history = [Evidence(EventKind.ORDER_ACCEPTED, 2, 10), asked]
    assert gathered(history)[1].status is OrderStatus.PENDING_CANCEL
    history.append(Evidence(EventKind.CANCEL_REJECTED, 4))
    assert gathered(history)[1].status is OrderStatus.OPEN
    history.append(Evidence(LocalEvidence.CANCEL_REQUESTED, 5))
    assert gathered(history)[1].status is OrderStatus.PENDING_CANCEL


def test_overfilling_is_booked_and_alarmed() -> None:
    orders = gathered([Evidence(21, 1, 8, 1, 1000), Evidence(21, 2, 8, 2, 1000)])
    order = orders[1]
    assert (order.status, order.filled, order.reserved) == (OrderStatus.FILLED, 16, 0)
    assert orders.alarms(1) == OrderAlarm.OVERFILLED


@pytest.mark.parametrize(
    "history",
    [
        [Evidence(EventKind.ORDER_CANCELED, 1, 10), Evidence(EventKind.ORDER_EXPIRED, 1, 10)],
        [Evidence(EventKind.ORDER_CANCELED, 1, 10), Evidence(EventKind.ORDER_REJECTED, 1)],
        [Evidence(EventKind.ORDER_REJECTED, 1), Evidence(21, 1, 1, 1, 1000)],
        [Evidence(LocalEvidence.WITHHELD, 1), Evidence(EventKind.ORDER_ACCEPTED, 1)],
        [Evidence(EventKind.ORDER_CANCELED, 1, 9), Evidence(21, 1, 2, 1, 1000)],
        [Evidence(21, 1, 2, 1, 1000), Evidence(21, 1, 3, 1, 1000)],
    ],
)
def test_evidence_that_cannot_all_be_true_is_alarmed(history: list[Evidence]) -> None:
    assert gathered(history).alarms(1) == OrderAlarm.CONTRADICTED
