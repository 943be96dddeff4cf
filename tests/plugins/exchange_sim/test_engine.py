"""The matching engine: price before time, exact sizes, and every order type of the client."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.exchange_sim.small_venue import LEVELS, ORIGIN, TICK, SmallVenue

from bot4_core.domain_types.records import OrderFlag, OrderReason, OrderType, Side, TimeInForce
from bot4_plugins.exchange_sim.engine import FREE, NEXT

BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def venue() -> SmallVenue:
    """Return a venue with three levels a side."""
    small = SmallVenue()
    for distance, size in enumerate((6, 10, 14)):
        small.crowd_rests(BUY, (99 - distance) * TICK, size)
        small.crowd_rests(SELL, (101 + distance) * TICK, size)
    return small


def last(venue: SmallVenue) -> tuple[str, int]:
    """Return kind and reason (or fee) of the last thing said."""
    return venue.said[-1][0], venue.said[-1][5]


def fills(venue: SmallVenue) -> list[tuple[int, int]]:
    """Return price in ticks and size of the client's fills."""
    return [(row[2] // TICK, row[3]) for row in venue.said if row[0] == "filled"]


def test_better_price_trades_first(venue: SmallVenue) -> None:
    venue.place(1, price=102 * TICK, size=10)
    assert fills(venue) == [(101, 6), (102, 4)]
    venue.check()


def test_earlier_order_trades_first_at_one_price(venue: SmallVenue) -> None:
    venue.place(1, price=99 * TICK, size=8)
    venue.crowd_rests(BUY, 99 * TICK, 8)
    venue.crowd_takes(SELL, 99 * TICK, 12)
    assert fills(venue) == [(99, 6)]
    venue.crowd_takes(SELL, 99 * TICK, 6)
    assert fills(venue) == [(99, 6), (99, 2)]
    venue.check()


def test_rest_of_a_limit_order_rests(venue: SmallVenue) -> None:
    venue.place(1, price=101 * TICK, size=10)
    assert venue.levels(BUY)[101 * TICK] == 4
    venue.check()


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_immediate_order_leaves_nothing(venue: SmallVenue, time_in_force: TimeInForce) -> None:
    venue.place(1, price=101 * TICK, size=10, time_in_force=time_in_force)
    assert fills(venue) == ([(101, 6)] if time_in_force is TimeInForce.IOC else [])
    assert last(venue) == ("expired", OrderReason.UNFILLED)
    venue.check()


def test_fill_or_kill_fills_across_levels(venue: SmallVenue) -> None:
    venue.place(1, price=103 * TICK, size=30, time_in_force=TimeInForce.FOK)
    assert fills(venue) == [(101, 6), (102, 10), (103, 14)]
    venue.place(2, price=(ORIGIN + LEVELS - 1) * TICK, time_in_force=TimeInForce.FOK)
    assert last(venue) == ("expired", OrderReason.UNFILLED)
    venue.check()


def test_market_order_takes_what_there_is(venue: SmallVenue) -> None:
    venue.place(1, side=SELL, type=OrderType.MARKET, price=0, size=40)
    assert fills(venue) == [(99, 6), (98, 10), (97, 14)]
    assert last(venue) == ("expired", OrderReason.UNFILLED)
    venue.check()


def test_post_only_order_never_takes(venue: SmallVenue) -> None:
    flags = OrderFlag.POST_ONLY
    for number, (side, price) in enumerate([(BUY, 101), (SELL, 99)]):
        venue.place(number, side=side, price=price * TICK, flags=flags)
        assert last(venue) == ("rejected", OrderReason.WOULD_TAKE)
    venue.place(3, price=100 * TICK, flags=flags)
    venue.place(4, side=SELL, price=101 * TICK, flags=flags)
    assert [row[0] for row in venue.said[-2:]] == ["accepted", "accepted"]
    venue.check()


def test_client_does_not_trade_with_itself(venue: SmallVenue) -> None:
    venue.place(1, side=SELL, price=100 * TICK)
    venue.place(2, side=BUY, price=101 * TICK)
    assert last(venue) == ("expired", OrderReason.SELF_TRADE)
    venue.place(3, side=BUY, price=101 * TICK, time_in_force=TimeInForce.FOK)
    assert last(venue) == ("expired", OrderReason.UNFILLED)
    assert fills(venue) == []
    venue.check()


def test_reduce_only_order_never_turns_the_position(venue: SmallVenue) -> None:
    flags = OrderFlag.REDUCE_ONLY
    venue.place(1, side=SELL, price=99 * TICK, flags=flags)
    assert last(venue) == ("rejected", OrderReason.WOULD_INCREASE)
    venue.place(2, price=101 * TICK, size=6)
    venue.place(3, side=SELL, price=98 * TICK, size=8, flags=flags, time_in_force=TimeInForce.FOK)
    assert last(venue) == ("expired", OrderReason.UNFILLED)
    venue.place(4, side=SELL, price=98 * TICK, size=8, flags=flags)
    assert last(venue) == ("expired", OrderReason.WOULD_INCREASE)
    assert venue.twin.position == 0
    venue.check()


def test_resting_reduce_only_order_expires_when_met_flat(venue: SmallVenue) -> None:
    venue.place(1, price=101 * TICK, size=6)
    venue.place(2, side=SELL, price=100 * TICK, size=6, flags=OrderFlag.REDUCE_ONLY)
    venue.place(3, side=SELL, price=99 * TICK, size=4)
    venue.crowd_takes(BUY, 102 * TICK, 20)
    expired = [row for row in venue.said if row[0] == "expired"]
    assert [(row[3], row[5], row[6]) for row in expired] == [(4, OrderReason.WOULD_INCREASE, 2)]
    venue.check()


def test_cancel_takes_an_order_out_once(venue: SmallVenue) -> None:
    venue.place(1, price=99 * TICK)
    venue.cancel(1)
    assert last(venue) == ("canceled", OrderReason.REQUESTED)
    venue.cancel(1)
    assert last(venue) == ("cancel_rejected", OrderReason.NOT_OPEN)
    venue.check()


REJECTED: list[tuple[dict[str, Any], OrderReason]] = [
    ({"side": 0}, OrderReason.UNSUPPORTED),
    ({"type": OrderType.STOP}, OrderReason.UNSUPPORTED),
    ({"time_in_force": TimeInForce.GTD}, OrderReason.UNSUPPORTED),
    ({"type": OrderType.MARKET, "flags": OrderFlag.POST_ONLY}, OrderReason.UNSUPPORTED),
    ({"price": 0}, OrderReason.BAD_PRICE),
    ({"price": 501}, OrderReason.BAD_PRICE),
    ({"price": (ORIGIN - 1) * TICK}, OrderReason.BAD_PRICE),
    ({"price": (ORIGIN + LEVELS) * TICK}, OrderReason.BAD_PRICE),
    ({"size": 0}, OrderReason.BAD_SIZE),
    ({"size": 5}, OrderReason.BAD_SIZE),
    ({"size": 62}, OrderReason.BAD_SIZE),
    ({"size": 2}, OrderReason.BELOW_MINIMUM),
    ({"price": 84 * TICK}, OrderReason.BELOW_MINIMUM),
]


@pytest.mark.parametrize(("fields", "reason"), REJECTED)
def test_order_against_the_rules_is_rejected(
    venue: SmallVenue, fields: dict[str, Any], reason: OrderReason
) -> None:
    venue.place(1, **fields)
    assert last(venue) == ("rejected", reason)
    venue.check()


def test_number_of_a_resting_order_cannot_be_used_again(venue: SmallVenue) -> None:
    venue.place(1, price=98 * TICK)
    venue.place(1, price=97 * TICK)
    assert last(venue) == ("rejected", OrderReason.DUPLICATE)
    venue.check()


def test_full_venue_takes_no_more_orders_but_still_trades(venue: SmallVenue) -> None:
    number = 0
    while venue.words[venue.words[FREE] + NEXT] != 0:
        number += 1
        venue.place(number, price=90 * TICK)
    refused = len(venue.said)
    venue.twin.events.append(("rejected", 1, 0, 0, -1, OrderReason.TOO_MANY, 99, False))
    place_only_here(venue, 99)
    assert venue.said[refused:] == venue.twin.events[refused:]
    venue.crowd_takes(SELL, 99 * TICK, 4)
    venue.check()


def place_only_here(venue: SmallVenue, number: int) -> None:
    """Place an order without telling the twin, which never is full."""
    places = venue.twin.client_places
    venue.twin.client_places = lambda wish: None  # type: ignore[method-assign]  # see above
    venue.place(number)
    venue.twin.client_places = places  # type: ignore[method-assign]  # see above


SIDES = st.sampled_from([BUY, SELL])
PRICES = st.integers(92, 108).map(lambda ticks: ticks * TICK)
SIZES = st.integers(1, 15).map(lambda lots: lots * 2)
WISHES = st.fixed_dictionaries(
    {
        "side": SIDES,
        "price": PRICES,
        "size": SIZES,
        "type": st.sampled_from([OrderType.LIMIT] * 4 + [OrderType.MARKET]),
        "time_in_force": st.sampled_from(
            [TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.FOK]
        ),
        "flags": st.sampled_from(
            [OrderFlag.NONE] * 3 + [OrderFlag.POST_ONLY, OrderFlag.REDUCE_ONLY]
        ),
    }
)
ACTIONS = st.one_of(
    st.tuples(st.just("crowd_rests"), st.tuples(SIDES, PRICES, SIZES)),
    st.tuples(st.just("crowd_takes"), st.tuples(SIDES, PRICES, SIZES)),
    st.tuples(st.just("crowd_cancels"), st.tuples(st.integers(0, 50))),
    st.tuples(st.just("place"), WISHES),
    st.tuples(st.just("cancel"), st.tuples(st.integers(1, 20))),
)


@given(actions=st.lists(ACTIONS, max_size=46))
def test_engine_says_and_holds_what_its_twin_does(actions: list[tuple[str, Any]]) -> None:
    venue = SmallVenue()
    for number, (name, arguments) in enumerate(actions, 1):
        if name == "place":
            venue.place(number % 20, **arguments)
        else:
            getattr(venue, name)(*arguments)
    venue.check()


@given(actions=st.lists(ACTIONS, max_size=46))
def test_nothing_is_created_or_lost(actions: list[tuple[str, Any]]) -> None:
    venue = SmallVenue()
    for name, arguments in actions:
        if name == "place":
            continue
        before = {side: sum(venue.levels(side).values()) for side in (BUY, SELL)}
        trades = len(venue.said)
        getattr(venue, name)(*arguments)
        traded = sum(row[3] for row in venue.said[trades:] if row[0] == "trade")
        after = {side: sum(venue.levels(side).values()) for side in (BUY, SELL)}
        if name == "crowd_takes":
            side = arguments[0]
            assert before[-side] - after[-side] == traded
            assert before[side] == after[side]
        else:
            assert traded == 0
