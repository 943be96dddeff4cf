"""What kernels make of wanted quotes: the fewest cancels and orders, and the twin's plan."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.orders.builders import event, fill, intent, registry
from tests.reference.quoting import Quote, Standing, Target, Tolerance, plan_quotes

from bot4_core.domain_types.records import EventKind, OrderStatus, OrderType, TimeInForce
from bot4_core.kernels.limits_money import LARGEST
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.quoting import MISSING, plan
from bot4_core.orders import LocalEvidence, Orders
from bot4_core.session.config import QuotingConfig
from bot4_core.session.decision_tables import place_decision_tables

BUY, SELL = 1, -1
EXACT = Tolerance()


def desk(*quotes: Quote, tick: int = 1) -> Orders:
    """Orders of one instrument, accepted as they were wanted."""
    orders = registry()
    place_decision_tables(orders.tables, QuotingConfig())
    orders.tables[Slot.VIEWS]["tick"] = tick
    for number, (side, price, size) in enumerate(quotes, 1):
        orders.create(intent(number, side=side, price=price, size=size))
        orders.apply(event(EventKind.ORDER_ACCEPTED, number, size=size, side=side))
    return orders


def planned(
    orders: Orders, wanted: Sequence[Target], tolerance: Tolerance = EXACT
) -> tuple[list[int], list[Target]]:
    """Numbers of the cancelled orders and the targets that need an order."""
    tables = orders.tables
    terms, rows = tables[Slot.CONDUCT], tables[Slot.WANTED]
    terms["behind"], terms["ahead"] = tolerance.behind, tolerance.ahead
    terms["size_percent"], terms["in_flight"] = tolerance.size_percent, tolerance.in_flight
    rows[:] = np.zeros(1, rows.dtype)
    for row, target in zip(rows, wanted, strict=False):
        row["side"], row["price"], row["size"] = target
    tables[Slot.TALLY]["wanted"], tables[Slot.TALLY]["actions"] = len(wanted), 0
    plan(tables.handle, 0, 9)
    count = int(tables[Slot.TALLY]["actions"][0])
    missing = [target for row, target in zip(rows, wanted, strict=False) if row["stage"] == MISSING]
    return sorted(tables[Slot.ACTIONS]["number"][:count].tolist()), missing


def test_a_quote_that_already_stands_is_left_alone() -> None:
    assert planned(desk((BUY, 1000, 10)), [Target(BUY, 1000, 10)]) == ([], [])


def test_nothing_wanted_on_no_side_changes_nothing() -> None:
    assert planned(desk((BUY, 1000, 10)), []) == ([], [])


def test_a_missing_quote_is_ordered() -> None:
    assert planned(desk(), [Target(BUY, 1000, 10)]) == ([], [Target(BUY, 1000, 10)])


def test_a_moved_quote_is_cancelled_and_ordered_anew() -> None:
    orders = desk((BUY, 1000, 10))
    assert planned(orders, [Target(BUY, 1001, 10)]) == ([1], [Target(BUY, 1001, 10)])
    assert orders[1].status is OrderStatus.PENDING_CANCEL


def test_size_zero_takes_a_side_away_and_leaves_the_other() -> None:
    assert planned(desk((BUY, 1000, 10), (SELL, 1010, 10)), [Target(BUY, 0, 0)]) == ([1], [])


@pytest.mark.parametrize(
    ("side", "price", "kept"),
    [
        (BUY, 1000, True),
        (BUY, 1010, True),  # the standing one is two ticks behind
        (BUY, 1015, False),
        (BUY, 995, True),  # one tick ahead
        (BUY, 990, False),
        (SELL, 990, True),
        (SELL, 985, False),
        (SELL, 1005, True),
        (SELL, 1010, False),
    ],
)
def test_hysteresis_is_counted_in_ticks_towards_and_away_from_the_market(
    side: int, price: int, kept: bool
) -> None:
    tolerance = Tolerance(behind=2, ahead=1)
    orders = desk((side, 1000, 10), tick=5)
    cancels, missing = planned(orders, [Target(side, price, 10)], tolerance)
    assert (not cancels) is kept
    assert (not missing) is kept


@pytest.mark.parametrize(("filled", "kept"), [(0, True), (5, True), (6, False)])
def test_a_partly_filled_order_is_kept_while_enough_of_it_is_open(filled: int, kept: bool) -> None:
    orders = desk((BUY, 1000, 10))
    if filled:
        orders.apply(fill(1, trade=1, size=filled))
    cancels, _ = planned(orders, [Target(BUY, 1000, 10)], Tolerance(size_percent=50))
    assert (not cancels) is kept


@pytest.mark.parametrize(("wanted", "kept"), [(2**61, True), (2**60, False)])
def test_sizes_near_the_largest_are_compared_exactly(wanted: int, kept: bool) -> None:
    tolerance = Tolerance(size_percent=100)
    cancels, _ = planned(desk((BUY, 1000, LARGEST)), [Target(BUY, 1000, wanted + 1)], tolerance)
    assert (not cancels) is kept


def test_an_order_larger_than_wanted_is_replaced() -> None:
    tolerance = Tolerance(size_percent=50)
    assert planned(desk((BUY, 1000, 20)), [Target(BUY, 1000, 10)], tolerance)[0] == [1]


def test_a_side_with_an_order_of_unknown_fate_gets_no_new_one() -> None:
    orders = desk()
    orders.create(intent())
    orders.note(1, LocalEvidence.TIMED_OUT, 3)
    assert planned(orders, [Target(BUY, 1000, 10)]) == ([], [])


def test_a_side_waits_while_more_cancels_are_unanswered_than_allowed() -> None:
    wanted = [Target(BUY, 1005, 10)]
    orders = desk((BUY, 1000, 10))
    orders.note(1, LocalEvidence.CANCEL_REQUESTED, 3)
    assert planned(orders, wanted) == ([], wanted)
    for in_flight, missing in ((1, []), (2, wanted)):
        orders = desk((BUY, 1000, 10), (BUY, 1001, 10))
        orders.note(1, LocalEvidence.CANCEL_REQUESTED, 3)
        assert planned(orders, wanted, Tolerance(in_flight=in_flight)) == ([2], missing)


@pytest.mark.parametrize(
    "fields",
    [
        {"order_type": OrderType.MARKET},
        {"order_type": OrderType.STOP_LIMIT},
        {"in_force": TimeInForce.IOC},
    ],
)
def test_orders_that_are_no_quotes_are_not_touched(fields: dict[str, int]) -> None:
    orders = desk()
    orders.create(intent(**fields))
    assert planned(orders, [Target(BUY, 1001, 10)]) == ([], [Target(BUY, 1001, 10)])


def test_a_ladder_keeps_every_rung_that_still_fits() -> None:
    orders = desk(*((BUY, price, 10) for price in (1000, 998, 996)))
    wanted = [Target(BUY, price, 10) for price in (1000, 999, 998)]
    assert planned(orders, wanted) == ([3], [Target(BUY, 999, 10)])


def most_that_can_be_kept(wanted: list[int], held: list[int], tolerance: Tolerance) -> int:
    """Match by trying everything: each wanted price takes any one order or none."""
    best = 0
    for choice in product(range(-1, len(held)), repeat=len(wanted)):
        used = [place for place in choice if place >= 0]
        fits = all(
            -tolerance.behind <= held[place] - price <= tolerance.ahead
            for price, place in zip(wanted, choice, strict=True)
            if place >= 0
        )
        if fits and len(set(used)) == len(used):
            best = max(best, len(used))
    return best


prices = st.lists(st.integers(100, 106), max_size=4)


@given(prices.filter(bool), prices, st.integers(0, 2), st.integers(0, 2))
def test_no_other_plan_keeps_more_orders(
    wanted: list[int], held: list[int], behind: int, ahead: int
) -> None:
    tolerance = Tolerance(behind=behind, ahead=ahead, in_flight=9)
    orders = desk(*((BUY, price, 10) for price in held))
    cancels, missing = planned(orders, [Target(BUY, price, 10) for price in wanted], tolerance)
    kept = len(held) - len(cancels)
    assert kept == most_that_can_be_kept(wanted, held, tolerance)
    assert len(missing) == len(wanted) - kept


quotes = st.tuples(st.sampled_from([BUY, SELL]), st.integers(100, 106), st.integers(1, 12))
fates = st.sampled_from([None, *LocalEvidence])


@given(
    st.lists(quotes, max_size=5),
    st.lists(st.tuples(quotes, fates), max_size=5),
    st.builds(
        Tolerance,
        behind=st.integers(0, 2),
        ahead=st.integers(0, 2),
        size_percent=st.integers(0, 100),
        in_flight=st.integers(0, 2),
    ),
)
def test_the_plan_is_that_of_the_twin(
    wanted: list[Quote], held: list[tuple[Quote, LocalEvidence | None]], tolerance: Tolerance
) -> None:
    orders = desk(*(quote for quote, _ in held))
    for number, (_, fate) in enumerate(held, 1):
        if fate is not None:
            orders.note(number, fate, 5)
    standing = [
        Standing(each.number, each.side, each.price, each.size, each.status)
        for each in orders.working(0)
    ]
    targets = [Target(*quote) for quote in wanted]
    cancels, missing = plan_quotes(targets, standing, tolerance)
    found = planned(orders, targets, tolerance)
    assert (found[0], sorted(found[1])) == (
        sorted(order.number for order in cancels),
        sorted(missing),
    )
    orders.check()
