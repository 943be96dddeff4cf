"""The rule by which each venue proves that nothing is missing, message by message."""

import pytest
from tests.reference.book_records import Level, book_message, records, table
from tests.reference.book_scenes import (
    BID,
    BOOK,
    LINK,
    LIVE,
    NONE,
    RANGE,
    STALE,
    STEP,
    SYNCING,
    after,
    delta,
    synced,
)

from bot4_core.domain_types.records import BookState, ChainRule, EventKind, Side
from bot4_core.kernels.book_messages import LARGEST_PENDING
from bot4_core.kernels.book_sync import MOST_REPEATS
from bot4_core.market.order_book import Books


@pytest.mark.parametrize(
    ("rule", "ids", "state", "duplicates"),
    [
        (RANGE, (90, 100, -1), LIVE, 1),
        (RANGE, (90, 101, -1), LIVE, 0),
        (RANGE, (101, 105, -1), LIVE, 0),
        (RANGE, (102, 105, -1), STALE, 0),
        (RANGE, (105, 102, -1), STALE, 0),
        (RANGE, (-1, 102, -1), STALE, 0),
        (RANGE, (100, 99, -1), STALE, 0),
        (LINK, (90, 99, 80), LIVE, 1),
        (LINK, (90, 100, 80), LIVE, 0),
        (LINK, (90, 105, 80), LIVE, 0),
        (LINK, (100, 105, 80), LIVE, 0),
        (LINK, (101, 105, 100), LIVE, 0),
        (LINK, (103, 105, 100), STALE, 0),
        (LINK, (101, 105, 99), STALE, 0),
        (LINK, (-1, 105, 100), LIVE, 0),
        (LINK, (-1, 105, 95), LIVE, 0),
        (LINK, (-1, 100, 95), LIVE, 1),
        (LINK, (-1, 100, 100), LIVE, 0),
        (LINK, (-1, 20, 100), LIVE, 0),
        (LINK, (-1, 105, 101), STALE, 0),
        (STEP, (-1, 101, -1), LIVE, 0),
        (STEP, (-1, 100, -1), LIVE, 1),
        (STEP, (-1, 102, -1), STALE, 0),
        (NONE, (-1, -1, -1), LIVE, 0),
    ],
)
def test_first_delta_after_a_snapshot_at_100(
    rule: ChainRule, ids: tuple[int, int, int], state: BookState, duplicates: int
) -> None:
    book = after(synced(rule), delta(*ids))
    assert book.state is state
    assert book.counters["duplicates"] == duplicates
    assert book.counters["gaps"] == (state is STALE)
    applied = state is LIVE and not duplicates
    assert book.size_at(Side.BUY, 985) == (1 if applied else 0)
    assert book.sequence == (ids[1] if applied else 100)


@pytest.mark.parametrize(
    ("rule", "before", "ids", "state", "duplicates"),
    [
        (RANGE, (101, 110, -1), (111, 120, -1), LIVE, 0),
        (RANGE, (101, 110, -1), (112, 120, -1), STALE, 0),
        (RANGE, (101, 110, -1), (101, 110, -1), LIVE, 1),
        (RANGE, (101, 110, -1), (95, 100, -1), LIVE, 1),
        (RANGE, (101, 110, -1), (105, 110, -1), STALE, 0),
        (RANGE, (101, 110, -1), (105, 120, -1), STALE, 0),
        (RANGE, (101, 110, -1), (111, 105, -1), STALE, 0),
        (LINK, (99, 110, 90), (115, 120, 110), LIVE, 0),
        (LINK, (99, 110, 90), (111, 120, 109), STALE, 0),
        (LINK, (99, 110, 90), (99, 110, 90), LIVE, 1),
        (LINK, (99, 110, 90), (80, 90, 70), LIVE, 1),
        (LINK, (99, 110, 90), (99, 110, 95), STALE, 0),
        (LINK, (-1, 110, 100), (-1, 110, 110), LIVE, 0),
        (LINK, (-1, 110, 100), (-1, 30, 110), LIVE, 0),
        (STEP, (-1, 101, -1), (-1, 102, -1), LIVE, 0),
        (STEP, (-1, 101, -1), (-1, 101, -1), LIVE, 1),
        (STEP, (-1, 101, -1), (-1, 103, -1), STALE, 0),
    ],
)
def test_delta_after_a_bridged_snapshot_at_100(
    rule: ChainRule,
    before: tuple[int, int, int],
    ids: tuple[int, int, int],
    state: BookState,
    duplicates: int,
) -> None:
    book = after(synced(rule), delta(*before, levels=[]), delta(*ids))
    assert book.state is state
    assert book.counters["duplicates"] == duplicates
    assert book.size_at(Side.BUY, 985) == (1 if state is LIVE and not duplicates else 0)


def test_heartbeats_change_nothing() -> None:
    books = synced(LINK)
    before = books[0].digest()
    book = after(books, *[delta(-1, 100, 100, [])] * 5, delta(-1, 107, 100))
    assert (book.state, book.sequence, book.counters["duplicates"]) == (LIVE, 107, 0)
    assert book.digest() != before


def test_endless_duplicates_mean_that_ids_were_restarted() -> None:
    books = synced(STEP)
    old = delta(-1, 50)
    assert after(books, *[old] * MOST_REPEATS).state is LIVE
    assert after(books, old).state is STALE
    assert books[0].counters["gaps"] == 1


def test_id_one_is_a_new_book_where_ids_step() -> None:
    book = after(synced(STEP), delta(-1, 1, levels=[(Side.SELL, 2000, 3)]))
    assert (book.state, book.sequence, book.level_counts) == (LIVE, 1, (0, 1))
    assert book.counters["snapshots"] == 2


def test_id_one_continues_a_snapshot_at_zero() -> None:
    book = after(synced(STEP, last=0), delta(-1, 1))
    assert (book.level_counts, book.counters["snapshots"]) == ((3, 1), 1)


@pytest.mark.parametrize("rule", [STEP, NONE])
def test_any_snapshot_replaces_a_book_that_is_sent_in_band(rule: ChainRule) -> None:
    book = after(synced(rule), book_message(BID, last=7, snapshot=True))
    assert (book.state, book.sequence, book.level_counts) == (LIVE, 7, (1, 0))


@pytest.mark.parametrize("rule", [RANGE, LINK])
def test_snapshot_older_than_a_live_book_is_ignored(rule: ChainRule) -> None:
    books = synced(rule)
    after(books, delta(90, 110, 80))
    book = after(books, book_message(BID, last=105, snapshot=True))
    assert (book.sequence, book.counters["outdated"]) == (110, 1)
    book = after(books, book_message(BID, last=120, snapshot=True))
    assert (book.sequence, book.level_counts) == (120, (1, 0))


def test_snapshot_may_step_back_where_deltas_send_no_first_id() -> None:
    books = synced(LINK)
    after(books, delta(-1, 110, 100))
    book = after(books, book_message(BID, last=5, snapshot=True), delta(-1, 9, 5))
    assert (book.state, book.sequence) == (LIVE, 9)


def test_snapshot_older_than_the_kept_deltas_is_refused_until_a_newer_one_comes() -> None:
    books = Books(table(RANGE))
    after(books, delta(111, 120), delta(121, 130))
    book = after(books, book_message(BOOK, last=100, snapshot=True))
    assert (book.state, book.needs_snapshot) == (SYNCING, True)
    assert (book.counters["refused"], book.counters["wanted"]) == (1, 2)
    book = after(books, book_message(BOOK, last=115, snapshot=True))
    assert (book.state, book.sequence, book.size_at(Side.BUY, 985)) == (LIVE, 130, 1)
    assert book.counters["resyncs"] == 0


def test_refused_snapshot_counts_after_all_when_the_next_delta_continues_it() -> None:
    books = Books(table(STEP))
    after(books, delta(-1, 9001))
    assert after(books, book_message(BOOK, last=5, snapshot=True)).state is SYNCING
    book = after(books, delta(-1, 6), delta(-1, 7))
    assert (book.state, book.sequence, book.counters["gaps"]) == (LIVE, 7, 0)


def test_hole_in_the_kept_deltas_is_a_gap() -> None:
    books = Books(table(RANGE))
    after(books, delta(95, 105), delta(107, 110))
    book = after(books, book_message(BOOK, last=100, snapshot=True))
    assert (book.state, book.sequence, book.counters["gaps"]) == (STALE, 105, 1)
    book = after(books, book_message(BOOK, last=98, snapshot=True))
    assert (book.state, book.sequence, book.counters["gaps"]) == (STALE, 105, 2)
    book = after(books, book_message(BOOK, last=108, snapshot=True))
    assert (book.state, book.sequence, book.counters["resyncs"]) == (LIVE, 110, 0)


def test_kept_deltas_are_ordered_by_their_ids() -> None:
    books = Books(table(RANGE))
    after(books, delta(111, 120), delta(121, 130), delta(95, 110))
    book = after(books, book_message(BOOK, last=100, snapshot=True))
    assert (book.state, book.sequence) == (LIVE, 130)


def test_resync_after_a_gap_uses_the_delta_that_revealed_it() -> None:
    books = synced(LINK)
    after(books, delta(90, 105, 80), delta(120, 130, 119), delta(131, 140, 130))
    assert books[0].state is STALE
    book = after(books, book_message(BOOK, last=125, snapshot=True))
    assert (book.state, book.sequence, book.counters["resyncs"]) == (LIVE, 140, 1)
    assert book.counters["wanted"] == 2


def test_deltas_kept_without_end_are_bounded_and_the_newest_win() -> None:
    books = Books(table(RANGE))
    many: list[Level] = [(Side.BUY, 900 + i % 50, 1) for i in range(2000)]
    for i in range(60):
        after(books, delta(100 + i, 100 + i, levels=many))
    row = books[0].row
    assert row["pending_used"] <= row["pending_size"] == LARGEST_PENDING
    assert books[0].counters["dropped"] == 44, "half of the room is kept at each overflow"
    assert after(books, book_message(BOOK, last=100, snapshot=True)).state is SYNCING
    book = after(books, book_message(BOOK, last=150, snapshot=True))
    assert (book.state, book.sequence) == (LIVE, 159)


def test_delta_larger_than_all_that_may_be_kept_is_dropped() -> None:
    books = Books(table(RANGE))
    huge: list[Level] = [(Side.BUY, i + 1, 1) for i in range(LARGEST_PENDING // 3)]
    after(books, delta(95, 105, levels=huge))
    assert books[0].counters["dropped"] == 1


def test_gap_seen_by_the_adapter_makes_the_book_stale() -> None:
    books = synced(NONE)
    book = after(books, records([{"kind": EventKind.GAP}]), records([{"kind": EventKind.GAP}]))
    assert (book.state, book.counters["gaps"], book.counters["wanted"]) == (STALE, 2, 2)
    book = after(books, delta(-1, -1))
    assert book.counters["dropped"] == 1, "without ids nothing can be kept"
