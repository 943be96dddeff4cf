"""Subscribed is not receiving: each stream is watched, not the socket that carries it."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

import attrs
import numpy as np

from bot4_core.plugins.exchange import Stream
from bot4_core.plugins.interfaces import Exchange, Records

__all__ = ["Remedy", "StreamWatch"]

STEPS: Final = 3


class Remedy(Enum):
    """What to do about a silent stream; each step after as much silence again."""

    RESUBSCRIBE = 1
    RECONNECT = 2
    ALERT = 3


@attrs.define
class _Watched:
    stream: Stream
    connection: str
    since: int
    steps: int = 0


class StreamWatch:
    """Notes when each stream brought something last.

    Parameters
    ----------
    exchange : Exchange
        Knows the numbers of symbols.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._watched: dict[str, list[_Watched]] = {}
        self._by_event: dict[tuple[int, int], list[_Watched]] = {}
        self._known = -1

    def arm(self, connection: str, streams: Sequence[Stream], now: int) -> None:
        """Expect something of what a socket was just subscribed to."""
        before = {each.stream.symbol: each.steps for each in self._watched.get(connection, ())}
        self._watched[connection] = [
            _Watched(each, connection, now, before.get(each.symbol, 0)) for each in streams
        ]
        self._known = -1

    def disarm(self, connection: str) -> None:
        """Expect nothing while a socket is closed; how often it was silent is not forgotten."""
        for each in self._watched.get(connection, ()):
            each.since = -1

    def note(self, records: Records, now: int) -> None:
        """Take note of whose events came in."""
        if not self._watched:
            return
        if self._known != len(self._exchange.instruments):
            self._index()
        codes = records["instrument"].astype(np.int64) << 8 | records["kind"]
        for code in np.unique(codes).tolist():
            for each in self._by_event.get((code >> 8, code & 0xFF), ()):
                each.since, each.steps = now, 0

    def silent(self, now: int) -> list[tuple[str, Stream, Remedy]]:
        """Return the streams that are silent for too long, and what to do about each."""
        found = []
        for connection, streams in self._watched.items():
            for each in streams:
                if each.since >= 0 and now - each.since > each.stream.silence:
                    each.since = now
                    each.steps = min(each.steps + 1, STEPS)
                    found.append((connection, each.stream, Remedy(each.steps)))
        return found

    def _index(self) -> None:
        """Find the streams by instrument number and kind of event."""
        names = {str(each.symbol): at for at, each in enumerate(self._exchange.instruments)}
        self._by_event = {}
        for streams in self._watched.values():
            for each in streams:
                number = names.get(str(each.stream.symbol), -1)
                for kind in each.stream.kinds:
                    self._by_event.setdefault((number, int(kind)), []).append(each)
        self._known = len(names)
