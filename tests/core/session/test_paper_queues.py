"""Resting orders on paper: their place in the queue, and what fills or ends them."""

import pytest
from tests.core.session.paper_market import (
    Market,
    told,
    trade,
)

from bot4_core.domain_types.records import (
    EventFlag,
    OrderFlag,
    OrderReason,
    OrderType,
    Side,
    TimeInForce,
)

BUY, SELL = Side.BUY, Side.SELL
BIDS = {100: 5, 99: 7, 98: 9}
ASKS = {102: 4, 103: 6, 104: 8}


@pytest.fixture
def market() -> Market:
    """Return a market with a live book and no latency."""
    world = Market()
    world.set_book(BIDS, ASKS)
    return world


def test_trades_consume_the_queue_before_our_order(market: Market) -> None:
    market.place(price=100, size=4)
    assert not len(market.send(trade(SELL, 100, 3)))
    assert told(market.send(trade(SELL, 100, 4)), "size") == [("filled", 2)]
    assert told(market.send(trade(SELL, 100, 9)), "size") == [("filled", 2)]
    market.check()


def test_cancels_before_us_do_not_advance_a_risk_averse_order(market: Market) -> None:
    market.place(price=100, size=1)
    market.show((BUY, 100, 8))
    market.show((BUY, 100, 5))
    assert not len(market.send(trade(SELL, 100, 5)))
    assert len(market.send(trade(SELL, 100, 1)))
    market.check()


def test_displayed_size_bounds_what_is_before_us(market: Market) -> None:
    market.place(price=100, size=1)
    market.show((BUY, 100, 2))
    assert not len(market.send(trade(SELL, 100, 2)))
    assert len(market.send(trade(SELL, 100, 1)))
    market.check()


def test_cancels_advance_an_order_in_the_probability_model() -> None:
    world = Market(queue="probability", queue_power=1)
    world.set_book({100: 10}, ASKS)
    world.place(price=100, size=1)
    world.show((BUY, 100, 30))  # ten before us, twenty behind
    world.show((BUY, 100, 21))  # nine left: six from behind, three from before
    assert not len(world.send(trade(SELL, 100, 7)))
    assert len(world.send(trade(SELL, 100, 1)))
    world.check()


def test_trade_through_our_price_fills_us_by_its_size(market: Market) -> None:
    market.place(price=100, size=4)
    answers = market.send(trade(SELL, 99, 3))
    assert told(answers, "price", "size") == [("filled", 100, 3)]
    assert int(answers[0]["flags"]) & EventFlag.MAKER
    market.check()


def test_trade_of_unknown_side_reaches_both_sides(market: Market) -> None:
    market.place(1, side=BUY, price=101, size=1)
    market.place(2, side=SELL, price=103, size=1)
    assert told(market.send(trade(0, 101, 1)), "link") == [("filled", 1)]
    assert told(market.send(trade(0, 104, 1)), "link") == [("filled", 2)]
    market.check()


def test_our_orders_together_get_no_more_than_was_traded(market: Market) -> None:
    market.place(1, price=101, size=3)
    market.place(2, price=101, size=3)
    market.place(3, price=100, size=3)
    answers = market.send(trade(SELL, 99, 7))
    assert told(answers, "link", "size") == [("filled", 1, 3), ("filled", 2, 3), ("filled", 3, 1)]
    market.check()


def test_book_that_crosses_our_price_fills_us_as_maker(market: Market) -> None:
    market.place(price=101, size=5)
    answers = market.show((SELL, 101, 3))
    assert told(answers, "price", "size") == [("filled", 101, 3)]
    assert int(answers[0]["flags"]) & EventFlag.MAKER
    assert not len(market.show((SELL, 105, 1)))
    market.check()


def test_resting_orders_wait_while_the_book_is_not_live(market: Market) -> None:
    market.place(price=101, size=5)
    market.lose()
    assert not len(market.show((SELL, 101, 3)))
    market.check()


def test_order_that_would_meet_our_own_expires_before_it(market: Market) -> None:
    market.place(1, side=SELL, price=103, size=5)
    answers = market.place(2, side=BUY, price=104, size=9)
    assert told(answers, "size", "aux")[-1] == ("expired", 5, OrderReason.SELF_TRADE)
    flags = OrderFlag.POST_ONLY
    assert told(market.place(3, side=BUY, price=104, flags=flags)) == [("rejected",)]
    market.show((SELL, 102, 0), (SELL, 103, 0), (SELL, 104, 0))
    refused = market.place(4, side=BUY, price=104, flags=flags)
    assert told(refused, "aux") == [("rejected", OrderReason.SELF_TRADE)]
    everything = market.place(5, side=BUY, type=OrderType.MARKET, price=0)
    assert told(everything, "aux")[-1] == ("expired", OrderReason.SELF_TRADE)
    market.check()


def test_reduce_only_order_stops_when_the_position_is_flat(market: Market) -> None:
    market.place(1, price=102, size=4)
    answers = market.place(2, side=SELL, price=98, size=9, flags=OrderFlag.REDUCE_ONLY)
    assert told(answers, "size", "aux")[1:] == [
        ("filled", 4, told(answers, "aux")[1][1]),
        ("expired", 5, OrderReason.WOULD_INCREASE),
    ]
    assert market.venue.position(0) == 0
    market.check()


def test_resting_reduce_only_order_expires_when_there_is_nothing_left(market: Market) -> None:
    market.place(1, price=102, size=4)
    market.place(2, side=SELL, price=103, size=4, flags=OrderFlag.REDUCE_ONLY)
    market.place(3, side=SELL, price=100, size=4)
    assert told(market.send(trade(BUY, 104, 2)), "link", "aux") == [
        ("expired", 2, OrderReason.WOULD_INCREASE)
    ]
    market.check()


def test_whole_reduce_only_order_must_fit_the_position_to_fill_or_kill(market: Market) -> None:
    market.place(1, price=102, size=2)
    flags = OrderFlag.REDUCE_ONLY
    killed = market.place(
        2, side=SELL, price=98, size=3, flags=flags, time_in_force=TimeInForce.FOK
    )
    assert told(killed) == [("accepted",), ("expired",)]
    market.check()


def test_cancel_that_comes_too_late_is_rejected(market: Market) -> None:
    market.place(price=102, size=1)
    answers = market.cancel()
    assert told(answers, "link", "side", "aux") == [
        ("cancel_rejected", 1, BUY, OrderReason.NOT_OPEN)
    ]
    assert told(market.cancel(99), "link", "side") == [("cancel_rejected", 99, 0)]
    market.check()


def test_cancel_takes_an_order_out_of_the_middle_of_its_chain(market: Market) -> None:
    for number, price in enumerate((99, 100, 100, 98), 1):
        market.place(number, price=price)
    market.cancel(3)
    market.cancel(1)
    answers = market.send(trade(SELL, 90, 100))
    assert told(answers, "link") == [("filled", 2), ("filled", 4)]
    market.check()
