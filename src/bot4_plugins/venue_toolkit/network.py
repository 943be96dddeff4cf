"""The transport of live sessions: WebSockets by picows, requests by httpx."""

import ssl
from collections.abc import Mapping

from bot4_core.plugins.exchange import Connection, Outbound, Reply
from bot4_plugins.venue_toolkit.http_requests import HttpRequests
from bot4_plugins.venue_toolkit.picows_sockets import PicowsSockets
from bot4_plugins.venue_toolkit.transports import Socket, SocketListener

__all__ = ["NetworkTransport"]


class NetworkTransport:
    """Opens sockets and carries requests over the network; satisfies `Transport`.

    Parameters
    ----------
    hosts : mapping of str to str
        Addresses on this machine in place of a venue's ``scheme://host:port``.
    context : ssl.SSLContext, optional
        TLS settings in place of the system's authorities; see `verified_context`.
    """

    def __init__(
        self, hosts: Mapping[str, str] | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._sockets = PicowsSockets(hosts, context)
        self._requests = HttpRequests(hosts, context)

    async def open(self, connection: Connection, listener: SocketListener) -> Socket:
        """Open a connection's socket."""
        return await self._sockets.open(connection, listener)

    async def request(self, connection: Connection, outbound: Outbound) -> Reply:
        """Send a request once."""
        return await self._requests.request(connection, outbound)

    async def close(self) -> None:
        """Close what is kept open between requests."""
        await self._requests.close()
