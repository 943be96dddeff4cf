"""A venue's own book: makes the messages that a client would see, and remembers every state."""

from typing import TypeAlias

import attrs
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.reference.book_records import Level, book_message
from tests.reference.book_twin import digits_checksum

from bot4_core.domain_types.records import ChainRule, EventFlag, Side

Sides: TypeAlias = tuple[dict[int, int], dict[int, int]]


@attrs.frozen
class Change:
    """What one message does, before prices are made absolute."""

    levels: tuple[tuple[bool, int, int], ...]  # buy, distance from the middle, size
    skip: int
    length: int


def changes(most: int = 6) -> st.SearchStrategy[Change]:
    """Draw messages whose levels lie near the touch, far away, and off the usual grain."""
    distance = st.one_of(
        st.integers(1, 40).map(lambda n: 10 * n),
        st.integers(1, 5000).map(lambda n: 10 * n),
        st.integers(1, 10**7),
    )
    level = st.tuples(st.booleans(), distance, st.sampled_from([0, 0, 1, 2, 5, 10**12]))
    return st.builds(
        Change,
        st.lists(level, max_size=most).map(tuple),
        st.integers(0, 3),
        st.integers(0, 4),
    )


@attrs.define
class VenueBook:
    """One instrument at a venue of the given rule; ``okx`` sends links without first ids."""

    rule: ChainRule
    middle: int
    instrument: int = 0
    okx: bool = False
    last: int = 100
    sides: Sides = attrs.field(factory=lambda: ({}, {}))
    history: dict[int, Sides] = attrs.field(factory=dict)
    shown: set[int] = attrs.field(factory=set)  # ids of snapshots, after which ids do not jump

    def __attrs_post_init__(self) -> None:
        self.remember()

    def remember(self) -> None:
        self.history[self.last] = (dict(self.sides[0]), dict(self.sides[1]))

    def ids(self, change: Change) -> tuple[int, int, int]:
        """Return first, last and link of the next message."""
        before = self.last
        if self.rule is ChainRule.RANGE:
            return before + 1, before + 1 + change.length, -1
        if self.rule is ChainRule.LINK and self.okx:
            return -1, before + (change.length if change.levels else 0), before
        if self.rule is ChainRule.LINK:
            first = before + 1 + (0 if before in self.shown else change.skip)
            return first, first + change.length, before
        return -1, before + 1, -1

    def delta(self, change: Change) -> NDArray[np.void]:
        """Change the book and return the message that says so."""
        levels: list[Level] = []
        if self.okx and change.length == 0:
            change = attrs.evolve(change, levels=())
        for buy, distance, size in change.levels:
            side, book = (Side.BUY, self.sides[0]) if buy else (Side.SELL, self.sides[1])
            price = self.middle - distance if buy else self.middle + distance
            if size == 0 and price not in book:
                continue
            levels.append((side, price, size))
            if size:
                book[price] = size
            else:
                del book[price]
        first, self.last, link = self.ids(change)
        self.remember()
        message = book_message(
            levels, first=first, last=self.last, link=link, instrument=self.instrument
        )
        return self.checked(message, self.last)

    def checked(self, message: NDArray[np.void], last: int) -> NDArray[np.void]:
        """Return the message with the checksum of the book as of an id, where the rule wants it."""
        if self.rule is ChainRule.CHECKSUM:
            message[-1]["price"] = digits_checksum(*self.levels_at(last))
            message[-1]["flags"] |= EventFlag.DIGITS_CHECKED
        return message

    def snapshot(self, at: int | None = None) -> NDArray[np.void]:
        """Return the whole book as of an id, now by default."""
        last = self.last if at is None else at
        bids, asks = self.history[last]
        self.shown.add(last)
        levels = [(Side.BUY, price, bids[price]) for price in sorted(bids, reverse=True)]
        levels += [(Side.SELL, price, asks[price]) for price in sorted(asks)]
        message = book_message(levels, last=last, snapshot=True, instrument=self.instrument)
        return self.checked(message, last)

    def levels_at(self, last: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the levels as of an id, best first."""
        bids, asks = self.history[last]
        return sorted(bids.items(), reverse=True), sorted(asks.items())
