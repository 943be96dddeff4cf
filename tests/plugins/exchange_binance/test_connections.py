"""What is open, what is sent first, what time alone asks for, and what a loss means."""

import json

import attrs
import pytest
from tests.plugins.exchange_binance.binance_messages import Fields, compact, depth, snapshot
from tests.plugins.exchange_binance.private import INSTRUMENTS, NOW, trader
from tests.plugins.exchange_binance.test_metadata import body, listing

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.domain_types.instruments import InstrumentStatus
from bot4_core.domain_types.rate_limits import RateUnit
from bot4_core.domain_types.records import BookState, EventKind
from bot4_core.errors import ConfigError, DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.plugins.exchange import Reply
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

HOUR = 3_600 * 10**9
STATUSES = list(InstrumentStatus)
LIMITS = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50},
    {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 160_000},
    {"rateLimitType": "ORDERS", "interval": "MOON", "intervalNum": 1, "limit": 5},
]


def follower(*symbols: str, market: str = "usdm", **changes: object) -> BinanceExchange:
    settings = BinanceSettings(market=market, symbols=symbols)
    return BinanceExchange(attrs.evolve(settings, **changes))  # type: ignore[arg-type]  # any field


def test_connections_say_when_they_count_as_dead_and_when_they_are_replaced() -> None:
    sockets = follower("BTCUSDT", "ETHUSDT").connections()
    assert [each.name for each in sockets] == ["rest", "public", "market"]
    assert [each.url for each in sockets] == [
        "https://fapi.binance.com",
        "wss://fstream.binance.com/public/stream",
        "wss://fstream.binance.com/market/stream",
    ]
    assert (sockets[0].silence, sockets[0].lifetime) == (0, 0)
    assert sockets[1].silence == 600 * 10**9
    assert HOUR * 23 < sockets[1].lifetime < HOUR * 24
    assert not any(each.private for each in sockets)


def test_streams_beyond_what_a_connection_carries_get_another() -> None:
    symbols = [f"S{number}USD_PERP" for number in range(120)]
    exchange = follower(*symbols, market="coinm", streams=("depth", "trade"))
    assert [each.name for each in exchange.connections()] == ["rest", "market", "market-2"]
    first, second = exchange.opened("market", NOW), exchange.opened("market-2", NOW)
    assert sum(each.method == "GET" for each in first) == 120
    assert [each.connection for each in second] == ["market-2"]


def test_fresh_socket_is_subscribed_before_its_books_are_asked_for() -> None:
    exchange = follower("BTCUSDT", "ETHUSDT")
    frame, *books = exchange.opened("public", NOW)
    assert json.loads(frame.body)["method"] == "SUBSCRIBE"
    assert [each.path.split("&")[0] for each in books] == [
        "/fapi/v1/depth?symbol=BTCUSDT",
        "/fapi/v1/depth?symbol=ETHUSDT",
    ]
    assert [each.cost.weight for each in books] == [20, 20]
    assert [each.connection for each in exchange.opened("market", NOW)] == ["market"]
    assert [each.path for each in exchange.opened("rest", NOW)] == ["/fapi/v1/exchangeInfo"]


def test_lost_connection_makes_the_books_stale_that_it_fed() -> None:
    exchange = BinanceExchange(
        BinanceSettings(market="usdm", symbols=("BTCUSDT", "ETHUSDT")),
        (INSTRUMENTS["usdm"], attrs.evolve(INSTRUMENTS["usdm"], symbol=Symbol("ETHUSDT"))),
    )
    exchange.subject = Symbol("BTCUSDT")
    books, batch = Books(exchange.table), EventBatch()
    exchange.decode_into(compact(snapshot(lastUpdateId=100)), NOW, batch, books)
    data = compact(depth(U=90, u=110, pu=89))
    exchange.decode_into(data, NOW, batch, books)
    assert books[0].state == BookState.LIVE.value
    batch.clear()
    assert exchange.closed("market", NOW, batch) == 0
    assert exchange.closed("public", NOW, batch) == 2
    assert batch.events["kind"].tolist() == [EventKind.GAP] * 2
    assert batch.events["instrument"].tolist() == [0, 1]
    books.apply(batch.events)
    assert books[0].state == BookState.STALE.value


def test_metadata_is_asked_for_again_after_a_while() -> None:
    exchange = follower("BTCUSDT", metadata_every=60)
    exchange.opened("rest", NOW)
    assert exchange.due(Nanoseconds(NOW + 60 * 10**9 - 1)) == []
    (request,) = exchange.due(Nanoseconds(NOW + 60 * 10**9))
    assert request.path == "/fapi/v1/exchangeInfo"
    assert exchange.due(Nanoseconds(NOW + 60 * 10**9)) == []


def described(exchange: BinanceExchange, content: Fields) -> list[tuple[int, int]]:
    batch = EventBatch()
    exchange.decode(compact(content), NOW, batch)
    assert exchange.quarantined == 0
    return [(int(row["kind"]), int(row["aux"])) for row in batch.events]


def test_status_that_changed_is_told() -> None:
    exchange = follower("BTCUSDT")
    assert described(exchange, body(listing())) == []
    assert described(exchange, body(listing())) == []
    halted = (EventKind.STATUS, STATUSES.index(InstrumentStatus.HALTED))
    assert described(exchange, body(listing(status="BREAK"))) == [halted]
    assert described(exchange, body(listing(status="BREAK"))) == []
    assert exchange.instruments[0].status is InstrumentStatus.HALTED
    trading = (EventKind.STATUS, STATUSES.index(InstrumentStatus.TRADING))
    assert described(exchange, body(listing())) == [trading]


@pytest.mark.parametrize("market", ["spot", "usdm", "coinm"])
def test_limits_are_those_that_the_venue_tells(market: str) -> None:
    exchange = trader(market)
    before = {each.name for each in exchange.rate_limits.limits}
    assert "weight in 60 s" in before
    assert any(each.unit is RateUnit.ORDERS for each in exchange.rate_limits.limits)
    described(exchange, {**body(), "rateLimits": LIMITS})
    after = {each.name: each.limit for each in exchange.rate_limits.limits}
    assert after["weight in 60 s"] == 1200
    assert after["orders in 10 s"] == 50
    assert ("requests in 300 s" in after) == (market == "spot")
    described(exchange, {**body(), "rateLimits": [{"limit": "many"}]})
    assert {each.name: each.limit for each in exchange.rate_limits.limits} == after


@pytest.mark.parametrize(
    "changes",
    [{"route": "pigeon"}, {"receive_window": 0}, {"receive_window": 60_001}, {"metadata_every": 0}],
)
def test_wrong_settings_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(changes))):
        BinanceExchange(attrs.evolve(BinanceSettings(), **changes))  # type: ignore[arg-type]  # any


@pytest.mark.parametrize("market", ["spot", "usdm", "coinm"])
def test_every_market_is_in_both_tables(market: str) -> None:
    row = BinanceExchange.capabilities[market]
    assert row.cancel_all
    assert row.query_by_client_id
    assert row.as_of
    assert (EventKind.MARK in row.data) == (market != "spot")
    assert market in BinanceExchange.markets


def test_streams_that_are_never_silent_are_watched() -> None:
    exchange = follower("BTCUSDT", streams=("depth", "bookTicker", "aggTrade", "markPrice"))
    depth_stream, quotes = exchange.streams("public")
    assert depth_stream.symbol == Symbol("BTCUSDT")
    assert depth_stream.kinds == {EventKind.BOOK_END}
    assert quotes.kinds == {EventKind.QUOTE}
    (frame,) = quotes.requests
    assert json.loads(frame.body)["params"] == ["btcusdt@bookTicker"]
    assert frame.connection == "public"
    assert [each.kinds for each in exchange.streams("market")] == [{EventKind.FUNDING}]
    assert exchange.streams("trade") == []


def test_answer_to_a_subscription_is_no_data() -> None:
    exchange = follower("BTCUSDT")
    assert not exchange.carries_data(b'{"result":null,"id":1}')
    assert exchange.carries_data(compact(depth()))


def test_announced_restart_is_told_of_the_connection_that_it_came_from() -> None:
    exchange = follower("BTCUSDT")
    exchange.began("public")
    assert exchange.decode(b'{"e":"serverShutdown","E":1}', NOW, EventBatch()) == 0
    assert list(exchange.ending()) == ["public"]
    assert list(exchange.ending()) == []


def test_used_limits_are_told_by_their_names() -> None:
    exchange = trader("spot")
    headers = (
        ("X-MBX-USED-WEIGHT-1M", "12"),
        ("x-mbx-order-count-10s", "3"),
        ("X-MBX-ORDER-COUNT-1D", "7"),
        ("X-MBX-USED-WEIGHT-1M", "much"),
        ("Date", "today"),
    )
    reply = Reply(status=200, body=b"{}", received=NOW, headers=headers)
    told = dict(exchange.usage(reply))
    assert told == {"weight in 60 s": 12, "orders in 10 s": 3, "orders in 86400 s": 7}
    assert {"weight in 60 s", "orders in 10 s"} <= {
        each.name for each in exchange.rate_limits.limits
    }


def test_venues_clock_is_read() -> None:
    exchange = follower("BTCUSDT")
    assert exchange.clock_request().path == "/fapi/v1/time"
    reply = Reply(status=200, body=b'{"serverTime":1723161255030}', received=NOW)
    assert exchange.read_clock(reply) == 1_723_161_255_030_000_000
    with pytest.raises(DecodeError):
        exchange.read_clock(attrs.evolve(reply, body=b"{}"))
