"""Proof that the file holds nothing but its records: every byte of every page is accounted for.

SQLite reads a file without looking at what it does not need: bookkeeping numbers of the header,
the room between a page's index and its cells, the ends of overflow pages. A log is only ever
appended to, so these bytes have one right value each, and this module checks them. Together with
SQLite's own ``integrity_check`` and the record digests no byte can change unseen, with one
exception: inner pages of the tree below its root (there are none up to about 450 leaf pages) keep
left-overs of SQLite in their free room, some 500 bytes for each 2 MB of log.
"""

import struct
from pathlib import Path
from typing import BinaryIO, Final

from bot4_core.audit.database import APPLICATION_ID, PAGE_SIZE, SCHEMA, SCHEMA_VERSION
from bot4_core.audit.wal import WalImages, read_wal
from bot4_core.errors import AuditError

__all__ = ["check_pages"]

_LEAF: Final = 13
_INNER: Final = 5
_ROOT: Final = 2  # of the table
_LOCK_BYTE: Final = 0x40000000  # the page at this offset is never used
_MOST_LOCAL: Final = PAGE_SIZE - 35  # bytes of a record that stand on its leaf, all or at least
_LEAST_LOCAL: Final = (PAGE_SIZE - 12) * 32 // 255 - 23
_MAGIC: Final = b"SQLite format 3\0"


def check_pages(path: Path) -> str:
    """Check what SQLite does not, on a log that nobody is writing to.

    Returns
    -------
    str
        Version of the SQLite library that wrote last, as ``3.40.1``.

    Raises
    ------
    AuditError
        Naming the first page that holds something it should not.
    """
    try:
        return _checked(path)
    except (IndexError, struct.error) as error:
        raise AuditError(f"{path}: a page is damaged: it points outside itself") from error


def _checked(path: Path) -> str:
    wal = read_wal(path.with_name(f"{path.name}-wal"))
    with path.open("rb") as file:
        pages = _Pages(file, wal)
        head = pages(1)[:100]
        if len(head) < 100 or head[:16] != _MAGIC:
            raise AuditError(f"{path}: not an audit log; choose another path")
        length = path.stat().st_size
        if not pages.in_wal and length % PAGE_SIZE:
            raise AuditError(f"{path}: {length % PAGE_SIZE} bytes after the last page")
        count = pages.in_wal or length // PAGE_SIZE
        version = _check_head(path, head, count)
        _check_all(path, pages, count)
    return version


class _Pages:
    """The pages of the database: those of the write-ahead log before those of the file."""

    def __init__(self, file: BinaryIO, wal: WalImages | None) -> None:
        self._file = file
        self._images = wal.pages if wal is not None else {}
        self.in_wal = wal.page_count if wal is not None else 0

    def __call__(self, number: int) -> bytes:
        image = self._images.get(number)
        if image is None:
            self._file.seek((number - 1) * PAGE_SIZE)
            image = self._file.read(PAGE_SIZE)
        return image


def _check_head(path: Path, head: bytes, count: int) -> str:
    """Compare the file's head with the only one that this schema can have (section 1.3)."""
    changes, pages, freelist, free, edits, *settings = struct.unpack_from(">12I", head, 24)
    valid_for, library = struct.unpack_from(">2I", head, 92)
    right = {
        "page size": int.from_bytes(head[16:18], "big") == PAGE_SIZE,
        "format": tuple(head[18:24]) == (2, 2, 0, 64, 32, 32),
        "change counter": changes == valid_for,
        "page count": pages == count,
        "free list": (freelist, free) == (0, 0),
        # every statement of the schema counts as an edit of it, and so does the VACUUM after them
        "schema": edits == len(SCHEMA) + 1,
        # schema format, cache, largest root, encoding, schema version, vacuum, application id
        "settings": settings == [4, 0, 0, 1, SCHEMA_VERSION, 0, APPLICATION_ID],
        "reserved room": not any(head[72:92]),
    }
    for field, fits in right.items():
        if not fits:
            raise AuditError(f"{path}: the head of the file is damaged ({field})")
    return f"{library // 1_000_000}.{library // 1000 % 1000}.{library % 1000}"


def _check_all(path: Path, page: _Pages, count: int) -> None:
    headless: set[int] = set()  # overflow pages have no kind, and stand before their leaf
    claimed: set[int] = set()
    for number in range(1, count + 1):
        if number == _LOCK_BYTE // PAGE_SIZE + 1:
            continue
        data = page(number)
        start = 100 if number == 1 else 0
        kind, fault = data[start], ""
        if kind == _LEAF:
            fault = _check_leaf(data, start, page, claimed)
        elif kind == 0:
            headless.add(number)
        elif kind != _INNER:
            fault = f"unknown kind {kind}"
        elif number == _ROOT:
            fault = _check_room(data, 0, 12)
        if fault:
            raise AuditError(f"{path}: page {number} is damaged: {fault}")
    if headless != claimed:
        raise AuditError(f"{path}: page {min(headless ^ claimed)} is damaged: no record owns it")


def _check_leaf(data: bytes, start: int, page: _Pages, claimed: set[int]) -> str:
    """Check what a leaf's cells lead to; that they fill it, SQLite checks."""
    fault = _check_room(data, start, 8)
    if fault:
        return fault
    (cells,) = struct.unpack_from(">H", data, start + 3)
    for at in struct.unpack_from(f">{cells}H", data, start + 8):
        length, body = _varint(data, at)
        while data[body] > 0x7F:
            body += 1
        if start == 0 and data[body + 2]:
            return "a record has an unknown form"  # the row number stands in the cell, not twice
        if length > _MOST_LOCAL:
            local = _local_size(length)
            link = data[body + 1 + local : body + 5 + local]
            fault = _check_overflow(link, length - local, page, claimed)
            if fault:
                return fault
    return ""


def _check_room(data: bytes, start: int, head: int) -> str:
    """Check that a page's free room, between its index and its cells, is empty."""
    free, cells, content, fragments = struct.unpack_from(">HHHB", data, start + 1)
    index_end = start + head + 2 * cells
    if free or fragments:
        return "it has free blocks"
    if data.count(0, index_end, content) != content - index_end:
        return "its free room is not empty"
    return ""


def _check_overflow(link: bytes, rest: int, page: _Pages, claimed: set[int]) -> str:
    while rest > 0:
        number = int.from_bytes(link, "big")
        data = page(number) if number else b""
        if not data or number in claimed:
            return f"it continues on page {number}, which cannot be"
        claimed.add(number)
        link = data[:4]
        if any(data[4 + rest :]):
            return f"the end of page {number}, on which it continues, is not empty"
        rest -= len(data) - 4
    return "it continues after its end" if any(link) else ""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = data[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    while True:
        at += 1
        byte = data[at]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + 1


def _local_size(length: int) -> int:
    """Return how much of a long payload stands on the leaf itself (section 1.6)."""
    kept = _LEAST_LOCAL + (length - _LEAST_LOCAL) % (PAGE_SIZE - 4)
    return kept if kept <= _MOST_LOCAL else _LEAST_LOCAL
