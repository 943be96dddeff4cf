"""The two markets that need no network: recordings with paper orders, and a simulated venue."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import numpy as np

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import ConfigError, PrecisionGrew, RecordingError
from bot4_core.orders import Orders
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.interfaces import EventBatch, Exchange, Outbound, Records
from bot4_core.session.event_stream import (
    ReadingOptions,
    open_files,
    open_stream,
    recorded_instruments,
    regrown,
)
from bot4_core.session.outgoing import Outgoing
from bot4_core.session.paper import PaperSettings
from bot4_core.session.paper_market import PaperMarket
from bot4_core.session.state import SessionState

__all__ = ["RecordedMarket", "SimulatedMarket", "SimulatedVenue", "survey"]

NOTHING: Final = np.zeros(0, EVENT_DTYPE)
NOTHING.setflags(write=False)
SETTLING: Final = 50
"""Latencies that a simulated venue is given to answer the last requests."""

ExchangeFactory = Callable[[Sequence[Instrument]], Exchange]


def survey(
    paths: Sequence[Path], factory: ExchangeFactory, options: ReadingOptions
) -> tuple[Instrument, ...]:
    """Read recordings once to learn their instruments and the decimals they need.

    Raises
    ------
    RecordingError
        If a file cannot be read.
    """
    files = open_files(paths, options)
    exchange = factory(recorded_instruments(files))
    while True:
        try:
            for _ in open_stream(files, exchange, options).batches():
                pass
        except PrecisionGrew as grown:
            files = open_files(paths, options)
            exchange = factory(regrown(exchange.instruments, grown))
        else:
            return exchange.instruments


class RecordedMarket(PaperMarket):
    """Recordings as the source of events, and a paper venue that takes the orders.

    Parameters
    ----------
    paths : sequence of Path
    factory : callable
        Makes an adapter that knows given instruments.
    instruments : sequence of Instrument
        Empty to learn them from the recordings, which reads everything once more.
    matching : PaperSettings
    options : ReadingOptions, optional
    """

    def __init__(
        self,
        paths: Sequence[Path],
        factory: ExchangeFactory,
        instruments: Sequence[Instrument],
        matching: PaperSettings,
        options: ReadingOptions | None = None,
    ) -> None:
        reading = options or ReadingOptions()
        self._paths = tuple(paths)
        self.surveyed = not instruments
        known = tuple(instruments) or survey(paths, factory, reading)
        files = open_files(paths, reading)
        self.exchange = factory(known)
        super().__init__(self.exchange.instruments, self.exchange.table, matching)
        self._stream = open_stream(files, self.exchange, reading)
        self._total = sum(file.path.stat().st_size for file in files)

    @property
    def share(self) -> float:
        """How much of the files was read."""
        return min(1.0, self._stream.bytes_read / self._total) if self._total else 1.0

    @property
    def quarantined(self) -> int:
        """Messages that were applied nowhere."""
        return self._stream.counts.quarantined

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read, and which scales were guessed."""
        guessed = [str(each.symbol) for each in self.instruments if each.from_data]
        text = f"scales of {', '.join(guessed)} were read off the data, not off metadata"
        return (*self._stream.warnings, *([text] if guessed else []))

    def batches(self) -> Iterator[Records]:
        """Yield the recorded events, whole messages.

        Raises
        ------
        ConfigError
            If the recordings hold an instrument, or decimals, that the configuration has not.
        """
        try:
            for batch in self._stream.batches():
                if len(self.exchange.instruments) > len(self.instruments):
                    extra = self.exchange.instruments[len(self.instruments)].symbol
                    fault = f"the recordings hold {extra} too; add it, or leave the list out"
                    raise ConfigError("session", [("instruments", fault)])
                yield batch
        except PrecisionGrew as error:
            fault = f"the recordings need finer exponents: {error}"
            raise ConfigError("session", [("instruments", fault)]) from error


@runtime_checkable
class SimulatedVenue(Protocol):
    """The server side of a simulated exchange."""

    @property
    def now(self) -> int:
        """Venue time up to which everything has happened."""
        raise NotImplementedError

    def receive(self, data: bytes, time: int) -> None:
        """Take a request that was sent at a time."""

    def account(self) -> bytes:
        """Return the reply to a request for the account, as of ``now``."""
        raise NotImplementedError

    def step(self, until: int) -> list[tuple[int, bytes]]:
        """Let time pass; return arrival times and messages."""
        raise NotImplementedError


class SimulatedMarket:
    """A simulated venue, reached by the bytes that its adapter makes.

    Parameters
    ----------
    exchange : Exchange
        Its adapter.
    venue : SimulatedVenue
    seconds : float
        How long the session lasts, in venue time.
    latency : int
        From venue to client, ns; time advances in steps of it, so that no order comes late.
    """

    def __init__(
        self, exchange: Exchange, venue: SimulatedVenue, seconds: float, latency: int
    ) -> None:
        self.exchange = exchange
        self.instruments = exchange.instruments
        self.table = exchange.table
        self._venue = venue
        self._outgoing = Outgoing(exchange.rate_limits, self._send, len(exchange.instruments))
        self._begin = venue.now
        self._end = venue.now + int(seconds * 1e9)
        self._step = max(1, latency)
        self._batch = EventBatch(1 << 14)
        self._state: SessionState | None = None

    @property
    def capabilities(self) -> Capabilities | None:
        """What the venue offers, as far as its adapter says."""
        markets = {each.market for each in self.instruments}
        return self.exchange.capabilities.get(markets.pop()) if len(markets) == 1 else None

    @property
    def paper(self) -> None:
        """Nothing: the venue matches by itself."""
        return

    @property
    def share(self) -> float:
        """How much of the session's time has passed."""
        whole = self._end - self._begin
        return min(1.0, (self._venue.now - self._begin) / whole) if whole else 1.0

    @property
    def quarantined(self) -> int:
        """Messages that were applied nowhere."""
        return self.exchange.quarantined

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the venue's rate limits kept from leaving."""
        return tuple(self._outgoing.warnings)

    def attach(self, state: SessionState) -> None:
        """Look up orders in a session's state."""
        self._state = state

    def batches(self) -> Iterator[Records]:
        """Yield the venue's events."""
        for outbound in self.exchange.connect():
            self._outgoing.request(outbound, self._begin)
        while self._venue.now < self._end:
            yield from self._advance(min(self._venue.now + self._step, self._end))

    def before(self, now: int) -> Records:
        """Return nothing: the venue's answers are among its messages."""
        return NOTHING

    def after(self, records: Records, start: int, stop: int, now: int) -> Records:
        """Return nothing: the venue matches by itself."""
        return NOTHING

    def place(self, intents: Records, time: Nanoseconds) -> str:
        """Encode an order and send it, if there is room for it."""
        order = self._orders.snapshot(int(intents["number"][0]))
        return self._outgoing.order(self.exchange.place(order.intent, time), time)

    def cancel(self, number: int, time: Nanoseconds) -> None:
        """Encode a cancellation and send it."""
        self._outgoing.request(self.exchange.cancel(self._orders.snapshot(number), time), time)

    def query(self, number: int, time: Nanoseconds) -> None:
        """Encode a question about an order and send it."""
        self._outgoing.request(self.exchange.query(self._orders.snapshot(number), time), time)

    def account(self, time: Nanoseconds) -> VenueAccount:
        """Ask the venue for the account and decode its reply."""
        return self.exchange.read_account([self._venue.account()], time)

    def resync(self, instrument: int, time: int) -> None:
        """Ask for a snapshot."""
        for outbound in self.exchange.resync(InstrumentId(instrument)):
            self._outgoing.request(outbound, Nanoseconds(time))

    def settle(self) -> Iterator[Records]:
        """Give the venue time to answer the last requests."""
        for _ in range(SETTLING):
            yield from self._advance(self._venue.now + self._step)

    @property
    def _orders(self) -> Orders:
        if self._state is None:
            raise RecordingError("the market is not attached to a session")
        return self._state.account.orders

    def _send(self, outbound: Outbound, time: int) -> None:
        self._venue.receive(outbound.body, time)

    def _advance(self, until: int) -> Iterator[Records]:
        batch = self._batch
        batch.clear()
        self._outgoing.release(self._venue.now)
        for received, data in self._venue.step(until):
            self.exchange.decode(data, Nanoseconds(received), batch)
        if batch.count:
            yield batch.events
