"""The recorded session: numbered frames, two books, and what is lost, repeated or swapped."""

from pathlib import Path

import numpy as np
import pytest
from tests.plugins.exchange_coinbase.coinbase_world import RECORDING, frames

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import BookState, EventKind, Side
from bot4_core.jit import is_compiling
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_plugins.exchange_coinbase.adapter import CoinbaseExchange
from bot4_plugins.exchange_coinbase.settings import CoinbaseSettings

LIVE, STALE = BookState.LIVE, BookState.STALE
Messages = list[tuple[bytes, Nanoseconds]]


def follower() -> CoinbaseExchange:
    return CoinbaseExchange(CoinbaseSettings(symbols=("BTC-USD", "ETH-USD")))


@pytest.fixture(scope="module")
def session(recordings: Path) -> Messages:
    """All messages, the list of products first; uncompiled, of snapshots the best levels."""
    found = list(frames(recordings / RECORDING, replies=True))
    return found if is_compiling() else [(cut(data), received) for data, received in found]


@pytest.fixture(scope="module")
def brief(session: Messages) -> Messages:
    """The same with the snapshots cut to their best levels, so that it is played often."""
    return [(cut(data), received) for data, received in session[:200]]


def is_snapshot(data: bytes) -> bool:
    return b'"snapshot","product_id"' in data[:200]


def cut(data: bytes) -> bytes:
    if not is_snapshot(data):
        return data
    head, tail = data[:4000], data[-150:]
    offers = data.index(b'{"side":"offer"')
    middle = data[offers : offers + 4000]
    return (
        head[: head.rindex(b"},{")]
        + b"},"
        + middle[: middle.rindex(b"},{")]
        + b"}"
        + tail[tail.index(b"]}]}") :]
    )


def play(messages: Messages) -> tuple[CoinbaseExchange, EventBatch, Books]:
    exchange, batch = follower(), EventBatch()
    books = Books(exchange.table)
    for data, received in messages:
        exchange.decode_into(data, received, batch, books)
    return exchange, batch, books


def test_recorded_session_has_no_gap_and_two_live_books(session: Messages) -> None:
    exchange, batch, books = play(session)
    slow, twin = follower(), EventBatch()
    for data, received in session:
        slow.decode_carefully(data, received, twin)
    assert batch.events.tobytes() == twin.events.tobytes()
    assert (exchange.next_frame, slow.next_frame) == (1030, 1030)
    assert (exchange.quarantined, slow.quarantined, exchange.repeated) == (0, 0, 0)
    for book in books:
        assert book.state is LIVE
        assert (book.counters["gaps"], book.counters["crossed"]) == (0, 0)
    if is_compiling():
        assert sum(book.counters["orphans"] for book in books) == 52
        assert max(book.level_counts[0] for book in books) > 18_000


def test_prints_lift_the_ask_and_hit_the_bid(session: Messages) -> None:
    """Of the prints at the best bid or ask, almost all are on the side that the taker took."""
    books = Books(follower().table)
    exchange, batch = follower(), EventBatch()
    right = wrong = 0
    for data, received in session:
        first = batch.count
        exchange.decode_into(data, received, batch, books)
        for event in batch.records[first : batch.count]:
            row = books.rows[int(event["instrument"])]
            if event["kind"] == EventKind.TRADE and row["state"] == LIVE:
                lifted = event["price"] >= row["ask"]
                if lifted or event["price"] <= row["bid"]:
                    expected = Side.BUY if lifted else Side.SELL
                    right += event["side"] == expected
                    wrong += event["side"] != expected
    assert right > 30
    assert wrong < right // 10


def test_all_but_rare_frames_are_compiled(
    session: Messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, batch = follower(), EventBatch()
    careful: list[bytes] = []
    original = exchange.decode_carefully

    def counted(data: bytes, received: Nanoseconds, into: EventBatch) -> int:
        careful.append(data)
        return original(data, received, into)

    monkeypatch.setattr(exchange, "decode_carefully", counted)
    for data, received in session:
        exchange.decode(data, received, batch)
    assert not [each for each in careful if each.startswith(b'{"channel":"l2_data"')]
    updates = [each for each in careful if b'"market_trades"' in each[:30]]
    assert all(b'"type":"snapshot"' in each[:150] for each in updates)


def test_lost_repeated_and_swapped_frames_are_seen_at_once_or_change_nothing(
    brief: Messages,
) -> None:
    snapshots = [at for at, (data, _) in enumerate(brief) if is_snapshot(data)]
    live = snapshots[1]
    step = 23 if is_compiling() else 97
    for at in range(live + 1, len(brief) - 3, step):
        lost = [*brief[:at], brief[at + 1]]
        twice = [*brief[: at + 1], brief[at], brief[at + 1]]
        swapped = [*brief[:at], brief[at + 1], brief[at]]
        _, batch, books = play(lost)
        assert {book.state for book in books} == {STALE}
        assert int(np.sum(batch.events["kind"] == EventKind.GAP)) == 2
        exchange, batch, books = play(twice)
        right = play(brief[: at + 2])
        assert batch.events.tobytes() == right[1].events.tobytes()
        assert exchange.repeated == 1
        exchange, _, books = play(swapped)
        assert {book.state for book in books} == {STALE}
