"""Small logs for the tests of this folder."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot4_core.audit import AuditDurability, AuditLog, LogSettings
from bot4_core.audit.canonical import Payload
from bot4_core.audit.chain import row_digest
from bot4_core.audit.database import COLUMNS, SCHEMA
from bot4_core.domain_types.audit_records import AuditKind

ORDER = "0" * 31 + "1"
OTHER = "0" * 31 + "2"


def opened(path: Path, run: str = "first", wall_time: int = 1, **settings: Any) -> AuditLog:
    return AuditLog.open(
        path,
        run=run,
        wall_time=wall_time,
        durable=AuditDurability.NORMAL,
        settings=LogSettings(**{"alarm": lambda _: None, **settings}),
    )


def add(log: AuditLog, count: int, *, text: str = "x", order: str = ORDER) -> None:
    for place in range(count):
        payload: Payload = {"place": place, "text": text, "edge": 0.1 * place}
        log.append(AuditKind.INTENT, "mm", order, payload, event_time=place, wall_time=place + 1)


def finished_log(path: Path, sizes: Sequence[int] = (10, 300, 9000, 40, 700, 700, 1500)) -> bytes:
    """Write a log of several pages, one record on overflow pages; return the last digest."""
    with opened(path) as log:
        for size in sizes:
            add(log, 3, text="y" * size)
            log.commit()
        log.finish(99)
        return log.head


def edit(path: Path, *statements: str) -> None:
    """Change a log behind its back, as well as somebody with the right to write to it can."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA secure_delete = ON")
    for guard in ("updated", "deleted", "replaced"):
        database.execute(f"DROP TRIGGER records_are_not_{guard}")
    for statement in statements:
        database.execute(statement)
    for statement in SCHEMA[1:]:
        database.execute(statement)
    database.execute(f"PRAGMA schema_version = {len(SCHEMA) + 1}")
    database.close()


def forge(path: Path, sequence: int) -> None:
    """Rewrite one record so that it fits its own digest."""
    database = sqlite3.connect(path)
    database.text_factory = bytes
    statement = f"SELECT {COLUMNS} FROM records WHERE sequence = {sequence}"  # noqa: S608  # a test's own number
    row: Any = database.execute(statement).fetchone()
    database.close()
    forged: Any = (*row[:5], b"nobody", *row[6:])
    digest = row_digest(forged).hex()
    change = f"UPDATE records SET actor = 'nobody', digest = x'{digest}'"  # noqa: S608  # a test's own digest
    edit(path, f"{change} WHERE sequence = {sequence}")
