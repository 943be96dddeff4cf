"""The writer of the audit log: one process, one connection, intents durable before they act."""

import fcntl
import json
import os
import sqlite3
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

from bot4_core.audit.canonical import Payload, PayloadValue, canonical_json
from bot4_core.audit.chain import FORMAT, GENESIS, RecordRow, row_digest
from bot4_core.audit.database import (
    COLUMNS,
    INSERT,
    checked_record,
    create_file,
    named_errors,
    open_writer,
    require_log,
)
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import AuditError, ChainError

__all__ = ["AuditDurability", "AuditLog"]

_TAIL: Final = 1000  # records verified when a log is opened
_MOST_PENDING: Final = 100_000


class AuditDurability(StrEnum):
    """What a committed record survives."""

    FULL = "full"  # power loss: every commit waits for the disk
    NORMAL = "normal"  # death of the process; a power cut may take the last commits


class AuditLog:
    """An open audit log; made by ``AuditLog.open``.

    ``append`` chains a record and keeps it in memory; ``commit`` makes all kept records durable
    in one transaction. An order may leave only after the commit of its intent. When a commit
    fails it raises ``AuditError`` and keeps the records: a later commit writes them once the disk
    has room again. After an input/output error the log refuses further commits, because what the
    disk holds is then not known: close it and open it again.

    Attributes
    ----------
    path : Path
    run : str
    durable : AuditDurability
    sequence : int
        Number of the last appended record.
    head : bytes
        Its digest.
    committed : int
        Number of the last durable record.
    """

    def __init__(
        self, path: Path, database: sqlite3.Connection, lock: int, durable: AuditDurability
    ) -> None:
        self.path = path
        self.run = ""
        self._run_bytes = b""
        self.durable = durable
        self.sequence = 0
        self.head = GENESIS
        self.committed = 0
        self._database = database
        self._lock = lock
        self._pending: list[RecordRow] = []
        self._broken = ""
        self._closed = False

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        run: str,
        wall_time: int,
        event_time: int = 0,
        durable: AuditDurability | str = AuditDurability.FULL,
        facts: Payload | None = None,
    ) -> Self:
        """Open or create a log and begin a run.

        The last records are verified, and a ``RUN_START`` record links the new run to the one
        before and says how that ended.

        Parameters
        ----------
        path : Path or str
            The SQLite file; ``path.lock`` beside it keeps a second writer out.
        run : str
            Name of the run; must be new to this log, because client order ids are made from it.
        wall_time, event_time : int
            ns.
        durable : AuditDurability
        facts : mapping, optional
            What the run is made of: code, configuration, plugins, seeds.

        Raises
        ------
        AuditError
            If the file cannot be opened or written, is in use, or is no audit log.
        ChainError
            If the last records were changed.
        """
        place = Path(path)
        with named_errors(place, "open the audit log"):
            if place.is_dir():
                raise AuditError(f"{place}: is a folder; name a file for the audit log")
            lock = _take_lock(place)
            try:
                log = cls._opened(place, lock, AuditDurability(durable))
            except BaseException:
                os.close(lock)
                raise
        try:
            log._begin(run, wall_time, event_time, facts or {})
        except BaseException:
            log.close()
            raise
        return log

    @classmethod
    def _opened(cls, path: Path, lock: int, durable: AuditDurability) -> Self:
        if not path.exists():
            create_file(path)
        database = open_writer(path, durable=durable is AuditDurability.FULL)
        try:
            require_log(path, database)
        except BaseException:
            database.close()
            raise
        return cls(path, database, lock, durable)

    def _begin(self, run: str, wall_time: int, event_time: int, facts: Payload) -> None:
        with named_errors(self.path, "read the end of the audit log"):
            tail = self._read_tail()
            start = self._last_start()
        previous: dict[str, PayloadValue] = {"ended": "none"}
        if tail:
            last = tail[-1]
            self.sequence, self.head = last.sequence, last.digest
            self.committed = last.sequence
            ended = "clean" if last.kind is AuditKind.RUN_END else "crashed"
            previous = {"ended": ended, "run": last.run, "start": start, "head": last.digest.hex()}
            self._refuse_known(run, start)
        self.run, self._run_bytes = run, run.encode()
        payload: dict[str, PayloadValue] = {
            "durable": self.durable.value,
            "facts": facts,
            "format": FORMAT,
            "previous": previous,
            "sqlite": sqlite3.sqlite_version,
        }
        self.append(
            AuditKind.RUN_START, "audit", "", payload, event_time=event_time, wall_time=wall_time
        )
        self.commit()

    def append(
        self,
        kind: AuditKind,
        actor: str,
        correlation: str,
        payload: Payload,
        *,
        event_time: int,
        wall_time: int,
    ) -> AuditRecord:
        """Chain a record; it is durable after the next ``commit``.

        Parameters
        ----------
        kind : AuditKind
        actor : str
            Who did it: a strategy, a plugin, an operator, a venue.
        correlation : str
            The client order id that it is about, or empty.
        payload : mapping
            See ``canonical``.
        event_time, wall_time : int
            ns.

        Raises
        ------
        ValidationError
            If the payload holds something that has no canonical form.
        AuditError
            If the log is closed, or too many records wait for a commit that keeps failing.
        """
        self._require_room()
        body, previous = canonical_json(payload), self.head
        sequence = self.sequence + 1
        texts = self._run_bytes, kind.encode(), actor.encode(), correlation.encode()
        link = row_digest((sequence, wall_time, event_time, *texts, body, previous, b""))
        self._pending.append((sequence, wall_time, event_time, *texts, body, previous, link))
        self.sequence, self.head = sequence, link
        return AuditRecord(
            sequence=sequence,
            wall_time=Nanoseconds(wall_time),
            event_time=Nanoseconds(event_time),
            run=self.run,
            kind=kind,
            actor=actor,
            correlation=correlation,
            payload=body,
            previous=previous,
            digest=link,
        )

    def commit(self) -> int:
        """Make every appended record durable and return the last one's number.

        Raises
        ------
        AuditError
            If they could not be written; no new risk may be taken. The records are kept.
        """
        self._require_open()
        if not self._pending:
            return self.committed
        if self._broken:
            raise AuditError(
                f"{self.path}: {self._broken}; check the disk and its free space, then reopen the"
                " log; nothing committed before is lost"
            )
        with named_errors(self.path, "write to the audit log"):
            self._write()
        self.committed = self.sequence
        self._pending.clear()
        return self.committed

    @property
    def pending(self) -> int:
        """Number of records that are not durable yet."""
        return len(self._pending)

    def finish(self, wall_time: int, event_time: int = 0, facts: Payload | None = None) -> None:
        """End the run with a ``RUN_END`` record and close the log."""
        payload: Mapping[str, PayloadValue] = {"facts": facts or {}}
        self.append(
            AuditKind.RUN_END, "audit", "", payload, event_time=event_time, wall_time=wall_time
        )
        self.commit()
        self.close()

    def close(self) -> None:
        """Let go of the file; without ``finish`` the run counts as crashed. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        try:
            self._database.close()
        finally:
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self) -> None:
        database = self._database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(INSERT, self._pending)
            database.execute("COMMIT")
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if database.in_transaction:
                database.execute("ROLLBACK")
            if name.startswith("SQLITE_IOERR"):
                self._broken = f"writing failed before ({error}, {name})"
            raise

    def _read_tail(self) -> list[AuditRecord]:
        rows = self._database.execute(
            f"SELECT {COLUMNS} FROM records ORDER BY sequence DESC LIMIT {_TAIL + 1}"  # noqa: S608  # all of it is constant
        ).fetchall()
        try:
            records = [checked_record(row) for row in reversed(rows)]
            _check_links(records)
        except ChainError as error:
            remedy = "see `bot4 audit verify`, and move it away or choose another path"
            text = f"{error.reason}, so {self.path} was changed: {remedy}"
            raise ChainError(error.sequence, text) from error
        return records

    def _last_start(self) -> int:
        found = self._database.execute(
            "SELECT sequence FROM records WHERE kind = 'run_start' ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return int(found[0]) if found else 0

    def _refuse_known(self, run: str, start: int) -> None:
        while start:
            name, payload = self._database.execute(
                "SELECT run, payload FROM records WHERE sequence = ?", (start,)
            ).fetchone()
            if name == run.encode():
                raise AuditError(
                    f"{self.path}: run {run!r} is already in this log (record {start}); give the"
                    " run a new name, because client order ids are made from it"
                )
            start = json.loads(payload)["previous"].get("start", 0)

    def _require_room(self) -> None:
        self._require_open()
        if len(self._pending) >= _MOST_PENDING:
            raise AuditError(
                f"{self.path}: {_MOST_PENDING} records wait to be written; commit them"
            )

    def _require_open(self) -> None:
        if self._closed:
            raise AuditError(f"{self.path}: the log is closed; open it again")


def _check_links(records: list[AuditRecord]) -> None:
    if records and records[0].sequence == 1 and records[0].previous != GENESIS:
        raise ChainError(1, "the first record links to another one")
    for before, record in pairwise(records):
        if record.sequence != before.sequence + 1 or record.previous != before.digest:
            raise ChainError(record.sequence, "does not follow the record before it")


def _take_lock(path: Path) -> int:
    """Lock ``path.lock`` for this process, or say who holds it."""
    place = path.with_name(f"{path.name}.lock")
    lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 20).decode("ascii", "replace") or "unknown"
        os.close(lock)
        raise AuditError(
            f"{path}: another process (id {holder}) holds this log; stop it or choose another path"
        ) from None
    os.truncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    return lock
