"""What the venue publishes: book updates, best prices, mark prices, snapshots."""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.jit import kernel
from bot4_plugins.exchange_sim.engine import (
    ASK,
    BID,
    FIRST,
    IS_TOUCHED,
    OCCUPIED,
    QUOTED,
    SHOWN,
    SIZE,
    STAMP,
    TOUCHED,
    UPDATES,
    Engine,
    emit,
    price_of,
)

__all__ = ["publish_book", "publish_mark", "publish_snapshot"]

CLEAR: Final = int(EventKind.BOOK_CLEAR)
SET: Final = int(EventKind.BOOK_SET)
END: Final = int(EventKind.BOOK_END)
QUOTE: Final = int(EventKind.QUOTE)
MARK: Final = int(EventKind.MARK)
INDEX: Final = int(EventKind.INDEX)
FUNDING: Final = int(EventKind.FUNDING)
LAST: Final = int(EventFlag.LAST)
SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
RATE_UNIT: Final = 10**12
MOST_RATE: Final = 5 * 10**8  # 0.05 %
FUNDING_NS: Final = 8 * 3600 * 10**9


@kernel()
def publish_level(engine: Engine, index: int, side: int, size: int, flags: int) -> None:
    """Append the size of one level of a side."""
    at = emit(engine, SET, side, price_of(engine, index), size, flags)
    engine.out[at]["sequence"] = engine.head[UPDATES]


@kernel()
def publish_side(engine: Engine, side: int) -> int:
    """Append what changed on one side since the last update; return how many levels did.

    A level can change sides between two updates, so each side compares what it showed with what
    it has.
    """
    head, levels = engine.head, engine.levels
    count = 0
    for at in range(head[TOUCHED]):
        index = engine.touched[at]
        size = levels[index, SIZE] if (index <= head[BID]) == (side > 0) else 0
        if size != max(side * levels[index, SHOWN], 0):
            publish_level(engine, index, side, size, 0)
            count += 1
    return count


@kernel()
def publish_book(engine: Engine) -> None:
    """Append one update with every level that changed since the last, bids first, and a quote."""
    head, levels = engine.head, engine.levels
    if head[TOUCHED] == 0:
        return
    head[UPDATES] += 1
    count = publish_side(engine, 1) + publish_side(engine, -1)
    for at in range(head[TOUCHED]):
        index = engine.touched[at]
        levels[index, IS_TOUCHED] = 0
        levels[index, SHOWN] = levels[index, SIZE] if index <= head[BID] else -levels[index, SIZE]
    head[TOUCHED] = 0
    if count == 0:
        head[UPDATES] -= 1
        return
    row = emit(engine, END, 0, 0, count, LAST)
    engine.out[row]["sequence"] = head[UPDATES]
    publish_quote(engine)


@kernel()
def publish_quote(engine: Engine) -> None:
    """Append the best prices, if both sides have one and any of it is new."""
    head, levels = engine.head, engine.levels
    bid, ask = head[BID], head[ASK]
    if bid < 0 or ask >= len(levels):
        return
    quote = head[QUOTED : QUOTED + 4]
    bid_size, ask_size = levels[bid, SIZE], levels[ask, SIZE]
    if quote[0] == bid and quote[1] == bid_size and quote[2] == ask and quote[3] == ask_size:
        return
    quote[0], quote[1], quote[2], quote[3] = bid, bid_size, ask, ask_size
    row = emit(engine, QUOTE, 0, price_of(engine, bid), bid_size, LAST)
    engine.out[row]["sequence"] = head[UPDATES]
    engine.out[row]["aux"] = price_of(engine, ask)
    engine.out[row]["link"] = ask_size


@kernel()
def publish_mark(engine: Engine, fair: int) -> None:
    """Append mark price (between book and index), index and the funding rate they imply."""
    head = engine.head
    index = price_of(engine, fair)
    mark = index
    if head[BID] >= 0 and head[ASK] < len(engine.levels):
        middle = (price_of(engine, head[BID]) + price_of(engine, head[ASK])) // 2
        mark = (middle + index) // 2
    rate = (mark - index) * (RATE_UNIT // index) if index > 0 else 0
    emit(engine, MARK, 0, mark, 0, 0)
    emit(engine, INDEX, 0, index, 0, 0)
    row = emit(engine, FUNDING, 0, min(max(rate, -MOST_RATE), MOST_RATE), 0, LAST)
    engine.out[row]["aux"] = (head[STAMP] // FUNDING_NS + 1) * FUNDING_NS


@kernel()
def publish_snapshot(engine: Engine) -> None:
    """Append the book whole, best levels first, as of the last update.

    The caller has published what was pending, and has room for every level.
    """
    head, levels = engine.head, engine.levels
    row = emit(engine, CLEAR, 0, 0, 0, SNAPSHOT)
    engine.out[row]["sequence"] = head[UPDATES]
    count = 0
    for side in (1, -1):
        index = head[BID] if side > 0 else head[ASK]
        while 0 <= index < len(levels) and count < head[OCCUPIED]:
            if levels[index, FIRST] >= 0 and (index <= head[BID]) == (side > 0):
                publish_level(engine, index, side, levels[index, SIZE], SNAPSHOT)
                count += 1
            index -= side
    row = emit(engine, END, 0, 0, count, SNAPSHOT | LAST)
    engine.out[row]["sequence"] = head[UPDATES]
