"""The audit log: what a record costs to write, and how fast a log is verified and questioned.

Baselines are the same rows through SQLite alone: inserted without hash and canonical form, read
without a check. Commits of ``full`` durability wait for this machine's disk.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bot4_core.audit import AuditLog, read_records, verify, why
from bot4_core.audit.canonical import Payload
from bot4_core.audit.database import COLUMNS
from bot4_core.domain_types.audit_records import AuditKind

RECORDS = 50_000
REPEATS = 7
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.audit"
        return [
            *(_writing(Path(folder), durable, group) for durable, group in WRITERS),
            _verifying(_filled(path)),
            _asking(path),
        ]


WRITERS = (("normal", 512), ("normal", 16), ("full", 16), ("full", 1))


def _filled(path: Path) -> Path:
    with AuditLog.open(path, run="bench", wall_time=1, durable="normal") as log:
        for number in range(RECORDS):
            identity = f"{number // 4:032x}"
            log.append(AuditKind.INTENT, "mm", identity, PAYLOAD, event_time=1, wall_time=1)
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
    database = sqlite3.connect(path)
    for _ in database.execute("SELECT * FROM records ORDER BY sequence"):
        pass
    database.close()


def _asking(path: Path) -> dict[str, object]:
    identity = f"{RECORDS // 8:032x}"
    times = _timed(lambda: why(path, identity))
    baseline = _timed(lambda: list(read_records(path)))
    return _row("audit: why ORDER, a record of the log", times, baseline, "<= 1 s in all")


def _timed(work: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter_ns()
        work()
        times.append((time.perf_counter_ns() - began) / RECORDS / 1000)
    return times


def _row(work: str, times: list[float], baseline: list[float], budget: str) -> dict[str, object]:
    middle, plain = statistics.median(times), statistics.median(baseline)
    return {
        "work": work,
        "p50_us": middle,
        "p99_us": sorted(times)[-1 - len(times) // 100],
        "baseline": "SQLite alone" if "why" not in work else "reading all of it",
        "baseline_us": plain,
        "ratio": plain / middle,
        "budget": budget,
    }
