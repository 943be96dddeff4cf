"""Orders: how they are written, what the replies and the user channel say."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

import pytest
from tests.plugins.exchange_coinbase.coinbase_world import (
    BITCOIN,
    ETHER,
    NOW,
    SYMBOL,
    adapter,
    answered,
    client_id,
    compact,
    frame,
    intent,
    number_of,
    rows,
    told,
    trader,
    working,
)

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    Price,
    Quantity,
)
from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.rate_limits import RequestPriority
from bot4_core.domain_types.records import (
    EventFlag,
    EventKind,
    OrderFlag,
    OrderReason,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.errors import DecodeError, OrderError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_plugins.exchange_coinbase.adapter import CoinbaseExchange
from bot4_plugins.exchange_coinbase.settings import CoinbaseSettings
from bot4_plugins.venue_toolkit.id_numbers import number_of_id

SECOND = 1_000_000_000
ID = "0000-000000-000001"
UNTIL = Nanoseconds(NOW + 60 * SECOND)
END = {"end_time": "2026-08-09T21:06:48.174345Z"}
STOP = {"type": OrderType.STOP_LIMIT, "trigger": Price(3_700_000, -2)}
LIMIT = {"base_size": "1.25000000", "limit_price": "37500.00"}
UP = {"stop_price": "37000.00", "stop_direction": "STOP_DIRECTION_STOP_UP"}
DOWN = UP | {"stop_direction": "STOP_DIRECTION_STOP_DOWN"}
GTD = {"time_in_force": TimeInForce.GTD, "good_till": UNTIL}

ORDERS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({}, "limit_limit_gtc", LIMIT | {"post_only": False}),
    ({"flags": OrderFlag.POST_ONLY}, "limit_limit_gtc", LIMIT | {"post_only": True}),
    (GTD, "limit_limit_gtd", LIMIT | END | {"post_only": False}),
    ({"time_in_force": TimeInForce.FOK}, "limit_limit_fok", LIMIT),
    ({"time_in_force": TimeInForce.IOC}, "sor_limit_ioc", LIMIT),
    ({"type": OrderType.MARKET}, "market_market_ioc", {"base_size": "1.25000000"}),
    (STOP, "stop_limit_stop_limit_gtc", LIMIT | UP),
    (STOP | {"side": Side.SELL}, "stop_limit_stop_limit_gtc", LIMIT | DOWN),
    (STOP | GTD, "stop_limit_stop_limit_gtd", LIMIT | UP | END),
    (STOP | {"type": OrderType.TAKE_PROFIT_LIMIT}, "stop_limit_stop_limit_gtc", LIMIT | DOWN),
    (
        STOP | {"type": OrderType.TAKE_PROFIT_LIMIT, "side": Side.SELL},
        "stop_limit_stop_limit_gtc",
        LIMIT | UP,
    ),
]


@pytest.mark.parametrize(("fields", "name", "terms"), ORDERS)
def test_order_of_each_configuration(
    fields: dict[str, Any], name: str, terms: dict[str, Any]
) -> None:
    made = trader().place(intent(**fields), NOW)
    assert json.loads(made.body) == {
        "client_order_id": client_id(7),
        "product_id": SYMBOL,
        "side": "SELL" if fields.get("side") is Side.SELL else "BUY",
        "order_configuration": {name: terms},
    }
    assert (made.method, made.path) == ("POST", "/api/v3/brokerage/orders")
    assert (made.order, made.creates, made.cost.priority) == (7, True, RequestPriority.ORDER)


def test_market_order_for_a_quote_amount() -> None:
    made = trader().place_for(intent(type=OrderType.MARKET), Money(10_050, -2), NOW)
    terms = json.loads(made.body)["order_configuration"]
    assert terms == {"market_market_ioc": {"quote_size": "100.50"}}
    with pytest.raises(OrderError, match="market alone"):
        trader().place_for(intent(), Money(1, 0), NOW)


@pytest.mark.parametrize(("fields", "ending"), [({}, "gtc"), (GTD, "gtd")])
def test_bracket_ends_at_its_limit_or_at_a_stop(fields: dict[str, Any], ending: str) -> None:
    made = trader().place_bracket(intent(**fields), Price(3_600_000, -2), NOW)
    terms = LIMIT | {"stop_trigger_price": "36000.00"} | (END if fields else {})
    assert json.loads(made.body)["order_configuration"] == {f"trigger_bracket_{ending}": terms}
    with pytest.raises(OrderError, match="plain limit"):
        trader().place_bracket(intent(flags=OrderFlag.POST_ONLY), Price(1, 0), NOW)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"type": OrderType.STOP, "trigger": Price(1, 0)}, "no STOP orders"),
        ({"flags": OrderFlag.REDUCE_ONLY}, "only reduce"),
        ({"flags": OrderFlag.POST_ONLY, "time_in_force": TimeInForce.IOC}, "post-only"),
        (STOP | {"time_in_force": TimeInForce.IOC}, "that are IOC"),
        (STOP | {"trigger_source": TriggerSource.MARK}, "mark price"),
        ({"type": OrderType.MARKET, "time_in_force": TimeInForce.FOK}, "fill-or-kill"),
    ],
)
def test_order_that_the_venue_has_not_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(OrderError, match=text):
        trader().place(intent(**fields), NOW)


def test_orders_in_futures_carry_leverage_and_margin() -> None:
    settings = CoinbaseSettings(market="futures", leverage="5", margin_type="CROSS")
    exchange = CoinbaseExchange(settings, (BITCOIN,))
    exchange.authorise(Credentials(key=Secret("k"), secret=trader_secret()))
    content = json.loads(exchange.place(intent(), NOW).body)
    assert (content["leverage"], content["margin_type"]) == ("5", "CROSS")


def trader_secret() -> Secret:
    from tests.plugins.exchange_coinbase.coinbase_world import ED25519

    return Secret(ED25519)


class Stop(Exception):  # noqa: N818 - it ends a request before it leaves
    """Ends a request before it leaves."""


def ccxt_orders() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield orders and how ccxt, which nobody here wrote, would send them."""
    import ccxt  # type: ignore[import-untyped]  # it ships no types

    client = ccxt.coinbase({"apiKey": "k", "secret": "s"})
    client.markets = {
        "BTC/USD": {
            "id": SYMBOL,
            "symbol": "BTC/USD",
            "base": "BTC",
            "quote": "USD",
            "spot": True,
            "contract": False,
            "type": "spot",
            "precision": {"price": 0.01, "amount": 1e-8},
            "limits": {},
            "info": {},
        }
    }
    caught: list[dict[str, Any]] = []

    def sign(path: str, api: object, method: str, params: dict[str, Any], *_: object) -> NoReturn:
        caught.append(params)
        raise Stop

    setattr(client, "sign", sign)  # noqa: B010 - a stand-in of another signature
    take = STOP | {"type": OrderType.TAKE_PROFIT_LIMIT, "side": Side.SELL}
    for fields, params in (
        ({}, {}),
        ({"flags": OrderFlag.POST_ONLY}, {"postOnly": True}),
        ({"time_in_force": TimeInForce.IOC}, {"timeInForce": "IOC"}),
        ({"time_in_force": TimeInForce.FOK}, {"timeInForce": "FOK"}),
        (GTD, {"timeInForce": "GTD"} | END),
        ({"type": OrderType.MARKET, "side": Side.SELL}, {}),
        (STOP, {"stopLossPrice": 37000}),
        (STOP | {"side": Side.SELL}, {"stopLossPrice": 37000}),
        (take, {"takeProfitPrice": 37000}),
    ):
        kind = "market" if fields.get("type") is OrderType.MARKET else "limit"
        side = "sell" if fields.get("side") is Side.SELL else "buy"
        price = None if kind == "market" else 37500
        with pytest.raises(Stop):
            client.create_order("BTC/USD", kind, side, 1.25, price, params)
        yield fields, caught[-1]


def as_numbers(value: object) -> object:
    if isinstance(value, dict):
        return {name: as_numbers(each) for name, each in value.items()}
    try:
        return Decimal(value) if isinstance(value, str) else value
    except ArithmeticError:
        return value


def test_requests_say_what_those_of_ccxt_say() -> None:
    for fields, theirs in ccxt_orders():
        ours = json.loads(trader().place(intent(**fields), NOW).body)
        del ours["client_order_id"], theirs["client_order_id"]
        assert as_numbers(ours) == as_numbers(theirs)


def placed(**fields: Any) -> tuple[CoinbaseExchange, Any]:
    exchange = trader()
    return exchange, exchange.place(intent(**fields), NOW)


TAKEN = {"success": True, "success_response": {"order_id": ID, "product_id": SYMBOL}}
CREATED: list[tuple[Any, int, EventKind]] = [
    (TAKEN, 200, EventKind.ORDER_ACCEPTED),
    ({"success": False, "failure_reason": "INSUFFICIENT_FUND"}, 200, EventKind.ORDER_REJECTED),
    (
        {
            "success": False,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
            "error_response": {"error": "INVALID_LIMIT_PRICE_POST_ONLY"},
        },
        200,
        EventKind.ORDER_REJECTED,
    ),
    (
        {"success": False, "failure_reason": "UNKNOWN_FAILURE_REASON"},
        200,
        EventKind.ORDER_IN_DOUBT,
    ),
    ({"success": True}, 200, EventKind.ORDER_IN_DOUBT),
    (TAKEN, 500, EventKind.ORDER_IN_DOUBT),
    (b"Unauthorized", 401, EventKind.ORDER_REJECTED),
    (b"", 429, EventKind.ORDER_REJECTED),
    (b"<html>", 502, EventKind.ORDER_IN_DOUBT),
    (b"<html>", 404, EventKind.ORDER_IN_DOUBT),
]


@pytest.mark.parametrize(("body", "status", "kind"), CREATED)
def test_reply_to_a_new_order(body: Any, status: int, kind: EventKind) -> None:
    exchange, request = placed()
    batch = answered(exchange, request, body, status=status)
    assert [(row[0], row[6]) for row in rows(batch)] == [(kind, 7)]
    lost = EventBatch()
    assert exchange.undelivered(request, NOW, lost) == 1


def accepted(**fields: Any) -> CoinbaseExchange:
    exchange, request = placed(**fields)
    answered(exchange, request, TAKEN)
    return exchange


def test_cancel_names_the_venues_id() -> None:
    made = accepted().cancel(working(), NOW)
    assert json.loads(made.body) == {"order_ids": [ID]}
    assert made.cost.priority is RequestPriority.CANCEL
    assert made.path == "/api/v3/brokerage/orders/batch_cancel"


def test_cancel_of_an_order_without_id_looks_for_it_first() -> None:
    exchange, _ = placed()
    request = exchange.cancel(working(), NOW)
    assert request.method == "GET"
    batch = answered(exchange, request, {"orders": [listed()]})
    assert batch.events["kind"].tolist() == [EventKind.ORDER_ACCEPTED]
    cancel, fills = exchange.wanted()
    assert json.loads(cancel.body) == {"order_ids": [ID]}
    assert fills.tag == "fills"


def test_refused_cancel_and_edit_leave_the_order() -> None:
    exchange = accepted()
    request = exchange.cancel(working(), NOW)
    result = {"success": False, "order_id": ID, "failure_reason": "UNKNOWN_CANCEL_ORDER"}
    assert [
        (row[0], row[5]) for row in rows(answered(exchange, request, {"results": [result]}))
    ] == [(EventKind.CANCEL_REJECTED, OrderReason.NOT_OPEN)]
    done = {"results": [result | {"success": True}]}
    assert answered(exchange, request, done).count == 0
    edit = exchange.amend(working(), Price(3_760_000, -2), None, NOW)
    assert json.loads(edit.body) == {"order_id": ID, "price": "37600.00", "size": "1.25000000"}
    assert answered(exchange, edit, {"success": True}).count == 0
    failed = {"success": False, "errors": [{"edit_failure_reason": "X"}]}
    assert answered(exchange, edit, failed).events["kind"][0] == EventKind.CANCEL_REJECTED


def test_only_limit_orders_until_cancelled_can_change() -> None:
    with pytest.raises(OrderError, match="GTC"):
        accepted().amend(working(time_in_force=TimeInForce.FOK), None, Quantity(1, 0), NOW)
    with pytest.raises(OrderError, match="no id"):
        placed()[0].amend(working(), None, Quantity(1, 0), NOW)


def listed(**fields: object) -> dict[str, object]:
    return {
        "order_id": ID,
        "client_order_id": client_id(7),
        "product_id": SYMBOL,
        "side": "BUY",
        "status": "OPEN",
        "filled_size": "0.25",
        "order_configuration": {"limit_limit_gtc": LIMIT},
    } | fields


def test_cancel_all_cancels_the_working_orders_of_the_product() -> None:
    exchange = trader()
    (request,) = exchange.cancel_all(InstrumentId(0), NOW)
    assert "product_ids=BTC-USD&order_status=OPEN" in request.path
    other = listed(order_id="other", product_id="ETH-USD")
    assert answered(exchange, request, {"orders": [listed(), other]}).count == 0
    (cancel,) = exchange.wanted()
    assert json.loads(cancel.body) == {"order_ids": [ID]}


def test_query_finds_an_order_in_the_list_or_finds_nothing() -> None:
    exchange = trader()
    request = exchange.query(working(), NOW)
    assert "start_date=2026-08-09T21%3A04%3A48Z" in request.path
    (row,) = rows(answered(exchange, request, {"orders": [listed(client_order_id="x"), listed()]}))
    assert (row[0], row[2], row[3], row[6]) == (EventKind.ORDER_ACCEPTED, 3_750_000, 10**8, 7)
    header = (("Date", "Sun, 09 Aug 2026 21:05:50 GMT"),)
    batch = answered(exchange, request, {"orders": []}, headers=header)
    assert batch.events["kind"].tolist() == [EventKind.ORDER_NOT_FOUND]
    assert batch.events["time"][0] == 1_786_309_550 * SECOND


def user(*orders: object, number: int = 0) -> dict[str, object]:
    return frame("user", [{"type": "update", "orders": [*orders]}], number)


def user_row(**fields: object) -> dict[str, object]:
    return {
        "order_id": ID,
        "client_order_id": client_id(7),
        "cumulative_quantity": "0",
        "leaves_quantity": "1.25",
        "status": "OPEN",
        "product_id": SYMBOL,
        "order_side": "BUY",
    } | fields


STATES: list[tuple[dict[str, object], tuple[int, int, int] | None]] = [
    ({"status": "PENDING"}, None),
    ({"status": "OPEN"}, (EventKind.ORDER_ACCEPTED, 125_000_000, -1)),
    ({"status": "QUEUED"}, (EventKind.ORDER_ACCEPTED, 125_000_000, -1)),
    (
        {"status": "OPEN", "trigger_status": "STOP_PENDING"},
        (EventKind.ORDER_UNTRIGGERED, 125_000_000, -1),
    ),
    ({"status": "CANCEL_QUEUED"}, (EventKind.CANCEL_PENDING, 125_000_000, -1)),
    ({"status": "EDIT_QUEUED"}, (EventKind.REPLACE_PENDING, 125_000_000, -1)),
    ({"status": "FILLED", "leaves_quantity": "0"}, (EventKind.ORDER_ACCEPTED, 0, -1)),
    (
        {"status": "CANCELLED", "cancel_reason": "User requested cancel"},
        (EventKind.ORDER_CANCELED, 125_000_000, OrderReason.REQUESTED),
    ),
    ({"status": "EXPIRED"}, (EventKind.ORDER_EXPIRED, 125_000_000, OrderReason.NONE)),
    (
        {"status": "FAILED", "reject_reason": "INVALID_LIMIT_PRICE", "leaves_quantity": ""},
        (EventKind.ORDER_REJECTED, -1, OrderReason.BAD_PRICE),
    ),
]


@pytest.mark.parametrize(("fields", "expected"), STATES)
def test_state_of_an_order(
    fields: dict[str, object], expected: tuple[int, int, int] | None
) -> None:
    found = rows(told(trader(), user(user_row(**fields))))
    if expected is None:
        assert found == []
    else:
        ((kind, side, _, size, sequence, aux, link, _),) = found
        assert (kind, size, aux) == expected
        assert (side, sequence, link) == (Side.BUY, number_of_id(ID), 7)


def test_unknown_state_is_quarantined() -> None:
    exchange = trader()
    told(exchange, user(user_row(status="PONDERING")))
    told(exchange, user(user_row(order_side="BOTH"), number=1))
    told(exchange, frame("user", [{"orders": 7}], 2))
    assert exchange.quarantined == 3


def fill(**fields: object) -> dict[str, object]:
    return {
        "trade_id": "1111-11111-111111",
        "order_id": ID,
        "product_id": SYMBOL,
        "trade_time": "2024-01-15T10:30:00Z",
        "price": "37500",
        "size": "0.5",
        "commission": "1.1400000001",
        "side": "BUY",
        "liquidity_indicator": "MAKER",
    } | fields


def test_what_was_filled_is_asked_for_until_it_is_all_known() -> None:
    exchange = accepted()
    batch = told(exchange, user(user_row(cumulative_quantity="0.75", leaves_quantity="0.5")))
    assert batch.events["size"].tolist() == [50_000_000]
    (request,) = exchange.wanted()
    assert request.path.endswith(f"/orders/historical/fills?order_ids={ID}")
    assert exchange.wanted() == []
    found = rows(answered(exchange, request, {"fills": [fill()]}))
    fee, flags = 114_000_001, EventFlag.MAKER | EventFlag.LAST
    trade = number_of_id("1111-11111-111111")
    assert found == [(EventKind.ORDER_FILLED, 1, 3_750_000, 50_000_000, trade, fee, 7, flags)]
    assert exchange.due(Nanoseconds(NOW + SECOND // 2)) == []
    (again,) = exchange.due(Nanoseconds(NOW + 2 * SECOND))
    both = {"fills": [fill(), fill(trade_id="2", size="0.25", liquidity_indicator="TAKER")]}
    assert answered(exchange, again, both).count == 2
    assert exchange.due(Nanoseconds(NOW + 9 * SECOND)) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"trade_type": "REVERSAL"}, (EventKind.TRADE_BUSTED, 50_000_000)),
        ({"trade_type": "CORRECTION"}, (EventKind.TRADE_CORRECTED, 50_000_000)),
        ({"size": "18750", "size_in_quote": True}, (EventKind.ORDER_FILLED, 50_000_000)),
        ({"commission": "0"}, (EventKind.ORDER_FILLED, 50_000_000)),
    ],
)
def test_fill_of_each_kind(fields: dict[str, object], expected: tuple[int, int]) -> None:
    exchange = accepted()
    request = exchange.missed(NOW, NOW)[1]
    (row,) = rows(answered(exchange, request, {"fills": [fill(**fields)]}))
    assert (row[0], row[3]) == expected


def test_wrong_replies_are_quarantined() -> None:
    exchange = accepted()
    orders, fills = exchange.missed(NOW, NOW)
    answered(exchange, fills, {"fills": [fill(trade_type="GIFT")]})
    answered(exchange, fills, {})
    answered(exchange, orders, {})
    answered(exchange, orders, {"orders": []}, status=500)
    answered(exchange, exchange.query(working(), NOW), {"odd": 1})
    assert exchange.quarantined == 5


def test_missing_frame_of_the_user_channel_asks_for_what_was_missed() -> None:
    exchange = trader()
    exchange.began("user")
    told(exchange, user(user_row()))
    assert told(exchange, user(user_row(), number=2)).count == 1
    assert [each.tag for each in exchange.wanted()] == ["orders", "fills"]


def test_foreign_orders_of_followed_products_are_told_and_others_counted() -> None:
    exchange = trader()
    (row,) = rows(told(exchange, user(user_row(client_order_id="somebody"))))
    assert row[6] == -1
    assert told(exchange, user(user_row(product_id="SOL-USD"), number=1)).count == 0
    request = exchange.missed(NOW, NOW)[1]
    assert answered(exchange, request, {"fills": [fill(product_id="SOL-USD")]}).count == 0
    assert exchange.foreign == 2


def test_user_socket_is_subscribed_with_a_token() -> None:
    exchange = trader(symbols=(SYMBOL,))
    assert [each.name for each in exchange.connections()] == ["market-0", "rest", "user"]
    sent = [json.loads(each.body) for each in exchange.opened("user", NOW)]
    assert [each["channel"] for each in sent] == ["heartbeats", "user"]
    assert sent[1]["product_ids"] == [SYMBOL]
    assert all(each["jwt"].count(".") == 2 for each in sent)
    assert exchange.opened("market-0", NOW)[0].connection == "market-0"
    assert exchange.rate_limits.limits[0].limit == 30


def wallet(currency: str, free: str, hold: str) -> dict[str, object]:
    return {"currency": currency, "available_balance": {"value": free}, "hold": {"value": hold}}


def test_account_of_the_spot_market() -> None:
    exchange = CoinbaseExchange(trader().settings, (BITCOIN, ETHER))
    exchange.number_of = number_of
    bodies = [
        compact({"accounts": [wallet("BTC", "1.2", "0.05"), wallet("USD", "100.50", "0")]}),
        compact({"orders": [listed(), listed(product_id="SOL-USD")]}),
        compact({"fills": [fill()]}),
        compact({"products": [{"product_id": SYMBOL, "price": "65000.12"}]}),
    ]
    account = exchange.read_account(bodies, NOW)
    assert account.positions == {
        InstrumentId(0): (125_000_000, 6_500_012),
        InstrumentId(1): (0, 0),
    }
    assert account.balances == {"BTC": Money(125, -2), "USD": Money(10_050, -2)}
    (order,) = account.orders
    assert (order.size, order.filled, order.price) == (125_000_000, 25_000_000, 3_750_000)
    assert account.trades["link"].tolist() == [7]
    for bad in ([], [b"{}", *bodies[1:]]):
        with pytest.raises(DecodeError):
            exchange.read_account(bad, NOW)


def test_account_requests_ask_for_prices_or_positions() -> None:
    assert [each.path.rpartition("/")[2][:8] for each in trader().account_requests(NOW)] == [
        "accounts",
        "batch?or",
        "fills",
        "products",
    ]
    futures = CoinbaseExchange(CoinbaseSettings(market="futures"), (BITCOIN,))
    futures.authorise(Credentials(key=Secret("k"), secret=trader_secret()))
    assert futures.account_requests(NOW)[-1].path.endswith("/cfm/positions")
    assert adapter().refusal("INSUFFICIENT_FUND") is EventKind.ORDER_REJECTED
