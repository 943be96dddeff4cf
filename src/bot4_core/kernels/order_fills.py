"""Executions of an order: filed once for each trade id, corrected and taken back.

Of each trade the latest revision counts: the report, then corrections by the venue's time, then a
bust. So executions may come in any order and repeatedly, too.
"""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventKind
from bot4_core.jit import kernel
from bot4_core.kernels.order_rows import FILL_DTYPE, NOBODY, TALLY_DTYPE, Slot
from bot4_core.kernels.tables import TableSet, table_at

__all__ = [
    "ALARMED",
    "CHANGED",
    "NO_FILL_ROOM",
    "OUTCOMES",
    "UNCHANGED",
    "Outcome",
    "file_execution",
]

Row = np.void

CHANGED: Final = 1
UNCHANGED: Final = 0
ALARMED: Final = 3  # nothing new, but the words do not fit what was said before
NO_FILL_ROOM: Final = -3  # the fills table is full


class Outcome(IntEnum):
    """What stands where in the outcome of filing one piece of evidence."""

    ROW = 0  # of the order
    BEFORE = 1  # status
    AFTER = 2
    ALARMS = 3
    BOOKED = 4  # 1 where the event's execution counts from now on
    TAKEN_BACK = 5  # size of an earlier report of the trade that does not count any more
    OLD_PRICE = 6  # and its price, fee and flags
    OLD_FEE = 7
    OLD_FLAGS = 8


OUTCOMES: Final = len(Outcome)
BOOKED: Final = int(Outcome.BOOKED)
TAKEN_BACK: Final = int(Outcome.TAKEN_BACK)
OLD_PRICE: Final = int(Outcome.OLD_PRICE)
OLD_FEE: Final = int(Outcome.OLD_FEE)
OLD_FLAGS: Final = int(Outcome.OLD_FLAGS)
FILLS: Final = int(Slot.FILLS)
TALLY: Final = int(Slot.TALLY)
FILLED: Final = int(EventKind.ORDER_FILLED)
BUSTED: Final = int(EventKind.TRADE_BUSTED)
FINAL: Final = 2**63 - 1


@kernel()
def revision_of(event: Row) -> int:
    """Return which report of its trade an event is: the first, a correction, or the bust."""
    if event["kind"] == FILLED:
        return 0
    return FINAL if event["kind"] == BUSTED else max(1, int(event["time"]))


@kernel(inline=True)
def revise(order: Row, fill: Row, event: Row, outcome: NDArray[np.int64]) -> None:
    """Let an event's words stand for a trade, and say what was booked of it before."""
    size = 0 if event["kind"] == BUSTED else int(event["size"])
    outcome[BOOKED] = size > 0
    outcome[TAKEN_BACK], outcome[OLD_PRICE] = fill["size"], fill["price"]
    outcome[OLD_FEE], outcome[OLD_FLAGS] = fill["fee"], fill["flags"]
    order["filled"] += size - fill["size"]
    fill["revision"] = revision_of(event)
    fill["price"], fill["size"] = event["price"], size
    fill["fee"], fill["flags"] = event["aux"], event["flags"]


@kernel(inline=True)
def known_trade(tables: TableSet, order: Row, trade: int) -> int:
    """Return the row of an order's trade, -1 for none."""
    fills = table_at(tables, FILLS, FILL_DTYPE)
    place = int(order["first_fill"])
    while place != NOBODY and fills[place]["trade"] != trade:
        place = int(fills[place]["next"])
    return place


@kernel(inline=True)
def add_trade(tables: TableSet, order: Row, trade: int) -> int:
    """Chain a row for a new trade; -1 where there is no room."""
    fills = table_at(tables, FILLS, FILL_DTYPE)
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    place = int(tally["free_fill"])
    if place == NOBODY:
        return NOBODY
    fill = fills[place]
    tally["free_fill"] = fill["next"]
    fill["trade"] = trade
    fill["size"] = fill["gross"] = 0
    fill["revision"] = NOBODY
    fill["next"] = order["first_fill"]
    order["first_fill"] = place
    return place


@kernel(inline=True)
def file_execution(tables: TableSet, order: Row, event: Row, outcome: NDArray[np.int64]) -> int:
    """Add what an event says of a trade to an order, which is to be settled after a change.

    Returns
    -------
    int
        ``CHANGED``, ``UNCHANGED``, ``ALARMED`` or ``NO_FILL_ROOM``.
    """
    trade = int(event["sequence"])
    place = known_trade(tables, order, trade)
    if place == NOBODY:
        place = add_trade(tables, order, trade)
    if place == NOBODY:
        return NO_FILL_ROOM
    fill, revision = table_at(tables, FILLS, FILL_DTYPE)[place], revision_of(event)
    if revision == fill["revision"] and revision != FINAL:
        same = fill["price"] == event["price"] and fill["size"] == event["size"]
        if same or order["contradicted"]:
            return UNCHANGED
        order["contradicted"] = 1
        return ALARMED
    code = UNCHANGED
    larger = int(event["size"]) - int(fill["gross"])
    if larger > 0:
        order["executed"] += larger
        fill["gross"] += larger
        code = CHANGED
    if revision > fill["revision"]:
        revise(order, fill, event, outcome)
        code = CHANGED
    return code
