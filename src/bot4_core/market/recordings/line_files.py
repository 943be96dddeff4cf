"""Recordings of one message a line, with or without a receive time before it."""

from collections.abc import Iterator
from typing import ClassVar, Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.errors import RecordingError
from bot4_core.kernels.lines import line_bounds, read_times
from bot4_core.market.recordings.messages import (
    MessageBlock,
    MessageFile,
    Origin,
    RecordingClock,
)

__all__ = ["PlainLines", "TimedLines", "whole_lines"]

LONGEST_LINE: Final = 1 << 26
USUAL_LINE: Final = 64  # bytes; shorter ones on average cost a second look


def whole_lines(parts: Iterator[bytes], longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """Regroup chunks so that each ends at the end of a line; the last may lack its newline.

    Raises
    ------
    RecordingError
        At a line longer than ``longest`` bytes: this is no text of messages.
    """
    pending: list[bytes] = []
    for part in parts:
        cut = part.rfind(b"\n") + 1
        if not cut:
            pending.append(part)
            if sum(map(len, pending)) > longest:
                raise RecordingError(f"a line is longer than {longest} bytes: no text of messages")
            continue
        yield b"".join((*pending, memoryview(part)[:cut]))
        pending = [part[cut:]]
    rest = b"".join(pending)
    if rest:
        yield rest


def _bounds(buffer: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the lines of a buffer start and stop, without their line ends."""
    room = len(buffer) // USUAL_LINE + 1
    starts, stops = np.empty(room, np.int64), np.empty(room, np.int64)
    lines = line_bounds(buffer, starts, stops)
    if lines > room:
        starts, stops = np.empty(lines, np.int64), np.empty(lines, np.int64)
        line_bounds(buffer, starts, stops)
    return starts[:lines], stops[:lines]


@attrs.define(kw_only=True)
class PlainLines(MessageFile):
    """One message a line, no receive time."""

    parts: Iterator[bytes]
    layout: ClassVar[str] = "message lines"
    lines: int = 0

    def blocks(self) -> Iterator[MessageBlock]:
        """Read the messages; bounded memory, a few milliseconds a megabyte."""
        self.origins.append(Origin(source=self.name))
        try:
            for text in whole_lines(self.parts):
                yield self._block(text)
        except RecordingError as error:
            if str(self.path) in str(error):
                raise
            raise RecordingError(f"{self.path}: {error}") from error

    def _block(self, text: bytes) -> MessageBlock:
        buffer = np.frombuffer(text, np.uint8)
        starts, stops = _bounds(buffer)
        received = np.zeros(len(starts), np.int64)
        kept = self._read(buffer, starts, stops, received)
        self.lines += len(starts)
        if not kept.all():
            starts, stops, received = starts[kept], stops[kept], received[kept]
        return MessageBlock(
            buffer=buffer,
            starts=starts,
            stops=stops,
            received=received,
            origins=np.zeros(len(starts), np.int32),
        )

    def _read(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        kept: NDArray[np.bool_] = stops > starts
        self.other += len(kept) - int(np.count_nonzero(kept))
        return kept


@attrs.define(kw_only=True)
class TimedLines(PlainLines):
    """``<receive time> <message>`` lines; the unit follows from the number of digits."""

    digits: int
    layout: ClassVar[str] = "timed lines"
    clock: RecordingClock = RecordingClock.RECEIVE

    def _read(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        kept = super()._read(buffer, starts, stops, received)
        if read_times(buffer, starts, stops, received, self.digits):
            shaped = received >= 0
            for line in np.flatnonzero(kept & ~shaped):
                text = buffer[int(starts[line]) : int(stops[line])].tobytes()
                self.refused.add(self.lines + int(line) + 1, text)
            kept &= shaped
        return kept
