"""Whole books against their slow twins and against the venue's own book."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from numpy.typing import NDArray
from tests.reference.book_invariants import check_ladder
from tests.reference.book_records import book_message, records, table
from tests.reference.book_twin import SlowBook, compare
from tests.reference.book_venue import Change, VenueBook, changes

from bot4_core.domain_types.records import BookState, ChainRule, EventKind, Side
from bot4_core.market.order_book import Books

VENUES = [
    (ChainRule.RANGE, False),
    (ChainRule.LINK, False),
    (ChainRule.LINK, True),
    (ChainRule.STEP, False),
    (ChainRule.NONE, False),
    (ChainRule.CHECKSUM, False),
]
LIVE = BookState.LIVE


def altered(message: NDArray[np.void], field: str, by: int) -> NDArray[np.void]:
    copy = message.copy()
    copy[field] += by
    return copy


class BookMachine(RuleBasedStateMachine):
    """A venue, a feed that loses, repeats, swaps and damages, a book and its twin."""

    @initialize(
        venue=st.sampled_from(VENUES),
        middle=st.sampled_from([61_700_000, 6_170_000_000_000, 50, 0]),
        depth=st.sampled_from([0, 0, 5]),
        tick=st.sampled_from([0, 1, 10, 1000]),
    )
    def start(self, venue: tuple[ChainRule, bool], middle: int, depth: int, tick: int) -> None:
        rule, okx = venue
        if rule is ChainRule.CHECKSUM:  # of digits: no price is below zero
            middle += 10**9
        self.venue = VenueBook(rule, middle, okx=okx)
        self.books = Books(table(rule, depth=depth, tick=tick))
        self.twin = SlowBook(rule, depth=depth)
        self.depth = depth
        self.honest = rule is not ChainRule.NONE
        self.deliver(self.venue.snapshot())

    def deliver(self, message: NDArray[np.void]) -> None:
        assert self.books.apply(message) == message.size
        self.twin.apply(message)

    @rule(change=changes())
    def update(self, change: Change) -> None:
        self.deliver(self.venue.delta(change))

    @rule(made=st.lists(changes(), min_size=2, max_size=6))
    def updates_in_one_call(self, made: list[Change]) -> None:
        messages = [self.venue.delta(change) for change in made]
        rows = np.concatenate(messages)
        assert self.books.apply(rows) == rows.size
        for message in messages:
            self.twin.apply(message)

    @rule(change=changes())
    def lose(self, change: Change) -> None:
        self.venue.delta(change)

    @rule(change=changes())
    def repeat(self, change: Change) -> None:
        message = self.venue.delta(change)
        self.deliver(message)
        self.deliver(message)

    @rule(one=changes(), two=changes())
    def swap(self, one: Change, two: Change) -> None:
        first, second = self.venue.delta(one), self.venue.delta(two)
        self.deliver(second)
        self.deliver(first)

    @rule(
        change=changes(),
        field=st.sampled_from(["sequence", "aux", "link"]),
        by=st.integers(-20, 20),
    )
    def damage(self, change: Change, field: str, by: int) -> None:
        self.honest = False  # a forged id can by chance be a right one
        self.deliver(altered(self.venue.delta(change), field, by))

    @rule()
    def resync(self) -> None:
        self.deliver(self.venue.snapshot())

    @rule(back=st.integers(1, 4))
    def resync_late(self, back: int) -> None:
        past = sorted(self.venue.history)[-back:]
        self.deliver(self.venue.snapshot(past[0]))

    @rule(change=changes())
    def restart_ids(self, change: Change) -> None:
        if self.venue.rule is not ChainRule.STEP:
            return
        self.venue.sides[0].clear()
        self.venue.sides[1].clear()
        self.venue.history.clear()
        self.venue.last = 0
        self.deliver(self.venue.delta(change))

    @rule()
    def adapter_reports_a_gap(self) -> None:
        self.deliver(records([{"kind": EventKind.GAP}]))

    @rule(buy=st.booleans(), size=st.integers(0, 3))
    def cross_or_lock(self, buy: bool, size: int) -> None:
        """Send a wild level with right ids; both books must judge it alike."""
        self.honest = False
        side = Side.BUY if buy else Side.SELL
        price = self.venue.middle + (10_000 if buy else -10_000)
        first, last, link = self.venue.ids(Change((), 0, 1))
        self.venue.last = last
        self.venue.remember()
        self.deliver(book_message([(side, price, size)], first=first, last=last, link=link))

    @invariant()
    def _check(self) -> None:
        if not hasattr(self, "books"):
            return
        book = self.books[0]
        compare(book, self.twin)
        for field in ("bids", "asks"):
            check_ladder(self.books.memory.words, int(book.row[field]))
        if book.state is LIVE:
            bid, ask = book.best_bid(), book.best_ask()
            assert bid is None or ask is None or bid.price.value < ask.price.value
        if self.depth:
            assert max(book.level_counts) <= self.depth

    @invariant()
    @precondition(lambda self: hasattr(self, "books") and self.honest and not self.depth)
    def live_book_is_the_venues_book(self) -> None:
        if self.books[0].state is not LIVE:
            return
        covered = 10 if self.venue.rule is ChainRule.CHECKSUM else None
        for held, sent in zip(
            self.twin.levels(), self.venue.levels_at(self.books[0].sequence), strict=True
        ):
            assert held[:covered] == sent[:covered]


TestBook = BookMachine.TestCase


@given(
    venues=st.lists(st.sampled_from(VENUES), min_size=2, max_size=3),
    made=st.lists(st.tuples(st.integers(0, 2), changes()), max_size=30),
    cut=st.integers(0, 200),
)
def test_slices_and_mixed_instruments_do_not_matter(
    venues: list[tuple[ChainRule, bool]], made: list[tuple[int, Change]], cut: int
) -> None:
    feed = [VenueBook(rule, 1_000_000, i, okx) for i, (rule, okx) in enumerate(venues)]
    messages = [venue.snapshot() for venue in feed]
    messages += [feed[i % len(feed)].delta(change) for i, change in made]
    rows = np.concatenate(messages)
    whole, single, split = (Books(table(*[rule for rule, _ in venues])) for _ in range(3))
    assert whole.apply(rows) == rows.size
    for message in messages:
        single.apply(message)
    done = split.apply(rows, 0, min(cut, rows.size))
    assert done <= cut
    assert split.apply(rows, done) == rows.size
    for venue, *books in zip(feed, whole, single, split, strict=True):
        for book in books:
            assert book.state is LIVE
            assert book.digest() == books[0].digest()
            bids, asks = book.levels()
            shown = tuple([(v.price.value, v.size.value) for v in side] for side in (bids, asks))
            assert shown == venue.levels_at(venue.last)


@given(st.lists(changes(), min_size=1, max_size=10), st.data())
def test_message_cut_anywhere_is_not_begun(made: list[Change], data: st.DataObject) -> None:
    venue = VenueBook(ChainRule.LINK, 1_000_000)
    books = Books(table(ChainRule.LINK))
    books.apply(venue.snapshot())
    for change in made:
        message = venue.delta(change)
        before = books[0].digest(), books[0].counters
        cut = data.draw(st.integers(0, message.size - 1))
        assert books.apply(message, 0, cut) == 0
        assert (books[0].digest(), books[0].counters) == before
        assert books.apply(message) == message.size


@pytest.mark.parametrize("rule", [ChainRule.RANGE, ChainRule.LINK, ChainRule.STEP])
@given(made=st.lists(changes(), min_size=1, max_size=12), at=st.integers(0, 11))
def test_deltas_kept_before_the_snapshot_are_replayed(
    rule: ChainRule, made: list[Change], at: int
) -> None:
    venue = VenueBook(rule, 1_000_000)
    messages, snapshots = [], [venue.snapshot()]
    for change in made:
        messages.append(venue.delta(change))
        snapshots.append(venue.snapshot())
    books = Books(table(rule))
    for message in messages:
        books.apply(message)
    assert books[0].state is BookState.SYNCING
    books.apply(snapshots[min(at, len(made))])
    assert books[0].state is LIVE
    later = Books(table(rule))
    later.apply(snapshots[-1])
    assert books[0].digest() == later[0].digest()
    assert books[0].sequence == later[0].sequence
