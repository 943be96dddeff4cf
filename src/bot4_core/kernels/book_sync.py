"""Proof that no book update is missing: chain rules, kept deltas, snapshots.

Rules by venue (``ChainRule``); *local* is the id of the last message applied, and a book is
*bridged* once a delta has continued the snapshot.

========= ============================ ===========================================================
rule      first delta after a snapshot every later delta
========= ============================ ===========================================================
RANGE     first <= local + 1 <= last   first == local + 1
LINK      first <= local <= last, or   link == local (an id below the link is a documented reset)
          link == local == first - 1
LINK, no  link == local, or            link == local
first id  link < local < last
STEP      last == local + 1            last == local + 1; last == 1 is a snapshot
NONE      any                          any
CHECKSUM  any; a wrong checksum of the book that it makes is a gap
========= ============================ ===========================================================

A futures delta that only links to the snapshot, its first id further on, is not taken: the delta
that ended on the snapshot's id was lost, and with it levels that a snapshot of limited depth
does not have.

A snapshot that the kept deltas do not continue is refused, but its levels are held: should the
next delta continue it after all, then what was kept belongs to ids from before a restart.

A delta that lies wholly before the last one, or equals it, is a duplicate. Anything else is a gap:
in particular a delta that overlaps what is known, which no fault-free venue sends.
"""

from typing import Final

from bot4_core.domain_types.records import BookState, ChainRule
from bot4_core.jit import kernel
from bot4_core.kernels.book_state import BookRow

__all__ = [
    "CONTINUES",
    "DUPLICATE",
    "MISSING",
    "MOST_REPEATS",
    "accept_delta",
    "is_first",
    "is_outdated",
    "is_reset",
    "judge_delta",
]

LIVE: Final = int(BookState.LIVE)
RANGE: Final = int(ChainRule.RANGE)
LINK: Final = int(ChainRule.LINK)
STEP: Final = int(ChainRule.STEP)

CONTINUES: Final = 0
DUPLICATE: Final = 1
MISSING: Final = 2

MOST_REPEATS: Final = 1024
"""A longer run of duplicates means that the venue has restarted its ids."""


@kernel(inline=True)
def _judge_range(row: BookRow, first: int, last: int) -> int:
    local = row["last"]
    if first < 0 or first > last:
        return MISSING
    if row["bridged"] == 0:
        if last <= local:
            return DUPLICATE
        return CONTINUES if first - 1 <= local else MISSING
    if first - 1 == local:
        return CONTINUES
    if last < row["first"] or (first == row["first"] and last == local):
        return DUPLICATE
    return MISSING


@kernel(inline=True)
def _judge_bridge(row: BookRow, first: int, last: int, link: int) -> int:
    local = row["last"]
    if first >= 0:
        if link == local and first - 1 == local:
            return CONTINUES
        if last < local:
            return DUPLICATE
        return CONTINUES if first <= local else MISSING
    if link == local:
        return CONTINUES
    if last <= local:
        return DUPLICATE
    return CONTINUES if link < local else MISSING


@kernel(inline=True)
def _judge_link(row: BookRow, first: int, last: int, link: int) -> int:
    if row["bridged"] == 0:
        return _judge_bridge(row, first, last, link)
    if link == row["last"]:
        return CONTINUES
    if last <= row["link"]:
        return DUPLICATE
    if last == row["last"] and link == row["link"] and first == row["first"]:
        return DUPLICATE
    return MISSING


@kernel()
def judge_delta(row: BookRow, first: int, last: int, link: int) -> int:
    """Say whether a delta continues the book, repeats what is known, or shows a gap."""
    chain = row["chain"]
    if chain == RANGE:
        return _judge_range(row, first, last)
    if chain == LINK:
        return _judge_link(row, first, last, link)
    if chain == STEP:
        if last <= row["last"]:
            return DUPLICATE
        return CONTINUES if last - 1 == row["last"] else MISSING
    return CONTINUES


@kernel()
def accept_delta(row: BookRow, first: int, last: int, link: int) -> None:
    """Remember the ids of a delta that was applied."""
    row["first"] = first
    row["last"] = last
    row["link"] = link
    row["bridged"] = 1
    row["ranged"] = 1 if first >= 0 else 0
    row["repeats"] = 0


@kernel()
def is_first(row: BookRow, last: int) -> bool:
    """Say whether an id begins a new run of ids, so that what was kept before is void."""
    return bool(row["chain"] == STEP and last == 1)


@kernel()
def is_reset(row: BookRow, last: int) -> bool:
    """Say whether a delta's id announces a new book (Bybit restarts at 1)."""
    return is_first(row, last) and row["last"] != 0


@kernel(inline=True)
def is_outdated(row: BookRow, last: int) -> bool:
    """Say whether a snapshot is older than a LIVE book that a REST snapshot cannot improve."""
    if row["state"] != LIVE or last > row["last"]:
        return False
    return bool(row["chain"] == RANGE or (row["chain"] == LINK and row["ranged"] == 1))
