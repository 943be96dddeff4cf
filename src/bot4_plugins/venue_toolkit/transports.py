"""What the supervisor needs of a network: sockets that push messages, and requests with replies.

Nothing here sends anything twice. An implementation that follows redirects, retries by itself or
skips the verification of certificates is not one.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

from bot4_core.errors import ConfigError
from bot4_core.plugins.exchange import Connection, Outbound, Reply

__all__ = ["Socket", "SocketListener", "Transport", "require_safe", "rerouted", "verified_context"]

SAFE: Final = frozenset({"wss", "https"})
PLAIN: Final = frozenset({"ws", "http"})


class SocketListener(Protocol):
    """Whom an open socket tells; called from the event loop, must not block."""

    def on_message(self, data: bytes) -> None:
        """Take one whole message."""

    def on_alive(self) -> None:
        """Take note of a ping or pong: the other side lives, though it says nothing."""

    def on_close(self, reason: str) -> None:
        """Take note of the end; called once, nothing comes after it."""


class Socket(Protocol):
    """An open WebSocket."""

    @property
    def is_open(self) -> bool:
        """Whether what is sent may still arrive."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Send one text frame, without waiting."""

    def ping(self) -> None:
        """Send a ping; the pong makes the listener's ``on_alive``."""

    def close(self) -> None:
        """Close at once, without waiting for the other side to agree."""


class Transport(Protocol):
    """Opens sockets and carries requests."""

    async def open(self, connection: Connection, listener: SocketListener) -> Socket:
        """Open a connection's socket.

        Raises
        ------
        VenueError
            If it cannot be opened.
        """
        raise NotImplementedError

    async def request(self, connection: Connection, outbound: Outbound) -> Reply:
        """Send a request once; ``connection`` says to which host.

        ``Reply.received`` is left 0: the transport has no clock.

        Raises
        ------
        VenueError
            If no whole reply came; the request may have arrived all the same.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Close what is kept open between requests."""


def require_safe(url: str) -> None:
    """Check that an address is encrypted, or stays on this machine.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    parts = urlsplit(url)
    if parts.scheme in SAFE or (parts.scheme in PLAIN and _is_loopback(parts.hostname or "")):
        return
    fault = f"{parts.scheme}://{parts.hostname} is not encrypted; use wss:// or https://"
    raise ConfigError("venue", [("url", fault)])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def rerouted(url: str, hosts: Mapping[str, str]) -> str:
    """Return an address with its ``scheme://host:port`` replaced, where ``hosts`` names it.

    Raises
    ------
    ConfigError
        If the replacement is not on this machine: keys go to the venue or nowhere.
    """
    parts = urlsplit(url)
    target = hosts.get(f"{parts.scheme}://{parts.netloc}")
    if target is None:
        return url
    if not _is_loopback(urlsplit(target).hostname or ""):
        raise ConfigError("venue", [("hosts", f"{target} is not on this machine")])
    rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return f"{target}{rest}"


def verified_context(authorities: str | None = None) -> ssl.SSLContext:
    """Return TLS settings that check certificate and host name; there is no way to skip it.

    Parameters
    ----------
    authorities : str, optional
        A PEM file in place of the system's certificate authorities.
    """
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
