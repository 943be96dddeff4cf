"""A price-time matching engine for one instrument, in one array of 64-bit words.

====================== ==========================================================================
words                  content
====================== ==========================================================================
head                   ``HEAD`` words, named by the constants below
levels                 one row a tick: the size resting there, first and last order of its queue
orders                 one row an order; an order is named by the place of its row
live                   for each owner the orders that rest, in no order
touched                indices of levels that changed since the last book update
out                    what happened: event records of eight words, for Python to take
crowd                  state, rates and draws of the simulated crowd (``flow``)
====================== ==========================================================================

One flat array keeps compilation short: every function takes it and a few integers.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventFlag, EventKind, OrderFlag, OrderReason
from bot4_core.jit import kernel
from bot4_core.kernels.matching_state import event_rows, exact_fee

__all__ = ["Words", "match", "new_engine", "new_order", "release", "remove", "report", "rest"]

Words = NDArray[np.int64]

NOBODY: Final = -1
BACKGROUND: Final = 0  # owner of the simulated crowd's orders
CLIENT: Final = 1

# head
NOW: Final = 0  # time of the crowd's last step
STAMP: Final = 1  # time of what is happening
BID: Final = 2  # index of the best bid, -1 for none
ASK: Final = 3  # index of the best ask, the number of levels for none
FREE: Final = 4  # first free order row, 0 for none
LIVE: Final = 5  # how many orders rest, of the background and then of the client
TOUCHED: Final = 7  # how many levels changed since the last update
OCCUPIED: Final = 8  # how many levels hold an order
OUT: Final = 9  # how many events wait
TRADES: Final = 10
ORDERS: Final = 11
UPDATES: Final = 12
POSITION: Final = 13  # of the client
QUOTED: Final = 14  # best levels and sizes of the last quote
LEVELS_AT: Final = 18
LIVE_AT: Final = 19
TOUCHED_AT: Final = 20
OUT_AT: Final = 21
CROWD_AT: Final = 22
LEVEL_COUNT: Final = 23
CAPACITY: Final = 24  # order rows
ORIGIN: Final = 25  # price of index 0, in ticks
TICK: Final = 26
LOT: Final = 27
MIN_SIZE: Final = 28
MAX_SIZE: Final = 29
MIN_NOTIONAL: Final = 30
MAKER_RATE: Final = 31
TAKER_RATE: Final = 32
FEE_UNIT: Final = 33
HEAD: Final = 40

# a level's row
SIZE: Final = 0
FIRST: Final = 1  # 0 for none
LAST: Final = 2
IS_TOUCHED: Final = 3
SHOWN: Final = 4  # size as last published, negative for an ask
LEVEL_WORDS: Final = 5

# an order's row
INDEX: Final = 0  # its level
OPEN: Final = 1
SIDE: Final = 2
OWNER: Final = 3
NUMBER: Final = 4  # the client's order number
ID: Final = 5
NEXT: Final = 6  # 0 for none
PREVIOUS: Final = 7
PLACE: Final = 8  # where ``live`` lists it
FLAGS: Final = 9
ORDER_WORDS: Final = 10

# an event's words
EVENT_TIME: Final = 0
EVENT_PRICE: Final = 2
EVENT_SIZE: Final = 3
EVENT_SEQUENCE: Final = 4
EVENT_AUX: Final = 5
EVENT_LINK: Final = 6
EVENT_CODES: Final = 7  # instrument, kind << 32, side << 40, flags << 48
EVENT_WORDS: Final = 8

TRADE: Final = int(EventKind.TRADE)
FILLED: Final = int(EventKind.ORDER_FILLED)
EXPIRED: Final = int(EventKind.ORDER_EXPIRED)
MAKER: Final = int(EventFlag.MAKER)
END: Final = int(EventFlag.LAST)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
WOULD_INCREASE: Final = int(OrderReason.WOULD_INCREASE)
SELF_TRADE: Final = int(OrderReason.SELF_TRADE)
FINE: Final = int(OrderReason.NONE)


def new_engine(terms: np.void, origin: int, levels: int, orders: int, crowd: int = 0) -> Words:
    """Return an empty engine.

    Parameters
    ----------
    terms : TERMS_DTYPE row
        Tick, lot, minimums and fees.
    origin : int
        Price of index 0, in ticks.
    levels, orders : int
        How many ticks and how many resting orders there may be.
    crowd : int
        Words that the crowd needs.
    """
    parts = [HEAD, levels * LEVEL_WORDS, orders * ORDER_WORDS, 2 * orders, levels]
    parts += [4 * orders * EVENT_WORDS, crowd]
    starts = np.cumsum([0, *parts])
    words = np.zeros(starts[-1], np.int64)
    words[BID], words[ASK] = -1, levels
    words[LEVELS_AT], words[LIVE_AT], words[TOUCHED_AT] = starts[1], starts[3], starts[4]
    words[OUT_AT], words[CROWD_AT] = starts[5], starts[6]
    words[LEVEL_COUNT], words[CAPACITY], words[ORIGIN] = levels, orders, origin
    rows = words[starts[2] : starts[3]].reshape(orders, ORDER_WORDS)
    rows[:-1, NEXT] = starts[2] + ORDER_WORDS * np.arange(1, orders)
    words[FREE] = starts[2]
    words[TICK], words[LOT] = terms["tick"], terms["lot"]
    words[MIN_SIZE], words[MAX_SIZE] = terms["min_size"], terms["max_size"]
    words[MIN_NOTIONAL] = terms["min_notional"]
    words[MAKER_RATE], words[TAKER_RATE] = terms["maker"], terms["taker"]
    words[FEE_UNIT] = terms["fee_unit"]
    return words


def waiting_events(words: Words) -> NDArray[np.void]:
    """Return the events that wait, as a view."""
    return event_rows(words, int(words[OUT_AT]), int(words[OUT]))


@kernel()
def price_of(words: Words, index: int) -> int:
    """Return the scaled price of a level."""
    return int((words[ORIGIN] + index) * words[TICK])


@kernel()
def emit(words: Words, codes: int, side: int, price: int, size: int) -> int:
    """Append an event and return its place, where the caller sets the ids.

    Parameters
    ----------
    codes : int
        Kind + (flags << 16).
    """
    at = int(words[OUT_AT] + EVENT_WORDS * words[OUT])
    words[OUT] += 1
    words[at + EVENT_TIME] = words[STAMP]
    words[at + EVENT_PRICE] = price
    words[at + EVENT_SIZE] = size
    words[at + EVENT_SEQUENCE] = -1
    words[at + EVENT_AUX] = -1
    words[at + EVENT_LINK] = -1
    words[at + EVENT_CODES] = (codes << 32) | ((side & 255) << 40)
    return at


@kernel()
def touch(words: Words, index: int) -> None:
    """Note that a level changed."""
    level = words[LEVELS_AT] + LEVEL_WORDS * index
    if words[level + IS_TOUCHED] == 0:
        words[level + IS_TOUCHED] = 1
        words[words[TOUCHED_AT] + words[TOUCHED]] = index
        words[TOUCHED] += 1


@kernel()
def new_order(words: Words, side: int, index: int, size: int, owner: int) -> int:
    """Take a free row for an order that is not in the book yet; one must be free."""
    order = int(words[FREE])
    words[FREE] = words[order + NEXT]
    words[ORDERS] += 1
    words[order + INDEX] = index
    words[order + OPEN] = size
    words[order + SIDE] = side
    words[order + OWNER] = owner
    words[order + NUMBER] = -1
    words[order + ID] = words[ORDERS]
    words[order + FLAGS] = 0
    return order


@kernel()
def release(words: Words, order: int) -> None:
    """Free the row of an order that is not in the book (any more)."""
    words[order + OPEN] = 0
    words[order + OWNER] = NOBODY
    words[order + NEXT] = words[FREE]
    words[FREE] = order


@kernel()
def rest(words: Words, order: int) -> None:
    """Put an order at the end of its level's queue; it must not cross the book."""
    index = words[order + INDEX]
    level = words[LEVELS_AT] + LEVEL_WORDS * index
    last = words[level + LAST]
    words[order + NEXT] = 0
    words[order + PREVIOUS] = last
    if last == 0:
        words[level + FIRST] = order
        words[OCCUPIED] += 1
    else:
        words[last + NEXT] = order
    words[level + LAST] = order
    words[level + SIZE] += words[order + OPEN]
    owner = words[order + OWNER]
    count = words[LIVE + owner]
    words[order + PLACE] = count
    words[words[LIVE_AT] + words[CAPACITY] * owner + count] = order
    words[LIVE + owner] = count + 1
    if words[order + SIDE] > 0:
        words[BID] = max(words[BID], index)
    else:
        words[ASK] = min(words[ASK], index)
    touch(words, index)


@kernel()
def remove(words: Words, order: int) -> None:
    """Take an order out of its queue and free its row."""
    index = words[order + INDEX]
    level = words[LEVELS_AT] + LEVEL_WORDS * index
    before, after = words[order + PREVIOUS], words[order + NEXT]
    if before == 0:
        words[level + FIRST] = after
    else:
        words[before + NEXT] = after
    if after == 0:
        words[level + LAST] = before
    else:
        words[after + PREVIOUS] = before
    words[level + SIZE] -= words[order + OPEN]
    touch(words, index)
    owner = words[order + OWNER]
    words[LIVE + owner] -= 1
    mine = words[LIVE_AT] + words[CAPACITY] * owner
    moved = words[mine + words[LIVE + owner]]
    words[mine + words[order + PLACE]] = moved
    words[moved + PLACE] = words[order + PLACE]
    release(words, order)
    if words[level + FIRST] == 0:
        words[OCCUPIED] -= 1
        settle_best(words)


@kernel()
def settle_best(words: Words) -> None:
    """Move the best prices past levels that have become empty."""
    levels = words[LEVELS_AT]
    bid, ask = words[BID], words[ASK]
    while bid >= 0 and words[levels + LEVEL_WORDS * bid + FIRST] == 0:
        bid -= 1
    while ask < words[LEVEL_COUNT] and words[levels + LEVEL_WORDS * ask + FIRST] == 0:
        ask += 1
    words[BID], words[ASK] = bid, ask


@kernel()
def report(words: Words, kind: int, order: int, reason: int) -> int:
    """Append an event about the client's order and return its place."""
    at = emit(words, kind + (END << 16), words[order + SIDE], 0, words[order + OPEN])
    words[at + EVENT_SEQUENCE] = words[order + ID]
    words[at + EVENT_AUX] = reason
    words[at + EVENT_LINK] = words[order + NUMBER]
    return at


@kernel()
def book_fill(words: Words, order: int, price: int, size: int, flags: int) -> None:
    """Report a fill of the client's order and move its position."""
    words[POSITION] += words[order + SIDE] * size
    rate = words[MAKER_RATE] if flags & MAKER else words[TAKER_RATE]
    at = report(words, FILLED, order, exact_fee(price * size, rate, words[FEE_UNIT]))
    words[at + EVENT_PRICE] = price
    words[at + EVENT_SIZE] = size
    words[at + EVENT_SEQUENCE] = words[TRADES]
    words[at + EVENT_CODES] |= flags << 48


@kernel()
def trade(words: Words, maker: int, taker: int, size: int) -> None:
    """Execute a size between a resting order and one that is not in the book."""
    index = words[maker + INDEX]
    price = price_of(words, index)
    words[TRADES] += 1
    at = emit(words, TRADE + (END << 16), words[taker + SIDE], price, size)
    words[at + EVENT_SEQUENCE] = words[TRADES]
    words[at + EVENT_AUX] = words[maker + ID]
    words[at + EVENT_LINK] = words[taker + ID]
    words[maker + OPEN] -= size
    words[taker + OPEN] -= size
    words[words[LEVELS_AT] + LEVEL_WORDS * index + SIZE] -= size
    touch(words, index)
    if words[taker + OWNER] == CLIENT:
        book_fill(words, taker, price, size, 0)
    if words[maker + OWNER] == CLIENT:
        book_fill(words, maker, price, size, MAKER)
    if words[maker + OPEN] == 0:
        remove(words, maker)


@kernel()
def reducible(words: Words, order: int) -> int:
    """Return how much of an order may trade now: a reduce-only order no more than is held."""
    size = words[order + OPEN]
    if words[order + FLAGS] & REDUCE_ONLY:
        size = min(size, max(-words[order + SIDE] * words[POSITION], 0))
    return int(size)


@kernel()
def match(words: Words, taker: int, limit: int) -> int:
    """Fill an order that is not in the book from the opposite side, price then time.

    Parameters
    ----------
    taker : int
        The order.
    limit : int
        Worst index it may trade at.

    Returns
    -------
    int
        ``OrderReason.SELF_TRADE`` if it stopped before an order of the same client, else 0.
    """
    side = words[taker + SIDE]
    room = reducible(words, taker)
    while room > 0:
        best = int(words[ASK] if side > 0 else words[BID])
        if best < 0 or best >= words[LEVEL_COUNT] or (best - limit) * side > 0:
            break
        maker = int(words[words[LEVELS_AT] + LEVEL_WORDS * best + FIRST])
        if words[maker + OWNER] == CLIENT and words[taker + OWNER] == CLIENT:
            return SELF_TRADE
        size = min(room, reducible(words, maker))
        if size > 0:
            room -= size
            trade(words, maker, taker, size)
        else:
            report(words, EXPIRED, maker, WOULD_INCREASE)
            remove(words, maker)
    return FINE
