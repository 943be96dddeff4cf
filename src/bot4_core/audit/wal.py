"""SQLite's write-ahead log, read by its documented format: which page images are committed."""

import struct
from pathlib import Path
from typing import Final

import attrs

from bot4_core.errors import AuditError

__all__ = ["WalImages", "read_wal"]

_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_MAGIC: Final = 0x377F0682  # the last bit says that checksums are big-endian
_WORD: Final = 0xFFFFFFFF


@attrs.frozen(kw_only=True)
class WalImages:
    """The newest committed image of each page in a write-ahead log."""

    page_size: int
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
    if magic & ~1 != _MAGIC or version != 3_007_000 or sums != (sum1, sum2):
        raise AuditError(f"{path}: the head of the write-ahead log is damaged")
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    page_count = 0
    for number, at in enumerate(range(_HEADER, len(data), _FRAME_HEADER + page_size), start=1):
        frame = data[at : at + _FRAME_HEADER + page_size]
        if len(frame) < _FRAME_HEADER + page_size or frame[8:16] != data[16:24]:
            break
        page, size_after = struct.unpack_from(">2I", frame)
        body = frame[_FRAME_HEADER:]
        sums = _checksum(frame[:8] + body, order, sums)
        if sums != struct.unpack_from(">2I", frame, 16):
            raise AuditError(
                f"{path}: frame {number} of the write-ahead log is damaged; opening the log for"
                " writing cuts it off there"
            )
        waiting[page] = body
        if size_after:
            page_count = size_after
            committed.update(waiting)
            waiting.clear()
    return WalImages(page_size=page_size, page_count=page_count, pages=committed)


def _checksum(data: bytes, order: str, seed: tuple[int, int]) -> tuple[int, int]:
    """Add up pairs of 32-bit words as SQLite does (file format, section 4.2)."""
    first, second = seed
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for left, right in zip(words[::2], words[1::2], strict=True):
        first = first + left + second & _WORD
        second = second + right + first & _WORD
    return first, second
