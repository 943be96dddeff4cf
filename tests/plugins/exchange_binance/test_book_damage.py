"""Recorded books with a message lost, doubled or in the wrong place: it shows, or changes nothing.

After the damage a book is either not LIVE, or equal to the undamaged one at the same update.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.domain_types.records import BookState
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books, OrderBook
from bot4_core.market.recordings import open_messages
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

MARKETS = {
    "spot": ("spot_btcusdt_20240808.gz", "BTCUSDT"),
    "usdm": ("usdm_btcusdt_20240808.gz", "BTCUSDT"),
    "coinm": ("cm_btcusd_perp_20240808.gz", "BTCUSD_PERP"),
}
KEPT = 60  # depth messages after the snapshot
PLACES = range(2, KEPT - 2, 9)


@cache
def depth_messages(path: Path) -> tuple[bytes, ...]:
    """Return the snapshot and the depth messages around it."""
    found: list[bytes] = []
    after = 0
    for block in open_messages(path).blocks():
        for number in range(len(block)):
            message = block.message(number)
            snapshot = message.startswith(b'{"lastUpdateId"')
            if snapshot or b'"e":"depthUpdate"' in message[:120]:
                found.append(message)
                after += snapshot or after > 0
            if after > KEPT:
                return tuple(found)
    raise AssertionError(f"{path} is shorter than that")


def played(market: str, messages: Sequence[bytes]) -> Iterator[OrderBook]:
    """Yield the book as it is after each message."""
    _, symbol = MARKETS[market]
    exchange = BinanceExchange(BinanceSettings(market=market, symbols=(symbol,)))
    exchange.subject = Symbol(symbol)
    books, batch = Books(exchange.table), EventBatch()
    for number, message in enumerate(messages):
        batch.clear()
        exchange.decode_response(f"/depth?symbol={symbol}", message, Nanoseconds(number), batch)
        if len(exchange.table) > len(books):
            books.extend(exchange.table)
        books.apply(batch.events)
        yield books[0]
    assert exchange.quarantined == 0


@cache
def digests(market: str, messages: tuple[bytes, ...]) -> list[str]:
    """Return the digest of the undamaged book after each message; it ends LIVE."""
    found = [(book.digest(), book.state) for book in played(market, messages)]
    assert found[-1][1] == BookState.LIVE.value
    return [digest for digest, _ in found]


def damaged(messages: Sequence[bytes], at: int, how: str) -> tuple[list[bytes], int]:
    """Return the messages with one lost, doubled or swapped, and where that can first be seen."""
    changed = [*messages]
    if how == "lost":
        del changed[at]
        return changed, at
    if how == "doubled":
        changed.insert(at, changed[at])
        return changed, at + 1
    changed[at], changed[at + 1] = changed[at + 1], changed[at]
    return changed, at + 1


@pytest.mark.compiled("a thousand replays of books")
@pytest.mark.parametrize("how", ["lost", "doubled", "swapped"])
@pytest.mark.parametrize("market", MARKETS)
def test_damaged_recording_is_noticed_or_harmless(market: str, how: str, recordings: Path) -> None:
    messages = depth_messages(recordings / "binance" / MARKETS[market][0])
    begin = next(at for at, each in enumerate(messages) if each.startswith(b'{"last'))
    plain = digests(market, messages)
    noticed = 0
    for place in PLACES:
        changed, seen = damaged(messages, begin + place, how)
        *_, book = played(market, changed[: seen + 1])
        if book.state != BookState.LIVE.value:
            noticed += 1
            continue
        assert book.digest() in plain[begin : seen + 2]
        assert how != "lost"
    assert noticed == 0 if how == "doubled" else noticed == len(PLACES)
