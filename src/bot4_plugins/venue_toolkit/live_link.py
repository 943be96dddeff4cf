"""Opens the live market of a session, and closes it whatever happens."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from bot4_core.errors import ConfigError
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.interfaces import Exchange
from bot4_core.session.config import SessionConfig, SessionMode
from bot4_core.session.ports import Market
from bot4_plugins.venue_toolkit.live_feed import LiveFeed
from bot4_plugins.venue_toolkit.live_markets import (
    LivePaperMarket,
    LiveVenueMarket,
    known_symbols,
)
from bot4_plugins.venue_toolkit.pace import Pace
from bot4_plugins.venue_toolkit.transports import Transport

__all__ = ["LiveLink"]

MS = 1_000_000


class LiveLink:
    """Satisfies the session's port `Connect`; a context manager.

    Parameters
    ----------
    transport : Transport
    keys : callable, optional
        Returns a venue's credentials, or None; asked for real orders only.
    pace : Pace, optional
    """

    def __init__(
        self,
        transport: Transport,
        keys: Callable[[str], Credentials | None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._transport = transport
        self._keys = keys
        self._pace = pace
        self.feed: LiveFeed | None = None

    def __call__(self, config: SessionConfig, exchange: Exchange) -> Market:
        """Connect, and return the market once its instruments are known.

        Raises
        ------
        ConfigError
            If real orders are wanted and there are no keys.
        VenueError
            If the venue cannot be reached.
        """
        real = config.mode is SessionMode.LIVE
        if real:
            self._authorise(exchange)
        feed = self.feed = LiveFeed(exchange, self._transport, self._pace)
        known_symbols(feed, config.venue.symbols)
        if real:
            window = config.answers.expiry_ms * MS
            return LiveVenueMarket(feed, config.source.seconds, window)
        return LivePaperMarket(feed, config.matching, config.source.seconds)

    def _authorise(self, exchange: Exchange) -> None:
        credentials = self._keys(exchange.name) if self._keys is not None else None
        if credentials is None:
            fault = f"real orders need the keys of {exchange.name}; see the page on keys"
            raise ConfigError("session", [("mode", fault)])
        exchange.authorise(credentials)

    def close(self) -> None:
        """Close every connection."""
        if self.feed is not None:
            self.feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
