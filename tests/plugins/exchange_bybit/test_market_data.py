"""Connections, tickers, candles, liquidations, metadata and maintenance."""

import json
from typing import Any

import pytest
from tests.plugins.exchange_bybit.bybit_messages import (
    RECEIVED,
    TIME,
    adapter,
    candle,
    compact,
    decoded,
    liquidation,
    ticker,
)

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import InstrumentKind, InstrumentStatus, Settlement
from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.domain_types.venue_capabilities import BookProof
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_bybit.adapter import BybitExchange, BybitSettings
from bot4_plugins.exchange_bybit.requests import is_of_market
from bot4_plugins.exchange_bybit.symbol_names import guess_listing
from bot4_plugins.exchange_bybit.venue import VENUES

SECOND = 1_000_000_000
STATUSES = list(InstrumentStatus)


def test_whole_ticker_gives_quote_mark_index_and_funding() -> None:
    quote, mark, index, funding = decoded(adapter(), ticker()).events
    assert (quote["kind"], quote["price"], quote["size"]) == (EventKind.QUOTE, 6_511_420, 5_954)
    assert (quote["aux"], quote["link"], quote["sequence"]) == (6_511_430, 10_470, 7)
    assert (mark["kind"], mark["price"]) == (EventKind.MARK, 6_511_744_000_000)
    assert (index["kind"], index["price"]) == (EventKind.INDEX, 6_513_776_000_000)
    assert (funding["kind"], funding["price"]) == (EventKind.FUNDING, -100_000_000)
    assert funding["aux"] == 1_786_320_000_000_000_000
    assert [event["flags"] for event in (quote, mark, index, funding)] == [0, 0, 0, 2]


def test_deltas_of_tickers_are_completed_from_what_was_said() -> None:
    exchange = adapter()
    decoded(exchange, ticker())
    (quote,) = decoded(exchange, ticker("delta", ask1Price="65114.40", ask1Size="1.000")).events
    assert (quote["price"], quote["aux"], quote["link"]) == (6_511_420, 6_511_440, 1_000)
    (mark,) = decoded(exchange, ticker("delta", markPrice="65000.1")).events
    assert mark["kind"] == EventKind.MARK
    (funding,) = decoded(exchange, ticker("delta", fundingRate="0.0002")).events
    assert (funding["price"], funding["aux"]) == (200_000_000, 1_786_320_000_000_000_000)


def test_tickers_are_forgotten_with_their_connection() -> None:
    exchange = adapter()
    decoded(exchange, ticker())
    exchange.began("public")
    assert decoded(exchange, ticker("delta", ask1Price="65114.40")).count == 0
    whole = ticker(fundingRate="", nextFundingTime="", markPrice="", indexPrice="")
    assert decoded(exchange, whole).events["kind"].tolist() == [EventKind.QUOTE]


def test_ticker_without_orders_on_a_side() -> None:
    exchange = adapter()
    (quote, *_) = decoded(exchange, ticker(ask1Price="0", ask1Size="0")).events
    assert (quote["aux"], quote["link"]) == (0, 0)
    exchange.decode(compact(ticker(ask1Price="0", ask1Size="1")), RECEIVED, EventBatch())
    assert exchange.quarantined == 1


def test_spot_tickers_say_nothing() -> None:
    message = ticker("snapshot")
    message["data"] = {"symbol": "BTCUSDT", "lastPrice": "1", "usdIndexPrice": "2"}
    assert decoded(adapter("spot"), message).count == 0


def test_candles_and_liquidations() -> None:
    (made,) = decoded(adapter(), candle(confirm=True)).events
    assert (made["price"], made["aux"], made["link"]) == (6_511_430, 6_511_990, 6_511_990)
    assert (made["sequence"], made["size"]) == (6_511_420, 1_576)
    assert made["flags"] == EventFlag.CLOSED | EventFlag.LAST
    (closed,) = decoded(adapter(), liquidation()).events
    assert (closed["kind"], closed["side"]) == (EventKind.LIQUIDATION, -1)


@pytest.mark.parametrize(
    "message",
    [
        ticker("reset"),
        ticker(symbol="ETHUSDT"),
        ticker(bid1Price="-1"),
        ticker(nextFundingTime="soon"),
        candle(low="0"),
        candle(volume="-1"),
        candle() | {"data": []},
        liquidation(S="Long"),
        {"topic": "tickers", "data": {}},
        {"topic": "kline.1", "data": []},
        {"topic": "weather.BTCUSDT", "data": []},
        {"topic": ["x"]},
        {"hello": "world"},
        {"retCode": "0"},
        {"retCode": 0, "result": [5]},
        {"retCode": 0, "result": {"symbol": "BTCUSDT", "list": [["1", "2"]]}},
        {"retCode": 0, "result": {"list": [["1", "2"]], "category": "spot", "symbol": "X"}},
    ],
)
def test_wrong_messages_are_quarantined(message: dict[str, Any]) -> None:
    exchange, batch = adapter(), EventBatch()
    data = compact(message)
    assert exchange.decode(data, RECEIVED, batch) == 0
    (kept,) = exchange.quarantine
    assert (kept.length, kept.head) == (len(data), data)


def test_replies_of_several_symbols_are_refused() -> None:
    trade = {"execId": "1", "price": "1", "size": "1", "side": "Buy", "time": "1"}
    rate = {"fundingRate": "0.1", "fundingRateTimestamp": "1"}
    for fields in (trade, rate):
        items = [fields | {"symbol": "A"}, fields | {"symbol": "B"}]
        exchange = adapter()
        body = {"retCode": 0, "result": {"list": items}}
        exchange.decode(compact(body), RECEIVED, EventBatch())
        assert "several" in exchange.quarantine[0].reason


def test_subscriptions_are_cut_as_the_venue_allows() -> None:
    symbols = tuple(f"A{number}USDT" for number in range(6))
    exchange = BybitExchange(BybitSettings(market="spot", symbols=symbols, depth=50))
    metadata, first, second, status = exchange.connect()
    assert metadata.path == "/v5/market/instruments-info?category=spot"
    assert json.loads(first.body)["args"][0] == "orderbook.50.A0USDT"
    assert [len(json.loads(each.body)["args"]) for each in (first, second)] == [10, 2]
    assert status.connection == "status"
    contracts = BybitExchange(BybitSettings(market="linear", symbols=symbols))
    assert len(contracts.connect()) == 3


def test_sockets_are_pinged_while_they_are_open() -> None:
    exchange = adapter(symbols=("BTCUSDT",), metadata_every=0)
    opened = exchange.opened("public", Nanoseconds(SECOND))
    assert [each.connection for each in opened] == ["public"]
    assert exchange.due(Nanoseconds(20 * SECOND)) == []
    (ping,) = exchange.due(Nanoseconds(21 * SECOND))
    assert (ping.connection, json.loads(ping.body)) == ("public", {"op": "ping"})
    assert exchange.due(Nanoseconds(22 * SECOND)) == []
    exchange.closed("public", Nanoseconds(23 * SECOND), EventBatch())
    assert exchange.due(Nanoseconds(60 * SECOND)) == []
    decoded(exchange, {"op": "pong", "args": ["1"], "conn_id": "x"})
    decoded(exchange, {"op": "ping", "success": True, "ret_msg": "pong"})
    assert [reply.code for reply in exchange.replies] == ["0", "0"]


def test_books_are_watched_and_acknowledgements_are_no_data() -> None:
    exchange = adapter(symbols=("BTCUSDT",))
    (stream,) = exchange.streams("public")
    assert stream.symbol == "BTCUSDT"
    assert stream.kinds == frozenset({EventKind.BOOK_END})
    assert [json.loads(each.body)["op"] for each in stream.requests] == ["unsubscribe", "subscribe"]
    assert exchange.streams("private") == ()
    assert exchange.carries_data(compact(candle()))
    assert not exchange.carries_data(compact({"success": True, "op": "subscribe"}))


def test_lost_connection_makes_every_followed_book_stale() -> None:
    exchange, batch = adapter(symbols=("BTCUSDT",)), EventBatch()
    assert exchange.closed("public", Nanoseconds(5), batch) == 1
    assert (batch.events["kind"][0], batch.events["received"][0]) == (EventKind.GAP, 5)
    assert exchange.closed("private", Nanoseconds(5), batch) == 0
    tickers = adapter(symbols=("BTCUSDT",), streams=("tickers",))
    assert tickers.closed("public", Nanoseconds(5), batch) == 0


def listing(**changes: Any) -> dict[str, Any]:
    fields = {
        "symbol": "BTCUSDT",
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": "BTC",
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "priceScale": "2",
        "deliveryTime": "0",
        "priceFilter": {"tickSize": "0.10"},
        "lotSizeFilter": {
            "qtyStep": "0.001",
            "minOrderQty": "0.001",
            "maxOrderQty": "1190.000",
            "minNotionalValue": "5",
        },
    }
    return fields | changes


def metadata(*items: dict[str, Any], cursor: str = "") -> dict[str, Any]:
    result = {"category": "linear", "list": list(items), "nextPageCursor": cursor}
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": TIME}


def test_metadata_is_paged_and_asked_for_again() -> None:
    exchange = adapter(symbols=("BTCUSDT",), metadata_every=60)
    exchange.opened("rest", Nanoseconds(SECOND))
    decoded(exchange, metadata(listing(), cursor="a b"))
    (more,) = exchange.wanted()
    assert more.path.endswith("&cursor=a+b")
    assert exchange.due(Nanoseconds(60 * SECOND)) == []
    (again,) = exchange.due(Nanoseconds(61 * SECOND))
    assert again.tag == "metadata"


def test_listing_as_an_instrument() -> None:
    exchange = BybitExchange(BybitSettings(market="linear", symbols=("BTCUSDT",), depth=50))
    decoded(exchange, metadata(listing()))
    (item,) = exchange.instruments
    assert (item.price_exponent, item.tick, item.size_exponent, item.lot) == (-2, 10, -3, 1)
    assert (item.min_size, item.max_size, str(item.min_notional)) == (1, 1_190_000, "5")
    assert (item.kind, item.settlement) == (InstrumentKind.PERPETUAL, Settlement.LINEAR)
    assert (item.depth, item.expiry, item.version) == (50, None, 1)
    dated = listing(contractType="LinearFutures", deliveryTime="1735286400000", status="Odd")
    other = BybitExchange(BybitSettings(market="linear", symbols=("BTCUSDT",)))
    decoded(other, metadata(dated))
    assert other.instruments[0].expiry == 1_735_286_400_000_000_000
    assert other.instruments[0].status is InstrumentStatus.UNKNOWN


def test_minimum_finer_than_the_step() -> None:
    sizes = {"basePrecision": "0.01", "minOrderQty": "0.011", "maxOrderQty": "100"}
    item = listing(contractType="", lotSizeFilter=sizes)
    exchange = BybitExchange(BybitSettings(market="spot", symbols=("BTCUSDT",)))
    decoded(exchange, metadata(item))
    (made,) = exchange.instruments
    assert (made.size_exponent, made.lot, made.min_size) == (-3, 10, 11)


@pytest.mark.parametrize(
    "item",
    [
        listing(contractType="InversePerpetual"),
        listing(contractType="Perpetual"),
        listing(optionsType="Put"),
        listing(priceFilter={"tickSize": "0"}),
        listing(priceScale="many"),
        listing(priceScale="2.5"),
        {"priceFilter": {}},
    ],
)
def test_listing_that_cannot_be_read_is_left_out(item: dict[str, Any]) -> None:
    exchange = BybitExchange(BybitSettings(market="linear", symbols=("BTCUSDT",)))
    decoded(exchange, metadata(item))
    assert len(exchange.refused_listings) == 1
    assert exchange.instruments == ()


def test_changed_status_is_told_and_raises_the_version() -> None:
    exchange = adapter(symbols=("BTCUSDT",))
    exchange.decode(compact(metadata(listing(status="Settling"))), RECEIVED, EventBatch())
    batch = EventBatch()
    exchange.decode(compact(metadata(listing(status="Closed"))), RECEIVED, batch)
    (event,) = batch.events
    assert event["kind"] == EventKind.STATUS
    assert STATUSES[event["aux"]] is InstrumentStatus.DELISTED
    assert exchange.instruments[0].version == 3
    assert decoded(exchange, metadata(listing(status="Closed"))).count == 0


def maintenance(state: str, product: int = 1, services: tuple[int, ...] = (1, 5)) -> dict[str, Any]:
    item = {
        "id": "x",
        "state": state,
        "begin": str(TIME),
        "product": [product],
        "serviceTypes": list(services),
    }
    return {"topic": "system.status", "ts": TIME, "data": [item]}


def test_maintenance_halts_every_instrument_until_it_is_over() -> None:
    exchange = adapter()
    (halted,) = decoded(exchange, maintenance("ongoing")).events
    assert STATUSES[halted["aux"]] is InstrumentStatus.HALTED
    (resumed,) = decoded(exchange, maintenance("completed")).events
    assert STATUSES[resumed["aux"]] is InstrumentStatus.TRADING
    for nothing in (
        maintenance("scheduled"),
        maintenance("ongoing", product=2),
        maintenance("ongoing", services=(5,)),
    ):
        assert decoded(exchange, nothing).count == 0


@pytest.mark.parametrize(
    ("market", "symbol", "base", "quote", "kind"),
    [
        ("spot", "BTCUSDT", "BTC", "USDT", InstrumentKind.SPOT),
        ("spot", "USDT", "USDT", "", InstrumentKind.SPOT),
        ("linear", "BTCPERP", "BTC", "USDC", InstrumentKind.PERPETUAL),
        ("linear", "BTC-27DEC24", "BTC", "USDC", InstrumentKind.FUTURE),
        ("linear", "ETHUSDT-27DEC24", "ETH", "USDT", InstrumentKind.FUTURE),
        ("inverse", "BTCUSD", "BTC", "USD", InstrumentKind.PERPETUAL),
        ("inverse", "BTCUSDZ24", "BTC", "USD", InstrumentKind.FUTURE),
    ],
)
def test_names(market: str, symbol: str, base: str, quote: str, kind: InstrumentKind) -> None:
    guess = guess_listing(VENUES[market], symbol)
    assert (guess.base, guess.quote, guess.kind) == (base, quote, kind)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("wss://stream.bybit.com/v5/public/linear", True),
        ("wss://stream.bybit.com/v5/public/spot", False),
        ("wss://stream.bybit.com/v5/public/misc/status", True),
        ("https://api.bybit.com/v5/market/instruments-info?&category=spot&limit=9", False),
        ("https://api.bybit.com/v5/market/instruments-info?category=linear", True),
        ("wss://stream.bybit.com/v5/private", True),
        ("", True),
    ],
)
def test_addresses_of_a_market(url: str, ours: bool) -> None:
    assert is_of_market(url, "linear") is ours


@pytest.mark.parametrize("market", VENUES)
def test_facts_have_a_date_and_a_source(market: str) -> None:
    facts, row = VENUES[market], BybitExchange.capabilities[market]
    assert facts.as_of
    assert facts.source
    assert row.proof is BookProof.STEP
    assert row.trades
    limits = BybitExchange(BybitSettings(market=market)).rate_limits
    assert {limit.limit for limit in limits.limits} == {600, facts.orders_per_second}
