"""A price-time matching engine for one instrument, on dense ticks.

Every tick has a queue of orders, first in first out, linked through the order rows. All sizes are
scaled integers. Engine functions append what happens to ``out`` as event records.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind, OrderFlag, OrderReason
from bot4_core.jit import kernel
from bot4_core.kernels.matching_state import AS_MAKER, AS_TAKER, fee_of

__all__ = [
    "BACKGROUND",
    "CLIENT",
    "Engine",
    "emit",
    "match",
    "new_engine",
    "new_order",
    "price_of",
    "reducible",
    "release",
    "remove",
    "report",
    "rest",
]

NOBODY: Final = -1
BACKGROUND: Final = 0  # owner of the simulated flow's orders
CLIENT: Final = 1

# head
NOW: Final = 0
BID: Final = 1  # index of the best bid, -1 for none
ASK: Final = 2  # index of the best ask, len(levels) for none
FREE: Final = 3  # first free order row, -1 for none
LIVE: Final = 4  # how many orders rest, of the background and then of the client
TOUCHED: Final = 6  # how many levels changed since the last update
OUT: Final = 7
TRADES: Final = 8
ORDERS: Final = 9
UPDATES: Final = 10
POSITION: Final = 11  # of the client
ORIGIN: Final = 12  # price of index 0, in ticks
TICK: Final = 13
QUOTED: Final = 14  # best levels and sizes of the last quote
STAMP: Final = 18  # time of the event being made
OCCUPIED: Final = 19  # levels that hold an order
HEAD: Final = 20

# levels
SIZE: Final = 0
FIRST: Final = 1
LAST: Final = 2
IS_TOUCHED: Final = 3
SHOWN: Final = 4  # size as last published, negative for an ask
COLUMNS: Final = 5

# orders
AT: Final = 0
OPEN: Final = 1
SIDE: Final = 2
OWNER: Final = 3
NUMBER: Final = 4  # the client's order number
ID: Final = 5
NEXT: Final = 6
PREVIOUS: Final = 7
PLACE: Final = 8  # where ``live`` lists it
FLAGS: Final = 9

FILLED: Final = int(EventKind.ORDER_FILLED)
EXPIRED: Final = int(EventKind.ORDER_EXPIRED)
TRADE: Final = int(EventKind.TRADE)
MAKER: Final = int(EventFlag.MAKER)
END: Final = int(EventFlag.LAST)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
WOULD_INCREASE: Final = int(OrderReason.WOULD_INCREASE)
FINE: Final = int(OrderReason.NONE)
SELF_TRADE: Final = int(OrderReason.SELF_TRADE)


class Engine(NamedTuple):
    """All arrays of one instrument's engine."""

    head: NDArray[np.int64]
    levels: NDArray[np.int64]  # (ticks, COLUMNS)
    orders: NDArray[np.int64]  # (orders, 10)
    live: NDArray[np.int64]  # (owners, orders) rows of resting orders, in no order
    touched: NDArray[np.int64]  # indices of levels that changed
    out: NDArray[np.void]  # EVENT_DTYPE
    terms: NDArray[np.void]  # (1,) TERMS_DTYPE


def new_engine(terms: NDArray[np.void], origin: int, levels: int, orders: int) -> Engine:
    """Return an empty engine.

    Parameters
    ----------
    terms : (1,) TERMS_DTYPE
        Tick, lot, minimums and fees.
    origin : int
        Price of index 0, in ticks.
    levels, orders : int
        How many ticks and how many resting orders there may be.
    """
    head = np.zeros(HEAD, np.int64)
    head[BID] = -1
    head[ASK] = levels
    head[ORIGIN] = origin
    head[TICK] = terms["tick"][0]
    ladder = np.zeros((levels, COLUMNS), np.int64)
    ladder[:, FIRST:IS_TOUCHED] = -1
    rows = np.zeros((orders, 10), np.int64)
    rows[:, NEXT] = np.arange(1, orders + 1)
    rows[-1, NEXT] = -1
    return Engine(
        head=head,
        levels=ladder,
        orders=rows,
        live=np.zeros((2, orders), np.int64),
        touched=np.zeros(levels, np.int64),
        out=np.zeros(4 * orders, EVENT_DTYPE),
        terms=terms,
    )


@kernel()
def price_of(engine: Engine, index: int) -> int:
    """Return the scaled price of a level."""
    return int((engine.head[ORIGIN] + index) * engine.head[TICK])


@kernel()
def emit(engine: Engine, kind: int, side: int, price: int, size: int, flags: int) -> int:
    """Append an event and return its row, in which the caller sets the ids."""
    at = engine.head[OUT]
    engine.head[OUT] += 1
    row = engine.out[at]
    row["time"] = engine.head[STAMP]
    row["received"] = 0
    row["price"] = price
    row["size"] = size
    row["sequence"] = -1
    row["aux"] = -1
    row["link"] = -1
    row["instrument"] = 0
    row["kind"] = kind
    row["side"] = side
    row["flags"] = flags
    return int(at)


@kernel()
def touch(engine: Engine, index: int) -> None:
    """Note that a level changed."""
    if engine.levels[index, IS_TOUCHED] == 0:
        engine.levels[index, IS_TOUCHED] = 1
        engine.touched[engine.head[TOUCHED]] = index
        engine.head[TOUCHED] += 1


@kernel()
def new_order(engine: Engine, side: int, index: int, size: int, owner: int) -> int:
    """Take a free row for an order that is not in the book yet; one must be free."""
    head, orders = engine.head, engine.orders
    slot = head[FREE]
    head[FREE] = orders[slot, NEXT]
    head[ORDERS] += 1
    orders[slot, AT] = index
    orders[slot, OPEN] = size
    orders[slot, SIDE] = side
    orders[slot, OWNER] = owner
    orders[slot, NUMBER] = -1
    orders[slot, ID] = head[ORDERS]
    orders[slot, FLAGS] = 0
    return int(slot)


@kernel()
def release(engine: Engine, slot: int) -> None:
    """Free the row of an order that is not in the book (any more)."""
    engine.orders[slot, OPEN] = 0
    engine.orders[slot, OWNER] = NOBODY
    engine.orders[slot, NEXT] = engine.head[FREE]
    engine.head[FREE] = slot


@kernel()
def rest(engine: Engine, slot: int) -> None:
    """Put an order at the end of its level's queue; it must not cross the book."""
    head, levels, orders = engine.head, engine.levels, engine.orders
    index = orders[slot, AT]
    last = levels[index, LAST]
    orders[slot, NEXT] = -1
    orders[slot, PREVIOUS] = last
    if last < 0:
        levels[index, FIRST] = slot
        head[OCCUPIED] += 1
    else:
        orders[last, NEXT] = slot
    levels[index, LAST] = slot
    levels[index, SIZE] += orders[slot, OPEN]
    owner = orders[slot, OWNER]
    orders[slot, PLACE] = head[LIVE + owner]
    engine.live[owner, head[LIVE + owner]] = slot
    head[LIVE + owner] += 1
    if orders[slot, SIDE] > 0:
        head[BID] = max(head[BID], index)
    else:
        head[ASK] = min(head[ASK], index)
    touch(engine, index)


@kernel()
def remove(engine: Engine, slot: int) -> None:
    """Take an order out of its queue and free its row."""
    head, levels, orders = engine.head, engine.levels, engine.orders
    index = orders[slot, AT]
    before, after = orders[slot, PREVIOUS], orders[slot, NEXT]
    if before < 0:
        levels[index, FIRST] = after
    else:
        orders[before, NEXT] = after
    if after < 0:
        levels[index, LAST] = before
    else:
        orders[after, PREVIOUS] = before
    levels[index, SIZE] -= orders[slot, OPEN]
    touch(engine, index)
    owner = orders[slot, OWNER]
    head[LIVE + owner] -= 1
    moved = engine.live[owner, head[LIVE + owner]]
    engine.live[owner, orders[slot, PLACE]] = moved
    orders[moved, PLACE] = orders[slot, PLACE]
    release(engine, slot)
    if levels[index, FIRST] < 0:
        head[OCCUPIED] -= 1
        settle_best(engine)


@kernel()
def settle_best(engine: Engine) -> None:
    """Move the best prices past levels that have become empty."""
    head, levels = engine.head, engine.levels
    while head[BID] >= 0 and levels[head[BID], FIRST] < 0:
        head[BID] -= 1
    while head[ASK] < len(levels) and levels[head[ASK], FIRST] < 0:
        head[ASK] += 1


@kernel()
def book_fill(engine: Engine, slot: int, price: int, size: int, role: int) -> None:
    """Report a fill of the client's order and move its position."""
    orders, terms = engine.orders, engine.terms[0]
    side = orders[slot, SIDE]
    engine.head[POSITION] += side * size
    at = emit(engine, FILLED, side, price, size, END + MAKER * role)
    engine.out[at]["sequence"] = engine.head[TRADES]
    engine.out[at]["aux"] = fee_of(terms, price, size, role)
    engine.out[at]["link"] = orders[slot, NUMBER]


@kernel()
def report(engine: Engine, kind: int, slot: int, reason: int) -> int:
    """Append an event about the client's order and return its row."""
    orders = engine.orders
    at = emit(engine, kind, orders[slot, SIDE], 0, orders[slot, OPEN], END)
    engine.out[at]["sequence"] = orders[slot, ID]
    engine.out[at]["aux"] = reason
    engine.out[at]["link"] = orders[slot, NUMBER]
    return at


@kernel()
def trade(engine: Engine, maker: int, taker: int, size: int) -> None:
    """Execute a size between a resting order and an order row that is not in the book."""
    head, orders = engine.head, engine.orders
    index = orders[maker, AT]
    price = price_of(engine, index)
    head[TRADES] += 1
    at = emit(engine, TRADE, orders[taker, SIDE], price, size, END)
    engine.out[at]["sequence"] = head[TRADES]
    engine.out[at]["aux"] = orders[maker, ID]
    engine.out[at]["link"] = orders[taker, ID]
    orders[maker, OPEN] -= size
    orders[taker, OPEN] -= size
    engine.levels[index, SIZE] -= size
    touch(engine, index)
    if orders[taker, OWNER] == CLIENT:
        book_fill(engine, taker, price, size, AS_TAKER)
    if orders[maker, OWNER] == CLIENT:
        book_fill(engine, maker, price, size, AS_MAKER)
    if orders[maker, OPEN] == 0:
        remove(engine, maker)


@kernel()
def reducible(engine: Engine, slot: int) -> int:
    """Return how much of an order may trade now: a reduce-only order no more than is held."""
    size = engine.orders[slot, OPEN]
    if engine.orders[slot, FLAGS] & REDUCE_ONLY:
        size = min(size, max(-engine.orders[slot, SIDE] * engine.head[POSITION], 0))
    return int(size)


@kernel()
def match(engine: Engine, taker: int, limit: int) -> int:
    """Fill an order row that is not in the book from the opposite side, price then time.

    Parameters
    ----------
    taker : int
        The order's row.
    limit : int
        Worst index it may trade at.

    Returns
    -------
    int
        ``OrderReason.SELF_TRADE`` if it stopped before an order of the same client, else 0.
    """
    head, orders = engine.head, engine.orders
    side = orders[taker, SIDE]
    room = reducible(engine, taker)
    while room > 0:
        best = head[ASK] if side > 0 else head[BID]
        if best < 0 or best >= len(engine.levels) or (best - limit) * side > 0:
            break
        maker = engine.levels[best, FIRST]
        size = min(orders[taker, OPEN], room, reducible(engine, maker))
        if orders[maker, OWNER] == CLIENT and orders[taker, OWNER] == CLIENT:
            return SELF_TRADE
        if size > 0:
            room -= size
            trade(engine, maker, taker, size)
        else:
            report(engine, EXPIRED, maker, WOULD_INCREASE)
            remove(engine, maker)
    return FINE
