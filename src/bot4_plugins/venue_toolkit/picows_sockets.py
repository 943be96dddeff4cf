"""WebSockets by picows: frames are parsed where they were received, and copied once."""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bot4_core.errors import MissingPluginError, VenueError, VenueRefusedError
from bot4_core.plugins.exchange import Connection
from bot4_plugins.venue_toolkit.transports import (
    Socket,
    SocketListener,
    require_safe,
    rerouted,
    verified_context,
)

if TYPE_CHECKING:
    from bot4_plugins.venue_toolkit.picows_listener import PicowsSocket

__all__ = ["PicowsSockets"]

UNWELCOME: Final = frozenset({301, 302, 303, 307, 308, 451})
HANDSHAKE_SECONDS: Final = 10.0
INSTALL: Final = "WebSockets need picows: pip install 'bot4-venue-toolkit[live]'"


class PicowsSockets:
    """Opens WebSockets.

    Parameters
    ----------
    hosts : mapping of str to str
        Addresses on this machine in place of a venue's, for instance
        ``{"wss://stream.binance.com:9443": "ws://127.0.0.1:8001"}``.
    context : ssl.SSLContext, optional
        In place of the system's certificate authorities.
    """

    def __init__(
        self, hosts: Mapping[str, str] | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._hosts = dict(hosts or {})
        self._context = context

    async def open(self, connection: Connection, listener: SocketListener) -> Socket:
        """Open a connection's socket; redirects are not followed.

        Raises
        ------
        VenueError
            If it cannot be opened.
        """
        url = rerouted(connection.url, self._hosts)
        require_safe(url)
        listening = _load()
        import picows  # noqa: PLC0415 - `_load` said so if it is missing

        if self._context is None and url.startswith("wss"):
            self._context = verified_context()
        try:
            socket = listening(listener, connection.largest)
            await picows.ws_connect(
                lambda: socket,
                url,
                ssl_context=self._context,
                websocket_handshake_timeout=HANDSHAKE_SECONDS,
                max_frame_size=connection.largest,
                extra_headers=connection.headers,
                max_redirects=0,
            )
        except picows.WSHandshakeError as error:
            status = int(error.response.status) if error.response is not None else 0
            kind = VenueRefusedError if status in UNWELCOME else VenueError
            raise kind(f"{connection.name}: {_said(error)}") from error
        except (OSError, picows.WSError) as error:
            raise VenueError(f"{connection.name}: {_said(error)}") from error
        return socket


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _load() -> "type[PicowsSocket]":
    """Import picows now that a socket is wanted."""
    try:
        from bot4_plugins.venue_toolkit.picows_listener import PicowsSocket  # noqa: PLC0415 - late
    except ImportError as error:
        raise MissingPluginError(INSTALL) from error
    return PicowsSocket
