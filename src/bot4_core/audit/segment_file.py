"""The one connection that writes to a segment."""

import sqlite3
from collections.abc import Sequence

from bot4_core.audit.chain import GENESIS, RecordRow
from bot4_core.audit.database import INSERT, PAGE_SIZE, open_writer
from bot4_core.audit.log_settings import AuditDurability
from bot4_core.audit.segments import Segment
from bot4_core.errors import AuditError

__all__ = ["SegmentFile"]


class SegmentFile:
    """A segment open for appending; the caller holds the log's lock.

    Parameters
    ----------
    segment : Segment
    durable : AuditDurability
    """

    def __init__(self, segment: Segment, *, durable: AuditDurability) -> None:
        self.segment = segment
        self.durable = durable
        self.patience = 1.0  # seconds to wait for readers
        self.database = self._connected()

    def write(self, rows: Sequence[RecordRow]) -> None:
        """Append rows in one transaction: all of them or none.

        Raises
        ------
        sqlite3.Error
            If they could not be written.
        """
        database = self.database
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(INSERT, rows)
            database.execute("COMMIT")
        except sqlite3.Error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise

    def last(self) -> tuple[int, bytes, str]:
        """Return number, digest and run of the last record."""
        found = self.database.execute(
            "SELECT sequence, digest, run FROM records ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return (found[0], found[1], found[2].decode()) if found else (0, GENESIS, "")

    def digest(self, sequence: int) -> bytes:
        """Return the digest of a record, empty where there is none."""
        found = self.database.execute(
            "SELECT digest FROM records WHERE sequence = ?", (sequence,)
        ).fetchone()
        return bytes(found[0]) if found else b""

    def size(self) -> int:
        """Return the bytes of the database, its write-ahead log folded in."""
        return int(self.database.execute("PRAGMA page_count").fetchone()[0]) * PAGE_SIZE

    def reopen(self) -> None:
        """Connect anew after an error, and move what the write-ahead log has to the disk.

        What the system kept of writes that failed may never reach the disk; writing it again in
        another place and waiting for that is the only way to know.

        Raises
        ------
        sqlite3.Error
            If the disk still fails.
        AuditError
            If another connection keeps the write-ahead log.
        """
        self.database.close()
        self.database = self._connected()
        busy = self.database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise AuditError(f"{self.segment.path}: somebody reads the log; it is tried again")

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def _connected(self) -> sqlite3.Connection:
        durable = self.durable is AuditDurability.FULL
        return open_writer(self.segment.path, durable=durable, patience=self.patience)
