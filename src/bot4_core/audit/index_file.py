"""An index beside a log: where each order and each word stands. It can always be made anew.

It is a file of its own, so that it never shares a lock with the log's writer, and no part of the
chain: what it leads to is checked by the records' own digests. Whoever asks brings it up to date
first; where it cannot be written, or somebody else is at it, the rest of the log is read instead.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final

from bot4_core.audit.database import reader_address
from bot4_core.audit.merkle import MerkleTree
from bot4_core.audit.segments import SegmentRange, find_ranges, record_digests

__all__ = ["CHUNK", "INDEX_PARTS", "RecordIndex"]

CHUNK: Final = 1024
"""Leaves of the tree under one stored hash."""
INDEX_PARTS: Final = ("orders", "words", "tree")

_VERSION: Final = 1
_SCHEMA: Final = (
    "CREATE TABLE marks (part TEXT PRIMARY KEY, sequence INTEGER, digest BLOB) STRICT",
    """CREATE TABLE orders (correlation TEXT, sequence INTEGER,
 PRIMARY KEY (correlation, sequence)) STRICT, WITHOUT ROWID""",
    "CREATE TABLE chunks (number INTEGER PRIMARY KEY, root BLOB) STRICT",
    "CREATE VIRTUAL TABLE words USING fts5 (text, content='', tokenize='ascii')",
    "INSERT INTO words (words, rank) VALUES ('hashsize', 33554432)",
)
_FILL: Final = {
    "orders": "INSERT OR IGNORE INTO orders SELECT correlation, sequence FROM log.records"
    " WHERE sequence BETWEEN ? AND ? AND correlation <> '' ORDER BY correlation, sequence",
    "words": "INSERT INTO words (rowid, text) SELECT sequence,"
    " kind || ' ' || actor || ' ' || correlation || ' ' || payload FROM log.records"
    " WHERE sequence BETWEEN ? AND ?",
}
_STEPS: Final = {"orders": 100 * CHUNK, "words": 20 * CHUNK, "tree": 100 * CHUNK}


class RecordIndex:
    """The index of one log, open; made by ``RecordIndex.opened``.

    Attributes
    ----------
    path : Path
        Of the log; the index stands in ``path.index``.
    """

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator["RecordIndex"]:
        """Open or make the index of a log; a damaged one is made anew.

        Raises
        ------
        sqlite3.Error
            If there can be none.
        """
        place = index_path(path)
        try:
            database = _connected(place)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            remove(place)
            database = _connected(place)
        try:
            yield cls(path, database)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            remove(place)
            raise
        finally:
            database.close()

    def mark(self, part: str) -> int:
        """Return up to which record a part of the index goes."""
        found = self._database.execute(
            "SELECT sequence FROM marks WHERE part = ?", (part,)
        ).fetchone()
        return int(found[0]) if found else 0

    def orders(self, correlation: str) -> list[int]:
        """Return the numbers of the records about an order."""
        found = self._database.execute(
            "SELECT sequence FROM orders WHERE correlation = ? ORDER BY sequence", (correlation,)
        )
        return [number for (number,) in found]

    def words(self, expression: str, limit: int) -> list[int]:
        """Return the numbers of the newest records that match, newest first; -1 for all."""
        found = self._database.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?",
            (expression, limit),
        )
        return [number for (number,) in found]

    def chunks(self) -> list[bytes]:
        """Return the roots of every whole 1,024 leaves."""
        found = self._database.execute("SELECT root FROM chunks ORDER BY number")
        return [root for (root,) in found]

    def bring_up_to_date(self, part: str, progress: Callable[[int], None] | None = None) -> None:
        """Take in what the log has got since, as far as nobody else is doing that.

        Raises
        ------
        sqlite3.Error
            If it cannot be written.
        """
        ranges = find_ranges(self.path)
        if not self._fits(part, ranges):
            self._forget(part)
        if part == "tree":
            self._grow(ranges, progress)
            return
        for each in ranges:
            if each.until > self.mark(part) + 1:
                with self._attached(each):
                    while self._take(part, each):
                        if progress is not None:
                            progress(self.mark(part))

    def try_to_update(self, part: str, progress: Callable[[int], None] | None = None) -> None:
        """Bring a part up to date, unless somebody else is at it or the disk is full."""
        with suppress(sqlite3.OperationalError):
            self.bring_up_to_date(part, progress)

    def _fits(self, part: str, ranges: list[SegmentRange]) -> bool:
        """Whether the last record taken in is still that of the log."""
        found = self._database.execute(
            "SELECT sequence, digest FROM marks WHERE part = ?", (part,)
        ).fetchone()
        if found is None:
            return True
        source = next(each for each in ranges if found[0] < each.until)
        with self._attached(source):
            return self._digest(int(found[0])) == bytes(found[1])

    def _forget(self, part: str) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM marks WHERE part = ?", (part,))
            if part == "words":
                database.execute("INSERT INTO words (words) VALUES ('delete-all')")
            else:
                database.execute(f"DELETE FROM {'chunks' if part == 'tree' else part}")  # noqa: S608  # two names

    def _take(self, part: str, source: SegmentRange) -> bool:
        """Take in the next records of the attached segment; return whether there were any."""
        with self._transaction() as database:
            mark = self.mark(part)
            newest = database.execute("SELECT max(sequence) FROM log.records").fetchone()[0] or 0
            last = min(newest, source.until - 1, mark + _STEPS[part])
            if last > mark:
                database.execute(_FILL[part], (mark + 1, last))
                self._set_mark(part, last, self._digest(last))
        return last > mark

    def _grow(self, ranges: Sequence[SegmentRange], progress: Callable[[int], None] | None) -> None:
        """Take in the roots of whole chunks; one may stand in two segments."""
        mark, newest = self.mark("tree"), ranges[-1].segment.ends()[1]
        digests = record_digests(ranges, mark + 1, newest)
        while mark + CHUNK <= newest:
            with self._transaction() as database:
                if self.mark("tree") != mark:
                    raise sqlite3.OperationalError("another process grows the tree")
                last = min(mark + _STEPS["tree"], newest - newest % CHUNK)
                chunk = list[bytes]()
                for number in range(mark // CHUNK, last // CHUNK):
                    chunk = list(islice(digests, CHUNK))
                    database.execute("INSERT INTO chunks VALUES (?, ?)", (number, _root(chunk)))
                self._set_mark("tree", last, chunk[-1])
            mark = last
            if progress is not None:
                progress(mark)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of it or nothing."""
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _set_mark(self, part: str, last: int, digest: bytes) -> None:
        values = (part, last, digest)
        self._database.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", values)

    def _digest(self, sequence: int) -> bytes:
        found = self._database.execute(
            "SELECT digest FROM log.records WHERE sequence = ?", (sequence,)
        ).fetchone()
        return bytes(found[0]) if found else b""

    @contextmanager
    def _attached(self, source: SegmentRange) -> Iterator[None]:
        self._database.execute("ATTACH ? AS log", (reader_address(source.segment.path),))
        try:
            yield
        finally:
            self._database.execute("DETACH log")


def index_path(path: Path) -> Path:
    """Return where the index of a log stands."""
    return path.with_name(f"{path.name}.index")


def remove(place: Path) -> None:
    """Remove an index; it is made anew when somebody asks."""
    for suffix in ("", "-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)


def _connected(place: Path) -> sqlite3.Connection:
    database = sqlite3.connect(place, isolation_level=None, timeout=0.2, uri=True)
    try:
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA journal_mode = WAL").fetchone()
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -65536")
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            _make(database, version)
    except BaseException:
        database.close()
        raise
    return database


def _make(database: sqlite3.Connection, version: int) -> None:
    if version:
        raise sqlite3.DatabaseError(f"an index of version {version}")
    database.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {_VERSION}")
    database.execute("COMMIT")


def _root(digests: Iterable[bytes]) -> bytes:
    tree = MerkleTree()
    for digest in digests:
        tree.add_entry(digest)
    return tree.root()
