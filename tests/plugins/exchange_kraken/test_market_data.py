"""What each message of market data becomes, and what is sent for it."""

import json
from pathlib import Path

import pytest
from tests.plugins.exchange_kraken.kraken_world import (
    BITCOIN,
    ETHER,
    NOW,
    SYMBOL,
    adapter,
    book_text,
    frames,
    rows,
    told,
    trade_text,
)

from bot4_core.domain_types.canonical_types import InstrumentId
from bot4_core.domain_types.instruments import InstrumentStatus
from bot4_core.domain_types.records import BookState, EventFlag, EventKind, Side
from bot4_core.errors import ConfigError
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_plugins.exchange_kraken.adapter import KrakenExchange
from bot4_plugins.exchange_kraken.settings import KrakenSettings

NO_IDS = (-1, -1, -1)


def status_code(status: InstrumentStatus) -> int:
    return [*InstrumentStatus].index(status)


def test_book_update_gives_a_record_a_level_and_an_end_with_the_checksum() -> None:
    assert rows(told(adapter(), book_text())) == [
        (EventKind.BOOK_SET, Side.BUY, 645_240, 0, *NO_IDS, 0),
        (EventKind.BOOK_SET, Side.BUY, 645_212, 200_000, *NO_IDS, 0),
        (EventKind.BOOK_SET, Side.SELL, 645_251, 1_077_490, *NO_IDS, 0),
        (
            EventKind.BOOK_END,
            0,
            3906264065,
            3,
            *NO_IDS,
            EventFlag.LAST | EventFlag.DIGITS_CHECKED,
        ),
    ]


def test_book_snapshot_clears_first() -> None:
    found = rows(told(adapter(), book_text(kind="snapshot", asks=())))
    assert [row[0] for row in found] == [1, 2, 2, 3]
    assert found[0] == (EventKind.BOOK_CLEAR, 0, 0, 0, *NO_IDS, EventFlag.SNAPSHOT)
    assert found[-1][-1] == EventFlag.SNAPSHOT | EventFlag.LAST | EventFlag.DIGITS_CHECKED


def test_trades_carry_the_takers_side_and_their_number() -> None:
    assert rows(told(adapter(), trade_text(2, side='"sell"'))) == [
        (EventKind.TRADE, Side.SELL, 791_929, 5_319, 107725589, -1, -1, 0),
        (EventKind.TRADE, Side.SELL, 791_929, 5_319, 107725590, -1, -1, EventFlag.LAST),
    ]


def test_ticker_is_a_quote() -> None:
    row = {
        "symbol": SYMBOL,
        "bid": 100.5,
        "bid_qty": 2.5,
        "ask": 101.0,
        "ask_qty": 3,
        "timestamp": "2026-07-19T17:54:39.000001Z",
    }
    batch = told(adapter(), {"channel": "ticker", "type": "update", "data": [row]})
    ids = (-1, 1010, 300_000_000)
    assert rows(batch) == [(EventKind.QUOTE, 0, 1005, 250_000_000, *ids, EventFlag.LAST)]
    assert batch.events["time"][0] % 1_000_000_000 == 1_000
    empty = row | {"bid": 0, "bid_qty": 1}
    exchange = adapter()
    told(exchange, {"channel": "ticker", "type": "update", "data": [empty]})
    assert "without orders" in exchange.quarantine[0].reason


def test_candle_opens_at_its_beginning() -> None:
    row = {
        "symbol": SYMBOL,
        "interval": 1,
        "interval_begin": "2023-10-04T16:25:00.000000000Z",
        "open": 2,
        "high": 4,
        "low": 1,
        "close": 3,
        "volume": 5,
    }
    batch = told(adapter(), {"channel": "ohlc", "type": "update", "data": [row]})
    assert rows(batch) == [
        (EventKind.CANDLE, 0, 30, 500_000_000, 10, 20, 40, EventFlag.LAST),
    ]
    assert batch.events["time"][0] == 1_696_436_700 * 10**9


@pytest.mark.parametrize(
    ("system", "status"),
    [
        ("online", InstrumentStatus.TRADING),
        ("maintenance", InstrumentStatus.HALTED),
        ("cancel_only", InstrumentStatus.CANCEL_ONLY),
        ("post_only", InstrumentStatus.POST_ONLY),
        ("on fire", InstrumentStatus.UNKNOWN),
    ],
)
def test_state_of_the_venue_is_a_status_of_every_instrument(
    system: str, status: InstrumentStatus
) -> None:
    exchange = adapter(BITCOIN, ETHER)
    message = {"channel": "status", "type": "update", "data": [{"system": system}]}
    events = told(exchange, message).events
    assert events["kind"].tolist() == [EventKind.STATUS] * 2
    assert events["instrument"].tolist() == [0, 1]
    assert events["aux"].tolist() == [status_code(status)] * 2


def pair_row(**fields: object) -> dict[str, object]:
    return {
        "symbol": SYMBOL,
        "base": "BTC",
        "quote": "USD",
        "status": "online",
        "price_precision": 1,
        "qty_precision": 8,
        "price_increment": 0.1,
        "qty_increment": 1e-8,
        "qty_min": 0.0001,
        "cost_min": 0.5,
    } | fields


def instrument_message(*rows_: object) -> dict[str, object]:
    return {"channel": "instrument", "type": "update", "data": {"assets": [], "pairs": [*rows_]}}


def test_changed_pair_changes_the_instrument_and_tells_of_its_status() -> None:
    exchange = adapter()
    batch = told(exchange, instrument_message(pair_row(status="cancel_only")))
    assert batch.events["aux"].tolist() == [status_code(InstrumentStatus.CANCEL_ONLY)]
    (known,) = exchange.instruments
    assert (known.version, known.min_size) == (2, 10_000)
    assert told(exchange, instrument_message(pair_row(status="cancel_only"))).count == 0


def test_pair_that_cannot_be_read_is_told_of_and_left_out() -> None:
    exchange = KrakenExchange(KrakenSettings(symbols=(SYMBOL,)))
    bad = pair_row(symbol="BAD/USD", price_increment=0)
    told(exchange, instrument_message(bad, 7, pair_row()))
    assert [item.symbol for item in exchange.instruments] == [SYMBOL]
    assert [name for name, _ in exchange.refused_listings] == ["BAD/USD", "None"]


@pytest.mark.parametrize(
    "message",
    [
        b"[]",
        b'{"channel":7}',
        b'{"channel":"level3","type":"update","data":[]}',
        b'{"channel":"book","type":"odd","data":[]}',
        b'{"channel":"book","type":"update","data":[]}',
        b'{"channel":"status","type":"update","data":[]}',
        b'{"channel":"instrument","type":"update","data":[]}',
        b'{"channel":"instrument","type":"update","data":{"pairs":7}}',
        trade_text(side='"maker"').encode(),
        trade_text(trade_id="1.5").encode(),
        trade_text(trade_id="9223372036854775808").encode(),
        book_text(checksum=1 << 32).encode(),
    ],
)
def test_wrong_message_is_quarantined(message: bytes) -> None:
    exchange = adapter()
    assert told(exchange, message).count == 0
    assert exchange.quarantined == 1


def test_subscriptions_name_symbols_depth_and_interval() -> None:
    exchange = adapter(
        symbols=(SYMBOL,), channels=("book", "trade", "ticker", "ohlc"), depth=25, candle_minutes=5
    )
    sent = [json.loads(each.body)["params"] for each in exchange.opened("public", NOW)]
    assert sent == [
        {"channel": "instrument"},
        {"channel": "book", "symbol": [SYMBOL], "depth": 25},
        {"channel": "trade", "symbol": [SYMBOL], "snapshot": False},
        {"channel": "ticker", "symbol": [SYMBOL], "event_trigger": "bbo"},
        {"channel": "ohlc", "symbol": [SYMBOL], "interval": 5},
    ]
    (public,) = exchange.connections()
    assert (public.url, public.silence) == ("wss://ws.kraken.com/v2", 10 * 10**9)


def test_derivatives_use_the_unified_socket_and_name_their_class() -> None:
    exchange = KrakenExchange(KrakenSettings(market="derivatives", symbols=("PF_XBTUSD",)))
    (public,) = exchange.connections()
    assert public.url == "wss://uws.kraken.com/v2/public"
    assert {json.loads(each.body)["params"]["asset_class"] for each in exchange.connect()} == {
        "derivatives"
    }


def test_acknowledged_depth_is_that_of_the_books(recordings: Path) -> None:
    exchange, batch = adapter(ETHER), EventBatch()
    books = Books(exchange.table)
    for data, received in frames(recordings / "kraken/v2_book25_btcusd_20260802.cbcap.gz"):
        exchange.decode_into(data, received, batch, books)
        if len(books) > 1 and books[1].counters["updates"] > 50:
            break
    assert exchange.instruments[1].depth == 25
    assert books[1].state is BookState.LIVE


def test_resync_leaves_and_enters_one_books_channel() -> None:
    exchange = adapter(BITCOIN, ETHER)
    sent = [json.loads(each.body) for each in exchange.resync(InstrumentId(1))]
    params = {"channel": "book", "symbol": ["ETH/USD"], "depth": 10}
    assert sent == [
        {"method": "unsubscribe", "params": params},
        {"method": "subscribe", "params": params},
    ]


def test_lost_public_socket_is_a_gap_of_each_book() -> None:
    exchange, batch = adapter(BITCOIN, ETHER), EventBatch()
    assert exchange.closed("public", NOW, batch) == 2
    assert batch.events["kind"].tolist() == [EventKind.GAP] * 2
    assert exchange.closed("private", NOW, batch) == 0
    assert KrakenExchange(KrakenSettings()).closed("public", NOW, batch) == 0


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        KrakenExchange(
            KrakenSettings(
                market="moon",
                symbols=("A", "A"),
                channels=("gossip",),
                depth=7,
                candle_minutes=2,
                tier="none",
                deadline_ms=1,
                dead_man_switch=3,
            )
        )
    for name in ("market", "symbols", "channels", "depth", "candle_minutes", "tier"):
        assert name in str(caught.value)
    assert "deadline_ms" in str(caught.value)
    assert "dead_man_switch" in str(caught.value)
