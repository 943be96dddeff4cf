"""The paper venue where its tables end: levels, requests, answers, orders."""

import attrs
import pytest
from tests.core.session.paper_market import (
    INSTRUMENT,
    Market,
    intent,
    told,
    trade,
)

from bot4_core.domain_types.canonical_types import Symbol
from bot4_core.domain_types.records import (
    EventKind,
    OrderReason,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.kernels.matching_state import FREE_ORDER, OUT_ROOM, TAKEN_ROOM

BUY, SELL = Side.BUY, Side.SELL
BIDS = {100: 5, 99: 7, 98: 9}
ASKS = {102: 4, 103: 6, 104: 8}


@pytest.fixture
def market() -> Market:
    """Return a market with a live book and no latency."""
    world = Market()
    world.set_book(BIDS, ASKS)
    return world


def test_quotes_and_other_events_do_not_concern_the_matcher(market: Market) -> None:
    market.place(price=100)
    assert not len(market.lose())
    assert market.venue.open_orders == 1


def test_more_orders_and_answers_than_there_is_room_for_are_kept() -> None:
    world = Market(delays=(5, 10_000))
    world.set_book({100: 5}, dict.fromkeys(range(101, 301), 1))
    for number in range(1, 301):
        world.place(number, price=100)
        if number % 3 == 0:
            world.cancel(number)
    world.pass_time(5)
    for number in range(301, 306):
        world.place(number, type=OrderType.MARKET, price=0, size=40)
    world.pass_time(5)
    world.send(trade(SELL, 99, 250))
    world.check()


def test_cancels_alone_may_fill_the_ring_of_requests() -> None:
    world = Market(delays=(5, 0))
    world.set_book(BIDS, ASKS)
    world.place(1, price=99)
    for _ in range(300):
        world.cancel(1)
    assert len(world.pass_time(5)) == 301
    world.check()


def fill_or_kill(world: Market, number: int, price: int) -> str:
    """Take two at a price at once or not, outside the twin; return what became of it."""
    side = BUY if price > 300 else SELL
    fields = {"side": side, "price": price, "size": 2, "time_in_force": TimeInForce.FOK}
    world.venue.place(intent(number, time=world.now, **fields))
    (outcome,) = told(world.venue.due(world.now)[-1:])
    return str(outcome[0])


def shrink(world: Market, at: int, room: int) -> None:
    """Tell the venue's matcher that it has less room for something."""
    world.venue._desk[at] = room


def test_oldest_taken_level_is_forgotten_when_the_memory_is_full() -> None:
    world = Market()
    shrink(world, TAKEN_ROOM, 4)
    world.set_book(dict.fromkeys(range(190, 201), 2), dict.fromkeys(range(301, 311), 2))
    prices = [301, 302, 303, 200]
    assert {fill_or_kill(world, at, price) for at, price in enumerate(prices, 1)} == {"filled"}
    assert fill_or_kill(world, 5, 301) == "expired"
    assert fill_or_kill(world, 6, 199) == "filled"
    assert fill_or_kill(world, 7, 301) == "filled"


def test_order_walks_no_further_than_256_levels() -> None:
    world = Market()
    world.set_book({100: 5}, dict.fromkeys(range(301, 701), 1))
    fields = {"type": OrderType.MARKET, "price": 0, "size": 300}
    for number, time_in_force in enumerate((TimeInForce.FOK, TimeInForce.IOC), 1):
        world.venue.place(intent(number, time_in_force=time_in_force, **fields))
    answers = world.venue.due(world.now)
    assert int(answers[answers["kind"] == EventKind.ORDER_FILLED]["size"].sum()) == 256
    assert told(answers[-1:], "size") == [("expired", 44)]


def test_taker_walks_levels_far_from_the_touch(market: Market) -> None:
    far = {200 + 1_000 * step: 1 for step in range(50)}
    market.set_book(BIDS, {102: 4, **far})
    answers = market.place(type=OrderType.MARKET, price=0, size=60)
    assert told(answers, "price", "size")[-3:] == [
        ("filled", 48_200, 1),
        ("filled", 49_200, 1),
        ("expired", 0, 6),
    ]
    market.check()


def test_books_that_move_in_memory_are_found_again(market: Market) -> None:
    market.place(1, price=101)
    market.books.memory.words = market.books.memory.words.copy()
    market.show((SELL, 102, 9))
    answers = market.place(2, price=102, size=9)
    assert told(answers, "price", "size")[1:] == [("filled", 102, 9)]
    market.check()


def test_answers_wait_however_many_they_are() -> None:
    world = Market(delays=(0, 10**6))
    shrink(world, OUT_ROOM, 266)
    world.set_book({100: 5}, ASKS)
    for number in range(1, 8):
        world.place(number, price=50, time_in_force=TimeInForce.IOC)
    world.place(8, price=101, size=2_000)
    for _ in range(300):
        world.send(trade(SELL, 101, 1))
    assert world.venue.position(0) == 300
    world.check()


def test_venue_without_room_for_more_orders_rejects_them(market: Market) -> None:
    market.place(1, price=99)
    market.venue._desk[FREE_ORDER] = 0
    market.venue.place(intent(2, side=SELL, time=market.now))
    answers = market.venue.due(market.now)
    assert told(answers, "link", "side", "aux") == [("rejected", 2, SELL, OrderReason.TOO_MANY)]
    market.cancel(1)
    assert told(market.place(3, price=99)) == [("accepted",)]


def test_requests_alone_may_need_more_room() -> None:
    world = Market(delays=(5, 0))
    world.set_book(BIDS, ASKS)
    for _ in range(256):
        world.cancel(1)
    world.place(1, price=99)
    assert len(world.pass_time(5)) == 257
    world.check()


def test_only_recent_orders_are_remembered(monkeypatch: pytest.MonkeyPatch, market: Market) -> None:
    monkeypatch.setattr("bot4_core.session.paper.REMEMBERED_ORDERS", 2)
    for number in (1, 2, 3):
        market.place(number, price=102, time_in_force=TimeInForce.IOC)
    assert told(market.cancel(1), "side") == [("cancel_rejected", 0)]
    assert told(market.cancel(2), "side") == [("cancel_rejected", BUY)]
    market.check()


def test_order_book_of_one_instrument_does_not_touch_another() -> None:
    world = Market([INSTRUMENT, attrs.evolve(INSTRUMENT, symbol=Symbol("CCC-BBB"))])
    world.set_book(BIDS, ASKS, instrument=0)
    world.set_book(BIDS, ASKS, instrument=1)
    world.place(1, price=102, size=2, instrument=1)
    world.place(2, price=100, size=2, instrument=1)
    world.show((SELL, 102, 9), instrument=0)
    assert not len(world.send(trade(SELL, 99, 50, instrument=0)))
    assert len(world.send(trade(SELL, 99, 50, instrument=1)))
    world.check()
