"""Asks a venue for its time now and then."""

from collections.abc import Callable
from typing import Final

from bot4_core.errors import VenueError
from bot4_core.plugins.exchange import Connection, Exchange, Outbound
from bot4_plugins.venue_toolkit.clock_offset import ClockOffset
from bot4_plugins.venue_toolkit.pace import Pace
from bot4_plugins.venue_toolkit.transports import Transport

__all__ = ["Timekeeper"]

SECOND: Final = 1_000_000_000


class Timekeeper:
    """Keeps the offset of one venue's clock.

    Parameters
    ----------
    exchange : Exchange
    transport : Transport
    pace : Pace
    every : int
        Seconds between questions.

    Attributes
    ----------
    clock : ClockOffset
    """

    def __init__(self, exchange: Exchange, transport: Transport, pace: Pace, every: int) -> None:
        self.clock = ClockOffset()
        self._exchange = exchange
        self._transport = transport
        self._pace = pace
        self._every = every * SECOND
        self._next = 0

    def due(self) -> Outbound | None:
        """Return the question, if it is time to ask it; then not again for a while."""
        now = self._pace.elapsed()
        if now < self._next:
            return None
        self._next = now + self._every
        return self._exchange.clock_request()

    async def measure(
        self, request: Outbound, host: Connection, say: Callable[[str, str], None]
    ) -> None:
        """Ask once, and say so if this machine's clock is wrong."""
        sent = self._pace.now()
        try:
            reply = await self._transport.request(host, request)
            self.clock.add(sent, self._pace.now(), self._exchange.read_clock(reply))
        except (VenueError, ValueError) as error:
            say(f"the venue's time is not known: {error}", request.connection)
            return
        if self.clock.warns:
            behind = -self.clock.offset / 1e6
            say(f"this clock is {behind:+.0f} ms from the venue's", request.connection)
