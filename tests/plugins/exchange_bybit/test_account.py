"""What the venue says of orders, trades and the account, and what is asked on because of it."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest
from tests.plugins.exchange_bybit.bybit_messages import BITCOIN, RECEIVED, compact, decoded
from tests.plugins.exchange_bybit.test_orders import CLIENT_ID, KEYS, NOW, order, trader, working

from bot4_core.domain_types.canonical_types import Money, Nanoseconds, Symbol
from bot4_core.domain_types.instruments import Settlement
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason, Records, Side
from bot4_core.errors import DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_bybit.adapter import BybitExchange, BybitSettings

TIME = 1_786_310_818_130
NUMBER = 7


def numbered(market: str = "linear", **changes: Any) -> BybitExchange:
    """Return an adapter with keys that knows one order."""
    exchange = trader(market, **changes)
    exchange.number_of = lambda text: NUMBER if text == CLIENT_ID else -1
    return exchange


def order_item(**changes: Any) -> dict[str, Any]:
    """Return an order as the topic has it."""
    fields = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": "1700000000000000001",
        "orderLinkId": CLIENT_ID,
        "side": "Buy",
        "orderStatus": "New",
        "price": "61000.50",
        "qty": "0.120",
        "cumExecQty": "0.020",
        "leavesQty": "0.100",
        "triggerPrice": "60000.00",
        "rejectReason": "EC_NoError",
        "cancelType": "UNKNOWN",
        "updatedTime": str(TIME),
    }
    return fields | changes


def execution_item(**changes: Any) -> dict[str, Any]:
    """Return an execution as the topic has it."""
    fields = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": "1700000000000000001",
        "orderLinkId": CLIENT_ID,
        "side": "Buy",
        "execId": "77",
        "execPrice": "61000.50",
        "execQty": "0.020",
        "execType": "Trade",
        "execFee": "0.1234567891",
        "feeCurrency": "USDT",
        "isMaker": True,
        "execTime": str(TIME),
    }
    return fields | changes


def topic(name: str, *items: dict[str, Any]) -> dict[str, Any]:
    """Return a private message."""
    return {"id": "x", "topic": name, "creationTime": TIME, "data": list(items)}


def listing(*items: dict[str, Any], cursor: str = "", **changes: Any) -> bytes:
    """Return the body of a reply with a list."""
    result = {"category": "linear", "list": list(items), "nextPageCursor": cursor}
    body = {"retCode": 0, "retMsg": "OK", "result": result, "time": TIME}
    return compact(body | changes)


def reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status=status, body=body, received=RECEIVED)


@pytest.mark.parametrize(
    ("changes", "kind", "price", "size"),
    [
        ({}, EventKind.ORDER_ACCEPTED, 6_100_050, 100),
        ({"orderStatus": "PartiallyFilled"}, EventKind.ORDER_ACCEPTED, 6_100_050, 100),
        (
            {"orderStatus": "Filled", "cumExecQty": "0.120", "price": "0"},
            EventKind.ORDER_ACCEPTED,
            0,
            0,
        ),
        ({"orderStatus": "Untriggered"}, EventKind.ORDER_UNTRIGGERED, 6_000_000, 100),
        ({"orderStatus": "Triggered"}, EventKind.ORDER_UNTRIGGERED, 6_000_000, 100),
        # the venue says that nothing is left of what it canceled
        ({"orderStatus": "Cancelled", "leavesQty": "0"}, EventKind.ORDER_CANCELED, 0, 100),
        ({"orderStatus": "PartiallyFilledCanceled"}, EventKind.ORDER_CANCELED, 0, 100),
        ({"orderStatus": "Deactivated", "cumExecQty": ""}, EventKind.ORDER_CANCELED, 0, 120),
        ({"orderStatus": "Rejected"}, EventKind.ORDER_CANCELED, 0, 100),
        ({"orderStatus": "Rejected", "cumExecQty": "0"}, EventKind.ORDER_REJECTED, 0, 0),
    ],
)
def test_statuses(changes: dict[str, Any], kind: EventKind, price: int, size: int) -> None:
    (event,) = decoded(numbered(), topic("order", order_item(**changes))).events
    assert (event["kind"], event["price"], event["size"]) == (kind, price, size)
    assert (event["link"], event["sequence"]) == (NUMBER, 1_700_000_000_000_000_001)
    assert (event["side"], event["flags"]) == (Side.BUY, EventFlag.LAST)
    assert event["time"] == TIME * 1_000_000


@pytest.mark.parametrize(
    ("reject", "cancel", "reason"),
    [
        ("EC_PostOnlyWillTakeLiquidity", "UNKNOWN", OrderReason.WOULD_TAKE),
        ("EC_PerCancelRequest", "CancelByUser", OrderReason.REQUESTED),
        ("EC_NoError", "CancelByUser", OrderReason.REQUESTED),
        ("EC_NoImmediateQtyToFill", "", OrderReason.UNFILLED),
        ("EC_BySelfMatch", "", OrderReason.SELF_TRADE),
        ("EC_NoError", "CancelByReduceOnly", OrderReason.WOULD_INCREASE),
        ("EC_SomethingNew", "CancelByUser", OrderReason.VENUE),
        ("", "CancelBySomething", OrderReason.VENUE),
        (None, None, OrderReason.NONE),
    ],
)
def test_reasons(reject: str | None, cancel: str | None, reason: OrderReason) -> None:
    item = order_item(orderStatus="Cancelled", rejectReason=reject, cancelType=cancel)
    assert decoded(numbered(), topic("order", item)).events["aux"][0] == reason


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        ("Trade", EventFlag.NONE),
        ("AdlTrade", EventFlag.DELEVERAGED),
        ("BustTrade", EventFlag.LIQUIDATED),
        ("Delivery", EventFlag.SETTLED),
        ("Settle", EventFlag.SETTLED),
    ],
)
def test_executions(kind: str, flags: EventFlag) -> None:
    message = topic("execution", execution_item(execType=kind))
    (fill,) = decoded(numbered(), message).events
    assert fill["kind"] == EventKind.ORDER_FILLED
    assert (fill["price"], fill["size"], fill["sequence"], fill["link"]) == (6_100_050, 20, 77, 7)
    assert fill["aux"] == 12_345_679  # rounded up at eight decimals
    assert fill["flags"] == flags | EventFlag.MAKER | EventFlag.LAST


@pytest.mark.parametrize("kind", ["Funding", "SessionSettlePnL"])
def test_payments_are_counted_and_make_no_fill(kind: str) -> None:
    exchange = numbered()
    batch = decoded(exchange, topic("execution", execution_item(execType=kind)))
    assert batch.count == 0
    assert exchange.told.passed_over == {kind: 1}


@pytest.mark.parametrize(
    ("market", "changes", "third"),
    [
        ("linear", {"feeCurrency": ""}, False),
        ("linear", {"feeCurrency": "MNT"}, True),
        ("spot", {"feeCurrency": ""}, True),
        ("spot", {"feeCurrency": "", "side": "Sell"}, False),
        ("spot", {"feeCurrency": "", "execFee": "-0.1"}, False),
        ("spot", {"feeCurrency": "", "execFee": "-0.1", "side": "Sell"}, True),
        ("spot", {"feeCurrency": "BTC"}, True),
        ("spot", {"feeCurrency": "USDT"}, False),
    ],
)
def test_fees_in_other_assets_are_marked(market: str, changes: dict[str, Any], third: bool) -> None:
    item = execution_item(**(changes | {"category": market}))
    (fill,) = decoded(numbered(market), topic("execution", item)).events
    assert bool(fill["flags"] & EventFlag.THIRD_ASSET_FEE) is third


def test_fee_of_a_symbol_never_seen_is_in_what_its_kind_is_settled_in() -> None:
    for market, symbol in (("linear", "ETHUSDT"), ("inverse", "ETHUSD")):
        exchange = BybitExchange(BybitSettings(market=market))
        item = execution_item(symbol=symbol, category=market, feeCurrency="")
        (fill,) = decoded(exchange, topic("execution", item)).events
        assert not fill["flags"] & EventFlag.THIRD_ASSET_FEE
        assert fill["link"] == -1


@pytest.mark.parametrize(
    "message",
    [
        topic("order", order_item(orderStatus="Dreaming")),
        topic("order", order_item(cumExecQty="0.2")),
        topic("order", order_item(side="Long")),
        topic("order", order_item(qty=0.1)),
        topic("order", order_item(updatedTime="now")),
        topic("execution", execution_item(execType="Gift")),
        topic("execution", execution_item(execQty="0")),
        topic("execution", execution_item(execPrice="-1")),
        topic("position", {"symbol": "BTCUSDT", "side": "Both", "size": "1"}),
        topic("wallet", {"coin": [{"coin": "BTC", "walletBalance": "much"}]}),
        topic("order") | {"data": {}},
        {"topic": 5},
    ],
)
def test_wrong_private_messages_are_refused_whole(message: dict[str, Any]) -> None:
    exchange, batch = numbered(), EventBatch()
    items = message.get("data")
    if isinstance(items, list) and "orderId" in items[0]:
        good = execution_item() if "execId" in items[0] else order_item()
        message["data"] = [good, *items]
    assert exchange.decode(compact(message), RECEIVED, batch) == 0
    assert exchange.quarantined == 1


def test_other_markets_are_no_news() -> None:
    exchange = numbered()
    batch = decoded(exchange, topic("order", order_item(category="spot")))
    assert batch.count == decoded(exchange, topic("execution", execution_item(category="x"))).count
    decoded(
        exchange, topic("position", {"symbol": "A", "side": "Buy", "size": "1", "category": "x"})
    )
    assert exchange.told.positions == {}


def test_balances_and_positions_are_remembered() -> None:
    exchange = numbered()
    decoded(exchange, topic("wallet", {"coin": [{"coin": "USDT", "walletBalance": "12.50"}]}))
    assert exchange.told.balances == {"USDT": Money.of("12.5")}
    for side, size, index in (("Buy", "2", 1), ("Sell", "1.5", 2), ("", "0", 0)):
        item = {"symbol": "BTCUSDT", "side": side, "size": size, "positionIdx": index}
        decoded(exchange, topic("position", item | {"entryPrice": "100"}))
    sizes = {key: str(each.size) for key, each in exchange.told.positions.items()}
    assert sizes == {("BTCUSDT", "1"): "2", ("BTCUSDT", "2"): "-1.5", ("BTCUSDT", "0"): "0"}


def answered(exchange: BybitExchange, operation: str, code: int, **changes: Any) -> Records:
    """Decode an answer of the trade socket."""
    fields = {
        "reqId": CLIENT_ID + "0000",
        "retCode": code,
        "retMsg": "so",
        "op": operation,
        "data": {},
        "header": {"Timenow": str(TIME)},
    }
    return decoded(exchange, fields | changes).events


@pytest.mark.parametrize(
    ("operation", "code", "kind", "reason"),
    [
        ("order.create", 110007, EventKind.ORDER_REJECTED, OrderReason.VENUE),
        ("order.create", 110072, EventKind.ORDER_REJECTED, OrderReason.DUPLICATE),
        ("order.create", 10000, EventKind.ORDER_IN_DOUBT, OrderReason.VENUE),
        ("order.create", 170146, EventKind.ORDER_IN_DOUBT, OrderReason.VENUE),
        ("order.create", 10016, EventKind.ORDER_IN_DOUBT, OrderReason.VENUE),
        ("order.cancel", 110001, EventKind.CANCEL_REJECTED, OrderReason.NOT_OPEN),
        ("order.cancel", 10006, EventKind.CANCEL_REJECTED, OrderReason.VENUE),
        ("order.amend", 110003, EventKind.CANCEL_REJECTED, OrderReason.BAD_PRICE),
    ],
)
def test_answers(operation: str, code: int, kind: EventKind, reason: OrderReason) -> None:
    (event,) = answered(numbered(), operation, code)
    assert (event["kind"], event["aux"], event["link"]) == (kind, reason, NUMBER)
    assert event["time"] == TIME * 1_000_000


@pytest.mark.parametrize(
    ("operation", "code"),
    [("order.create", 0), ("order.cancel", 0), ("order.cancel", 170147), ("order.amend", 10000)],
)
def test_answers_that_prove_nothing_of_the_order(operation: str, code: int) -> None:
    exchange = numbered()
    assert len(answered(exchange, operation, code)) == 0
    assert exchange.replies[-1].code == str(code)


def test_restart_of_the_trade_service_asks_for_a_successor() -> None:
    exchange = numbered()
    assert answered(exchange, "order.create", 10019)["kind"] == [EventKind.ORDER_IN_DOUBT]
    assert exchange.ending() == ["trade"]
    assert exchange.ending() == []


def test_answers_to_nobody() -> None:
    assert len(answered(numbered(), "order.create", 110007, reqId=CLIENT_ID + "00ff")) == 0
    (event,) = answered(numbered(), "order.create", 110007, reqId="", header=None)
    assert (event["link"], event["time"]) == (-1, 0)
    exchange = numbered()
    fields = {"op": "order.create", "retCode": 1, "reqId": CLIENT_ID + "what"}
    assert exchange.decode(compact(fields), RECEIVED, EventBatch()) == 0
    assert exchange.quarantined == 1


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (compact({"retCode": 110007, "retMsg": "", "result": {}}), 200, EventKind.ORDER_REJECTED),
        (b"<html>", 200, EventKind.ORDER_IN_DOUBT),
        (b"", 502, EventKind.ORDER_IN_DOUBT),
        (b"", 429, EventKind.ORDER_REJECTED),
    ],
)
def test_o01_unreadable_reply_leaves_the_order_in_doubt(
    body: bytes, status: int, kind: EventKind
) -> None:
    exchange, batch = numbered(route="rest"), EventBatch()
    request = exchange.place(order(), NOW)
    assert exchange.decode_reply(request, reply(body, status), batch) == 1
    assert (batch.events["kind"][0], batch.events["link"][0]) == (kind, NUMBER)
    assert exchange.quarantined == 0


def path_of(request: Outbound) -> str:
    return urlsplit(request.path).path


def test_query_goes_on_to_older_orders_and_then_says_not_found() -> None:
    exchange, batch = numbered(), EventBatch()
    first = exchange.query(working(order()), NOW)
    assert exchange.decode_reply(first, reply(listing()), batch) == 0
    (second,) = exchange.wanted()
    assert path_of(second) == "/v5/order/history"
    assert exchange.decode_reply(second, reply(listing()), batch) == 1
    assert batch.events["kind"][0] == EventKind.ORDER_NOT_FOUND
    assert (batch.events["link"][0], batch.events["time"][0]) == (NUMBER, TIME * 1_000_000)
    assert exchange.wanted() == []


def test_query_asks_for_the_trades_of_an_order_that_has_some() -> None:
    exchange, batch = numbered(), EventBatch()
    first = exchange.query(working(order()), NOW)
    found = listing(order_item(orderStatus="Filled", cumExecQty="0.120"))
    assert exchange.decode_reply(first, reply(found), batch) == 1
    (trades,) = exchange.wanted()
    fields = dict(parse_qsl(urlsplit(trades.path).query))
    assert (path_of(trades), fields["orderLinkId"]) == ("/v5/execution/list", CLIENT_ID)
    page = listing(execution_item(execId="2"), execution_item(execId="1"), cursor="more")
    assert exchange.decode_reply(trades, reply(page), batch) == 2
    (more,) = exchange.wanted()
    assert dict(parse_qsl(urlsplit(more.path).query))["cursor"] == "more"
    assert exchange.decode_reply(more, reply(listing(cursor="more")), batch) == 0
    assert exchange.wanted() == []


def test_query_of_an_untouched_order_asks_no_more() -> None:
    exchange = numbered()
    first = exchange.query(working(order()), NOW)
    exchange.decode_reply(first, reply(listing(order_item(cumExecQty="0"))), EventBatch())
    assert exchange.wanted() == []


@pytest.mark.parametrize("body", [b"", compact({"retCode": 10006, "retMsg": "slow down"})])
def test_failed_query_says_nothing(body: bytes) -> None:
    exchange, batch = numbered(), EventBatch()
    request = exchange.query(working(order()), NOW)
    exchange.decode_reply(request, reply(body, 200 if body else 503), batch)
    assert (batch.count, list(exchange.wanted()), exchange.quarantined) == (0, [], 0)


def test_missed_asks_again_for_what_is_known_already() -> None:
    exchange = numbered()
    asked = exchange.missed(Nanoseconds(1_700_000_010_000_000_000), NOW)
    assert [path_of(each) for each in asked] == ["/v5/order/history", "/v5/execution/list"]
    starts = {dict(parse_qsl(urlsplit(each.path).query))["startTime"] for each in asked}
    assert starts == {"1700000000000"}
    exchange.decode_reply(asked[1], reply(listing(execution_item(), cursor="p2")), EventBatch())
    (more,) = exchange.wanted()
    assert (path_of(more), more.tag) == ("/v5/execution/list", "missed")


WALLET = {"totalEquity": "1", "coin": [{"coin": "USDT", "walletBalance": "100.5"}]}
POSITION = {"symbol": "BTCUSDT", "side": "Sell", "size": "0.250", "avgPrice": "61000.123"}


def test_account_is_read_from_the_replies_together() -> None:
    exchange = numbered()
    paths = [path_of(each) for each in exchange.account_requests(NOW)]
    assert paths == [
        "/v5/order/realtime",
        "/v5/position/list",
        "/v5/account/wallet-balance",
        "/v5/execution/list",
    ]
    bodies = [listing(order_item()), listing(POSITION), listing(WALLET), listing(execution_item())]
    account = exchange.read_account(bodies, RECEIVED)
    (venue_order,) = account.orders
    assert (venue_order.client_id, venue_order.side) == (CLIENT_ID, Side.BUY)
    assert (venue_order.size, venue_order.filled, venue_order.price) == (120, 20, 6_100_050)
    assert account.positions == {0: (-250, 6_100_012)}
    assert account.balances == {"USDT": Money.of("100.5")}
    assert account.time == TIME * 1_000_000
    assert account.trades["sequence"].tolist() == [77]


def test_hedged_positions_count_against_each_other() -> None:
    exchange = numbered(hedged=True)
    both = listing(POSITION, POSITION | {"side": "Buy", "size": "1.000"})
    strangers = listing(WALLET | {"coin": []})
    account = exchange.read_account([listing(), both, strangers, listing()], RECEIVED)
    assert account.positions == {0: (750, 6_100_012)}


def test_spot_account_holds_coins() -> None:
    exchange = numbered("spot")
    assert "/v5/position/list" not in [path_of(each) for each in exchange.account_requests(NOW)]
    coins = [{"coin": "BTC", "walletBalance": "0.1239"}, {"coin": "DOGE", "walletBalance": ""}]
    bodies = [listing(), listing({"totalEquity": "", "coin": coins}), listing()]
    account = exchange.read_account(bodies, RECEIVED)
    assert account.positions == {0: (123, 0)}
    assert account.balances == {}


def test_account_that_is_not_told_whole_is_refused() -> None:
    exchange = numbered()
    good = [listing(), listing(), listing(WALLET), listing()]
    many = listing(*[order_item()] * 50, cursor="more")
    error = compact({"retCode": 10006, "retMsg": "Too many visits!", "result": {}})
    for bodies in (good[:-1], [many, *good[1:]], [error, *good[1:]], [b"<html>", *good[1:]]):
        with pytest.raises(DecodeError):
            exchange.read_account(bodies, RECEIVED)
    other = attrs.evolve(BITCOIN, symbol=Symbol("BTCUSDC"), settlement=Settlement.SPOT)
    spot = BybitExchange(BybitSettings(market="spot"), (BITCOIN, other))
    spot.authorise(KEYS)
    with pytest.raises(DecodeError, match="several"):
        spot.read_account([listing(), listing(), listing(WALLET), listing()], RECEIVED)


def test_private_connections_need_keys() -> None:
    exchange = BybitExchange(BybitSettings(market="linear"))
    assert [each.name for each in exchange.connections()] == ["public", "status", "rest"]
    assert exchange.opened("private", NOW) == []
    exchange.authorise(KEYS)
    private = [each.name for each in exchange.connections() if each.private]
    assert private == ["private", "trade"]
    assert [each.name for each in trader(route="rest").connections() if each.private] == ["private"]


def test_login_is_followed_by_the_subscription() -> None:
    exchange = numbered()
    (login,) = exchange.opened("private", NOW)
    assert json.loads(login.body)["op"] == "auth"
    exchange.began("private")
    decoded(exchange, {"op": "auth", "success": True, "ret_msg": "", "conn_id": "x"})
    (subscription,) = exchange.wanted()
    assert subscription.connection == "private"
    assert json.loads(subscription.body)["args"] == ["order", "execution", "position", "wallet"]
    decoded(exchange, {"op": "auth", "success": False, "retCode": 10003, "retMsg": "no"})
    assert exchange.wanted() == []
    assert exchange.replies[-1].code == "10003"
    decoded(exchange, {"op": "auth", "retCode": 0, "retMsg": "OK", "connId": "y"})
    assert exchange.wanted() == []  # of the trade socket


def test_stranger_orders_have_no_number() -> None:
    item = order_item(orderLinkId="")
    assert decoded(numbered(), topic("order", item)).events["link"][0] == -1
    assert decoded(trader(), topic("order", order_item())).events["link"][0] == -1
