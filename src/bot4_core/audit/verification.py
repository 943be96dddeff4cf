"""Offline proof that a log is what was written: every record, its place and its links."""

import fcntl
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from bot4_core.audit.chain import RecordRow
from bot4_core.audit.chain_walk import ChainEnd, follow
from bot4_core.audit.checkpoints import Checkpoint
from bot4_core.audit.database import named_errors
from bot4_core.audit.pages import check_pages
from bot4_core.audit.recovery import file_digest, rows_of
from bot4_core.audit.segments import Segment, SegmentRange, find_ranges, find_segments
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
    root: str = ""  # of the tree over all records, hexadecimal
    segments: int = 1
    quarantined: tuple[str, ...] = ()  # segments put aside; their records count up to the damage
    checkpoints: int = 0  # how many of those given fit
    origin: str = ""  # what the log calls itself


@attrs.define(kw_only=True)
class _Walk:
    """What a walk through all segments gathers."""

    end: ChainEnd = attrs.field(factory=ChainEnd)
    origin: str = ""
    expected: bytes = b""
    expected_at: int = 0
    roots: Mapping[int, Checkpoint] = attrs.field(factory=dict)
    libraries: set[str] = attrs.field(factory=set)
    aside: dict[str, str] = attrs.field(factory=dict)  # digests of quarantined files by name
    progress: Callable[[int], None] | None = None


def verify(
    path: Path | str,
    *,
    expected_head: str = "",
    checkpoints: Sequence[Checkpoint] = (),
    progress: Callable[[int], None] | None = None,
) -> VerifyReport:
    """Check a whole log, all its segments, without writing to it.

    Finds changed, removed, inserted and swapped records and a damaged file. A chain alone cannot
    show that records are missing *at its end*, nor that all of it was written anew: give
    checkpoints kept elsewhere for that, or at least a head noted earlier.

    Parameters
    ----------
    path : Path or str
    expected_head : str, optional
        Digest (64 hexadecimal digits) that some record must have: the head at an earlier time.
    checkpoints : sequence of Checkpoint, optional
        See ``read_checkpoints``; those of other logs do not count, but one must be of this log.
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
        segments = find_segments(place)
        if not segments:
            raise AuditError(f"{place}: there is no such audit log; check the path")
        with _kept_still(place) as still:
            walk = _Walk(expected=bytes.fromhex(expected_head), progress=progress)
            writers = [
                check_pages(each.path) for each in segments if not each.quarantined and still
            ]
            parts = find_ranges(place)
            walk.origin = _origin(parts[0]) if parts else ""
            walk.roots = _by_size(place, checkpoints, walk.origin)
            for part in parts:
                _check_part(part, walk)
            aside = _check_aside(segments, walk)
            _check_libraries(place, writers, walk)
        _check_ends(walk, expected_head)
    end = walk.end
    return VerifyReport(
        path=place,
        records=end.sequence,
        runs=end.runs,
        head=end.head.hex(),
        expected_at=walk.expected_at,
        still=still,
        root=end.tree.root().hex(),
        segments=len(parts),
        quarantined=aside,
        checkpoints=len(checkpoints),
        origin=walk.origin,
    )


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


def _origin(part: SegmentRange) -> str:
    """Return what the log calls itself; nothing where its first record does not say it."""
    with part.segment.reading() as database:
        row = next(rows_of(database, part.first, part.until), None)
    try:
        return str(json.loads(row[7]).get("origin", "")) if row is not None else ""
    except (ValueError, AttributeError):
        return ""  # the chain will tell


def _by_size(path: Path, checkpoints: Sequence[Checkpoint], origin: str) -> dict[int, Checkpoint]:
    ours = [each for each in checkpoints if each.origin == origin]
    if checkpoints and not ours:
        others = ", ".join(sorted({each.origin for each in checkpoints}))
        raise ChainError(
            1, f"{path} says that it is {origin!r}, and the checkpoints are of {others}"
        )
    found: dict[int, Checkpoint] = {}
    for each in ours:
        if found.setdefault(each.size, each).root != each.root:
            raise ChainError(each.size, f"two checkpoints of {each.size} records contradict")
    return found


def _check_part(part: SegmentRange, walk: _Walk) -> None:
    with part.segment.reading() as database:
        if not part.segment.quarantined:
            _check_structure(part.segment.path, database)
        _check_rows(follow(rows_of(database, part.first, part.until), walk.end), walk)


def _check_structure(path: Path, database: sqlite3.Connection) -> None:
    found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != b"ok":
        text = found.decode(errors="replace")
        raise AuditError(f"{path}: the file is damaged: {text}; restore a copy of the log")


def _check_rows(rows: Iterator[RecordRow], walk: _Walk) -> None:
    expected, roots, end, progress = walk.expected, walk.roots, walk.end, walk.progress
    for number, _, _, _, kind, _, _, payload, _, digest in rows:
        if digest == expected:
            walk.expected_at = number
        if number in roots and roots[number].root != end.tree.root():
            raise ChainError(
                number, f"the {number} records up to here are not those of the checkpoint"
            )
        if kind == b"run_start":
            walk.libraries.add(json.loads(payload).get("sqlite"))
        elif kind == b"segment":
            before = json.loads(payload)["previous"]
            if "sha256" in before:
                walk.aside[before["file"]] = before["sha256"]
        if progress is not None and number % _STEP == 0:
            progress(number)


def _check_aside(segments: Sequence[Segment], walk: _Walk) -> tuple[str, ...]:
    """Check that quarantined files are still what they were when they were put aside."""
    found = []
    for segment in segments:
        if not segment.quarantined:
            continue
        if file_digest(segment.path) != walk.aside.get(segment.path.name):
            raise AuditError(f"{segment.path}: this quarantined segment was changed since")
        found.append(segment.path.name)
    return tuple(found)


def _check_libraries(path: Path, writers: Sequence[str], walk: _Walk) -> None:
    """Compare the library version in each file's head with those that the runs say they used."""
    for written_by in filter(None, writers):
        if walk.end.sequence and written_by not in walk.libraries:
            raise AuditError(f"{path}: the head of the file is damaged (library {written_by})")


def _check_ends(walk: _Walk, expected_head: str) -> None:
    count = walk.end.sequence
    if expected_head and not walk.expected_at:
        raise ChainError(
            count, f"no record has the expected head {expected_head}: the end was cut or rewritten"
        )
    largest = max(walk.roots, default=0)
    if largest > count:
        raise ChainError(
            count + 1, f"missing; there is a checkpoint of {largest} records: the end was cut"
        )
