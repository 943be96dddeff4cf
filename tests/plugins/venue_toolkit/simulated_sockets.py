"""The simulated venue behind real sockets: its adapter with connections, its server, its plugin."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Final

import attrs
import numpy as np
from tests.core.session.session_world import both_sides
from tests.plugins.venue_toolkit.venue_cases import REST_URL, STREAM_URL

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.decisions import Signal
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins import Component, hookimpl
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.interfaces import (
    Connection,
    Outbound,
    PartSettings,
    Record,
    Sizer,
    Strategy,
)
from bot4_plugins.exchange_sim.adapter import SimExchange
from bot4_plugins.exchange_sim.settings import SimSettings
from bot4_plugins.exchange_sim.venue import SimVenue
from bot4_plugins.venue_toolkit.loopback.http_text import HttpAnswer, HttpRequest
from bot4_plugins.venue_toolkit.loopback.venue_protocol import FrameCarrier, Peer, VenueProtocol

ORDER: Final = RateRequest(priority=RequestPriority.ORDER, orders=1)
CANCEL: Final = RateRequest(priority=RequestPriority.CANCEL)
STEP: Final = 20_000_000


class SocketSim(SimExchange):
    """The adapter of the simulated venue, with sockets; ``SimVenue`` is at their other end."""

    name: ClassVar[str] = "socketsim"
    keys: Credentials | None = None

    def open_venue(self) -> SimVenue:
        raise NotImplementedError("there is a real socket")

    def authorise(self, credentials: Credentials) -> None:
        type(self).keys = credentials

    def connections(self) -> Sequence[Connection]:
        return (
            Connection(name="stream", url=f"{STREAM_URL}/sim"),
            Connection(name="rest", url=REST_URL),
        )

    def account_requests(self, now: Nanoseconds) -> Sequence[Outbound]:
        return (Outbound(connection="rest", method="GET", path="/account"),)

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        frame = super().place(intent, now)
        return attrs.evolve(frame, cost=ORDER, order=intent.number, creates=True)

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        return attrs.evolve(super().cancel(order, now), cost=CANCEL, order=order.intent.number)

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        rows = np.zeros(len(self.instruments), EVENT_DTYPE)
        rows["kind"], rows["flags"], rows["received"] = EventKind.GAP, EventFlag.LAST, now
        rows["instrument"], rows["sequence"] = np.arange(len(rows)), -1
        batch.reserve(len(rows))
        batch.records[batch.count : batch.count + len(rows)] = rows
        batch.count += len(rows)
        return len(rows)


class SimProtocol(VenueProtocol):
    """The server: everything of the simulated venue on one stream.

    Attributes
    ----------
    placed : list of bytes
        Orders that clients sent.
    """

    def __init__(self, settings: SimSettings | None = None) -> None:
        self.venue = SimVenue(settings or SimSettings())
        self.placed: list[bytes] = []
        self._carrier: FrameCarrier | None = None

    def attach(self, carrier: FrameCarrier) -> None:
        self._carrier = carrier

    def answers(self, peer: Peer, frame: bytes) -> Sequence[bytes]:
        peer.streams.add("all")
        if b'"place"' in frame:
            self.placed.append(frame)
        self.venue.receive(frame, self.venue.now)
        return ()

    def reply(self, request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(self.venue.account())

    def step(self) -> None:
        """Let a little time pass at the venue."""
        assert self._carrier is not None
        for _, payload in self.venue.step(self.venue.now + STEP):
            self._carrier.publish("all", payload)

    async def move(self) -> None:
        """Let time pass, much faster than here."""
        while True:
            self.step()
            await asyncio.sleep(0.001)


class Joining(Strategy[PartSettings]):
    """Joins the best bid and the best ask."""

    name: ClassVar[str] = "joining"

    def decide(self, view: Record) -> Sequence[Signal]:
        return both_sides(view)


class Twenty(Sizer[PartSettings]):
    """Always twenty lots."""

    name: ClassVar[str] = "twenty"

    def size(self, signal: Signal, view: Record) -> int:
        return 20


class SocketPlugin:
    """Brings the adapter, and parts that quote at once."""

    HOOK_API = 1

    @hookimpl
    def bot4_components(self) -> Sequence[Component]:
        here = "tests.plugins.venue_toolkit.simulated_sockets"
        return (
            Component(kind="exchange", name="socketsim", load=f"{here}:SocketSim"),
            Component(kind="strategy", name="joining", load=f"{here}:Joining"),
            Component(kind="sizer", name="twenty", load=f"{here}:Twenty"),
        )
