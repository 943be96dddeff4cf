"""The files of one log: a segment a day or so, one chain through all of them.

The first has the name of the log, ``audit.sqlite``; later ones have a number in it,
``audit.0002.sqlite``. Nothing is renamed, but for a damaged segment that was put aside on request.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from bot4_core.audit.database import open_reader, require_log
from bot4_core.errors import AuditError

__all__ = [
    "Segment",
    "SegmentRange",
    "find_ranges",
    "find_segments",
    "ranges_of",
    "record_digests",
    "segment_path",
]

_ENDS: Final = (  # one query for both would read every record
    "SELECT (SELECT min(sequence) FROM records), (SELECT max(sequence) FROM records)"
)
_ENDLESS: Final = 2**63 - 1
_ASIDE: Final = ".quarantined"
_NUMBERED: Final = re.compile(r"(.+)\.(\d{4,})(\.[^.]*)?")


@attrs.frozen
class Segment:
    """One file of a log."""

    path: Path
    number: int  # from 1
    quarantined: bool = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Connect for reading."""
        database = open_reader(self.path)
        try:
            require_log(self.path, database)
            yield database
        finally:
            database.close()

    def ends(self) -> tuple[int, int]:
        """Return the numbers of its first and last record; zeros when it is empty."""
        with self.reading() as database:
            found = database.execute(_ENDS).fetchone()
        return (0, 0) if found[0] is None else found

    def put_aside(self) -> "Segment":
        """Rename it with its write-ahead log, so that a new one can follow."""
        place = self.path.with_name(self.path.name + _ASIDE)
        wal = self.path.with_name(f"{self.path.name}-wal")
        if wal.exists():
            wal.rename(place.with_name(f"{place.name}-wal"))
        self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)
        self.path.rename(place)
        return Segment(place, self.number, quarantined=True)


@attrs.frozen
class SegmentRange:
    """The records of a segment that belong to the log: of a quarantined one, those before the next.

    ``first`` and ``until`` are numbers of records, the second past the last.
    """

    segment: Segment
    first: int
    until: int


def find_ranges(path: Path) -> list[SegmentRange]:
    """Return what there is to read, in order; empty where there is no log.

    Raises
    ------
    AuditError
        As ``find_segments``.
    """
    return ranges_of(find_segments(path))


def ranges_of(segments: Sequence[Segment]) -> list[SegmentRange]:
    """Return which records each segment has to give."""
    parts: list[SegmentRange] = []
    after = 0
    bounds = [(_first(each), 0) if each.quarantined else each.ends() for each in segments]
    for place, segment in enumerate(segments):
        first, last = bounds[place]
        until = next((later for later, _ in bounds[place + 1 :] if later), _ENDLESS)
        first = first or after + 1
        after = last or (until - 1 if segment.quarantined else after)
        if first < until:
            parts.append(SegmentRange(segment, first, until))
    return parts


def _first(quarantined: Segment) -> int:
    """Return where a damaged segment begins, 0 where that cannot be read."""
    try:
        return quarantined.ends()[0]
    except (sqlite3.Error, AuditError, UnicodeDecodeError):
        return 0


def record_digests(ranges: Sequence[SegmentRange], first: int, last: int) -> Iterator[bytes]:
    """Yield the digests of records, from one segment into the next."""
    query = "SELECT digest FROM records WHERE sequence BETWEEN ? AND ? ORDER BY sequence"
    for each in ranges:
        begin, end = max(first, each.first), min(last, each.until - 1)
        if begin <= end:
            with each.segment.reading() as database:
                for (digest,) in database.execute(query, (begin, end)):
                    yield digest


def segment_path(path: Path, number: int) -> Path:
    """Return where a segment of the log stands."""
    if number == 1:
        return path
    return path.with_name(f"{path.stem}.{number:04}{path.suffix}")


def find_segments(path: Path) -> list[Segment]:
    """Return the segments of a log that are there, in order.

    Raises
    ------
    AuditError
        If the path is that of a later segment, or one in the middle is not there.
    """
    found: list[Segment] = []
    last = _last_number(path)
    for number in range(1, last + 1):
        place = segment_path(path, number)
        aside = place.with_name(place.name + _ASIDE)
        if place.is_file():
            found.append(Segment(place, number))
        elif aside.is_file():
            found.append(Segment(aside, number, quarantined=True))
        elif last > 1:
            raise AuditError(f"{place}: this segment of the log {path} is missing; restore it")
    numbered = _NUMBERED.fullmatch(path.name)
    if numbered and found:
        owner = path.with_name(numbered[1] + (numbered[3] or ""))
        if owner.is_file() or owner.with_name(owner.name + _ASIDE).is_file():
            raise AuditError(f"{path}: is a segment of the log {owner}; name that")
    return found


def _last_number(path: Path) -> int:
    named = re.compile(
        rf"{re.escape(path.stem)}\.(\d{{4,}}){re.escape(path.suffix)}({re.escape(_ASIDE)})?"
    )
    if not path.parent.is_dir():
        return 1
    matches = (named.fullmatch(each.name) for each in path.parent.iterdir())
    return max([1, *(int(match[1]) for match in matches if match)])
