"""Checksums of the best levels: against zlib, the venue's own example, and books that differ."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.reference.book_records import Level, book_message, table
from tests.reference.book_scenes import LINK, LIVE, STALE, after
from tests.reference.book_twin import digits_checksum as slow_digits
from tests.reference.book_twin import pairs_checksum as slow_pairs

from bot4_core.domain_types.records import ChainRule, EventFlag, Side
from bot4_core.kernels.book_checksum import digits_checksum, pairs_checksum
from bot4_core.market.order_book import Books

CHECKSUM = ChainRule.CHECKSUM
EXAMPLE_ASKS = """45285.2 0.00100000 45286.4 1.54571953 45286.6 1.54571109 45289.6 1.54560911
45290.2 0.15890660 45291.8 1.54553491 45294.7 0.04454749 45296.1 0.35380000 45297.5 0.09945542
45299.5 0.18772827"""
EXAMPLE_BIDS = """45283.5 0.10000000 45283.4 1.54582015 45282.1 0.10000000 45281.0 0.10000000
45280.3 1.54592586 45279.0 0.07990000 45277.6 0.03310103 45277.5 0.30000000 45277.3 1.54602737
45276.6 0.15445238"""
"""Kraken's documentation of its book channel; the checksum was computed again."""


def example_levels() -> list[Level]:
    found: list[Level] = []
    for side, text in ((Side.SELL, EXAMPLE_ASKS), (Side.BUY, EXAMPLE_BIDS)):
        digits = [int(word.replace(".", "")) for word in text.split()]
        found += [(side, *pair) for pair in zip(digits[::2], digits[1::2], strict=True)]
    return found


def checked(
    message: NDArray[np.void], checksum: int, flag: EventFlag = EventFlag.DIGITS_CHECKED
) -> NDArray[np.void]:
    message[-1]["price"] = checksum
    message[-1]["flags"] |= flag
    return message


def book_of(levels: list[Level], exponents: tuple[int, int] = (-2, -3)) -> Books:
    books = Books(table(ChainRule.NONE, exponents=exponents))
    books.apply(book_message(levels, last=1, snapshot=True))
    return books


def test_checksum_of_the_venues_example() -> None:
    books = book_of(example_levels())
    assert digits_checksum(books.rows[0], books.memory.words) == 3310070434


NUMBERS = st.one_of(
    st.integers(1, 100),
    st.integers(0, 18).map(lambda power: 10**power),
    st.integers(1, 2**62),
)
SIDES = st.dictionaries(st.integers(1, 10**6), NUMBERS, max_size=30)
FAR = st.sampled_from([1, 1, 7, 10**6, 10**12])
EXPONENTS = st.tuples(st.integers(-10, 0), st.integers(-18, 0))


@example(bids={}, asks={}, scale=1, exponents=(0, 0))
@example(bids={1: 12345678901234567}, asks={1: 10**16}, scale=1, exponents=(-2, -3))
@example(bids={10**6 + 1: 5}, asks={}, scale=1, exponents=(-2, -3))
@given(bids=SIDES, asks=SIDES, scale=FAR, exponents=EXPONENTS)
def test_checksums_are_those_of_the_written_texts(
    bids: dict[int, int], asks: dict[int, int], scale: int, exponents: tuple[int, int]
) -> None:
    middle = 10**6 * scale
    levels: list[Level] = [(Side.BUY, middle - (p - 1) * scale, s) for p, s in bids.items()]
    levels += [(Side.SELL, middle + p * scale, s) for p, s in asks.items()]
    books = book_of(levels, exponents)
    row, words = books.rows[0], books.memory.words
    buys, sells = (
        [(int(p), int(s)) for p, s in zip(*books[0].scaled_levels(side), strict=True)]
        for side in (Side.BUY, Side.SELL)
    )
    assert digits_checksum(row, words) == slow_digits(buys, sells)
    assert pairs_checksum(row, words) == slow_pairs(buys, sells, exponents)


def test_exponents_above_zero_write_zeros() -> None:
    levels: list[Level] = [(Side.BUY, 3, 12), (Side.SELL, 4, 5)]
    books = book_of(levels, (2, 0))
    found = pairs_checksum(books.rows[0], books.memory.words)
    assert found == slow_pairs([(300, 12)], [(400, 5)], (0, 0))


def test_right_checksum_keeps_the_book_live_and_a_wrong_one_makes_it_stale() -> None:
    levels = example_levels()
    books = Books(table(CHECKSUM, depth=10, exponents=(-1, -8)))
    book = after(books, checked(book_message(levels, last=-1, snapshot=True), 3310070434))
    assert book.state is LIVE
    change: list[Level] = [(Side.BUY, 452835, 7)]
    sides = book.scaled_levels(Side.BUY), book.scaled_levels(Side.SELL)
    sides[0][1][0] = 7
    bids, asks = [[(int(p), int(s)) for p, s in zip(*side, strict=True)] for side in sides]
    right = slow_digits(bids, asks)
    book = after(books, checked(book_message(change, last=-1), right))
    assert (book.state, book.counters["mismatched"]) == (LIVE, 0)
    book = after(books, checked(book_message([(Side.BUY, 452835, 8)], last=-1), right))
    assert (book.state, book.counters["mismatched"], book.counters["gaps"]) == (STALE, 1, 1)
    assert book.counters["wanted"] == 2
    book = after(books, checked(book_message(change, last=-1), right))
    assert (book.state, book.counters["dropped"]) == (STALE, 1)
    book = after(books, checked(book_message(levels, last=-1, snapshot=True), 3310070434))
    assert (book.state, book.counters["resyncs"]) == (LIVE, 1)


def test_message_without_a_checksum_is_a_gap_where_nothing_else_proves_a_book() -> None:
    book = after(Books(table(CHECKSUM)), book_message(example_levels(), last=-1, snapshot=True))
    assert (book.state, book.counters["mismatched"]) == (STALE, 1)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("wrong", [0, 1])
def test_checksum_is_asked_for_beside_a_chain_of_ids(kept: bool, wrong: int) -> None:
    levels: list[Level] = [(Side.BUY, 990, 5), (Side.SELL, 1010, 4)]
    snapshot = book_message(levels, last=100, snapshot=True)
    right = slow_pairs([(990, 6)], [(1010, 4)], (-2, -3))
    update = book_message([(Side.BUY, 990, 6)], last=103, link=100)
    update = checked(update, right + wrong, EventFlag.PAIRS_CHECKED)
    order = (update, snapshot) if kept else (snapshot, update)
    book = after(Books(table(LINK)), *order)
    assert book.state is (STALE if wrong else LIVE)
