"""Books of whole recordings, and what is lost, repeated or swapped in them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.plugins.exchange_kraken.kraken_world import SYMBOL, adapter, frames

from bot4_core.domain_types.records import BookState, EventKind
from bot4_core.jit import is_compiling
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_plugins.exchange_kraken.adapter import KrakenExchange
from bot4_plugins.exchange_kraken.settings import KrakenSettings

LIVE, STALE = BookState.LIVE, BookState.STALE
BOOKS = (
    ("v2_book10_btcusd_20260719.json.gz", 10, 1254, 1),
    ("v2_book10_btcusd_resync_20260801.cbcap.gz", 10, 301, 5),
    ("v2_book25_btcusd_20260802.cbcap.gz", 25, 2052, 1),
)


def follower(depth: int) -> KrakenExchange:
    return KrakenExchange(KrakenSettings(symbols=(SYMBOL,), depth=depth))


@pytest.mark.parametrize(("name", "depth", "checked", "snapshots"), BOOKS)
def test_every_checksum_of_a_recording_is_right(
    name: str, depth: int, checked: int, snapshots: int, recordings: Path
) -> None:
    exchange, slow = follower(depth), follower(depth)
    batch, twin = EventBatch(), EventBatch()
    books = Books(exchange.table)
    for data, received in frames(recordings / "kraken" / name):
        first = batch.count
        exchange.decode_into(data, received, batch, books)
        slow.decode_carefully(data, received, twin)
        if batch.count > first and len(books):
            assert books[0].state is LIVE
    assert batch.events.tobytes() == twin.events.tobytes()
    counters = books[0].counters
    assert (counters["updates"], counters["snapshots"]) == (checked, snapshots)
    assert (counters["mismatched"], counters["gaps"], counters["crossed"]) == (0, 0, 0)
    assert counters["orphans"] == 0
    assert (exchange.quarantined, slow.quarantined) == (0, 0)
    ends = batch.events[batch.events["kind"] == EventKind.BOOK_END]
    assert len(ends) == checked


def test_recorded_trades_are_consecutive_and_compiled(recordings: Path) -> None:
    exchange, batch = adapter(), EventBatch()
    for data, received in frames(recordings / "kraken/v2_trade_btcusd_20260914.jsonl"):
        exchange.decode(data, received, batch)
    trades = batch.events[batch.events["kind"] == EventKind.TRADE]
    assert len(trades) == 42
    assert set(np.diff(trades["sequence"])) == {1}


def messages(recordings: Path, name: str = BOOKS[0][0], most: int = 400) -> list[NDArray[np.void]]:
    """Return the records of each book message."""
    exchange, found = follower(10), []
    for data, received in frames(recordings / "kraken" / name):
        batch = EventBatch()
        if exchange.decode(data, received, batch):
            found.append(batch.events.copy())
        if len(found) == most:
            break
    return found


def play(table: NDArray[np.void], rows: Sequence[NDArray[np.void]]) -> tuple[Books, int]:
    """Apply messages until the book is not LIVE; return the place it stopped at."""
    books = Books(table)
    for place, row in enumerate(rows):
        books.apply(row)
        if books[0].state is not LIVE:
            return books, place
    return books, len(rows)


def test_lost_repeated_and_swapped_updates_are_seen_at_once_or_change_nothing(
    recordings: Path,
) -> None:
    found = messages(recordings)
    table = adapter().table
    step = 7 if is_compiling() else 101
    seen = 0
    for at in range(1, len(found) - 3, step):
        faults = (
            [*found[:at], *found[at + 1 : at + 3]],
            [*found[: at + 1], found[at], *found[at + 1 : at + 3]],
            [*found[:at], found[at + 1], found[at], *found[at + 2 : at + 3]],
        )
        for rows in faults:
            books, stopped = play(table, rows)
            if stopped < len(rows):
                assert at <= stopped <= at + 2
                assert books[0].state is STALE
                seen += 1
            else:
                right, _ = play(table, found[: at + 3])
                assert books[0].digest() == right[0].digest()
    assert seen > (30 if is_compiling() else 2)


def test_every_changed_digit_of_the_best_levels_is_found(recordings: Path) -> None:
    rows = messages(recordings, most=30)
    for at in range(0, 30, 5):
        spoiled = [row.copy() for row in rows]
        level = np.flatnonzero(spoiled[at]["kind"] == EventKind.BOOK_SET)[0]
        spoiled[at]["size"][level] += 1
        table = adapter().table
        _, stopped = play(table, spoiled)
        assert stopped <= at + 3


def test_book_is_live_again_after_a_resync(recordings: Path) -> None:
    rows = messages(recordings, BOOKS[1][0])
    table = adapter().table
    snapshots = [at for at, row in enumerate(rows) if row["kind"][0] == EventKind.BOOK_CLEAR]
    books, _ = play(table, [*rows[: snapshots[1] - 3], *rows[snapshots[1] - 2 : snapshots[1]]])
    for row in rows[snapshots[1] :]:
        books.apply(row)
    assert books[0].state is LIVE
