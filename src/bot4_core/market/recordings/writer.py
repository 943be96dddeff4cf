"""Write recordings so that whatever happens, all that was committed can be read."""

import hashlib
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.domain_types.validation import validate
from bot4_core.errors import RecordingError
from bot4_core.market.recordings.frames import (
    INDEX_DTYPE,
    Frame,
    FrameKind,
    packed_frame,
    preamble,
    trailer,
)
from bot4_core.market.recordings.messages import MessageBlock, Origin
from bot4_core.market.recordings.metadata import (
    Durability,
    RecordingCommit,
    RecordingCounts,
    RecordingFooter,
    RecordingHeader,
    packed,
)

__all__ = ["RecordingWriter"]


class RecordingWriter:
    """Appends messages and events to one new file.

    Nothing reaches the file before `commit`, which writes all that was added since the last one.
    A commit that fails (a full disk) is taken back whole, and the file ends at the one before.

    Parameters
    ----------
    path : Path
        Must not exist yet.
    header : RecordingHeader
    durability : Durability
        When to force bytes down to the disk.
    level : int
        zlib level of the raw bytes: 1 is fast, 9 is small.

    Raises
    ------
    RecordingError
        If the file exists or cannot be made or written. The text names file, cause and remedy.
    """

    def __init__(
        self,
        path: Path,
        header: RecordingHeader,
        *,
        durability: Durability = Durability.CLOSE,
        level: int = 3,
    ) -> None:
        self.path = path
        self.counts = RecordingCounts()
        self.instruments: list[Instrument] = []
        self.origins: list[Origin] = []
        self._durability = durability
        self._level = level
        self._pending: list[bytes] = []
        self._frames: list[Frame] = []
        self._committed_frames = 0
        self._new_origins: list[Origin] = []
        self._size = 0
        self._written = 0
        self._digest = hashlib.sha256()
        self._file = self._created()
        self._put(preamble())
        self._frame(FrameKind.HEADER, packed(header))
        self.commit(self.counts)

    def _created(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            return os.open(self.path, flags, 0o644)
        except FileExistsError:
            raise RecordingError(
                f"{self.path}: exists already; delete it or choose another name"
            ) from None
        except OSError as error:
            raise RecordingError(f"{self.path}: cannot create: {error.strerror}") from error

    def add_origin(self, origin: Origin) -> int:
        """Name an origin of messages to come and return its number."""
        self._new_origins.append(origin)
        return len(self.origins) + len(self._new_origins) - 1

    def add_messages(self, block: MessageBlock, source: int = 0) -> None:
        """Add raw messages whose ``origins`` are numbers from `add_origin`."""
        if not len(block):
            return
        lengths = block.stops - block.starts
        content = b"".join(
            (
                lengths.astype("<i4").tobytes(),
                block.origins.astype("<i4").tobytes(),
                np.diff(block.received, prepend=0).astype("<i8").tobytes(),
                *(block.message(number) for number in range(len(block))),
            )
        )
        self._frame(
            FrameKind.RAW,
            zlib.compress(content, self._level),
            source=source,
            size=len(content),
            times=block.received,
        )

    def add_events(self, events: NDArray[np.void]) -> None:
        """Add event records, which are copied."""
        if events.dtype != EVENT_DTYPE:
            raise RecordingError(f"{self.path}: {events.dtype} records are no events")
        if len(events):
            self._frame(FrameKind.EVENTS, events.tobytes(), times=events["received"])

    def _frame(
        self,
        kind: FrameKind,
        payload: bytes,
        *,
        source: int = 0,
        size: int = 0,
        times: NDArray[np.int64] | None = None,
    ) -> None:
        frame = Frame(
            kind=kind,
            source=source,
            number=len(self._frames),
            length=len(payload),
            count=0 if times is None else len(times),
            first=0 if times is None else int(times[0]),
            last=0 if times is None else int(times[-1]),
            size=size,
            checksum=zlib.crc32(payload),
            offset=self._size,
        )
        self._frames.append(frame)
        self._put(packed_frame(frame, payload))

    def _put(self, data: bytes) -> None:
        self._pending.append(data)
        self._size += len(data)

    def commit(self, counts: RecordingCounts, instruments: Sequence[Instrument] = ()) -> None:
        """Write what was added; after it, this much of the recording can be read.

        Parameters
        ----------
        counts : RecordingCounts
            Totals since the start.
        instruments : sequence of Instrument
            All instruments so far; position is the id in the events.

        Raises
        ------
        RecordingError
            If it cannot be written; the file then ends at the commit before.
        ValidationError
            If an instrument breaks the rules of its type.
        """
        known = len(self.instruments)
        new = validate(tuple(instruments[known:]))
        commit = RecordingCommit(counts=counts, instruments=new, origins=tuple(self._new_origins))
        self._frame(FrameKind.COMMIT, packed(commit))
        self._write(force=self._durability is Durability.COMMIT)
        self.counts = counts
        self.instruments += new
        self.origins += self._new_origins
        self._new_origins = []

    def finish(self) -> str:
        """Add index and footer, close the file and return the recording's digest."""
        digest = self._digest.hexdigest()
        index = np.zeros(len(self._frames), INDEX_DTYPE)
        for row, frame in enumerate(self._frames):
            index[row] = (
                frame.offset,
                frame.length,
                frame.count,
                frame.first,
                frame.last,
                frame.size,
                frame.checksum,
                frame.kind,
                frame.source,
            )
        position = self._size
        self._frame(FrameKind.INDEX, index.tobytes())
        footer = self._size
        self._frame(FrameKind.FOOTER, packed(RecordingFooter(digest=digest, index=position)))
        self._put(trailer(footer))
        self._write(force=self._durability is not Durability.NEVER)
        self.close()
        return digest

    def _write(self, *, force: bool) -> None:
        data = memoryview(b"".join(self._pending))
        try:
            rest = data
            while rest:
                rest = rest[os.write(self._file, rest) :]
            if force:
                os.fsync(self._file)
        except OSError as error:
            self._take_back()
            raise RecordingError(
                f"{self.path}: cannot write: {error.strerror}; free some space and record again "
                f"(the {self.counts.messages} messages before are kept in it)"
            ) from error
        self._digest.update(data)
        self._pending = []
        self._written = self._size
        self._committed_frames = len(self._frames)

    def _take_back(self) -> None:
        """End the file at the last commit."""
        os.ftruncate(self._file, self._written)
        os.lseek(self._file, self._written, os.SEEK_SET)
        del self._frames[self._committed_frames :]
        self._pending = []
        self._new_origins = []
        self._size = self._written

    def close(self) -> None:
        """Close the file as it is; what was not committed is dropped."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
