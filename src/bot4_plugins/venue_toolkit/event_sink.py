"""Where a supervisor puts what comes in."""

from collections.abc import Callable
from typing import Protocol

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.exchange import Exchange, Outbound, Reply

__all__ = ["EventSink", "MessageSink"]


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

    def message(self, connection: str, data: bytes, received: int) -> int:
        """Decode a message."""
        self.exchange.source = connection
        made = self.exchange.decode(data, Nanoseconds(received), self.batch)
        return self._made(made)

    def reply(self, request: Outbound, reply: Reply) -> int:
        """Decode a reply."""
        return self._made(self.exchange.decode_reply(request, reply, self.batch))

    def undelivered(self, request: Outbound, now: int) -> int:
        """Put an order in doubt."""
        return self._made(self.exchange.undelivered(request, Nanoseconds(now), self.batch))

    def closed(self, connection: str, now: int) -> int:
        """Append the gaps of a lost connection."""
        return self._made(self.exchange.closed(connection, Nanoseconds(now), self.batch))

    def _made(self, count: int) -> int:
        if count and self._ready is not None:
            self._ready()
        return count
