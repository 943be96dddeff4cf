"""What the venue tells of orders while they work, and what is asked because of it."""

import json

import pytest
from tests.plugins.exchange_binance.private import (
    NOW,
    answer,
    client_id,
    hear,
    kinds,
    params_of,
    trader,
)

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason, Side
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_binance import known_orders
from bot4_plugins.exchange_binance.adapter import BinanceExchange
from bot4_plugins.exchange_binance.known_orders import KnownOrders

Fields = dict[str, object]
HALF_HOUR = 1_800 * 10**9
RETRY = 10 * 10**9


def report(**changes: object) -> Fields:
    """Return an ``executionReport`` of a new order of ours."""
    return {
        "e": "executionReport",
        "E": 5,
        "s": "BTCUSDT",
        "c": client_id(),
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "2.00000000",
        "p": "61800.50000000",
        "P": "0.00",
        "C": "",
        "x": "NEW",
        "X": "NEW",
        "r": "NONE",
        "i": 28,
        "l": "0.00",
        "z": "0.00",
        "L": "0.00",
        "n": "0",
        "N": None,
        "T": 1,
        "t": -1,
        "w": True,
        "m": False,
        **changes,
    }


def update(**changes: object) -> Fields:
    """Return an ``ORDER_TRADE_UPDATE`` of a new order of ours."""
    body = {
        "s": "BTCUSDT",
        "c": client_id(),
        "S": "SELL",
        "o": "LIMIT",
        "f": "GTC",
        "q": "2.000",
        "p": "61800.50",
        "sp": "0",
        "x": "NEW",
        "X": "NEW",
        "i": 28,
        "l": "0",
        "z": "0",
        "L": "0",
        "n": "0",
        "N": None,
        "T": 1,
        "t": 0,
        "m": False,
        **changes,
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": 5, "T": 1, "o": body}


def algo(**changes: object) -> Fields:
    """Return an ``ALGO_UPDATE`` of a conditional order of ours."""
    body = {
        "caid": client_id(),
        "aid": 5,
        "o": "STOP_MARKET",
        "s": "BTCUSDT",
        "S": "SELL",
        "q": "2",
        "X": "NEW",
        "ai": "",
        "aq": "0",
        "tp": "60000",
        "p": "0",
        **changes,
    }
    return {"e": "ALGO_UPDATE", "E": 5, "T": 1, "o": body}


FILL = {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "0.5", "z": "0.5", "L": "61800.40", "t": 9}


@pytest.mark.parametrize("wrapped", [False, True])
def test_fill_of_a_spot_order(wrapped: bool) -> None:
    event = report(**FILL, n="0.0005", N="BTC", m=True)
    exchange, batch = trader("spot"), EventBatch()
    sent = {"subscriptionId": 0, "event": event} if wrapped else event
    exchange.decode(json.dumps(sent).encode(), NOW, batch)
    (row,) = batch.events
    assert (row["kind"], row["link"], row["side"]) == (EventKind.ORDER_FILLED, 7, Side.BUY)
    assert (row["price"], row["size"], row["sequence"]) == (6_180_040, 50_000, 9)
    assert (row["aux"], row["time"], row["received"]) == (50_000, 1_000_000, NOW)
    assert row["flags"] == EventFlag.LAST | EventFlag.MAKER | EventFlag.THIRD_ASSET_FEE


def test_fee_finer_than_the_settlement_asset_is_rounded_up() -> None:
    (fill,) = hear(trader("usdm"), update(**FILL, n="0.0000000101", N="USDT"))
    assert fill.aux == 2
    (rebate,) = hear(trader("usdm"), update(**FILL, n="-0.0000000199", N="USDT"))
    assert rebate.aux == -1


def test_cancellation_is_of_the_order_that_it_names() -> None:
    event = report(x="CANCELED", X="CANCELED", c="cancel 1", C=client_id(), z="0.5")
    (told,) = hear(trader("spot"), event)
    assert (told.kind, told.link, told.size) == (EventKind.ORDER_CANCELED, 7, 150_000)


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"x": "EXPIRED", "X": "EXPIRED", "f": "FOK"}, "ORDER_EXPIRED", OrderReason.UNFILLED),
        ({"x": "REJECTED", "X": "REJECTED"}, "ORDER_REJECTED", OrderReason.VENUE),
        ({"x": "REPLACED", "X": "NEW", "q": "1"}, "ORDER_ACCEPTED", -1),
        ({"o": "STOP_LOSS", "P": "60000", "w": False}, "ORDER_UNTRIGGERED", -1),
        ({"x": "TRADE_PREVENTION", "A": "0.5"}, "ORDER_ACCEPTED", -1),
    ],
)
def test_spot_states(changes: Fields, kind: str, reason: int) -> None:
    (told,) = hear(trader("spot"), report(**changes))
    assert (told.kind.name, told.link, told.aux) == (kind, 7, reason)
    if "A" in changes:
        assert told.size == 150_000
    if kind == "ORDER_UNTRIGGERED":
        assert told.price == 6_000_000


def test_changed_futures_order_shows_its_new_price() -> None:
    (told,) = hear(trader("usdm"), update(x="AMENDMENT", p="61900.00"))
    assert (told.kind, told.price) == (EventKind.ORDER_ACCEPTED, 6_190_000)


def test_last_fill_of_an_order_that_ends_with_it_tells_both() -> None:
    event = update(**{**FILL, "X": "EXPIRED", "f": "IOC", "n": "0.1", "N": "USDT"})
    fill, end = hear(trader("usdm"), event)
    assert (fill.kind, end.kind) == (EventKind.ORDER_FILLED, EventKind.ORDER_EXPIRED)
    assert end.size == 1_500


def test_fill_without_a_price_is_asked_for() -> None:
    exchange = trader("spot")
    assert hear(exchange, report(**{**FILL, "L": "0.0"})) == []
    (request,) = exchange.wanted()
    assert params_of(request)["orderId"] == "28"
    assert request.order == 7
    silent = trader("spot", keys=None)
    assert hear(silent, report(**{**FILL, "L": "0.0"})) == []
    assert not silent.wanted()


def test_order_is_known_by_the_venues_id_when_its_client_id_is_not_told() -> None:
    exchange = trader("usdm")
    assert [event.link for event in hear(exchange, update())] == [7]
    assert [event.link for event in hear(exchange, update(**FILL, c="", n="0", N="USDT"))] == [7]
    assert [event.link for event in hear(exchange, update(i=29, c="web_1"))] == [-1]


def test_triggered_order_is_known_by_the_id_that_it_turned_into() -> None:
    exchange = trader("usdm")
    assert kinds(hear(exchange, algo())) == [EventKind.ORDER_UNTRIGGERED]
    assert hear(exchange, algo(X="TRIGGERING")) == []
    (told,) = hear(exchange, algo(X="TRIGGERED", ai="77"))
    assert (told.kind, told.sequence) == (EventKind.ORDER_ACCEPTED, 77)
    (fill,) = hear(exchange, update(**FILL, c="other", i=77, n="0", N="USDT"))
    assert fill.link == 7
    assert hear(exchange, algo(X="FINISHED", ai="77", aq="2")) == []
    assert kinds(hear(exchange, algo(X="FINISHED", ai="77"))) == [EventKind.ORDER_CANCELED]


@pytest.mark.parametrize(
    ("state", "kind"),
    [("EXPIRED", EventKind.ORDER_EXPIRED), ("REJECTED", EventKind.ORDER_REJECTED)],
)
def test_conditional_order_may_end_untriggered(state: str, kind: EventKind) -> None:
    (told,) = hear(trader("usdm"), algo(X=state))
    assert (told.kind, told.link, told.aux) == (kind, 7, OrderReason.VENUE)


@pytest.mark.parametrize(
    ("client", "flag"),
    [
        ("autoclose-1", EventFlag.LIQUIDATED),
        ("adl_autoclose", EventFlag.DELEVERAGED),
        ("adl_autoclose-1", EventFlag.DELEVERAGED),
        ("settlement_autoclose-1", EventFlag.SETTLED),
        ("delivery_autoclose-1", EventFlag.SETTLED),
        ("web_1", EventFlag.NONE),
    ],
)
def test_orders_that_the_venue_makes_are_marked(client: str, flag: EventFlag) -> None:
    exchange, batch = trader("usdm"), EventBatch()
    event = update(**{**FILL, "x": "CALCULATED", "c": client, "n": "0", "N": "USDT"})
    exchange.decode(json.dumps(event).encode(), NOW, batch)
    marks = EventFlag.LIQUIDATED | EventFlag.DELEVERAGED | EventFlag.SETTLED
    assert int(batch.events["flags"][0]) & marks == flag
    assert batch.events["link"].tolist() == [-1]


@pytest.mark.parametrize(
    "event",
    [
        report(x="DANCED"),
        report(X="DANCING"),
        report(S="HOLD"),
        report(q="two"),
        report(**{**FILL, "t": -1}),
        report(**{**FILL, "L": "-1"}),
        report(**{**FILL, "n": "much"}),
        report(T=-1),
        report(s=""),
        update(x="DANCED"),
        update(l=5),
        algo(X="DANCING"),
        algo(ai="seven"),
        algo(S="HOLD"),
    ],
)
def test_wrong_events_are_quarantined(event: Fields) -> None:
    exchange = trader("usdm")
    assert hear(exchange, event) == []
    assert exchange.quarantined == 1


def listened(exchange: BinanceExchange, now: int = NOW) -> list[str]:
    return [each.tag.partition(".")[0] for each in exchange.due(Nanoseconds(now))]


def test_futures_account_is_heard_with_a_listen_key_that_is_kept_alive() -> None:
    exchange = trader("usdm")
    assert [each.name for each in exchange.connections()] == ["rest", "public", "market", "trade"]
    _, request = exchange.opened("rest", NOW)
    assert (request.method, request.path) == ("POST", "/fapi/v1/listenKey")
    assert answer(exchange, request, {"listenKey": "abc"}) == []
    *_, private = exchange.connections()
    assert (private.name, private.private) == ("private", True)
    assert private.url == "wss://fstream.binance.com/private/ws?listenKey=abc"
    assert listened(exchange, NOW + HALF_HOUR - 1) == []
    (renewal,) = exchange.due(Nanoseconds(NOW + HALF_HOUR))
    assert renewal.method == "PUT"
    assert answer(exchange, renewal, {"listenKey": "abc"}) == []
    assert not exchange.wanted()
    assert answer(exchange, renewal, {"code": -1125, "msg": "no such key"}, 400) == []
    (again,) = exchange.wanted()
    assert again.method == "POST"
    assert [each.name for each in exchange.connections()][-1] == "trade"


def test_lost_listen_key_is_asked_for_again() -> None:
    exchange = trader("coinm")
    answer(exchange, exchange.opened("rest", NOW)[1], {"listenKey": "abc"})
    assert exchange.connections()[-1].url == "wss://dstream.binance.com/ws/abc"
    assert len(exchange.opened("rest", NOW)) == 1
    hear(exchange, {"e": "listenKeyExpired", "E": 1, "listenKey": "abc"})
    assert [each.method for each in exchange.wanted()] == ["POST"]
    assert listened(exchange, NOW + RETRY - 1) == []
    assert listened(exchange, NOW + RETRY) == ["listen"]


def test_spot_account_is_heard_on_the_websocket_api() -> None:
    exchange = trader("spot")
    (request,) = exchange.opened("trade", NOW)
    frame = json.loads(request.body)
    assert frame["method"] == "userDataStream.subscribe.signature"
    assert {"apiKey", "timestamp", "signature"} == set(frame["params"])
    assert answer(exchange, request, {"subscriptionId": 0}) == []
    exchange.opened("rest", NOW)
    assert listened(exchange, NOW + HALF_HOUR) == []
    terminated = {"e": "eventStreamTerminated", "E": 1}
    assert hear(exchange, {"subscriptionId": 0, "event": terminated}) == []
    assert [each.connection for each in exchange.wanted()] == ["trade"]


def test_without_a_key_nothing_private_is_opened_or_asked() -> None:
    exchange = trader("usdm", keys=None)
    assert not any(each.private for each in exchange.connections())
    assert len(exchange.opened("rest", NOW)) == 1
    assert exchange.opened("trade", NOW) == []
    assert listened(exchange, NOW + HALF_HOUR) == []
    hear(exchange, {"e": "listenKeyExpired"})
    assert not exchange.wanted()


def test_oldest_ids_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_orders, "MOST", 2)
    orders = KnownOrders(lambda text: int(text or -1))
    for number in range(4):
        assert orders.number(str(number), "A", number) == number
        orders.mark("A", number, EventFlag.SETTLED)
    assert [orders.by_venue_id("A", number) for number in range(4)] == [-1, -1, 2, 3]
    assert orders.origin("A", 0) is EventFlag.NONE
    assert orders.origin("A", 3) is EventFlag.SETTLED
