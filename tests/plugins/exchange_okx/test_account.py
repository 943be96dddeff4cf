"""What the venue says of orders, trades and the account, and what is asked on because of it."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.plugins.exchange_okx.okx_messages import (
    RECEIVED,
    SYMBOL,
    TIME,
    adapter,
    compact,
    decoded,
)
from tests.plugins.exchange_okx.test_orders import CLIENT_ID, KEYS, NOW, order, trader, working

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Nanoseconds
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason, OrderType, Side
from bot4_core.errors import DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.connections import Outbound, Reply
from bot4_plugins.exchange_okx.adapter import OkxExchange, OkxSettings

NUMBER = 7


def numbered(market: str = "swap", **changes: Any) -> OkxExchange:
    """Return an adapter with keys that knows one order."""
    exchange = trader(market, **changes)
    exchange.number_of = lambda text: NUMBER if text == CLIENT_ID else -1
    return exchange


def order_item(**changes: Any) -> dict[str, Any]:
    """Return an order as the channel has it, without an execution."""
    fields = {
        "instId": SYMBOL,
        "instType": "SWAP",
        "ordId": "2497956918703120384",
        "clOrdId": CLIENT_ID,
        "algoClOrdId": "",
        "side": "buy",
        "state": "live",
        "px": "61000.5",
        "sz": "1.20",
        "accFillSz": "0",
        "category": "normal",
        "cancelSource": "",
        "tgtCcy": "",
        "tradeId": "",
        "fillPx": "",
        "fillSz": "0",
        "fillTime": "",
        "fillFee": "",
        "fillFeeCcy": "",
        "fee": "",
        "feeCcy": "USDT",
        "execType": "",
        "uTime": str(TIME),
    }
    return fields | changes


EXECUTION = {
    "state": "partially_filled",
    "accFillSz": "0.50",
    "tradeId": "77",
    "fillPx": "61000.4",
    "fillSz": "0.30",
    "fillTime": str(TIME - 1),
    "fillFee": "-0.1234567891",
    "fillFeeCcy": "USDT",
    "execType": "M",
}


def algo_item(**changes: Any) -> dict[str, Any]:
    """Return an order that waits."""
    fields = {
        "instId": SYMBOL,
        "instType": "SWAP",
        "algoId": "706620792746729472",
        "algoClOrdId": CLIENT_ID,
        "ordType": "trigger",
        "side": "sell",
        "state": "live",
        "sz": "1.20",
        "triggerPx": "60000.0",
        "ordPx": "-1",
        "uTime": str(TIME),
    }
    return fields | changes


def channel(name: str, *items: dict[str, Any]) -> dict[str, Any]:
    """Return a private message."""
    return {"arg": {"channel": name, "instType": "ANY"}, "data": list(items)}


def listing(*items: dict[str, Any], code: str = "0") -> bytes:
    """Return the body of a reply."""
    return compact({"code": code, "msg": "", "data": list(items)})


def reply(body: bytes, status: int = 200, date: str = "") -> Reply:
    headers = (("Date", date),) if date else ()
    return Reply(status=status, body=body, received=RECEIVED, headers=headers)


@pytest.mark.parametrize(
    ("changes", "kind", "size"),
    [
        ({}, EventKind.ORDER_ACCEPTED, 120),
        ({"state": "filled", "accFillSz": "1.20"}, EventKind.ORDER_ACCEPTED, 0),
        ({"state": "canceled", "accFillSz": "0.20"}, EventKind.ORDER_CANCELED, 100),
        ({"state": "mmp_canceled"}, EventKind.ORDER_CANCELED, 120),
        ({"tgtCcy": "quote_ccy", "accFillSz": "9"}, EventKind.ORDER_ACCEPTED, -1),
    ],
)
def test_states(changes: dict[str, Any], kind: EventKind, size: int) -> None:
    (event,) = decoded(numbered(), channel("orders", order_item(**changes))).events
    assert (event["kind"], event["size"], event["link"]) == (kind, size, NUMBER)
    assert (event["side"], event["flags"]) == (Side.BUY, EventFlag.LAST)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1", OrderReason.REQUESTED),
        ("31", OrderReason.WOULD_TAKE),
        ("13", OrderReason.UNFILLED),
        ("32", OrderReason.SELF_TRADE),
        ("", OrderReason.NONE),
        ("99", OrderReason.VENUE),
    ],
)
def test_cancel_sources(source: str, reason: OrderReason) -> None:
    item = order_item(state="canceled", cancelSource=source)
    assert decoded(numbered(), channel("orders", item)).events["aux"][0] == reason


def test_execution_comes_before_the_state_it_leads_to() -> None:
    fill, state = decoded(numbered(), channel("orders", order_item(**EXECUTION))).events
    assert (fill["kind"], fill["price"], fill["size"]) == (EventKind.ORDER_FILLED, 610_004, 30)
    assert (fill["aux"], fill["sequence"], fill["link"]) == (12_345_679, 77, NUMBER)
    assert fill["flags"] == EventFlag.MAKER
    assert (state["kind"], state["size"]) == (EventKind.ORDER_ACCEPTED, 70)


@pytest.mark.parametrize(
    ("category", "flag"),
    [
        ("adl", EventFlag.DELEVERAGED),
        ("full_liquidation", EventFlag.LIQUIDATED),
        ("partial_liquidation", EventFlag.LIQUIDATED),
        ("delivery", EventFlag.SETTLED),
    ],
)
def test_executions_that_the_venue_made(category: str, flag: EventFlag) -> None:
    item = order_item(**EXECUTION, category=category, clOrdId="")
    fill, _ = decoded(numbered(), channel("orders", item)).events
    assert (fill["flags"], fill["link"]) == (flag | EventFlag.MAKER, -1)


@pytest.mark.parametrize(
    ("market", "asset", "third"), [("swap", "USDT", False), ("spot", "BTC", True)]
)
def test_fees_in_other_assets_are_marked(market: str, asset: str, third: bool) -> None:
    symbol = SYMBOL if market == "swap" else "BTC-USDT"
    names = {"instType": "SWAP" if market == "swap" else "MARGIN", "instId": symbol}
    item = order_item(**(EXECUTION | names | {"fillFeeCcy": asset, "fillFee": "0.1"}))
    fill, _ = decoded(numbered(market), channel("orders", item)).events
    assert bool(fill["flags"] & EventFlag.THIRD_ASSET_FEE) is third
    assert fill["aux"] == -10_000_000  # a rebate


def test_fill_of_a_triggered_order_is_the_waiting_orders() -> None:
    item = order_item(**EXECUTION, clOrdId="706620792746729474_0", algoClOrdId=CLIENT_ID)
    assert decoded(numbered(), channel("orders", item)).events["link"].tolist() == [NUMBER] * 2


@pytest.mark.parametrize(
    ("changes", "kind", "price", "size"),
    [
        ({}, EventKind.ORDER_UNTRIGGERED, 600_000, 120),
        ({"triggerPx": "", "slTriggerPx": "59000"}, EventKind.ORDER_UNTRIGGERED, 590_000, 120),
        ({"triggerPx": "", "sz": ""}, EventKind.ORDER_UNTRIGGERED, 0, -1),
        ({"state": "effective"}, EventKind.ORDER_ACCEPTED, 0, -1),
        ({"state": "canceled"}, EventKind.ORDER_CANCELED, 0, 120),
        ({"state": "order_failed"}, EventKind.ORDER_REJECTED, 0, 120),
    ],
)
def test_waiting_orders(changes: dict[str, Any], kind: EventKind, price: int, size: int) -> None:
    for name in ("orders-algo", "algo-advance"):
        (event,) = decoded(numbered(), channel(name, algo_item(**changes))).events
        assert (event["kind"], event["price"], event["size"]) == (kind, price, size)
        assert event["link"] == NUMBER


@pytest.mark.parametrize(
    "message",
    [
        channel("orders", order_item(), order_item(state="dreaming")),
        channel("orders", order_item(), order_item(accFillSz="2")),
        channel("orders", order_item(), order_item(side="long")),
        channel("orders", order_item(), order_item(**(EXECUTION | {"fillFee": ""}))),
        channel("orders", order_item(), order_item(**(EXECUTION | {"category": "gift"}))),
        channel("orders-algo", algo_item(), algo_item(state="dreaming")),
        channel("positions", {"instId": "X", "instType": "SWAP", "pos": "1", "posSide": "both"}),
        channel("account", {"details": [{"ccy": "BTC", "cashBal": "much"}]}),
        channel("orders") | {"data": {}},
    ],
)
def test_wrong_private_messages_are_refused_whole(message: dict[str, Any]) -> None:
    exchange, batch = numbered(), EventBatch()
    assert exchange.decode(compact(message), RECEIVED, batch) == 0
    assert exchange.quarantined == 1


def test_balances_and_positions_are_remembered() -> None:
    exchange = numbered()
    decoded(exchange, channel("account", {"details": [{"ccy": "USDT", "cashBal": "12.50"}]}))
    assert exchange.told.balances == {"USDT": Money.of("12.5")}
    for side, size in (("long", "2"), ("short", "1.5"), ("net", "-3")):
        item = {"instId": SYMBOL, "instType": "SWAP", "pos": size, "posSide": side}
        decoded(exchange, channel("positions", item, item | {"instType": "OPTION"}))
    sizes = {part: str(each.size) for (_, part), each in exchange.told.positions.items()}
    assert sizes == {"long": "2", "short": "-1.5", "net": "-3"}


def frame(
    operation: str, *items: dict[str, Any], code: str = "1", **changes: Any
) -> dict[str, Any]:
    """Return an answer of the private socket."""
    fields = {
        "id": "00000000000000000007",
        "op": operation,
        "code": code,
        "msg": "so",
        "data": list(items),
        "outTime": "1786310818130000",
    }
    return fields | changes


@pytest.mark.parametrize(
    ("message", "kind", "reason"),
    [
        (frame("order", {"sCode": "51008"}), EventKind.ORDER_REJECTED, OrderReason.VENUE),
        (frame("order", {"sCode": "51016"}), EventKind.ORDER_REJECTED, OrderReason.DUPLICATE),
        (frame("order", code="50011"), EventKind.ORDER_REJECTED, OrderReason.VENUE),
        (frame("order", code="50004"), EventKind.ORDER_IN_DOUBT, OrderReason.VENUE),
        (
            frame("cancel-order", {"sCode": "51400"}),
            EventKind.CANCEL_REJECTED,
            OrderReason.NOT_OPEN,
        ),
        (
            frame("amend-order", {"sCode": "51006"}),
            EventKind.CANCEL_REJECTED,
            OrderReason.BAD_PRICE,
        ),
    ],
)
def test_answers(message: dict[str, Any], kind: EventKind, reason: OrderReason) -> None:
    (event,) = decoded(numbered(), message).events
    assert (event["kind"], event["aux"], event["link"]) == (kind, reason, NUMBER)
    assert event["time"] == 1_786_310_818_130_000_000


@pytest.mark.parametrize(
    "message",
    [
        frame("order", {"sCode": "0", "ordId": "1"}, code="0"),
        frame("cancel-order", {"sCode": "0"}, code="0"),
        frame("cancel-order", {"sCode": "50004"}),
    ],
)
def test_answers_that_prove_nothing_of_the_order(message: dict[str, Any]) -> None:
    exchange = numbered()
    assert decoded(exchange, message).count == 0
    assert exchange.replies


@pytest.mark.parametrize("name", ["", "7", "zzzz0000000000000007", "00ff0000000000000007"])
def test_answers_to_nobody_are_refused(name: str) -> None:
    exchange = numbered()
    assert exchange.decode(compact(frame("order", id=name)), RECEIVED, EventBatch()) == 0
    assert exchange.quarantined == 1


def path_of(request: Outbound) -> str:
    return urlsplit(request.path).path


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("Sun, 09 Aug 2026 21:26:58 GMT", 1_786_310_818_000_000_000),
        ("soon", int(RECEIVED)),
        ("", int(RECEIVED)),
    ],
)
def test_order_that_the_venue_does_not_know(date: str, time: int) -> None:
    exchange, batch = numbered(), EventBatch()
    asked = exchange.query(working(order()), NOW)
    assert exchange.decode_reply(asked, reply(listing(code="51603"), date=date), batch) == 1
    (event,) = batch.events
    assert (event["kind"], event["time"]) == (EventKind.ORDER_NOT_FOUND, time)
    assert event["link"] == NUMBER


def test_query_asks_for_the_trades_of_an_order_that_has_some() -> None:
    exchange, batch = numbered(), EventBatch()
    first = exchange.query(working(order()), NOW)
    body = listing(order_item(**(EXECUTION | {"fillFee": ""})))
    assert exchange.decode_reply(first, reply(body), batch) == 1
    (trades,) = exchange.wanted()
    fields = dict(parse_qsl(urlsplit(trades.path).query))
    assert (path_of(trades), fields["ordId"]) == ("/api/v5/trade/fills", "2497956918703120384")
    exchange.decode_reply(first, reply(listing(order_item())), batch)
    assert exchange.wanted() == []


FILL = {
    "instId": SYMBOL,
    "instType": "SWAP",
    "tradeId": "77",
    "ordId": "1",
    "billId": "5",
    "clOrdId": CLIENT_ID,
    "side": "buy",
    "fillPx": "61000.4",
    "fillSz": "0.30",
    "execType": "T",
    "fee": "-0.1",
    "feeCcy": "USDT",
    "ts": str(TIME),
}


def test_missed_asks_again_for_what_is_known_already_and_for_all_pages() -> None:
    exchange, batch = numbered(), EventBatch()
    history, fills = exchange.missed(Nanoseconds(20_000_000_000), NOW)
    assert path_of(history) == "/api/v5/trade/orders-history"
    assert dict(parse_qsl(urlsplit(fills.path).query))["begin"] == "10000"
    items = [FILL | {"tradeId": str(number), "billId": str(number)} for number in range(100)]
    assert exchange.decode_reply(fills, reply(listing(*items)), batch) == 100
    (more,) = exchange.wanted()
    assert dict(parse_qsl(urlsplit(more.path).query))["after"] == "99"
    exchange.decode_reply(more, reply(listing(FILL | {"instType": "SPOT"})), batch)
    assert (exchange.wanted(), batch.count) == ([], 100)


def test_cancel_all_cancels_what_is_found_to_work() -> None:
    exchange, batch = numbered(), EventBatch()
    pending, *waiting = exchange.cancel_all(InstrumentId(0), NOW)
    assert len(waiting) == 3
    exchange.decode_reply(pending, reply(listing(*[order_item()] * 21)), batch)
    first, second = exchange.wanted()
    assert path_of(first) == "/api/v5/trade/cancel-batch-orders"
    assert [len(json.loads(each.body)) for each in (first, second)] == [20, 1]
    exchange.decode_reply(waiting[0], reply(listing(algo_item())), batch)
    (algo,) = exchange.wanted()
    assert json.loads(algo.body) == [{"instId": SYMBOL, "algoId": "706620792746729472"}]
    assert not algo.creates
    exchange.decode_reply(first, reply(listing({"sCode": "0", "ordId": "1"})), batch)


@pytest.mark.parametrize("status", [200, 503])
def test_failed_query_says_nothing(status: int) -> None:
    exchange, batch = numbered(), EventBatch()
    asked = exchange.query(working(order()), NOW)
    exchange.decode_reply(asked, reply(listing(code="50011"), status), batch)
    assert (batch.count, list(exchange.wanted()), exchange.quarantined) == (0, [], 0)


BALANCE = {"totalEq": "1", "details": [{"ccy": "USDT", "cashBal": "100.5"}]}
POSITION = {
    "instId": SYMBOL,
    "instType": "SWAP",
    "posId": "1",
    "pos": "2.50",
    "posSide": "short",
    "avgPx": "61000.123",
}


def test_account_is_read_from_the_replies_together() -> None:
    exchange = numbered()
    asked = [path_of(each) for each in exchange.account_requests(NOW)]
    assert asked[0] == "/api/v5/trade/orders-pending"
    assert asked[4:] == [
        "/api/v5/account/balance",
        "/api/v5/trade/fills",
        "/api/v5/account/positions",
    ]
    other = order_item(instId="ETH-USDT-SWAP")
    bodies = [
        listing(order_item(accFillSz="0.20"), other),
        listing(algo_item()),
        listing(),
        listing(),
        listing(BALANCE),
        listing(FILL),
        listing(POSITION),
    ]
    account = exchange.read_account(bodies, RECEIVED)
    first, second = account.orders
    assert (first.client_id, first.size, first.filled, first.price) == (CLIENT_ID, 120, 20, 610_005)
    assert (second.venue_order, second.price, second.side) == (706620792746729472, 0, Side.SELL)
    assert account.positions == {0: (-250, 610_001)}
    assert account.balances == {"USDT": Money.of("100.5")}
    assert account.trades["sequence"].tolist() == [77]


def test_spot_account_holds_coins() -> None:
    exchange = numbered("spot")
    asked = [path_of(each) for each in exchange.account_requests(NOW)]
    assert "/api/v5/account/positions" not in asked
    coins = {"totalEq": "1", "details": [{"ccy": "BTC", "cashBal": "0.125"}]}
    bodies = [*[listing()] * 4, listing(coins), listing()]
    assert exchange.read_account(bodies, RECEIVED).positions == {0: (12, 0)}


def test_account_that_is_not_told_whole_is_refused() -> None:
    exchange = numbered()
    good = [*[listing()] * 4, listing(BALANCE), listing(), listing()]
    many = listing(*[order_item()] * 100)
    for bodies in (good[:-1], [many, *good[1:]], [listing(code="50011"), *good[1:]]):
        with pytest.raises(DecodeError):
            exchange.read_account(bodies, RECEIVED)


def test_private_connections_need_keys_and_a_login() -> None:
    exchange = OkxExchange(OkxSettings(market="swap"))
    assert [each.name for each in exchange.connections()] == ["public", "rest"]
    assert exchange.opened("private", NOW) == []
    exchange.authorise(KEYS)
    private = [each.name for each in exchange.connections() if each.private]
    assert private == ["private", "business private"]
    for name, channels in (
        ("private", {"orders", "positions", "account"}),
        ("business private", {"orders-algo", "algo-advance"}),
    ):
        (login,) = exchange.opened(name, NOW)
        assert json.loads(login.body)["op"] == "login"
        exchange.began(name)
        decoded(exchange, {"event": "login", "code": "0", "msg": "", "connId": "x"})
        (subscription,) = exchange.wanted()
        assert subscription.connection == name
        assert {each["channel"] for each in json.loads(subscription.body)["args"]} == channels
    decoded(exchange, {"event": "error", "code": "60009", "msg": "Login failed."})
    assert exchange.wanted() == []


def test_strangers_have_no_number() -> None:
    item = order_item(clOrdId="somebody")
    assert decoded(numbered(), channel("orders", item)).events["link"][0] == -1
    assert decoded(adapter(), channel("orders", order_item())).events["link"][0] == -1


def test_trailing_stop_waits_by_its_activation_price() -> None:
    intent = order(type=OrderType.TRAILING_STOP, price=None)
    assert path_of(numbered().query(working(intent), NOW)) == "/api/v5/trade/order-algo"
    item = algo_item(triggerPx="", activePx="61000")
    assert decoded(numbered(), channel("algo-advance", item)).events["price"][0] == 610_000
