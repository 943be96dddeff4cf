"""How orders are written, by frame and by request, and what the venue has not."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import pytest
from tests.plugins.exchange_kraken.kraken_world import (
    BITCOIN,
    ETHER,
    NOW,
    SECRET,
    adapter,
    answered,
    client_id,
    intent,
    rows,
    told,
    trader,
    working,
)

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Price, Quantity
from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType, TimeInForce
from bot4_core.errors import OrderError
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_core.plugins.exchange import Outbound
from bot4_plugins.exchange_kraken.adapter import KrakenExchange
from bot4_plugins.exchange_kraken.settings import KrakenSettings

SECOND = 1_000_000_000
TRIGGER = Price(370_000, -1)
ENVELOPE = {
    "side": "buy",
    "order_qty": 1.25,
    "symbol": "BTC/USD",
    "cl_ord_id": client_id(7),
    "deadline": "2026-08-02T03:35:55.295Z",
    "token": "TESTTOKEN",
}

ORDERS: list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = [
    (
        {},
        {"order_type": "limit", "limit_price": 37500.0, "time_in_force": "gtc"},
        {"ordertype": "limit", "price": "37500", "timeinforce": "GTC"},
    ),
    (
        {"flags": OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY},
        {
            "order_type": "limit",
            "limit_price": 37500.0,
            "time_in_force": "gtc",
            "post_only": True,
            "reduce_only": True,
        },
        {
            "ordertype": "limit",
            "price": "37500",
            "oflags": "post",
            "reduce_only": "true",
            "timeinforce": "GTC",
        },
    ),
    (
        {"time_in_force": TimeInForce.IOC},
        {"order_type": "limit", "limit_price": 37500.0, "time_in_force": "ioc"},
        {"ordertype": "limit", "price": "37500", "timeinforce": "IOC"},
    ),
    (
        {"time_in_force": TimeInForce.GTD, "good_till": Nanoseconds(NOW + 60 * SECOND)},
        {
            "order_type": "limit",
            "limit_price": 37500.0,
            "time_in_force": "gtd",
            "expire_time": "2026-08-02T03:36:50.295Z",
        },
        {
            "ordertype": "limit",
            "price": "37500",
            "timeinforce": "GTD",
            "expiretm": str(NOW // SECOND + 60),
        },
    ),
    ({"type": OrderType.MARKET}, {"order_type": "market"}, {"ordertype": "market"}),
    (
        {"type": OrderType.STOP, "trigger": TRIGGER},
        {
            "order_type": "stop-loss",
            "time_in_force": "gtc",
            "triggers": {"reference": "last", "price": 37000.0, "price_type": "static"},
        },
        {"ordertype": "stop-loss", "price": "37000", "trigger": "last", "timeinforce": "GTC"},
    ),
    (
        {
            "type": OrderType.TAKE_PROFIT_LIMIT,
            "trigger": TRIGGER,
            "trigger_source": TriggerSource.INDEX,
        },
        {
            "order_type": "take-profit-limit",
            "limit_price": 37500.0,
            "time_in_force": "gtc",
            "triggers": {"reference": "index", "price": 37000.0, "price_type": "static"},
        },
        {
            "ordertype": "take-profit-limit",
            "price": "37000",
            "price2": "37500",
            "trigger": "index",
            "timeinforce": "GTC",
        },
    ),
    (
        {"type": OrderType.TRAILING_STOP, "trail": Price(500, -1)},
        {
            "order_type": "trailing-stop",
            "time_in_force": "gtc",
            "triggers": {"reference": "last", "price": 50.0, "price_type": "quote"},
        },
        {"ordertype": "trailing-stop", "price": "+50", "trigger": "last", "timeinforce": "GTC"},
    ),
    (
        {
            "type": OrderType.TRAILING_STOP_LIMIT,
            "trail_ratio": Decimal("0.015"),
            "limit_offset": Price(-100, -1),
        },
        {
            "order_type": "trailing-stop-limit",
            "time_in_force": "gtc",
            "limit_price": -10.0,
            "limit_price_type": "quote",
            "triggers": {"reference": "last", "price": 1.5, "price_type": "pct"},
        },
        {
            "ordertype": "trailing-stop-limit",
            "price": "+1.5%",
            "price2": "-10",
            "trigger": "last",
            "timeinforce": "GTC",
        },
    ),
    (
        {"type": OrderType.ICEBERG, "visible": Quantity(10_000_000, -8)},
        {
            "order_type": "iceberg",
            "limit_price": 37500.0,
            "time_in_force": "gtc",
            "display_qty": 0.1,
        },
        {"ordertype": "iceberg", "price": "37500", "displayvol": "0.1", "timeinforce": "GTC"},
    ),
]


def as_number(text: str) -> object:
    """Make amounts comparable however many zeros they are written with."""
    sign, digits = text[:1].strip("+") if text[:1] == "+" else "", text.lstrip("+")
    unit = "%" if digits.endswith("%") else ""
    try:
        return sign, Decimal(digits.rstrip("%")), unit
    except ArithmeticError:
        return text


def form(request: Outbound) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode()))


def comparable(fields: dict[str, str]) -> dict[str, object]:
    return {name: as_number(value) for name, value in fields.items()}


@pytest.mark.parametrize(("fields", "params", "_"), ORDERS)
def test_order_as_a_frame(fields: dict[str, Any], params: dict[str, Any], _: object) -> None:
    made = trader().place(intent(**fields), NOW)
    assert json.loads(made.body) == {
        "method": "add_order",
        "params": ENVELOPE | params,
        "req_id": 7,
    }
    assert (made.connection, made.order, made.creates) == ("private", 7, True)
    assert made.cost == RateRequest(
        priority=RequestPriority.ORDER, weight=0, orders=1, instrument=0
    )


def test_numbers_of_a_frame_are_exact_digits() -> None:
    body = trader().place(intent(size=Quantity(1, -8)), NOW).body
    assert b'"order_qty":0.00000001,' in body
    assert b'"limit_price":37500.0,' in body


@pytest.mark.parametrize(("fields", "_", "expected"), ORDERS)
def test_order_as_a_request(fields: dict[str, Any], _: object, expected: dict[str, str]) -> None:
    made = trader(token=False).place(intent(**fields), NOW)
    found = form(made)
    assert int(found.pop("nonce")) == NOW // 10**6
    assert comparable(found) == comparable(
        {
            "type": "buy",
            "volume": "1.25",
            "pair": "XBTUSD",
            "cl_ord_id": client_id(7),
            "deadline": "2026-08-02T03:35:55.295Z",
        }
        | expected
    )
    assert (made.connection, made.path) == ("rest", "/0/private/AddOrder")
    assert (made.order, made.creates) == (7, True)


def test_fill_or_kill_goes_by_request_even_with_a_token() -> None:
    made = trader().place(intent(time_in_force=TimeInForce.FOK), NOW)
    assert (made.path, form(made)["timeinforce"]) == ("/0/private/AddOrder", "FOK")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"flags": OrderFlag.CLOSE_POSITION}, "close a position"),
        ({"flags": OrderFlag.POST_ONLY, "type": OrderType.MARKET}, "post-only MARKET"),
        (
            {"type": OrderType.STOP, "trigger": TRIGGER, "trigger_source": TriggerSource.MARK},
            "mark price",
        ),
        (
            {"type": OrderType.TRAILING_STOP, "trail": TRIGGER, "trigger": TRIGGER},
            "start at once",
        ),
        ({"type": OrderType.ICEBERG, "time_in_force": TimeInForce.FOK}, "fill-or-kill ICEBERG"),
    ],
)
@pytest.mark.parametrize("token", [True, False])
def test_order_that_the_venue_has_not_is_refused(
    fields: dict[str, Any], text: str, token: bool
) -> None:
    with pytest.raises(OrderError, match=text):
        trader(token=token).place(intent(**fields), NOW)


def test_orders_of_derivatives_need_the_private_socket() -> None:
    exchange = KrakenExchange(KrakenSettings(market="derivatives"), (BITCOIN,))
    exchange.authorise(Credentials(key=Secret("k"), secret=Secret(SECRET)))
    with pytest.raises(OrderError, match="private socket"):
        exchange.place(intent(), NOW)
    (request,) = exchange.opened("private", NOW)
    answered(exchange, request, {"error": [], "result": {"token": "T"}})
    assert all(b'"asset_class":"derivatives"' in each.body for each in exchange.wanted())
    params = json.loads(exchange.place(intent(), NOW).body)["params"]
    assert params["asset_class"] == "derivatives"


class Stop(Exception):  # noqa: N818 - it ends a request before it leaves
    """Ends a request before it leaves."""


def ccxt_bodies() -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Yield orders and how ccxt, which nobody here wrote, would send them."""
    import ccxt  # type: ignore[import-untyped]  # it ships no types

    client = ccxt.kraken({"apiKey": "key", "secret": SECRET})
    market = {
        "id": "XBTUSD",
        "symbol": "BTC/USD",
        "base": "BTC",
        "quote": "USD",
        "spot": True,
        "contract": False,
        "type": "spot",
        "precision": {"price": 0.1, "amount": 1e-8},
        "limits": {},
        "info": {},
    }
    client.markets = {"BTC/USD": market}
    caught: list[str] = []

    def fetch(url: str, method: str = "GET", headers: object = None, body: str = "") -> NoReturn:
        caught.append(body)
        raise Stop

    setattr(client, "fetch", fetch)  # noqa: B010 - a stand-in of another signature
    create: Callable[..., object] = getattr(client, "create_order")  # noqa: B009 - any texts
    for fields, kind, price, params in (
        ({}, "limit", 37500, {}),
        ({"flags": OrderFlag.POST_ONLY}, "limit", 37500, {"postOnly": True}),
        ({"time_in_force": TimeInForce.IOC}, "limit", 37500, {"timeInForce": "IOC"}),
        ({"type": OrderType.MARKET}, "market", None, {}),
        ({"type": OrderType.STOP, "trigger": TRIGGER}, "market", None, {"stopLossPrice": 37000}),
        (
            {"type": OrderType.STOP_LIMIT, "trigger": TRIGGER},
            "limit",
            37500,
            {"stopLossPrice": 37000},
        ),
        (
            {"type": OrderType.TAKE_PROFIT_LIMIT, "trigger": TRIGGER},
            "limit",
            37500,
            {"takeProfitPrice": 37000},
        ),
        (
            {"type": OrderType.TRAILING_STOP, "trail": Price(500, -1)},
            "market",
            None,
            {"trailingAmount": "50"},
        ),
    ):
        asked = {"clientOrderId": client_id(7)} | params
        with pytest.raises(Stop):
            create("BTC/USD", kind, "buy", 1.25, price, asked)
        yield fields, dict(parse_qsl(caught[-1]))


def test_requests_say_what_those_of_ccxt_say() -> None:
    for fields, theirs in ccxt_bodies():
        ours = form(trader(token=False).place(intent(**fields), NOW))
        del theirs["nonce"]
        only_ours = ours.keys() - theirs.keys()
        assert only_ours <= {"nonce", "deadline", "timeinforce", "trigger"}
        assert ours.get("timeinforce", "GTC") == theirs.get("timeinforce", "GTC")
        assert ours.get("trigger", "last") == theirs.get("trigger", "last")
        shared = {name: value for name, value in ours.items() if name in theirs}
        assert comparable(shared) == comparable(theirs)


def test_cancel_costs_more_of_a_young_order() -> None:
    exchange = trader()
    for age, orders in ((0, 8), (5, 6), (10, 5), (15, 4), (45, 2), (90, 1), (300, 0)):
        made = exchange.cancel(working(), Nanoseconds(NOW + age * SECOND))
        assert (made.cost.orders, made.cost.priority) == (orders, RequestPriority.CANCEL)
    assert json.loads(made.body) == {
        "method": "cancel_order",
        "params": {"cl_ord_id": [client_id(7)], "token": "TESTTOKEN"},
        "req_id": 7,
    }
    request = trader(token=False).cancel(working(), NOW)
    assert (request.path, form(request)["cl_ord_id"]) == ("/0/private/CancelOrder", client_id(7))


def test_amend_changes_price_or_size() -> None:
    made = trader().amend(working(), Price(376_000, -1), None, Nanoseconds(NOW + 7 * SECOND))
    params = json.loads(made.body)["params"]
    assert params == {
        "cl_ord_id": client_id(7),
        "limit_price": 37600.0,
        "deadline": "2026-08-02T03:36:02.295Z",
        "token": "TESTTOKEN",
    }
    assert made.cost.orders == 3
    request = trader(token=False).amend(working(), None, Quantity(1, 0), NOW)
    assert form(request)["order_qty"] == "1"
    assert request.path == "/0/private/AmendOrder"


def test_cancel_all_asks_for_the_orders_and_cancels_those_of_the_pair() -> None:
    exchange = trader()
    (request,) = exchange.cancel_all(InstrumentId(0), NOW)
    assert request.path == "/0/private/OpenOrders"
    rows_ = {
        txid: {
            "status": "open",
            "descr": {"pair": pair, "type": "buy", "ordertype": "limit", "price": "1"},
            "vol": "1",
            "vol_exec": "0",
            "opentm": NOW / 1e9 - 20,
        }
        for txid, pair in (("OA", "XBTUSD"), ("OB", "ETHUSD"), ("OC", "XXBTZUSD"))
    }
    assert answered(exchange, request, {"error": [], "result": {"open": rows_}}).count == 0
    wanted = exchange.wanted()
    assert [form(each)["txid"] for each in wanted] == ["OA", "OC"]
    assert {each.cost.orders for each in wanted} == {4}
    assert exchange.wanted() == []


def test_dead_mans_switch_is_renewed_at_a_third_of_its_time() -> None:
    exchange = trader(dead_man_switch=60)
    sent = []
    for second in range(45):
        sent += [(second, each) for each in exchange.due(Nanoseconds(NOW + second * SECOND))]
    assert [second for second, _ in sent] == [0, 20, 40]
    assert json.loads(sent[0][1].body) == {
        "method": "cancel_all_orders_after",
        "params": {"timeout": 60, "token": "TESTTOKEN"},
    }
    assert trader().due(NOW) == []


def test_token_is_asked_for_again_until_it_comes() -> None:
    exchange = trader(token=False)
    assert exchange.due(NOW) == []
    (request,) = exchange.opened("private", NOW)
    refused = {"error": ["EAPI:Rate limit exceeded"]}
    assert answered(exchange, request, refused).count == 0
    assert exchange.quarantined == 1
    assert exchange.due(Nanoseconds(NOW + SECOND)) == []
    (again,) = exchange.due(Nanoseconds(NOW + 6 * SECOND))
    assert again.path == "/0/private/GetWebSocketsToken"
    answered(exchange, again, {"error": [], "result": {"token": "NEW"}})
    channels = [json.loads(each.body)["params"] for each in exchange.wanted()]
    assert channels == [
        {"channel": "executions", "token": "NEW", "snap_orders": True, "snap_trades": True},
        {"channel": "balances", "token": "NEW"},
    ]


def test_lost_private_socket_forgets_the_token() -> None:
    from bot4_core.market.event_batch import EventBatch

    exchange = trader()
    assert exchange.closed("private", NOW, EventBatch()) == 0
    assert exchange.place(intent(), NOW).connection == "rest"


def test_connections_with_keys_are_three() -> None:
    assert [each.name for each in trader().connections()] == ["public", "private", "rest"]
    assert [each.private for each in trader().connections()] == [False, True, True]


def test_limits_are_those_of_the_tier() -> None:
    limits = trader(tier="pro").rate_limits
    assert limits is not None
    assert [(each.name, each.limit) for each in limits.limits] == [
        ("requests", 20),
        ("trading", 180),
    ]
    assert limits.limits[1].span == 48 * SECOND + 1


ANSWERS = [
    ({"success": True, "result": {"order_id": "OABC"}}, EventKind.ORDER_ACCEPTED),
    ({"success": False, "error": "EOrder:Insufficient funds"}, EventKind.ORDER_REJECTED),
    ({"success": False, "error": "EService:Busy"}, EventKind.ORDER_IN_DOUBT),
    ({"success": False, "error": "something new"}, EventKind.ORDER_IN_DOUBT),
    ({"success": True, "result": {}}, EventKind.ORDER_IN_DOUBT),
    ({"success": True}, EventKind.ORDER_IN_DOUBT),
]


@pytest.mark.parametrize(("answer", "kind"), ANSWERS)
def test_answer_to_a_new_order(answer: dict[str, object], kind: EventKind) -> None:
    exchange = trader()
    exchange.place(intent(), NOW)
    batch = told(exchange, {"method": "add_order", "req_id": 7} | answer)
    assert [(row[0], row[6]) for row in rows(batch)] == [(kind, 7)]


def test_accepted_stop_waits_for_its_trigger() -> None:
    exchange = trader()
    exchange.place(intent(type=OrderType.STOP, trigger=TRIGGER), NOW)
    answer = {"method": "add_order", "req_id": 7, "success": True, "result": {"order_id": "O"}}
    assert told(exchange, answer).events["kind"].tolist() == [EventKind.ORDER_UNTRIGGERED]


@pytest.mark.parametrize("method", ["cancel_order", "amend_order"])
def test_refused_change_leaves_the_order_as_it_was(method: str) -> None:
    exchange = trader()
    exchange.place(intent(), NOW)
    answer = {"method": method, "req_id": 7, "success": False, "error": "EOrder:Unknown order"}
    batch = told(exchange, answer)
    assert [(row[0], row[5], row[6]) for row in rows(batch)] == [(EventKind.CANCEL_REJECTED, 13, 7)]
    assert told(exchange, {"method": method, "req_id": 7, "success": True}).count == 0
    assert told(exchange, {"method": method, "success": False, "error": "e"}).count == 0


def test_only_listed_codes_prove_a_refusal() -> None:
    exchange = adapter(BITCOIN, ETHER)
    assert exchange.refusal("EOrder:Insufficient funds") is EventKind.ORDER_REJECTED
    assert exchange.refusal("EService:Unavailable") is EventKind.ORDER_IN_DOUBT
