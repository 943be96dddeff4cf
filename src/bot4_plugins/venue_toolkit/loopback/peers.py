"""A client's socket at a loopback venue."""

import asyncio
from collections.abc import Callable

from bot4_plugins.venue_toolkit.loopback.websocket_frames import Opcode, frame_bytes

__all__ = ["ServedPeer"]

TURNS = 3
"""Turns of the event loop between the two halves of a frame: a client in it has read the first."""


class ServedPeer:
    """Sends frames to a client, whole or in two writes.

    Parameters
    ----------
    path : str
        What the client asked for, with its query.
    writer : asyncio.StreamWriter
    split : callable
        Asked for every frame: where to cut it, 0 for nowhere.

    Attributes
    ----------
    streams : set of str
        What the protocol says that the client is subscribed to.
    frozen : bool
        Nothing passes any more, and nobody is told.
    """

    def __init__(self, path: str, writer: asyncio.StreamWriter, split: Callable[[], int]) -> None:
        self.path = path
        self.writer = writer
        self.streams: set[str] = set()
        self.frozen = False
        self._split = split
        self._halves: asyncio.Queue[bytes] | None = None
        self._task: asyncio.Task[None] | None = None

    def send(self, payload: bytes, opcode: Opcode = Opcode.TEXT) -> None:
        """Send one message."""
        self.write(frame_bytes(payload, opcode))

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self.frozen or self.writer.is_closing():
            return
        place = self._split()
        if not place and self._halves is None:
            self.writer.write(data)
            return
        if self._halves is None:
            self._halves = asyncio.Queue()
            self._task = asyncio.create_task(self._write_halves(self._halves))
        cut = place % len(data)
        self._halves.put_nowait(data[:cut])
        self._halves.put_nowait(data[cut:])

    async def _write_halves(self, halves: "asyncio.Queue[bytes]") -> None:
        while True:
            half = await halves.get()
            if half:
                self.writer.write(half)
            for _ in range(TURNS):
                await asyncio.sleep(0)

    def freeze(self) -> None:
        """Let nothing pass any more; the connection stays open."""
        self.frozen = True

    def drop(self, code: int = 1006) -> None:
        """Close; with a farewell unless the code is 1006, which means that there was none."""
        if code != 1006:
            self.send(code.to_bytes(2), Opcode.CLOSE)
        self.writer.close()

    async def finish(self) -> None:
        """Stop writing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
