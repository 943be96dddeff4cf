"""The simulated venue's server side: time goes in, messages come out."""

import json
from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind
from bot4_core.errors import DecodeError
from bot4_core.jit import Specialisation
from bot4_core.plugins.interfaces import Records
from bot4_core.session.paper import matching_terms
from bot4_plugins.exchange_sim.client import client_cancel, client_order, client_refusal
from bot4_plugins.exchange_sim.draws import new_draws
from bot4_plugins.exchange_sim.engine import (
    BID,
    CAPACITY,
    CLIENT,
    ID,
    INDEX,
    LIVE,
    LIVE_AT,
    NOW,
    NUMBER,
    OPEN,
    OUT,
    POSITION,
    SIDE,
    STAMP,
    new_engine,
    price_of,
    waiting_events,
)
from bot4_plugins.exchange_sim.faults import FaultyLine
from bot4_plugins.exchange_sim.flow import CROWD_WORDS, gather, run_flow, start_crowd
from bot4_plugins.exchange_sim.frames import FrameWriter
from bot4_plugins.exchange_sim.listing_table import listing_table
from bot4_plugins.exchange_sim.publish import publish_book, publish_snapshot
from bot4_plugins.exchange_sim.requests import read_order
from bot4_plugins.exchange_sim.settings import Listing, SimSettings

__all__ = ["SimVenue", "venue_kernels"]

LEVELS: Final = 1 << 16
ORDERS: Final = 4096
SECOND: Final = 1_000_000_000
WARM_UP_NS: Final = SECOND
REMEMBERED: Final = 4096
"""Orders of the client that the venue can be asked about."""
FIRST_ORDER: Final = int(EventKind.ORDER_ACCEPTED)
CANCEL_REJECTED: Final = int(EventKind.CANCEL_REJECTED)
NOT_FOUND: Final = int(EventKind.ORDER_NOT_FOUND)
FILLED: Final = int(EventKind.ORDER_FILLED)
LAST: Final = int(EventFlag.LAST)

Message = tuple[int, bytes]


class Pit:
    """One instrument of the venue: its engine, its crowd and its line to the client."""

    def __init__(self, listing: Listing, settings: SimSettings, table: Records) -> None:
        self.instrument = listing.instrument
        symbol = str(self.instrument.symbol)
        terms = matching_terms(table, [self.instrument])[0]
        origin = listing.start_price - LEVELS // 2
        self.words = new_engine(terms, origin, LEVELS, ORDERS, CROWD_WORDS)
        draws = new_draws(settings.seed, symbol)
        news = new_draws(settings.seed, f"fair price of {listing.underlying}")
        start_crowd(self.words, listing.rates, draws, news)
        self.writer = FrameWriter(self.instrument)
        self.line = FaultyLine(fault for fault in settings.faults if fault.symbol == symbol)
        self.latency = settings.latency_ns
        self.subscribed = False
        self.messages: list[Message] = []
        self.reports: dict[int, list[tuple[int, int, str]]] = {}
        self._warm_up(settings.start_ns)

    def _warm_up(self, start: int) -> None:
        """Let a crowd gather before the client comes."""
        self.words[NOW] = start - WARM_UP_NS
        gather(self.words)
        self.run(start)

    def run(self, until: int) -> None:
        """Let the crowd act until a time."""
        while not run_flow(self.words, until):
            self.flush()
        self.words[STAMP] = until
        if self.words[OUT]:
            self.flush()

    def snapshot(self) -> None:
        """Send the book whole."""
        publish_book(self.words)
        publish_snapshot(self.words)
        self.flush()

    def place(self, fields: dict[str, object]) -> None:
        """Take the client's order."""
        order = read_order(fields, self.instrument)
        if not self.line.loses_request():
            client_order(self.words, order)
            self.flush()

    def refuse(self, number: int) -> None:
        """Reject an order unread, because there were too many requests."""
        client_refusal(self.words, number)
        self.flush()

    def cancel(self, number: int) -> None:
        """Take the client's cancellation."""
        if not self.line.loses_request():
            client_cancel(self.words, number)
            self.flush()

    def query(self, number: int) -> None:
        """Say again what was said of an order, or that there is none."""
        said = self.reports.get(number, [])
        answer = [(time, text) for time, kind, text in said if kind != CANCEL_REJECTED]
        if not answer:
            row = np.zeros(1, EVENT_DTYPE)
            row["time"], row["kind"], row["flags"] = self.words[STAMP], NOT_FOUND, LAST
            row["sequence"], row["link"] = -1, number
            answer = list(self.writer.frames(row))
        for _, text in answer:
            self._send(int(self.words[STAMP]), text)

    def flush(self) -> None:
        """Turn what happened into messages."""
        events = waiting_events(self.words)
        if self.subscribed:
            for time, text in self.writer.frames(events):
                self._send(time, text)
        self._remember(events[(events["kind"] >= FIRST_ORDER) & (events["link"] >= 0)])
        self.words[OUT] = 0

    def _remember(self, own: Records) -> None:
        """Keep what is said of the client's orders, to say it again when it asks."""
        for at in range(len(own)):
            ((time, text),) = self.writer.frames(own[at : at + 1])
            said = self.reports.setdefault(int(own["link"][at]), [])
            said.append((time, int(own["kind"][at]), text))
        while len(self.reports) > REMEMBERED:
            del self.reports[next(iter(self.reports))]

    def account(self) -> dict[str, object]:
        """Return what the venue knows of the client's orders, position and trades."""
        words = self.words
        mine = words[LIVE_AT] + words[CAPACITY] * CLIENT
        rows = [int(words[mine + at]) for at in range(words[LIVE + CLIENT])]
        names = {"n": NUMBER, "d": SIDE, "o": OPEN, "i": ID}
        orders = [
            {"p": price_of(words, int(words[row + INDEX]))}
            | {name: int(words[row + word]) for name, word in names.items()}
            for row in rows
        ]
        said = [each for group in self.reports.values() for each in group]
        trades = [json.loads(text) for _, kind, text in sorted(said) if kind == FILLED]
        best = price_of(words, int(max(words[BID], 0)))
        return {"orders": orders, "position": int(words[POSITION]), "price": best, "trades": trades}

    def _send(self, time: int, text: str) -> None:
        self.messages += self.line.carry((time + self.latency, text.encode()))


class SimVenue:
    """A venue of its own: a crowd and a matching engine for each instrument.

    Parameters
    ----------
    settings : SimSettings
    listings : sequence of Listing
        In place of those that the settings name.

    Attributes
    ----------
    refused : int
        Requests that could not be read.
    throttled : int
        Requests beyond ``settings.requests_per_second``; orders among them are rejected, the
        others not answered.
    late : int
        Requests that came for a time already past; they are served at once. Steps no longer than
        ``settings.latency_ns`` avoid it.
    """

    def __init__(self, settings: SimSettings, listings: Sequence[Listing] = ()) -> None:
        self.settings = settings
        self.refused = 0
        self.throttled = 0
        self.late = 0
        self._now = settings.start_ns
        listed = tuple(listings) or settings.listings
        table = listing_table(listed)
        self._pits = {
            str(listing.instrument.symbol): Pit(listing, settings, table[at : at + 1])
            for at, listing in enumerate(listed)
        }
        self._requests: deque[tuple[int, dict[str, object]]] = deque()
        self._waiting: list[Message] = []
        self._taken: deque[int] = deque(maxlen=settings.requests_per_second)

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
            OPERATIONS[fields["op"]]
        except (ValueError, TypeError, KeyError):
            self.refused += 1
        else:
            self._requests.append((arrival, fields))

    def account(self) -> bytes:
        """Return the reply to a request for the account, as of ``now``."""
        pits = {symbol: pit.account() for symbol, pit in self._pits.items()}
        return json.dumps({"t": self._now, "account": pits}).encode()

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
                if self._is_throttled(arrival):
                    self._throttle(fields)
                else:
                    OPERATIONS[str(fields["op"])](self, fields)
            except (ValueError, TypeError, KeyError):
                self.refused += 1
        self._run(until)
        for pit in self._pits.values():
            self._waiting += pit.messages
            pit.messages.clear()
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

    def _is_throttled(self, arrival: int) -> bool:
        """Tell whether the last second took all it can; count the request there if not."""
        most = self.settings.requests_per_second
        if most and len(self._taken) == most and self._taken[0] > arrival - SECOND:
            return True
        self._taken.append(arrival)
        return False

    def _throttle(self, fields: dict[str, object]) -> None:
        self.throttled += 1
        if fields["op"] == "place":
            self._pits[str(fields["s"])].refuse(int(str(fields["n"])))

    def _subscribe(self, fields: dict[str, object]) -> None:
        symbols = fields["s"]
        if not isinstance(symbols, list):
            raise DecodeError(f"symbols {symbols!r} are not a list")
        for symbol in symbols:
            pit = self._pits[symbol]
            pit.subscribed = True
            pit.snapshot()

    def _snapshot(self, fields: dict[str, object]) -> None:
        self._pits[str(fields["s"])].snapshot()

    def _place(self, fields: dict[str, object]) -> None:
        self._pits[str(fields["s"])].place(fields)

    def _cancel(self, fields: dict[str, object]) -> None:
        self._pits[str(fields["s"])].cancel(int(str(fields["n"])))

    def _query(self, fields: dict[str, object]) -> None:
        self._pits[str(fields["s"])].query(int(str(fields["n"])))


def venue_kernels() -> tuple[Specialisation, ...]:
    """Return what the venue runs compiled, with arguments of the types it calls it with."""
    words = np.zeros(1, np.int64)
    return (
        Specialisation(gather, (words,)),
        Specialisation(run_flow, (words, 0)),
        Specialisation(publish_book, (words,)),
        Specialisation(publish_snapshot, (words,)),
        Specialisation(client_order, (words, words)),
        Specialisation(client_cancel, (words, 0)),
        Specialisation(client_refusal, (words, 0)),
    )


OPERATIONS: Final = {
    "subscribe": SimVenue._subscribe,
    "snapshot": SimVenue._snapshot,
    "place": SimVenue._place,
    "cancel": SimVenue._cancel,
    "query": SimVenue._query,
}


def _time_of(message: Message) -> int:
    return message[0]
