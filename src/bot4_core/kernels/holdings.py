"""Fills booked in compiled code: what a holding cost and earned, as the ledger would have it.

The ledger keeps integers of any size; here all stay below ``LARGEST``, and a fill that would leave
that range changes nothing and is left to the ledger. What was booked ahead is handed to the ledger
from time to time (see ``risk.holdings``), fill by fill and as sums.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.jit import kernel
from bot4_core.kernels.equity import show_position
from bot4_core.kernels.limits_money import LARGEST, TOO_LARGE, even_ratio
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import TableSet, table_at

__all__ = ["AVERAGE_STEP", "BANK_DTYPE", "HOLDING_DTYPE", "LARGEST_AVERAGE", "book_ahead"]

Row = np.void
Rows = NDArray[np.void]

HOLDINGS: Final = int(Slot.HOLDINGS)
BANK: Final = int(Slot.BANK)
BOOKED: Final = int(Slot.BOOKED)
AVERAGE_STEP: Final = 10_000
"""Steps of a shown average price in one of the instrument's price exponent."""
LARGEST_AVERAGE: Final = 2**53
"""Up to here an integer is a float exactly, so that one division rounds as the ledger's does."""

HOLDING_DTYPE: Final = np.dtype(
    [
        (name, "<i8")
        for name in (
            "usable",  # 0 where fills are for the ledger
            "size",  # signed
            "cost",  # of the open size
            "realised",  # these three since the ledger was told last
            "traded",  # what trades brought of the settlement asset
            "fees",
            "up",  # worth = size * twice the price * up, or size * up / (twice the price * down)
            "down",
            "inverse",
            "spot",
            "worth_scale",  # bank units of one unit of worth
            "fee_scale",
            "money_up",  # money units of one unit of worth, as a fraction
            "money_down",
        )
    ]
    + [("average_unit", "<f8")]
)
"""One instrument's holding, in the ledger's units."""

BANK_DTYPE: Final = np.dtype(
    [(name, "<i8") for name in ("balance", "money_up", "money_down", "booked")]
)
"""What the account holds of its asset, and how many fills were booked ahead."""


@kernel(inline=True)
def worth_of(holding: Row, size: int, price: int) -> int:
    """Return what a size is worth at a price, half to even; ``TOO_LARGE`` beyond the range."""
    up = int(holding["up"])
    if size > LARGEST // up:
        return TOO_LARGE
    if holding["inverse"] == 1:
        down = int(holding["down"])
        if price > LARGEST // (2 * down):
            return TOO_LARGE
        return even_ratio(size * up, 1, 2 * price * down)
    if price > LARGEST // (size * up) // 2:
        return TOO_LARGE
    return size * up * 2 * price


@kernel(inline=True)
def closed_worth(worth: int, closed: int, size: int) -> int:
    """Return the part of a fill's worth that closes."""
    return worth if closed == size else even_ratio(worth, closed, size)


@kernel(inline=True)
def traded(holding: Row, side: int, size: int, worth: int) -> tuple[int, int]:
    """Return what the open size costs after a fill, and what the fill realised."""
    held, cost = abs(int(holding["size"])), int(holding["cost"])
    if holding["size"] * side >= 0:
        return cost + worth, 0
    closed = min(held, size)
    left = closed_worth(worth, closed, size)
    released = cost if closed == held else even_ratio(cost, closed, held)
    gains = (holding["size"] > 0) != (holding["inverse"] == 1)
    realised = left - released if gains else released - left
    return cost - released + worth - left, realised


@kernel(inline=True)
def average_of(holding: Row, size: int, cost: int) -> int:
    """Return the entry price of an open size in ``average_unit``; ``TOO_LARGE`` if not exact."""
    if size == 0 or cost == 0:
        return 0
    up, down = int(holding["up"]), int(holding["down"])
    if holding["inverse"] == 1:
        if size > LARGEST // up or cost > LARGEST // (2 * down):
            return TOO_LARGE
        average = even_ratio(size * up, AVERAGE_STEP, 2 * cost * down)
    elif size > LARGEST // (2 * up):
        return TOO_LARGE
    else:
        average = even_ratio(cost, AVERAGE_STEP, 2 * size * up)
    return average if average <= LARGEST_AVERAGE else TOO_LARGE


@kernel(inline=True)
def fits(number: int, factor: int) -> bool:
    """Tell whether a product stays within the range."""
    return abs(number) <= LARGEST // factor


@kernel(inline=True)
def balance_after(holding: Row, bank: Row, brought: int, fee: int) -> tuple[int, bool]:
    """Return what the account holds after a fill, and whether that and all sums fit."""
    worth_scale, fee_scale = int(holding["worth_scale"]), int(holding["fee_scale"])
    if not (fits(brought, 2 * worth_scale) and fits(fee, 2 * fee_scale)):
        return 0, False
    balance = int(bank["balance"]) + brought * worth_scale - fee * fee_scale
    sums = fits(int(holding["traded"]) + brought, 1) and fits(int(holding["fees"]) + fee, 1)
    return balance, sums and fits(balance, int(bank["money_up"]))


@kernel(inline=True)
def show_booked(tables: TableSet, instrument: int, average: int) -> None:
    """Show a holding; a long one's cost is rounded up, a short one's down."""
    holding = table_at(tables, HOLDINGS, HOLDING_DTYPE)[instrument]
    bank = table_at(tables, BANK, BANK_DTYPE)[0]
    cost, down = int(holding["cost"]) * int(holding["money_up"]), int(holding["money_down"])
    held = int(holding["size"])
    money = -(-cost // down) if held > 0 else cost // down
    owned = int(bank["balance"]) * int(bank["money_up"]) // int(bank["money_down"])
    price = average / float(holding["average_unit"])
    show_position(tables, instrument, held, money, price, owned)


@kernel(inline=True)
def book_ahead(tables: TableSet, fills: Rows, place: int) -> bool:
    """Book a fill on paper and show what it changed; False where that is the ledger's work.

    Parameters
    ----------
    tables : TableSet
    fills : (n,) EVENT
    place : int
        Of the fill, an ``ORDER_FILLED`` record with a fee in the settlement asset.
    """
    fill = fills[place]
    instrument, side, fee = int(fill["instrument"]), int(fill["side"]), int(fill["aux"])
    holding = table_at(tables, HOLDINGS, HOLDING_DTYPE)[instrument]
    bank = table_at(tables, BANK, BANK_DTYPE)[0]
    booked = table_at(tables, BOOKED, EVENT_DTYPE)
    if holding["usable"] == 0 or bank["booked"] == len(booked):
        return False
    size = int(fill["size"])
    worth = worth_of(holding, size, int(fill["price"]))
    if worth == TOO_LARGE:
        return False
    cost, realised = traded(holding, side, size, worth)
    held = int(holding["size"]) + side * size
    average = average_of(holding, abs(held), cost)
    brought = -side * worth if holding["spot"] == 1 else realised
    balance, safe = balance_after(holding, bank, brought, fee)
    if not safe or average == TOO_LARGE or abs(held) > LARGEST:
        return False
    if not (fits(cost, int(holding["money_up"])) and fits(holding["realised"] + realised, 1)):
        return False
    holding["size"], holding["cost"] = held, cost
    holding["realised"] += realised
    holding["traded"] += brought
    holding["fees"] += fee
    bank["balance"] = balance
    booked[bank["booked"]] = fill
    bank["booked"] += 1
    show_booked(tables, instrument, average)
    return True
