"""What each frame of market data becomes, how frames are numbered, what is sent."""

import json

import pytest
from tests.plugins.exchange_coinbase.coinbase_world import (
    BITCOIN,
    ETHER,
    NOW,
    SYMBOL,
    adapter,
    book,
    compact,
    frame,
    level,
    product,
    rows,
    told,
    trade,
    trades,
)

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import ConfigError
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_coinbase.adapter import CoinbaseExchange
from bot4_plugins.exchange_coinbase.market_data import MOST_REPEATS
from bot4_plugins.exchange_coinbase.settings import CoinbaseSettings

NO_IDS = (-1, -1, -1)


def test_book_update_gives_a_record_a_level() -> None:
    assert rows(told(adapter(), book())) == [
        (EventKind.BOOK_SET, Side.BUY, 6_506_250, 583_000, *NO_IDS, 0),
        (EventKind.BOOK_SET, Side.SELL, 6_508_367, 0, *NO_IDS, 0),
        (EventKind.BOOK_END, 0, 0, 2, *NO_IDS, EventFlag.LAST),
    ]


def test_book_snapshot_clears_first() -> None:
    found = rows(told(adapter(), book(kind="snapshot")))
    assert [row[0] for row in found] == [1, 2, 2, 3]
    assert found[-1][-1] == EventFlag.SNAPSHOT | EventFlag.LAST


def test_side_of_a_trade_is_the_takers_and_the_oldest_comes_first() -> None:
    message = trades(trade(trade_id="3", side="SELL"), trade(trade_id="2", side="BUY"))
    assert rows(told(adapter(), message)) == [
        (EventKind.TRADE, Side.SELL, 6_508_367, 1_034_361, 2, -1, -1, 0),
        (EventKind.TRADE, Side.BUY, 6_508_367, 1_034_361, 3, -1, -1, EventFlag.LAST),
    ]


def test_trades_from_before_the_subscription_are_left_out() -> None:
    exchange = adapter()
    assert told(exchange, trades(kind="snapshot")).count == 0
    assert exchange.quarantined == 0


def test_ticker_is_a_quote_and_an_empty_side_is_none() -> None:
    ticker = {
        "product_id": SYMBOL,
        "best_bid": "100.5",
        "best_bid_quantity": "2",
        "best_ask": "",
        "best_ask_quantity": "",
    }
    message = frame("ticker", [{"type": "update", "tickers": [ticker]}])
    assert rows(told(adapter(), message)) == [
        (EventKind.QUOTE, 0, 10_050, 200_000_000, -1, 0, 0, EventFlag.LAST)
    ]


def candle(**fields: object) -> dict[str, object]:
    return {
        "product_id": SYMBOL,
        "start": "1786309500",
        "high": "4",
        "low": "1",
        "open": "2",
        "close": "3",
        "volume": "5",
    } | fields


def test_candle_opens_at_its_start() -> None:
    message = frame("candles", [{"type": "update", "candles": [candle()]}])
    batch = told(adapter(), message)
    assert rows(batch) == [(EventKind.CANDLE, 0, 300, 500_000_000, 100, 200, 400, EventFlag.LAST)]
    assert batch.events["time"][0] == 1_786_309_500 * 10**9


@pytest.mark.parametrize("channel", ["heartbeats", "subscriptions"])
def test_quiet_frames_count(channel: str) -> None:
    exchange = adapter()
    assert told(exchange, frame(channel, [{}], 4)).count == 0
    assert (exchange.next_frame, exchange.quarantined) == (5, 0)


@pytest.mark.parametrize(
    "message",
    [
        b"[]",
        b'{"type":"error","message":"rate limited"}',
        compact(frame("weather", [])),
        compact(frame("l2_data", [], -1)),
        book(level("ask")),
        book(kind="odd"),
        trades(trade(side="MAYBE")),
        trades(trade(size="0")),
        compact(frame("candles", [{"candles": [candle(start="soon")]}])),
        compact({"products": 7}),
    ],
)
def test_wrong_frame_is_quarantined(message: bytes) -> None:
    exchange = adapter()
    assert told(exchange, message).count == 0
    assert exchange.quarantined == 1


def test_missing_frame_makes_every_book_of_the_socket_suspect() -> None:
    exchange = adapter(BITCOIN, ETHER)
    told(exchange, book(number=0))
    batch = told(exchange, book(number=2))
    gaps = batch.events[batch.events["kind"] == EventKind.GAP]
    assert gaps["instrument"].tolist() == [0, 1]
    assert (gaps["sequence"][0], gaps["aux"][0]) == (2, 1)
    assert batch.count == 5
    assert exchange.next_frame == 3


def test_gap_stays_within_its_socket() -> None:
    exchange = adapter(BITCOIN, ETHER, symbols=("BTC-USD", "ETH-USD"), symbols_per_socket=1)
    for name in ("market-0", "market-1"):
        exchange.began(name)
        told(exchange, book(symbol="BTC-USD" if name == "market-0" else "ETH-USD"))
    exchange.source = "market-0"
    assert exchange.next_frame == 1
    batch = told(exchange, book(number=5))
    gaps = batch.events[batch.events["kind"] == EventKind.GAP]
    assert gaps["instrument"].tolist() == [0]
    exchange.source = "market-1"
    assert exchange.next_frame == 1


def test_first_frame_of_a_fresh_socket_is_number_nought() -> None:
    exchange = adapter()
    exchange.began("market-0")
    assert told(exchange, book(number=1)).events["kind"][0] == EventKind.GAP


def test_old_frame_changes_nothing_and_a_restart_is_a_gap() -> None:
    exchange = adapter()
    for number in (0, 1, 2):
        told(exchange, book(number=number))
    assert told(exchange, book(number=1)).count == 0
    assert (exchange.repeated, exchange.next_frame) == (1, 3)
    assert told(exchange, book(number=0)).events["kind"][0] == EventKind.GAP
    assert exchange.next_frame == 1


def test_long_run_of_old_frames_means_that_numbers_began_again() -> None:
    exchange = adapter()
    told(exchange, book(number=10_000))
    kinds = [told(exchange, book(number=5 + at)).count for at in range(MOST_REPEATS + 1)]
    assert kinds == [0] * MOST_REPEATS + [4]
    assert exchange.next_frame == 5 + MOST_REPEATS + 1


def test_refused_frame_of_a_book_is_a_missing_one() -> None:
    exchange = adapter()
    told(exchange, book(number=0))
    told(exchange, book(level(price="1.005"), number=1))
    assert (exchange.quarantined, exchange.next_frame) == (1, 1)
    assert told(exchange, book(number=2)).events["kind"][0] == EventKind.GAP
    told(exchange, trades(trade(side="MAYBE"), number=3))
    assert exchange.next_frame == 4


@pytest.mark.parametrize("known", [True, False])
def test_data_of_a_dollar_product_is_that_of_its_coin_product(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    coin = product("BTC-USDC")
    settings = CoinbaseSettings(symbols=("BTC-USDC",))
    exchange = CoinbaseExchange(settings, (coin,) if known else ())
    careful = []
    original = exchange.decode_carefully

    def counted(data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        careful.append(data)
        return original(data, received, batch)

    monkeypatch.setattr(exchange, "decode_carefully", counted)
    for number in range(3):
        told(exchange, book(number=number))
    assert [item.symbol for item in exchange.instruments] == ["BTC-USDC"]
    assert len(careful) == (0 if known else 1)


def test_subscriptions_begin_with_heartbeats_on_every_socket() -> None:
    exchange = adapter(
        symbols=("A-USD", "B-USD", "C-USD"), channels=("level2", "ticker"), symbols_per_socket=2
    )
    asked, *sent = exchange.connect()
    assert asked.path.endswith(
        "product_type=SPOT&product_ids=A-USD&product_ids=B-USD&product_ids=C-USD"
    )
    assert [(each.connection, json.loads(each.body)) for each in sent] == [
        ("market-0", {"type": "subscribe", "channel": "heartbeats"}),
        (
            "market-0",
            {"type": "subscribe", "product_ids": ["A-USD", "B-USD"], "channel": "level2"},
        ),
        (
            "market-0",
            {"type": "subscribe", "product_ids": ["A-USD", "B-USD"], "channel": "ticker"},
        ),
        ("market-1", {"type": "subscribe", "channel": "heartbeats"}),
        ("market-1", {"type": "subscribe", "product_ids": ["C-USD"], "channel": "level2"}),
        ("market-1", {"type": "subscribe", "product_ids": ["C-USD"], "channel": "ticker"}),
    ]
    assert [each.name for each in exchange.connections()] == ["market-0", "market-1", "rest"]
    assert exchange.connections()[0].largest >= 16 << 20
    assert len(exchange.opened("market-1", NOW)) == 3
    assert len(CoinbaseExchange(CoinbaseSettings()).connect()) == 2


def test_resync_leaves_and_enters_one_books_channel() -> None:
    exchange = adapter(BITCOIN, ETHER, symbols=("BTC-USD", "ETH-USD"), symbols_per_socket=1)
    sent = exchange.resync(InstrumentId(1))
    assert [each.connection for each in sent] == ["market-1"] * 2
    assert [json.loads(each.body)["type"] for each in sent] == ["unsubscribe", "subscribe"]


def test_lost_socket_is_a_gap_of_its_books() -> None:
    exchange = adapter(BITCOIN, ETHER, symbols=("BTC-USD", "ETH-USD"), symbols_per_socket=1)
    batch = EventBatch()
    assert exchange.closed("market-1", NOW, batch) == 1
    assert batch.events["instrument"].tolist() == [1]
    assert exchange.closed("user", NOW, batch) == 0
    assert CoinbaseExchange(CoinbaseSettings()).closed("market-0", NOW, batch) == 0


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        CoinbaseExchange(
            CoinbaseSettings(
                market="moon",
                symbols=("A", "A"),
                channels=("gossip",),
                symbols_per_socket=0,
                margin_type="NONE",
            )
        )
    for name in ("market", "symbols", "channels", "symbols_per_socket", "margin_type"):
        assert name in str(caught.value)
