"""The layout of a recording (.b4r): a preamble, checksummed frames, an index and a trailer.

Every part starts at a multiple of 64 bytes, so that event records lie as a processor likes them.

========= ======================================================================================
preamble  magic, format version, checksum (64 bytes)
frames    head (64 bytes), payload, zeros up to the next multiple of 64
trailer   magic, position of the footer frame, checksum (64 bytes); only a finished file has one
========= ======================================================================================

Frames are written in groups that end with a COMMIT; what follows the last one is a torn tail.
All numbers are little-endian.
"""

import struct
import zlib
from enum import IntEnum
from typing import Final

import attrs
import numpy as np

from bot4_core.errors import RecordingError

__all__ = [
    "ALIGNMENT",
    "FORMAT_VERSION",
    "FRAME_BYTES",
    "INDEX_DTYPE",
    "MAGIC",
    "Frame",
    "FrameKind",
    "checked_preamble",
    "footer_position",
    "frame_at",
    "packed_frame",
    "preamble",
    "trailer",
]

FORMAT_VERSION: Final = 1
ALIGNMENT: Final = 64
FRAME_BYTES: Final = 64
MAGIC: Final = b"\x89b4r\r\n\x1a\n"
FRAME_MAGIC: Final = b"b4rF"
TRAILER_MAGIC: Final = b"b4r-end\n"
HEAD: Final = struct.Struct("<4sHHQQQqqQI")
PREAMBLE: Final = struct.Struct("<8sI48x")
TRAILER: Final = struct.Struct("<8sQ44x")
CHECKSUM: Final = struct.Struct("<I")


class FrameKind(IntEnum):
    """What a frame's payload is."""

    HEADER = 1  # JSON: venue, market, clock, tool
    RAW = 2  # zlib: lengths int32, origins int32, receive time steps int64, message bytes
    EVENTS = 3  # EVENT_DTYPE records
    COMMIT = 4  # JSON: counts so far, instruments and origins new since the last one
    INDEX = 5  # INDEX_DTYPE records, one for each frame before it
    FOOTER = 6  # JSON: digest and totals


@attrs.frozen(kw_only=True)
class Frame:
    """The head of one frame and where it stands."""

    kind: FrameKind
    source: int = 0  # RAW: number of the file the messages came from
    number: int
    length: int  # payload bytes
    count: int = 0  # event records or messages
    first: int = 0  # receive times of the first and last of them
    last: int = 0
    size: int = 0  # RAW: bytes before compression
    checksum: int = 0
    offset: int = 0  # of the head in the file

    @property
    def start(self) -> int:
        """Position of the payload."""
        return self.offset + FRAME_BYTES

    @property
    def stop(self) -> int:
        """Position after the payload."""
        return self.start + self.length

    @property
    def end(self) -> int:
        """Position of the next frame."""
        return self.stop + -self.stop % ALIGNMENT


KINDS: Final = frozenset(FrameKind)

INDEX_DTYPE: Final = np.dtype(
    [
        ("offset", "<i8"),
        ("length", "<i8"),
        ("count", "<i8"),
        ("first", "<i8"),
        ("last", "<i8"),
        ("size", "<i8"),
        ("checksum", "<u4"),
        ("kind", "<u2"),
        ("source", "<u2"),
    ]
)
"""One line of the index; row number = frame number."""


def _sealed(body: bytes) -> bytes:
    return body + CHECKSUM.pack(zlib.crc32(body))


def _unsealed(sealed: bytes) -> bytes | None:
    """Return the body of a sealed 64-byte part, None where its checksum is wrong."""
    body = sealed[:-4]
    whole = len(sealed) == ALIGNMENT and sealed[-4:] == CHECKSUM.pack(zlib.crc32(body))
    return body if whole else None


def preamble() -> bytes:
    """Return the first 64 bytes of a recording."""
    return _sealed(PREAMBLE.pack(MAGIC, FORMAT_VERSION))


def checked_preamble(start: bytes) -> int:
    """Return the format version of a recording from its first 64 bytes.

    Raises
    ------
    RecordingError
        If they are damaged, or of a version that this program does not read.
    """
    body = _unsealed(start)
    if body is None or not body.startswith(MAGIC):
        raise RecordingError("the first 64 bytes are damaged or missing; restore it from a copy")
    version: int = PREAMBLE.unpack(body)[1]
    if version != FORMAT_VERSION:
        raise RecordingError(
            f"format version {version}, this program reads {FORMAT_VERSION}; "
            "use the bot4 that wrote it, or import the foreign files again"
        )
    return version


def trailer(footer: int) -> bytes:
    """Return the last 64 bytes of a finished recording, naming its footer's position."""
    return _sealed(TRAILER.pack(TRAILER_MAGIC, footer))


def footer_position(end: bytes) -> int | None:
    """Return where the footer stands from a file's last 64 bytes, None if it is not finished."""
    body = _unsealed(end)
    if body is None or not body.startswith(TRAILER_MAGIC):
        return None
    position: int = TRAILER.unpack(body)[1]
    return position


def packed_frame(frame: Frame, payload: bytes) -> bytes:
    """Return a frame's bytes: head, payload and zeros up to the alignment."""
    head = HEAD.pack(
        FRAME_MAGIC,
        frame.kind,
        frame.source,
        frame.number,
        len(payload),
        frame.count,
        frame.first,
        frame.last,
        frame.size,
        zlib.crc32(payload),
    )
    return b"".join((_sealed(head), payload, bytes(-len(payload) % ALIGNMENT)))


def frame_at(data: memoryview, offset: int, number: int | None) -> Frame | None:
    """Return the frame whose head stands at an offset, None if there is no whole one.

    Parameters
    ----------
    data : memoryview
        The file.
    offset : int
    number : int or None
        The number it must carry, None for any.
    """
    body = _unsealed(bytes(data[offset : offset + FRAME_BYTES]))
    if body is None or not body.startswith(FRAME_MAGIC):
        return None
    _, kind, source, found, length, count, first, last, size, checksum = HEAD.unpack(body)
    wanted = found if number is None else number
    if found != wanted or kind not in KINDS:
        return None
    frame = Frame(
        kind=FrameKind(kind),
        source=source,
        number=found,
        length=length,
        count=count,
        first=first,
        last=last,
        size=size,
        checksum=checksum,
        offset=offset,
    )
    return frame if frame.end <= len(data) else None
