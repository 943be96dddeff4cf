"""What the venue publishes: book updates, best prices, mark prices, snapshots."""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.jit import kernel
from bot4_plugins.exchange_sim.engine import (
    ASK,
    BID,
    EVENT_AUX,
    EVENT_LINK,
    EVENT_SEQUENCE,
    FIRST,
    IS_TOUCHED,
    LEVEL_COUNT,
    LEVEL_WORDS,
    LEVELS_AT,
    OCCUPIED,
    QUOTED,
    SHOWN,
    SIZE,
    STAMP,
    TOUCHED,
    TOUCHED_AT,
    UPDATES,
    Words,
    emit,
    price_of,
)

__all__ = ["publish_book", "publish_mark", "publish_snapshot"]

LAST: Final = int(EventFlag.LAST) << 16
SNAPSHOT: Final = int(EventFlag.SNAPSHOT) << 16
CLEAR: Final = int(EventKind.BOOK_CLEAR) + SNAPSHOT
SET: Final = int(EventKind.BOOK_SET)
END: Final = int(EventKind.BOOK_END) + LAST
QUOTE: Final = int(EventKind.QUOTE) + LAST
MARK: Final = int(EventKind.MARK)
INDEX_PRICE: Final = int(EventKind.INDEX)
FUNDING: Final = int(EventKind.FUNDING) + LAST
RATE_UNIT: Final = 10**12
MOST_RATE: Final = 5 * 10**8  # 0.05 %
FUNDING_NS: Final = 8 * 3600 * 10**9


@kernel()
def publish_side(words: Words, side: int) -> int:
    """Append what changed on one side since the last update; return how many levels did.

    A level can change sides between two updates, so each side compares what it showed with what
    it has.
    """
    count = 0
    for at in range(words[TOUCHED]):
        index = int(words[words[TOUCHED_AT] + at])
        level = words[LEVELS_AT] + LEVEL_WORDS * index
        size = int(words[level + SIZE]) if (index <= words[BID]) == (side > 0) else 0
        if size != max(side * words[level + SHOWN], 0):
            row = emit(words, SET, side, price_of(words, index), size)
            words[row + EVENT_SEQUENCE] = words[UPDATES] + 1
            count += 1
    return count


@kernel()
def publish_book(words: Words) -> None:
    """Append one update with every level that changed since the last, bids first, and a quote."""
    if words[TOUCHED] == 0:
        return
    count = publish_side(words, 1) + publish_side(words, -1)
    for at in range(words[TOUCHED]):
        index = int(words[words[TOUCHED_AT] + at])
        level = words[LEVELS_AT] + LEVEL_WORDS * index
        words[level + IS_TOUCHED] = 0
        words[level + SHOWN] = words[level + SIZE] * (1 if index <= words[BID] else -1)
    words[TOUCHED] = 0
    if count > 0:
        words[UPDATES] += 1
        words[emit(words, END, 0, 0, count) + EVENT_SEQUENCE] = words[UPDATES]
        publish_quote(words)


@kernel()
def publish_quote(words: Words) -> None:
    """Append the best prices, if both sides have one and any of it is new."""
    bid, ask = words[BID], words[ASK]
    if bid < 0 or ask >= words[LEVEL_COUNT]:
        return
    bid_size = int(words[words[LEVELS_AT] + LEVEL_WORDS * bid + SIZE])
    ask_size = words[words[LEVELS_AT] + LEVEL_WORDS * ask + SIZE]
    same = words[QUOTED] == bid and words[QUOTED + 1] == bid_size
    if same and words[QUOTED + 2] == ask and words[QUOTED + 3] == ask_size:
        return
    words[QUOTED] = bid
    words[QUOTED + 1] = bid_size
    words[QUOTED + 2] = ask
    words[QUOTED + 3] = ask_size
    row = emit(words, QUOTE, 0, price_of(words, bid), bid_size)
    words[row + EVENT_SEQUENCE] = words[UPDATES]
    words[row + EVENT_AUX] = price_of(words, ask)
    words[row + EVENT_LINK] = ask_size


@kernel()
def publish_mark(words: Words, fair: int) -> None:
    """Append mark price (between book and index), index and the funding rate they imply."""
    index = price_of(words, fair)
    mark = index
    if words[BID] >= 0 and words[ASK] < words[LEVEL_COUNT]:
        middle = (price_of(words, words[BID]) + price_of(words, words[ASK])) // 2
        mark = (middle + index) // 2
    rate = (mark - index) * (RATE_UNIT // index)
    emit(words, MARK, 0, mark, 0)
    emit(words, INDEX_PRICE, 0, index, 0)
    row = emit(words, FUNDING, 0, min(max(rate, -MOST_RATE), MOST_RATE), 0)
    words[row + EVENT_AUX] = (words[STAMP] // FUNDING_NS + 1) * FUNDING_NS


@kernel()
def publish_snapshot(words: Words) -> None:
    """Append the book whole, best levels first, as of the last update.

    The caller has published what was pending, and has room for every level.
    """
    words[emit(words, CLEAR, 0, 0, 0) + EVENT_SEQUENCE] = words[UPDATES]
    count = 0
    for side in (1, -1):
        index = words[BID] if side > 0 else words[ASK]
        while 0 <= index < words[LEVEL_COUNT] and count < words[OCCUPIED]:
            level = words[LEVELS_AT] + LEVEL_WORDS * index
            if words[level + FIRST] != 0:
                size = int(words[level + SIZE])
                row = emit(words, SET + SNAPSHOT, side, price_of(words, index), size)
                words[row + EVENT_SEQUENCE] = words[UPDATES]
                count += 1
            index -= side
    words[emit(words, END + SNAPSHOT, 0, 0, count) + EVENT_SEQUENCE] = words[UPDATES]
