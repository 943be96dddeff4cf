"""What a connection has done so far, for whoever watches it."""

from collections import deque
from typing import Final

import attrs

__all__ = ["ConnectionHealth", "Notice", "Notices"]

KEPT: Final = 1000


@attrs.define(kw_only=True)
class ConnectionHealth:
    """Counts of one named connection; they go on when its socket is replaced.

    Parameters
    ----------
    name : str
    is_open : bool
    messages, bytes : int
        Received.
    sent : int
        Frames.
    opened : int
        Sockets opened so far.
    lost : int
        Sockets that ended without being replaced first.
    rotated : int
        Sockets that were replaced before they ended.
    silent_streams : int
        Times that a subscription brought nothing although the socket lived.
    last_received : int
        UTC time of the last message, ns; 0 for none yet.
    lag : int
        How much later than the venue's own time the last message with one was received, ns.
    reason : str
        Why the last socket ended.
    """

    name: str
    is_open: bool = False
    messages: int = 0
    bytes: int = 0
    sent: int = 0
    opened: int = 0
    lost: int = 0
    rotated: int = 0
    silent_streams: int = 0
    last_received: int = 0
    lag: int = 0
    reason: str = ""


@attrs.frozen
class Notice:
    """Something that somebody may want to know: when, about which connection, and what."""

    time: int
    connection: str
    text: str


class Notices:
    """Keeps the latest notices and counts all."""

    def __init__(self) -> None:
        self.latest: deque[Notice] = deque(maxlen=KEPT)
        self.count = 0

    def add(self, time: int, connection: str, text: str) -> None:
        """Take note."""
        self.count += 1
        self.latest.append(Notice(time, connection, text))
