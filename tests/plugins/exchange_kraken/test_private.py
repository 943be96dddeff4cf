"""Executions, replies about orders, and the account."""

from typing import Any

import pytest
from tests.plugins.exchange_kraken.kraken_world import (
    BITCOIN,
    ETHER,
    NOW,
    SYMBOL,
    answered,
    client_id,
    execution,
    intent,
    number_of,
    rows,
    told,
    trader,
    working,
)

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Nanoseconds
from bot4_core.domain_types.records import EventFlag, EventKind, OrderReason, Side
from bot4_core.errors import DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Reply
from bot4_plugins.exchange_kraken.adapter import KrakenExchange
from bot4_plugins.exchange_kraken.order_directory import KnownOrder, OrderDirectory
from bot4_plugins.venue_toolkit.id_numbers import number_of_id

ID = number_of_id("OABC-1")
NEW = {
    "exec_type": "new",
    "order_status": "new",
    "symbol": SYMBOL,
    "side": "buy",
    "cl_ord_id": client_id(7),
    "order_qty": 1.25,
    "cum_qty": 0.25,
    "limit_price": 37500.0,
}
TRADE = {
    "exec_type": "trade",
    "trade_id": 365573,
    "last_qty": 0.25,
    "last_price": 37500.0,
    "liquidity_ind": "m",
    "order_status": "partially_filled",
    "fees": [{"asset": "USD", "qty": 15.0000000001}],
}


def known() -> KrakenExchange:
    """Return an adapter that was told of an order of ours."""
    exchange = trader()
    told(exchange, execution(**NEW))
    return exchange


def test_new_order_is_accepted_with_what_is_open_of_it() -> None:
    assert rows(told(trader(), execution(**NEW))) == [
        (EventKind.ORDER_ACCEPTED, Side.BUY, 375_000, 100_000_000, ID, -1, 7, EventFlag.LAST)
    ]


def test_trade_that_names_only_the_venues_id_is_a_fill_of_our_order() -> None:
    flags = EventFlag.MAKER | EventFlag.LAST
    assert rows(told(known(), execution(**TRADE))) == [
        (EventKind.ORDER_FILLED, Side.BUY, 375_000, 25_000_000, 365573, 1_500_000_001, 7, flags)
    ]


@pytest.mark.parametrize(
    ("fees", "flag"),
    [
        ([{"asset": "BTC", "qty": 0.001}], True),
        ([{"asset": "USD", "qty": 1}, {"asset": "USD", "qty": 2}], False),
        ([{"asset": "USD", "qty": 1}, {"asset": "BTC", "qty": 2}], True),
        ([], False),
    ],
)
def test_fee_in_another_asset_is_flagged(fees: list[object], flag: bool) -> None:
    (row,) = rows(told(known(), execution(**(TRADE | {"fees": fees}))))
    assert bool(row[-1] & EventFlag.THIRD_ASSET_FEE) is flag
    if not flag:
        assert row[5] == sum(each["qty"] for each in fees) * 10**8  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "reason", "expected"),
    [
        ("canceled", "User requested", (EventKind.ORDER_CANCELED, OrderReason.REQUESTED)),
        ("canceled", "Post only order", (EventKind.ORDER_CANCELED, OrderReason.WOULD_TAKE)),
        ("canceled", "of its own", (EventKind.ORDER_CANCELED, OrderReason.VENUE)),
        ("expired", "", (EventKind.ORDER_EXPIRED, OrderReason.VENUE)),
    ],
)
def test_ended_order_says_why_and_what_was_open(
    kind: str, reason: str, expected: tuple[EventKind, OrderReason]
) -> None:
    message = execution(exec_type=kind, reason=reason, cum_qty=0.25)
    (row,) = rows(told(known(), message))
    assert (row[0], row[5]) == expected
    assert (row[3], row[6]) == (100_000_000, 7)


@pytest.mark.parametrize("kind", ["pending_new", "filled", "iceberg_refill"])
def test_execution_that_says_nothing_new_is_no_event(kind: str) -> None:
    exchange = known()
    assert told(exchange, execution(exec_type=kind)).count == 0
    assert exchange.quarantined == 0


def test_untriggered_stop_waits_and_then_works() -> None:
    exchange = trader()
    stop = NEW | {"triggers": {"status": "untriggered", "price": 37000.0}}
    assert rows(told(exchange, execution(**(stop | {"exec_type": "pending_new"})))) == []
    later = execution(exec_type="new")
    assert told(exchange, later).events["kind"].tolist() == [EventKind.ORDER_UNTRIGGERED]
    fired = execution(exec_type="restated", triggers={"status": "triggered"})
    assert told(exchange, fired).events["kind"].tolist() == [EventKind.ORDER_ACCEPTED]


def test_liquidation_is_flagged() -> None:
    (row,) = rows(told(known(), execution(**(TRADE | {"liquidated": True}))))
    assert row[-1] & EventFlag.LIQUIDATED


@pytest.mark.parametrize("missing", ["trade_id", "last_qty", "last_price"])
def test_trade_without_its_numbers_is_quarantined(missing: str) -> None:
    exchange = known()
    fields = {name: value for name, value in TRADE.items() if name != missing}
    assert told(exchange, execution(**fields)).count == 0
    assert exchange.quarantined == 1


def test_unknown_execution_is_quarantined() -> None:
    exchange = known()
    told(exchange, execution(exec_type="vaporised"))
    told(exchange, {"channel": "executions", "type": "update", "data": {}})
    assert exchange.quarantined == 2


def test_foreign_orders_of_followed_pairs_are_told_and_others_counted() -> None:
    exchange = trader()
    foreign = NEW | {"cl_ord_id": "somebody-else"}
    assert [row[6] for row in rows(told(exchange, execution(**foreign)))] == [-1]
    other = execution(**(TRADE | {"symbol": "FET/USD", "side": "buy", "order_id": "OXYZ"}))
    assert told(exchange, other).count == 0
    assert (exchange.foreign, len(exchange.instruments)) == (1, 1)


def test_jump_of_a_private_channels_numbers_asks_for_what_was_missed() -> None:
    exchange = known()
    told(exchange, execution(**TRADE) | {"sequence": 2})
    assert exchange.wanted() == []
    told(exchange, execution(**(TRADE | {"trade_id": 365575})) | {"sequence": 4})
    assert [each.path.rpartition("/")[2] for each in exchange.wanted()] == [
        "OpenOrders",
        "ClosedOrders",
        "TradesHistory",
    ]


def test_balances_are_no_events() -> None:
    exchange = trader()
    message = {"channel": "balances", "type": "snapshot", "data": [{"asset": "BTC"}]}
    assert told(exchange, message).count == 0
    assert exchange.quarantined == 0


def test_the_directory_of_orders_forgets_the_oldest() -> None:
    orders = OrderDirectory(kept=2)
    for number in (1, 2, 3):
        orders.place(KnownOrder(number=number, symbol=SYMBOL))
        orders.learn(f"O{number}", KnownOrder(number=number, symbol=SYMBOL))
    assert (orders.sent(1), orders.sent(3)) == (None, KnownOrder(number=3, symbol=SYMBOL))
    assert orders.learn("O1", KnownOrder(number=-1, symbol="")).number == -1
    assert orders.learn("O3", KnownOrder(number=-1, symbol="")).number == 3


PLACED = [
    ({"error": [], "result": {"txid": ["OABC-1"]}}, 200, EventKind.ORDER_ACCEPTED),
    ({"error": ["WGeneral:slow"], "result": {"txid": ["O"]}}, 200, EventKind.ORDER_ACCEPTED),
    ({"error": ["EOrder:Insufficient funds"]}, 200, EventKind.ORDER_REJECTED),
    ({"error": ["EGeneral:Invalid arguments:type"]}, 200, EventKind.ORDER_REJECTED),
    ({"error": ["EService:Unavailable"]}, 200, EventKind.ORDER_IN_DOUBT),
    ({"error": ["EGeneral:Internal error"]}, 200, EventKind.ORDER_IN_DOUBT),
    ({"error": [], "result": {"txid": []}}, 200, EventKind.ORDER_IN_DOUBT),
    ({"error": [], "result": {"txid": ["O"]}}, 502, EventKind.ORDER_IN_DOUBT),
    ({"error": [], "result": 7}, 200, EventKind.ORDER_IN_DOUBT),
    ({"error": [7]}, 200, EventKind.ORDER_IN_DOUBT),
    (b"<html>bad gateway</html>", 502, EventKind.ORDER_IN_DOUBT),
    (b"", 429, EventKind.ORDER_REJECTED),
]


@pytest.mark.parametrize(("body", "status", "kind"), PLACED)
def test_reply_to_a_new_order(body: Any, status: int, kind: EventKind) -> None:
    exchange = trader(token=False)
    request = exchange.place(intent(), NOW)
    batch = answered(exchange, request, body, status=status)
    assert [(row[0], row[6]) for row in rows(batch)] == [(kind, 7)]
    lost = EventBatch()
    assert exchange.undelivered(request, NOW, lost) == 1
    assert lost.events["kind"][0] == EventKind.ORDER_IN_DOUBT


def test_refused_cancel_by_request() -> None:
    exchange = trader(token=False)
    exchange.place(intent(), NOW)
    request = exchange.cancel(working(), NOW)
    refused = {"error": ["EOrder:Unknown order"]}
    assert [row[0] for row in rows(answered(exchange, request, refused))] == [
        EventKind.CANCEL_REJECTED
    ]
    assert answered(exchange, request, {"error": [], "result": {"count": 1}}).count == 0


def rest_order(**fields: object) -> dict[str, object]:
    return {
        "status": "open",
        "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "37500.0"},
        "vol": "1.25000000",
        "vol_exec": "0.25000000",
        "opentm": 1688583840.8648,
        "cl_ord_id": client_id(7),
    } | fields


def listed(name: str, **orders: object) -> dict[str, object]:
    return {"error": [], "result": {name: orders}}


def test_query_finds_a_working_order_and_asks_for_its_trades() -> None:
    exchange = trader()
    request = exchange.query(working(), NOW)
    body = listed("open", O1=rest_order(trades=["T1", "T2"]))
    (row,) = rows(answered(exchange, request, body))
    assert (row[0], row[2], row[3], row[6]) == (
        EventKind.ORDER_ACCEPTED,
        375_000,
        100_000_000,
        7,
    )
    (trades,) = exchange.wanted()
    assert trades.body.endswith(b"&txid=T1%2CT2")
    reply = {"error": [], "result": {"T1": rest_trade(), "T2": rest_trade(trade_id=1002)}}
    found = rows(answered(exchange, trades, reply))
    assert [(each[0], each[4], each[6]) for each in found] == [
        (EventKind.ORDER_FILLED, 1001, 7),
        (EventKind.ORDER_FILLED, 1002, 7),
    ]


def rest_trade(**fields: object) -> dict[str, object]:
    return {
        "ordertxid": "O1",
        "pair": "XBTUSD",
        "time": 1688585840.8921,
        "type": "buy",
        "price": "37500.0",
        "vol": "0.12500000",
        "fee": "1.5",
        "trade_id": 1001,
        "maker": True,
    } | fields


def test_query_goes_on_among_the_ended_orders_before_it_finds_nothing() -> None:
    exchange = trader()
    request = exchange.query(working(), NOW)
    assert answered(exchange, request, listed("open")).count == 0
    (closed,) = exchange.wanted()
    assert closed.path == "/0/private/ClosedOrders"
    assert f"cl_ord_id={client_id(7)}".encode() in closed.body
    header = (("Date", "Sun, 02 Aug 2026 03:35:50 GMT"),)
    batch = answered(exchange, closed, listed("closed"), headers=header)
    assert [(row[0], row[6]) for row in rows(batch)] == [(EventKind.ORDER_NOT_FOUND, 7)]
    assert batch.events["time"][0] == 1_785_641_750 * 10**9
    assert answered(exchange, closed, listed("closed")).events["time"][0] == 0
    odd = (("date", "yesterday"),)
    assert answered(exchange, closed, listed("closed"), headers=odd).events["time"][0] == 0


@pytest.mark.parametrize(
    ("fields", "kind", "reason"),
    [
        ({"status": "canceled"}, EventKind.ORDER_CANCELED, OrderReason.NONE),
        (
            {"status": "canceled", "reason": "User requested"},
            EventKind.ORDER_CANCELED,
            OrderReason.REQUESTED,
        ),
        ({"status": "expired"}, EventKind.ORDER_EXPIRED, OrderReason.NONE),
        ({"status": "closed", "vol_exec": "1.25"}, EventKind.ORDER_ACCEPTED, -1),
    ],
)
def test_ended_order_is_found(fields: dict[str, object], kind: EventKind, reason: int) -> None:
    exchange = trader()
    request = exchange.query(working(), NOW)
    answered(exchange, request, listed("open"))
    (closed,) = exchange.wanted()
    (row,) = rows(answered(exchange, closed, listed("closed", O1=rest_order(**fields))))
    assert (row[0], row[5], row[6]) == (kind, reason, 7)


def test_wrong_replies_are_quarantined() -> None:
    exchange = trader()
    request = exchange.query(working(), NOW)
    bodies: tuple[dict[str, object], ...] = (
        listed("open", O1=rest_order(status="lost")),
        listed("odd"),
        {"error": ["EService:Busy"]},
        {"result": {}},
    )
    for body in bodies:
        assert answered(exchange, request, body).count == 0
    assert exchange.quarantined == 4


def test_what_was_missed_is_asked_for_with_overlap_and_told_as_fills() -> None:
    exchange = trader()
    orders, closed, trades = exchange.missed(Nanoseconds(NOW - 10**9), NOW)
    assert f"start={NOW // 10**9 - 61}".encode() in trades.body
    answered(exchange, orders, listed("open", O1=rest_order()))
    answered(exchange, closed, listed("closed", O2=rest_order(status="canceled")))
    history = listed("trades", T1=rest_trade(), T2=rest_trade(ordertxid="O9", pair="FETUSD"))
    found = rows(answered(exchange, trades, history))
    assert [(row[0], row[4], row[5], row[6]) for row in found] == [
        (EventKind.ORDER_FILLED, 1001, 150_000_000, 7)
    ]
    assert exchange.foreign == 1


def account_bodies() -> list[bytes]:
    import json

    bodies = (
        {"error": [], "result": {"ZUSD": "200000.00", "XXBT": "0.5", "XETH": "2.0"}},
        listed("open", O1=rest_order(), O2=rest_order(cl_ord_id=None)),
        listed("trades", T1=rest_trade()),
        {"error": [], "result": {"XXBTZUSD": {"c": ["65000.1", "1"]}, "odd": {}}},
    )
    return [json.dumps(body).encode() for body in bodies]


def test_account_is_read_of_four_replies() -> None:
    exchange = KrakenExchange(trader().settings, (BITCOIN, ETHER))
    exchange.number_of = number_of
    account = exchange.read_account(account_bodies(), NOW)
    assert account.positions == {
        InstrumentId(0): (50_000_000, 650_001),
        InstrumentId(1): (200_000_000, 0),
    }
    assert account.balances["USD"] == Money(200_000, 0)
    assert account.balances["BTC"] == Money(5, -1)
    first, second = account.orders
    assert (first.client_id, first.size, first.filled) == (client_id(7), 125_000_000, 25_000_000)
    assert (first.price, first.side, second.client_id) == (375_000, Side.BUY, "")
    assert account.trades["sequence"].tolist() == [1001]


def test_account_of_wrong_replies_is_not_guessed() -> None:
    exchange = trader()
    for at, body in enumerate((b"{}", b'{"error":["EService:Busy"]}', b"", b'{"error":[]}')):
        bodies = account_bodies()
        bodies[at] = body
        if at < 3:
            with pytest.raises(DecodeError):
                exchange.read_account(bodies, NOW)
    with pytest.raises(DecodeError, match="expected 4"):
        exchange.read_account([], NOW)
    with pytest.raises(DecodeError, match="no text"):
        exchange.read_account([b'{"error":[],"result":{"ZUSD":5}}', *account_bodies()[1:]], NOW)


def test_account_requests_ask_for_prices_without_a_key() -> None:
    asked = trader().account_requests(NOW)
    assert [each.method for each in asked] == ["POST", "POST", "POST", "GET"]
    assert asked[-1].path == "/0/public/Ticker?pair=XBTUSD"
    assert asked[-1].headers == ()


def test_reply_to_something_else_changes_no_order() -> None:
    exchange = trader(token=False)
    request = exchange.place(intent(), NOW)
    other = trader(token=False)
    reply = Reply(status=200, body=b"{}", received=NOW)
    assert other.decode_reply(request, reply, EventBatch()) == 0
