"""One order's whole story, found through the index where the log is large."""

import sqlite3
from pathlib import Path

from bot4_core.audit.index_file import RecordIndex
from bot4_core.audit.queries import AuditQuery, records_at, search
from bot4_core.audit.text_search import worth_indexing
from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.errors import AuditError

__all__ = ["why"]


def why(path: Path | str, client_order_id: str) -> tuple[AuditRecord, ...]:
    """Return everything that the log says of one order, in the order it happened.

    The intent's payload carries the reasons with their numbers (signal, size, limits, breakers,
    route); the records after it say what became of it. A large log gets an index the first time,
    which takes about as long as reading it once.

    Raises
    ------
    AuditError
        If the log cannot be read or knows no such order.
    ChainError
        If one of the records was changed.
    """
    place = Path(path)
    numbers, mark = _indexed(place, client_order_id)
    later = search(place, AuditQuery(correlation=client_order_id, first=mark + 1))
    found = (*records_at(place, numbers), *later)
    if not found:
        raise AuditError(f"{path}: no record about order {client_order_id!r}; check the id")
    return found


def _indexed(path: Path, client_order_id: str) -> tuple[list[int], int]:
    """Return what the index knows, and up to which record it does."""
    if not worth_indexing(path):
        return [], 0
    try:
        with RecordIndex.opened(path) as index:
            index.try_to_update("orders")
            mark = index.mark("orders")
            return [each for each in index.orders(client_order_id) if each <= mark], mark
    except sqlite3.Error:
        return [], 0
