"""What every exchange adapter passes: its market data. Orders stand in ``order_conformance``.

``E01``-``E19`` ask for bytes in and events out, ``E20`` on for the integrity of books.
"""

import itertools
import tracemalloc
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

import numpy as np

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.records import BookState, EventFlag, EventKind, Records
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities
from bot4_core.errors import Bot4Error
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.plugins.exchange import Exchange, Outbound
from bot4_core.testing.conformance import ConformanceKit, demand, exempt

__all__ = ["ExchangeConformance", "Heard"]

MOMENT: Final = Nanoseconds(1_700_000_000_000_000_000)
STEP: Final = 1_000_000
BOOK_KINDS: Final = (EventKind.BOOK_CLEAR, EventKind.BOOK_SET, EventKind.BOOK_END)
NONSENSE: Final = (b"", b"{", b"[]", b"null", b'{"a":1}', b"\xff\xfe\x00", b'"' * 40, b"[" * 2000)


class Heard(NamedTuple):
    """A message, or where ``path`` is set the body of the reply to a request for it."""

    data: bytes
    path: str = ""


class Played(NamedTuple):
    """What an adapter and its books came to, and what every book was after each message."""

    records: Records
    books: Books
    states: list[tuple[BookState, ...]]
    digests: list[tuple[str, ...]]


class ExchangeConformance(ConformanceKit, ABC):
    """Cases for adapters; say how to make one, and what its venue says.

    The messages are market data of one connection in the order of arrival, with metadata first if
    the venue sends it. They leave every book LIVE and hold at least four book updates after the
    last snapshot. So that a loss can show, each update sets a level of its own, and all set one
    that they share to different sizes.
    """

    market: ClassVar[str] = ""
    """Of ``markets``; the first one where it is left out."""

    @abstractmethod
    def adapter(self) -> Exchange:
        """Return a fresh adapter; two of them share nothing."""

    @abstractmethod
    def messages(self) -> Sequence[Heard]:
        """Return what the venue says."""

    @property
    def capabilities(self) -> Capabilities:
        """The row of the market that is tested."""
        adapter = self.adapter()
        table = type(adapter).capabilities
        name = self.market or adapter.markets[0]
        demand(name in table, f"capabilities say nothing of market {name!r}")
        return table[name]

    def test_e01_names(self) -> None:
        """The adapter has a name, markets, and a capability row with date and source for each."""
        adapter = self.adapter()
        demand(adapter.name and adapter.name == adapter.name.lower(), f"name {adapter.name!r}")
        demand(adapter.markets, "there are no markets")
        for market in adapter.markets:
            row = type(adapter).capabilities.get(market)
            if row is None:
                raise AssertionError(f"capabilities say nothing of market {market!r}")
            demand(row.as_of and row.source, f"the row of {market!r} has no date or no source")

    def test_e02_connections(self) -> None:
        """Everything that is sent goes to a connection that the adapter asks for."""
        adapter = self.adapter()
        names = {each.name for each in adapter.connections()}
        first = [each for name in names for each in adapter.opened(name, MOMENT)]
        for outbound in [*adapter.connect(), *first]:
            demand(outbound.connection in names, f"{outbound.connection!r} is not among {names}")
        demand(len(names) == len(adapter.connections()), "two connections have one name")

    def test_e03_subscriptions(self) -> None:
        """On a fresh connection something is asked for, again the same when it is opened again."""
        adapter = self.adapter()
        asked = _sent(adapter)
        demand(asked, "nothing is sent or requested when connections open")
        demand(all(each.body or each.path for each in asked), "something is sent that is empty")
        demand(len(_sent(adapter)) == len(asked), "less or more is asked for the second time")

    def test_e04_events(self) -> None:
        """Each message becomes whole records: known kinds, our receive time, LAST on the last."""
        adapter, heard = self.adapter(), self.messages()
        batch = EventBatch(4)
        for number, message in enumerate(heard):
            first, received = batch.count, _time(number)
            made = _decode(adapter, message, received, batch)
            rows = batch.records[first : batch.count]
            demand(made == len(rows), f"message {number}: {made} records told, {len(rows)} made")
            _check_rows(rows, received, number, len(adapter.instruments))
        demand(batch.count, "no message made an event")
        demand(not adapter.quarantined, f"{adapter.quarantined} messages were quarantined")

    def test_e05_kinds(self) -> None:
        """The kinds of events that the messages make are those that the capabilities name."""
        kinds = {EventKind(int(kind)) for kind in np.unique(self._played().records["kind"])}
        data = kinds - {EventKind.STATUS, EventKind.GAP, EventKind.TIMER}
        named = set(self.capabilities.data)
        if named & set(BOOK_KINDS):
            named |= set(BOOK_KINDS)
        demand(data <= named, f"{sorted(kind.name for kind in data - named)} are not claimed")

    def test_e06_same_again(self) -> None:
        """Two adapters make the same records of the same bytes."""
        same = self._played().records.tobytes() == self._played().records.tobytes()
        demand(same, "two fresh adapters differ")

    def test_e07_whole_or_nothing(self) -> None:
        """A message cut short anywhere makes nothing, is counted once, and harms nothing."""
        heard = self.messages()
        for number in _sample(len(heard), 12):
            data, path = heard[number]
            for stop in _sample(len(data), 25):
                self._survives(number, Heard(data[:stop], path))

    def test_e08_nonsense(self) -> None:
        """What no venue says makes no event and no error; it may be counted as quarantined."""
        for nonsense in NONSENSE:
            self._survives(len(self.messages()) - 1, Heard(nonsense))

    def test_e09_blocks(self) -> None:
        """Messages of one buffer become what they become one by one."""
        heard = [each for each in self.messages() if not each.path]
        one, many = self.adapter(), self.adapter()
        for message in (each for each in self.messages() if each.path):
            for adapter in (one, many):
                _decode(adapter, message, MOMENT, EventBatch(4))
        single, block = EventBatch(4), EventBatch(4)
        for number, message in enumerate(heard):
            one.decode(message.data, _time(number), single)
        stops = np.cumsum([len(each.data) for each in heard], dtype=np.int64)
        starts = np.concatenate(([0], stops[:-1])).astype(np.int64)
        buffer = np.frombuffer(b"".join(each.data for each in heard), np.uint8)
        times = np.array([_time(number) for number in range(len(heard))], np.int64)
        done = 0
        while done < len(heard):
            before = done
            done = many.decode_block(buffer, starts, stops, times, block, done)
            demand(done > before, f"message {done} of a block is not taken")
        demand(single.events.tobytes() == block.events.tobytes(), "a block differs")

    def test_e10_scales(self) -> None:
        """Prices and sizes stand on the steps of their instruments, which are exact."""
        adapter = self.adapter()
        for number, message in enumerate(self.messages()):
            _decode(adapter, message, _time(number), EventBatch(4))
        demand(adapter.instruments, "there are no instruments")
        demand(len(adapter.table) == len(adapter.instruments), "the table has other rows")
        for row, each in zip(adapter.table, adapter.instruments, strict=True):
            demand(row["price_exponent"] == each.price_exponent, f"{each.symbol}: exponents differ")
            demand(row["size_exponent"] == each.size_exponent, f"{each.symbol}: exponents differ")
            demand(each.tick > 0 and each.lot > 0, f"{each.symbol}: a step is not above zero")

    def test_e11_memory(self) -> None:
        """Refused messages are counted without being piled up."""
        adapter = self.adapter()
        batch = EventBatch(4)
        for _ in range(300):
            adapter.decode(b"{" + b"x" * 1000, MOMENT, batch)
        tracemalloc.start()
        try:
            for _ in range(1000):
                adapter.decode(b"{" + b"x" * 1000, MOMENT, batch)
            grown, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        demand(grown < 500_000, f"1,000 refused messages of 1 kB left {grown:,} bytes behind")

    def test_e20_live(self) -> None:
        """The messages lead to LIVE books, never crossed."""
        played = self._played(self._needs_books())
        states = [book.state for book in played.books]
        demand(states and all(state is BookState.LIVE for state in states), f"{states}")
        demand(all(BookState.CROSSED not in each for each in played.states), "a book was crossed")

    def test_e21_lost(self) -> None:
        """A lost update is noticed at the next one, or left no trace."""
        for at, following in itertools.pairwise(self._updates()):
            heard = [*self.messages()]
            del heard[at]
            self._noticed_or_harmless(heard, following - 1, following, f"without message {at}")

    def test_e22_doubled(self) -> None:
        """An update that comes twice changes nothing, or is noticed."""
        for at in self._updates():
            heard = [*self.messages()]
            heard.insert(at, heard[at])
            self._noticed_or_harmless(heard, at + 1, at, f"with message {at} twice")

    def test_e23_swapped(self) -> None:
        """Two updates in the wrong order are noticed, or end in the same book."""
        updates = self._updates()
        for at, following in itertools.pairwise(updates):
            if following == at + 1:
                heard = [*self.messages()]
                heard[at], heard[following] = heard[following], heard[at]
                what = f"with messages {at} and {following} swapped"
                self._noticed_or_harmless(heard, following, following, what)

    def test_e24_resync(self) -> None:
        """A book that was lost can be asked for again."""
        self._needs_books()
        adapter = self.adapter()
        for number, message in enumerate(self.messages()):
            _decode(adapter, message, _time(number), EventBatch(4))
        names = {each.name for each in adapter.connections()}
        for number in range(len(adapter.instruments)):
            asked = [*adapter.resync(InstrumentId(number)), *adapter.wanted()]
            demand(asked, f"instrument {number}: nothing is asked for")
            demand(all(each.connection in names for each in asked), "sent to nobody")

    def test_e25_closed(self) -> None:
        """When a connection is lost each book that it fed gets a GAP."""
        self._needs_books()
        adapter, batch = self.adapter(), EventBatch(4)
        for number, message in enumerate(self.messages()):
            _decode(adapter, message, _time(number), batch)
        held = {int(row["instrument"]) for row in batch.events if row["kind"] in BOOK_KINDS}
        batch.clear()
        for connection in adapter.connections():
            before = batch.count
            told = adapter.closed(connection.name, MOMENT, batch)
            demand(told == batch.count - before, f"{told} records told")
        gaps = {int(row["instrument"]) for row in batch.events if row["kind"] == EventKind.GAP}
        demand(held <= gaps, f"no GAP for the books of instruments {sorted(held - gaps)}")

    def _needs_books(self) -> Sequence[Heard]:
        if self.capabilities.proof is BookProof.NONE:
            exempt("the adapter claims no books that can be proven")
        return self.messages()

    def _updates(self) -> list[int]:
        """Return the places of book updates after the last snapshot."""
        heard = self._needs_books()
        adapter, places, last = self.adapter(), [], 0
        for number, message in enumerate(heard):
            batch = EventBatch(4)
            _decode(adapter, message, _time(number), batch)
            kinds, flags = batch.events["kind"], batch.events["flags"]
            if np.any(flags & EventFlag.SNAPSHOT):
                last = number
            elif np.any(kinds == EventKind.BOOK_END):
                places.append(number)
        after = [place for place in places if place > last]
        demand(len(after) >= 4, f"{len(after)} book updates after the last snapshot, want 4")
        return after

    def _noticed_or_harmless(
        self, heard: Sequence[Heard], at: int, plain_at: int, what: str
    ) -> None:
        """Assert that after a message the books are what they should be, or say that they are not.

        ``at`` is its place here, ``plain_at`` where the same has been heard in good order.
        """
        plain, changed = self._played(), self._played(heard)
        noticed = any(
            state in (BookState.STALE, BookState.SYNCING)
            for states in changed.states[at - 1 : at + 1]
            for state in states
        )
        gaps = np.any(changed.records["kind"] == EventKind.GAP)
        same = plain.digests[plain_at] == changed.digests[at]
        demand(noticed or gaps or same, f"{what} a book is wrong and says LIVE")

    def _played(self, heard: Sequence[Heard] | None = None) -> Played:
        adapter, batch = self.adapter(), EventBatch(4)
        books = Books(adapter.table)
        states, digests = [], []
        for number, message in enumerate(self.messages() if heard is None else heard):
            first = batch.count
            if message.path:
                _decode(adapter, message, _time(number), batch)
                if len(adapter.table) > len(books):
                    books.extend(adapter.table)
                books.apply(batch.records, first, batch.count)
            else:
                adapter.decode_into(message.data, _time(number), batch, books)
            states.append(tuple(book.state for book in books))
            digests.append(tuple(book.digest() for book in books))
        return Played(batch.events.copy(), books, states, digests)

    def _survives(self, after: int, broken: Heard) -> None:
        """Assert that a broken message makes nothing and that the adapter goes on as before."""
        heard = self.messages()
        whole, hurt = self.adapter(), self.adapter()
        expected, found = EventBatch(4), EventBatch(4)
        for number, message in enumerate(heard):
            _decode(whole, message, _time(number), expected)
            _decode(hurt, message, _time(number), found)
            if number == after:
                count = found.count
                try:
                    made = _decode(hurt, broken, _time(number), found)
                except Bot4Error as error:
                    raise AssertionError(f"{broken.data[:80]!r} raised {error}") from error
                demand(made == 0 and found.count == count, f"{broken.data[:80]!r} made {made}")
                demand(hurt.quarantined <= 1, f"{broken.data[:80]!r} was counted twice")
        demand(expected.events.tobytes() == found.events.tobytes(), "later messages differ")


def _sent(adapter: Exchange) -> list[Outbound]:
    return [
        outbound
        for connection in adapter.connections()
        for outbound in adapter.opened(connection.name, MOMENT)
    ]


def _time(number: int) -> Nanoseconds:
    return Nanoseconds(MOMENT + STEP * number)


def _sample(count: int, most: int) -> list[int]:
    """Return up to so many numbers below a count, evenly spread."""
    return sorted({place * count // most for place in range(most)}) if count else []


def _decode(adapter: Exchange, heard: Heard, received: Nanoseconds, batch: EventBatch) -> int:
    if heard.path:
        return adapter.decode_response(heard.path, heard.data, received, batch)
    return adapter.decode(heard.data, received, batch)


def _check_rows(rows: Records, received: int, number: int, instruments: int) -> None:
    known = {int(kind) for kind in EventKind}
    for place, row in enumerate(rows):
        where = f"message {number}, record {place}"
        demand(int(row["kind"]) in known, f"{where}: kind {row['kind']}")
        demand(row["received"] == received, f"{where}: received at {row['received']}")
        demand(row["instrument"] < instruments, f"{where}: instrument {row['instrument']}")
        last = bool(row["flags"] & EventFlag.LAST)
        demand(last or place < len(rows) - 1, f"{where}: the last record is not marked LAST")
