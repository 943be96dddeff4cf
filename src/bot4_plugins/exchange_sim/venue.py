"""The simulated venue's server side: time goes in, messages come out."""

import json
from collections import deque
from typing import Final

import numpy as np

from bot4_core.errors import DecodeError
from bot4_core.plugins.interfaces import Records
from bot4_core.session.paper import matching_terms
from bot4_plugins.exchange_sim.client import client_cancel, client_order
from bot4_plugins.exchange_sim.draws import new_draws
from bot4_plugins.exchange_sim.engine import NOW, OUT, STAMP, Engine, new_engine
from bot4_plugins.exchange_sim.faults import FaultyLine
from bot4_plugins.exchange_sim.flow import Flow, gather, new_flow, run_flow
from bot4_plugins.exchange_sim.frames import Scale, write_frames
from bot4_plugins.exchange_sim.listing_table import listing_table
from bot4_plugins.exchange_sim.publish import publish_book, publish_snapshot
from bot4_plugins.exchange_sim.requests import read_order
from bot4_plugins.exchange_sim.settings import Fault, Listing, SimSettings

__all__ = ["SimVenue"]

LEVELS: Final = 1 << 16
CENTER: Final = LEVELS // 2
ORDERS: Final = 4096
MESSAGES: Final = 1024
TEXT: Final = 1 << 20
WARM_UP_NS: Final = 1_000_000_000

Message = tuple[int, bytes]


class Pit:
    """One instrument of the venue: its engine, its crowd and its line to the client."""

    def __init__(self, listing: Listing, settings: SimSettings, table: Records) -> None:
        self.instrument = listing.instrument
        symbol = str(self.instrument.symbol)
        terms = matching_terms(table, [self.instrument])
        self.engine: Engine = new_engine(terms, listing.start_price - CENTER, LEVELS, ORDERS)
        self.flow: Flow = new_flow(
            listing.rates,
            CENTER,
            new_draws(settings.seed, symbol),
            new_draws(settings.seed, f"fair price of {listing.underlying}"),
        )
        self.scale = Scale(
            np.frombuffer(symbol.encode(), np.uint8),
            -self.instrument.price_exponent,
            -self.instrument.size_exponent,
        )
        self.line = FaultyLine(_faults_of(settings.faults, symbol))
        self.latency = settings.latency_ns
        self.subscribed = False
        self.messages: list[Message] = []
        self._text = np.zeros(TEXT, np.uint8)
        self._ends = np.zeros((MESSAGES, 2), np.int64)
        self._warm_up(settings.start_ns)

    def _warm_up(self, start: int) -> None:
        """Let a crowd gather before the client comes."""
        self.engine.head[NOW] = start - WARM_UP_NS
        gather(self.engine, self.flow)
        self.run(start)
        publish_book(self.engine)
        self.engine.head[OUT] = 0
        self.messages.clear()

    def run(self, until: int) -> None:
        """Let the crowd act until a time."""
        while not run_flow(self.engine, self.flow, CENTER, until):
            self.flush()
        self.engine.head[STAMP] = until

    def snapshot(self) -> None:
        """Send the book whole."""
        publish_book(self.engine)
        publish_snapshot(self.engine)
        self.flush()

    def flush(self) -> None:
        """Turn what happened into messages."""
        head = self.engine.head
        rows = self.engine.out[: head[OUT]]
        head[OUT] = 0
        while self.subscribed and len(rows):
            count, used = write_frames(rows, len(rows), self.scale, self._text, self._ends)
            if count == 0:
                self._text = np.zeros(len(self._text) * 2, np.uint8)
                continue
            self._collect(rows, count)
            rows = rows[used:]

    def _collect(self, rows: Records, count: int) -> None:
        ends, last = self._ends[:count, 0], self._ends[:count, 1]
        times = (rows["time"][last] + self.latency).tolist()
        data = self._text[: ends[-1]].tobytes()
        begin = 0
        for time, end in zip(times, ends.tolist(), strict=True):
            self.messages += self.line.carry((time, data[begin:end]))
            begin = end


class SimVenue:
    """A venue of its own: a crowd and a matching engine for each instrument.

    Parameters
    ----------
    settings : SimSettings

    Attributes
    ----------
    refused : int
        Requests that could not be read.
    late : int
        Requests that came for a time already past; they are served at once. Steps no longer than
        ``settings.latency_ns`` avoid it.
    """

    def __init__(self, settings: SimSettings) -> None:
        self.settings = settings
        self.refused = 0
        self.late = 0
        self._now = settings.start_ns
        table = listing_table(settings.listings)
        self._pits = {
            str(listing.instrument.symbol): Pit(listing, settings, table[at : at + 1])
            for at, listing in enumerate(settings.listings)
        }
        self._requests: deque[tuple[int, dict[str, object]]] = deque()
        self._waiting: list[Message] = []

    @property
    def now(self) -> int:
        """Venue time up to which everything has happened."""
        return self._now

    def receive(self, data: bytes, time: int) -> None:
        """Take a request that the client sent at a time; it arrives after the latency."""
        arrival = time + self.settings.latency_ns
        if arrival < self._now:
            self.late += 1
            arrival = self._now
        if self._requests:
            arrival = max(arrival, self._requests[-1][0])
        try:
            fields = json.loads(data)
            operation = fields["op"]
        except (ValueError, TypeError, KeyError):
            self.refused += 1
            return
        if operation not in OPERATIONS:
            self.refused += 1
            return
        self._requests.append((arrival, fields))

    def step(self, until: int) -> list[Message]:
        """Let time pass, and return what reaches the client by ``until``.

        Returns
        -------
        list of (int, bytes)
            Arrival time and message, in order of time; equal times in order of the listings.
        """
        while self._requests and self._requests[0][0] <= until:
            arrival, fields = self._requests.popleft()
            self._run(arrival)
            try:
                OPERATIONS[str(fields["op"])](self, fields)
            except (DecodeError, KeyError, TypeError):
                self.refused += 1
        self._run(until)
        for pit in self._pits.values():
            pit.flush()
            self._waiting += pit.messages
            pit.messages = []
        self._waiting.sort(key=_time_of)
        count = len(self._waiting)
        while count and self._waiting[count - 1][0] > until:
            count -= 1
        ready = self._waiting[:count]
        del self._waiting[:count]
        return ready

    def _run(self, until: int) -> None:
        for pit in self._pits.values():
            pit.run(until)
        self._now = max(self._now, until)

    def _subscribe(self, fields: dict[str, object]) -> None:
        symbols = fields["s"]
        if not isinstance(symbols, list):
            raise DecodeError(f"symbols {symbols!r} are not a list")
        for symbol in symbols:
            pit = self._pits[symbol]
            pit.flush()
            pit.subscribed = True
            pit.snapshot()

    def _snapshot(self, fields: dict[str, object]) -> None:
        self._pits[str(fields["s"])].snapshot()

    def _place(self, fields: dict[str, object]) -> None:
        pit = self._pits[str(fields["s"])]
        client_order(pit.engine, read_order(fields, pit.instrument))
        pit.flush()

    def _cancel(self, fields: dict[str, object]) -> None:
        pit = self._pits[str(fields["s"])]
        client_cancel(pit.engine, int(str(fields["n"])))
        pit.flush()


OPERATIONS: Final = {
    "subscribe": SimVenue._subscribe,
    "snapshot": SimVenue._snapshot,
    "place": SimVenue._place,
    "cancel": SimVenue._cancel,
}


def _time_of(message: Message) -> int:
    return message[0]


def _faults_of(faults: tuple[Fault, ...], symbol: str) -> list[Fault]:
    return [fault for fault in faults if fault.symbol == symbol]
