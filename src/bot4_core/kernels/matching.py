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
    requeue,
    take,
)
from bot4_core.kernels.matching_sight import Sight, is_live, size_at
from bot4_core.kernels.matching_state import AS_MAKER, CANCEL, FLYING, FREE, PLACE, Desk

__all__ = ["NO_ROOM", "advance", "match_events", "submit", "submit_cancel"]

NO_ROOM: Final = -1
BOOK_END: Final = int(EventKind.BOOK_END)
TRADE: Final = int(EventKind.TRADE)


@kernel()
def room_for(desk: Desk, extra: int) -> bool:
    """Tell whether the waiting events can take one more step of the matcher."""
    head = desk.head[0]
    return bool(head["out_count"] + 2 * head["open_count"] + extra <= len(desk.out))


@kernel()
def send(desk: Desk, time: int, kind: int, slot: int, number: int) -> None:
    """Put a request on its way; requests arrive in the order in which they were sent."""
    head = desk.head[0]
    arrival = max(time + head["latency_out"], head["last_arrival"])
    head["last_arrival"] = arrival
    row = desk.actions[(head["action_first"] + head["action_count"]) % len(desk.actions)]
    head["action_count"] += 1
    row["time"] = arrival
    row["kind"] = kind
    row["slot"] = slot
    row["number"] = number


@kernel()
def submit(desk: Desk, intent: np.void, time: int) -> int:
    """Send a new order.

    Returns
    -------
    int
        Its slot, or ``NO_ROOM`` when the arrays are full.
    """
    head = desk.head[0]
    if head["action_count"] == len(desk.actions):
        return NO_ROOM
    slot = 0
    while slot < head["orders_used"] and desk.orders[slot]["state"] != FREE:
        slot += 1
    if slot == len(desk.orders):
        return NO_ROOM
    head["orders_used"] = max(head["orders_used"], slot + 1)
    head["open_count"] += 1
    order = desk.orders[slot]
    order["number"] = intent["number"]
    order["instrument"] = intent["instrument"]
    order["side"] = intent["side"]
    order["type"] = intent["type"]
    order["time_in_force"] = intent["time_in_force"]
    order["flags"] = intent["flags"]
    order["price"] = intent["price"]
    order["size"] = intent["size"]
    order["open"] = intent["size"]
    order["venue_id"] = -1
    order["state"] = FLYING
    send(desk, time, PLACE, slot, order["number"])
    return slot


@kernel()
def submit_cancel(desk: Desk, number: int, instrument: int, side: int, time: int) -> int:
    """Send the cancellation of an order; same result as ``submit``."""
    head = desk.head[0]
    if head["action_count"] == len(desk.actions):
        return NO_ROOM
    slot = 0
    while slot < head["orders_used"] - 1 and desk.orders[slot]["number"] != number:
        slot += 1
    at = (head["action_first"] + head["action_count"]) % len(desk.actions)
    send(desk, time, CANCEL, slot, number)
    desk.actions[at]["instrument"] = instrument
    desk.actions[at]["side"] = side
    return slot


@kernel()
def advance(desk: Desk, sight: Sight, now: int) -> bool:
    """Let every request that has arrived by a time meet the present books.

    Returns
    -------
    bool
        False when the waiting events have no room; call again after making some.
    """
    head = desk.head[0]
    while head["action_count"] > 0:
        row = desk.actions[head["action_first"]]
        if row["time"] > now:
            break
        if not room_for(desk, MOST_LEVELS + 4):
            return False
        head["now"] = max(head["now"], row["time"])
        if row["kind"] == PLACE:
            order_arrives(desk, sight, row["slot"])
        else:
            cancel_arrives(desk, row)
        head["action_first"] = (head["action_first"] + 1) % len(desk.actions)
        head["action_count"] -= 1
    head["now"] = max(head["now"], now)
    return True


@kernel()
def match_events(desk: Desk, sight: Sight, records: NDArray[np.void], start: int, stop: int) -> int:
    """Let market events reach our resting orders; the books must already contain them.

    Returns
    -------
    int
        Index of the first record not matched: ``stop``, or less when the waiting events have no
        room; call again after making some.
    """
    head = desk.head[0]
    for at in range(start, stop):
        kind = records[at]["kind"]
        if kind not in (TRADE, BOOK_END):
            continue
        instrument = int(records[at]["instrument"])
        terms = desk.terms[instrument]
        if kind == BOOK_END and head["taken_count"] > 0:
            forget_refreshed(desk, sight, instrument)
        if terms["first_bid"] < 0 and terms["first_ask"] < 0:
            continue
        if not room_for(desk, MOST_LEVELS):
            return at
        head["now"] = max(head["now"], records[at]["received"])
        if kind == TRADE:
            side, price, size = records[at]["side"], records[at]["price"], records[at]["size"]
            if side <= 0:
                on_trade(desk, instrument, 1, price, size)
            if side >= 0:
                on_trade(desk, instrument, -1, price, size)
        elif is_live(sight, instrument):
            on_book(desk, sight, instrument)
    return stop


@kernel()
def on_book(desk: Desk, sight: Sight, instrument: int) -> None:
    """After a book message: move our queue positions, and fill what the book has crossed."""
    for side in (1, -1):
        terms = desk.terms[instrument]
        slot = terms["first_bid"] if side > 0 else terms["first_ask"]
        while slot >= 0:
            order = desk.orders[slot]
            after = order["next"]
            requeue(desk, slot, size_at(sight, instrument, side, order["price"]))
            take(desk, sight, slot, order["price"], AS_MAKER)
            slot = after
