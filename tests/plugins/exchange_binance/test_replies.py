"""A reply is an acceptance, a proven refusal, or neither: then the order is in doubt."""

import json
from pathlib import Path

import attrs
import pytest
from tests.plugins.exchange_binance.private import (
    DATE,
    DATE_NS,
    NOW,
    answer,
    client_id,
    intent,
    kinds,
    order,
    params_of,
    price,
    trader,
)

from bot4_core.domain_types.canonical_types import InstrumentId, Quantity
from bot4_core.domain_types.records import EventKind, OrderReason, OrderType
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_binance.adapter import BinanceExchange

Fields = dict[str, object]
ROUTES = ("websocket", "rest")
SMALLER = Quantity(100_000, -5)
STOP = {"trigger": price("usdm", "60000.00")}


def shown(status: object = "NEW", **changes: object) -> Fields:
    """Return an order as the venue shows it."""
    return {
        "symbol": "BTCUSDT",
        "orderId": 28,
        "clientOrderId": client_id(),
        "status": status,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "price": "61800.50",
        "origQty": "2.000",
        "executedQty": "0.000",
        "transactTime": 1507725176595,
        **changes,
    }


def error(code: int, text: str = "text") -> Fields:
    return {"code": code, "msg": text}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_accepted_order_is_accepted(market: str, route: str) -> None:
    exchange = trader(market, route=route)
    (event,) = answer(exchange, exchange.place(intent(market), NOW), shown())
    assert (event.kind, event.link, event.sequence) == (EventKind.ORDER_ACCEPTED, 7, 28)
    assert event.price == 6_180_050
    assert event.size == intent(market).size.value


def test_fills_of_a_new_spot_order_are_booked_at_once() -> None:
    exchange = trader("spot")
    fill = {"price": "61800.40", "qty": "2", "commission": "0.002", "commissionAsset": "BTC"}
    content = shown("FILLED", executedQty="2", fills=[{**fill, "tradeId": 56}])
    accepted, filled = answer(exchange, exchange.place(intent("spot"), NOW), content)
    assert (accepted.kind, accepted.size) == (EventKind.ORDER_ACCEPTED, 0)
    assert (filled.kind, filled.sequence, filled.aux) == (EventKind.ORDER_FILLED, 56, 200_000)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("status", [400, 429])
@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (-1013, "Filter failure: LOT_SIZE", OrderReason.VENUE),
        (-1015, "Too many new orders", OrderReason.VENUE),
        (-1021, "outside of the recvWindow", OrderReason.VENUE),
        (-2010, "insufficient balance", OrderReason.VENUE),
        (-2010, "Duplicate order sent.", OrderReason.DUPLICATE),
        (-4116, "ClientOrderId is duplicated.", OrderReason.DUPLICATE),
        (-5022, "could not be executed as maker", OrderReason.WOULD_TAKE),
    ],
)
def test_listed_codes_prove_a_refusal(
    route: str, status: int, code: int, text: str, reason: OrderReason
) -> None:
    exchange = trader("spot", route=route)
    request = exchange.place(intent("spot"), NOW)
    (event,) = answer(exchange, request, error(code, text), status)
    assert (event.kind, event.link, event.aux) == (EventKind.ORDER_REJECTED, 7, reason)
    assert exchange.refusal(str(code)) is EventKind.ORDER_REJECTED


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("status", "code"), [(400, -1000), (400, -1001), (400, -1006), (504, -1007), (503, -1008)]
)
def test_any_other_code_leaves_an_order_in_doubt(route: str, status: int, code: int) -> None:
    exchange = trader("usdm", route=route)
    (event,) = answer(exchange, exchange.place(intent("usdm"), NOW), error(code), status)
    assert (event.kind, event.link) == (EventKind.ORDER_IN_DOUBT, 7)
    assert exchange.refusal(str(code)) is EventKind.ORDER_IN_DOUBT


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, json.dumps(error(-2010)).encode(), EventKind.ORDER_IN_DOUBT),
        (503, b"Unknown error, please check your request or try again later.", None),
        (502, b"<html>", None),
        (403, b"<html>", None),
        (200, b"", None),
        (200, b"{}", None),
        (200, b"[]", None),
        (200, json.dumps(shown("SOMETHING")).encode(), None),
        (200, json.dumps(shown(price="x")).encode(), None),
        (429, b"<html>", EventKind.ORDER_REJECTED),
        (418, b"", EventKind.ORDER_REJECTED),
    ],
)
def test_replies_that_cannot_be_read_leave_an_order_in_doubt(
    status: int, body: bytes, kind: EventKind | None
) -> None:
    exchange = trader("spot", route="rest")
    (event,) = answer(exchange, exchange.place(intent("spot"), NOW), body, status)
    assert event.kind is (kind or EventKind.ORDER_IN_DOUBT)
    assert exchange.quarantined == 0


def test_every_published_error_of_a_new_order_means_what_is_said_here(recordings: Path) -> None:
    expected = {
        **dict.fromkeys(("rate_limit", "ip_ban", "order_rate_limit"), EventKind.ORDER_REJECTED),
        **dict.fromkeys(("bad_timestamp", "clock_ahead"), EventKind.ORDER_REJECTED),
        **dict.fromkeys(("bad_signature", "bad_key", "filter"), EventKind.ORDER_REJECTED),
        **dict.fromkeys(
            ("insufficient_balance", "post_only_would_match"), EventKind.ORDER_REJECTED
        ),
        "duplicate_client_id": EventKind.ORDER_REJECTED,
        "waf_or_block": EventKind.ORDER_IN_DOUBT,
        "cancel_unknown": EventKind.ORDER_IN_DOUBT,
        "query_unknown": EventKind.ORDER_IN_DOUBT,
        "timeout_unknown_state": EventKind.ORDER_IN_DOUBT,
        "ws_api_reject": EventKind.ORDER_IN_DOUBT,
    }
    errors = json.loads((recordings / "error_bodies.json").read_text())["errors"]
    ours = {each["kind"]: each for each in errors if each["exchange"] == "binance"}
    assert set(ours) == set(expected)
    for kind, entry in ours.items():
        exchange = trader("spot", route="rest")
        content = entry["body"] or {}
        content = content.get("error", content) if entry["body"] else b"<html>"
        status = entry["http_status"] or 400
        (event,) = answer(exchange, exchange.place(intent("spot"), NOW), content, status)
        assert event.kind is expected[kind], kind


@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_cancelled_order_is_cancelled(market: str) -> None:
    exchange = trader(market)
    content = shown("CANCELED", executedQty="0.5", origClientOrderId=client_id(), clientOrderId="x")
    (event,) = answer(exchange, exchange.cancel(order(market), NOW), content)
    assert (event.kind, event.link, event.aux) == (
        EventKind.ORDER_CANCELED,
        7,
        OrderReason.REQUESTED,
    )
    assert event.size == intent(market).size.value * 3 // 4


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (-2011, 400, [OrderReason.NOT_OPEN]),
        (-1021, 400, [OrderReason.VENUE]),
        (-1007, 504, []),
        (-1000, 400, []),
        (-2011, 504, []),
    ],
)
def test_refused_cancel_is_told_and_an_unknown_one_is_not(
    code: int, status: int, expected: list[OrderReason]
) -> None:
    exchange = trader("spot")
    events = answer(exchange, exchange.cancel(order("spot"), NOW), error(code), status)
    assert [event.aux for event in events] == expected
    assert set(kinds(events)) <= {EventKind.CANCEL_REJECTED}


def test_cancelling_a_conditional_order_is_told_without_sizes() -> None:
    exchange = trader("usdm")
    request = exchange.cancel(order("usdm", OrderType.STOP, **STOP), NOW)
    content = {"algoId": 5, "clientAlgoId": client_id(), "code": "200", "msg": "success"}
    (event,) = answer(exchange, request, content)
    assert (event.kind, event.size, event.link) == (EventKind.ORDER_CANCELED, -1, 7)


def test_all_cancelled_orders_are_told() -> None:
    exchange = trader("spot", route="rest")
    (request,) = exchange.cancel_all(InstrumentId(0), NOW)
    mine = shown("CANCELED", origClientOrderId=client_id())
    nested = {
        "orderListId": 1,
        "orderReports": [mine, shown("CANCELED", clientOrderId="x", orderId=29)],
    }
    events = answer(exchange, request, [mine, nested])
    assert kinds(events) == [EventKind.ORDER_CANCELED] * 3
    assert [event.link for event in events] == [7, 7, -1]
    assert answer(exchange, request, error(-2011), 400) == []
    both = trader("usdm")
    for each in both.cancel_all(InstrumentId(0), NOW):
        assert answer(both, each, {"code": 200, "msg": "done"}) == []
    assert both.quarantined == 0


def test_changed_order_shows_its_new_price_and_size() -> None:
    futures = trader("usdm")
    request = futures.amend(order("usdm"), price("usdm", "61900.00"), None, NOW)
    (event,) = answer(futures, request, shown(price="61900.00"))
    assert (event.kind, event.price) == (EventKind.ORDER_ACCEPTED, 6_190_000)
    spot = trader("spot")
    request = spot.amend(order("spot"), None, SMALLER, NOW)
    inner = {**shown(), "qty": "1.00000", "origClientOrderId": client_id()}
    inner.pop("origQty")
    content = {"transactTime": 1, "executionId": 2, "amendedOrder": inner}
    (event,) = answer(spot, request, content)
    assert (event.kind, event.size) == (EventKind.ORDER_ACCEPTED, 100_000)
    assert kinds(answer(spot, request, error(-2011), 400)) == [EventKind.CANCEL_REJECTED]


def wanted(exchange: BinanceExchange) -> Outbound:
    (request,) = exchange.wanted()
    assert not exchange.wanted()
    return request


def test_order_that_was_filled_is_asked_for_its_trades() -> None:
    exchange = trader("spot")
    (event,) = answer(
        exchange, exchange.query(order("spot"), NOW), shown("FILLED", executedQty="2")
    )
    assert (event.kind, event.size) == (EventKind.ORDER_ACCEPTED, 0)
    request = wanted(exchange)
    assert request.path.startswith("/api/v3/myTrades?symbol=BTCUSDT&orderId=28&")
    trade = {"symbol": "BTCUSDT", "id": 9, "orderId": 28, "price": "61800.50", "qty": "2"}
    paid = {"commission": "1.5", "commissionAsset": "USDT", "time": 5, "isBuyer": True}
    (fill,) = answer(exchange, request, [{**trade, **paid, "isMaker": True}])
    assert (fill.kind, fill.link, fill.sequence) == (EventKind.ORDER_FILLED, 7, 9)
    assert (fill.price, fill.size, fill.aux) == (6_180_050, 200_000, 150_000_000)


def test_order_that_the_venue_does_not_know_is_told_with_the_venues_time() -> None:
    exchange = trader("usdm")
    request = exchange.query(order("usdm"), NOW)
    batch = EventBatch()
    reply = Reply(
        status=400,
        body=json.dumps(error(-2013)).encode(),
        received=NOW,
        headers=(("date", DATE),),
    )
    assert exchange.decode_reply(request, reply, batch) == 1
    assert batch.events["kind"].tolist() == [EventKind.ORDER_NOT_FOUND]
    assert (batch.events["time"].tolist(), batch.events["link"].tolist()) == ([DATE_NS], [7])
    for headers in ((), (("Date", "yesterday"),)):
        exchange.decode_reply(request, attrs.evolve(reply, headers=headers), batch)
    assert batch.events["time"].tolist() == [DATE_NS, 0, 0]
    assert answer(exchange, request, error(-1003), 429) == []
    stop = exchange.query(order("usdm", OrderType.STOP, **STOP), NOW)
    assert kinds(answer(exchange, stop, error(-2013), 400)) == [EventKind.ORDER_NOT_FOUND]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("NEW", EventKind.ORDER_UNTRIGGERED),
        ("CANCELED", EventKind.ORDER_CANCELED),
        ("EXPIRED", EventKind.ORDER_EXPIRED),
        ("REJECTED", EventKind.ORDER_REJECTED),
    ],
)
def test_conditional_order_is_shown_by_the_algo_service(status: str, kind: EventKind) -> None:
    exchange = trader("usdm")
    request = exchange.query(order("usdm", OrderType.STOP, **STOP), NOW)
    content = {
        "algoId": 5,
        "clientAlgoId": client_id(),
        "symbol": "BTCUSDT",
        "side": "SELL",
        "algoStatus": status,
        "quantity": "2.000",
        "triggerPrice": "60000.00",
    }
    (event,) = answer(exchange, request, content)
    assert (event.kind, event.link) == (kind, 7)
    assert kinds(answer(exchange, request, {**content, "algoStatus": "ODD"})) == []
    assert exchange.quarantined == 1
    assert answer(exchange, request, {**content, "actualOrderId": "77"}) == []
    follow = wanted(exchange)
    assert params_of(follow)["orderId"] == "77"
    (event,) = answer(exchange, follow, shown("CANCELED", clientOrderId="other", orderId=77))
    assert (event.kind, event.link) == (EventKind.ORDER_CANCELED, 7)


def test_placed_conditional_order_waits_for_its_trigger() -> None:
    exchange = trader("usdm")
    request = exchange.place(intent("usdm", OrderType.STOP, **STOP), NOW)
    content = {
        "algoId": 5,
        "clientAlgoId": client_id(),
        "symbol": "BTCUSDT",
        "side": "BUY",
        "algoStatus": "NEW",
        "quantity": "2.000",
        "triggerPrice": "60000.00",
    }
    (event,) = answer(exchange, request, content)
    assert (event.kind, event.price) == (EventKind.ORDER_UNTRIGGERED, 6_000_000)
    assert event.sequence == 5


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"status": "EXPIRED", "timeInForce": "IOC"}, "ORDER_EXPIRED", OrderReason.UNFILLED),
        ({"status": "EXPIRED", "type": "MARKET"}, "ORDER_EXPIRED", OrderReason.UNFILLED),
        ({"status": "EXPIRED", "timeInForce": "GTX"}, "ORDER_EXPIRED", OrderReason.WOULD_TAKE),
        ({"status": "EXPIRED"}, "ORDER_EXPIRED", OrderReason.VENUE),
        ({"status": "EXPIRED_IN_MATCH"}, "ORDER_EXPIRED", OrderReason.SELF_TRADE),
        ({"status": "REJECTED"}, "ORDER_REJECTED", OrderReason.VENUE),
        ({"status": "PENDING_NEW"}, "ORDER_UNTRIGGERED", -1),
        ({"status": "PENDING_CANCEL"}, "CANCEL_PENDING", -1),
        ({"type": "STOP_LOSS", "isWorking": False}, "ORDER_UNTRIGGERED", -1),
        ({"type": "STOP_LOSS", "isWorking": True}, "ORDER_ACCEPTED", -1),
        ({"status": "PARTIALLY_FILLED"}, "ORDER_ACCEPTED", -1),
    ],
)
def test_states_of_an_order(changes: Fields, kind: str, reason: int) -> None:
    exchange = trader("spot")
    (event,) = answer(exchange, exchange.query(order("spot"), NOW), shown(**changes))
    assert (event.kind.name, event.aux) == (kind, reason)


def test_wrong_replies_are_quarantined() -> None:
    exchange = trader("spot", route="rest")
    (everything,) = exchange.cancel_all(InstrumentId(0), NOW)
    wrong = (
        (exchange.query(order("spot"), NOW), shown(side="HOLD")),
        (exchange.query(order("spot"), NOW), b"<html>"),
        (exchange.cancel(order("spot"), NOW), {"symbol": "BTCUSDT"}),
        (everything, [{"orderReports": [5]}]),
        (exchange.missed(NOW, NOW)[0], {"not": "a list"}),
        (exchange.amend(order("spot"), None, SMALLER, NOW), {"amendedOrder": 5}),
    )
    for number, (request, content) in enumerate(wrong, 1):
        assert answer(exchange, request, content) == []
        assert exchange.quarantined == number
    assert answer(exchange, exchange.query(order("spot"), NOW), {"x": 1}, 500) == []
    assert exchange.quarantined == len(wrong)
