"""Raw messages in blocks, as every source of a recording hands them out."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import ClassVar, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.market.recordings.byte_stream import ByteCount

__all__ = [
    "BLOCK_BYTES",
    "Channel",
    "MessageBlock",
    "MessageFile",
    "Origin",
    "RecordingClock",
    "RefusedLines",
    "block_from_messages",
]

BLOCK_BYTES: Final = 1 << 20
"""Aim for the size of a block's buffer: fits a second-level cache, hides a Python call."""


class RecordingClock(StrEnum):
    """What the receive times of a recording are."""

    RECEIVE = "receive"  # the recorder's clock, UTC
    EXCHANGE = "exchange"  # no receive time was kept; the venue's own times stand in
    NONE = "none"  # no times: the order of the messages is all there is


class Channel(IntEnum):
    """How a message came to the recorder."""

    STREAM = 0  # pushed over a WebSocket, or a line of a line-oriented file
    RESPONSE = 1  # the body of a reply to a request


@attrs.frozen(kw_only=True)
class Origin:
    """Where messages came from: the file, the connection, and the request or the address."""

    source: str
    channel: Channel = Channel.STREAM
    connection: str = ""
    url: str = ""


@attrs.frozen(kw_only=True, eq=False)
class MessageBlock:
    """Raw messages of one source in receive order; message ``i`` is ``buffer[starts[i]:stops[i]]``.

    Attributes
    ----------
    buffer : (n,) uint8
        Read-only; may hold bytes between messages.
    starts, stops : (m,) int64
    received : (m,) int64
        Receive times in ns UTC, 0 for unknown.
    origins : (m,) int32
        Positions in the source's list of origins.
    """

    buffer: NDArray[np.uint8]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    received: NDArray[np.int64]
    origins: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.starts)

    def message(self, number: int) -> bytes:
        """Return the bytes of one message."""
        return self.buffer[int(self.starts[number]) : int(self.stops[number])].tobytes()


@attrs.define
class RefusedLines:
    """Lines that hold no message of the layout: how many, and the first few of them."""

    count: int = 0
    examples: list[tuple[int, str]] = attrs.field(factory=list)
    keep: int = 8

    def add(self, line: int, content: bytes) -> None:
        """Count one line, numbered from 1."""
        self.count += 1
        if len(self.examples) < self.keep:
            self.examples.append((line, content[:80].decode("utf-8", "backslashreplace")))


@attrs.define(kw_only=True)
class MessageFile(ABC):
    """One file of raw messages.

    Attributes
    ----------
    path : Path
    clock : RecordingClock
        What the receive times are.
    origins : list of Origin
        Origins that blocks have named so far.
    refused : RefusedLines
        What of the file was no message of its layout, so far.
    other : int
        Records that are no venue message: notes of the recorder, blank lines.
    count : ByteCount
        How much of the file was read so far.
    """

    layout: ClassVar[str]
    path: Path
    clock: RecordingClock = RecordingClock.NONE
    origins: list[Origin] = attrs.field(factory=list)
    refused: RefusedLines = attrs.field(factory=RefusedLines)
    other: int = 0
    count: ByteCount = attrs.field(factory=ByteCount)

    @property
    def name(self) -> str:
        """File name without its folder."""
        return self.path.name

    @abstractmethod
    def blocks(self) -> Iterator[MessageBlock]:
        """Read the messages from the start; to be called once."""


def block_from_messages(
    messages: list[bytes], received: list[int], origins: list[int]
) -> MessageBlock:
    """Lay separate messages end to end."""
    lengths = np.fromiter(map(len, messages), np.int64, len(messages))
    stops = np.cumsum(lengths, dtype=np.int64)
    return MessageBlock(
        buffer=np.frombuffer(b"".join(messages), np.uint8),
        starts=stops - lengths,
        stops=stops,
        received=np.array(received, np.int64),
        origins=np.array(origins, np.int32),
    )
