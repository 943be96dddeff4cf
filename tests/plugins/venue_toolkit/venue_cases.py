"""A tiny venue for tests of the I/O: channels by name, a counter for snapshots."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from bot4_plugins.venue_toolkit.loopback.http_text import HttpAnswer, HttpRequest
from bot4_plugins.venue_toolkit.loopback.venue_protocol import Peer, VenueProtocol

STREAM_URL: Final = "wss://stream.venue.test"
REST_URL: Final = "https://api.venue.test"
PATIENCE: Final = 120.0


class EchoProtocol(VenueProtocol):
    """Confirms subscriptions (``+name``), and says everything else again."""

    def answers(self, peer: Peer, frame: bytes) -> Sequence[bytes]:
        if frame.startswith(b"+"):
            peer.streams.add(frame[1:].decode())
            return [b"ok " + frame[1:]]
        return [frame]

    def reply(self, request: HttpRequest) -> HttpAnswer:
        said = {"method": request.method, "target": request.target, "body": request.body.decode()}
        said["key"] = request.headers.get("x-key", "")
        return HttpAnswer(json.dumps(said).encode(), headers=(("X-Used", "7"),))


class Heard:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.alive = 0
        self.closed: list[str] = []

    def on_message(self, data: bytes) -> None:
        self.messages.append(data)

    def on_alive(self) -> None:
        self.alive += 1

    def on_close(self, reason: str) -> None:
        self.closed.append(reason)

    async def something(self) -> None:
        """Wait for a message."""
        await until(lambda: self.messages)

    async def end(self) -> None:
        """Wait for the end."""
        await until(lambda: self.closed)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that sockets bring about; a failure is a hang that is cut short.

    Patience is for kernels that are compiled meanwhile.
    """
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody could set an event
            await asyncio.sleep(0)


def played(scene: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Make a test of a coroutine."""

    def test() -> None:
        asyncio.run(scene())

    test.__name__, test.__doc__ = scene.__name__, scene.__doc__
    return test
