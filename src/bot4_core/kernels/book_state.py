"""The row kept for each instrument's book, and what happens to it at the end of a message."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import BookState
from bot4_core.jit import kernel
from bot4_core.kernels.book_checksum import is_proven
from bot4_core.kernels.book_ladder import (
    MISFIT,
    best_price,
    best_size,
    count_levels,
    put_level,
    trim_ladder,
    worst_price,
)
from bot4_core.kernels.book_window import (
    BASE,
    BEST,
    GRAIN,
    OUTSIDE,
    WINDOW,
    Words,
    clear_ladder,
    recentre,
    set_grain,
)

__all__ = [
    "BOOK_DTYPE",
    "KIND_SLOTS",
    "BookRow",
    "Events",
    "become_live",
    "clear_book",
    "common_grain",
    "distrust",
    "publish",
    "set_level",
    "settle",
]

BookRow = np.void
Events = NDArray[np.void]

BOOK_DTYPE: Final = np.dtype(
    [
        # what drivers read
        ("state", "<i8"),  # BookState
        ("bid", "<i8"),  # best prices and sizes, 0 where the side is empty
        ("bid_size", "<i8"),
        ("ask", "<i8"),
        ("ask_size", "<i8"),
        ("bid_levels", "<i8"),
        ("ask_levels", "<i8"),
        ("last", "<i8"),  # id of the last book message applied, -1 for none
        ("time", "<i8"),  # of the last book message applied, ns
        ("received", "<i8"),
        ("updates", "<i8"),  # book messages applied
        ("wanted", "<i8"),  # snapshots needed so far; grows whenever another one is
        # last bookTicker and print
        ("quotes", "<i8"),
        ("quote_time", "<i8"),
        ("quote_bid", "<i8"),
        ("quote_bid_size", "<i8"),
        ("quote_ask", "<i8"),
        ("quote_ask_size", "<i8"),
        ("trades", "<i8"),
        ("trade_time", "<i8"),
        ("trade_price", "<i8"),
        ("trade_size", "<i8"),
        ("trade_side", "<i8"),
        # counters
        ("snapshots", "<i8"),  # applied
        ("outdated", "<i8"),  # snapshots older than a LIVE book, ignored
        ("refused", "<i8"),  # snapshots that the kept deltas do not continue
        ("gaps", "<i8"),
        ("resyncs", "<i8"),  # times the book became LIVE again
        ("crossed", "<i8"),
        ("orphans", "<i8"),  # removals of levels that were not there
        ("diverged", "<i8"),  # orphans where the venue's rule allows none
        ("duplicates", "<i8"),
        ("mismatched", "<i8"),  # book messages whose checksum is not the book's
        ("malformed", "<i8"),  # book messages whose records do not fit together
        ("dropped", "<i8"),  # deltas not kept while waiting for a snapshot
        # settings
        ("chain", "<i8"),  # ChainRule
        ("depth", "<i8"),
        ("price_places", "<i8"),  # decimals of scaled prices and sizes
        ("size_places", "<i8"),
        ("strict", "<i8"),  # 1 where a removal of an absent level proves divergence
        # where the parts live in memory
        ("bids", "<i8"),
        ("asks", "<i8"),
        ("counts", "<i8"),  # events by kind, KIND_SLOTS words
        ("pending", "<i8"),  # kept deltas
        ("pending_size", "<i8"),
        ("pending_used", "<i8"),
        # chain
        ("first", "<i8"),  # ids of the last delta applied
        ("link", "<i8"),
        ("bridged", "<i8"),  # a delta was applied since the snapshot
        ("ranged", "<i8"),  # the venue's deltas carry their first id
        ("repeats", "<i8"),  # duplicates in a row
        ("was_live", "<i8"),
        ("resyncing", "<i8"),  # LIVE was lost before the last snapshot
        ("held", "<i8"),  # the levels are those of a snapshot that was refused
    ]
)
"""One instrument's book: what is known of it, without its levels."""

KIND_SLOTS: Final = 32

LIVE: Final = int(BookState.LIVE)
STALE: Final = int(BookState.STALE)
CROSSED: Final = int(BookState.CROSSED)


@kernel()
def common_grain(grain: int, price: int) -> int:
    """Return the greatest common divisor of a grain (0 for none yet) and a price."""
    if grain == 0:
        return max(abs(price), 1) if price > -(2**63) else 1
    rest = price % grain
    while rest != 0:
        grain, rest = rest, grain % rest
    return grain


@kernel()
def distrust(row: BookRow, state: int) -> None:
    """Leave the LIVE state: the book stays as it was and a snapshot is wanted."""
    row["state"] = state
    row["wanted"] += 1


@kernel()
def become_live(row: BookRow) -> None:
    """Trust the book and count whether it had been trusted before."""
    row["state"] = LIVE
    row["held"] = 0
    row["resyncs"] += row["resyncing"]
    row["was_live"] = 1


@kernel(inline=True)
def clear_book(row: BookRow, memory: Words) -> None:
    """Remove every level of both sides."""
    clear_ladder(memory, row["bids"])
    clear_ladder(memory, row["asks"])


@kernel(inline=True)
def _refine(row: BookRow, memory: Words, price: int) -> None:
    """Make the grain fine enough for a price."""
    grain = common_grain(int(memory[row["bids"] + GRAIN]), price)
    set_grain(memory, row["bids"], grain)
    set_grain(memory, row["asks"], grain)


@kernel(inline=True)
def _note_orphan(row: BookRow, memory: Words, at: int, price: int, mask: int) -> None:
    """Count the removal of an absent level; beyond the subscribed depth it proves nothing."""
    row["orphans"] += 1
    if row["strict"] == 0:
        return
    full = row["depth"] > 0 and count_levels(memory, at) >= row["depth"]
    if full and (price ^ mask) > (worst_price(memory, at) ^ mask):
        return
    row["diverged"] += 1


@kernel()
def set_level(row: BookRow, memory: Words, side: int, price: int, size: int) -> None:
    """Set or remove (size 0) one level of the book, refining the grain where needed."""
    at = row["bids"] if side > 0 else row["asks"]
    code = put_level(memory, at, price, size)
    if code == MISFIT and size != 0:
        _refine(row, memory, price)
        put_level(memory, at, price, size)
    elif code != 0:
        _note_orphan(row, memory, at, price, -1 if side > 0 else 0)


@kernel()
def _follow(memory: Words, at: int) -> None:
    """Recentre a window whose best level has drifted to its worse half."""
    best = memory[at + BEST]
    if memory[at + OUTSIDE] > 0 and best > (memory[at + WINDOW] >> 1):
        recentre(memory, at, memory[at + BASE] + best * memory[at + GRAIN])


@kernel()
def publish(row: BookRow, memory: Words) -> None:
    """Trim to the subscribed depth, follow the touch and write the best levels into the row."""
    bids = row["bids"]
    asks = row["asks"]
    if row["depth"] > 0:
        trim_ladder(memory, bids, row["depth"])
        trim_ladder(memory, asks, row["depth"])
    _follow(memory, bids)
    _follow(memory, asks)
    row["bid_levels"] = count_levels(memory, bids)
    row["ask_levels"] = count_levels(memory, asks)
    row["bid"] = best_price(memory, bids) if row["bid_levels"] > 0 else 0
    row["bid_size"] = best_size(memory, bids) if row["bid_levels"] > 0 else 0
    row["ask"] = best_price(memory, asks) if row["ask_levels"] > 0 else 0
    row["ask_size"] = best_size(memory, asks) if row["ask_levels"] > 0 else 0


@kernel()
def settle(row: BookRow, memory: Words, diverged: int, checksum: int, flags: int) -> None:
    """Publish a complete message and judge the book it made.

    Parameters
    ----------
    diverged : int
        The row's count of the same name before the message.
    checksum, flags : int
        What the message says of the book (see `book_checksum`).
    """
    publish(row, memory)
    row["updates"] += 1
    proven = is_proven(row, memory, checksum, flags)
    if not proven:
        row["mismatched"] += 1
        row["gaps"] += 1
    if row["bid_levels"] > 0 and row["ask_levels"] > 0 and row["bid"] >= row["ask"]:
        row["crossed"] += 1
        distrust(row, CROSSED)
    elif not proven or row["diverged"] != diverged:
        distrust(row, STALE)
