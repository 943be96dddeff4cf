from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.orders.builders import intent, working_order

from bot4_core.domain_types.records import EventKind, OrderType, TimeInForce
from bot4_core.orders import (
    LocalEvidence,
    QuoteTolerance,
    Target,
    WorkingOrder,
    plan_quotes,
)

BUY, SELL = 1, -1


def standing(*prices: int, side: int = BUY, size: int = 10) -> list[WorkingOrder]:
    orders = []
    for number, price in enumerate(prices, start=1):
        order = working_order(number=number, side=side, price=price, size=size)
        order.absorb(EventKind.ORDER_ACCEPTED, 2, size)
        orders.append(order)
    return orders


def test_a_quote_that_already_stands_is_left_alone() -> None:
    plan = plan_quotes([Target(BUY, 1000, 10)], standing(1000), tick=1)
    assert plan == ([], [])


def test_nothing_wanted_on_no_side_changes_nothing() -> None:
    assert plan_quotes([], standing(1000), tick=1) == ([], [])


def test_a_missing_quote_is_ordered() -> None:
    wanted = Target(BUY, 1000, 10)
    assert plan_quotes([wanted], [], tick=1) == ([], [wanted])


def test_a_moved_quote_is_cancelled_and_ordered_anew() -> None:
    held = standing(1000)
    wanted = Target(BUY, 1001, 10)
    assert plan_quotes([wanted], held, tick=1) == (held, [wanted])


def test_size_zero_takes_a_side_away_and_leaves_the_other() -> None:
    buys, sells = standing(1000), standing(1010, side=SELL)
    plan = plan_quotes([Target(BUY, 0, 0)], [*buys, *sells], tick=1)
    assert plan == (buys, [])


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
    tolerance = QuoteTolerance(behind=2, ahead=1)
    plan = plan_quotes([Target(side, price, 10)], standing(1000, side=side), 5, tolerance)
    assert (not plan.cancels) is kept
    assert (not plan.orders) is kept


@pytest.mark.parametrize(("filled", "kept"), [(0, True), (5, True), (6, False)])
def test_a_partly_filled_order_is_kept_while_enough_of_it_is_open(filled: int, kept: bool) -> None:
    held = standing(1000)
    if filled:
        held[0].absorb_fill(3, 1, 1000, filled)
    plan = plan_quotes([Target(BUY, 1000, 10)], held, 1, QuoteTolerance(size_percent=50))
    assert (not plan.cancels) is kept


def test_an_order_larger_than_wanted_is_replaced() -> None:
    held = standing(1000, size=20)
    plan = plan_quotes([Target(BUY, 1000, 10)], held, 1, QuoteTolerance(size_percent=50))
    assert plan.cancels == held


def test_a_side_with_an_order_of_unknown_fate_gets_no_new_one() -> None:
    order = working_order()
    order.absorb(LocalEvidence.TIMED_OUT, 3)
    assert plan_quotes([Target(BUY, 1000, 10)], [order], tick=1) == ([], [])


def test_a_side_waits_while_more_cancels_are_unanswered_than_allowed() -> None:
    going = standing(1000)[0]
    going.absorb(LocalEvidence.CANCEL_REQUESTED, 3)
    there = standing(1001)[0]
    wanted = Target(BUY, 1005, 10)
    assert plan_quotes([wanted], [going], tick=1) == ([], [wanted])
    assert plan_quotes([wanted], [going, there], tick=1) == ([there], [])
    patient = QuoteTolerance(in_flight=2)
    assert plan_quotes([wanted], [going, there], 1, patient) == ([there], [wanted])


@pytest.mark.parametrize(
    "fields",
    [
        {"order_type": OrderType.MARKET},
        {"order_type": OrderType.STOP_LIMIT},
        {"in_force": TimeInForce.IOC},
    ],
)
def test_orders_that_are_no_quotes_are_not_touched(fields: dict[str, int]) -> None:
    order = WorkingOrder(intent(**fields))
    wanted = Target(BUY, 1001, 10)
    assert plan_quotes([wanted], [order], tick=1) == ([], [wanted])


def test_a_ladder_keeps_every_rung_that_still_fits() -> None:
    held = standing(1000, 998, 996)
    wanted = [Target(BUY, price, 10) for price in (1000, 999, 998)]
    plan = plan_quotes(wanted, held, tick=1)
    assert plan.cancels == [held[2]]
    assert plan.orders == [Target(BUY, 999, 10)]


def most_that_can_be_kept(wanted: list[int], held: list[int], tolerance: QuoteTolerance) -> int:
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
    tolerance = QuoteTolerance(behind=behind, ahead=ahead, in_flight=9)
    orders = standing(*held)
    plan = plan_quotes([Target(BUY, price, 10) for price in wanted], orders, 1, tolerance)
    kept = len(held) - len(plan.cancels)
    assert kept == most_that_can_be_kept(wanted, held, tolerance)
    assert len(plan.orders) == len(wanted) - kept
