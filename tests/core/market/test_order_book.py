"""The typed front of order books."""

import pickle
from decimal import Decimal
from hashlib import blake2b

import numpy as np
import pytest
from tests.reference.book_records import Level, book_message, records, table

from bot4_core.domain_types.records import BookState, ChainRule, EventKind, Side
from bot4_core.errors import BookStateError, ValidationError
from bot4_core.market import book_memory
from bot4_core.market.book_memory import LEAST_WORDS, BookMemory
from bot4_core.market.order_book import Books, OrderBook

BOOK: list[Level] = [
    (Side.BUY, 6_180_020, 2909),
    (Side.BUY, 6_180_010, 696),
    (Side.SELL, 6_180_030, 2510),
    (Side.SELL, 6_190_000, 1),
]


def live() -> OrderBook:
    books = Books(table(ChainRule.LINK))
    books.apply(book_message(BOOK, last=7, snapshot=True, time=1_723_161_256))
    return books[0]


def test_live_book_shows_its_best_levels_exactly() -> None:
    book = live()
    bid, ask = book.best_bid(), book.best_ask()
    assert bid is not None
    assert ask is not None
    assert (bid.price.decimal, bid.size.decimal) == (Decimal("61800.20"), Decimal("2.909"))
    assert (ask.price.decimal, ask.size.decimal) == (Decimal("61800.30"), Decimal("2.510"))
    assert book.level_counts == (2, 2)


def test_records_of_any_layout_in_memory_are_read_right() -> None:
    message = book_message(BOOK, last=7, snapshot=True)
    spread = np.repeat(message, 2)[::2]
    renamed = message.view(np.dtype(message.dtype.descr))
    for records_given in (spread, renamed):
        books = Books(table(ChainRule.LINK))
        assert books.apply(records_given) == message.size
        assert books[0].level_counts == (2, 2)
        assert books[0].size_at(Side.SELL, 6_190_000) == 1


def test_empty_side_has_no_best_level() -> None:
    books = Books(table(ChainRule.STEP))
    books.apply(book_message([], last=7, snapshot=True))
    assert (books[0].best_bid(), books[0].best_ask()) == (None, None)
    assert books[0].levels() == ((), ())


def test_book_that_is_not_live_must_be_asked_for_by_name() -> None:
    book = Books(table(ChainRule.LINK))[0]
    for read in (book.best_bid, book.best_ask, book.levels, book.snapshot):
        with pytest.raises(BookStateError, match=r"is SYNCING, not LIVE.*allow_stale") as caught:
            read()
        assert (caught.value.instrument, caught.value.state) == (0, "SYNCING")
    assert book.best_bid(allow_stale=True) is None
    assert book.snapshot(allow_stale=True).state is BookState.SYNCING


def test_state_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(BookStateError(3, "STALE")))  # noqa: S301 - our own bytes
    assert (error.instrument, error.state) == (3, "STALE")


def test_snapshot_is_a_frozen_value_of_the_asked_depth() -> None:
    book = live()
    whole, best = book.snapshot(), book.snapshot(1)
    assert (whole.sequence, whole.state, whole.instrument) == (7, BookState.LIVE, 0)
    assert [level.price.value for level in whole.bids] == [6_180_020, 6_180_010]
    assert [level.price.value for level in whole.asks] == [6_180_030, 6_190_000]
    assert (best.bids, best.asks) == (whole.bids[:1], whole.asks[:1])


def test_levels_can_be_read_one_by_one_and_by_size() -> None:
    book = live()
    assert book.size_at(Side.BUY, 6_180_010) == 696
    assert book.size_at(Side.SELL, 6_180_010) == 0
    assert book.depth_cost(Side.BUY, 3000) == (6_180_020.0 * 2909 + 6_180_010.0 * 91, 3000)
    assert book.depth_cost(Side.SELL, 10**6)[1] == 2511


def test_digest_depends_on_the_numbers_and_not_on_their_scale() -> None:
    coarse = live()
    books = Books(table(ChainRule.LINK, exponents=(-5, -4)))
    scaled: list[Level] = [(side, price * 1000, size * 10) for side, price, size in BOOK]
    books.apply(book_message(scaled, last=99, snapshot=True))
    assert books[0].digest() == coarse.digest()
    text = b"BUY 618002e-1 2909e-3\nBUY 618001e-1 696e-3\nSELL 618003e-1 251e-2\nSELL 619e2 1e-3\n"
    assert coarse.digest() == blake2b(text, digest_size=16).hexdigest()
    books.apply(book_message([(Side.BUY, 5, 5)], last=100, first=99))
    assert books[0].digest() != coarse.digest()


def test_invalidated_book_is_stale_and_wants_a_snapshot_once() -> None:
    book = live()
    books = book._books
    assert not book.needs_snapshot
    books.invalidate(0)
    books.invalidate(0)
    assert (book.state, book.needs_snapshot, book.counters["wanted"]) == (
        BookState.STALE,
        True,
        2,
    )
    assert book.counters["gaps"] == 0
    books.apply(book_message(BOOK, last=8, snapshot=True))
    assert (book.state, book.counters["resyncs"]) == (BookState.LIVE, 1)


def test_record_of_an_instrument_without_a_row_is_refused() -> None:
    books = Books(table(ChainRule.LINK))
    good = book_message(BOOK, last=7, snapshot=True)
    foreign = records([{"kind": EventKind.TRADE, "instrument": 3}])
    with pytest.raises(ValidationError, match=r"records\[6\].instrument: instrument 3 is not in"):
        books.apply(np.concatenate([good, foreign]))
    assert books[0].state is BookState.LIVE


def test_table_may_grow_while_books_keep_their_state() -> None:
    books = live()._books
    books.extend(table(ChainRule.LINK, ChainRule.STEP, tick=10))
    assert len(books) == 2
    assert [book.state for book in books] == [BookState.LIVE, BookState.SYNCING]
    assert books[0].level_counts == (2, 2)
    books.apply(book_message(BOOK, last=7, snapshot=True, instrument=1))
    assert books[1].digest() == books[0].digest()


@pytest.mark.parametrize("number", [-1, 1])
def test_book_of_an_unknown_instrument_is_an_index_error(number: int) -> None:
    with pytest.raises(IndexError, match=f"instrument {number} of 1"):
        live()._books[number]


def test_read_only_records_are_applied() -> None:
    rows = book_message(BOOK, last=7, snapshot=True)
    rows.setflags(write=False)
    books = Books(table(ChainRule.LINK))
    assert books.apply(rows) == rows.size
    assert books[0].digest() == live().digest()


def test_kinds_are_counted_over_all_instruments() -> None:
    books = live()._books
    books.apply(records([{"kind": EventKind.MARK}]))
    assert books.kinds() == {
        EventKind.BOOK_CLEAR: 1,
        EventKind.BOOK_SET: 4,
        EventKind.BOOK_END: 1,
        EventKind.MARK: 1,
    }


def test_book_shows_itself_in_text_and_in_notebooks() -> None:
    book = live()
    text = "<OrderBook 0 LIVE bid 2.909@61800.20 ask 2.510@61800.30 levels (2, 2)>"
    assert repr(book) == text
    html = book._repr_html_()
    assert html.startswith("<table><caption>&lt;OrderBook 0 LIVE")
    shown = html.partition("</caption>")[2]
    assert shown.index("61900.00") < shown.index("61800.30") < shown.index("61800.20")
    assert repr(Books(table(ChainRule.LINK))[0]).endswith("bid none ask none levels (0, 0)>")


def test_memory_doubles_and_keeps_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_memory, "FIRST_WORDS", LEAST_WORDS)
    books = Books(table(*[ChainRule.STEP] * 40))
    before = books.memory.words.size
    books.memory.take(before - 400_000)
    for i in range(40):
        levels: list[Level] = [(Side.BUY, 10**6 - 1000 * k, 1 + i) for k in range(1500)]
        books.apply(book_message(levels, last=7, snapshot=True, instrument=i))
    assert books.memory.words.size > before
    for i, book in enumerate(books):
        prices, sizes = book.scaled_levels(Side.BUY)
        assert prices.tolist() == [10**6 - 1000 * k for k in range(1500)]
        assert set(sizes.tolist()) == {1 + i}


def test_memory_hands_out_again_what_was_outgrown_as_if_it_were_new() -> None:
    memory = BookMemory()
    start = memory.take(100)
    memory.words[start : start + 100] = 7
    memory.give_back(start, 100)
    other = memory.take(101)
    assert other >= start + 100
    assert memory.take(100) == start
    assert not memory.words[start : start + 100].any()
    assert memory.take(100) > other


def test_memory_begins_small_where_there_is_not_much(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = np.zeros

    def scarce(count: int, dtype: type) -> object:
        if count > LEAST_WORDS:
            raise MemoryError
        return plain(count, dtype)

    monkeypatch.setattr(np, "zeros", scarce)
    assert BookMemory().words.size == LEAST_WORDS
