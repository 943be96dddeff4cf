"""A small synced book and deltas for it."""

import numpy as np
from numpy.typing import NDArray
from tests.reference.book_records import Level, book_message, table

from bot4_core.domain_types.records import BookState, ChainRule, Side
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
