"""The recorded session: every book LIVE without a gap, and every injected fault found at once."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from tests.plugins.exchange_bybit.bybit_messages import book, compact, outcome

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.records import BookState
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.market.recordings import open_messages
from bot4_core.session.replay import replay
from bot4_plugins.exchange_bybit.adapter import BybitExchange, BybitSettings

NAME = "bybit/v5_linear_spot_20260809.jsonl.gz"
BOOKS = {"linear": 4, "spot": 2}
MESSAGES = {"linear": 2546, "spot": 681}
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")


def messages(folder: Path, market: str) -> Iterator[tuple[str, bytes, Nanoseconds]]:
    """Give the messages of one market: where each came from, its bytes, and when it came."""
    exchange = BybitExchange(BybitSettings(market=market))
    file = open_messages(folder / NAME)
    for block in file.blocks():
        for number in range(len(block)):
            url = file.origins[int(block.origins[number])].url
            if exchange.concerns(url):
                yield url, block.message(number), Nanoseconds(int(block.received[number]))


@pytest.mark.compiled("a whole recording")
@pytest.mark.parametrize("market", BOOKS)
def test_recording_replays_to_live_books(recordings: Path, market: str) -> None:
    report = replay(
        [recordings / NAME],
        lambda known: BybitExchange(BybitSettings(market=market), known),
        lambda: 0,
    )
    assert (report.messages, report.quarantined) == (MESSAGES[market], 0)
    assert len(report.instruments) == BOOKS[market]
    for found in report.instruments.values():
        assert (found.state, found.gaps, found.resyncs, found.crossed) == ("LIVE", 0, 0, 0)
        assert not found.exponents_from_data
        if market == "linear":
            assert found.best_bid == found.last_quote_bid is not None
            assert found.best_ask == found.last_quote_ask is not None


@pytest.mark.parametrize("market", BOOKS)
def test_decoders_agree_on_the_recording(recordings: Path, market: str) -> None:
    fast, slow = (BybitExchange(BybitSettings(market=market)) for _ in range(2))
    for _, data, _ in messages(recordings, market):
        assert outcome(fast, data, slowly=False) == outcome(slow, data, slowly=True)
    assert fast.quarantined == 0


def test_markets_of_one_recording_are_told_apart(recordings: Path) -> None:
    ours = {url for url, _, _ in messages(recordings, "spot")}
    assert all("spot" in url for url in ours)
    assert len(ours) == 2


@pytest.fixture(scope="module")
def bitcoin(recordings: Path) -> list[tuple[bytes, Nanoseconds]]:
    """Return snapshot and deltas of one book."""
    topic = b'"topic":"orderbook.200.BTCUSDT"'
    found = messages(recordings, "linear")
    return list(islice(((data, at) for _, data, at in found if topic in data), 60))


def played(sequence: list[tuple[bytes, Nanoseconds]]) -> tuple[Books, list[int]]:
    """Decode messages and apply them; return the books and the state after each message."""
    exchange = BybitExchange(BybitSettings(market="linear", symbols=SYMBOLS))
    books, batch, states = Books(exchange.table), EventBatch(), []
    for data, received in sequence:
        batch.clear()
        exchange.decode_into(data, received, batch, books)
        states.append(int(books.rows[0]["state"]))
    assert exchange.quarantined == 0
    return books, states


def digest(books: Books) -> str:
    """Return what the first book holds."""
    return books[0].digest()


POSITIONS = (1, 2, 17, 30, 58)


@pytest.mark.parametrize("at", POSITIONS)
def test_lost_message_is_found_at_the_next(
    bitcoin: list[tuple[bytes, Nanoseconds]], at: int
) -> None:
    _, states = played(bitcoin[:at] + bitcoin[at + 1 :])
    assert set(states[:at]) == {BookState.LIVE}
    assert set(states[at:]) == {BookState.STALE}


@pytest.mark.parametrize("at", POSITIONS)
def test_repeated_message_changes_nothing(
    bitcoin: list[tuple[bytes, Nanoseconds]], at: int
) -> None:
    books, states = played(bitcoin[: at + 1] + bitcoin[at:])
    assert set(states) == {BookState.LIVE}
    assert digest(books) == digest(played(bitcoin)[0])


@pytest.mark.parametrize("at", POSITIONS)
def test_swapped_messages_are_found(bitcoin: list[tuple[bytes, Nanoseconds]], at: int) -> None:
    swapped = [*bitcoin[:at], *reversed(bitcoin[at : at + 2]), *bitcoin[at + 2 :]]
    _, states = played(swapped)
    assert states[at] == BookState.STALE


@pytest.mark.parametrize("at", POSITIONS)
def test_book_is_live_again_at_the_snapshot_of_a_new_subscription(
    bitcoin: list[tuple[bytes, Nanoseconds]], at: int
) -> None:
    books, states = played([*bitcoin[:at], *bitcoin[at + 1 :], *bitcoin])
    assert states[-1] == BookState.LIVE
    assert digest(books) == digest(played(bitcoin)[0])


def test_update_id_one_replaces_the_book(bitcoin: list[tuple[bytes, Nanoseconds]]) -> None:
    restart = compact(book(data={"u": 1, "b": [["100.00", "1.000"]], "a": [["101.00", "2.000"]]}))
    follower = compact(book(data={"u": 2, "b": [["100.10", "1.000"]], "a": []}))
    received = Nanoseconds(1)
    books, states = played([*bitcoin, (restart, received), (follower, received)])
    assert states[-1] == BookState.LIVE
    assert (books.rows[0]["bid_levels"], books.rows[0]["ask_levels"]) == (2, 1)


def test_snapshots_of_one_level_are_sent_again_with_the_same_id() -> None:
    exchange = BybitExchange(BybitSettings(market="linear", depth=1))
    books, batch = Books(exchange.table), EventBatch()
    top = {"b": [["100.00", "1.000"]], "a": [["101.00", "2.000"]], "u": 9}
    for _ in range(3):
        message = compact(book("snapshot", data=top, topic="orderbook.1.BTCUSDT"))
        exchange.decode_into(message, Nanoseconds(1), batch, books)
    assert books.rows[0]["state"] == BookState.LIVE
    assert books.rows[0]["gaps"] == 0


def test_resync_leaves_the_stream_and_asks_for_it_again() -> None:
    exchange = BybitExchange(BybitSettings(market="linear", symbols=("BTCUSDT",)))
    exchange.decode(compact(book("snapshot")), Nanoseconds(1), EventBatch())
    frames = [json.loads(each.body) for each in exchange.resync(InstrumentId(0))]
    topic = ["orderbook.200.BTCUSDT"]
    assert frames == [{"op": "unsubscribe", "args": topic}, {"op": "subscribe", "args": topic}]
