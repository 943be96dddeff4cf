"""Reading a log: one order's whole story, and records by what they say."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from bot4_core.audit.database import COLUMNS, checked_record, named_errors
from bot4_core.audit.segments import find_ranges, find_segments
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.errors import AuditError

__all__ = ["AuditQuery", "read_records", "records_at", "search"]

_ENDLESS: Final = 2**63 - 1


@attrs.frozen(kw_only=True)
class AuditQuery:
    """What records to look for; empty fields do not restrict."""

    kinds: tuple[AuditKind, ...] = ()
    actor: str = ""
    correlation: str = ""
    run: str = ""
    text: str = ""  # part of the payload as it is written, capitals and all
    since: int = 0  # event time, ns, first
    until: int = 0  # event time, ns, past the last; 0 for no end
    first: int = 1  # record number
    limit: int = 0  # 0 for all


def read_records(path: Path | str, first: int = 1) -> Iterator[AuditRecord]:
    """Yield all records from a number on."""
    return search(path, AuditQuery(first=first))


def search(path: Path | str, query: AuditQuery) -> Iterator[AuditRecord]:
    """Yield the records that a query asks for, oldest first; each is checked by its own digest.

    Scans the log: about a million records a second.

    Raises
    ------
    AuditError
        If the log cannot be read.
    ChainError
        If a record was changed.
    """
    place = Path(path)
    where, values = _conditions(query)
    statement = f"SELECT {COLUMNS} FROM records WHERE {where} ORDER BY sequence LIMIT ?"  # noqa: S608  # the words are ours, the values bound
    with named_errors(place, "search the audit log"):
        if not find_segments(place):
            raise AuditError(f"{place}: there is no such audit log; check the path")
        left = query.limit or _ENDLESS
        for part in find_ranges(place):
            with part.segment.reading() as database:
                for row in database.execute(statement, (part.until, *values, left)):
                    yield checked_record(row)
                    left -= 1


def records_at(path: Path | str, numbers: Sequence[int]) -> list[AuditRecord]:
    """Return the records with these numbers, in their order; what is not there is left out.

    Raises
    ------
    AuditError
        If the log cannot be read.
    ChainError
        If a record was changed.
    """
    place, found = Path(path), list[AuditRecord]()
    statement = f"SELECT {COLUMNS} FROM records WHERE sequence = ?"  # noqa: S608  # all of it is constant
    with named_errors(place, "read the audit log"):
        for part in find_ranges(place):
            wanted = [number for number in numbers if part.first <= number < part.until]
            if not wanted:
                continue
            with part.segment.reading() as database:
                for number in wanted:
                    rows = database.execute(statement, (number,)).fetchall()
                    found += map(checked_record, rows)
    return found


def _conditions(query: AuditQuery) -> tuple[str, list[str | int]]:
    parts, values = ["sequence < ?", "sequence >= ?"], list[str | int]([query.first])
    for column in ("actor", "correlation", "run"):
        wanted = getattr(query, column)
        if wanted:
            parts.append(f"{column} = ?")
            values.append(wanted)
    if query.kinds:
        parts.append(f"kind IN ({','.join('?' * len(query.kinds))})")
        values.extend(kind.value for kind in query.kinds)
    if query.text:
        parts.append("instr(payload, ?) > 0")
        values.append(query.text)
    if query.since:
        parts.append("event_time >= ?")
        values.append(query.since)
    if query.until:
        parts.append("event_time < ?")
        values.append(query.until)
    return " AND ".join(parts), values
