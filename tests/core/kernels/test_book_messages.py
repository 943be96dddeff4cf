"""What messages do to a book: levels, orphans, crossings, faults, memory."""

import numpy as np
import pytest
from tests.reference.book_invariants import check_ladder
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

from bot4_core.domain_types.records import BookState, ChainRule, EventFlag, EventKind, Side
from bot4_core.kernels.book_messages import LARGEST_WINDOW
from bot4_core.kernels.book_window import BEST, CAPACITY, GRAIN, OUTSIDE, WINDOW
from bot4_core.market.order_book import Books


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
