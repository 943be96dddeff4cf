"""Orders as the venue wants them, their signatures, and an independent encoder."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest
from tests.plugins.exchange_bybit.bybit_messages import BITCOIN, adapter

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
    Symbol,
)
from bot4_core.domain_types.orders import Order, OrderIntent, TriggerSource
from bot4_core.domain_types.rate_limits import RequestPriority
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, Side, TimeInForce
from bot4_core.errors import ConfigError, OrderError
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_plugins.exchange_bybit.adapter import BybitExchange, BybitSettings
from bot4_plugins.exchange_bybit.signing import BybitSigner, signature

CLIENT_ID = ClientOrderId("0123456789abcdef0000000000000007")
NOW = Nanoseconds(1_700_000_000_000_000_000)
KEYS = Credentials(key=Secret("test_api_key"), secret=Secret("test_secret"))
STOP = Price.of("61000.0")


def order(**changes: Any) -> OrderIntent:
    """Return a limit order to buy."""
    fields: dict[str, Any] = {
        "number": OrderNumber(7),
        "client_id": CLIENT_ID,
        "instrument": InstrumentId(0),
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "size": Quantity.of("0.120"),
        "price": Price.of("61000.50"),
    }
    return OrderIntent(**(fields | changes))


def working(intent: OrderIntent, status: OrderStatus = OrderStatus.OPEN) -> Order:
    """Return an order that works."""
    return Order(intent=intent, status=status, filled=Quantity.of("0.000"), updated=NOW)


def trader(market: str = "linear", **changes: Any) -> BybitExchange:
    """Return an adapter with keys."""
    exchange = adapter(market, **changes)
    exchange.authorise(KEYS)
    return exchange


def placed(intent: OrderIntent, market: str = "linear", **changes: Any) -> dict[str, Any]:
    """Return the fields that are sent of an order."""
    body: dict[str, Any] = json.loads(trader(market, **changes).place(intent, NOW).body)
    return dict(body["args"][0])


LIMIT = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.120",
    "orderLinkId": CLIENT_ID,
    "price": "61000.50",
    "timeInForce": "GTC",
    "positionIdx": 0,
}
MARKET = {name: LIMIT[name] for name in LIMIT if name not in ("price", "timeInForce")} | {
    "orderType": "Market"
}
SPOT = {name: LIMIT[name] for name in LIMIT if name != "positionIdx"} | {"category": "spot"}
TRIGGER = {"triggerPrice": "61000.0", "triggerBy": "LastPrice"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, LIMIT),
        ({"side": Side.SELL}, LIMIT | {"side": "Sell"}),
        ({"time_in_force": TimeInForce.IOC}, LIMIT | {"timeInForce": "IOC"}),
        ({"time_in_force": TimeInForce.FOK}, LIMIT | {"timeInForce": "FOK"}),
        ({"flags": OrderFlag.POST_ONLY}, LIMIT | {"timeInForce": "PostOnly"}),
        ({"flags": OrderFlag.REDUCE_ONLY}, LIMIT | {"reduceOnly": True}),
        ({"type": OrderType.MARKET, "price": None}, MARKET),
        (
            {"type": OrderType.MARKET, "price": None, "flags": OrderFlag.CLOSE_POSITION},
            MARKET | {"qty": "0", "reduceOnly": True, "closeOnTrigger": True},
        ),
        (
            {"type": OrderType.STOP, "price": None, "trigger": STOP},
            MARKET | TRIGGER | {"triggerDirection": 1},
        ),
        (
            {"type": OrderType.STOP, "price": None, "trigger": STOP, "side": Side.SELL},
            MARKET | TRIGGER | {"triggerDirection": 2, "side": "Sell"},
        ),
        (
            {"type": OrderType.TAKE_PROFIT, "price": None, "trigger": STOP},
            MARKET | TRIGGER | {"triggerDirection": 2},
        ),
        (
            {
                "type": OrderType.TAKE_PROFIT_LIMIT,
                "trigger": STOP,
                "side": Side.SELL,
                "trigger_source": TriggerSource.MARK,
            },
            LIMIT | TRIGGER | {"triggerDirection": 1, "side": "Sell", "triggerBy": "MarkPrice"},
        ),
        (
            {
                "type": OrderType.STOP_LIMIT,
                "trigger": STOP,
                "trigger_source": TriggerSource.INDEX,
            },
            LIMIT | TRIGGER | {"triggerDirection": 1, "triggerBy": "IndexPrice"},
        ),
    ],
)
def test_contract_orders(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert placed(order(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, SPOT),
        (
            {"type": OrderType.MARKET, "price": None},
            {name: SPOT[name] for name in SPOT if name not in ("price", "timeInForce")}
            | {"orderType": "Market", "marketUnit": "baseCoin"},
        ),
        (
            {"type": OrderType.STOP_LIMIT, "trigger": STOP},
            SPOT | {"triggerPrice": "61000.0", "orderFilter": "StopOrder"},
        ),
    ],
)
def test_spot_orders(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert placed(order(**changes), "spot") == expected


@pytest.mark.parametrize(
    ("side", "flags", "index"),
    [
        (Side.BUY, OrderFlag.NONE, 1),
        (Side.SELL, OrderFlag.NONE, 2),
        (Side.SELL, OrderFlag.REDUCE_ONLY, 1),
        (Side.BUY, OrderFlag.REDUCE_ONLY, 2),
    ],
)
def test_hedged_orders_name_their_position(side: Side, flags: OrderFlag, index: int) -> None:
    assert placed(order(side=side, flags=flags), hedged=True)["positionIdx"] == index


def test_self_trade_setting_goes_with_the_order() -> None:
    assert placed(order(), self_trade="CancelMaker")["smpType"] == "CancelMaker"


@pytest.mark.parametrize(
    ("market", "changes"),
    [
        ("linear", {"type": OrderType.TRAILING_STOP, "price": None, "trail": Price.of("10")}),
        ("linear", {"type": OrderType.ICEBERG, "visible": Quantity.of("0.01")}),
        ("linear", {"visible": Quantity.of("0.01")}),
        ("linear", {"time_in_force": TimeInForce.GTD, "good_till": NOW}),
        ("linear", {"type": OrderType.MARKET, "price": None, "time_in_force": TimeInForce.FOK}),
        ("linear", {"type": OrderType.MARKET, "price": None, "flags": OrderFlag.POST_ONLY}),
        ("linear", {"flags": OrderFlag.POST_ONLY, "time_in_force": TimeInForce.IOC}),
        ("spot", {"flags": OrderFlag.REDUCE_ONLY}),
        ("spot", {"flags": OrderFlag.CLOSE_POSITION}),
        ("spot", {"type": OrderType.STOP_LIMIT, "trigger_source": TriggerSource.MARK}),
    ],
)
def test_what_the_venue_has_not_is_refused_before_it_is_sent(
    market: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(OrderError, match="bybit"):
        trader(market).place(order(**changes), NOW)


def test_orders_need_keys() -> None:
    with pytest.raises(OrderError, match="keys"):
        adapter().place(order(), NOW)


def test_frame_of_an_order() -> None:
    sent = trader().place(order(), NOW)
    frame = json.loads(sent.body)
    assert sent.connection == "trade"
    assert (sent.order, sent.creates, sent.tag) == (7, True, "place")
    assert frame["reqId"] == CLIENT_ID + "0000"
    assert frame["op"] == "order.create"
    assert frame["header"] == {
        "X-BAPI-TIMESTAMP": "1700000000000",
        "X-BAPI-RECV-WINDOW": "5000",
    }
    assert (sent.cost.priority, sent.cost.orders) == (RequestPriority.ORDER, 1)


def test_request_of_an_order_is_signed_as_it_is_sent() -> None:
    sent = trader(route="rest").place(order(), NOW)
    headers = dict(sent.headers)
    assert (sent.method, sent.path, sent.connection) == ("POST", "/v5/order/create", "rest")
    payload = "1700000000000test_api_key5000" + sent.body.decode()
    assert headers["X-BAPI-SIGN"] == signature(KEYS.secret, payload)
    assert sent.creates
    assert "test_secret" not in repr(sent)


def test_cancel_amend_and_cancel_all() -> None:
    exchange = trader()
    canceled = json.loads(exchange.cancel(working(order()), NOW).body)
    named = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": CLIENT_ID}
    assert (canceled["op"], canceled["args"]) == ("order.cancel", [named])
    changed = exchange.amend(working(order()), Price.of("61001.00"), None, NOW)
    assert json.loads(changed.body)["args"] == [named | {"price": "61001.00"}]
    assert not changed.creates
    resized = exchange.amend(working(order()), None, Quantity.of("0.100"), NOW)
    assert json.loads(resized.body)["args"] == [named | {"qty": "0.100"}]
    (everything,) = exchange.cancel_all(InstrumentId(0), NOW)
    assert everything.path == "/v5/order/cancel-all"
    assert json.loads(everything.body) == {"category": "linear", "symbol": "BTCUSDT"}
    assert everything.cost.priority is RequestPriority.CANCEL


def test_spot_tells_waiting_orders_from_others() -> None:
    exchange = trader("spot")
    stop = order(type=OrderType.STOP_LIMIT, trigger=STOP)
    for intent, status, kind in (
        (order(), OrderStatus.OPEN, "Order"),
        (stop, OrderStatus.TRIGGER_PENDING, "StopOrder"),
        (stop, OrderStatus.PARTIAL, "Order"),
    ):
        frame = json.loads(exchange.cancel(working(intent, status), NOW).body)
        assert frame["args"][0]["orderFilter"] == kind
    filters = [
        json.loads(each.body)["orderFilter"] for each in exchange.cancel_all(InstrumentId(0), NOW)
    ]
    assert filters == ["Order", "StopOrder", "tpslOrder"]


def test_signatures_of_the_published_vectors(recordings: Path) -> None:
    vectors = json.loads((recordings / "signing_vectors.json").read_text())["vectors"]
    ours = [vector for vector in vectors if vector["exchange"] == "bybit"]
    assert len(ours) == 3
    for vector in ours:
        assert signature(Secret(vector["secret"]), vector["payload"]) == vector["signature"]
    signer = BybitSigner(credentials=KEYS, window=5000)
    headers = dict(signer.headers(int(NOW), "category=linear&symbol=BTCUSDT"))
    assert headers["X-BAPI-SIGN"] == ours[0]["signature"]
    login = json.loads(signer.login(int(NOW) - 10_000_000_000))
    assert login["args"] == ["test_api_key", 1_700_000_000_000, ours[2]["signature"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"market": "futures"},
        {"depth": 25},
        {"streams": ("depth",)},
        {"candle_interval": "2"},
        {"route": "fix"},
        {"self_trade": "cancel"},
        {"symbols": ("BTCUSDT", "BTCUSDT")},
        {"window": 0},
        {"metadata_every": -1},
        {"hedged": True},
        {"streams": ("allLiquidation",)},
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"market": "spot"} | changes
    with pytest.raises(ConfigError):
        BybitExchange(BybitSettings(**fields))


def ccxt_request(market: str, intent: OrderIntent, params: dict[str, Any]) -> dict[str, Any]:
    """Let ccxt build the same order offline."""
    import ccxt  # type: ignore[import-untyped]  # it ships no types

    client: Any = ccxt.bybit()
    spot = market == "spot"
    limits = {"amount": {"min": None, "max": None}, "cost": {}, "price": {}}
    client.markets = {}
    listing = client.safe_market_structure(
        {
            "id": "BTCUSDT",
            "symbol": "BTC/USDT" if spot else "BTC/USDT:USDT",
            "base": "BTC",
            "quote": "USDT",
            "baseId": "BTC",
            "quoteId": "USDT",
            "settle": None if spot else "USDT",
            "type": "spot" if spot else "swap",
            "spot": spot,
            "swap": not spot,
            "contract": not spot,
            "linear": not spot,
            "inverse": False,
            "precision": {"amount": 0.001, "price": 0.01},
            "limits": limits,
        }
    )
    client.markets = {listing["symbol"]: listing}
    client.markets_by_id = {"BTCUSDT": [listing]}
    client.options["enableUnifiedAccount"] = True
    kind = "market" if intent.price is None else "limit"
    side = "buy" if intent.side is Side.BUY else "sell"
    price = None if intent.price is None else str(intent.price)
    amount = str(intent.size)
    extra = params | {"clientOrderId": str(intent.client_id)}
    request: dict[str, Any] = client.create_order_request(
        listing["symbol"], kind, side, amount, price, extra, isUTA=True
    )
    return request


@pytest.mark.parametrize(
    ("market", "changes", "params"),
    [
        ("linear", {}, {}),
        ("linear", {"flags": OrderFlag.POST_ONLY}, {"postOnly": True}),
        ("linear", {"flags": OrderFlag.REDUCE_ONLY, "side": Side.SELL}, {"reduceOnly": True}),
        ("linear", {"type": OrderType.MARKET, "price": None}, {}),
        (
            "linear",
            {"type": OrderType.STOP_LIMIT, "trigger": STOP},
            {"triggerPrice": "61000.0", "triggerDirection": "ascending"},
        ),
        ("spot", {}, {}),
        ("spot", {"time_in_force": TimeInForce.IOC}, {"timeInForce": "IOC"}),
    ],
)
def test_ccxt_builds_the_same_order(
    market: str, changes: dict[str, Any], params: dict[str, Any]
) -> None:
    intent = order(**changes)
    ours, theirs = placed(intent, market), ccxt_request(market, intent, params)
    shared = ours.keys() & theirs.keys()
    assert shared >= {"category", "symbol", "side", "orderType", "qty", "orderLinkId"}
    for name in shared - {"qty", "price", "triggerPrice"}:
        assert str(ours[name]).lower() == str(theirs[name]).lower(), name
    for name in shared & {"qty", "price", "triggerPrice"}:
        assert Price.of(ours[name]) == Price.of(str(theirs[name])), name
    assert theirs.keys() - ours.keys() <= {"slOrderType", "tpOrderType"}


def test_query_names_the_order() -> None:
    asked = trader().query(working(order()), NOW)
    fields = dict(parse_qsl(urlsplit(asked.path).query))
    assert fields == {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": CLIENT_ID}
    query = urlsplit(asked.path).query
    assert dict(asked.headers)["X-BAPI-SIGN"] == signature(
        KEYS.secret, f"1700000000000test_api_key5000{query}"
    )
    assert asked.order == 7


def test_instruments_beyond_the_first_are_named_in_the_request() -> None:
    other = attrs.evolve(BITCOIN, symbol=Symbol("ETHUSDT"))
    exchange = BybitExchange(BybitSettings(market="linear"), (BITCOIN, other))
    exchange.authorise(KEYS)
    frame = json.loads(exchange.place(order(instrument=InstrumentId(1)), NOW).body)
    assert frame["reqId"] == CLIENT_ID + "0001"
    assert frame["args"][0]["symbol"] == "ETHUSDT"
