"""The audit log: what a record costs to write, and how fast a log is verified and questioned.

Baselines are the same rows through SQLite alone: inserted without hash and canonical form, read
without a check; for questions, reading the whole log. Commits of ``full`` durability wait for this
machine's disk. ``BOT4_AUDIT_RECORDS`` sets how many records the log has (50,000), so that
``BOT4_AUDIT_RECORDS=10000000 nox -s bench -- bench_audit`` shows what a large one costs; it takes
some 900 bytes of disk a record with its index, in the folder for temporary files.
"""

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bot4_core.audit import (
    AuditLog,
    export_order,
    read_records,
    search_text,
    verify,
    why,
)
from bot4_core.audit import text_search as searching
from bot4_core.audit.canonical import Payload
from bot4_core.audit.database import COLUMNS
from bot4_core.audit.index_file import INDEX_PARTS, RecordIndex
from bot4_core.audit.segments import find_segments
from bot4_core.domain_types.audit_records import AuditKind

RECORDS = int(os.environ.get("BOT4_AUDIT_RECORDS", "50000"))
REPEATS = 7 if RECORDS <= 100_000 else 1
QUESTIONS = 20
PAYLOAD: Payload = {
    "signal": {"action": "quote", "edge": 0.00012, "reason": "spread", "strength": 0.5},
    "size": {"asked": 120, "granted": 100},
    "limits": [["position", 100, 1000], ["notional", 5, 10], ["collar", 1, 500]],
    "breakers": [],
    "route": {"venue": "binance", "reason": "only venue"},
}


def rows(recordings: Path) -> list[dict[str, object]]:
    """Return the table's rows; no recording is needed."""
    del recordings
    searching.SMALL_LOG = 0  # type: ignore[misc]  # so that the small log of CI has an index, too
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.audit"
        return [
            *(_writing(Path(folder), durable, group) for durable, group in WRITERS),
            _verifying(_filled(path)),
            *_indexing(path),
            *_asking(path),
        ]


WRITERS = (("normal", 512), ("normal", 16), ("full", 16), ("full", 1))


def _filled(path: Path) -> Path:
    with AuditLog.open(path, run="bench", wall_time=1, durable="normal") as log:
        for number in range(RECORDS):
            identity = f"{number // 4:032x}"
            word = "rare" if number % 9_973 == 0 else "often"
            said = PAYLOAD if number % 50 else {**PAYLOAD, "note": word}
            log.append(AuditKind.INTENT, "mm", identity, said, event_time=1, wall_time=1)
            if number % 512 == 0:
                log.commit()
        log.finish(2)
    return path


def _writing(folder: Path, durable: str, group: int) -> dict[str, object]:
    commits = max(40, 5000 // group)
    times: list[float] = []
    path = folder / f"{durable}{group}.audit"
    with AuditLog.open(path, run="bench", wall_time=1, durable=durable) as log:
        for _ in range(commits):
            began = time.perf_counter_ns()
            for number in range(group):
                log.append(AuditKind.INTENT, "mm", "id", PAYLOAD, event_time=number, wall_time=1)
            log.commit()
            times.append((time.perf_counter_ns() - began) / group / 1000)
        log.finish(2)
    baseline = _bare_inserts(folder / f"bare{durable}{group}.db", path, durable, group)
    return _row(f"audit: record written, {durable}, {group} a commit", times, baseline, "")


def _bare_inserts(place: Path, source: Path, durable: str, group: int) -> list[float]:
    """Insert a finished log's rows into a plain table, same durability and groups."""
    reader = sqlite3.connect(source)
    found = reader.execute("SELECT * FROM records").fetchall()
    reader.close()
    database = sqlite3.connect(place, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL").fetchone()
    database.execute(f"PRAGMA synchronous = {durable}")
    database.execute(f"CREATE TABLE plain ({COLUMNS})")
    times = []
    for start in range(0, len(found) - group, group):
        began = time.perf_counter_ns()
        database.execute("BEGIN")
        part = found[start : start + group]
        database.executemany("INSERT INTO plain VALUES (?,?,?,?,?,?,?,?,?,?)", part)
        database.execute("COMMIT")
        times.append((time.perf_counter_ns() - began) / group / 1000)
    database.close()
    return times


def _verifying(path: Path) -> dict[str, object]:
    times = _timed(lambda: verify(path))
    baseline = _timed(lambda: _read_bare(path))
    return _row("audit: record verified", times, baseline, "<= 6.7 (150 k/s)")


def _read_bare(path: Path) -> None:
    for part in find_segments(path):
        database = sqlite3.connect(part.path)
        for _ in database.execute("SELECT * FROM records ORDER BY sequence"):
            pass
        database.close()


def _indexing(path: Path) -> list[dict[str, object]]:
    """Make the parts of the index, once, as the first question does."""
    reading = _timed(lambda: _read_bare(path))
    found = []
    for part in INDEX_PARTS:
        with RecordIndex.opened(path) as index:
            began = time.perf_counter_ns()
            index.bring_up_to_date(part)
            times = [(time.perf_counter_ns() - began) / RECORDS / 1000]
        found.append(_row(f"audit: record indexed ({part})", times, reading, ""))
    return found


def _asking(path: Path) -> list[dict[str, object]]:
    """Ask an indexed log; the baseline reads all of it."""
    whole = [each * RECORDS for each in _timed(lambda: list(read_scanned(path)))]
    orders = [f"{RECORDS * place // (4 * QUESTIONS):032x}" for place in range(QUESTIONS)]
    questions: list[tuple[str, list[Callable[[], object]], str]] = [
        ("why ORDER", [partial(why, path, each) for each in orders], "<= 1 s"),
        ("export ORDER", [partial(export_order, path, each) for each in orders], "<= 1 s"),
        ("search, rare word", _searches(path, "rare"), "<= 100 ms"),
        ("search, two words", _searches(path, "rare quote"), "<= 100 ms"),
        ("search, a number", _searches(path, "0.00012 often"), "<= 100 ms"),
    ]
    rows = []
    for name, works, budget in questions:
        works[0]()  # opens files and fills the system's cache
        times = [_once(work) for work in works]
        work = f"audit: {name} of {RECORDS:,} records"
        rows.append(_row(work, times, whole, budget))
    return rows


def _searches(path: Path, text: str) -> list[Callable[[], object]]:
    return [partial(search_text, path, text, limit=20)] * QUESTIONS


def read_scanned(path: Path) -> Iterator[object]:
    """Read every record, keeping none."""
    for record in read_records(path):
        if not record.sequence:
            yield record


def _once(work: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - began) / 1000


def _timed(work: Callable[[], object]) -> list[float]:
    return [_once(work) / RECORDS for _ in range(REPEATS)]


def _row(work: str, times: list[float], baseline: list[float], budget: str) -> dict[str, object]:
    middle, plain = statistics.median(times), statistics.median(baseline)
    return {
        "work": work,
        "p50_us": middle,
        "p99_us": sorted(times)[-1 - len(times) // 100],
        "baseline": "reading all of it" if " of " in work else "SQLite alone",
        "baseline_us": plain,
        "ratio": plain / middle,
        "budget": budget,
    }
