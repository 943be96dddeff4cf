"""Proof that the file holds nothing but its records: every byte of every page is accounted for.

SQLite reads a file without looking at what it does not need: bookkeeping numbers of the header,
the room between a page's index and its cells, the ends of overflow pages. A log is only ever
appended to, so these bytes have one right value each, and this module checks them. Together with
SQLite's own ``integrity_check`` and the record digests no byte can change unseen, with one
exception: inner pages of the tree that were split once (the first at about 450 leaf pages) keep
left-overs of SQLite in their free room, some 500 bytes for each 2 MB of log.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from bot4_core.audit.database import APPLICATION_ID, SCHEMA_VERSION
from bot4_core.audit.wal import read_wal
from bot4_core.errors import AuditError

__all__ = ["check_pages"]

_PageReader: TypeAlias = Callable[[int], bytes]
_LEAF: Final = 13
_INNER: Final = 5
_LOCK_BYTE: Final = 0x40000000  # the page at this offset is never used
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
    images = wal.pages if wal is not None else {}
    with path.open("rb") as file:
        head = images.get(1) or file.read(100)
        size = _page_size(path, head)

        def page(number: int) -> bytes:
            image = images.get(number)
            if image is None:
                file.seek((number - 1) * size)
                image = file.read(size)
            return image

        count = wal.page_count if wal is not None and wal.page_count else 0
        length = path.stat().st_size
        if not count:
            count = length // size
            if length % size:
                raise AuditError(f"{path}: {length % size} bytes after the last page")
        version = _check_head(path, page(1)[:100], count, bool(images))
        _check_all(path, page, count, size)
    return version


def _page_size(path: Path, head: bytes) -> int:
    if len(head) < 100 or head[:16] != _MAGIC:
        raise AuditError(f"{path}: not an audit log; choose another path")
    size = int.from_bytes(head[16:18], "big")
    if size < 512 or size & (size - 1):
        raise AuditError(f"{path}: the head of the file is damaged (page size {size})")
    return size


def _check_head(path: Path, head: bytes, count: int, in_wal: bool) -> str:
    """Compare the file's head with the only one that this schema can have (section 1.3)."""
    formats = tuple(head[18:24])
    changes, pages, freelist, free, _, schema_format, cache, root, encoding, user, vacuum, mark = (
        struct.unpack_from(">12I", head, 24)
    )
    valid_for, library = struct.unpack_from(">2I", head, 92)
    right = {
        "format": formats == (2, 2, 0, 64, 32, 32),
        "change counter": changes == valid_for,
        "page count": pages == count or in_wal,
        "free list": (freelist, free) == (0, 0),
        "schema": (schema_format, user) == (4, SCHEMA_VERSION),
        "settings": (cache, root, encoding, vacuum) == (0, 0, 1, 0),
        "application id": mark == APPLICATION_ID,
        "reserved room": not any(head[72:92]),
    }
    for field, fits in right.items():
        if not fits:
            raise AuditError(f"{path}: the head of the file is damaged ({field})")
    return f"{library // 1_000_000}.{library // 1000 % 1000}.{library % 1000}"


def _check_all(path: Path, page: _PageReader, count: int, size: int) -> None:
    headless: set[int] = set()  # overflow pages have no kind, and stand before their leaf
    claimed: set[int] = set()
    for number in range(1, count + 1):
        if number == _LOCK_BYTE // size + 1:
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
        if fault:
            raise AuditError(f"{path}: page {number} is damaged: {fault}")
    if headless != claimed:
        raise AuditError(f"{path}: page {min(headless ^ claimed)} is damaged: no record owns it")


def _check_leaf(data: bytes, start: int, page: _PageReader, claimed: set[int]) -> str:
    """Walk a leaf's cells from the end of the page, where appending put the first one."""
    free, cells, content, fragments = struct.unpack_from(">HHHB", data, start + 1)
    index_end = start + 8 + 2 * cells
    content = content or 65536
    if free or fragments:
        return "it has free blocks"
    if data.count(0, index_end, content) != content - index_end:
        return "its free room is not empty"
    end = size = len(data)
    most = size - 35
    for at in struct.unpack_from(f">{cells}H", data, start + 8):
        length, body = _varint(data, at)
        while data[body] > 0x7F:
            body += 1
        if start == 0 and data[body + 2]:
            return "a record has an unknown form"  # the row number stands in the cell, not twice
        if length <= most:
            past = body + 1 + length
        else:
            past = body + 5 + _local_size(length, size)
            rest = length - _local_size(length, size)
            fault = _check_overflow(data[past - 4 : past], rest, page, claimed)
            if fault:
                return fault
        if past != end:
            return "its cells do not fill it"
        end = at
    return "" if end == content else "its cells do not fill it"


def _check_overflow(link: bytes, rest: int, page: _PageReader, claimed: set[int]) -> str:
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


def _local_size(length: int, size: int) -> int:
    """Return how much of a long payload stands on the leaf itself (section 1.6)."""
    most = size - 35
    least = (size - 12) * 32 // 255 - 23
    kept = least + (length - least) % (size - 4)
    return kept if kept <= most else least
