"""The compiled choice of the venue with the best price after fees."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import BookState, OrderFlag, Side
from bot4_core.jit import kernel

Row = np.void
Rows = NDArray[np.void]

LIVE: Final = int(BookState.LIVE)
BUY: Final = int(Side.BUY)
POST_ONLY: Final = int(OrderFlag.POST_ONLY)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
MOST_INSTRUMENTS: Final = 16
"""Instruments that can be compared: one integer of peers and one float of fees for each."""


@kernel()
def cost(view: Row, side: int, fee: float) -> float:
    """Return what one unit costs now with the fee; for a sale the negative of what it brings."""
    if side == BUY:
        return float(view["ask"]) * float(view["price_unit"]) * (1.0 + fee)
    return -float(view["bid"]) * float(view["price_unit"]) * (1.0 - fee)


@kernel()
def can_take(view: Row, side: int) -> bool:
    """Tell whether the book is live and has anything to take."""
    size = view["ask_size"] if side == BUY else view["bid_size"]
    return bool(view["state"] == LIVE and size > 0)


@kernel()
def copy_intent(child: Row, intent: Row, instrument: int) -> None:
    """Write the whole order as one child on an instrument."""
    child["number"] = intent["number"]
    child["instrument"] = instrument
    child["side"] = intent["side"]
    child["type"] = intent["type"]
    child["time_in_force"] = intent["time_in_force"]
    child["flags"] = intent["flags"]
    child["price"] = intent["price"]
    child["size"] = intent["size"]
    child["time"] = intent["time"]


@kernel()
def route(intent: Row, views: Rows, state: Row, params: Row, children: Rows) -> int:
    """Send the order, whole, where taking costs least; what rests or reduces stays where it is.

    The venues compared are the peers of the order's own instrument (bits of ``params.i``). Ties
    and orders without a better place keep the own instrument.
    """
    own = int(intent["instrument"])
    best = own
    if own < MOST_INSTRUMENTS and not intent["flags"] & (POST_ONLY | REDUCE_ONLY):
        side = int(intent["side"])
        peers = int(params["i"][own])
        least = np.inf
        if can_take(views[own], side):
            least = cost(views[own], side, float(params["f"][own]))
        for number in range(min(len(views), MOST_INSTRUMENTS)):
            if number != own and (peers >> number) & 1 and can_take(views[number], side):
                price = cost(views[number], side, float(params["f"][number]))
                if price < least:
                    least = price
                    best = number
    copy_intent(children[0], intent, best)
    return 1
