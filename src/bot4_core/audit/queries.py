"""Reading a log: one order's whole story, and records by what they say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from bot4_core.audit.database import COLUMNS, checked_record, named_errors
from bot4_core.audit.segments import find_parts, find_segments
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.errors import AuditError

__all__ = ["AuditQuery", "read_records", "search", "why"]

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


def why(path: Path | str, client_order_id: str) -> tuple[AuditRecord, ...]:
    """Return everything that the log says of one order, in the order it happened.

    The intent's payload carries the reasons with their numbers (signal, size, limits, breakers,
    route); the records after it say what became of it.

    Raises
    ------
    AuditError
        If the log cannot be read or knows no such order.
    ChainError
        If one of the records was changed.
    """
    found = tuple(search(path, AuditQuery(correlation=client_order_id)))
    if not found:
        raise AuditError(f"{path}: no record about order {client_order_id!r}; check the id")
    return found


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
        for part in find_parts(place):
            with part.segment.reading() as database:
                for row in database.execute(statement, (part.until, *values, left)):
                    yield checked_record(row)
                    left -= 1


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
