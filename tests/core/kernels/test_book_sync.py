"""The rule by which each venue proves that nothing is missing, message by message."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.reference.book_invariants import check_ladder
from tests.reference.book_records import Level, book_message, records, table

from bot4_core.domain_types.records import BookState, ChainRule, EventFlag, EventKind, Side
from bot4_core.kernels.book_messages import LARGEST_PENDING, LARGEST_WINDOW
from bot4_core.kernels.book_sync import MOST_REPEATS
from bot4_core.kernels.book_window import BEST, CAPACITY, GRAIN, OUTSIDE, WINDOW
from bot4_core.market.order_book import Books, OrderBook

BOOK: list[Level] = [(Side.BUY, 990, 5), (Side.BUY, 980, 7), (Side.SELL, 1010, 4)]
BID: list[Level] = [(Side.BUY, 985, 1)]
RANGE, LINK, STEP, NONE = ChainRule.RANGE, ChainRule.LINK, ChainRule.STEP, ChainRule.NONE
LIVE, STALE, SYNCING = BookState.LIVE, BookState.STALE, BookState.SYNCING


def synced(rule: ChainRule, last: int = 100, depth: int = 0, tick: int = 0) -> Books:
    books = Books(table(rule, depth=depth, tick=tick))
    books.apply(book_message(BOOK, last=last, snapshot=True))
    assert books[0].state is LIVE
    return books


def after(books: Books, *messages: NDArray[np.void]) -> OrderBook:
    for message in messages:
        books.apply(message)
    return books[0]


def delta(
    first: int, last: int, link: int = -1, levels: list[Level] | None = None
) -> NDArray[np.void]:
    return book_message(BID if levels is None else levels, first=first, last=last, link=link)


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


def test_crossed_book_waits_for_a_snapshot_and_counts() -> None:
    books = synced(STEP)
    book = after(books, delta(-1, 101, levels=[(Side.BUY, 1010, 1)]), delta(-1, 102))
    assert (book.state, book.sequence, book.counters["crossed"]) == (BookState.CROSSED, 101, 1)
    book = after(books, book_message(BOOK, last=101, snapshot=True))
    assert (book.state, book.sequence, book.counters["resyncs"]) == (LIVE, 102, 1)


def test_book_crossed_only_within_a_message_stays_live() -> None:
    levels: list[Level] = [(Side.BUY, 1010, 1), (Side.SELL, 1010, 0), (Side.SELL, 1020, 1)]
    assert after(synced(STEP), delta(-1, 101, levels=levels)).state is LIVE


def test_crossed_snapshot_is_not_continued() -> None:
    books = Books(table(RANGE))
    after(books, delta(95, 105))
    crossed: list[Level] = [(Side.BUY, 1010, 1), (Side.SELL, 1000, 1)]
    book = after(books, book_message(crossed, last=100, snapshot=True))
    assert (book.state, book.sequence) == (BookState.CROSSED, 100)


@pytest.mark.parametrize(("rule", "state"), [(RANGE, LIVE), (LINK, LIVE), (STEP, STALE)])
def test_orphan_delete_proves_divergence_only_where_venues_send_none(
    rule: ChainRule, state: BookState
) -> None:
    book = after(synced(rule), delta(101, 101, 100, [(Side.BUY, 700, 0)]))
    assert (book.state, book.counters["orphans"]) == (state, 1)


def test_orphan_between_two_ticks_is_counted() -> None:
    book = after(synced(RANGE), delta(101, 101, levels=[(Side.BUY, 701, 0)]))
    assert (book.state, book.counters["orphans"]) == (LIVE, 1)


@pytest.mark.parametrize("snapshot", [True, False])
def test_message_without_its_end_is_not_begun(snapshot: bool) -> None:
    books = synced(STEP)
    message = book_message(BID, last=101, snapshot=snapshot)
    assert books.apply(message[:-1]) == 0
    assert (books[0].sequence, books[0].level_counts) == (100, (2, 1))
    assert books.apply(message) == message.size
    assert books[0].sequence == 101


def test_orphan_beyond_the_subscribed_depth_proves_nothing() -> None:
    books = synced(STEP, depth=2)
    assert after(books, delta(-1, 101, levels=[(Side.BUY, 700, 0)])).state is LIVE
    assert after(books, delta(-1, 102, levels=[(Side.BUY, 985, 0)])).state is STALE


@pytest.mark.parametrize(("rule", "state"), [(RANGE, LIVE), (STEP, STALE)])
def test_orphan_far_outside_the_window_is_judged_alike(rule: ChainRule, state: BookState) -> None:
    book = after(synced(rule), delta(101, 101, levels=[(Side.SELL, 10**9, 0)]))
    assert (book.state, book.counters["orphans"]) == (state, 1)


def test_levels_beyond_the_subscribed_depth_are_trimmed() -> None:
    levels: list[Level] = [(Side.BUY, 995, 1), (Side.BUY, 970, 1), (Side.SELL, 10**9, 1)]
    book = after(synced(STEP, depth=2), delta(-1, 101, levels=levels))
    assert [int(p) for p in book.scaled_levels(Side.BUY)[0]] == [995, 990]
    assert book.level_counts == (2, 2)


def test_gap_seen_by_the_adapter_makes_the_book_stale() -> None:
    books = synced(NONE)
    book = after(books, records([{"kind": EventKind.GAP}]), records([{"kind": EventKind.GAP}]))
    assert (book.state, book.counters["gaps"], book.counters["wanted"]) == (STALE, 2, 2)
    book = after(books, delta(-1, -1))
    assert book.counters["dropped"] == 1, "without ids nothing can be kept"


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    "fault", ["count", "size", "side", "instrument", "kind", "clear", "sequence"]
)
def test_message_whose_records_do_not_fit_is_refused(fault: str, live: bool) -> None:
    books = Books(table(STEP, STEP))
    if live:
        after(books, book_message(BOOK, last=100, snapshot=True))
    message = book_message([*BID, (Side.BUY, 984, 2)], last=101)
    if fault == "count":
        message[-1]["size"] = 7
    elif fault == "size":
        message[1]["size"] = -1
    elif fault == "side":
        message[1]["side"] = 0
    elif fault == "instrument":
        message[1]["instrument"] = 1
    elif fault == "kind":
        message[1]["kind"] = EventKind.TRADE
    elif fault == "clear":
        message[0]["kind"] = EventKind.BOOK_CLEAR
        message[0]["flags"] = EventFlag.SNAPSHOT
    elif live:
        message[-1]["sequence"] = 102
    else:
        return
    assert books.apply(message) == message.size
    book = books[0]
    assert book.counters["malformed"] >= 1
    assert book.state is (STALE if live else SYNCING)
    held = [check_ladder(books.memory.words, int(book.row[field])) for field in ("bids", "asks")]
    assert book.level_counts == (len(held[0]), len(held[1]))
    best = book.best_bid(allow_stale=True)
    assert (best.price.value if best else None) == max(held[0], default=None)


def test_unknown_kinds_are_counted_and_skipped() -> None:
    books = synced(STEP)
    assert books.apply(records([{"kind": 0}, {"kind": 200}, {"kind": EventKind.TIMER}])) == 3
    assert books.kinds()[EventKind.TIMER] == 1


def test_quotes_and_trades_are_remembered() -> None:
    quote = {
        "kind": EventKind.QUOTE, "price": 990, "size": 5, "aux": 1010, "link": 4, "time": 17,
    }  # fmt: skip
    trade = {
        "kind": EventKind.TRADE, "price": 1000, "size": 2, "side": Side.SELL, "time": 18,
    }  # fmt: skip
    books = Books(table(RANGE))
    books.apply(records([quote, trade, trade]))
    row = books[0].row
    shown = [int(row[f"quote_{name}"]) for name in ("time", "bid", "bid_size", "ask", "ask_size")]
    assert shown == [17, 990, 5, 1010, 4]
    shown = [int(row[f"trade_{name}"]) for name in ("time", "price", "size", "side")]
    assert shown == [18, 1000, 2, -1]
    assert (books[0].counters["quotes"], books[0].counters["trades"]) == (1, 2)


def test_grain_is_the_tick_until_a_price_does_not_divide() -> None:
    books = Books(table(STEP, tick=10))
    grain_at = int(books[0].row["bids"]) + GRAIN
    after(books, book_message(BOOK, last=100, snapshot=True))
    assert books.memory.words[grain_at] == 10
    after(books, delta(-1, 101, levels=[(Side.BUY, 975, 0)]))
    assert books.memory.words[grain_at] == 10, "an orphan does not refine the grain"
    books[0].row["state"], books[0].row["last"] = LIVE, 101
    book = after(books, delta(-1, 102, levels=[(Side.BUY, 975, 1)]))
    assert books.memory.words[grain_at] == 5
    assert [int(p) for p in book.scaled_levels(Side.BUY)[0]] == [990, 980, 975]


def test_grain_is_inferred_from_the_first_snapshot() -> None:
    books = Books(table(RANGE, tick=0))
    levels: list[Level] = [(Side.BUY, 61_700_000_000 - i * 1_000_000, 1) for i in range(50)]
    after(books, book_message([], last=90, snapshot=True))
    after(books, book_message(levels, last=100, snapshot=True))
    assert books.memory.words[int(books[0].row["asks"]) + GRAIN] == 1_000_000


def test_busy_overflow_buys_a_larger_window() -> None:
    books = synced(STEP, tick=1)
    at = int(books[0].row["bids"])
    levels: list[Level] = [(Side.BUY, 990 - 10 * i, 1) for i in range(4000)]
    book = after(books, delta(-1, 101, levels=levels))
    for i in range(3):
        book = after(books, delta(-1, 102 + i, levels=levels[3000:]))
    new = int(book.row["bids"])
    assert new != at
    assert books.memory.words[new + WINDOW] > books.memory.words[at + WINDOW]
    assert books.memory.words[new + WINDOW] <= LARGEST_WINDOW
    assert len(check_ladder(books.memory.words, new)) == 4000 + 0


def test_overflow_grows_for_a_message_that_is_larger_than_it() -> None:
    books = synced(STEP, tick=1)
    before = int(books.memory.words[int(books[0].row["asks"]) + CAPACITY])
    levels: list[Level] = [(Side.SELL, 10**6 * (i + 1), 1) for i in range(3 * before)]
    rows = np.concatenate([delta(-1, 101, levels=levels), delta(-1, 102)])
    assert books.apply(rows) == rows.size
    at = int(books[0].row["asks"])
    assert books.memory.words[at + CAPACITY] >= 3 * before
    assert books.memory.words[at + OUTSIDE] == 3 * before
    assert books[0].level_counts == (3, 3 * before + 1)


def test_messages_without_ids_may_follow_each_other_when_room_is_short() -> None:
    books = synced(NONE, tick=1)
    at = int(books[0].row["asks"])
    room = int(books.memory.words[at + CAPACITY]) - 1
    levels: list[Level] = [(Side.SELL, 1010 + i, 1) for i in range(room - 3)]
    after(books, delta(-1, -1, levels=levels))
    short = [delta(-1, -1, levels=[(Side.SELL, 1010 + i, 2)]) for i in range(5)]
    rows = np.concatenate(short)
    assert books.apply(rows) == rows.size
    assert [int(size) for size in books[0].scaled_levels(Side.SELL, 6)[1]] == [2] * 5 + [1]
    long = [delta(-1, -1, levels=levels) for _ in range(3)]
    assert books.apply(np.concatenate(long)) == sum(message.size for message in long)
    assert books[0].state is LIVE


def test_window_follows_a_touch_that_moves_away() -> None:
    books = synced(STEP, tick=1)
    levels: list[Level] = [(Side.SELL, 1010 + 1000 * i, 1) for i in range(100)]
    book = after(books, delta(-1, 101, levels=levels))
    gone: list[Level] = [(side, price, 0) for side, price, _ in levels[:35]]
    book = after(books, delta(-1, 102, levels=gone))
    at = int(book.row["asks"])
    assert len(check_ladder(books.memory.words, at)) == 65
    assert books.memory.words[at + BEST] == books.memory.words[at + WINDOW] >> 3
    best = book.best_ask()
    assert best is not None
    assert best.price.value == 1010 + 35_000
