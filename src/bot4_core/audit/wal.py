"""SQLite's write-ahead log, read by its documented format: which page images are committed."""

import struct
from pathlib import Path
from typing import Final

import attrs

from bot4_core.audit.database import PAGE_SIZE
from bot4_core.errors import AuditError

__all__ = ["WalImages", "read_wal"]

_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_FRAME: Final = _FRAME_HEADER + PAGE_SIZE
_MAGIC: Final = 0x377F0682  # the last bit says that checksums are big-endian
_WORD: Final = 0xFFFFFFFF


@attrs.frozen(kw_only=True)
class WalImages:
    """The newest committed image of each page in a write-ahead log."""

    page_count: int  # of the database after the last commit, 0 when nothing is committed
    pages: dict[int, bytes]


def read_wal(path: Path) -> WalImages | None:
    """Read the write-ahead log beside a database; None where there is nothing in it.

    Frames of an earlier round (other salts) and a last frame cut short end the log, as they do
    for SQLite.

    Raises
    ------
    AuditError
        If the header or a whole frame of this round does not match its checksum. SQLite would
        drop it and everything after it without a word.
    """
    data = path.read_bytes() if path.exists() else b""
    if len(data) < _HEADER:
        return None
    magic, version, page_size, _, _, _, sum1, sum2 = struct.unpack_from(">8I", data)
    order = ">" if magic & 1 else "<"
    sums = _checksum(data[: _HEADER - 8], order, (0, 0))
    if (magic & ~1, version, page_size) != (_MAGIC, 3_007_000, PAGE_SIZE) or sums != (sum1, sum2):
        raise AuditError(f"{path}: the head of the write-ahead log is damaged")
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    page_count = 0
    for number, frame in enumerate(_frames_of_this_round(data), start=1):
        body = frame[_FRAME_HEADER:]
        sums = _checksum(frame[:8] + body, order, sums)
        if frame[8:] != data[16:24] + struct.pack(">2I", *sums) + body:
            raise AuditError(
                f"{path}: frame {number} of the write-ahead log is damaged; opening the log for"
                " writing cuts it off there"
            )
        page, size_after = struct.unpack_from(">2I", frame)
        waiting[page] = body
        if size_after:
            page_count = size_after
            committed.update(waiting)
            waiting.clear()
    return WalImages(page_count=page_count, pages=committed)


def _frames_of_this_round(data: bytes) -> list[bytes]:
    """Return the whole frames up to the last one with the salts of the head."""
    ends = range(_HEADER + _FRAME, len(data) + 1, _FRAME)
    frames = [data[end - _FRAME : end] for end in ends]
    while frames and frames[-1][8:16] != data[16:24]:
        frames.pop()
    return frames


def _checksum(data: bytes, order: str, seed: tuple[int, int]) -> tuple[int, int]:
    """Add up pairs of 32-bit words as SQLite does (file format, section 4.2)."""
    first, second = seed
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for left, right in zip(words[::2], words[1::2], strict=True):
        first = first + left + second & _WORD
        second = second + right + first & _WORD
    return first, second
