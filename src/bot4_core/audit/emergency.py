"""What is done when the log cannot be written: a plain file takes its place, and room is freed."""

import base64
import errno
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bot4_core.audit.chain import RecordRow, row_digest
from bot4_core.errors import ChainError

__all__ = ["EmergencyFile", "Reserve"]


class EmergencyFile:
    """Records that the log could not take, one a line; the next good commit empties it.

    Attributes
    ----------
    path : Path
    kept : int
        Number of the last record in it, 0 while it is empty.
    """

    def __init__(self, log: Path) -> None:
        self.path = log.with_name(f"{log.name}.emergency")
        self.kept = 0

    def keep(self, rows: Sequence[RecordRow]) -> None:
        """Append the rows that are not in it yet.

        Raises
        ------
        OSError
            If even this cannot be written.
        """
        fresh = [row for row in rows if row[0] > self.kept]
        if not fresh:
            return
        text = "".join(f"{_line(row)}\n" for row in fresh).encode()
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            before = os.fstat(file).st_size
            if os.write(file, text) < len(text):
                os.ftruncate(file, before)  # no half line, to which a later one would be joined
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fsync(file)
        finally:
            os.close(file)
        self.kept = fresh[-1][0]

    def clear(self) -> None:
        """Remove it: the log has everything."""
        self.kept = 0
        self.path.unlink(missing_ok=True)

    def rows(self) -> Iterator[RecordRow]:
        """Yield the records in it; a last line cut short ends them.

        Raises
        ------
        ChainError
            If a record does not fit its digest.
        """
        if not self.path.exists():
            return
        *lines, _ = self.path.read_bytes().split(b"\n")
        for line in lines:
            row = _row(line)
            if row is None or row_digest(row) != row[9]:
                raise ChainError(row[0] if row else 0, f"is damaged in {self.path}")
            yield row

    def beyond(self, last: int, digest: Callable[[int], bytes]) -> list[RecordRow]:
        """Return the records after the log's last one.

        Parameters
        ----------
        last : int
        digest : callable
            Returns the digest of a record of the log.

        Raises
        ------
        ChainError
            If one is damaged, or differs from that of the log.
        """
        found = []
        for row in self.rows():
            if row[0] > last:
                found.append(row)
            elif digest(row[0]) != row[9]:
                raise ChainError(row[0], f"differs from that in {self.path}")
        return found

    def put_aside(self) -> None:
        """Rename it, so that a run can begin without it."""
        self.path.rename(self.path.with_name(f"{self.path.name}.quarantined"))


class Reserve:
    """A file of nothing that holds room on the disk, given back when there is no other.

    Parameters
    ----------
    log : Path
    size : int
        Bytes; 0 keeps none.
    """

    def __init__(self, log: Path, size: int) -> None:
        self.path = log.with_name(f"{log.name}.reserve")
        self.size = size
        self.held = False

    def hold(self) -> None:
        """Take the room.

        Raises
        ------
        OSError
            If there is not so much.
        """
        if self.held or not self.size:
            return
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, self.size)
        except OSError:
            self.path.unlink()
            raise
        finally:
            os.close(file)
        self.held = True

    def release(self) -> None:
        """Give the room back."""
        self.held = False
        self.path.unlink(missing_ok=True)


def _line(row: RecordRow) -> str:
    texts = [base64.b64encode(each).decode() for each in row[3:]]
    return json.dumps([*row[:3], *texts])


def _row(line: bytes) -> RecordRow | None:
    try:
        sequence, wall, event, *texts = json.loads(line)
        run, kind, actor, correlation, payload, previous, digest = map(base64.b64decode, texts)
        numbers = int(sequence), int(wall), int(event)
    except (ValueError, TypeError):
        return None
    return (*numbers, run, kind, actor, correlation, payload, previous, digest)
