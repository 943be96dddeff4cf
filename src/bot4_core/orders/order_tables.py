"""The tables that orders are kept in, made and enlarged."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import VIEW_DTYPE
from bot4_core.kernels.order_rows import (
    DESK_DTYPE,
    FILL_DTYPE,
    FULL_STATUS,
    NEVER_DUE,
    NOBODY,
    ORDER_DTYPE,
    TALLY_DTYPE,
    Slot,
)
from bot4_core.kernels.tables import Tables
from bot4_core.kernels.trace import TRACE_DTYPE, TRACE_WORDS

__all__ = ["enlarge_fills", "enlarge_orders", "new_order_tables"]

FIRST_FILLS: Final = 1024


def new_order_tables(instruments: int, keep: int, views: NDArray[np.void] | None = None) -> Tables:
    """Return a table set with what the order desk needs in it.

    Parameters
    ----------
    instruments : int
    keep : int
        Orders kept at least, finished ones among them.
    views : (instruments,) VIEW, optional
        Where open sizes are written; its own ones if not given.
    """
    tables = Tables(len(Slot))
    orders = np.empty(1 << max(0, keep - 1).bit_length(), ORDER_DTYPE)
    orders[:] = np.zeros((), ORDER_DTYPE)  # written, so that no order waits for memory later
    desks = np.zeros(instruments, DESK_DTYPE)
    desks["oldest"] = desks["newest"] = NOBODY
    desks["open_status"] = FULL_STATUS
    tables.put(Slot.ORDERS, orders)
    tables.put(Slot.DESKS, desks)
    tally = np.zeros(1, TALLY_DTYPE)
    tally["due"] = NEVER_DUE
    tables.put(Slot.TALLY, tally)
    tables.put(Slot.TRACE, np.zeros(TRACE_WORDS, TRACE_DTYPE))
    tables.put(Slot.VIEWS, np.zeros(instruments, VIEW_DTYPE) if views is None else views)
    tables.put(Slot.FILLS, _free_fills(FIRST_FILLS, 0))
    return tables


def enlarge_fills(tables: Tables) -> None:
    """Double the room for fills; all of it was taken."""
    old = tables[Slot.FILLS]
    fills = _free_fills(2 * len(old), len(old))
    fills[: len(old)] = old
    tables.put(Slot.FILLS, fills)
    tables[Slot.TALLY]["free_fill"] = len(old)


def enlarge_orders(tables: Tables) -> None:
    """Double the room for orders; each moves to the row that its number has now."""
    old = tables[Slot.ORDERS]
    places = old["number"] & (2 * len(old) - 1)
    moved = np.append(places, NOBODY)  # -1 finds the last one: nobody stays nobody
    orders = np.zeros(2 * len(old), ORDER_DTYPE)
    kept = old["number"] > 0
    orders[places[kept]] = old[kept]
    for name in ("older", "newer"):
        orders[name] = np.where(orders["working"] == 1, moved[orders[name]], NOBODY)
    desks = tables[Slot.DESKS]
    for name in ("oldest", "newest"):
        desks[name] = moved[desks[name]]
    tables.put(Slot.ORDERS, orders)


def _free_fills(count: int, first: int) -> NDArray[np.void]:
    """Return rows chained as free from ``first`` on."""
    fills = np.zeros(count, FILL_DTYPE)
    fills["next"] = np.arange(1, count + 1)
    fills["next"][-1] = NOBODY
    fills["next"][:first] = NOBODY
    return fills
