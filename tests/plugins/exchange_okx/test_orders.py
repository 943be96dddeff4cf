"""Orders as the venue wants them, their signatures, and an independent encoder."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.plugins.exchange_okx.okx_messages import SYMBOL, adapter, decoded

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.orders import Order, OrderIntent, TriggerSource
from bot4_core.domain_types.rate_limits import RequestPriority
from bot4_core.domain_types.records import OrderFlag, OrderStatus, OrderType, Side, TimeInForce
from bot4_core.errors import ConfigError, OrderError
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_plugins.exchange_okx.adapter import OkxExchange, OkxSettings
from bot4_plugins.exchange_okx.signing import OkxSigner, okx_signature

CLIENT_ID = ClientOrderId("0123456789abcdef0000000000000007")
NOW = Nanoseconds(1_607_418_537_715_000_000)
KEYS = Credentials(key=Secret("the-key"), secret=Secret("test_secret"), passphrase=Secret("word"))
STOP = Price.of("61000.0")


def order(**changes: Any) -> OrderIntent:
    """Return a limit order to buy."""
    fields: dict[str, Any] = {
        "number": OrderNumber(7),
        "client_id": CLIENT_ID,
        "instrument": InstrumentId(0),
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "size": Quantity.of("1.20"),
        "price": Price.of("61000.5"),
    }
    return OrderIntent(**(fields | changes))


def working(intent: OrderIntent, status: OrderStatus = OrderStatus.OPEN) -> Order:
    """Return an order that works."""
    nothing = Quantity.of("0.00")
    return Order(intent=intent, status=status, filled=nothing, updated=NOW, venue_order_id="99")


def trader(market: str = "swap", *, code: int = 10459, **changes: Any) -> OkxExchange:
    """Return an adapter with keys that knows the instrument's number, unless that is 0."""
    fields: dict[str, Any] = {"margin_mode": "cash" if market == "spot" else "cross"}
    exchange = adapter(market, **(fields | changes))
    exchange.authorise(KEYS)
    if code:
        exchange._codes[str(exchange.instruments[0].symbol)] = code
    return exchange


def placed(intent: OrderIntent, market: str = "swap", **changes: Any) -> dict[str, Any]:
    """Return the fields that are sent of an order."""
    sent: dict[str, Any] = json.loads(trader(market, **changes).place(intent, NOW).body)
    return dict(sent["args"][0]) if "args" in sent else sent


LIMIT = {
    "instIdCode": 10459,
    "tdMode": "cross",
    "side": "buy",
    "sz": "1.20",
    "clOrdId": CLIENT_ID,
    "ordType": "limit",
    "px": "61000.5",
}
MARKET = {name: LIMIT[name] for name in LIMIT if name != "px"} | {"ordType": "market"}
ALGO = {
    "instId": SYMBOL,
    "tdMode": "cross",
    "side": "buy",
    "sz": "1.20",
    "algoClOrdId": CLIENT_ID,
}
TRIGGER = ALGO | {"ordType": "trigger", "triggerPx": "61000.0", "triggerPxType": "last"}
CLOSING = {name: ALGO[name] for name in ALGO if name != "sz"} | {
    "ordType": "conditional",
    "closeFraction": "1",
    "reduceOnly": True,
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, LIMIT),
        ({"side": Side.SELL}, LIMIT | {"side": "sell"}),
        ({"time_in_force": TimeInForce.IOC}, LIMIT | {"ordType": "ioc"}),
        ({"time_in_force": TimeInForce.FOK}, LIMIT | {"ordType": "fok"}),
        ({"flags": OrderFlag.POST_ONLY}, LIMIT | {"ordType": "post_only"}),
        ({"flags": OrderFlag.REDUCE_ONLY}, LIMIT | {"reduceOnly": True}),
        ({"type": OrderType.MARKET, "price": None}, MARKET),
        (
            {"type": OrderType.STOP, "price": None, "trigger": STOP},
            TRIGGER | {"orderPx": "-1"},
        ),
        (
            {
                "type": OrderType.TAKE_PROFIT_LIMIT,
                "trigger": STOP,
                "trigger_source": TriggerSource.MARK,
                "flags": OrderFlag.REDUCE_ONLY,
            },
            TRIGGER | {"orderPx": "61000.5", "triggerPxType": "mark", "reduceOnly": True},
        ),
        (
            {"type": OrderType.TRAILING_STOP, "price": None, "trail": Price.of("50.0")},
            ALGO | {"ordType": "move_order_stop", "callbackSpread": "50.0"},
        ),
        (
            {
                "type": OrderType.TRAILING_STOP,
                "price": None,
                "trail_ratio": Decimal("0.01"),
                "trigger": STOP,
            },
            ALGO | {"ordType": "move_order_stop", "callbackRatio": "0.01", "activePx": "61000.0"},
        ),
        (
            {
                "type": OrderType.STOP,
                "price": None,
                "trigger": STOP,
                "flags": OrderFlag.CLOSE_POSITION,
            },
            CLOSING | {"slTriggerPx": "61000.0", "slTriggerPxType": "last", "slOrdPx": "-1"},
        ),
        (
            {
                "type": OrderType.TAKE_PROFIT,
                "price": None,
                "trigger": STOP,
                "trigger_source": TriggerSource.INDEX,
                "flags": OrderFlag.CLOSE_POSITION,
            },
            CLOSING | {"tpTriggerPx": "61000.0", "tpTriggerPxType": "index", "tpOrdPx": "-1"},
        ),
        (
            {"type": OrderType.MARKET, "price": None, "flags": OrderFlag.CLOSE_POSITION},
            {"instId": SYMBOL, "mgnMode": "cross", "clOrdId": CLIENT_ID},
        ),
    ],
)
def test_contract_orders(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert placed(order(**changes)) == expected


def test_spot_market_orders_are_of_base() -> None:
    sent = placed(order(type=OrderType.MARKET, price=None), "spot")
    assert sent == MARKET | {"tdMode": "cash", "tgtCcy": "base_ccy"}


@pytest.mark.parametrize(
    ("side", "flags", "held"),
    [
        (Side.BUY, OrderFlag.NONE, "long"),
        (Side.SELL, OrderFlag.NONE, "short"),
        (Side.SELL, OrderFlag.REDUCE_ONLY, "long"),
        (Side.BUY, OrderFlag.REDUCE_ONLY, "short"),
    ],
)
def test_hedged_orders_name_their_position(side: Side, flags: OrderFlag, held: str) -> None:
    sent = placed(order(side=side, flags=flags), hedged=True, self_trade="cancel_both")
    assert (sent["posSide"], sent["stpMode"]) == (held, "cancel_both")


@pytest.mark.parametrize(
    ("market", "changes"),
    [
        ("swap", {"type": OrderType.TRAILING_STOP_LIMIT, "trail": STOP, "limit_offset": STOP}),
        ("swap", {"type": OrderType.ICEBERG, "visible": Quantity.of("0.01")}),
        ("swap", {"visible": Quantity.of("0.01")}),
        ("swap", {"time_in_force": TimeInForce.GTD, "good_till": NOW}),
        ("swap", {"type": OrderType.MARKET, "price": None, "time_in_force": TimeInForce.FOK}),
        ("swap", {"type": OrderType.MARKET, "price": None, "flags": OrderFlag.POST_ONLY}),
        ("swap", {"flags": OrderFlag.POST_ONLY, "time_in_force": TimeInForce.IOC}),
        ("swap", {"flags": OrderFlag.CLOSE_POSITION}),
        (
            "swap",
            {
                "type": OrderType.TRAILING_STOP,
                "trail": STOP,
                "trigger_source": TriggerSource.MARK,
            },
        ),
        ("spot", {"flags": OrderFlag.REDUCE_ONLY}),
    ],
)
def test_what_the_venue_has_not_is_refused_before_it_is_sent(
    market: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(OrderError, match="okx"):
        trader(market).place(order(**changes), NOW)


def test_orders_need_keys() -> None:
    with pytest.raises(OrderError, match="keys"):
        adapter().place(order(), NOW)


def test_frame_of_an_order() -> None:
    sent = trader().place(order(), NOW)
    frame = json.loads(sent.body)
    assert (sent.connection, sent.order, sent.creates) == ("private", 7, True)
    assert (frame["op"], frame["id"]) == ("order", "00000000000000000007")
    assert frame["expTime"] == "1607418542715"
    assert (sent.cost.priority, sent.cost.orders, sent.cost.weight) == (RequestPriority.ORDER, 1, 0)


@pytest.mark.parametrize("changes", [{"route": "rest"}, {"site": "demo"}, {"code": 0}])
def test_orders_go_by_request_where_frames_do_not_do(changes: dict[str, Any]) -> None:
    sent = trader(**changes).place(order(), NOW)
    headers = dict(sent.headers)
    assert (sent.connection, sent.path, sent.creates) == ("rest", "/api/v5/trade/order", True)
    assert json.loads(sent.body)["instId"] == SYMBOL
    payload = "2020-12-08T09:08:57.715ZPOST/api/v5/trade/order" + sent.body.decode()
    assert headers["OK-ACCESS-SIGN"] == okx_signature(KEYS.secret, payload)
    assert headers["expTime"] == "1607418542715"
    assert ("x-simulated-trading" in headers) is (changes.get("site") == "demo")
    assert "test_secret" not in repr(sent)


def test_instruments_tell_the_numbers_that_frames_need(recordings: Path) -> None:
    exchange = adapter(symbols=(SYMBOL,))
    content = json.loads(
        (recordings / "okx" / "samples" / "http_get_instruments_swap.json").read_text()
    )
    decoded(exchange, content)
    assert exchange._codes["BTC-USD-SWAP"] == 10458


def test_cancel_and_amend() -> None:
    exchange = trader()
    frame = json.loads(exchange.cancel(working(order()), NOW).body)
    assert frame["op"] == "cancel-order"
    assert frame["args"] == [{"instIdCode": 10459, "clOrdId": CLIENT_ID}]
    assert "expTime" not in frame
    changed = exchange.amend(working(order()), Price.of("61001.0"), Quantity.of("1.00"), NOW)
    argument = json.loads(changed.body)["args"][0]
    assert argument == {
        "instIdCode": 10459,
        "clOrdId": CLIENT_ID,
        "newPx": "61001.0",
        "newSz": "1.00",
    }
    assert not changed.creates


def test_waiting_orders_are_changed_by_their_own_names() -> None:
    exchange = trader()
    stop = order(type=OrderType.STOP_LIMIT, trigger=STOP)
    waiting = working(stop, OrderStatus.TRIGGER_PENDING)
    canceled = exchange.cancel(waiting, NOW)
    assert canceled.path == "/api/v5/trade/cancel-algos"
    assert json.loads(canceled.body) == [{"instId": SYMBOL, "algoClOrdId": CLIENT_ID}]
    changed = exchange.amend(waiting, Price.of("61001.0"), None, NOW)
    assert changed.path == "/api/v5/trade/amend-algos"
    assert json.loads(changed.body)["newOrdPx"] == "61001.0"
    triggered = json.loads(exchange.cancel(working(stop), NOW).body)
    assert triggered["args"] == [{"instIdCode": 10459, "ordId": "99"}]
    assert urlsplit(exchange.query(waiting, NOW).path).path == "/api/v5/trade/order-algo"


def test_query_names_the_order() -> None:
    asked = trader().query(working(order()), NOW)
    parts = urlsplit(asked.path)
    assert parts.path == "/api/v5/trade/order"
    assert dict(parse_qsl(parts.query)) == {"instId": SYMBOL, "clOrdId": CLIENT_ID}
    payload = f"2020-12-08T09:08:57.715ZGET{asked.path}"
    assert dict(asked.headers)["OK-ACCESS-SIGN"] == okx_signature(KEYS.secret, payload)


def test_signatures_of_the_vectors(recordings: Path) -> None:
    vectors = json.loads((recordings / "signing_vectors.json").read_text())["vectors"]
    ours = [vector for vector in vectors if vector["exchange"] == "okx"]
    assert len(ours) == 4
    for vector in ours:
        assert okx_signature(Secret(vector["secret"]), vector["payload"]) == vector["signature"]
    keys = Credentials(
        key=Secret(ours[0]["api_key"]),
        secret=Secret(ours[0]["secret"]),
        passphrase=Secret(ours[0]["passphrase"]),
    )
    signer = OkxSigner(credentials=keys)
    headers = dict(signer.headers(int(NOW), "GET", "/api/v5/account/balance", ""))
    assert headers["OK-ACCESS-SIGN"] == ours[0]["signature"]
    assert headers["OK-ACCESS-TIMESTAMP"] == "2020-12-08T09:08:57.715Z"
    login = json.loads(signer.login(1_538_054_050_000_000_000))
    assert login["args"][0]["sign"] == ours[3]["signature"]


@pytest.mark.parametrize(
    "changes",
    [
        {"market": "option"},
        {"book": "books25"},
        {"streams": ("depth",)},
        {"streams": ("mark-price",)},
        {"candle_interval": "2m"},
        {"site": "moon"},
        {"route": "fix"},
        {"margin_mode": "portfolio"},
        {"self_trade": "none"},
        {"symbols": ("BTC-USDT", "BTC-USDT")},
        {"window": 0},
        {"hedged": True},
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"market": "spot"} | changes
    with pytest.raises(ConfigError):
        OkxExchange(OkxSettings(**fields))


def ccxt_request(market: str, intent: OrderIntent, params: dict[str, Any]) -> dict[str, Any]:
    """Let ccxt build the same order offline."""
    import ccxt  # type: ignore[import-untyped]  # it ships no types

    client: Any = ccxt.okx()
    spot = market == "spot"
    limits: dict[str, Any] = {"amount": {}, "cost": {}, "price": {}}
    listing: Any = client.safe_market_structure(
        {
            "id": "BTC-USDT" if spot else SYMBOL,
            "symbol": "BTC/USDT" if spot else "BTC/USDT:USDT",
            "base": "BTC",
            "quote": "USDT",
            "type": "spot" if spot else "swap",
            "spot": spot,
            "swap": not spot,
            "contract": not spot,
            "linear": not spot,
            "inverse": False,
            "precision": {"amount": 0.01, "price": 0.1},
            "limits": limits,
        }
    )
    client.markets = {listing["symbol"]: listing}
    client.markets_by_id = {listing["id"]: [listing]}
    kind = "market" if intent.price is None else "limit"
    side = "buy" if intent.side is Side.BUY else "sell"
    price = None if intent.price is None else str(intent.price)
    extra = params | {"clientOrderId": str(intent.client_id)}
    request: dict[str, Any] = client.create_order_request(
        listing["symbol"], kind, side, str(intent.size), price, extra
    )
    return request


@pytest.mark.parametrize(
    ("market", "changes", "params"),
    [
        ("swap", {}, {"tdMode": "cross"}),
        ("swap", {"flags": OrderFlag.POST_ONLY}, {"postOnly": True, "tdMode": "cross"}),
        ("swap", {"time_in_force": TimeInForce.FOK}, {"timeInForce": "FOK", "tdMode": "cross"}),
        ("swap", {"flags": OrderFlag.REDUCE_ONLY}, {"reduceOnly": True, "tdMode": "cross"}),
        ("swap", {"type": OrderType.MARKET, "price": None}, {"tdMode": "cross"}),
        ("spot", {}, {"tdMode": "cash"}),
    ],
)
def test_ccxt_builds_the_same_order(
    market: str, changes: dict[str, Any], params: dict[str, Any]
) -> None:
    intent = order(**changes)
    ours, theirs = placed(intent, market, route="rest"), ccxt_request(market, intent, params)
    shared = ours.keys() & theirs.keys()
    assert shared >= {"instId", "side", "ordType", "sz", "clOrdId", "tdMode"}
    for name in shared - {"sz", "px", "clOrdId"}:
        assert str(ours[name]).lower() == str(theirs[name]).lower(), name
    for name in shared & {"sz", "px"}:
        assert Price.of(ours[name]) == Price.of(str(theirs[name])), name
    assert theirs["clOrdId"].endswith(CLIENT_ID) or theirs["clOrdId"] == CLIENT_ID
    assert theirs.keys() - ours.keys() <= {"tag", "tgtCcy"}  # of spot limits always base
