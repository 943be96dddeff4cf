"""Paper matching: our orders against recorded or live market data.

The market does not know of us: our orders are not in the book, and what we take from it is only
remembered here. Time is the receive clock: a request sent at ``t`` meets the book that we see at
``t + latency_out``, so that ``latency_out`` contains the delay of the feed.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventKind
from bot4_core.jit import kernel
from bot4_core.kernels.matching_entry import cancel_arrives, order_arrives
from bot4_core.kernels.matching_fills import (
    MOST_LEVELS,
    forget_refreshed,
    on_trade,
    take,
)
from bot4_core.kernels.matching_latency import (
    FROM_FEED,
    LATENCY_MODEL,
    WAY_OUT,
    latency,
    see_feed,
)
from bot4_core.kernels.matching_queue import requeue
from bot4_core.kernels.matching_sight import Sight, is_live, size_at
from bot4_core.kernels.matching_state import (
    ARRIVES,
    AS_MAKER,
    EXPIRE_MAKER,
    FIRST_ASK,
    FIRST_BID,
    FLYING,
    FREE,
    FREE_ORDER,
    INSTRUMENT,
    INTENT_WORDS,
    IS_CANCEL,
    LAST_ARRIVAL,
    LATENCY_OUT,
    NEXT,
    NOW,
    NUMBER,
    OF_INSTRUMENT,
    OF_NUMBER,
    OF_ORDER,
    OF_SIDE,
    OPEN,
    OPEN_ORDERS,
    ORDER_ROOM,
    ORDER_WORDS,
    ORDERS_AT,
    OUT,
    OUT_ROOM,
    PRICE,
    REQUEST_FIRST,
    REQUEST_ROOM,
    REQUEST_WORDS,
    REQUESTS,
    REQUESTS_AT,
    SELF_TRADE,
    SIDE,
    SIZE,
    STATE,
    TAKEN,
    Desk,
    terms_of,
)

__all__ = ["advance", "match_events", "minds_market", "submit", "submit_cancel"]

BOOK_END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)


@kernel()
def has_room(desk: Desk) -> bool:
    """Tell whether the waiting answers can take one more step of the matcher."""
    fills = MOST_LEVELS
    if desk[SELF_TRADE] == EXPIRE_MAKER:
        fills += MOST_LEVELS * desk[OPEN_ORDERS]
    return bool(desk[OUT] + 2 * desk[OPEN_ORDERS] + fills + 4 <= desk[OUT_ROOM])


@kernel(inline=True)
def minds_market(desk: Desk) -> bool:
    """Tell whether a market message can matter to the matcher at all."""
    return bool(desk[OPEN_ORDERS] != 0 or desk[TAKEN] != 0 or desk[LATENCY_MODEL] == FROM_FEED)


@kernel()
def send(desk: Desk, time: int) -> int:
    """Put a request on its way and return its row, or 0 where the ring is full.

    Requests arrive in the order in which they were sent.
    """
    if desk[REQUESTS] == desk[REQUEST_ROOM]:
        return 0
    delay = latency(desk, WAY_OUT, int(desk[LATENCY_OUT]))
    arrival = max(time + delay, desk[LAST_ARRIVAL])
    desk[LAST_ARRIVAL] = arrival
    place = (desk[REQUEST_FIRST] + desk[REQUESTS]) % desk[REQUEST_ROOM]
    desk[REQUESTS] += 1
    row = int(desk[REQUESTS_AT] + REQUEST_WORDS * place)
    desk[row + ARRIVES] = arrival
    return row


@kernel(inline=True)
def submit(desk: Desk, intent: NDArray[np.int64], time: int) -> bool:
    """Send a new order.

    Parameters
    ----------
    intent : (words,) int64
        An INTENT_DTYPE row.

    Returns
    -------
    bool
        False when the ring of requests is full and nothing was sent.
    """
    row = send(desk, time)
    if row == 0:
        return False
    order = desk[FREE_ORDER]
    desk[row + IS_CANCEL] = 0
    desk[row + OF_ORDER] = order
    desk[row + OF_NUMBER] = intent[NUMBER]
    desk[row + OF_INSTRUMENT] = intent[INSTRUMENT]
    desk[row + OF_SIDE] = intent[SIDE]
    if order != 0:
        desk[FREE_ORDER] = desk[order + NEXT]
        desk[OPEN_ORDERS] += 1
        for word in range(INTENT_WORDS):
            desk[order + word] = intent[word]
        desk[order + OPEN] = intent[SIZE]
        desk[order + STATE] = FLYING
    return True


@kernel(inline=True)
def submit_cancel(desk: Desk, number: int, instrument: int, side: int, time: int) -> bool:
    """Send the cancellation of an order; same result as ``submit``."""
    row = send(desk, time)
    if row == 0:
        return False
    desk[row + IS_CANCEL] = 1
    desk[row + OF_ORDER] = 0
    desk[row + OF_NUMBER] = number
    desk[row + OF_INSTRUMENT] = instrument
    desk[row + OF_SIDE] = side
    order = desk[ORDERS_AT]
    for _ in range(desk[ORDER_ROOM]):
        if desk[order + NUMBER] == number and desk[order + STATE] != FREE:
            desk[row + OF_ORDER] = order
            break
        order += ORDER_WORDS
    return True


@kernel(inline=True)
def advance(desk: Desk, sight: Sight, now: int) -> bool:
    """Let every request that has arrived by a time meet the present books.

    Returns
    -------
    bool
        False when the waiting answers have no room; call again after making some.
    """
    while desk[REQUESTS] > 0:
        row = int(desk[REQUESTS_AT] + REQUEST_WORDS * desk[REQUEST_FIRST])
        if desk[row + ARRIVES] > now:
            break
        if not has_room(desk):
            return False
        desk[NOW] = max(desk[NOW], desk[row + ARRIVES])
        if desk[row + IS_CANCEL]:
            cancel_arrives(desk, row)
        else:
            order_arrives(desk, sight, row)
        desk[REQUEST_FIRST] = (desk[REQUEST_FIRST] + 1) % desk[REQUEST_ROOM]
        desk[REQUESTS] -= 1
    desk[NOW] = max(desk[NOW], now)
    return True


@kernel(inline=True)
def note_feed(desk: Desk, records: NDArray[np.void], start: int, stop: int) -> None:
    """Note how long the last of some records took, where latencies follow the feed."""
    if desk[LATENCY_MODEL] == FROM_FEED and stop > start:
        see_feed(desk, int(records[stop - 1]["time"]), int(records[stop - 1]["received"]))


@kernel(inline=True)
def match_events(desk: Desk, sight: Sight, records: NDArray[np.void], start: int, stop: int) -> int:
    """Let market events reach our resting orders; the books must already contain them.

    Returns
    -------
    int
        Index of the first record not matched: ``stop``, or less when the waiting answers have no
        room; call again after making some.
    """
    note_feed(desk, records, start, stop)
    for at in range(start, stop):
        kind = records[at]["kind"]
        if kind not in (TRADE, BOOK_END):
            continue
        instrument = int(records[at]["instrument"])
        terms = terms_of(desk, instrument)
        if kind == BOOK_END and desk[TAKEN] > 0:
            forget_refreshed(desk, sight, instrument)
        if desk[terms + FIRST_BID] == 0 and desk[terms + FIRST_ASK] == 0:
            continue
        if not has_room(desk):
            return at
        desk[NOW] = max(desk[NOW], records[at]["received"])
        if kind == TRADE:
            side, price, size = records[at]["side"], records[at]["price"], records[at]["size"]
            if side <= 0:
                on_trade(desk, instrument, 1, price, size)
            if side >= 0:
                on_trade(desk, instrument, -1, price, size)
        elif is_live(sight, instrument):
            on_book(desk, sight, instrument)
    return stop


@kernel(inline=True)
def on_book(desk: Desk, sight: Sight, instrument: int) -> None:
    """After a book message: move our queue positions, and fill what the book has crossed."""
    for side in (1, -1):
        order = int(desk[terms_of(desk, instrument) + (FIRST_BID if side > 0 else FIRST_ASK)])
        while order != 0:
            after, price = int(desk[order + NEXT]), int(desk[order + PRICE])
            requeue(desk, order, size_at(sight, instrument, side, price))
            take(desk, sight, order, price, AS_MAKER)
            order = after
