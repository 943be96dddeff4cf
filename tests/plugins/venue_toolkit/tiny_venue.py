"""A venue so small that a test can say every byte of it: both its adapter and its server.

``+A`` subscribes and is answered ``ok A``; ``A 7`` is update 7 of A's book; ``GET /depth?A`` is
answered with a snapshot, ``A 7 whole``. The private socket says ``fill 3``.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

import numpy as np
from tests.instruments import perpetual
from tests.plugins.venue_toolkit.venue_cases import REST_URL, STREAM_URL

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Symbol
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.rate_limits import (
    RateLimit,
    RateRequest,
    RateSettings,
    RateUnit,
    RequestPriority,
)
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind, Records
from bot4_core.errors import DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.interfaces import (
    Connection,
    Exchange,
    Outbound,
    PartSettings,
    Reply,
    Stream,
)
from bot4_plugins.venue_toolkit.loopback.http_text import HttpAnswer, HttpRequest
from bot4_plugins.venue_toolkit.loopback.venue_protocol import FrameCarrier, Peer, VenueProtocol

SECOND: Final = 1_000_000_000
FEED: Final = Connection(
    name="feed",
    url=f"{STREAM_URL}/ws",
    silence=Nanoseconds(20 * SECOND),
    lifetime=Nanoseconds(24 * 3600 * SECOND),
)
OWN: Final = Connection(name="own", url=f"{STREAM_URL}/own", private=True)
REST: Final = Connection(name="rest", url=REST_URL)
LIMITS: Final = RateSettings(
    limits=(
        RateLimit(name="weight", limit=100, span=Nanoseconds(60 * SECOND), unit=RateUnit.WEIGHT),
        RateLimit(name="orders", limit=5, span=Nanoseconds(SECOND), unit=RateUnit.ORDERS),
    ),
    cancel_reserve=Decimal("0.1"),
    query_reserve=Decimal("0.1"),
    order_reserve=Decimal("0.1"),
)
ORDER: Final = RateRequest(priority=RequestPriority.ORDER, orders=1)
CANCEL: Final = RateRequest(priority=RequestPriority.CANCEL)


class TinyExchange(Exchange):
    """The adapter. Attributes that a test may change come first."""

    name: ClassVar[str] = "tiny"
    markets: ClassVar[tuple[str, ...]] = ("tiny",)
    silence = 60 * SECOND
    resubscribes = True

    def __init__(
        self, settings: PartSettings | None = None, instruments: Sequence[Instrument] = ()
    ) -> None:
        self.listed = [FEED, REST]
        self.symbols = ("A", "B")
        self.begun: list[str] = []
        self.dues: list[Outbound] = []
        self.answers: list[tuple[int, bytes]] = []
        self.missed_since: list[int] = []
        self._ending: list[str] = []
        self._wanted: list[Outbound] = []
        self._refused = 0
        self._instruments = tuple(perpetual(name) for name in self.symbols)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        return self._instruments

    @property
    def table(self) -> Records:
        raise NotImplementedError

    @property
    def rate_limits(self) -> RateSettings:
        return LIMITS

    @property
    def quarantined(self) -> int:
        return self._refused

    def connections(self) -> Sequence[Connection]:
        return tuple(self.listed)

    def connect(self) -> Sequence[Outbound]:
        return []

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        if connection == "rest":
            return [Outbound(connection="rest", method="GET", path="/info")]
        if connection == "own":
            return [Outbound(connection="own", body=b"+own")]
        if connection != "feed":
            return []
        frames = [Outbound(connection="feed", body=f"+{each}".encode()) for each in self.symbols]
        return [*frames, *(each for at in range(2) for each in self.resync(InstrumentId(at)))]

    def streams(self, connection: str) -> Sequence[Stream]:
        if connection != "feed":
            return ()
        again = [Outbound(connection="feed", body=f"+{each}".encode()) for each in self.symbols]
        return [
            Stream(
                symbol=Symbol(name),
                kinds=frozenset({EventKind.BOOK_END}),
                silence=Nanoseconds(self.silence),
                requests=(frame,) if self.resubscribes else (),
            )
            for name, frame in zip(self.symbols, again, strict=True)
        ]

    def carries_data(self, data: bytes) -> bool:
        return not data.startswith(b"ok")

    def began(self, connection: str) -> None:
        super().began(connection)
        self.begun.append(connection)

    def ending(self) -> Sequence[str]:
        ending, self._ending = self._ending, []
        return ending

    def wanted(self) -> Sequence[Outbound]:
        wanted, self._wanted = self._wanted, []
        return wanted

    def due(self, now: Nanoseconds) -> Sequence[Outbound]:
        dues, self.dues = self.dues, []
        return dues

    def usage(self, reply: Reply) -> Sequence[tuple[str, int]]:
        used = dict(reply.headers).get("x-used", "")
        return [("weight", int(used))] if used else []

    def clock_request(self) -> Outbound:
        return Outbound(connection="rest", method="GET", path="/time")

    def read_clock(self, reply: Reply) -> Nanoseconds:
        try:
            return Nanoseconds(int(reply.body))
        except ValueError as error:
            raise DecodeError(f"{reply.body!r} is no time") from error

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        return [Outbound(connection="rest", method="GET", path=f"/depth?{'AB'[instrument]}")]

    def missed(self, since: Nanoseconds, now: Nanoseconds) -> Sequence[Outbound]:
        self.missed_since.append(since)
        cost = RateRequest(priority=RequestPriority.QUERY)
        return [Outbound(connection="rest", method="GET", path="/fills", cost=cost)]

    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        if data.startswith((b"ok", b"pong")):
            return 0
        if data.startswith(b"bye "):
            self._ending.append(data[4:].decode())
            return 0
        if data.startswith(b"more "):
            self._wanted.append(Outbound(connection="feed", body=data[5:]))
            return 0
        if data == b"crash":
            raise RuntimeError("an adapter with a mistake")
        words = data.decode().split()
        if not words or words[0] not in self.symbols:
            self._refused += 1
            return 0
        flags = EventFlag.LAST | (EventFlag.SNAPSHOT if words[2:] else EventFlag(0))
        number = self.symbols.index(words[0])
        self._put(batch, EventKind.BOOK_END, number, int(words[1]), received, flags)
        return 1

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        self.answers.append((reply.status, reply.body))
        if request.path.startswith("/depth"):
            return self.decode(reply.body, reply.received, batch)
        return 0

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        if connection != "feed":
            return 0
        for number in range(len(self.symbols)):
            self._put(batch, EventKind.GAP, number, -1, now, EventFlag.LAST)
        return len(self.symbols)

    def _put(
        self, batch: EventBatch, kind: EventKind, number: int, sequence: int, now: int, flags: int
    ) -> None:
        row = np.zeros(1, EVENT_DTYPE)
        row["kind"], row["instrument"], row["sequence"] = kind, number, sequence
        row["received"], row["time"], row["flags"] = now, now, flags
        batch.reserve(1)
        batch.records[batch.count] = row[0]
        batch.count += 1


class TinyProtocol(VenueProtocol):
    """The server.

    Attributes
    ----------
    updates : dict of str to int
        The last update of each book.
    heard : list of bytes
        Frames of clients.
    time : int
        What it says of the time, ns.
    """

    def __init__(self) -> None:
        self.updates = {"A": 0, "B": 0}
        self.heard: list[bytes] = []
        self.time = 0
        self._publisher: FrameCarrier | None = None

    def attach(self, carrier: FrameCarrier) -> None:
        self._publisher = carrier

    def update(self, symbol: str) -> None:
        """Let a book change."""
        self.updates[symbol] += 1
        assert self._publisher is not None
        self._publisher.publish(symbol, f"{symbol} {self.updates[symbol]}".encode())

    def answers(self, peer: Peer, frame: bytes) -> Sequence[bytes]:
        self.heard.append(frame)
        if frame.startswith(b"+"):
            peer.streams.add(frame[1:].decode())
            return [b"ok " + frame[1:]]
        return []

    def reply(self, request: HttpRequest) -> HttpAnswer:
        if request.path == "/time":
            return HttpAnswer(str(self.time).encode())
        if request.path == "/depth":
            symbol = request.target[-1]
            return HttpAnswer(f"{symbol} {self.updates[symbol]} whole".encode())
        return HttpAnswer(b"{}", headers=(("X-Used", "90"),) if request.path == "/used" else ())

    def farewell(self) -> tuple[str, bytes]:
        return "", b"bye feed"
