"""A list of messages as a market, and clocks that move by themselves."""

from collections.abc import Iterator, Sequence

import numpy as np
from tests.core.session.session_world import START, World, table_of, touch, trade

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import Side
from bot4_core.plugins.interfaces import Records
from bot4_core.session.paper import PaperSettings, PaperVenue
from bot4_core.session.state import SessionState

BID, ASK = 6_000_000, 6_000_010
STEP = 100_000_000


class Ticking:
    """Clocks that move by themselves."""

    def __init__(self, start: int = START) -> None:
        self.now = start

    def time_ns(self) -> int:
        self.now += 1_000
        return self.now

    def perf_counter_ns(self) -> int:
        self.now += 1_000
        return self.now


class ScriptedMarket:
    """A list of messages, and the paper venue."""

    def __init__(self, instruments: Sequence[Instrument], messages: Sequence[Records]) -> None:
        self.instruments = tuple(instruments)
        self.table = table_of(instruments)
        self.share = 0.5
        self.quarantined = 3
        self.warnings = ("half of it was made up",)
        self.resyncs: list[tuple[int, int]] = []
        self.queries: list[tuple[int, int]] = []
        self.placed: list[int] = []
        self.matching = PaperSettings()
        self._messages = messages
        self._venue: PaperVenue | None = None

    @property
    def venue(self) -> PaperVenue:
        assert self._venue is not None
        return self._venue

    @property
    def paper(self) -> PaperVenue:
        return self.venue

    def attach(self, state: SessionState) -> None:
        self._venue = PaperVenue(self.table, self.instruments, self.matching, state.books)
        self._orders = state.account.orders

    def batches(self) -> Iterator[Records]:
        half = len(self._messages) // 2
        for part in (self._messages[:half], self._messages[half:]):
            if part:
                yield np.concatenate(part)

    def before(self, now: int) -> Records:
        return self.venue.due(now)

    def after(self, records: Records, start: int, stop: int, now: int) -> Records:
        return self.venue.on_market(records, start, stop, now)

    def place(self, intents: Records, time: Nanoseconds) -> None:
        self.placed.append(int(intents["number"][0]))
        self.venue.place(intents[0])

    def cancel(self, number: int, time: Nanoseconds) -> None:
        self.venue.cancel(number, time, self._orders.terms(number))

    def query(self, number: int, time: Nanoseconds) -> None:
        self.queries.append((number, int(time)))

    def account(self, time: Nanoseconds) -> None:
        return

    def resync(self, instrument: int, time: int) -> None:
        self.resyncs.append((instrument, time))

    def settle(self) -> Iterator[Records]:
        yield self.venue.due(2**63 - 1)


def market_of(world: World, rounds: int = 40) -> ScriptedMarket:
    """Two instruments whose prices wander, with prints at both sides."""
    messages = []
    for step in range(rounds):
        number, time = step % 2, START + step * STEP
        bid = BID + 10 * (step % 5)
        messages.append(touch(time, bid, bid + 10, number))
        messages.append(trade(time + 50, bid - 20, 9_000, Side.SELL, number))
        messages.append(trade(time + 60, bid + 30, 9_000, Side.BUY, number))
    return ScriptedMarket(world.instruments, messages)
