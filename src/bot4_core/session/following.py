"""Copying an audit log into a store while it grows, link by link checked."""

from itertools import islice
from pathlib import Path
from typing import Final

from bot4_core.audit.chain import RecordRow
from bot4_core.audit.chain_walk import ChainEnd, follow
from bot4_core.audit.database import checked_record, named_errors
from bot4_core.audit.recovery import chain_before, rows_of
from bot4_core.audit.segments import find_segments, ranges_of
from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.errors import AuditError, ChainError
from bot4_core.plugins.interfaces import Store

__all__ = ["LogFollower"]

_ABSENT: Final = "is in the store and not in the log: the log was cut, or is another"


class LogFollower:
    """Copies a log into a store, one batch a step; knows no clock and waits for nothing.

    The log of record is only read, in short transactions. Where the store ends is asked of the
    store, and the last record that it keeps is handed to it again, so that it sees whether its
    records are those of this log. Records go out only as they prove to continue the chain. After
    any error the next step begins by asking again.

    Parameters
    ----------
    path : Path or str
        The log, by the name of its first file.
    store : Store
    batch : int
        Most records in one step.
    recheck : bool
        Hand over all records from the first on, so that the store compares those it has.

    Attributes
    ----------
    sequence : int
        Number of the last record that the store has acknowledged to this follower, 0 for none.
    head : bytes
        Its digest.
    copied : int
        How many records the store did not have before.
    """

    def __init__(
        self, path: Path | str, store: Store, *, batch: int = 1_000, recheck: bool = False
    ) -> None:
        self.path = Path(path)
        self.store = store
        self.sequence = 0
        self.head = b""
        self.copied = 0
        self._batch = batch
        self._recheck = recheck
        self._kept = 0  # in the store
        self._first = 0  # to hand over next; 0 where the store is to be asked
        self._place = 0  # of the segment that is read
        self._end: ChainEnd | None = None

    def step(self) -> int:
        """Hand the next records to the store.

        Returns
        -------
        int
            How many were handed over; 0 when the store has all that the log has.

        Raises
        ------
        StoreUnreachableError
            If the store cannot be reached; nothing is lost, take the step again.
        ChainError
            Naming the first record that is not what it was, in the log or in the store.
        AuditError
            If the log cannot be read.
        StorageError
            If the store refuses.
        """
        if not self._first:
            self._ask()
        records, fault = self._read()
        if fault is not None:  # a file can look damaged once, while its writer begins
            self._end = None
            records, fault = self._read()
        if records:
            self._hand_over(records)
        if fault is not None:
            self._first = 0
            raise fault
        return len(records)

    def _ask(self) -> None:
        self._kept = self.store.last_sequence()
        self._first = max(1, min(self._kept, self.sequence) if self._recheck else self._kept)
        self._end = None

    def _read(self) -> tuple[list[AuditRecord], AuditError | None]:
        """Return the next records that fit, and why no more of them do."""
        found: list[AuditRecord] = []
        try:
            with named_errors(self.path, "follow the audit log"):
                if self._end is None:
                    self._end = self._end_before(self._first)
                for row in follow(self._rows(self._end.sequence + 1), self._end):
                    found.append(checked_record(row))  # noqa: PERF401 - keeps those before a fault
                if not found and self._end.sequence < self._kept:
                    raise ChainError(self._end.sequence + 1, _ABSENT)
        except AuditError as error:
            return found, error
        return found, None

    def _hand_over(self, records: list[AuditRecord]) -> None:
        try:
            self.store.write(records)
        except BaseException:
            self._first = 0
            raise
        last = records[-1]
        self.sequence, self.head, self._first = last.sequence, last.digest, last.sequence + 1
        self.copied += max(0, last.sequence - self._kept)
        self._kept = max(self._kept, last.sequence)

    def _end_before(self, first: int) -> ChainEnd:
        """Return where the chain stands before a record, walked to from the anchor before it."""
        segments = find_segments(self.path)
        if not segments:
            raise AuditError(f"{self.path}: there is no such audit log; check the path")
        parts = [part for part in ranges_of(segments) if part.first <= first]
        self._place = segments.index(parts[-1].segment)
        with parts[-1].segment.reading() as database:
            return chain_before(database, first)

    def _rows(self, first: int) -> list[RecordRow]:
        segments = find_segments(self.path)
        for part in ranges_of(segments[self._place :]):
            with part.segment.reading() as database:
                rows = list(islice(rows_of(database, first, part.until), self._batch))
            if rows:
                self._place = segments.index(part.segment)
                return rows
        return []
