"""The client side of the simulated venue, without sockets."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RateRequest, RateSettings, RequestPriority
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind, OrderReason
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import DecodeError
from bot4_core.jit import Specialisation
from bot4_core.orders.reconciliation import VenueAccount
from bot4_core.plugins.interfaces import (
    Connection,
    EventBatch,
    Exchange,
    Outbound,
    PartSettings,
    Records,
)
from bot4_plugins.exchange_sim.account import read_account
from bot4_plugins.exchange_sim.decoder import FrameReader
from bot4_plugins.exchange_sim.listing_table import listing_table, relisted
from bot4_plugins.exchange_sim.offer import OFFERED, check_offered
from bot4_plugins.exchange_sim.requests import (
    cancel_text,
    place_text,
    query_text,
    snapshot_text,
    subscribe_text,
)
from bot4_plugins.exchange_sim.settings import SimSettings
from bot4_plugins.exchange_sim.venue import SimVenue, venue_kernels

__all__ = ["SimExchange"]

CONNECTION = "stream"
CANCEL = RateRequest(priority=RequestPriority.CANCEL)
QUERY = RateRequest(priority=RequestPriority.QUERY)
ORDER = RateRequest(priority=RequestPriority.ORDER, orders=1)
REASONS_KEPT = 32


class SimExchange(Exchange):
    """Decode the simulated venue's messages, and encode requests to it.

    Parameters
    ----------
    settings : SimSettings
    instruments : sequence of Instrument
        Replace the venue's own of the same symbols, for other fees and minimums; scales and
        steps stay.
    """

    name: ClassVar[str] = "sim"
    markets: ClassVar[tuple[str, ...]] = ("sim",)
    settings_type: ClassVar[type[PartSettings]] = SimSettings
    capabilities: ClassVar[Mapping[str, Capabilities]] = {"sim": OFFERED}
    definitive_rejects: ClassVar[frozenset[str]] = frozenset(each.name for each in OrderReason)

    def __init__(
        self, settings: SimSettings | None = None, instruments: Sequence[Instrument] = ()
    ) -> None:
        self.settings = settings or SimSettings()
        self._listings = relisted(self.settings.listings, instruments)
        self._instruments = tuple(listing.instrument for listing in self._listings)
        self._table = listing_table(self._listings)
        self._reader = FrameReader(self._instruments)
        self._quarantined = 0
        self.reasons: deque[str] = deque(maxlen=REASONS_KEPT)

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Known instruments; the position is the instrument id."""
        return self._instruments

    @property
    def table(self) -> Records:
        """The instruments as INSTRUMENT_DTYPE rows, same order."""
        return self._table

    @property
    def rate_limits(self) -> RateSettings | None:
        """The venue's limit on requests, if it is told to have one."""
        return self.settings.rate_limits

    @property
    def quarantined(self) -> int:
        """Messages refused so far; the last reasons stand in ``reasons``."""
        return self._quarantined

    def open_venue(self) -> SimVenue:
        """Return a fresh server side with the same settings."""
        return SimVenue(self.settings, self._listings)

    def connections(self) -> Sequence[Connection]:
        """Name the one stream; there is no address behind it."""
        return (Connection(name=CONNECTION, url="sim:"),)

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        """Append a GAP for each book."""
        count = len(self._instruments)
        batch.reserve(count)
        rows = batch.records[batch.count : batch.count + count]
        rows[:] = np.zeros((), EVENT_DTYPE)
        rows["kind"], rows["flags"] = EventKind.GAP, EventFlag.LAST
        rows["received"], rows["instrument"] = now, np.arange(count)
        batch.count += count
        return count

    def connect(self) -> Sequence[Outbound]:
        """Subscribe to every instrument; the venue answers with snapshots."""
        symbols = [str(instrument.symbol) for instrument in self._instruments]
        return (Outbound(connection=CONNECTION, body=subscribe_text(symbols)),)

    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Append the message's events to the batch, whole or not at all."""
        try:
            rows = self._reader.rows(data, received)
        except DecodeError as error:
            self._quarantined += 1
            self.reasons.append(str(error))
            return 0
        batch.reserve(len(rows))
        batch.records[batch.count : batch.count + len(rows)] = rows
        batch.count += len(rows)
        return len(rows)

    def specialisations(self) -> Sequence[Specialisation]:
        """Return the kernels of the server side."""
        return venue_kernels()

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Ask for the book whole after a gap."""
        symbol = str(self._instruments[instrument].symbol)
        return (Outbound(connection=CONNECTION, body=snapshot_text(symbol)),)

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        """Encode a new order; `OrderError` says what the venue does not have."""
        check_offered(intent)
        instrument = self._instruments[intent.instrument]
        return Outbound(
            connection=CONNECTION,
            body=place_text(intent, instrument),
            cost=ORDER,
            order=intent.number,
            creates=True,
        )

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode the cancellation of an order."""
        symbol = str(self._instruments[order.intent.instrument].symbol)
        number = order.intent.number
        body = cancel_text(number, symbol)
        return Outbound(connection=CONNECTION, body=body, cost=CANCEL, order=number)

    def query(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode a question about an order; the venue says again all that it said of it."""
        symbol = str(self._instruments[order.intent.instrument].symbol)
        number = order.intent.number
        body = query_text(number, symbol)
        return Outbound(connection=CONNECTION, body=body, cost=QUERY, order=number)

    def read_account(self, replies: Sequence[bytes], time: Nanoseconds) -> VenueAccount:
        """Decode the venue's reply to a request for the account."""
        return read_account(replies[0], time, self._instruments, self._reader)
