"""What an exchange plugin is asked to be: a venue without its sockets.

An adapter never waits, reads no clock and opens nothing. Its owner (a *host*) opens what
`Exchange.connections` lists, hands every message and reply in, and sends what comes out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Nanoseconds,
    Price,
    Quantity,
    Symbol,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RateSettings
from bot4_core.domain_types.records import EventFlag, EventKind, Records
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.connections import Connection, Outbound, Reply, Stream
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.part_settings import PartSettings, absent

if TYPE_CHECKING:  # its kernels load numba, and hosts list plugins without it
    from bot4_core.jit import Specialisation
    from bot4_core.market.order_book import Books
    from bot4_core.orders.reconciliation import VenueAccount

__all__ = ["Connection", "Exchange", "Outbound", "Reply", "Stream"]

UNSUPPORTED: Final = "this adapter does not support it"


class Exchange(ABC):
    """A venue without its sockets: bytes and time in, events and wanted bytes out.

    Hosts make adapters as ``cls(settings, instruments)``, with settings of ``settings_type`` read
    from the configuration and the instruments that are known from elsewhere.
    """

    name: ClassVar[str]
    markets: ClassVar[tuple[str, ...]]
    definitive_rejects: ClassVar[frozenset[str]] = frozenset()
    """The venue's own error codes that prove that an order was refused; no other code does."""
    settings_type: ClassVar[type[PartSettings]] = PartSettings

    capabilities: ClassVar[Mapping[str, Capabilities]] = {}
    """What each of ``markets`` offers."""

    subject: Symbol = Symbol("")
    """What messages that name no instrument are about (recordings of one symbol have such)."""

    source: str = ""
    """The connection that the next messages come from, where several are open."""

    number_of: Callable[[str], int] | None = None
    """Turns a client order id into an order number, -1 for foreign ones; set by the session."""

    @abstractmethod
    def __init__(self, settings: PartSettings, instruments: Sequence[Instrument] = ()) -> None:
        """Take settings of ``settings_type`` and the instruments known from elsewhere."""

    @property
    @abstractmethod
    def instruments(self) -> tuple[Instrument, ...]:
        """Known instruments; the position is the instrument id."""

    @property
    @abstractmethod
    def table(self) -> Records:
        """The instruments as INSTRUMENT_DTYPE rows, same order."""

    @property
    def rate_limits(self) -> RateSettings | None:
        """The venue's limits, which ``cost`` of an `Outbound` is counted against."""
        return None

    def concerns(self, url: str) -> bool:
        """Say whether what comes from an address is of this adapter's market.

        Recordings may hold the connections and replies of several markets of a venue.
        """
        return True

    def authorise(self, credentials: Credentials) -> None:
        """Take the keys that private connections and orders need; they are shown nowhere."""
        raise absent(self, "authorise", UNSUPPORTED)

    def connections(self) -> Sequence[Connection]:
        """Return what should be open now; private ones only after `authorise`.

        Asked again after every reply: some venues put a token that they gave into an address.
        """
        raise absent(self, "connections", UNSUPPORTED)

    @abstractmethod
    def connect(self) -> Sequence[Outbound]:
        """Say what to send and request on fresh connections of all market data."""

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        """Say what to send first on a connection that was just opened, also after a loss.

        Messages of a predecessor may still be coming in: nothing is forgotten before `began`.
        """
        return [each for each in self.connect() if each.connection == connection]

    def streams(self, connection: str) -> Sequence[Stream]:
        """Name what a connection is subscribed to, to be watched for silence."""
        return ()

    def carries_data(self, data: bytes) -> bool:
        """Tell whether a fresh socket's message is what was subscribed to, or only says so."""
        return True

    def began(self, connection: str) -> None:
        """Take note that the messages that follow come from a fresh socket."""
        self.source = connection

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        """Append a GAP for each book that a lost connection fed; return their number."""
        raise absent(self, "closed", UNSUPPORTED)

    def ending(self) -> Sequence[str]:
        """Hand over the connections that the venue said it will close; asked after each message.

        Their successors are opened before they are closed.
        """
        return ()

    def due(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Say what is to be sent because of the time alone; asked about once a second.

        Pings, renewed tokens, a dead man's switch, metadata that may have changed.
        """
        return ()

    def wanted(self) -> Sequence[Outbound]:
        """Hand over what messages and replies gave rise to; asked after each of them."""
        return ()

    @abstractmethod
    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        """Append the message's events to the batch, whole or not at all.

        Returns
        -------
        int
            Number of records appended; 0 for messages without events (acks, heartbeats) and for
            quarantined ones, which are counted in ``quarantined``.
        """

    def decode_into(
        self, data: bytes, received: Nanoseconds, batch: EventBatch, books: "Books"
    ) -> int:
        """Append the message's events to the batch and apply them to the books.

        The books take in instruments that are new. Adapters may do both in one compiled call.

        Returns
        -------
        int
            As `decode`.
        """
        first = batch.count
        made = self.decode(data, received, batch)
        if len(self.table) > len(books):
            books.extend(self.table)
        books.apply(batch.records, first, batch.count)
        return made

    def decode_block(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
        batch: EventBatch,
        first: int = 0,
    ) -> int:
        """Append the events of many messages of one buffer, from message ``first`` on.

        Returns
        -------
        int
            Number of the next message; not more than the batch should hold is decoded at once.
        """
        for number in range(first, len(starts)):
            data = buffer[int(starts[number]) : int(stops[number])].tobytes()
            self.decode(data, Nanoseconds(int(received[number])), batch)
        return len(starts)

    def decode_response(
        self, url: str, data: bytes, received: Nanoseconds, batch: EventBatch
    ) -> int:
        """Append the events of the reply to a request for ``url``, whole or not at all."""
        return self.decode(data, received, batch)

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        """Append the events of the reply to a request, whole or not at all.

        A reply that is no acceptance and no definitive refusal of an order puts it in doubt.
        """
        return self.decode_response(request.path, reply.body, reply.received, batch)

    def undelivered(self, request: Outbound, now: Nanoseconds, batch: EventBatch) -> int:
        """Append what follows where a request was sent and no reply will come.

        An order that it may have created is in doubt; nothing else follows.
        """
        if not request.creates:
            return 0
        batch.reserve(1)
        row = batch.records[batch.count]
        row["time"], row["received"], row["link"] = 0, now, request.order
        row["price"] = row["size"] = row["aux"] = row["side"] = 0
        row["sequence"], row["instrument"] = -1, max(request.cost.instrument, 0)
        row["kind"], row["flags"] = EventKind.ORDER_IN_DOUBT, EventFlag.LAST
        batch.count += 1
        return 1

    def usage(self, reply: Reply) -> Sequence[tuple[str, int]]:
        """Return what a reply's headers say is used of the limits that `rate_limits` names."""
        return ()

    def clock_request(self) -> Outbound | None:
        """Return what asks for the venue's time; None if it cannot be asked."""
        return None

    def read_clock(self, reply: Reply) -> Nanoseconds:
        """Return the venue's time from the reply to `clock_request`.

        Raises
        ------
        DecodeError
            If it cannot be read.
        """
        raise absent(self, "read_clock", UNSUPPORTED)

    def specialisations(self) -> "Sequence[Specialisation]":
        """Return the kernels that are called while a session runs, to compile them before it.

        They come with example arguments of the types that they are called with.
        """
        return ()

    @property
    @abstractmethod
    def quarantined(self) -> int:
        """Messages refused so far."""

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        """Say what to request after a gap in an instrument's book."""
        raise absent(self, "resync", UNSUPPORTED)

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        """Encode a new order; ``now`` is the time that the request is signed for.

        Raises
        ------
        OrderError
            If the venue has no such order; what it has stands in ``capabilities``.
        """
        raise absent(self, "place", UNSUPPORTED)

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode the cancellation of an order."""
        raise absent(self, "cancel", UNSUPPORTED)

    def cancel_all(self, instrument: InstrumentId, now: Nanoseconds) -> Sequence[Outbound]:
        """Encode the cancellation of every order of an instrument, also those unknown here."""
        raise absent(self, "cancel_all", UNSUPPORTED)

    def amend(
        self, order: Order, price: Price | None, size: Quantity | None, now: Nanoseconds
    ) -> Outbound:
        """Encode a change of a working order's price or whole size; None leaves it as it is."""
        raise absent(self, "amend", UNSUPPORTED)

    def query(self, order: Order, now: Nanoseconds) -> Outbound:
        """Encode a question, by client order id, about what became of an order.

        The answer is decoded into order events: what the venue says of the order and of its
        trades, or ``ORDER_NOT_FOUND``.
        """
        raise absent(self, "query", UNSUPPORTED)

    def missed(self, since: Nanoseconds, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for what private connections may not have told since a time.

        The replies are decoded into order events; those that are known change nothing.
        """
        raise absent(self, "missed", UNSUPPORTED)

    def account_requests(self, now: Nanoseconds) -> Sequence[Outbound]:
        """Ask for working orders, positions, balances and recent trades."""
        raise absent(self, "account_requests", UNSUPPORTED)

    def read_account(self, replies: Sequence[bytes], time: Nanoseconds) -> "VenueAccount":
        """Decode the bodies of the replies to `account_requests`, in the same order.

        Raises
        ------
        DecodeError
            If one of them cannot be read; nothing is guessed of an account.
        """
        raise absent(self, "read_account", UNSUPPORTED)

    def refusal(self, code: str) -> EventKind:
        """Return what an error reply to a new order says of it.

        Only codes of ``definitive_rejects`` prove that it was refused. After any other, and after
        a lost reply, the order may be working: it is in doubt until the venue's word settles it.
        """
        definitive = code in self.definitive_rejects
        return EventKind.ORDER_REJECTED if definitive else EventKind.ORDER_IN_DOUBT
