"""Orders become the venue's requests, exactly; what the venue has not is refused unsent."""

import json
from collections.abc import Mapping
from decimal import Decimal

import attrs
import pytest
from tests.plugins.exchange_binance.private import (
    INSTRUMENTS,
    NOW,
    client_id,
    intent,
    order,
    params_of,
    price,
    trader,
)

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.rate_limits import RequestPriority
from bot4_core.domain_types.records import OrderFlag, OrderType, Side, TimeInForce
from bot4_core.errors import OrderError
from bot4_plugins.exchange_binance.adapter import BinanceExchange

Changes = Mapping[str, object]
FUTURES = ("usdm", "coinm")
SENT = {"timestamp", "recvWindow", "signature", "apiKey", "newOrderRespType"}
TILL = Nanoseconds(1_723_200_000 * 10**9)
TRIGGER = price("usdm", "60000.00")
PLAIN = {"symbol": "BTCUSDT", "side": "BUY", "newClientOrderId": client_id()}
ALGO = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "clientAlgoId": client_id(),
    "algoType": "CONDITIONAL",
    "workingType": "CONTRACT_PRICE",
    "quantity": "2.000",
}

SPOT_ORDERS: tuple[tuple[OrderType, Changes, Changes], ...] = (
    (OrderType.MARKET, {}, {"type": "MARKET"}),
    (OrderType.LIMIT, {}, {"type": "LIMIT", "timeInForce": "GTC", "price": "61800.50"}),
    (
        OrderType.LIMIT,
        {"time_in_force": TimeInForce.FOK, "side": Side.SELL},
        {"type": "LIMIT", "timeInForce": "FOK", "price": "61800.50", "side": "SELL"},
    ),
    (
        OrderType.LIMIT,
        {"flags": OrderFlag.POST_ONLY},
        {"type": "LIMIT_MAKER", "price": "61800.50"},
    ),
    (OrderType.STOP, {"trigger": TRIGGER}, {"type": "STOP_LOSS", "stopPrice": "60000.00"}),
    (
        OrderType.STOP_LIMIT,
        {"trigger": TRIGGER, "time_in_force": TimeInForce.IOC},
        {
            "type": "STOP_LOSS_LIMIT",
            "stopPrice": "60000.00",
            "timeInForce": "IOC",
            "price": "61800.50",
        },
    ),
    (OrderType.TAKE_PROFIT, {"trigger": TRIGGER}, {"type": "TAKE_PROFIT", "stopPrice": "60000.00"}),
    (
        OrderType.TAKE_PROFIT_LIMIT,
        {"trigger": TRIGGER},
        {
            "type": "TAKE_PROFIT_LIMIT",
            "stopPrice": "60000.00",
            "timeInForce": "GTC",
            "price": "61800.50",
        },
    ),
    (
        OrderType.TRAILING_STOP,
        {"trail_ratio": Decimal("0.0125")},
        {"type": "STOP_LOSS", "trailingDelta": "125"},
    ),
    (
        OrderType.TRAILING_STOP,
        {"trail_ratio": Decimal("0.01"), "trigger": TRIGGER},
        {"type": "STOP_LOSS", "trailingDelta": "100", "stopPrice": "60000.00"},
    ),
    (
        OrderType.ICEBERG,
        {"visible": INSTRUMENTS["spot"].size("0.5")},
        {
            "type": "LIMIT",
            "timeInForce": "GTC",
            "price": "61800.50",
            "icebergQty": "0.50000",
        },
    ),
)
CONTRACT_ORDERS: tuple[tuple[OrderType, Changes, Changes], ...] = (
    (OrderType.MARKET, {}, {"type": "MARKET", "quantity": "2.000"}),
    (
        OrderType.MARKET,
        {"flags": OrderFlag.REDUCE_ONLY},
        {"type": "MARKET", "quantity": "2.000", "reduceOnly": "true"},
    ),
    (
        OrderType.LIMIT,
        {"time_in_force": TimeInForce.IOC},
        {"type": "LIMIT", "timeInForce": "IOC", "price": "61800.50", "quantity": "2.000"},
    ),
    (
        OrderType.LIMIT,
        {"flags": OrderFlag.POST_ONLY},
        {"type": "LIMIT", "timeInForce": "GTX", "price": "61800.50", "quantity": "2.000"},
    ),
    (
        OrderType.LIMIT,
        {"time_in_force": TimeInForce.GTD, "good_till": TILL},
        {
            "type": "LIMIT",
            "timeInForce": "GTD",
            "price": "61800.50",
            "quantity": "2.000",
            "goodTillDate": "1723200000000",
        },
    ),
)
ALGO_ORDERS: tuple[tuple[OrderType, Changes, Changes], ...] = (
    (OrderType.STOP, {"trigger": TRIGGER}, {"type": "STOP_MARKET", "triggerPrice": "60000.00"}),
    (
        OrderType.STOP_LIMIT,
        {"trigger": TRIGGER, "trigger_source": TriggerSource.MARK},
        {
            "type": "STOP",
            "triggerPrice": "60000.00",
            "price": "61800.50",
            "timeInForce": "GTC",
            "workingType": "MARK_PRICE",
        },
    ),
    (
        OrderType.TAKE_PROFIT,
        {"trigger": TRIGGER, "flags": OrderFlag.REDUCE_ONLY},
        {"type": "TAKE_PROFIT_MARKET", "triggerPrice": "60000.00", "reduceOnly": "true"},
    ),
    (
        OrderType.TAKE_PROFIT_LIMIT,
        {"trigger": TRIGGER},
        {
            "type": "TAKE_PROFIT",
            "triggerPrice": "60000.00",
            "price": "61800.50",
            "timeInForce": "GTC",
        },
    ),
    (
        OrderType.TRAILING_STOP,
        {"trail_ratio": Decimal("0.015"), "trigger": TRIGGER},
        {"type": "TRAILING_STOP_MARKET", "callbackRate": "1.5", "activatePrice": "60000.00"},
    ),
)
REFUSED: tuple[tuple[str, OrderType, Changes], ...] = (
    ("spot", OrderType.LIMIT, {"price": None}),
    ("spot", OrderType.LIMIT, {"side": Side.NONE}),
    ("spot", OrderType.LIMIT, {"flags": OrderFlag.REDUCE_ONLY}),
    ("spot", OrderType.LIMIT, {"time_in_force": TimeInForce.GTD, "good_till": TILL}),
    ("spot", OrderType.LIMIT, {"time_in_force": TimeInForce.IOC, "flags": OrderFlag.POST_ONLY}),
    ("spot", OrderType.STOP, {}),
    ("spot", OrderType.STOP, {"trigger": TRIGGER, "trigger_source": TriggerSource.MARK}),
    ("spot", OrderType.STOP_LIMIT, {"trigger": TRIGGER, "flags": OrderFlag.POST_ONLY}),
    ("spot", OrderType.TRAILING_STOP, {"trail": TRIGGER}),
    ("spot", OrderType.TRAILING_STOP, {"trail_ratio": Decimal("0.00001")}),
    ("spot", OrderType.TRAILING_STOP_LIMIT, {"trail_ratio": Decimal("0.01")}),
    ("spot", OrderType.ICEBERG, {}),
    ("usdm", OrderType.LIMIT, {"price": None}),
    ("usdm", OrderType.ICEBERG, {"visible": INSTRUMENTS["usdm"].size("1")}),
    ("usdm", OrderType.TRAILING_STOP_LIMIT, {"trail_ratio": Decimal("0.01")}),
    ("usdm", OrderType.LIMIT, {"flags": OrderFlag.CLOSE_POSITION}),
    ("usdm", OrderType.LIMIT, {"time_in_force": TimeInForce.IOC, "flags": OrderFlag.POST_ONLY}),
    ("usdm", OrderType.LIMIT, {"time_in_force": TimeInForce.GTD}),
    (
        "usdm",
        OrderType.LIMIT,
        {"time_in_force": TimeInForce.GTD, "good_till": Nanoseconds(TILL + 1)},
    ),
    ("usdm", OrderType.STOP, {"trigger": TRIGGER, "trigger_source": TriggerSource.INDEX}),
    ("usdm", OrderType.STOP_LIMIT, {"trigger": TRIGGER, "flags": OrderFlag.CLOSE_POSITION}),
    ("usdm", OrderType.STOP_LIMIT, {"trigger": TRIGGER, "flags": OrderFlag.POST_ONLY}),
    ("usdm", OrderType.TRAILING_STOP, {"trail_ratio": Decimal("0.0125")}),
    ("usdm", OrderType.TRAILING_STOP, {"trail_ratio": Decimal("-0.01")}),
    ("coinm", OrderType.LIMIT, {"time_in_force": TimeInForce.GTD, "good_till": TILL}),
)


def sent(
    exchange: BinanceExchange, market: str, kind: OrderType, changes: Changes
) -> dict[str, str]:
    """Return the parameters of a new order that are not the same for all."""
    request = exchange.place(intent(market, kind, **changes), NOW)
    params = params_of(request)
    assert SENT - {"apiKey", "newOrderRespType"} <= set(params)
    assert params["timestamp"] == str(NOW // 10**6)
    assert request.creates
    assert request.order == 7
    assert (request.cost.priority, request.cost.orders) == (RequestPriority.ORDER, 1)
    return {name: value for name, value in params.items() if name not in SENT}


@pytest.mark.parametrize("route", ["websocket", "rest"])
@pytest.mark.parametrize(("kind", "changes", "expected"), SPOT_ORDERS)
def test_spot_orders(route: str, kind: OrderType, changes: Changes, expected: Changes) -> None:
    found = sent(trader("spot", route=route), "spot", kind, changes)
    assert found == {**PLAIN, "quantity": "2.00000", **expected}


@pytest.mark.parametrize("route", ["websocket", "rest"])
@pytest.mark.parametrize(("kind", "changes", "expected"), CONTRACT_ORDERS)
def test_contract_orders(route: str, kind: OrderType, changes: Changes, expected: Changes) -> None:
    assert sent(trader("usdm", route=route), "usdm", kind, changes) == {**PLAIN, **expected}


@pytest.mark.parametrize(("kind", "changes", "expected"), ALGO_ORDERS)
def test_conditional_contract_orders_go_to_the_algo_service(
    kind: OrderType, changes: Changes, expected: Changes
) -> None:
    exchange = trader("usdm")
    assert sent(exchange, "usdm", kind, changes) == {**ALGO, **expected}
    request = exchange.place(intent("usdm", kind, **changes), NOW)
    assert (request.connection, request.method) == ("rest", "POST")
    assert request.path.startswith("/fapi/v1/algoOrder?")


def test_whole_position_is_closed_without_a_size() -> None:
    changes = {"trigger": TRIGGER, "flags": OrderFlag.CLOSE_POSITION}
    found = sent(trader("usdm"), "usdm", OrderType.STOP, changes)
    assert found["closePosition"] == "true"
    assert "quantity" not in found


@pytest.mark.parametrize(("market", "kind", "changes"), REFUSED)
def test_orders_that_the_venue_has_not_are_refused(
    market: str, kind: OrderType, changes: Changes
) -> None:
    with pytest.raises(OrderError):
        trader(market).place(intent(market, kind, **changes), NOW)


@pytest.mark.parametrize("market", INSTRUMENTS)
def test_capabilities_are_what_place_encodes(market: str) -> None:
    row = BinanceExchange.capabilities[market]
    extras = {
        "trigger": TRIGGER,
        "trail_ratio": Decimal("0.01"),
        "visible": INSTRUMENTS[market].size("1"),
        "good_till": TILL,
    }
    exchange = trader(market)

    def encodes(kind: OrderType, **changes: object) -> bool:
        try:
            exchange.place(intent(market, kind, **{**extras, **changes}), NOW)
        except OrderError:
            return False
        return True

    assert {kind for kind in OrderType if encodes(kind)} == set(row.order_types)
    forces = {each for each in TimeInForce if encodes(OrderType.LIMIT, time_in_force=each)}
    assert forces == set(row.times_in_force)
    sources = {each for each in TriggerSource if encodes(OrderType.STOP, trigger_source=each)}
    assert sources == set(row.trigger_sources)
    kinds = (OrderType.LIMIT, OrderType.STOP)
    flags = [flag for flag in OrderFlag if any(encodes(kind, flags=flag) for kind in kinds)]
    assert sum(flags, OrderFlag.NONE) == row.flags
    assert row.trades


@pytest.mark.parametrize(
    ("market", "route", "where"),
    [
        ("spot", "websocket", ("trade", "order.cancel")),
        ("spot", "rest", ("rest", "DELETE /api/v3/order")),
        ("usdm", "websocket", ("trade", "order.cancel")),
        ("coinm", "rest", ("rest", "DELETE /dapi/v1/order")),
    ],
)
def test_cancels_name_the_client_id(market: str, route: str, where: tuple[str, str]) -> None:
    request = trader(market, route=route).cancel(order(market), NOW)
    way = f"{request.method} {request.path.partition('?')[0]}"
    if not request.method:
        way = json.loads(request.body)["method"]
    assert (request.connection, way) == where
    assert params_of(request)["origClientOrderId"] == client_id()
    assert request.cost.priority is RequestPriority.CANCEL
    assert not request.creates


def test_conditional_contract_orders_are_cancelled_and_asked_for_at_the_algo_service() -> None:
    exchange, stop = trader("usdm"), order("usdm", OrderType.STOP, trigger=TRIGGER)
    for request, method in (
        (exchange.cancel(stop, NOW), "DELETE"),
        (exchange.query(stop, NOW), "GET"),
    ):
        assert (request.connection, request.method) == ("rest", method)
        assert request.path.startswith("/fapi/v1/algoOrder?")
        assert params_of(request)["clientAlgoId"] == client_id()


def test_all_orders_of_a_symbol_are_cancelled_those_that_wait_too() -> None:
    (spot,) = trader("spot").cancel_all(InstrumentId(0), NOW)
    assert json.loads(spot.body)["method"] == "openOrders.cancelAll"
    (rest,) = trader("spot", route="rest").cancel_all(InstrumentId(0), NOW)
    assert rest.path.startswith("/api/v3/openOrders?symbol=BTCUSDT&")
    both = trader("coinm").cancel_all(InstrumentId(0), NOW)
    assert [each.path.partition("?")[0] for each in both] == [
        "/dapi/v1/allOpenOrders",
        "/dapi/v1/algoOpenOrders",
    ]


@pytest.mark.parametrize("market", FUTURES)
def test_contract_orders_are_changed_in_price_and_size(market: str) -> None:
    exchange, working = trader(market), order(market)
    request = exchange.amend(working, price(market, "61900.00"), None, NOW)
    params = params_of(request)
    assert json.loads(request.body)["method"] == "order.modify"
    assert (params["price"], params["side"]) == ("61900.00", "BUY")
    assert params["quantity"] == str(working.intent.size)
    resized = exchange.amend(working, None, INSTRUMENTS[market].size("1"), NOW)
    assert params_of(resized)["price"] == "61800.50"


def test_spot_orders_can_only_be_made_smaller() -> None:
    exchange, working = trader("spot"), order("spot")
    request = exchange.amend(working, None, INSTRUMENTS["spot"].size("1"), NOW)
    params = params_of(request)
    assert json.loads(request.body)["method"] == "order.amend.keepPriority"
    assert (params["newQty"], params["newClientOrderId"]) == ("1.00000", client_id())
    rest = trader("spot", route="rest").amend(working, None, INSTRUMENTS["spot"].size("1"), NOW)
    assert rest.path.startswith("/api/v3/order/amend/keepPriority?")
    for changed, size in (
        (price("spot", "61900.00"), None),
        (None, INSTRUMENTS["spot"].size("3")),
        (None, None),
    ):
        with pytest.raises(OrderError, match="smaller"):
            exchange.amend(working, changed, size, NOW)
    stop = order("spot", OrderType.STOP, trigger=TRIGGER)
    with pytest.raises(OrderError, match="STOP"):
        exchange.amend(stop, None, INSTRUMENTS["spot"].size("1"), NOW)


def test_nothing_is_signed_without_a_key() -> None:
    exchange = trader("spot", keys=None)
    with pytest.raises(OrderError, match="needs a key"):
        exchange.place(intent("spot"), NOW)
    with pytest.raises(OrderError, match="needs a key"):
        exchange.missed(NOW, NOW)
    with pytest.raises(OrderError, match="no instrument 5"):
        trader("spot").place(attrs.evolve(intent("spot"), instrument=InstrumentId(5)), NOW)
