"""CBCAP1 captures: length-prefixed frames, each after its receive time."""

from collections.abc import Iterator
from typing import ClassVar, Final

import attrs

from bot4_core.errors import DamagedRecordingError, RecordingError
from bot4_core.market.recordings.messages import (
    BLOCK_BYTES,
    MessageBlock,
    MessageFile,
    Origin,
    RecordingClock,
    block_from_messages,
)

__all__ = ["CaptureFile"]

LONGEST_FRAME: Final = 1 << 26
LONGEST_HEAD: Final = 64
DAY: Final = 86_400 * 10**9


@attrs.define(kw_only=True)
class CaptureFile(MessageFile):
    """``CBCAP1 <venue> <symbol> <start ns>``, then ``<ns> <length>``, the frame, a newline.

    Times of some captures are those of a steady clock; they are moved so that the first frame
    came at the start that the first line names.
    """

    parts: Iterator[bytes]
    layout: ClassVar[str] = "frame capture"
    clock: RecordingClock = RecordingClock.RECEIVE
    _buffer: bytes = attrs.field(default=b"", init=False)
    _offset: int = attrs.field(default=0, init=False)

    def blocks(self) -> Iterator[MessageBlock]:
        """Read the frames; bounded memory.

        Raises
        ------
        RecordingError
            At a frame head that is none, or a last frame that is not complete.
        """
        words = self._line().split(b" ")
        if len(words) != 4 or not words[3].isdigit():
            raise RecordingError(f"{self.path}: the first line is not 'CBCAP1 venue symbol start'")
        self.origins.append(Origin(source=self.name, connection=words[2].decode(errors="replace")))
        start = int(words[3])
        shift: int | None = None
        messages: list[bytes] = []
        times: list[int] = []
        size = 0
        while self._more(1):
            time, data = self._frame()
            if shift is None:
                shift = start - time if abs(start - time) > DAY else 0
            messages.append(data)
            times.append(time + shift)
            size += len(data)
            if size >= BLOCK_BYTES:
                yield block_from_messages(messages, times, [0] * len(times))
                messages, times, size = [], [], 0
        if messages:
            yield block_from_messages(messages, times, [0] * len(times))

    def _more(self, size: int) -> bool:
        """Have at least ``size`` bytes from the offset on, if the file has them."""
        while len(self._buffer) - self._offset < size:
            part = next(self.parts, b"")
            if not part:
                return False
            self._buffer = self._buffer[self._offset :] + part
            self._offset = 0
        return True

    def _line(self) -> bytes:
        self._more(LONGEST_HEAD)
        stop = self._buffer.find(b"\n", self._offset, self._offset + 4 * LONGEST_HEAD)
        if stop < 0:
            raise self._damaged("a frame head is missing or cut off")
        line = self._buffer[self._offset : stop]
        self._offset = stop + 1
        return line

    def _frame(self) -> tuple[int, bytes]:
        words = self._line().split(b" ")
        if len(words) != 2 or not all(word.isdigit() for word in words):
            raise self._damaged(f"{words!r} is no frame head '<ns> <length>'")
        length = int(words[1])
        if length > LONGEST_FRAME or not self._more(length):
            raise self._damaged(f"a frame of {length} bytes is cut off")
        data = self._buffer[self._offset : self._offset + length]
        self._offset += length
        if self._more(1):
            self._offset += 1
        return int(words[0]), data

    def _damaged(self, what: str) -> RecordingError:
        return DamagedRecordingError(f"{self.path}: {what}; fetch the file again")
