"""Offline proof that a log is what was written: every record, its place and its links."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from bot4_core.audit.chain import GENESIS, digest_of_parts
from bot4_core.audit.database import COLUMNS, named_errors, open_reader, require_log
from bot4_core.errors import AuditError, ChainError

__all__ = ["VerifyReport", "verify"]

_BATCH: Final = 1024
_HEAD: Final = re.compile(r"[0-9a-f]{64}")
_Row: TypeAlias = tuple[int, int, int, bytes, bytes, bytes, bytes, bytes, bytes, bytes]


@attrs.frozen(kw_only=True)
class VerifyReport:
    """A log without a fault."""

    path: Path
    records: int
    runs: int
    head: str  # digest of the last record, hexadecimal
    expected_at: int  # number of the record with the expected head, 0 if none was asked for


def verify(
    path: Path | str,
    *,
    expected_head: str = "",
    progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Check a whole log without writing to it.

    Finds changed, removed, inserted and swapped records and a damaged file. A chain alone cannot
    show that records are missing *at its end*: give a head noted earlier for that.

    Parameters
    ----------
    path : Path or str
    expected_head : str, optional
        Digest (64 hexadecimal digits) that some record must have: the head at an earlier time.
    progress : callable, optional
        Called with the number of records checked so far, every thousand.

    Raises
    ------
    ChainError
        Naming the first record that does not fit.
    AuditError
        If the file is damaged, is no audit log, or cannot be read.
    """
    place = Path(path)
    if expected_head and not _HEAD.fullmatch(expected_head):
        raise AuditError(f"expected head {expected_head!r} is not 64 lower-case hexadecimal digits")
    with named_errors(place, "verify the audit log"):
        if not place.is_file():
            raise AuditError(f"{place}: there is no such audit log; check the path")
        database = open_reader(place)
        try:
            require_log(place, database)
            _check_structure(place, database)
            return _check_chain(place, database, bytes.fromhex(expected_head), progress)
        finally:
            database.close()


def _check_structure(path: Path, database: sqlite3.Connection) -> None:
    found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != b"ok":
        text = found.decode(errors="replace")
        raise AuditError(f"{path}: the file is damaged: {text}; restore a copy of the log")


def _check_chain(
    path: Path,
    database: sqlite3.Connection,
    expected: bytes,
    progress: Callable[[int], None] | None,
) -> VerifyReport:
    head, count, runs, expected_at = GENESIS, 0, 0, 0
    for rows in _batches(database):
        for row in rows:
            sequence, wall, event, run, kind, actor, correlation, payload, previous, digest = row
            count += 1
            if sequence != count:
                raise ChainError(count, f"missing; the next record is {sequence}")
            if previous != head:
                raise ChainError(count, "does not link to the record before it")
            texts = (run, kind, actor, correlation)
            head = digest_of_parts(count, (wall, event), texts, payload, previous)
            if head != digest:
                raise ChainError(count, "content and digest differ")
            runs += kind == b"run_start"
            if head == expected:
                expected_at = count
        if progress is not None:
            progress(count)
    if expected and not expected_at:
        raise ChainError(
            count, f"no record has the expected head {expected.hex()}: the end was cut or rewritten"
        )
    return VerifyReport(
        path=path, records=count, runs=runs, head=head.hex(), expected_at=expected_at
    )


def _batches(database: sqlite3.Connection) -> Iterator[list[_Row]]:
    cursor = database.execute(f"SELECT {COLUMNS} FROM records ORDER BY sequence")  # noqa: S608
    while rows := cursor.fetchmany(_BATCH):
        yield rows
