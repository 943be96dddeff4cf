"""What is looked at before a run may write: whether the log is whole, and how it ended."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from bot4_core.audit.canonical import Payload
from bot4_core.audit.chain import RecordRow
from bot4_core.audit.chain_walk import ANCHORS, ChainEnd, follow, from_anchor
from bot4_core.audit.database import COLUMNS, create_file, named_errors
from bot4_core.audit.merkle import MerkleTree
from bot4_core.audit.segments import Segment, find_ranges, find_segments, ranges_of
from bot4_core.errors import AuditError, ChainError

__all__ = [
    "Recovery",
    "chain_before",
    "earlier_runs",
    "file_digest",
    "newest_tree",
    "recover",
    "rows_of",
]

_ROWS: Final = f"SELECT {COLUMNS} FROM records WHERE sequence BETWEEN ? AND ? ORDER BY sequence"  # noqa: S608  # all of it is constant
_NEWEST: Final = (
    f"SELECT sequence FROM records WHERE kind IN ({','.join('?' * len(ANCHORS))})"  # noqa: S608  # all of it is constant
    " AND sequence <= ? ORDER BY sequence DESC LIMIT 1"
)
_ENDLESS: Final = 2**63 - 1


@attrs.frozen(kw_only=True)
class Recovery:
    """A log that can be written to."""

    segment: Segment  # the newest
    end: ChainEnd
    ended: str  # how the last run did: none, clean, crashed or quarantined
    aside: Payload | None = None  # what to say of a segment that was put aside


def recover(path: Path, *, quarantine: bool) -> Recovery:
    """Check the newest segment from its last checkpoint on, and find where it ends.

    Parameters
    ----------
    path : Path
    quarantine : bool
        Put a damaged segment aside instead of refusing it.

    Raises
    ------
    AuditError
        If the log cannot be read.
    ChainError
        If it was changed.
    """
    segments = find_segments(path)
    if not segments:
        create_file(path)
        segments = [Segment(path, 1)]
    last = segments[-1]
    fault = "put aside before"
    if not last.quarantined:
        try:
            with named_errors(last.path, "read the end of the audit log"):
                end = _end_of(last)
            return Recovery(segment=last, end=end, ended=_ending(end))
        except AuditError as error:
            if not (quarantine and _is_damage(error)):
                raise _with_remedy(last.path, error) from error
            fault = str(error)
    end = _readable_end(path, last)
    if not last.quarantined:
        last = last.put_aside()
    aside: Payload = {
        "fault": fault,
        "file": last.path.name,
        "sha256": file_digest(last.path),
    }
    return Recovery(segment=last, end=end, ended="quarantined", aside=aside)


def earlier_runs(path: Path, start: int) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield the names of runs, the records that began them and what these say, newest first."""
    for part in reversed(find_ranges(path)):
        if start < part.first:
            continue
        with part.segment.reading() as database:
            while start >= part.first:
                found = database.execute(
                    "SELECT run, payload FROM records WHERE sequence = ?", (start,)
                ).fetchone()
                if found is None:
                    return
                payload = json.loads(found[1])
                yield found[0].decode(), start, payload
                start = min(start - 1, payload.get("start", payload["previous"].get("start", 0)))


def rows_of(database: sqlite3.Connection, first: int, until: int) -> Iterator[RecordRow]:
    """Return the rows of a range of records, one by one."""
    rows: Iterator[RecordRow] = database.execute(_ROWS, (first, until - 1))
    return rows


def chain_before(database: sqlite3.Connection, first: int) -> ChainEnd:
    """Return where the chain stands before a record, walked to from the newest anchor up to it.

    Raises
    ------
    ChainError
        Naming the first record on the way that does not fit.
    """
    end = _newest_anchor(database, first) or ChainEnd()
    for _ in follow(rows_of(database, end.sequence + 1, first), end):
        pass
    return end


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def newest_tree(path: Path) -> MerkleTree | None:
    """Return the newest tree that the log tells of; None where it tells of none yet."""
    with find_ranges(path)[-1].segment.reading() as database:
        end = _newest_anchor(database)
    return end.tree if end is not None else None


def _end_of(segment: Segment) -> ChainEnd:
    with segment.reading() as database:
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != b"ok":
            damage = sqlite3.DatabaseError(found.decode(errors="replace"))
            damage.sqlite_errorname = "SQLITE_CORRUPT"
            raise damage
        return chain_before(database, _ENDLESS)


def _newest_anchor(database: sqlite3.Connection, until: int = _ENDLESS) -> ChainEnd | None:
    """Return where the chain stood before the newest record, up to one, that tells of it."""
    kinds = [kind.decode() for kind in ANCHORS]
    anchor = database.execute(_NEWEST, [*kinds, until]).fetchone()
    row = next(rows_of(database, anchor[0], anchor[0] + 1)) if anchor else None
    return from_anchor(row) if row is not None else None


def _ending(end: ChainEnd) -> str:
    if end.last is None:
        return "none"
    return "clean" if end.last[4] == b"run_end" else "crashed"


def _readable_end(path: Path, damaged: Segment) -> ChainEnd:
    """Walk the whole log to the first record that cannot be read or does not fit."""
    end = ChainEnd()
    *whole, _ = find_segments(path)
    for part in ranges_of([*whole, attrs.evolve(damaged, quarantined=True)]):
        try:
            with part.segment.reading() as database:
                for _ in follow(rows_of(database, part.first, part.until), end):
                    pass
        except (sqlite3.Error, AuditError, UnicodeDecodeError):
            if not part.segment.quarantined:
                raise
    return end


def _is_damage(error: AuditError) -> bool:
    cause = error.__cause__
    if isinstance(cause, sqlite3.OperationalError):
        return False
    return isinstance(error, ChainError) or isinstance(cause, (sqlite3.Error, UnicodeDecodeError))


def _with_remedy(path: Path, error: AuditError) -> AuditError:
    remedy = "see `bot4 audit verify`, and quarantine it or choose another path"
    if isinstance(error, ChainError):
        return ChainError(error.sequence, f"{error.reason}, so {path} was changed: {remedy}")
    return error
