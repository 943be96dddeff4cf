"""Connections, tickers, prices, candles, metadata and maintenance."""

import json
from typing import Any

import pytest
from tests.plugins.exchange_okx.okx_messages import (
    RECEIVED,
    SYMBOL,
    TIME,
    adapter,
    best,
    book,
    candle,
    compact,
    decoded,
    message,
    ticker,
    trade_item,
    trades,
)

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import InstrumentKind, InstrumentStatus, Settlement
from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.domain_types.venue_capabilities import BookProof
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_okx.adapter import OkxExchange, OkxSettings
from bot4_plugins.exchange_okx.metadata import guess_instrument
from bot4_plugins.exchange_okx.venue import VENUES

SECOND = 1_000_000_000
STATUSES = list(InstrumentStatus)


def liquidation(side: str = "sell") -> dict[str, Any]:
    detail = {"side": side, "bkPx": "64000.1", "sz": "0.4", "ts": str(TIME)}
    item = {"instId": SYMBOL, "instType": "SWAP", "details": [detail]}
    arg = {"channel": "liquidation-orders", "instType": "SWAP"}
    return {"arg": arg, "data": [item, item | {"details": []}]}


def test_prices_of_every_kind() -> None:
    (quote,) = decoded(adapter(), best()).events
    assert (quote["price"], quote["size"], quote["aux"], quote["link"]) == (
        650_953,
        500,
        651_168,
        230,
    )
    (told,) = decoded(adapter(), ticker()).events
    assert (told["kind"], told["sequence"]) == (EventKind.QUOTE, -1)
    (empty,) = decoded(adapter(), ticker(askPx="", askSz="")).events
    assert (empty["aux"], empty["link"]) == (0, 0)
    item = {"instId": SYMBOL, "markPx": "61000.12", "ts": str(TIME)}
    (mark,) = decoded(adapter(), message("mark-price", item)).events
    assert (mark["kind"], mark["price"]) == (EventKind.MARK, 6_100_012_000_000)
    rate = {"instId": SYMBOL, "fundingRate": "-0.0001", "fundingTime": "1786320000000"}
    (funding,) = decoded(adapter(), message("funding-rate", rate)).events
    assert (funding["price"], funding["aux"]) == (-100_000_000, 1_786_320_000_000_000_000)
    (made,) = decoded(adapter(), candle()).events
    assert (made["price"], made["flags"]) == (651_143, EventFlag.CLOSED | EventFlag.LAST)
    (closed,) = decoded(adapter(), liquidation()).events
    assert (closed["kind"], closed["side"]) == (EventKind.LIQUIDATION, -1)


def test_index_is_of_every_instrument_of_its_pair() -> None:
    item = {"instId": "BTC-USDT", "idxPx": "61000.1", "ts": str(TIME)}
    exchange = adapter(symbols=("BTC-USDT-SWAP", "ETH-USDT-SWAP", "BTC-USDT-260925"))
    batch = decoded(exchange, message("index-tickers", item, symbol="BTC-USDT"))
    assert batch.events["kind"].tolist() == [EventKind.INDEX] * 2


@pytest.mark.parametrize(
    "content",
    [
        message("weather", {}),
        message("trades"),
        message("mark-price", {}, {}),
        message("mark-price", {"instId": "X", "markPx": "1", "ts": "1"}),
        message("mark-price", {"instId": SYMBOL, "markPx": "0", "ts": "1"}),
        message("candle1m", ["1", "2"]),
        ticker(askPx="", askSz="1"),
        ticker(instId="ETH-USDT-SWAP"),
        trades(trade_item(side="long")),
        liquidation("long"),
        {"arg": {"channel": "trades"}, "data": [{}]},
        {"arg": 5},
        {"code": 0},
        {"hello": "world"},
        {"code": "0", "data": [{"asks": [], "bids": [], "ts": "x"}]},
    ],
)
def test_wrong_messages_are_quarantined(content: dict[str, Any]) -> None:
    exchange, batch = adapter(), EventBatch()
    data = compact(content)
    assert exchange.decode(data, RECEIVED, batch) == 0
    (kept,) = exchange.quarantine
    assert (kept.length, kept.head) == (len(data), data)


def test_replies_of_several_symbols_are_refused() -> None:
    trade = trade_item() | {"instId": "A"}
    rate = {"instId": "A", "fundingRate": "0.1", "fundingTime": "1", "realizedRate": "0.1"}
    for item in (trade, rate):
        exchange = adapter()
        body = {"code": "0", "data": [item, item | {"instId": "B"}]}
        exchange.decode(compact(body), RECEIVED, EventBatch())
        assert "several" in exchange.quarantine[0].reason


def test_subscriptions_go_where_their_channels_are() -> None:
    streams = ("books", "candle", "index-tickers", "liquidation-orders")
    exchange = OkxExchange(
        OkxSettings(market="swap", symbols=(SYMBOL,), streams=streams, book="books5")
    )
    metadata, public, business = exchange.connect()
    assert metadata.path == "/api/v5/public/instruments?instType=SWAP"
    asked = [tuple(each.values()) for each in json.loads(public.body)["args"]]
    assert asked == [
        ("instruments", "SWAP"),
        ("status",),
        ("books5", SYMBOL),
        ("index-tickers", "BTC-USDT"),
        ("liquidation-orders", "SWAP"),
    ]
    assert json.loads(business.body)["args"] == [{"channel": "candle1m", "instId": SYMBOL}]
    names = [each.name for each in exchange.connections()]
    assert names == ["public", "business", "rest"]


def test_sockets_are_pinged_with_plain_text() -> None:
    exchange = adapter(symbols=(), streams=("trades",))
    exchange.opened("public", Nanoseconds(SECOND))
    (ping,) = exchange.due(Nanoseconds(21 * SECOND))
    assert (ping.connection, ping.body) == ("public", b"ping")
    batch = EventBatch()
    assert exchange.decode(b"pong", RECEIVED, batch) == 0
    assert exchange.quarantined == 0
    exchange.closed("public", Nanoseconds(22 * SECOND), batch)
    assert exchange.due(Nanoseconds(60 * SECOND)) == []


def test_books_are_watched_and_acknowledgements_are_no_data() -> None:
    exchange = adapter(symbols=(SYMBOL,))
    (stream,) = exchange.streams("public")
    assert stream.symbol == SYMBOL
    assert stream.kinds == frozenset({EventKind.BOOK_END})
    assert exchange.streams("business") == ()
    assert exchange.carries_data(compact(book()))
    assert not exchange.carries_data(b"pong")
    assert not exchange.carries_data(compact({"event": "subscribe", "arg": {}}))


def test_lost_connection_makes_every_followed_book_stale() -> None:
    exchange, batch = adapter(symbols=(SYMBOL, "ETH-USDT-SWAP")), EventBatch()
    assert exchange.closed("public", Nanoseconds(5), batch) == 1
    assert batch.events["kind"][0] == EventKind.GAP
    assert exchange.closed("private", Nanoseconds(5), batch) == 0


def test_notice_of_an_upgrade_asks_for_a_successor() -> None:
    exchange = adapter()
    exchange.began("public")
    decoded(exchange, {"event": "notice", "code": "64008", "msg": "reconnect", "connId": "x"})
    assert exchange.ending() == ["public"]
    assert exchange.ending() == []
    decoded(exchange, {"event": "subscribe", "arg": {"channel": "books"}})
    assert [each.code for each in exchange.replies] == ["64008", "0"]


def listing(**changes: Any) -> dict[str, Any]:
    fields = {
        "instId": SYMBOL,
        "instType": "SWAP",
        "ctType": "linear",
        "ctVal": "0.01",
        "ctMult": "1",
        "settleCcy": "USDT",
        "tickSz": "0.1",
        "lotSz": "0.01",
        "minSz": "0.01",
        "maxLmtSz": "100000000.0000000000000000",
        "state": "live",
        "expTime": "",
    }
    return fields | changes


def instruments(*items: dict[str, Any]) -> dict[str, Any]:
    return {"arg": {"channel": "instruments", "instType": "SWAP"}, "data": list(items)}


def test_contracts_carry_their_multiplier() -> None:
    exchange = OkxExchange(OkxSettings(market="swap", symbols=(SYMBOL,)))
    decoded(exchange, instruments(listing(ctMult="10")))
    (item,) = exchange.instruments
    assert (item.base, item.quote, item.settled_in) == ("BTC", "USDT", "USDT")
    assert (str(item.multiplier), item.lot, item.size_exponent) == ("0.10", 1, -2)
    assert (item.kind, item.settlement) == (InstrumentKind.PERPETUAL, Settlement.LINEAR)
    assert (item.depth, item.expiry) == (400, None)
    dated = listing(instId="BTC-USD-241220", instType="FUTURES", ctType="inverse", state="odd")
    other = OkxExchange(OkxSettings(market="futures", symbols=("BTC-USD-241220",)))
    decoded(other, instruments(dated | {"expTime": "1734681600000", "settleCcy": "BTC"}))
    assert other.instruments[0].expiry == 1_734_681_600_000_000_000
    assert other.instruments[0].settlement is Settlement.INVERSE
    assert other.instruments[0].status is InstrumentStatus.UNKNOWN


@pytest.mark.parametrize(
    "item",
    [
        listing(instType="OPTION"),
        listing(ctType=""),
        listing(ctVal="much"),
        listing(tickSz="0"),
        listing(instType="FUTURES"),
        {"instId": "X"},
    ],
)
def test_listing_that_cannot_be_read_is_left_out(item: dict[str, Any]) -> None:
    exchange = OkxExchange(OkxSettings(market="swap", symbols=(SYMBOL,)))
    decoded(exchange, instruments(item))
    assert len(exchange.refused_listings) == 1
    assert exchange.instruments == ()


def test_changed_status_is_told() -> None:
    exchange = adapter(symbols=(SYMBOL,))
    decoded(exchange, instruments(listing()))
    (event,) = decoded(exchange, instruments(listing(state="suspend"))).events
    assert STATUSES[event["aux"]] is InstrumentStatus.HALTED


def maintenance(state: str, service: str = "5") -> dict[str, Any]:
    return {"arg": {"channel": "status"}, "data": [{"state": state, "serviceType": service}]}


def test_maintenance_of_trading_halts_every_instrument() -> None:
    exchange = adapter()
    found = [
        STATUSES[decoded(exchange, maintenance(state)).events["aux"][0]]
        for state in ("ongoing", "pre_open", "completed")
    ]
    assert found == [
        InstrumentStatus.HALTED,
        InstrumentStatus.POST_ONLY,
        InstrumentStatus.TRADING,
    ]
    assert decoded(exchange, maintenance("scheduled")).count == 0
    assert decoded(exchange, maintenance("ongoing", "0")).count == 0


@pytest.mark.parametrize(
    ("symbol", "kind", "settlement"),
    [
        ("BTC-USDT", InstrumentKind.SPOT, Settlement.SPOT),
        ("BTC-USDT-SWAP", InstrumentKind.PERPETUAL, Settlement.LINEAR),
        ("BTC-USD-SWAP", InstrumentKind.PERPETUAL, Settlement.INVERSE),
        ("BTC-USD-241220", InstrumentKind.FUTURE, Settlement.INVERSE),
    ],
)
def test_names(symbol: str, kind: InstrumentKind, settlement: Settlement) -> None:
    guess = guess_instrument(symbol)
    assert (guess.base, guess.kind, guess.settlement) == ("BTC", kind, settlement)


@pytest.mark.parametrize("market", VENUES)
def test_facts_have_a_date_and_a_source(market: str) -> None:
    facts, row = VENUES[market], OkxExchange.capabilities[market]
    assert facts.as_of
    assert facts.source
    assert row.proof is BookProof.CHAIN
    assert row.trades
    limits = OkxExchange(OkxSettings(market=market)).rate_limits
    assert {limit.limit for limit in limits.limits} == {20, 60}
