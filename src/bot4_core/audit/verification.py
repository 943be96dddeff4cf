"""Offline proof that a log is what was written: every record, its place and its links."""

import fcntl
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from bot4_core.audit.chain import GENESIS, row_digest
from bot4_core.audit.database import COLUMNS, named_errors, open_reader, require_log
from bot4_core.audit.pages import check_pages
from bot4_core.errors import AuditError, ChainError

__all__ = ["VerifyReport", "verify"]

_STEP: Final = 1000
_HEAD: Final = re.compile(r"[0-9a-f]{64}")


@attrs.frozen(kw_only=True)
class VerifyReport:
    """A log without a fault."""

    path: Path
    records: int
    runs: int
    head: str  # digest of the last record, hexadecimal
    expected_at: int  # number of the record with the expected head, 0 if none was asked for
    still: bool = False  # False when a run was writing: then only its records were checked


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
        with _kept_still(place) as still:
            written_by = check_pages(place) if still else ""
            database = open_reader(place)
            try:
                require_log(place, database)
                _check_structure(place, database)
                report = _check_chain(place, database, bytes.fromhex(expected_head), progress)
                _check_library(place, database, written_by)
            finally:
                database.close()
            return attrs.evolve(report, still=still)


@contextmanager
def _kept_still(path: Path) -> Iterator[bool]:
    """Keep writers out while the file is read; False when one is at work."""
    place = path.with_name(f"{path.name}.lock")
    if not place.exists():
        yield True
        return
    lock = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)


def _check_library(path: Path, database: sqlite3.Connection, written_by: str) -> None:
    """Compare the library version in the file's head with those that the runs say they used."""
    rows = database.execute("SELECT payload FROM records WHERE kind = 'run_start'")
    known = {json.loads(payload).get("sqlite") for (payload,) in rows}
    if written_by and written_by not in known:
        raise AuditError(f"{path}: the head of the file is damaged (library {written_by})")


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
    for row in database.execute(f"SELECT {COLUMNS} FROM records ORDER BY sequence"):  # noqa: S608  # all of it is constant
        count += 1
        if row[0] != count:
            raise ChainError(count, f"missing; the next record is {row[0]}")
        if row[8] != head:
            raise ChainError(count, "does not link to the record before it")
        head = row_digest(row)
        if head != row[9]:
            raise ChainError(count, "content and digest differ")
        runs += row[4] == b"run_start"
        if head == expected:
            expected_at = count
        if progress is not None and count % _STEP == 0:
            progress(count)
    if expected and not expected_at:
        raise ChainError(
            count, f"no record has the expected head {expected.hex()}: the end was cut or rewritten"
        )
    return VerifyReport(
        path=path, records=count, runs=runs, head=head.hex(), expected_at=expected_at
    )
