"""Where a supervisor puts what comes in."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import Records
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books
from bot4_core.plugins.exchange import Exchange, Outbound, Reply

__all__ = ["BookSink", "EventSink", "MessageSink"]


class MessageSink(Protocol):
    """Takes what connections bring, and returns how many events were made of it."""

    def message(self, connection: str, data: bytes, received: int) -> int:
        """Take a message."""
        raise NotImplementedError

    def reply(self, request: Outbound, reply: Reply) -> int:
        """Take the reply to a request."""
        raise NotImplementedError

    def undelivered(self, request: Outbound, now: int) -> int:
        """Take note that no reply will come."""
        raise NotImplementedError

    def closed(self, connection: str, now: int) -> int:
        """Take note that a connection was lost."""
        raise NotImplementedError


class EventSink:
    """Decodes everything into one batch.

    Parameters
    ----------
    exchange : Exchange
    batch : EventBatch
    ready : callable, optional
        Called when there are events.
    """

    def __init__(
        self, exchange: Exchange, batch: EventBatch, ready: Callable[[], None] | None = None
    ) -> None:
        self.exchange = exchange
        self.batch = batch
        self._ready = ready
        self._seen = 0
        self._replies: list[tuple[int, int]] = []

    def message(self, connection: str, data: bytes, received: int) -> int:
        """Decode a message."""
        self.exchange.source = connection
        made = self.exchange.decode(data, Nanoseconds(received), self.batch)
        return self._made(made)

    def reply(self, request: Outbound, reply: Reply) -> int:
        """Decode a reply."""
        first = self.batch.count
        made = self.exchange.decode_reply(request, reply, self.batch)
        self._replies.append((first, self.batch.count))
        return self._made(made)

    def undelivered(self, request: Outbound, now: int) -> int:
        """Put an order in doubt."""
        return self._made(self.exchange.undelivered(request, Nanoseconds(now), self.batch))

    def closed(self, connection: str, now: int) -> int:
        """Append the gaps of a lost connection."""
        return self._made(self.exchange.closed(connection, Nanoseconds(now), self.batch))

    def pushed(self) -> Records:
        """Return the events since the last call that came by themselves, not as replies.

        To be called before a batch is cleared or replaced.
        """
        first = min(self._seen, self.batch.count)
        chosen = np.ones(self.batch.count, np.bool_)
        chosen[:first] = False
        for start, stop in self._replies:
            chosen[start:stop] = False
        self._seen, self._replies = self.batch.count, []
        return self.batch.events[chosen]

    def replace(self, batch: EventBatch) -> None:
        """Go on with another, empty batch."""
        self.batch, self._seen, self._replies = batch, 0, []

    def clear(self) -> None:
        """Forget the events."""
        self.batch.clear()
        self.replace(self.batch)

    def _made(self, count: int) -> int:
        if count and self._ready is not None:
            self._ready()
        return count


class BookSink(EventSink):
    """Decodes everything into one batch, and keeps the books.

    Parameters
    ----------
    exchange : Exchange
    batch : EventBatch
    """

    def __init__(self, exchange: Exchange, batch: EventBatch) -> None:
        super().__init__(exchange, batch)
        self.books = Books(exchange.table)
        self._asked: dict[int, int] = {}

    def message(self, connection: str, data: bytes, received: int) -> int:
        """Decode a message and apply it."""
        self.exchange.source = connection
        return self.exchange.decode_into(data, Nanoseconds(received), self.batch, self.books)

    def reply(self, request: Outbound, reply: Reply) -> int:
        """Decode a reply and apply it."""
        first = self.batch.count
        return self._applied(first, super().reply(request, reply))

    def closed(self, connection: str, now: int) -> int:
        """Append the gaps of a lost connection, and apply them."""
        first = self.batch.count
        return self._applied(first, super().closed(connection, now))

    def _applied(self, first: int, made: int) -> int:
        if len(self.exchange.table) > len(self.books):
            self.books.extend(self.exchange.table)
        self.books.apply(self.batch.records, first, self.batch.count)
        return made

    def torn(self) -> list[int]:
        """Return the instruments whose books want another snapshot than the first."""
        found = []
        for instrument, wanted in enumerate(self.books.rows["wanted"].tolist()):
            if wanted > self._asked.get(instrument, 1):
                self._asked[instrument] = wanted
                found.append(instrument)
        return found
