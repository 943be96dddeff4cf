"""Books: the recorded session with its checksums, today's chain, snapshots that do not come."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from tests.plugins.exchange_okx.okx_messages import (
    RECEIVED,
    SYMBOL,
    adapter,
    book,
    compact,
    decoded,
    outcome,
)

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.records import BookState, EventFlag
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.market.recordings import Channel, open_messages
from bot4_core.plugins.connections import Outbound, Reply
from bot4_core.session.replay import replay
from bot4_plugins.exchange_okx.adapter import OkxExchange, OkxSettings

NAME = "okx/v5_books_20220513.jsonl.gz"
SECOND = 1_000_000_000
LIVE, STALE = BookState.LIVE, BookState.STALE


@pytest.mark.compiled("a whole recording")
@pytest.mark.parametrize("market", ["spot", "swap", "futures"])
def test_recording_replays_to_live_books(recordings: Path, market: str) -> None:
    report = replay(
        [recordings / NAME],
        lambda known: OkxExchange(OkxSettings(market=market), known),
        lambda: 0,
    )
    assert (report.messages, report.quarantined) == (410, 0)
    assert set(report.instruments) == {"BTC-USDT", "UNI-USD-SWAP", "BTC-USD-220527"}
    for found in report.instruments.values():
        assert (found.state, found.gaps, found.resyncs, found.crossed) == ("LIVE", 0, 0, 0)
        assert not found.exponents_from_data


def messages(folder: Path) -> Iterator[tuple[bytes, Nanoseconds]]:
    """Give the session's metadata, then its pushed messages."""
    file = open_messages(folder / NAME)
    for block in file.blocks():
        for number in range(len(block)):
            yield block.message(number), Nanoseconds(int(block.received[number]))


def test_decoders_agree_on_the_recording(recordings: Path) -> None:
    fast, slow = (OkxExchange(OkxSettings(market="spot")) for _ in range(2))
    for data, _ in messages(recordings):
        assert outcome(fast, data, slowly=False) == outcome(slow, data, slowly=True)
    assert fast.quarantined == 0


def test_every_checksum_of_the_recording_is_right(recordings: Path) -> None:
    exchange, batch = OkxExchange(OkxSettings(market="spot")), EventBatch()
    books = Books(exchange.table)
    checked = 0
    for data, received in messages(recordings):
        batch.clear()
        exchange.decode_into(data, received, batch, books)
        checked += int((batch.events["flags"] & EventFlag.PAIRS_CHECKED != 0).sum())
    assert checked == 290
    assert books.rows["mismatched"].tolist() == [0, 0, 0]
    assert set(books.rows["state"].tolist()) == {LIVE}


@pytest.fixture(scope="module")
def bitcoin(recordings: Path) -> list[tuple[bytes, Nanoseconds]]:
    """Return snapshot and updates of one book of 2022."""
    topic = b'"channel":"books","instId":"BTC-USDT"},"action"'
    return list(islice((each for each in messages(recordings) if topic in each[0]), 40))


def played(sequence: list[tuple[bytes, Nanoseconds]], recordings: Path) -> list[int]:
    """Return the book's state after each message."""
    exchange = OkxExchange(OkxSettings(market="spot", symbols=("BTC-USDT",)))
    file = open_messages(recordings / NAME)
    block = next(iter(file.blocks()))
    number = next(
        at
        for at in range(len(block))
        if file.origins[int(block.origins[at])].channel is Channel.RESPONSE
    )
    exchange.decode(block.message(number), RECEIVED, EventBatch())
    books, batch, states = Books(exchange.table), EventBatch(), []
    for data, received in sequence:
        batch.clear()
        exchange.decode_into(data, received, batch, books)
        states.append(int(books.rows[0]["state"]))
    assert exchange.quarantined == 0
    return states


@pytest.mark.parametrize("at", [1, 5, 20, 37])
def test_checksums_find_a_lost_update(
    bitcoin: list[tuple[bytes, Nanoseconds]], recordings: Path, at: int
) -> None:
    states = played(bitcoin[:at] + bitcoin[at + 1 :], recordings)
    assert set(states[:at]) == {LIVE}
    assert states[-1] == STALE


def test_checksum_that_is_wrong_makes_the_book_stale(
    bitcoin: list[tuple[bytes, Nanoseconds]], recordings: Path
) -> None:
    content = json.loads(bitcoin[3][0])
    content["data"][0]["checksum"] += 1
    spoiled = [*bitcoin[:3], (compact(content), RECEIVED)]
    assert played(spoiled, recordings) == [LIVE, LIVE, LIVE, STALE]


def chain(count: int) -> list[bytes]:
    """Return a snapshot and updates that each continue it; the ids leave numbers out."""
    start = book("snapshot", asks=[["65116.8", "1", "0", "1"]], bids=[["65095.3", "1", "0", "1"]])
    frames = [compact(start)]
    last = 101
    for number in range(count):
        level = [f"{65_000 + number}.0", str(number + 1), "0", "1"]
        update = book(asks=[], bids=[level], prevSeqId=last, seqId=last + 7)
        last += 7
        frames.append(compact(update))
    return frames


def states_of(frames: list[bytes]) -> list[int]:
    exchange, batch, states = adapter(), EventBatch(), []
    books = Books(exchange.table)
    for data in frames:
        batch.clear()
        exchange.decode_into(data, RECEIVED, batch, books)
        states.append(int(books.rows[0]["state"]))
    assert exchange.quarantined == 0
    return states


POSITIONS = (1, 2, 5, 8)


@pytest.mark.parametrize("at", POSITIONS)
def test_lost_update_is_found_at_the_next(at: int) -> None:
    frames = chain(10)
    states = states_of(frames[:at] + frames[at + 1 :])
    assert set(states[:at]) == {LIVE}
    assert set(states[at:]) == {STALE}


@pytest.mark.parametrize("at", POSITIONS)
def test_repeated_update_changes_nothing(at: int) -> None:
    frames = chain(10)
    assert set(states_of(frames[: at + 1] + frames[at:])) == {LIVE}


@pytest.mark.parametrize("at", POSITIONS)
def test_swapped_updates_are_found(at: int) -> None:
    frames = chain(10)
    assert states_of([*frames[:at], frames[at + 1], frames[at]])[at] == STALE


def test_confirmation_without_changes_keeps_the_book_live() -> None:
    frames = chain(2)
    silent = compact(book(asks=[], bids=[], prevSeqId=115, seqId=115))
    following = compact(book(asks=[], prevSeqId=115, seqId=120, bids=[["65001", "2", "0", "1"]]))
    assert set(states_of([*frames, silent, silent, following])) == {LIVE}


def test_ids_may_fall_once_after_a_maintenance() -> None:
    reset = compact(book(asks=[], bids=[], prevSeqId=115, seqId=3))
    following = compact(book(asks=[], prevSeqId=3, seqId=5, bids=[["65001", "2", "0", "1"]]))
    assert set(states_of([*chain(2), reset, following])) == {LIVE}


def test_checksum_of_zero_says_nothing() -> None:
    flags = decoded(adapter(), book("snapshot")).events["flags"]
    assert flags[-1] == EventFlag.SNAPSHOT | EventFlag.LAST


def test_books_of_five_levels_are_each_whole() -> None:
    content = book("snapshot", channel="books5", prevSeqId=None)
    del content["action"]
    assert decoded(adapter(book="books5"), content).events["flags"][0] == EventFlag.SNAPSHOT


def snapshot_reply(sequence: int) -> Reply:
    item = {
        "asks": [["65116.8", "9", "0", "1"]],
        "bids": [["65095.3", "9", "0", "1"]],
        "ts": "1786310818130",
        "seqId": sequence,
    }
    body = compact({"code": "0", "msg": "", "data": [item]})
    return Reply(status=200, body=body, received=RECEIVED)


def follower() -> OkxExchange:
    """Return an adapter whose book was just subscribed."""
    exchange = adapter(symbols=(SYMBOL,))
    exchange.opened("public", Nanoseconds(10 * SECOND))
    return exchange


def test_snapshot_that_does_not_come_is_asked_for_and_bridged() -> None:
    exchange, batch = follower(), EventBatch()
    books = Books(exchange.table)
    assert exchange.due(Nanoseconds(14 * SECOND)) == []
    (request,) = exchange.due(Nanoseconds(15 * SECOND))
    assert request.path == f"/api/v5/market/books?instId={SYMBOL}&sz=400"
    assert exchange.due(Nanoseconds(16 * SECOND)) == []
    for frame in chain(4)[1:]:  # updates 101 -> 108 -> 115 -> 122 -> 129
        exchange.decode_into(frame, RECEIVED, batch, books)
    assert books.rows[0]["state"] == BookState.SYNCING
    batch.clear()
    exchange.decode_reply(request, snapshot_reply(110), batch)
    books.apply(batch.records, 0, batch.count)
    assert books.rows[0]["state"] == LIVE
    assert books.rows[0]["last"] == 129
    assert exchange.due(Nanoseconds(29 * SECOND)) == []


@pytest.mark.parametrize("slowly", [False, True])
def test_snapshot_that_came_is_not_asked_for(slowly: bool) -> None:
    exchange, batch = follower(), EventBatch()
    decode = exchange.decode_carefully if slowly else exchange.decode
    assert decode(compact(book("snapshot")), RECEIVED, batch) > 0
    exchange.decode(compact(book(channel="books", asks=[])), RECEIVED, batch)
    assert exchange.due(Nanoseconds(20 * SECOND)) == []


def test_snapshot_seen_before_an_instrument_came_stays_seen() -> None:
    exchange, batch = follower(), EventBatch()
    exchange.decode(compact(book("snapshot")), RECEIVED, batch)
    other = book("snapshot")
    other["arg"]["instId"] = "ETH-USDT-SWAP"
    exchange.decode(compact(other), RECEIVED, batch)
    assert len(exchange.instruments) == 2
    assert exchange.due(Nanoseconds(20 * SECOND)) == []


def test_late_reply_does_not_replace_a_book_that_is_live_meanwhile() -> None:
    exchange, batch = follower(), EventBatch()
    (request,) = exchange.due(Nanoseconds(15 * SECOND))
    exchange.decode(compact(book("snapshot")), RECEIVED, batch)
    batch.clear()
    assert exchange.decode_reply(request, snapshot_reply(90), batch) == 0


def test_resync_subscribes_anew_and_falls_back_to_a_request() -> None:
    exchange, batch = follower(), EventBatch()
    exchange.decode(compact(book("snapshot")), RECEIVED, batch)
    frames = [json.loads(each.body) for each in exchange.resync(InstrumentId(0))]
    assert [frame["op"] for frame in frames] == ["unsubscribe", "subscribe"]
    assert frames[1]["args"] == [{"channel": "books", "instId": SYMBOL}]
    assert exchange.due(Nanoseconds(20 * SECOND)) == []
    (request,) = exchange.due(Nanoseconds(25 * SECOND))
    assert isinstance(request, Outbound)
    unknown = OkxExchange(OkxSettings(market="swap", symbols=(SYMBOL,)))
    unknown.decode(compact(book("snapshot")), RECEIVED, batch)
    assert len(unknown.resync(InstrumentId(0))) == 2
