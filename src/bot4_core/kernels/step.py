"""One message on its way to a decision: its end and kind, the book, the view, the features."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EventFlag, EventKind, Feature
from bot4_core.jit import kernel
from bot4_core.kernels.book import apply_events
from bot4_core.kernels.book_ladder import depth_cost
from bot4_core.kernels.features import update

__all__ = [
    "HEAD_SLOTS",
    "MARKET",
    "ORDER",
    "OTHER",
    "next_message",
    "show_market",
    "take_found",
]

Rows = NDArray[np.void]
Row = np.void

HEAD_SLOTS: Final = 13
"""Instrument, groups of kinds, receive time and venue time of a message; then, of a market
message, the book's state, best bid, best ask, and how many snapshots it has wanted; then the
places of the first record not taken in and of the first one after the message; the rest is for
``kernels.fused``."""
MARKET: Final = 1  # a complete book message, a quote or a trade: time to decide
ORDER: Final = 2  # what became of an order of ours
OTHER: Final = 4

LAST: Final = int(EventFlag.LAST)
DEPTH: Final = int(Feature.DEPTH)
MARKET_KINDS: Final = (int(EventKind.BOOK_END), int(EventKind.TRADE), int(EventKind.QUOTE))
FIRST_ORDER: Final = int(EventKind.ORDER_ACCEPTED)
BOOK_KINDS: Final = (int(EventKind.BOOK_CLEAR), int(EventKind.BOOK_SET))


@kernel(inline=True)
def group_of(kind: int) -> int:
    """Return what a kind of event asks of a driver; 0 for the inside of a book message."""
    if kind in MARKET_KINDS:
        return MARKET
    if kind >= FIRST_ORDER:
        return ORDER
    return 0 if kind in BOOK_KINDS else OTHER


@kernel(inline=True)
def next_message(records: Rows, start: int, stop: int, head: NDArray[np.int64]) -> None:
    """Find the end of the message that starts at ``start``, and what it is about.

    Parameters
    ----------
    records : (n,) EVENT
    start, stop : int
        ``start < stop``. Without a LAST flag before ``stop`` the message ends there.
    head : (HEAD_SLOTS,) int64, out
    """
    groups = group_of(int(records[start]["kind"]))
    last = start
    while last + 1 < stop and not records[last]["flags"] & LAST:
        last += 1
        groups |= group_of(int(records[last]["kind"]))
    record = records[last]
    head[0] = record["instrument"]
    head[1] = groups
    head[2] = record["received"]
    head[3] = record["time"]
    head[9] = last + 1


@kernel(inline=True)
def show_book(row: Row, view: Row, time: int, received: int) -> None:
    """Copy a book's top and last print into the instrument's view."""
    view["time"] = time
    view["received"] = received
    view["state"] = row["state"]
    view["bid"] = row["bid"]
    view["bid_size"] = row["bid_size"]
    view["ask"] = row["ask"]
    view["ask_size"] = row["ask_size"]
    view["last_price"] = row["trade_price"]
    view["last_size"] = row["trade_size"]
    view["last_side"] = row["trade_side"]


@kernel(inline=True)
def show_depth(row: Row, memory: NDArray[np.int64], view: Row, size: int) -> None:
    """Write the average prices of selling and buying a size now, NaN where a side is too thin."""
    view["vwap_bid"] = math.nan
    view["vwap_ask"] = math.nan
    cost, taken = depth_cost(memory, int(row["bids"]), size)
    if taken == size:
        view["vwap_bid"] = cost / size * float(view["price_unit"])
    cost, taken = depth_cost(memory, int(row["asks"]), size)
    if taken == size:
        view["vwap_ask"] = cost / size * float(view["price_unit"])


@kernel(inline=True)
def show_market(
    rows: Rows, memory: NDArray[np.int64], views: Rows, states: Rows, head: NDArray[np.int64]
) -> None:
    """Fill the view of a market message's instrument from its book and its features."""
    instrument = int(head[0])
    if not head[1] & MARKET or instrument >= len(views):
        return
    row, view, state = rows[instrument], views[instrument], states[instrument]
    show_book(row, view, int(head[3]), int(head[2]))
    update(view, state)
    if state["wanted"] & DEPTH:
        show_depth(row, memory, view, int(state["vwap_size"]))
    head[4] = row["state"]
    head[5] = row["bid"]
    head[6] = row["ask"]
    head[7] = row["wanted"]


@kernel(inline=True)
def take_found(
    rows: Rows,
    memory: NDArray[np.int64],
    records: Rows,
    start: int,
    views: Rows,
    states: Rows,
    head: NDArray[np.int64],
) -> bool:
    """Take the message at ``start``, found by ``next_message``, through its book to the view.

    Returns
    -------
    bool
        False where the book needs room before it can take all of it in (see ``head``); then the
        view is not filled yet.
    """
    end = int(head[9])
    done = apply_events(rows, memory, records, start, end)
    head[8] = done
    if done < end:
        return False
    show_market(rows, memory, views, states, head)
    return True
