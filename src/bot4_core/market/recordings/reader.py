"""Read recordings: events straight from the memory map, torn tails cut."""

import hashlib
import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.errors import DamagedRecordingError, RecordingError
from bot4_core.market.recordings.frames import (
    ALIGNMENT,
    INDEX_DTYPE,
    Frame,
    FrameKind,
    checked_preamble,
    footer_position,
    frame_at,
)
from bot4_core.market.recordings.messages import MessageBlock, Origin
from bot4_core.market.recordings.metadata import (
    RecordingCommit,
    RecordingCounts,
    RecordingFooter,
    RecordingHeader,
    unpacked,
)

__all__ = ["Recording", "TornTail"]

LENGTH_AND_ORIGIN: Final = 8
DROPPED: Final = getattr(mmap, "MADV_DONTNEED", None)
STEP: Final = 1 << 24
"""Bytes that are digested at once."""


class TornTail(NamedTuple):
    """The end of an unfinished recording that could not be read and was left out."""

    offset: int  # where the good part ends
    lost: int  # bytes after it
    reason: str


class Recording:
    """One .b4r file, opened for reading.

    Its pages are let go of once they were read, so that memory does not grow with the file.

    Parameters
    ----------
    path : Path
    verify : bool
        Check every checksum now, which reads the whole file once. Without it a finished file
        opens in constant time and damage shows as wrong events.
    salvage : bool
        Read a damaged finished file up to the damage instead of refusing it.

    Attributes
    ----------
    header : RecordingHeader
    instruments : tuple of Instrument
        Position is the instrument id in the events.
    origins : tuple of Origin
    counts : RecordingCounts
    digest : str
        SHA-256 of the recording's content, empty if it was not finished.
    torn : TornTail or None
        Set when the end of the file was cut off.

    Raises
    ------
    RecordingError
        If the file is no recording, is of another version, or was finished and damaged since.
    """

    def __init__(self, path: Path, *, verify: bool = True, salvage: bool = False) -> None:
        self.path = path
        self.digest = ""
        self.torn: TornTail | None = None
        self._map = _mapped(path)
        self._data = memoryview(self._map)
        try:
            checked_preamble(bytes(self._data[:ALIGNMENT]))
        except RecordingError as error:
            raise RecordingError(f"{path}: {error}") from None
        self.frames = self._indexed(verify, salvage) or self._scanned()
        self.header = unpacked(self._payload(self.frames[0]), RecordingHeader, path)
        self.counts = RecordingCounts()
        instruments: list[Instrument] = []
        origins: list[Origin] = []
        for frame in self._of(FrameKind.COMMIT):
            commit = unpacked(self._payload(frame), RecordingCommit, path)
            self.counts = commit.counts
            instruments += commit.instruments
            origins += commit.origins
        self.instruments = tuple(instruments)
        self.origins = tuple(origins)

    def _indexed(self, verify: bool, salvage: bool) -> list[Frame]:
        """Return the frames that a finished file's index names, none if it has no sound index."""
        position = footer_position(bytes(self._data[-ALIGNMENT:]))
        footer = self._sound(position, FrameKind.FOOTER) if position is not None else None
        if footer is None:
            return []
        summary = unpacked(self._payload(footer), RecordingFooter, self.path)
        index = self._sound(summary.index, FrameKind.INDEX)
        if index is None:
            return []
        frames = _frames_from_index(np.frombuffer(self._payload(index), INDEX_DTYPE))
        damaged = next((f for f in frames if not self._intact(f)), None) if verify else None
        if damaged is None:
            self.digest = summary.digest
            return frames
        reason = f"a damaged {damaged.kind.name.lower()} frame at byte {damaged.offset}"
        if not salvage:
            raise DamagedRecordingError(
                f"{self.path}: {reason} of a finished recording; restore it from a copy, or ask "
                "to salvage what comes before"
            )
        return self._committed(frames[: damaged.number], reason)

    def _scanned(self) -> list[Frame]:
        """Return the frames of an unfinished file up to its last whole commit."""
        frames: list[Frame] = []
        offset = ALIGNMENT
        while offset < len(self._data):
            frame = frame_at(self._data, offset, len(frames))
            if frame is None or not self._intact(frame):
                break
            frames.append(frame)
            offset = frame.end
        reason = "not finished" if offset == len(self._data) else "an incomplete or damaged frame"
        return self._committed(frames, f"{reason} at byte {offset}")

    def _committed(self, frames: list[Frame], reason: str) -> list[Frame]:
        """Return the frames up to the last commit, and note what is left out."""
        while frames and frames[-1].kind is not FrameKind.COMMIT:
            frames.pop()
        if not frames or frames[0].kind is not FrameKind.HEADER:
            raise RecordingError(
                f"{self.path}: {reason}, before anything was committed; there is nothing to read"
            )
        end = frames[-1].end
        self.torn = TornTail(end, len(self._data) - end, reason)
        return frames

    def _intact(self, frame: Frame) -> bool:
        checksum = zlib.crc32(self._payload(frame))
        self._let_go(frame.start, frame.stop)
        return checksum == frame.checksum

    def _let_go(self, start: int, stop: int) -> None:
        """Drop pages that were read; whoever looks at them again gets them from the file."""
        first = start - start % mmap.PAGESIZE
        if DROPPED is not None and stop - first >= mmap.PAGESIZE:
            self._map.madvise(DROPPED, first, stop - first)

    def _sound(self, position: int, kind: FrameKind) -> Frame | None:
        frame = frame_at(self._data, position, None)
        sound = frame is not None and frame.kind is kind and self._intact(frame)
        return frame if sound else None

    def _payload(self, frame: Frame) -> memoryview:
        return self._data[frame.start : frame.stop]

    def _of(self, kind: FrameKind) -> Iterator[Frame]:
        return (frame for frame in self.frames if frame.kind is kind)

    def batches(self) -> Iterator[NDArray[np.void]]:
        """Yield the event records, batch by batch: read-only views of the file, nothing copied."""
        for frame in self._of(FrameKind.EVENTS):
            yield np.frombuffer(self._map, EVENT_DTYPE, frame.count, frame.start)
            self._let_go(frame.start, frame.stop)

    def batches_between(self, first: int, last: int) -> Iterator[NDArray[np.void]]:
        """Yield the batches that hold events received in ``[first, last]`` ns, whole."""
        for frame in self._of(FrameKind.EVENTS):
            if frame.last >= first and frame.first <= last:
                yield np.frombuffer(self._map, EVENT_DTYPE, frame.count, frame.start)
                self._let_go(frame.start, frame.stop)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the files that the messages came from, in order."""
        return tuple(dict.fromkeys(origin.source for origin in self.origins))

    def messages(self, source: int | None = None) -> Iterator[MessageBlock]:
        """Yield the raw messages, of all sources or of the one with this number."""
        for frame in self._of(FrameKind.RAW):
            if source is None or frame.source == source:
                yield self._unpacked(frame)

    def _unpacked(self, frame: Frame) -> MessageBlock:
        content = zlib.decompress(self._payload(frame))
        self._let_go(frame.start, frame.stop)
        count = frame.count
        lengths = np.frombuffer(content, "<i4", count).astype(np.int64)
        origins = np.frombuffer(content, "<i4", count, 4 * count).astype(np.int32)
        steps = np.frombuffer(content, "<i8", count, LENGTH_AND_ORIGIN * count)
        stops = np.cumsum(lengths)
        return MessageBlock(
            buffer=np.frombuffer(content, np.uint8, offset=2 * LENGTH_AND_ORIGIN * count),
            starts=stops - lengths,
            stops=stops,
            received=np.cumsum(steps).astype(np.int64),
            origins=origins,
        )

    def check_digest(self) -> None:
        """Compare the content with the digest that the writer left; one read of the file.

        Raises
        ------
        RecordingError
            If they differ, or the recording was not finished.
        """
        end, digest = self.frames[-1].end, hashlib.sha256()
        for start in range(0, end, STEP):
            digest.update(self._data[start : min(start + STEP, end)])
            self._let_go(start, min(start + STEP, end))
        if digest.hexdigest() != self.digest:
            raise RecordingError(f"{self.path}: the digest does not match; restore it from a copy")


def _frames_from_index(index: NDArray[np.void]) -> list[Frame]:
    return [
        Frame(
            kind=FrameKind(int(row["kind"])),
            source=int(row["source"]),
            number=number,
            length=int(row["length"]),
            count=int(row["count"]),
            first=int(row["first"]),
            last=int(row["last"]),
            size=int(row["size"]),
            checksum=int(row["checksum"]),
            offset=int(row["offset"]),
        )
        for number, row in enumerate(index)
    ]


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # an empty file has no map: ValueError
        raise RecordingError(f"{path}: cannot read: {error}") from error
