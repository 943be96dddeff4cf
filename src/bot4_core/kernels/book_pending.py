"""Deltas kept while a book waits for its snapshot, and their replay after it."""

from typing import Final

from bot4_core.domain_types.records import BookState, ChainRule
from bot4_core.jit import kernel
from bot4_core.kernels.book_state import BookRow, Events, distrust, set_level, settle
from bot4_core.kernels.book_sync import CONTINUES, MISSING, accept_delta, judge_delta
from bot4_core.kernels.book_window import Words

__all__ = ["KEPT_HEADER", "KEPT_LEVEL", "forget_oldest", "keep_delta", "replay_pending"]

LIVE: Final = int(BookState.LIVE)
SYNCING: Final = int(BookState.SYNCING)
STALE: Final = int(BookState.STALE)
NONE: Final = int(ChainRule.NONE)
CHECKSUM: Final = int(ChainRule.CHECKSUM)

# words of a kept delta, before its levels
COUNT: Final = 0
FIRST: Final = 1
LAST: Final = 2
LINK: Final = 3
TIME: Final = 4
RECEIVED: Final = 5
APPLIED: Final = 6
CHECKED: Final = 7
FLAGS: Final = 8
KEPT_HEADER: Final = 9
KEPT_LEVEL: Final = 3  # price, size, side


@kernel(inline=True)
def forget_oldest(row: BookRow, memory: Words, room: int) -> None:
    """Drop the oldest kept deltas until ``room`` words are free."""
    start = row["pending"]
    stop = start + row["pending_used"]
    at = start
    while at < stop and row["pending_size"] - (stop - at) < room:
        at += KEPT_HEADER + KEPT_LEVEL * memory[at + COUNT]
        row["dropped"] += 1
    for i in range(stop - at):
        memory[start + i] = memory[at + i]
    row["pending_used"] = stop - at


@kernel()
def keep_delta(row: BookRow, memory: Words, events: Events, begin: int, end: int) -> None:
    """Keep the delta in ``events[begin:end]``, its closing record last, for a later snapshot."""
    count = end - begin - 1
    words = KEPT_HEADER + KEPT_LEVEL * count
    if row["chain"] == NONE or row["chain"] == CHECKSUM or words > row["pending_size"]:
        row["dropped"] += 1
        return
    if row["pending_used"] + words > row["pending_size"]:
        forget_oldest(row, memory, max(row["pending_size"] >> 1, words))
    at = row["pending"] + row["pending_used"]
    closing = events[end - 1]
    memory[at + COUNT] = count
    memory[at + FIRST] = closing["aux"]
    memory[at + LAST] = closing["sequence"]
    memory[at + LINK] = closing["link"]
    memory[at + TIME] = closing["time"]
    memory[at + RECEIVED] = closing["received"]
    memory[at + APPLIED] = 0
    memory[at + CHECKED] = closing["price"]
    memory[at + FLAGS] = closing["flags"]
    at += KEPT_HEADER
    for j in range(begin, end - 1):
        event = events[j]
        memory[at] = event["price"]
        memory[at + 1] = event["size"]
        memory[at + 2] = event["side"]
        at += KEPT_LEVEL
    row["pending_used"] += words


@kernel(inline=True)
def _apply_kept(row: BookRow, memory: Words, at: int) -> None:
    """Apply one kept delta."""
    diverged = row["diverged"]
    level = at + KEPT_HEADER
    for _ in range(memory[at + COUNT]):
        set_level(row, memory, memory[level + 2], memory[level], memory[level + 1])
        level += KEPT_LEVEL
    memory[at + APPLIED] = 1
    accept_delta(row, memory[at + FIRST], memory[at + LAST], memory[at + LINK])
    row["time"] = memory[at + TIME]
    row["received"] = memory[at + RECEIVED]
    settle(row, memory, diverged, memory[at + CHECKED], memory[at + FLAGS])


@kernel()
def _replay_once(row: BookRow, memory: Words) -> tuple[int, int]:
    """Apply what continues the book, oldest first; return how many did and how many do not fit."""
    applied = 0
    missing = 0
    at = row["pending"]
    stop = at + row["pending_used"]
    while at < stop and row["state"] == LIVE:
        if memory[at + APPLIED] == 0:
            first, last, link = memory[at + FIRST], memory[at + LAST], memory[at + LINK]
            verdict = judge_delta(row, int(first), int(last), int(link))
            if verdict == CONTINUES:
                _apply_kept(row, memory, at)
                applied += 1
            elif verdict == MISSING:
                missing += 1
        at += KEPT_HEADER + KEPT_LEVEL * memory[at + COUNT]
    return applied, missing


@kernel(inline=True)
def _reset_applied(row: BookRow, memory: Words) -> None:
    """Mark every kept delta as not applied."""
    at = row["pending"]
    stop = at + row["pending_used"]
    while at < stop:
        memory[at + APPLIED] = 0
        at += KEPT_HEADER + KEPT_LEVEL * memory[at + COUNT]


@kernel(inline=True)
def replay_pending(row: BookRow, memory: Words) -> None:
    """Continue a fresh snapshot with the kept deltas, in whatever order they fit.

    Leaves the book LIVE and nothing kept; or SYNCING with the snapshot's levels held, when the
    first kept delta starts after the snapshot; or STALE, when the kept deltas have a hole; or as
    ``settle`` judged it.
    """
    _reset_applied(row, memory)
    applied, missing = _replay_once(row, memory)
    while applied > 0 and missing > 0:
        applied, missing = _replay_once(row, memory)
    if row["state"] != LIVE:
        return
    if missing == 0:
        row["pending_used"] = 0
    elif row["bridged"] == 0:
        row["refused"] += 1
        row["held"] = 1
        distrust(row, SYNCING)
    else:
        row["gaps"] += 1
        distrust(row, STALE)
