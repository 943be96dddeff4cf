"""Decoding into books does what decoding and then applying do."""

from itertools import islice
from pathlib import Path

import pytest
from tests.plugins.exchange_binance.adapters import RECEIVED, adapter
from tests.plugins.exchange_binance.binance_messages import compact, depth, quote, snapshot, trade

from bot4_core.domain_types.records import BookState
from bot4_core.errors import PrecisionGrew
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.market.recordings import open_messages
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

RECORDED = 12_000


class Market:
    """An adapter, its books and the latest message's events."""

    def __init__(self, exchange: BinanceExchange, room: int = 4) -> None:
        self.exchange = exchange
        self.books = Books(exchange.table)
        self.batch = EventBatch(room)

    def take(self, data: bytes) -> int:
        """Decode and apply in one step."""
        self.batch.clear()
        return self.exchange.decode_into(data, RECEIVED, self.batch, self.books)

    def take_in_steps(self, data: bytes) -> int:
        """Decode, then apply."""
        self.batch.clear()
        made = self.exchange.decode(data, RECEIVED, self.batch)
        if len(self.exchange.table) > len(self.books):
            self.books.extend(self.exchange.table)
        self.books.apply(self.batch.events)
        return made

    def seen(self) -> tuple[bytes, bytes, list[str]]:
        """Return the events and all that is known of the books."""
        rows = self.books.rows
        return self.batch.events.tobytes(), rows.tobytes(), [book.digest() for book in self.books]


def levels(count: int, first: int) -> list[list[str]]:
    return [[f"{first + n}.10", "1.5"] for n in range(count)]


@pytest.mark.compiled("thousands of messages")
def test_recorded_messages_make_the_same_books(recordings: Path) -> None:
    file = open_messages(recordings / "binance/usdm_btcusdt_20240808.gz")
    blocks = (block.message(n) for block in file.blocks() for n in range(len(block)))
    one, two = adapter(), adapter()
    together, apart = Market(one), Market(two)
    for number, data in enumerate(islice(blocks, RECORDED)):
        assert together.take(data) == apart.take_in_steps(data)
        if number % 997 == 0:
            assert together.seen() == apart.seen()
    assert together.seen() == apart.seen()
    assert together.books[0].state is BookState.LIVE


def test_a_new_instrument_gets_a_book() -> None:
    market = Market(BinanceExchange(BinanceSettings(market="usdm")))
    assert market.take(compact(quote())) == 1
    assert int(market.books[0].row["quotes"]) == 1


def test_books_made_before_an_instrument_was_known_take_it_in() -> None:
    market = Market(adapter())
    market.take(compact(quote()))
    market.books = Books(market.exchange.table[:0])
    assert market.take(compact(quote())) == 1
    assert int(market.books[0].row["quotes"]) == 1


def test_books_and_batch_grow_with_a_message() -> None:
    market = Market(adapter())
    market.take(compact(snapshot(lastUpdateId=100)))
    data = compact(depth(U=90, u=110, pu=89, b=levels(900, 1_000), a=levels(900, 70_000)))
    assert market.take(data) == 1801
    assert market.take(compact(depth(U=111, u=112, pu=110, b=levels(2000, 3_000), a=[]))) == 2001
    assert market.books[0].level_counts[0] >= 2900
    assert market.books[0].state is BookState.LIVE


def test_books_and_batch_with_room_take_a_message_at_once() -> None:
    together, apart = Market(adapter(), 64), Market(adapter(), 64)
    for data in (compact(snapshot()), compact(quote()), compact(trade())):
        assert together.take(data) == apart.take_in_steps(data)
        assert together.seen() == apart.seen()


def test_a_wrong_message_changes_nothing() -> None:
    market = Market(adapter())
    market.take(compact(snapshot()))
    before = market.books.rows.tobytes()
    assert market.take(b'{"e":"depthUpdate"}') == 0
    assert market.books.rows.tobytes() == before
    assert market.exchange.quarantined == 1


def test_finer_numbers_ask_for_a_new_start() -> None:
    market = Market(adapter(from_data=True))
    with pytest.raises(PrecisionGrew):
        market.take(compact(trade(p="61800.300001")))
    assert int(market.books[0].row["trades"]) == 0
