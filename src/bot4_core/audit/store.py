"""The writer of the audit log: one process, one connection, intents durable before they act."""

import os
import sqlite3
from pathlib import Path
from typing import Final, Self

import attrs

from bot4_core.audit.canonical import Payload, PayloadValue
from bot4_core.audit.chain import FORMAT, RecordRow
from bot4_core.audit.chain_walk import follow, tree_payload
from bot4_core.audit.database import checked_record, create_file, named_errors
from bot4_core.audit.linking import Linker
from bot4_core.audit.log_settings import AuditDurability, LogSettings
from bot4_core.audit.outage import Outage
from bot4_core.audit.publishing import Publisher, new_origin
from bot4_core.audit.recovery import Recovery, earlier_runs, recover
from bot4_core.audit.segment_file import SegmentFile
from bot4_core.audit.segments import Segment, segment_path
from bot4_core.audit.writer_lock import take_lock
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import AuditError, ChainError

__all__ = ["AuditLog"]

_MOST_PENDING: Final = 100_000
_DAY: Final = 86_400_000_000_000


class AuditLog:
    """An open audit log; made by ``AuditLog.open``.

    ``append`` chains a record and keeps it in memory; ``commit`` makes all kept records durable
    in one transaction. An order may leave only after the commit of its intent. When a commit
    fails it raises ``AuditError`` and keeps the records, here and in an emergency file beside the
    log: a later commit writes them once the disk has room again, and so does the next run. After
    an input/output error what the disk holds is not known; the next commit opens the file anew and
    looks.

    Attributes
    ----------
    path : Path
    run : str
    durable : AuditDurability
    committed : int
        Number of the last durable record.
    """

    def __init__(
        self, path: Path, lock: int, run: str, recovery: Recovery, settings: LogSettings
    ) -> None:
        self.path = path
        self.run = run
        self.durable = AuditDurability.FULL
        self.committed = recovery.end.sequence
        self._lock = lock
        self._settings = settings
        self._chain = Linker(recovery.end, run, settings.secrets)
        self._segment = recovery.segment
        self._file: SegmentFile | None = None
        self._durable_head = recovery.end.head
        self._pending: list[RecordRow] = []
        self._outage = Outage(path, settings)
        self._notes = Publisher(path, settings)
        self._closed = False
        self._day = self._chain.wall // _DAY

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
        settings: LogSettings | None = None,
    ) -> Self:
        """Open or create a log and begin a run.

        The newest segment is checked by SQLite and verified from its last checkpoint on; records
        that an earlier run could only put into the emergency file are taken in; a ``RUN_START``
        record links the new run to the one before and says how that ended.

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
        settings : LogSettings, optional

        Raises
        ------
        AuditError
            If the file cannot be opened or written, is in use, or is no audit log.
        ChainError
            If the last records were changed.
        """
        place, settings = Path(path), settings or LogSettings()
        with named_errors(place, "open the audit log"):
            if place.is_dir():
                raise AuditError(f"{place}: is a folder; name a file for the audit log")
            lock = take_lock(place)
            try:
                recovery = recover(place, quarantine=settings.quarantine)
            except BaseException:
                os.close(lock)
                raise
        log = cls(place, lock, run, recovery, settings)
        log.durable = AuditDurability(durable)
        try:
            with named_errors(place, "begin a run in the audit log"):
                log._outage.reserve.hold()
                log._begin(recovery, wall_time, event_time, facts or {})
        except BaseException:
            log.close()
            raise
        return log

    @property
    def sequence(self) -> int:
        """Number of the last appended record."""
        return self._chain.end.sequence

    @property
    def head(self) -> bytes:
        """Digest of the last appended record."""
        return self._chain.end.head

    @property
    def root(self) -> bytes:
        """Root of the tree over all appended records."""
        return self._chain.end.tree.root()

    @property
    def unpublished(self) -> int:
        """Number of checkpoints that could not be put where they should go."""
        return self._notes.lost

    @property
    def pending(self) -> int:
        """Number of records that are not durable yet."""
        return len(self._pending)

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
        row = self._chain.made(
            kind, actor, correlation, payload, event_time=event_time, wall_time=wall_time
        )
        self._keep(row)
        return AuditRecord(
            sequence=row[0],
            wall_time=Nanoseconds(wall_time),
            event_time=Nanoseconds(event_time),
            run=self.run,
            kind=kind,
            actor=actor,
            correlation=correlation,
            payload=row[7],
            previous=row[8],
            digest=row[9],
        )

    def commit(self) -> int:
        """Make every appended record durable and return the last one's number.

        Raises
        ------
        AuditError
            If they could not be written, or the disk is so full that the reserve was needed; no
            new risk may be taken. The records are kept.
        """
        self._require_open()
        if self._pending:
            self._checkpoint_if_due()
            try:
                with named_errors(self._segment.path, "write to the audit log"):
                    self._write()
            except AuditError as error:
                self._fail(error)
                raise
            self._settle()
        if self._outage.reason:
            self._outage.end()
        self._notes.publish()
        self._roll_if_due()
        return self.committed

    def finish(self, wall_time: int, event_time: int = 0, facts: Payload | None = None) -> None:
        """End the run with a ``RUN_END`` record, make a last checkpoint, and close the log."""
        payload: Payload = {"facts": facts or {}}
        self.append(
            AuditKind.RUN_END, "audit", "", payload, event_time=event_time, wall_time=wall_time
        )
        self.commit()
        self._notes.take(self._chain)
        self._notes.publish()
        self.close()

    def close(self) -> None:
        """Let go of the file; without ``finish`` the run counts as crashed. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._file is not None:
                self._file.close()
        finally:
            self._outage.reserve.release()
            os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, recovery: Recovery, wall_time: int, event_time: int, facts: Payload) -> None:
        end, last = recovery.end, recovery.end.last
        previous: dict[str, PayloadValue] = {"ended": recovery.ended}
        if last is not None:
            ended_run = checked_record(last).run
            previous |= {"run": ended_run, "start": end.start, "head": end.head.hex()}
            self._notes.origin = self._require_new(end.start)
        self._notes.origin = self._notes.origin or new_origin(self.path, wall_time)
        self._open_segment(recovery, wall_time)
        taken = self._take_in()
        payload: dict[str, PayloadValue] = {
            "durable": self.durable.value,
            "emergency": taken,
            "facts": facts,
            "format": FORMAT,
            "origin": self._notes.origin,
            "previous": previous,
            "sqlite": sqlite3.sqlite_version,
            **tree_payload(end),
        }
        self._notes.last = (self.sequence, wall_time)
        self.append(
            AuditKind.RUN_START, "audit", "", payload, event_time=event_time, wall_time=wall_time
        )
        self._chain.end.start = self.sequence
        self.commit()

    def _open_segment(self, recovery: Recovery, wall_time: int) -> None:
        if recovery.aside is not None:
            self._next_segment(recovery.aside, wall_time)
        elif self.committed and wall_time // _DAY > self._day:
            self._next_segment({"file": self._segment.path.name}, wall_time)
        else:
            self._file = SegmentFile(self._segment, durable=self.durable)
            self._day = max(self._day, wall_time // _DAY)

    def _next_segment(self, before: Payload, wall_time: int) -> None:
        """Begin another file with the record that links it to the one before."""
        number = self._segment.number + 1
        fresh = Segment(segment_path(self.path, number), number)
        row = self._chain.segment(before, wall_time)
        create_file(fresh.path, row)
        file = SegmentFile(fresh, durable=self.durable)
        if self._file is not None:
            self._file.close()
        self._file, self._segment = file, fresh
        self._chain.link(row)
        self._day = self._chain.wall // _DAY
        self.committed, self._durable_head = self.sequence, self.head

    def _take_in(self) -> int:
        """Write what an earlier run could only put into the emergency file."""
        emergency, end = self._outage.emergency, self._chain.end
        try:
            fresh = emergency.beyond(self.committed, self._writer.digest)
            trial = attrs.evolve(end, tree=end.tree.copy())
            self._pending = list(follow(fresh, trial))
        except ChainError:
            if not self._settings.quarantine:
                raise
            emergency.put_aside()
            return 0
        for row in fresh:
            self._chain.link(row)
        end.start = trial.start
        if fresh:
            self._write()
            self._settle()
        emergency.clear()
        return len(fresh)

    def _keep(self, row: RecordRow) -> None:
        self._pending.append(row)
        self._chain.link(row)

    def _checkpoint_if_due(self) -> None:
        if self._notes.due(self.sequence, self._chain.wall):
            self._notes.take(self._chain)
            self._keep(self._chain.checkpoint())

    def _write(self) -> None:
        file = self._writer
        if self._outage.broken:
            file.reopen()
            number, digest, _ = file.last()
            known = {self.committed: self._durable_head} | {row[0]: row[9] for row in self._pending}
            if known.get(number) != digest:
                raise ChainError(number, "is not what was written before the disk failed")
            self._pending = [row for row in self._pending if row[0] > number]
            self._outage.broken = False
        if self._pending:
            file.write(self._pending)

    def _settle(self) -> None:
        self.committed, self._durable_head = self.sequence, self.head
        self._pending.clear()

    def _fail(self, error: AuditError) -> None:
        if isinstance(error.__cause__, sqlite3.IntegrityError):
            number, _, run = self._writer.last()
            raise AuditError(
                f"{self.path}: run {run!r} has written record {number} to this log as well; stop"
                " it, because one log has one writer"
            ) from error
        self._outage.begin(error, self._pending)

    def _roll_if_due(self) -> None:
        file = self._writer
        if self._chain.wall // _DAY <= self._day and file.size() < self._settings.segment_bytes:
            return
        try:
            with named_errors(self.path, "begin another segment of the audit log"):
                self._next_segment({"file": self._segment.path.name}, 0)
        except AuditError as error:
            self._settings.alarm(str(error))
            self._day = self._chain.wall // _DAY

    @property
    def _writer(self) -> SegmentFile:
        assert self._file is not None, "begun before it is given to anybody"  # noqa: S101 - for types
        return self._file

    def _require_new(self, start: int) -> str:
        """Refuse a run whose name was used before; return what the log calls itself."""
        origin = ""
        for name, number, payload in earlier_runs(self.path, start):
            if name == self.run:
                raise AuditError(
                    f"{self.path}: run {name!r} is already in this log (record {number}); give the"
                    " run a new name, because client order ids are made from it"
                )
            origin = origin or payload.get("origin", "")
        return origin

    def _require_room(self) -> None:
        self._require_open()
        if len(self._pending) >= _MOST_PENDING:
            raise AuditError(f"{self.path}: {_MOST_PENDING} records wait to be written; commit")

    def _require_open(self) -> None:
        if self._closed:
            raise AuditError(f"{self.path}: the log is closed; open it again")
