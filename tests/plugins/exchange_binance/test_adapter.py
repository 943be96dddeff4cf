"""What each message becomes, and what happens to wrong ones."""

import json

import attrs
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.plugins.exchange_binance.adapters import BITCOIN, RECEIVED, adapter
from tests.plugins.exchange_binance.binance_messages import (
    Fields,
    aggregate_trade,
    candle,
    compact,
    depth,
    enveloped,
    mark,
    quote,
    snapshot,
    trade,
)

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Symbol
from bot4_core.errors import ConfigError, PrecisionGrew
from bot4_core.jit import warm_up
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings
from bot4_plugins.venue_toolkit.decoding_exchange import KEPT_BYTES, KEPT_MESSAGES

Numbers = NDArray[np.int64]


def block(*messages: bytes) -> tuple[NDArray[np.uint8], Numbers, Numbers, Numbers]:
    """Lay messages out as a block: one buffer, starts, stops, receive times."""
    stops = np.cumsum([len(message) + 1 for message in messages], dtype=np.int64) - 1
    starts = stops - np.array([len(message) for message in messages], np.int64)
    received = np.arange(len(messages), dtype=np.int64) + RECEIVED
    return np.frombuffer(b"\n".join(messages), np.uint8), starts, stops, received


def test_snapshot_of_several_symbols_is_of_the_subject() -> None:
    other = attrs.evolve(BITCOIN, symbol=Symbol("ETHUSDT"))
    exchange = BinanceExchange(BinanceSettings(market="usdm"), (BITCOIN, other))
    batch = EventBatch()
    data = compact(snapshot())
    assert exchange.decode(data, RECEIVED, batch) == 0
    assert "names no symbol" in exchange.quarantine[0].reason
    exchange.subject = Symbol("ETHUSDT")
    assert exchange.decode(data, RECEIVED, batch) == 5
    url = "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000"
    assert exchange.decode_response(url, data, RECEIVED, batch) == 5
    assert exchange.subject == "ETHUSDT"
    assert exchange.decode(compact(snapshot(symbol="BTCUSDT")), RECEIVED, batch) == 5
    assert batch.events["instrument"].tolist() == [1] * 5 + [0] * 10


def test_unknown_symbol_takes_its_exponents_from_the_text() -> None:
    exchange = BinanceExchange(BinanceSettings(market="usdm"))
    batch = EventBatch()
    exchange.decode(compact(depth(s="SOLUSDT")), RECEIVED, batch)
    (instrument,) = exchange.instruments
    assert (instrument.price_exponent, instrument.size_exponent) == (-1, -3)
    assert instrument.from_data
    assert exchange.table["price_exponent"].tolist() == [-1]
    assert batch.events["price"][0] == 618_002


def test_more_decimals_than_the_data_showed_ask_for_a_new_start() -> None:
    exchange = BinanceExchange(BinanceSettings(market="usdm"))
    batch = EventBatch()
    exchange.decode(compact(quote()), RECEIVED, batch)
    with pytest.raises(PrecisionGrew) as grown:
        exchange.decode(compact(trade(p="61800.305", q="0.0061")), RECEIVED, batch)
    assert (grown.value.price_exponent, grown.value.size_exponent) == (-3, -4)
    assert batch.count == 1
    assert exchange.quarantined == 0


def test_more_decimals_than_metadata_has_are_quarantined() -> None:
    exchange = adapter()
    assert exchange.decode(compact(trade(p="61800.305")), RECEIVED, EventBatch()) == 0
    assert exchange.quarantined == 1


@pytest.mark.parametrize("text", ["1e-19", "0." + "0" * 18 + "1"])
def test_no_instrument_has_exponents_finer_than_18_decimals(text: str) -> None:
    exchange = BinanceExchange(BinanceSettings(market="usdm"))
    assert exchange.decode(compact(trade(p=text)), RECEIVED, EventBatch()) == 0
    assert exchange.quarantined == 1
    assert exchange.instruments == ()


def test_refused_first_message_makes_no_instrument() -> None:
    exchange = BinanceExchange(BinanceSettings(market="usdm"))
    assert exchange.decode(compact(trade(p="9" * 20)), RECEIVED, EventBatch()) == 0
    assert exchange.instruments == ()


@pytest.mark.parametrize(
    "message",
    [
        trade(p="0"),
        trade(p="-1"),
        trade(p="NaN"),
        trade(q="0"),
        trade(q="-0.001"),
        trade(m=1),
        trade(t=-1),
        trade(t=2**63),
        trade(T=-1),
        trade(s="BTC\nUSDT"),
        depth(b=[["1", "1"], ["2", "-1"]]),
        depth(U=106),
        quote(b="0"),
        mark(p="0"),
        mark(i="0"),
        mark(r="x"),
        candle({"l": "0"}),
        candle({"v": "-1"}),
        candle({"t": None}),
        {"e": "forceOrder", "o": {}},
        {"e": "executionReport"},
        {"e": "ORDER_TRADE_UPDATE", "o": {}, "E": 1, "T": 1},
        {"e": "ALGO_UPDATE", "o": {}, "E": 1, "T": 1},
        {"e": 5},
        {"e": "24hrTicker", "s": "BTCUSDT"},
        {"stream": "x", "data": [1]},
        {"stream": 1, "data": {}},
        {"hello": "world"},
        {},
    ],
)
def test_wrong_message_is_quarantined_whole(message: Fields) -> None:
    exchange, batch = adapter(), EventBatch()
    data = compact(message)
    assert exchange.decode(data, RECEIVED, batch) == 0
    assert batch.count == 0
    (kept,) = exchange.quarantine
    assert (kept.received, kept.length, kept.head) == (RECEIVED, len(data), data)
    assert kept.reason


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"ping",
        b"[]",
        compact(trade())[:-1],
        compact(trade()) + b"}",
        compact(trade()) + b"\0",
        compact(trade()).replace(b"MARKET", b"MARKET\xff"),
        compact(trade()).replace(b'"m":true', b'"m":true,"m":false'),
        compact(trade()).replace(b'"m":true', b'"m":true,"x":{"y":1,"y":2}'),
        compact(trade()).replace(b'"m":true', b'"m":true,"x":NaN'),
        compact(trade()).replace(b'"m":true', b'"m":true,"x":[1,]'),
        compact(trade()).replace(b'"m":true', b'"m":true,"x":01'),
        compact(trade()).replace(b'"t":5266583935', b'"t":5266583935.0'),
        compact(trade()).replace(b'"t":5266583935', b'"t":1e3'),
        compact(trade(p="1" * 65)),
        compact(trade(p="١")),
        b"[" * 100_000,
        b'{"x":' * 100_000,
        b'{"x":' + b"1" * 5_000 + b"}",
    ],
)
def test_damaged_bytes_are_quarantined_whole(data: bytes) -> None:
    exchange, batch = adapter(), EventBatch()
    assert exchange.decode(data, RECEIVED, batch) == 0
    assert (batch.count, exchange.quarantined) == (0, 1)


def test_quarantine_keeps_the_latest_and_counts_all() -> None:
    exchange, batch = adapter(), EventBatch()
    for number in range(KEPT_MESSAGES + 5):
        exchange.decode(b"%d" % number + b" " * 2 * KEPT_BYTES, RECEIVED, batch)
    assert exchange.quarantined == KEPT_MESSAGES + 5
    assert len(exchange.quarantine) == KEPT_MESSAGES
    assert exchange.quarantine[-1].head.startswith(b"104")
    assert len(exchange.quarantine[-1].head) == KEPT_BYTES


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"result": None, "id": 1}, 0),
        ({"code": -1121, "msg": "Invalid symbol."}, -1121),
        ({"error": {"code": 2, "msg": "Invalid request"}, "id": 3}, 2),
    ],
)
def test_replies_are_kept_and_give_no_events(message: Fields, code: int) -> None:
    exchange = adapter()
    assert exchange.decode(compact(message), RECEIVED, EventBatch()) == 0
    assert exchange.quarantined == 0
    assert exchange.replies[-1].code == code


def test_batch_grows_for_a_large_message() -> None:
    levels = [[f"{61_000 + number}.5", "1.5"] for number in range(500)]
    batch = EventBatch(1)
    assert adapter().decode(compact(depth(b=levels)), RECEIVED, batch) == 502
    assert batch.count == 502


def test_block_gives_what_its_messages_give_one_by_one() -> None:
    messages = [
        *(compact(build()) for build in (depth, quote, trade, snapshot, mark, candle)),
        b"junk",
        compact(trade(s="NEWUSDT", p="1.25")),
        compact(enveloped(aggregate_trade())),
    ]
    single, together = adapter(), adapter()
    single.subject = together.subject = BITCOIN.symbol
    expected, batch = EventBatch(), EventBatch(2)
    for number, message in enumerate(messages):
        single.decode(message, Nanoseconds(RECEIVED + number), expected)
    first = calls = 0
    while first < len(messages):
        first = together.decode_block(*block(*messages), batch, first)
        calls += 1
    assert batch.events.tobytes() == expected.events.tobytes()
    assert together.instruments == single.instruments
    assert together.quarantined == single.quarantined == 1
    assert calls > 1


def test_block_stops_before_a_message_that_asks_for_a_new_start() -> None:
    exchange, batch = BinanceExchange(BinanceSettings(market="usdm")), EventBatch()
    messages = block(compact(quote()), compact(quote(b="61800.255")))
    with pytest.raises(PrecisionGrew):
        exchange.decode_block(*messages, batch)
    assert batch.count == 1


def test_messages_of_a_block_may_stand_without_space_between() -> None:
    whole = compact(trade())
    buffer = np.frombuffer(whole * 2, np.uint8)
    starts = np.array([0, len(whole), 5], np.int64)
    stops = np.array([len(whole), 2 * len(whole) - 1, len(whole)], np.int64)
    exchange, batch = adapter(), EventBatch()
    assert exchange.decode_block(buffer, starts, stops, starts, batch) == 3
    assert (batch.count, exchange.quarantined) == (1, 2)


def test_connect_subscribes_before_it_asks_for_books() -> None:
    settings = BinanceSettings(market="usdm", symbols=("BTCUSDT", "ETHUSDT"))
    metadata, public, market, first, second = BinanceExchange(settings).connect()
    assert (metadata.method, metadata.path) == ("GET", "/fapi/v1/exchangeInfo")
    assert public.connection == "public"
    assert json.loads(public.body) == {
        "method": "SUBSCRIBE",
        "params": [
            *("btcusdt@depth@100ms", "ethusdt@depth@100ms"),
            *("btcusdt@bookTicker", "ethusdt@bookTicker"),
        ],
        "id": 1,
    }
    assert market.connection == "market"
    assert json.loads(market.body)["params"] == ["btcusdt@aggTrade", "ethusdt@aggTrade"]
    assert [first.path, second.path] == [
        "/fapi/v1/depth?symbol=BTCUSDT&limit=1000",
        "/fapi/v1/depth?symbol=ETHUSDT&limit=1000",
    ]


def test_connect_without_books_asks_for_no_snapshot() -> None:
    settings = BinanceSettings(market="spot", symbols=("BTCUSDT",), streams=("kline",))
    metadata, frame = BinanceExchange(settings).connect()
    assert metadata.path == "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D"
    assert json.loads(frame.body)["params"] == ["btcusdt@kline_1m"]


def test_resync_asks_for_the_snapshot_of_one_book() -> None:
    (request,) = adapter().resync(InstrumentId(0))
    assert request.path == "/fapi/v1/depth?symbol=BTCUSDT&limit=1000"
    assert request.connection == "rest"


def test_settings_faults_are_told_together() -> None:
    with pytest.raises(ConfigError) as fault:
        BinanceExchange(BinanceSettings(market="margin", symbols=("A", "A")))
    assert [path for path, _ in fault.value.faults] == ["market", "symbols"]
    with pytest.raises(ConfigError, match="'markPrice' is not one of"):
        BinanceExchange(BinanceSettings(market="spot", streams=("markPrice",)))


def test_kernels_are_compiled_ahead() -> None:
    exchange = adapter()
    warm_up(exchange.specialisations())
    assert warm_up(exchange.specialisations()) == 0
