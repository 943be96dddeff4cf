"""The same orders, written by somebody else: ccxt's requests have the same fields as ours."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt  # type: ignore[import-untyped]  # has no types
import pytest
from tests.plugins.exchange_binance.private import (
    NOW,
    client_id,
    intent,
    order,
    params_of,
    price,
    trader,
)
from tests.plugins.exchange_binance.test_metadata import listing

from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.records import OrderFlag, OrderType, Side, TimeInForce

Fields = dict[str, str]
Pair = tuple[str, dict[str, object], OrderType, dict[str, object]]
OWN = ("timestamp", "recvWindow", "signature", "newOrderRespType")
TRIGGER = price("usdm", "60000.00")
TYPES = [
    *("LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"),
    *("TRAILING_STOP_MARKET", "LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"),
]


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Instead of sending, what would be sent."""


@pytest.fixture(scope="module")
def client() -> Any:
    """Return ccxt's client with two markets and no network."""
    made: Any = ccxt.binance({"apiKey": "the key", "secret": "the secret"})

    def stop(url: str, method: str = "GET", headers: object = None, body: object = None) -> None:
        query = str(body or "") if method in ("POST", "PUT") else urlsplit(url).query
        raise Stopped(method, urlsplit(url).path, query or urlsplit(url).query)

    made.fetch = stop
    made.options.update({"crossMarginPairsData": [], "isolatedMarginPairsData": []})
    spot = listing(orderTypes=TYPES, isSpotTradingAllowed=True)
    for name in ("contractType", "deliveryDate", "marginAsset"):
        del spot[name]
    made.set_markets([made.parse_market(each) for each in (listing(orderTypes=TYPES), spot)])
    return made


def theirs(call: Any, *arguments: object) -> tuple[str, str, Fields]:
    with pytest.raises(Stopped) as stopped:
        call(*arguments)
    method, path, query = stopped.value.args
    return method, path, dict(parse_qsl(query))


def canonical(fields: Mapping[str, str]) -> dict[str, object]:
    """Return fields as they are compared: numbers by value, and none that is our own choice."""
    known = {name: text for name, text in fields.items() if name not in OWN}
    numbers = ("quantity", "price", "stopPrice", "triggerPrice", "callbackRate", "activatePrice")
    return {
        name: Decimal(text) if name in numbers else text.lower() if name == "reduceOnly" else text
        for name, text in known.items()
    }


SPOT: tuple[Pair, ...] = (
    ("limit", {}, OrderType.LIMIT, {}),
    ("limit", {"timeInForce": "IOC"}, OrderType.LIMIT, {"time_in_force": TimeInForce.IOC}),
    ("limit", {"postOnly": True}, OrderType.LIMIT, {"flags": OrderFlag.POST_ONLY}),
    ("market", {}, OrderType.MARKET, {}),
    ("market", {"stopLossPrice": 60000}, OrderType.STOP, {"trigger": TRIGGER}),
    ("limit", {"stopLossPrice": 60000}, OrderType.STOP_LIMIT, {"trigger": TRIGGER}),
    ("market", {"takeProfitPrice": 60000}, OrderType.TAKE_PROFIT, {"trigger": TRIGGER}),
    ("limit", {"takeProfitPrice": 60000}, OrderType.TAKE_PROFIT_LIMIT, {"trigger": TRIGGER}),
)
CONTRACT: tuple[Pair, ...] = (
    ("limit", {}, OrderType.LIMIT, {}),
    ("limit", {"postOnly": True}, OrderType.LIMIT, {"flags": OrderFlag.POST_ONLY}),
    ("limit", {"timeInForce": "FOK"}, OrderType.LIMIT, {"time_in_force": TimeInForce.FOK}),
    ("market", {"reduceOnly": True}, OrderType.MARKET, {"flags": OrderFlag.REDUCE_ONLY}),
    ("market", {"stopLossPrice": 60000}, OrderType.STOP, {"trigger": TRIGGER}),
    (
        "limit",
        {"stopLossPrice": 60000, "workingType": "MARK_PRICE"},
        OrderType.STOP_LIMIT,
        {"trigger": TRIGGER, "trigger_source": TriggerSource.MARK},
    ),
    ("market", {"takeProfitPrice": 60000}, OrderType.TAKE_PROFIT, {"trigger": TRIGGER}),
    (
        "market",
        {"trailingPercent": 1.5, "trailingTriggerPrice": 60000},
        OrderType.TRAILING_STOP,
        {"trail_ratio": Decimal("0.015"), "trigger": TRIGGER},
    ),
)


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(
    ("market", "kind", "extras", "ours", "changes"),
    [("spot", *each) for each in SPOT] + [("usdm", *each) for each in CONTRACT],
)
def test_new_orders(
    client: Any,
    side: str,
    market: str,
    kind: str,
    extras: dict[str, object],
    ours: OrderType,
    changes: dict[str, object],
) -> None:
    symbol = "BTC/USDT" if market == "spot" else "BTC/USDT:USDT"
    limit = 61800.50 if kind == "limit" else None
    named = {"clientOrderId": client_id(), **extras}
    method, path, fields = theirs(client.create_order, symbol, kind, side, 2, limit, named)
    made = intent(market, ours, **{"side": Side[side.upper()], **changes})
    request = trader(market, route="rest").place(made, NOW)
    assert (request.method, request.path.partition("?")[0]) == (method, path)
    expected, found = canonical(fields), canonical(params_of(request))
    defaults = {"workingType": "CONTRACT_PRICE", "timeInForce": "GTC"}
    assert {**defaults, **found} == {**defaults, **expected}


@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_cancels_queries_and_lists(client: Any, market: str) -> None:
    symbol = "BTC/USDT" if market == "spot" else "BTC/USDT:USDT"
    exchange, working = trader(market, route="rest"), order(market)
    named = {"clientOrderId": client_id()}
    pairs = (
        (theirs(client.cancel_order, "", symbol, named), exchange.cancel(working, NOW)),
        (theirs(client.fetch_order, "", symbol, named), exchange.query(working, NOW)),
        (
            theirs(client.cancel_all_orders, symbol),
            exchange.cancel_all(working.intent.instrument, NOW)[0],
        ),
    )
    for (method, path, fields), request in pairs:
        assert (request.method, request.path.partition("?")[0]) == (method, path)
        assert canonical(params_of(request)) == canonical(fields)


def test_signature_is_theirs(client: Any) -> None:
    path, params = "order", {"symbol": "BTCUSDT", "origClientOrderId": client_id()}
    client.nonce = lambda: NOW // 10**6
    client.options["recvWindow"] = 5000
    signed = client.sign(path, ["private"], "GET", params)
    fields = dict(parse_qsl(urlsplit(signed["url"]).query))
    request = trader("spot", route="rest").query(order("spot"), NOW)
    assert signed["headers"]["X-MBX-APIKEY"] == dict(request.headers)["X-MBX-APIKEY"]
    ours = params_of(request)
    assert {**fields, "signature": ""} == {**ours, "signature": ""}
