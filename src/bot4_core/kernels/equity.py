"""What the account is worth now, in money units, rounded against it for each position."""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import VIEW_DTYPE
from bot4_core.jit import kernel
from bot4_core.kernels.limits import ACCOUNT_DTYPE, SCALE_DTYPE, scale_of
from bot4_core.kernels.limits_money import TOO_LARGE, worth
from bot4_core.kernels.order_rows import CONDUCT_DTYPE, DESK_DTYPE, TALLY_DTYPE, Slot
from bot4_core.kernels.tables import TableSet, table_at

__all__ = ["rebase", "revalue", "roll_day", "show_position"]

Row = np.void

DAY: Final = 86_400_000_000_000
DESKS: Final = int(Slot.DESKS)
VIEWS: Final = int(Slot.VIEWS)
SCALES: Final = int(Slot.SCALES)
ACCOUNT: Final = int(Slot.ACCOUNT)
CONDUCT: Final = int(Slot.CONDUCT)
TALLY: Final = int(Slot.TALLY)


@kernel()
def open_value(tables: TableSet, instrument: int) -> int:
    """Return what a position adds to the equity at the mid it was last valued at.

    A spot holding adds its worth, a contract the profit of closing it. What cannot be measured
    keeps its last value; no order that opens passes meanwhile, because the gross exposure cannot be
    measured either.
    """
    desk = table_at(tables, DESKS, DESK_DTYPE)[instrument]
    scales = table_at(tables, SCALES, SCALE_DTYPE)
    scale = scale_of(scales, instrument)
    position = int(table_at(tables, VIEWS, VIEW_DTYPE)[instrument]["position"])
    if position == 0:
        return 0
    gains = (position > 0) != (scale[2] == 1)  # whether a rise in worth is a profit
    twice = int(desk["bid"]) + int(desk["ask"])
    spot = scales[instrument]["no_short"] == 1
    if twice == 0:
        return int(desk["cost"]) if spot else 0
    value = worth(abs(position), twice, scale, 0 if gains else 1)
    if value == TOO_LARGE:
        return int(desk["valued"])
    if not spot:
        value -= int(desk["cost"])
    return value if gains else -value


@kernel()
def roll_day(tables: TableSet, now: int) -> None:
    """Begin a UTC day with the equity there is; the first one begins with the opening equity."""
    account = table_at(tables, ACCOUNT, ACCOUNT_DTYPE)[0]
    day = now // DAY
    if day != account["day"]:
        if account["day"]:
            account["day_start"] = account["equity"]
        account["day"] = day


@kernel()
def note_equity(tables: TableSet, equity: int, now: int) -> None:
    """Set the account's equity; remember the peak, and tell the views."""
    account = table_at(tables, ACCOUNT, ACCOUNT_DTYPE)[0]
    views = table_at(tables, VIEWS, VIEW_DTYPE)
    roll_day(tables, now)
    account["equity"] = equity
    account["peak"] = max(int(account["peak"]), equity)
    shown = float(equity) * float(table_at(tables, CONDUCT, CONDUCT_DTYPE)[0]["money_unit"])
    for number in range(len(views)):
        views[number]["equity"] = shown


@kernel(inline=True)
def revalue(tables: TableSet, instrument: int, now: int) -> None:
    """Value a position at the best prices in its desk."""
    desk = table_at(tables, DESKS, DESK_DTYPE)[instrument]
    value = open_value(tables, instrument)
    equity = int(table_at(tables, ACCOUNT, ACCOUNT_DTYPE)[0]["equity"])
    equity += value - int(desk["valued"])
    desk["valued"] = value
    note_equity(tables, equity, now)


@kernel(inline=True)
def rebase(tables: TableSet, balance: int, now: int) -> None:
    """Value every position anew on top of a balance, as after a booking."""
    desks = table_at(tables, DESKS, DESK_DTYPE)
    for number in range(len(desks)):
        desks[number]["valued"] = open_value(tables, number)
        balance += desks[number]["valued"]
    note_equity(tables, balance, now)


@kernel(inline=True)
def show_position(
    tables: TableSet, instrument: int, position: int, cost: int, average: float, balance: int
) -> None:
    """Show a position and its cost after a booking, and value every position anew.

    Parameters
    ----------
    tables : TableSet
    instrument : int
    position : int
        Signed, scaled.
    cost, balance : int
        Money units: what the position cost, and what the account holds besides.
    average : float
        Entry price, 0 when flat.
    """
    desk = table_at(tables, DESKS, DESK_DTYPE)[instrument]
    view = table_at(tables, VIEWS, VIEW_DTYPE)[instrument]
    if desk["bid"] == 0 and view["bid"] > 0 and view["ask"] > 0:
        desk["bid"] = view["bid"]
        desk["ask"] = view["ask"]
    view["position"] = position
    view["average_price"] = average
    desk["cost"] = cost
    rebase(tables, balance, int(table_at(tables, TALLY, TALLY_DTYPE)[0]["now"]))
