"""From when on an order has waited too long for its venue's answer."""

from typing import Final

import numpy as np

from bot4_core.jit import kernel
from bot4_core.kernels.order_evidence import (
    ALREADY,
    IS_FILLED,
    IS_PENDING_CANCEL,
    IS_PENDING_REPLACE,
    IS_SUBMITTED,
    IS_UNKNOWN,
)
from bot4_core.kernels.order_rows import (
    DESK_DTYPE,
    NEVER_DUE,
    NOBODY,
    ORDER_DTYPE,
    TALLY_DTYPE,
    Slot,
)
from bot4_core.kernels.tables import TableSet, table_at

__all__ = ["is_late", "late_from"]

Row = np.void

ORDERS: Final = int(Slot.ORDERS)
DESKS: Final = int(Slot.DESKS)
TALLY: Final = int(Slot.TALLY)


@kernel(inline=True)
def late_from(tables: TableSet, place: int) -> int:
    """Return the time from which on the order in a row is late: 0 for long ago, or never."""
    order = table_at(tables, ORDERS, ORDER_DTYPE)[place]
    patience = int(table_at(tables, TALLY, TALLY_DTYPE)[0]["patience"])
    status = order["status"]
    if status == IS_UNKNOWN:
        return 0
    if status == IS_SUBMITTED:
        return int(order["sent"]) + patience
    if status in (IS_PENDING_CANCEL, IS_PENDING_REPLACE):
        return max(int(order["cancel_requested"]), int(order["replace_requested"])) + patience
    if order["facts"] & ALREADY and order["venue_order"] < 0:
        return 0
    if status >= IS_FILLED or order["venue_filled"] > order["executed"]:
        return int(order["updated"]) + patience
    return NEVER_DUE


@kernel(inline=True)
def is_late(tables: TableSet) -> bool:
    """Tell whether anybody has to be asked about an order now; if not, note when to look again.

    A ``due`` of 0 is one that somebody set by hand, and stays.
    """
    orders = table_at(tables, ORDERS, ORDER_DTYPE)
    desks = table_at(tables, DESKS, DESK_DTYPE)
    tally = table_at(tables, TALLY, TALLY_DTYPE)[0]
    if tally["due"] == 0:
        return True
    due = NEVER_DUE
    for number in range(len(desks)):
        place = int(desks[number]["oldest"])
        while place != NOBODY:
            due = min(due, late_from(tables, place))
            place = int(orders[place]["newer"])
    if due > tally["now"]:
        tally["due"] = due
    return bool(due <= tally["now"])
