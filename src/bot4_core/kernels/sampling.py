"""Samples of a session's views for its report, in tables of a fixed length."""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import VIEW_DTYPE
from bot4_core.jit import kernel
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import TableSet, table_at

__all__ = ["COUNT", "CURSOR_SLOTS", "DUE", "INTERVAL", "is_sample_due", "take_sample"]

COUNT: Final = 0  # slots of the cursor: samples so far
INTERVAL: Final = 1  # least time between two, ns
DUE: Final = 2  # receive time from which the next one is due
CURSOR_SLOTS: Final = 3

INTEGER: Final = np.dtype("<i8")
NUMBER: Final = np.dtype("<f8")
VIEWS: Final = int(Slot.VIEWS)
SERIES_CURSOR: Final = int(Slot.SERIES_CURSOR)
SERIES_TIMES: Final = int(Slot.SERIES_TIMES)
SERIES_ROWS: Final = int(Slot.SERIES_ROWS)


@kernel(inline=True)
def is_sample_due(tables: TableSet, now: int) -> bool:
    """Tell whether a sample is due at a receive time."""
    return bool(now >= table_at(tables, SERIES_CURSOR, INTEGER)[DUE])


@kernel(inline=True)
def take_sample(tables: TableSet, now: int) -> bool:
    """Note equity, and each instrument's inventory, mid and spread; False without room for it."""
    cursor = table_at(tables, SERIES_CURSOR, INTEGER)
    times = table_at(tables, SERIES_TIMES, INTEGER)
    rows = table_at(tables, SERIES_ROWS, NUMBER)
    views = table_at(tables, VIEWS, VIEW_DTYPE)
    count, instruments = int(cursor[COUNT]), len(views)
    if count == len(times):
        return False
    first = count * (1 + 3 * instruments)
    rows[first] = views[0]["equity"]
    for number in range(instruments):
        view, at = views[number], first + 1 + number
        rows[at] = view["position"] * view["size_unit"]
        rows[at + instruments] = view["mid"]
        rows[at + 2 * instruments] = view["spread"]
    times[count] = now
    cursor[COUNT] = count + 1
    cursor[DUE] = now + cursor[INTERVAL]
    return True
