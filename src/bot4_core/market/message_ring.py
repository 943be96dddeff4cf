"""Messages of bytes from one process to others, in order: `MessageRing`."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import Specialisation, entry_point
from bot4_core.kernels.ring import CURSOR_SLOTS, LINE, At, Cursor
from bot4_core.kernels.ring_messages import (
    TOO_LONG,
    begin_at_head,
    claim_message,
    next_message,
    publish_message,
    release_message,
)
from bot4_core.market.rings import Pause, Readers, Ring, RingReader, RingWriter, end_kernels

__all__ = [
    "Message",
    "MessageCopy",
    "MessageReader",
    "MessageRing",
    "MessageWriter",
    "message_kernels",
]

WORD: Final = 8
KIND: Final = int(Cursor.KIND)
LENGTH: Final = int(Cursor.LENGTH)
Bytes = NDArray[np.uint8]


class Message(NamedTuple):
    """A kind, given by the writer, and bytes where they stand in the ring."""

    kind: int
    data: Bytes


class MessageCopy(NamedTuple):
    """A kind, given by the writer, and bytes of one's own."""

    kind: int
    data: bytes


class MessageWriter(RingWriter):
    """Writes messages; there is one for each ring.

    Raises
    ------
    ChannelError
        If another process writes to the ring.
    """

    def __init__(self, ring: "MessageRing") -> None:
        super().__init__(ring)
        words = self._words
        self._bytes, self._view = words.view(np.uint8), words.data.cast("B")
        self._claim = entry_point(claim_message, words, 0)
        self._publish = entry_point(publish_message, words, 0, 0, 0)

    def claim(self, length: int) -> Bytes | None:
        """Return room for a message, to be filled and then published; None if there is none yet.

        Raises
        ------
        ValueError
            If a message of this length never fits; see `MessageRing.longest`.
        """
        place = self._claim(self._words, length)
        if place < 0:
            self._refuse(place, length)
            return None
        self._place, self._length = place, length
        return self._bytes[place * WORD : place * WORD + length]

    def _refuse(self, place: int, length: int) -> None:
        """Return where there is no room yet; raise where there never will be."""
        if place == TOO_LONG:
            longest = self.longest
            raise ValueError(f"a message of {length:,} bytes: the ring takes {longest:,} at most")

    def publish(self, kind: int = 0) -> None:
        """Let the claimed message be read; ``kind`` is a number from 0 to 2**22."""
        self._publish(self._words, self._place, self._length, kind)

    @property
    def longest(self) -> int:
        """Bytes of the longest message."""
        return longest_message(int(self._words[At.LINES]))

    def send(self, length: int, fill: Callable[[Bytes], None], pause: Pause, kind: int = 0) -> None:
        """Write one message, pausing while there is no room.

        Parameters
        ----------
        length : int
            Bytes.
        fill : callable
            Writes them into the room it is given.
        pause : callable
        kind : int

        Raises
        ------
        ValueError
            If it never fits.
        ChannelError
            If the reader died, or reads no more.
        """
        while (room := self.claim(length)) is None:
            self.stand_by(pause)
        fill(room)
        self.publish(kind)

    def send_bytes(self, data: bytes, pause: Pause, kind: int = 0) -> None:
        """Write one message of given bytes; see `send`."""
        words, length = self._words, len(data)
        while (place := self._claim(words, length)) < 0:
            self._refuse(place, length)
            self.stand_by(pause)
        self._view[place * WORD : place * WORD + length] = data
        self._publish(words, place, length, kind)


class MessageReader(RingReader):
    """Reads messages.

    Raises
    ------
    ChannelError
        If another process reads a ring that has one reader.
    """

    def __init__(self, ring: "MessageRing") -> None:
        super().__init__(ring)
        words, cursor = self._words, self._cursor
        self._bytes, self._view = words.view(np.uint8), words.data.cast("B")
        self._found = cursor.data
        self._next = entry_point(next_message, words, cursor)
        self._release = entry_point(release_message, words, cursor)
        if ring.readers is Readers.MANY:
            entry_point(begin_at_head, words, cursor)(words, cursor)

    def peek(self) -> Message | None:
        """Return the next message without copying it; None if there is none.

        The bytes stand in the ring: with one reader they are safe until `release`, with many the
        writer may overwrite them meanwhile, which `release` tells.
        """
        place = self._next(self._words, self._cursor)
        if place < 0:
            return None
        start = place * WORD
        return Message(self._found[KIND], self._bytes[start : start + self._found[LENGTH]])

    def release(self) -> bool:
        """Go on behind the message at hand; False if it was overwritten while it was read."""
        return self._release(self._words, self._cursor)

    def take(self) -> MessageCopy | None:
        """Return a copy of the next message; None if there is none, or it was overwritten."""
        place = self._next(self._words, self._cursor)
        if place < 0:
            return None
        start = place * WORD
        copy = MessageCopy(
            self._found[KIND], self._view[start : start + self._found[LENGTH]].tobytes()
        )
        return copy if self.release() else None


class MessageRing(Ring):
    """A ring of messages in shared memory, each of any size up to half of the ring.

    With one reader a message can be read where it stands. See `EventRing` for how to attach.
    """

    content = 1
    what = "messages"

    @property
    def longest(self) -> int:
        """Bytes of the longest message."""
        return longest_message(int(self.words[At.LINES]))

    def writer(self) -> MessageWriter:
        """Take the writing end."""
        return MessageWriter(self)

    def reader(self) -> MessageReader:
        """Take the reading end, or one of many."""
        return MessageReader(self)


def message_kernels() -> list[Specialisation]:
    """Return what the ends of a ring of messages call, to be compiled before the first event."""
    words, cursor = np.zeros(LINE, np.int64), np.zeros(CURSOR_SLOTS, np.int64)
    return [
        *end_kernels(words),
        Specialisation(claim_message, (words, 0)),
        Specialisation(publish_message, (words, 0, 0, 0)),
        Specialisation(next_message, (words, cursor)),
        Specialisation(release_message, (words, cursor)),
        Specialisation(begin_at_head, (words, cursor)),
    ]


def longest_message(lines: int) -> int:
    """Return the bytes of the longest message in a ring of so many lines."""
    return lines // 2 * LINE * WORD - 2 * WORD
