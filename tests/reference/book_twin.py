"""The slow, obviously right order book: a SortedDict a side, rules written out one by one."""

from collections.abc import MutableMapping
from decimal import Decimal
from itertools import zip_longest
from typing import Any, TypeAlias
from zlib import crc32

import attrs
import numpy as np
from numpy.typing import NDArray
from sortedcontainers import SortedDict

from bot4_core.domain_types.records import BookState, ChainRule, EventFlag, EventKind, Side

Level: TypeAlias = tuple[int, int, int]  # side, price, size
Ladder: TypeAlias = MutableMapping[int, int]  # SortedDicts: iterated in key order
MOST_REPEATS = 1024


def digits_checksum(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> int:
    """Return the CRC-32 of the best levels' digits, asks first."""
    levels = [*asks[:10], *bids[:10]]
    return crc32("".join(str(number).lstrip("0") for level in levels for number in level).encode())


def pairs_checksum(
    bids: list[tuple[int, int]], asks: list[tuple[int, int]], exponents: tuple[int, int]
) -> int:
    """Return the signed CRC-32 of the best levels' decimals, bid and ask in turns."""
    texts = [
        f"{Decimal(value).scaleb(exponent).normalize():f}"
        for both in zip_longest(bids[:25], asks[:25], fillvalue=())
        for level in both
        for value, exponent in zip(level, exponents, strict=False)
    ]
    found = crc32(":".join(texts).encode())
    return found - 2**32 if found >= 2**31 else found


@attrs.define
class Delta:
    """One book message."""

    first: int
    last: int
    link: int
    levels: list[Level]
    checksum: int = 0
    flags: int = 0

    @property
    def ids(self) -> tuple[int, int, int]:
        return self.first, self.last, self.link


@attrs.define
class SlowBook:
    """One instrument's book, at any cost."""

    rule: ChainRule
    depth: int = 0
    exponents: tuple[int, int] = (-2, -3)
    state: BookState = BookState.SYNCING
    bids: Ladder = attrs.field(factory=SortedDict[int, int])  # by negated price
    asks: Ladder = attrs.field(factory=SortedDict[int, int])
    local: Delta = attrs.field(factory=lambda: Delta(-1, -1, -1, []))
    bridged: bool = False
    ranged: bool = False
    was_live: bool = False
    resyncing: bool = False
    held: bool = False  # the levels are those of a refused snapshot
    repeats: int = 0
    pending: list[Delta] = attrs.field(factory=list)
    counters: dict[str, int] = attrs.field(factory=dict)

    def count(self, name: str) -> None:
        self.counters[name] = self.counters.get(name, 0) + 1

    def levels(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return (price, size) of bids and asks, best first."""
        return [(-k, v) for k, v in self.bids.items()], list(self.asks.items())

    def apply(self, rows: NDArray[np.void]) -> None:
        """Apply the records of one complete message of this instrument."""
        head = rows[0]
        kind = EventKind(int(head["kind"]))
        if kind is EventKind.GAP:
            self.count("gaps")
            if self.state is BookState.LIVE:
                self.leave(BookState.STALE)
        if kind > EventKind.BOOK_END:
            return
        levels = [
            (int(row["side"]), int(row["price"]), int(row["size"]))
            for row in rows
            if row["kind"] == EventKind.BOOK_SET
        ]
        delta = Delta(int(head["aux"]), int(head["sequence"]), int(head["link"]), levels)
        delta.checksum, delta.flags = int(rows[-1]["price"]), int(rows[-1]["flags"])
        restarts = self.rule is ChainRule.STEP and delta.last == 1 and self.local.last != 0
        if int(head["flags"]) & EventFlag.SNAPSHOT or restarts:
            self.take_snapshot(delta)
        elif self.state is BookState.LIVE:
            self.take_delta(delta)
        elif self.continues_refused(delta):
            self.pending.clear()
            self.become_live()
            self.take_delta(delta)
        elif self.rule not in (ChainRule.NONE, ChainRule.CHECKSUM):
            self.pending.append(delta)
        else:
            self.count("dropped")

    def leave(self, state: BookState) -> None:
        self.state = state
        self.count("wanted")

    def take_snapshot(self, snapshot: Delta) -> None:
        can_be_old = self.rule is ChainRule.RANGE or (self.rule is ChainRule.LINK and self.ranged)
        if self.state is BookState.LIVE and can_be_old and snapshot.last <= self.local.last:
            self.count("outdated")
            return
        if self.rule is ChainRule.STEP and snapshot.last == 1:
            self.pending.clear()
        self.resyncing = self.state is not BookState.LIVE and self.was_live
        self.held = False
        self.bids.clear()
        self.asks.clear()
        self.count("snapshots")
        self.state = BookState.LIVE
        self.bridged, self.ranged = False, False
        self.set_levels(snapshot)
        self.local = Delta(-1, snapshot.last, -1, [])
        self.repeats = 0
        self.replay()
        if self.state is BookState.LIVE:
            self.become_live()

    def become_live(self) -> None:
        self.state = BookState.LIVE
        self.held = False
        if self.resyncing:
            self.count("resyncs")
        self.was_live = True

    def is_live(self) -> bool:
        return self.state is BookState.LIVE

    def replay(self) -> None:
        waiting = list(self.pending)
        moved, left = True, True
        while moved and left and self.is_live():
            moved, left, todo, waiting = False, False, waiting, []
            for delta in todo:
                verdict = self.judge(delta) if self.is_live() else "unread"
                if verdict == "next":
                    self.advance(delta)
                    moved = True
                else:
                    waiting.append(delta)
                    left |= verdict == "gap"
        if not self.is_live():
            return
        if not left:
            self.pending.clear()
        elif not self.bridged:
            self.count("refused")
            self.held = True
            self.leave(BookState.SYNCING)
        else:
            self.count("gaps")
            self.leave(BookState.STALE)

    def continues_refused(self, delta: Delta) -> bool:
        """Return whether a delta proves that a refused snapshot was the current one."""
        return self.held and self.judge(delta) == "next"

    def take_delta(self, delta: Delta) -> None:
        verdict = self.judge(delta)
        if verdict == "next":
            self.advance(delta)
            return
        if verdict == "old":
            self.count("duplicates")
            self.repeats += 1
            if self.repeats <= MOST_REPEATS:
                return
        self.count("gaps")
        self.leave(BookState.STALE)
        self.pending = [delta]

    def judge(self, delta: Delta) -> str:
        rules = {
            ChainRule.NONE: lambda _: "next",
            ChainRule.CHECKSUM: lambda _: "next",
            ChainRule.STEP: self.judge_step,
            ChainRule.RANGE: self.judge_range,
            ChainRule.LINK: self.judge_link,
        }
        return str(rules[self.rule](delta))

    def judge_step(self, delta: Delta) -> str:
        if delta.last <= self.local.last:
            return "old"
        return "next" if delta.last == self.local.last + 1 else "gap"

    def judge_range(self, delta: Delta) -> str:
        local = self.local.last
        if not 0 <= delta.first <= delta.last:
            return "gap"
        if not self.bridged:
            if delta.last <= local:
                return "old"
            return "next" if delta.first <= local + 1 <= delta.last else "gap"
        if delta.first == local + 1:
            return "next"
        same = (delta.first, delta.last) == (self.local.first, local)
        return "old" if same or delta.last < self.local.first else "gap"

    def judge_link(self, delta: Delta) -> str:
        if not self.bridged:
            return self.judge_bridge(delta)
        if delta.link == self.local.last:
            return "next"
        same = delta.ids == self.local.ids
        return "old" if same or delta.last <= self.local.link else "gap"

    def judge_bridge(self, delta: Delta) -> str:
        local = self.local.last
        linked = delta.link == local
        if delta.first < 0:
            if linked or delta.link < local < delta.last:
                return "next"
            return "old" if delta.last <= local else "gap"
        if (linked and delta.first == local + 1) or delta.first <= local <= delta.last:
            return "next"
        return "old" if delta.last < local else "gap"

    def advance(self, delta: Delta) -> None:
        self.local = Delta(*delta.ids, [])
        self.bridged = True
        self.ranged = delta.first >= 0
        self.repeats = 0
        self.set_levels(delta)

    def set_levels(self, delta: Delta) -> None:
        diverged = False
        for side, price, size in delta.levels:
            diverged |= self.set_level(side, price, size)
        if self.depth:
            for book in (self.bids, self.asks):
                while len(book) > self.depth:
                    book.popitem()
        self.count("updates")
        proven = self.is_proven(delta)
        if not proven:
            self.count("mismatched")
            self.count("gaps")
        if self.bids and self.asks and -next(iter(self.bids)) >= next(iter(self.asks)):
            self.count("crossed")
            self.leave(BookState.CROSSED)
        elif diverged or not proven:
            self.leave(BookState.STALE)

    def is_proven(self, delta: Delta) -> bool:
        if delta.flags & EventFlag.DIGITS_CHECKED:
            return delta.checksum == digits_checksum(*self.levels())
        if delta.flags & EventFlag.PAIRS_CHECKED:
            return delta.checksum == pairs_checksum(*self.levels(), self.exponents)
        return self.rule is not ChainRule.CHECKSUM

    def set_level(self, side: int, price: int, size: int) -> bool:
        """Set one level; return whether it proves that the book has diverged."""
        book = self.bids if side == Side.BUY else self.asks
        key = -price if side == Side.BUY else price
        if size:
            book[key] = size
            return False
        if book.pop(key, None) is not None:
            return False
        self.count("orphans")
        beyond = 0 < self.depth <= len(book) and key > max(book)
        return self.rule in (ChainRule.STEP, ChainRule.CHECKSUM) and not beyond


def compare(book: Any, twin: SlowBook) -> None:
    """Assert that a fast book (``OrderBook``) equals its twin in every visible respect."""
    assert book.state is twin.state
    assert book.sequence == twin.local.last
    levels = tuple(
        [(int(p), int(s)) for p, s in zip(*book.scaled_levels(side), strict=True)]
        for side in (Side.BUY, Side.SELL)
    )
    assert levels == twin.levels()
    assert book.level_counts == (len(twin.bids), len(twin.asks))
    expected = {name: twin.counters.get(name, 0) for name in book.counters}
    expected["wanted"] += 1
    expected |= {name: book.counters[name] for name in ("malformed", "trades", "quotes")}
    assert book.counters == expected
