"""What makes a loopback server one venue rather than another."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from bot4_plugins.venue_toolkit.loopback.http_text import HttpAnswer, HttpRequest

__all__ = ["FrameCarrier", "Peer", "VenueProtocol"]


class Peer(Protocol):
    """A client's open socket, as a protocol sees it."""

    path: str
    streams: set[str]
    """What it is subscribed to; the protocol fills it."""

    def send(self, payload: bytes) -> None:
        """Send it one message."""


class FrameCarrier(Protocol):
    """The server, as a protocol sees it."""

    def publish(self, stream: str, payload: bytes) -> None:
        """Push a message to every socket that is subscribed to a stream."""

    def strikes_stale(self, path: str) -> bool:
        """Tell whether a snapshot asked for now should be an old one."""
        raise NotImplementedError


class VenueProtocol(ABC):
    """How one venue speaks: a hook each for sockets, their messages and requests."""

    def attach(self, carrier: FrameCarrier) -> None:  # noqa: B027 - most need none
        """Take the server that will carry the messages."""

    def opened(self, peer: Peer) -> Sequence[bytes]:
        """Return what a fresh socket is told first."""
        return ()

    @abstractmethod
    def answers(self, peer: Peer, frame: bytes) -> Sequence[bytes]:
        """Return what a client's message is answered."""

    @abstractmethod
    def reply(self, request: HttpRequest) -> HttpAnswer:
        """Return the answer to a request."""

    def farewell(self) -> tuple[str, bytes]:
        """Return what announces a restart, and on which stream; empty for no such message."""
        return "", b""
