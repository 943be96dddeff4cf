"""The account is read whole or not at all, and what happened meanwhile is asked for."""

import json
from pathlib import Path

import attrs
import pytest
from tests.plugins.exchange_binance.private import (
    INSTRUMENTS,
    NOW,
    answer,
    client_id,
    kinds,
    params_of,
    trader,
)
from tests.plugins.exchange_binance.test_replies import shown

from bot4_core.domain_types.canonical_types import InstrumentId, Money, Nanoseconds, Symbol
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError
from bot4_core.orders.reconciliation import VenueAccount, VenueOrder
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

Fields = dict[str, object]
TRADE: Fields = {
    "symbol": "BTCUSDT",
    "id": 9,
    "orderId": 28,
    "price": "61800.50",
    "qty": "2",
    "commission": "1.5",
    "commissionAsset": "USDT",
    "time": 5,
    "side": "BUY",
}
ALGO: Fields = {
    "algoId": 5,
    "clientAlgoId": client_id(8),
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "1.000",
    "price": "0",
    "triggerPrice": "45000.00",
}
DAY = 86_400_000


def read(exchange: BinanceExchange, *contents: object) -> VenueAccount:
    bodies = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in contents]
    return exchange.read_account(bodies, NOW)


def sample(recordings: Path, name: str) -> bytes:
    return (recordings / "binance" / "samples" / f"{name}.json").read_bytes()


def test_requests_cover_the_account_and_the_day() -> None:
    spot = trader("spot").account_requests(NOW)
    assert [each.path.partition("?")[0] for each in spot] == [
        *("/api/v3/account", "/api/v3/ticker/price", "/api/v3/openOrders"),
        *("/api/v3/allOrders", "/api/v3/myTrades"),
    ]
    assert [each.cost.weight for each in spot] == [20, 4, 80, 20, 20]
    usdm = trader("usdm").account_requests(NOW)
    assert [each.path.partition("?")[0] for each in usdm] == [
        *("/fapi/v3/balance", "/fapi/v3/positionRisk"),
        *("/fapi/v1/openOrders", "/fapi/v1/openAlgoOrders"),
        *("/fapi/v1/allOrders", "/fapi/v1/userTrades"),
    ]
    assert params_of(usdm[-1])["startTime"] == str(NOW // 10**6 - DAY)


def test_spot_account_is_read() -> None:
    balances = [
        {"asset": "BTC", "free": "1.50000000", "locked": "0.25000001"},
        {"asset": "USDT", "free": "100.5", "locked": "0"},
        {"asset": "BNB", "free": "7", "locked": "0"},
    ]
    account = read(
        trader("spot"),
        {"balances": balances},
        [{"symbol": "BTCUSDT", "price": "61800.40"}],
        [shown(), shown(symbol="ETHUSDT", orderId=1)],
        [shown("FILLED", orderId=30, clientOrderId=client_id(3))],
        [TRADE | {"orderId": 30, "isBuyer": True}, TRADE | {"orderId": 31, "id": 10}],
    )
    assert account.positions == {InstrumentId(0): (175_000, 6_180_040)}
    assert account.balances == {"USDT": Money.of("100.5")}
    expected = VenueOrder(
        client_id=client_id(),
        instrument=InstrumentId(0),
        side=Side.BUY,
        price=6_180_050,
        size=200_000,
        filled=0,
        venue_order=28,
    )
    assert account.orders == (expected,)
    assert account.trades["link"].tolist() == [3, -1]
    assert account.trades["kind"].tolist() == [EventKind.ORDER_FILLED] * 2
    assert account.time == NOW


def test_futures_account_is_read(recordings: Path) -> None:
    account = read(
        trader("usdm"),
        sample(recordings, "futures/http_json/balance"),
        sample(recordings, "futures/http_json/position_risk"),
        [],
        sample(recordings, "futures/http_json/open_algo_orders"),
        [shown("FILLED", clientOrderId="autoclose-1")],
        [TRADE],
    )
    assert account.balances == {"USDT": Money.of("122.12345678")}
    assert account.positions == {InstrumentId(0): (1, 5_000_000)}
    (order,) = account.orders
    assert (order.client_id, order.size, order.venue_order) == ("test-algo-order-1", 1, 123456789)
    assert account.trades["flags"].tolist() == [EventFlag.LAST | EventFlag.LIQUIDATED]


def test_average_price_of_a_position_is_rounded() -> None:
    position = {"symbol": "BTCUSDT", "positionAmt": "-0.010", "entryPrice": "61800.345678"}
    other = {"symbol": "XUSDT", "positionAmt": "1", "entryPrice": "1"}
    account = read(trader("usdm"), [], [position, other], [], [ALGO | {"symbol": "X"}], [], [])
    assert account.positions == {InstrumentId(0): (-10, 6_180_035)}
    assert account.orders == ()


def test_base_asset_is_held_by_the_first_pair_that_has_it() -> None:
    pair = INSTRUMENTS["spot"]
    twin = attrs.evolve(pair, symbol=Symbol("BTCUSDC"), quote="USDC")
    exchange = BinanceExchange(BinanceSettings(), (pair, twin))
    holding = {"balances": [{"asset": "BTC", "free": "1", "locked": "0"}]}
    account = read(exchange, holding, [], [], [], [], [], [])
    assert account.positions == {InstrumentId(0): (100_000, 0)}


@pytest.mark.parametrize(
    "name",
    [
        "py_http_responses/http_futures_account_positions_hedge",
        "py_http_responses/http_futures_account_positions_one_way",
    ],
)
def test_positions_of_hedge_mode_are_refused(name: str, recordings: Path) -> None:
    contents: tuple[object, ...] = ([], sample(recordings, name), [], [], [], [])
    if "hedge" in name:
        with pytest.raises(DecodeError, match="hedge mode"):
            read(trader("usdm"), *contents)
    else:
        assert read(trader("usdm"), *contents).positions == {InstrumentId(0): (0, 0)}


@pytest.mark.parametrize(
    "name", ["spot/http_json/account_response", "py_http_responses/http_spot_wallet_account"]
)
def test_sampled_spot_accounts_are_read(name: str, recordings: Path) -> None:
    account = read(trader("spot"), sample(recordings, name), [], [], [], [])
    assert account.positions == {InstrumentId(0): (472_384_689_208, 0)}


@pytest.mark.parametrize(
    "contents",
    [
        (),
        ({"code": -1021, "msg": "clock"}, [], [], [], []),
        (b"<html>", [], [], [], []),
        ({"balances": [{"asset": "BTC", "free": "much", "locked": "0"}]}, [], [], [], []),
        ({"balances": []}, [], [shown(side="HOLD")], [], []),
        ({"balances": []}, [], [shown(price="x")], [], []),
    ],
)
def test_account_is_not_guessed(contents: tuple[object, ...]) -> None:
    with pytest.raises(DecodeError):
        read(trader("spot"), *contents)


def test_missed_orders_are_asked_for_with_a_minute_more_and_then_their_trades() -> None:
    exchange = trader("usdm")
    since = Nanoseconds(NOW - 5 * 10**9)
    (request,) = exchange.missed(since, NOW)
    begin = str((since - 60 * 10**9) // 10**6)
    assert request.path.startswith("/fapi/v1/allOrders?symbol=BTCUSDT&")
    assert params_of(request)["startTime"] == begin
    orders = [
        shown("FILLED", executedQty="2"),
        shown("CANCELED", orderId=29, clientOrderId=client_id(8)),
        shown("FILLED", orderId=30, clientOrderId="adl_autoclose", executedQty="1"),
    ]
    events = answer(exchange, request, orders)
    assert kinds(events) == [
        EventKind.ORDER_ACCEPTED,
        EventKind.ORDER_CANCELED,
        EventKind.ORDER_ACCEPTED,
    ]
    assert [event.link for event in events] == [7, 8, -1]
    (trades,) = exchange.wanted()
    assert trades.path.startswith("/fapi/v1/userTrades?symbol=BTCUSDT&")
    assert params_of(trades)["startTime"] == begin
    empty: Fields = TRADE | {"id": 11, "qty": "0"}
    fills = answer(exchange, trades, [TRADE, TRADE | {"orderId": 30, "id": 10}, empty])
    assert [(fill.link, fill.sequence) for fill in fills] == [(7, 9), (-1, 10)]
