"""What the paper matcher sees of a book is what the book says."""

from hypothesis import given
from hypothesis import strategies as st
from tests.reference.book_records import book_message, table

from bot4_core.domain_types.records import ChainRule, Side
from bot4_core.kernels.matching_sight import best_price, is_live, next_price, see, size_at
from bot4_core.market.order_book import Books

PRICES = st.one_of(st.integers(900, 1_000), st.integers(1, 900_000))


@given(
    bids=st.dictionaries(PRICES, st.integers(1, 9), max_size=30),
    asks=st.dictionaries(PRICES, st.integers(1, 9), max_size=30),
)
def test_walk_visits_every_level_in_order(bids: dict[int, int], asks: dict[int, int]) -> None:
    books = Books(table(ChainRule.NONE))
    levels = [(Side.BUY, *level) for level in bids.items()]
    levels += [(Side.SELL, 2_000_000 + price, size) for price, size in asks.items()]
    books.apply(book_message(levels, last=1, snapshot=True))
    sight = see(books.rows, books.memory.words)
    assert is_live(sight, 0)
    for side in (Side.BUY, Side.SELL):
        shown = {price: size for each, price, size in levels if each == side}
        walked = {}
        price = best_price(sight, 0, side)
        while price != 0:
            walked[price] = size_at(sight, 0, side, price)
            price = next_price(sight, 0, side, price)
        assert list(walked.items()) == sorted(shown.items(), reverse=side == Side.BUY)
        assert size_at(sight, 0, side, 1_500_000) == 0


def test_book_that_waits_for_a_snapshot_is_not_live() -> None:
    books = Books(table(ChainRule.NONE))
    sight = see(books.rows, books.memory.words)
    assert not is_live(sight, 0)
    assert best_price(sight, 0, Side.BUY) == 0
    assert size_at(sight, 0, Side.BUY, 5) == 0
