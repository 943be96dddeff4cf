"""A disk that is full or fails: nothing is lost, and the log goes on when it can (A01, A02)."""

import json
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.core.audit.builders import ORDER, add, opened

from bot4_core.audit import AuditLog, LogSettings, read_records, verify
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.errors import AuditError, ChainError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.audit"


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


@contextmanager
def full_database(log: AuditLog) -> Iterator[None]:
    """Let the database take two more pages and no more."""
    database = log._writer.database
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages + 2}")
    yield
    log._writer.database.execute("PRAGMA max_page_count = 100000")


@contextmanager
def short_files(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a01_a_full_database_keeps_the_records_for_a_later_commit(path: Path) -> None:
    alarms: list[str] = []
    with opened(path, alarm=alarms.append) as log:
        add(log, 1)
        log.commit()
        assert beside(path, "reserve").stat().st_size == 2**20
        with full_database(log):
            add(log, 50, text="f" * 900)
            for _ in range(2):
                with pytest.raises(AuditError, match=r"SQLITE_FULL\); free space"):
                    log.commit()
            assert (log.committed, log.pending) == (2, 50)
            assert not beside(path, "reserve").exists()
            assert len(beside(path, "emergency").read_text().splitlines()) == 50
            add(log, 1)
            with pytest.raises(AuditError, match="SQLITE_FULL"):
                log.commit()
            assert len(beside(path, "emergency").read_text().splitlines()) == 51
        assert log.commit() == 53
        assert beside(path, "reserve").exists()
        assert not beside(path, "emergency").exists()
        log.finish(9)
    assert not beside(path, "reserve").exists()
    assert verify(path).records == 54
    assert [text.partition("; ")[2] for text in alarms[:1]] == [
        "free space on the disk; nothing committed before is lost; no new risk is taken"
    ]
    assert alarms[1:] == [f"{path}: the audit log can be written again"]


def test_a01_records_of_a_run_that_died_on_a_full_disk_are_taken_in_by_the_next(path: Path) -> None:
    with opened(path) as log, full_database(log):
        add(log, 50, text="f" * 900)
        with pytest.raises(AuditError, match="SQLITE_FULL"):
            log.commit()
        head = log.head
    assert verify(path).records == 1
    with opened(path, "second") as log:
        assert log.sequence == 52
        log.finish(9)
    assert verify(path, expected_head=head.hex()).expected_at == 51
    start = json.loads(next(read_records(path, 52)).payload)
    assert start["emergency"] == 50
    assert start["previous"]["ended"] == "crashed"
    assert not beside(path, "emergency").exists()


def test_a01_a_disk_without_room_for_the_reserve_is_still_full(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path) as log:
        with full_database(log):
            add(log, 50, text="f" * 900)
            with pytest.raises(AuditError, match="SQLITE_FULL"):
                log.commit()
        with monkeypatch.context() as patch:
            patch.setattr("os.posix_fallocate", no_room)
            with pytest.raises(AuditError, match="written, but into the last room"):
                log.commit()
            assert (log.committed, log.pending) == (51, 0)
            with pytest.raises(AuditError, match="the last room"):
                log.commit()
        assert log.commit() == 51


def no_room(*_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a01_a_run_does_not_begin_without_room_for_the_reserve(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.posix_fallocate", no_room)
    with pytest.raises(AuditError, match=r"cannot begin a run .*No space left on device; free"):
        opened(path)
    monkeypatch.undo()
    with opened(path, reserve_bytes=0):
        assert not beside(path, "reserve").exists()


def test_a01_an_emergency_file_that_cannot_be_written_changes_nothing(path: Path) -> None:
    with opened(path) as log:
        beside(path, "emergency").mkdir()
        with full_database(log):
            add(log, 50, text="f" * 900)
            with pytest.raises(AuditError, match="SQLITE_FULL"):
                log.commit()
        assert log.commit() == 51


def test_a01_half_a_line_never_stays_in_the_emergency_file(path: Path) -> None:
    with opened(path) as log, full_database(log):
        add(log, 50, text="f" * 900)
        with short_files(9000), pytest.raises(AuditError, match="SQLITE_FULL"):
            log.commit()
        assert beside(path, "emergency").read_bytes() == b""
        with pytest.raises(AuditError, match="SQLITE_FULL"):
            log.commit()
        assert len(beside(path, "emergency").read_text().splitlines()) == 50


def test_a02_after_a_disk_error_the_file_is_opened_anew_and_checked(path: Path) -> None:
    with opened(path) as log:
        add(log, 1)
        log.commit()
        size = path.with_name("a.audit-wal").stat().st_size
        before = log._writer.database
        with short_files(size + 5000):
            add(log, 50, text="f" * 900)
            for _ in range(2):
                with pytest.raises(AuditError, match="SQLITE_IOERR"):
                    log.commit()
        assert log.commit() == 52
        assert log._writer.database is not before
        log.finish(9)
    assert verify(path).records == 53


def test_a02_records_that_reached_the_disk_after_all_are_not_written_twice(path: Path) -> None:
    with opened(path) as log:
        add(log, 5)
        log._writer.write(log._pending)
        log._outage.broken = True
        add(log, 1)
        assert log.commit() == 7
        log._outage.broken = True
        add(log, 1)
        log._writer.write(log._pending)
        assert log.commit() == 8
        log.finish(9)
    assert verify(path).records == 9


def test_a02_other_records_than_ours_after_a_disk_error_stop_the_log(path: Path) -> None:
    with opened(path) as log:
        log._outage.broken = True
        log._durable_head = bytes(32)
        add(log, 1)
        with pytest.raises(ChainError, match="is not what was written before the disk failed"):
            log.commit()


def test_a02_a_reader_that_keeps_the_write_ahead_log_delays_the_next_try(path: Path) -> None:
    with opened(path) as log:
        add(log, 1)
        log.commit()
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM records").fetchone()
        log._outage.broken = True
        add(log, 1)
        log._writer.patience = 0.01
        with pytest.raises(AuditError, match="somebody reads the log"):
            log.commit()
        reader.close()
        assert log.commit() == 3


def test_a06_a_writer_that_got_past_the_lock_is_found_by_the_next_commit(path: Path) -> None:
    with opened(path) as log:
        beside(path, "lock").unlink()
        with opened(path, "intruder"):
            add(log, 1)
            with pytest.raises(AuditError, match="run 'intruder' has written record 2"):
                log.commit()


def emergency_of(path: Path, count: int = 3) -> list[str]:
    """Leave an emergency file behind; return its lines."""
    with opened(path) as log, full_database(log):
        add(log, 20, text="f" * 900)
        add(log, count)
        with pytest.raises(AuditError, match="SQLITE_FULL"):
            log.commit()
    return beside(path, "emergency").read_text().splitlines(keepends=True)


def test_a_torn_last_line_of_the_emergency_file_is_not_taken_in(path: Path) -> None:
    lines = emergency_of(path)
    beside(path, "emergency").write_text("".join(lines)[:-9])
    with opened(path, "second") as log:
        assert log.sequence == 1 + len(lines) - 1 + 1


@pytest.mark.parametrize("damage", ["garbage\n", '[1, 2, 3, "AA=="]\n', "wrong digest"])
def test_a_damaged_emergency_file_refuses_to_begin_unless_put_aside(
    path: Path, damage: str
) -> None:
    lines = emergency_of(path)
    lines[1] = lines[0].replace("[2,", "[3,") if damage == "wrong digest" else damage
    beside(path, "emergency").write_text("".join(lines))
    with pytest.raises(ChainError, match=r"is damaged in .*emergency"):
        opened(path, "second")
    with opened(path, "third", quarantine=True) as log:
        log.finish(5)
    assert beside(path, "emergency.quarantined").exists()
    assert verify(path).records == 3


def test_an_emergency_file_that_the_log_does_not_know_refuses_to_begin(path: Path) -> None:
    emergency_of(path)
    held = beside(path, "emergency").read_bytes()
    beside(path, "emergency").unlink()
    path.unlink()
    with opened(path, "other") as log:
        add(log, 3)
        log.finish(9)
    beside(path, "emergency").write_bytes(held)
    with pytest.raises(ChainError, match=r"record 2: differs from that in .*emergency"):
        opened(path, "another")


def test_records_that_the_log_has_already_are_not_taken_in_again(path: Path) -> None:
    emergency_of(path)
    held = beside(path, "emergency").read_bytes()
    with opened(path, "second"):
        pass
    beside(path, "emergency").write_bytes(held)
    with opened(path, "third") as log:
        assert log.sequence == 26
    assert verify(path).records == 26


def test_alarms_go_to_standard_error(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        AuditLog.open(path, run="x", wall_time=1, settings=LogSettings()) as log,
        full_database(log),
    ):
        add(log, 50, text="f" * 900)
        with pytest.raises(AuditError, match="SQLITE_FULL"):
            log.commit()
    assert capsys.readouterr().err.startswith(f"bot4: {path}: cannot write to the audit log")


def test_i54_secrets_are_blotted_out_of_payloads(path: Path) -> None:
    with opened(path, secrets=("canary", 'qu"ote', "")) as log:
        said = {"error": 'key canary and qu"ote refused', "list": ["xcanaryx"]}
        log.append(AuditKind.REJECT, "venue", ORDER, said, event_time=1, wall_time=1)
        log.finish(2)
    record = next(read_records(path, 2))
    assert json.loads(record.payload) == {
        "error": "key [redacted] and [redacted] refused",
        "list": ["x[redacted]x"],
    }
    assert b"canary" not in path.read_bytes()
    assert verify(path).records == 3
