"""The SQLite file behind the log: its schema, its connections, its errors by name."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bot4_core.audit.chain import RecordRow, row_digest
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import AuditError, ChainError

__all__ = [
    "APPLICATION_ID",
    "COLUMNS",
    "INSERT",
    "PAGE_SIZE",
    "SCHEMA",
    "SCHEMA_VERSION",
    "checked_record",
    "create_file",
    "named_errors",
    "open_reader",
    "open_writer",
    "reader_address",
    "require_log",
]

APPLICATION_ID: Final = 0x62743461  # "bt4a"
SCHEMA_VERSION: Final = 1
PAGE_SIZE: Final = 4096
COLUMNS: Final = (
    "sequence, wall_time, event_time, run, kind, actor, correlation, payload, previous, digest"
)
# text is bound as the bytes that were hashed
_VALUES: Final = ",".join(["?"] * 3 + ["CAST(? AS TEXT)"] * 5 + ["?"] * 2)
INSERT: Final = f"INSERT INTO records ({COLUMNS}) VALUES ({_VALUES})"  # noqa: S608  # all of it is constant
SCHEMA: Final = (
    """CREATE TABLE records (
  sequence INTEGER PRIMARY KEY,
  wall_time INTEGER NOT NULL,
  event_time INTEGER NOT NULL,
  run TEXT NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  correlation TEXT NOT NULL,
  payload TEXT NOT NULL,
  previous BLOB NOT NULL,
  digest BLOB NOT NULL
) STRICT""",
    """CREATE TRIGGER records_are_not_updated BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END""",
    """CREATE TRIGGER records_are_not_deleted BEFORE DELETE ON records
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END""",
    """CREATE TRIGGER records_are_not_replaced BEFORE INSERT ON records
WHEN NEW.sequence <= (SELECT max(sequence) FROM records)
BEGIN SELECT RAISE(ABORT, 'audit records are append-only'); END""",
)

_KINDS: Final = frozenset(kind.value for kind in AuditKind)
_TABLE: Final = b"records"
_SCHEMA_ROWS: Final = (
    (b"table", _TABLE, _TABLE, 2, SCHEMA[0].encode()),
    (b"trigger", b"records_are_not_updated", _TABLE, 0, SCHEMA[1].encode()),
    (b"trigger", b"records_are_not_deleted", _TABLE, 0, SCHEMA[2].encode()),
    (b"trigger", b"records_are_not_replaced", _TABLE, 0, SCHEMA[3].encode()),
)
# bytes marked as a blob would read the same
_SCHEMA_TYPES: Final = "typeof(type) || typeof(name) || typeof(tbl_name) || typeof(sql)"

_REMEDIES: Final = (
    ("SQLITE_FULL", "free space on the disk; nothing committed before is lost"),
    ("SQLITE_IOERR", "check the disk and its free space, then reopen the log"),
    ("SQLITE_READONLY", "make the folder and the file writable, or choose another path"),
    ("SQLITE_CANTOPEN", "make the folder exist and be writable, or choose another path"),
    ("SQLITE_BUSY", "close the other program that has the file open"),
    ("SQLITE_CORRUPT", "the file is damaged: restore a copy, or move it away to start anew"),
    ("SQLITE_NOTADB", "the file is no audit log or is damaged: choose another path"),
)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OTHERWISE: Final = "see the cause; the log may be damaged: run `bot4 audit verify` on it"


def _remedy(name: str) -> str:
    return next((text for prefix, text in _REMEDIES if name.startswith(prefix)), _OTHERWISE)


@contextmanager
def named_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn errors of SQLite and of the system into an ``AuditError`` with file and remedy."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
        raise AuditError(f"{path}: cannot {doing}: {error} ({name}); {_remedy(name)}") from error
    except UnicodeDecodeError as error:  # of a message in which SQLite quotes the damaged file
        remedy = _remedy("SQLITE_CORRUPT")
        raise AuditError(f"{path}: cannot {doing}: it holds no text; {remedy}") from error
    except AuditError:
        raise
    except OSError as error:
        cause = error.strerror or str(error)
        remedy = _remedy("SQLITE_FULL" if error.errno in _FULL else "SQLITE_CANTOPEN")
        raise AuditError(f"{path}: cannot {doing}: {cause}; {remedy}") from error


def create_file(path: Path, *rows: RecordRow) -> None:
    """Make a log with these records, complete or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    database = sqlite3.connect(fresh, isolation_level=None)
    try:
        database.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        for statement in SCHEMA:
            database.execute(statement)
        database.execute("VACUUM")
        database.executemany(INSERT, rows)
        database.execute("PRAGMA journal_mode = WAL").fetchone()
    finally:
        database.close()
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def open_writer(path: Path, *, durable: bool, patience: float = 1.0) -> sqlite3.Connection:
    """Connect for appending; the caller holds the file's lock.

    ``patience`` is how many seconds to wait for others.
    """
    database = sqlite3.connect(path, isolation_level=None, timeout=patience)
    return _guarded(
        database,
        f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}",
        "PRAGMA secure_delete = ON",  # so that free room is empty, see ``pages``
    )


def open_reader(path: Path) -> sqlite3.Connection:
    """Connect for reading, also where nothing may be written beside the file."""
    return _guarded(sqlite3.connect(reader_address(path), uri=True, isolation_level=None))


def reader_address(path: Path) -> str:
    """Return the address under which SQLite reads a log.

    SQLite wants to make an index file beside the write-ahead log. Where there is no such log,
    nobody is writing, and the file can be read as one that never changes.
    """
    wal = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if wal.exists() and wal.stat().st_size else "mode=ro&immutable=1"
    return f"file:{quote(str(path.absolute()))}?{mode}"


def _guarded(database: sqlite3.Connection, *settings: str) -> sqlite3.Connection:
    """Distrust what the file says of itself, and give its text as the bytes it is."""
    try:
        for statement in ("PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON", *settings):
            database.execute(statement)
    except BaseException:
        database.close()
        raise
    database.text_factory = bytes
    return database


def require_log(path: Path, database: sqlite3.Connection) -> None:
    """Check that the file is one of ours with the schema that this version writes.

    Raises
    ------
    AuditError
        If it is not.
    """
    mark = database.execute("PRAGMA application_id").fetchone()[0]
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if mark != APPLICATION_ID:
        raise AuditError(f"{path}: not an audit log (application id {mark}); choose another path")
    if version != SCHEMA_VERSION:
        raise AuditError(
            f"{path}: audit log of schema {version}, this program knows {SCHEMA_VERSION};"
            " open it with the version that wrote it"
        )
    found = database.execute(f"SELECT rowid, *, {_SCHEMA_TYPES} FROM sqlite_schema")  # noqa: S608  # all of it is constant
    right = [(place, *row, b"text" * 4) for place, row in enumerate(_SCHEMA_ROWS, start=1)]
    if found.fetchall() != right:
        raise AuditError(f"{path}: the schema was changed; restore a copy of the log")


def checked_record(row: RecordRow) -> AuditRecord:
    """Read a row of ``COLUMNS`` whose text came as bytes.

    Raises
    ------
    ChainError
        If the row's digest is not that of its content.
    AuditError
        If its kind is not known here.
    """
    sequence, wall, event, run, kind, actor, correlation, payload, previous, digest = row
    if sequence < 1 or row_digest(row) != digest:
        raise ChainError(sequence, "content and digest differ")
    if kind.decode() not in _KINDS:
        raise AuditError(
            f"audit record {sequence} is of the unknown kind {kind.decode()!r}; a newer version"
            " wrote it: read it with that"
        )
    return AuditRecord(
        sequence=sequence,
        wall_time=Nanoseconds(wall),
        event_time=Nanoseconds(event),
        run=run.decode(),
        kind=AuditKind(kind.decode()),
        actor=actor.decode(),
        correlation=correlation.decode(),
        payload=payload,
        previous=previous,
        digest=digest,
    )
