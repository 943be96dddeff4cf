"""Logs of several files: one chain through all of them, damaged ones put aside (A05, A10)."""

import json
import sqlite3
from pathlib import Path

import pytest
from tests.core.audit.builders import ORDER, OTHER, add, edit, finished_log, opened

from bot4_core.audit import AuditLog, AuditQuery, read_records, search, verify, why
from bot4_core.audit.canonical import Payload
from bot4_core.audit.segments import Segment, find_segments, segment_path
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.errors import AuditError, ChainError

DAY = 86_400_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.sqlite"


def names(path: Path) -> list[str]:
    return [each.path.name for each in find_segments(path)]


def three_segments(path: Path) -> Path:
    """Write 3 runs on 3 days: records 1-5, 6-11 and 12-17."""
    for day in range(3):
        with opened(path, f"run {day}", 1 + day * DAY) as log:
            add(log, 2)
            fill(log, day)
            log.finish(3 + day * DAY)
    return path


def fill(log: AuditLog, day: int) -> None:
    payload: Payload = {"day": day}
    log.append(AuditKind.FILL, "venue", OTHER, payload, event_time=day, wall_time=2 + day * DAY)


def test_a_new_day_begins_a_new_file_in_the_same_chain(path: Path) -> None:
    three_segments(path)
    assert names(path) == ["a.sqlite", "a.0002.sqlite", "a.0003.sqlite"]
    report = verify(path)
    assert (report.records, report.runs, report.segments) == (17, 3, 3)
    records = list(read_records(path))
    assert [each.sequence for each in records] == list(range(1, 18))
    assert json.loads(records[5].payload)["previous"] == {"file": "a.sqlite"}
    assert [each.sequence for each in why(path, OTHER)] == [4, 10, 16]
    assert [each.sequence for each in search(path, AuditQuery(first=9, limit=3))] == [9, 10, 11]


def test_a10_a_segment_that_is_large_enough_is_followed_by_another(path: Path) -> None:
    with opened(path, segment_bytes=40_000) as log:
        for _ in range(6):
            add(log, 20, text="s" * 900)
            log.commit()
        log.finish(9)
        assert log.committed == log.sequence
    assert len(names(path)) == 4
    report = verify(path)
    assert report.records == 1 + 120 + 3 + 1
    with opened(path, "second") as log:
        log.finish(9)
    assert verify(path).runs == 2


def test_a_day_that_begins_within_a_run_begins_a_segment_at_the_next_commit(path: Path) -> None:
    with opened(path) as log:
        add(log, 2)
        log.commit()
        fill(log, 1)
        log.commit()
        add(log, 2)
        log.finish(2 * DAY)
    assert names(path) == ["a.sqlite", "a.0002.sqlite", "a.0003.sqlite"]
    assert verify(path).segments == 3


def test_a_segment_that_cannot_be_begun_leaves_the_run_in_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    alarms: list[str] = []
    with opened(path, segment_bytes=1, alarm=alarms.append) as log:
        assert names(path) == ["a.sqlite", "a.0002.sqlite"]
        with monkeypatch.context() as patch:
            patch.setattr("bot4_core.audit.store.create_file", refuse)
            add(log, 1)
            log.commit()
        assert "cannot begin another segment" in alarms[0]
        assert len(names(path)) == 2
        log.finish(9)
    assert verify(path).records == 5


def test_a_run_begins_in_the_segment_that_a_dead_one_left(path: Path) -> None:
    three_segments(path)
    with opened(path, "a fourth", 2 * DAY + 5) as log:
        log.finish(2 * DAY + 6)
    assert verify(path).segments == 3
    with pytest.raises(AuditError, match=r"run 'run 0' is already in this log \(record 1\)"):
        opened(path, "run 0", 2 * DAY + 9)


def test_a_missing_segment_is_named(path: Path) -> None:
    three_segments(path)
    segment_path(path, 2).unlink()
    with pytest.raises(AuditError, match=r"a\.0002\.sqlite: this segment .* is missing; restore"):
        verify(path)


def test_a_segment_is_no_log_of_its_own(path: Path) -> None:
    three_segments(path)
    with pytest.raises(AuditError, match=r"is a segment of the log .*a\.sqlite; name that"):
        verify(segment_path(path, 2))
    lone = path.with_name("b.0002.sqlite")
    lone.write_bytes(segment_path(path, 2).read_bytes())
    with pytest.raises(ChainError, match="record 1: missing; the next record is 6"):
        verify(lone)


def test_an_emptied_segment_breaks_the_chain(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot4_core.audit.verification.check_pages", lambda _: "")
    three_segments(path)
    edit(segment_path(path, 2), "DELETE FROM records")
    with pytest.raises(ChainError, match="record 6: missing"):
        verify(path)


def test_a_cut_segment_breaks_the_chain(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot4_core.audit.verification.check_pages", lambda _: "")
    three_segments(path)
    edit(segment_path(path, 2), "DELETE FROM records WHERE sequence > 9")
    with pytest.raises(ChainError, match="record 10: missing; the next record is 12"):
        verify(path)


def test_a05_a_damaged_segment_is_refused_unless_it_is_put_aside(path: Path) -> None:
    finished_log(path)
    edit(path, "UPDATE records SET actor = 'nobody' WHERE sequence = 20")
    with pytest.raises(ChainError, match=r"record 20: content and digest differ, so .* was"):
        opened(path, "second")
    with opened(path, "third", quarantine=True) as log:
        assert log.sequence == 21
        log.finish(9)
    assert names(path) == ["a.sqlite.quarantined", "a.0002.sqlite"]
    report = verify(path)
    assert (report.records, report.quarantined) == (22, ("a.sqlite.quarantined",))
    link, start, _ = read_records(path, 20)
    assert json.loads(start.payload)["previous"]["ended"] == "quarantined"
    said = json.loads(link.payload)["previous"]
    assert said["file"] == "a.sqlite.quarantined"
    assert "content and digest differ" in said["fault"]
    assert len(why(path, ORDER)) == 18
    with opened(path, "fourth") as log:
        log.finish(9)
    assert verify(path).records == 24


def test_a05_a_file_that_cannot_be_read_at_all_is_put_aside(path: Path) -> None:
    three_segments(path)
    newest = segment_path(path, 3)
    newest.write_bytes(b"nothing of a database" * 300)
    with pytest.raises(AuditError, match="SQLITE_NOTADB"):
        opened(path, "refused")
    with opened(path, "next", quarantine=True) as log:
        log.finish(9)
    assert names(path)[2:] == ["a.0003.sqlite.quarantined", "a.0004.sqlite"]
    assert [each.sequence for each in read_records(path)] == list(range(1, 15))
    report = verify(path)
    assert (report.records, report.segments) == (14, 3)
    with opened(path, "run 9") as log:
        log.finish(9)
    edit(segment_path(path, 4), "UPDATE records SET actor = 'nobody' WHERE sequence = 16")
    with opened(path, "last", quarantine=True) as log:
        log.finish(9)
    assert verify(path).records == 15 + 3


def test_a05_damage_that_sqlite_finds_is_put_aside_with_all_records_before(path: Path) -> None:
    finished_log(path, (3000,) * 12)
    content = bytearray(path.read_bytes())
    leaf = max(at for at in range(8192, len(content), 4096) if content[at] == 13)
    content[leaf + 3 : leaf + 5] = (3000).to_bytes(2, "big")
    path.write_bytes(content)
    with pytest.raises(AuditError, match="SQLITE_CORRUPT"):
        opened(path, "refused")
    with opened(path, "next", quarantine=True) as log:
        assert log.sequence > 20
        log.finish(9)
    assert verify(path).quarantined


def test_a05_a_write_ahead_log_goes_with_its_segment(path: Path) -> None:
    live = path.with_name("live.sqlite")
    with opened(live) as log:
        add(log, 9)
        log.commit()
        path.write_bytes(live.read_bytes())
        path.with_name("a.sqlite-wal").write_bytes(live.with_name("live.sqlite-wal").read_bytes())
    edit(path, "UPDATE records SET actor = 'nobody' WHERE sequence = 9")
    path.with_name("a.sqlite-wal").write_bytes(b"")
    with opened(path, "next", quarantine=True) as log:
        log.finish(9)
    assert verify(path).records == 8 + 3


def test_a_quarantined_file_that_was_changed_since_is_found(path: Path) -> None:
    finished_log(path)
    edit(path, "UPDATE records SET actor = 'nobody' WHERE sequence = 20")
    with opened(path, "third", quarantine=True) as log:
        log.finish(9)
    aside = path.with_name("a.sqlite.quarantined")
    edit(aside, "UPDATE records SET actor = 'no one' WHERE sequence = 20")
    with pytest.raises(AuditError, match="this quarantined segment was changed since"):
        verify(path)


def test_a_writer_that_died_while_putting_aside_is_followed_up(path: Path) -> None:
    three_segments(path)
    Segment(segment_path(path, 3), 3).put_aside()
    with opened(path, "next", 2 * DAY + 9) as log:
        log.finish(2 * DAY + 10)
    assert names(path)[2:] == ["a.0003.sqlite.quarantined", "a.0004.sqlite"]
    assert verify(path).records == 20


def test_damage_before_the_newest_segment_does_not_begin_a_quarantine(path: Path) -> None:
    three_segments(path)
    edit(segment_path(path, 1), "UPDATE records SET actor = 'nobody' WHERE sequence = 3")
    edit(segment_path(path, 3), "UPDATE records SET actor = 'nobody' WHERE sequence = 15")
    with pytest.raises(ChainError, match="record 3: content and digest differ"):
        opened(path, "next", 2 * DAY + 9, quarantine=True)
    assert len(names(path)) == 3


def test_a_log_of_another_program_is_not_put_aside(path: Path) -> None:
    path.touch()
    with pytest.raises(AuditError, match="not an audit log"):
        opened(path, quarantine=True)
    assert path.exists()


def test_there_is_no_log_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert find_segments(tmp_path / "none" / "a.sqlite") == []


def test_a_run_begins_although_the_start_of_an_old_one_is_gone(path: Path) -> None:
    for run in ("a", "b", "c"):
        with opened(path, run) as log:
            log.finish(2)
    edit(path, "DELETE FROM records WHERE sequence = 3")
    with opened(path, "a") as log:
        assert log.sequence == 7


def test_a_disk_error_is_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Segment) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    finished_log(path)
    monkeypatch.setattr("bot4_core.audit.recovery._end_of", fail)
    with pytest.raises(AuditError, match="disk I/O error"):
        opened(path, "next", quarantine=True)
    assert names(path) == ["a.sqlite"]
