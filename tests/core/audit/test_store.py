import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.core.audit.builders import ORDER, add, edit, finished_log, opened

from bot4_core.audit import AuditDurability, AuditLog, read_records, verify
from bot4_core.audit.chain_walk import ChainEnd
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.errors import AuditError, ChainError, StorageError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.audit"


def payload_of(path: Path, sequence: int) -> dict[str, Any]:
    found = next(record for record in read_records(path, sequence))
    payload: dict[str, Any] = json.loads(found.payload)
    return payload


def test_appended_records_are_chained_and_durable_after_the_commit(path: Path) -> None:
    with opened(path) as log:
        first = log.append(AuditKind.SEND, "x", ORDER, {"a": 1}, event_time=2, wall_time=3)
        second = log.append(AuditKind.ACK, "x", ORDER, {}, event_time=2, wall_time=3)
        assert (first.sequence, second.sequence, second.previous) == (2, 3, first.digest)
        assert (log.pending, log.committed, log.head) == (2, 1, second.digest)
        assert log.commit() == 3
        assert (log.pending, log.commit()) == (0, 3)
    assert list(read_records(path))[1:] == [first, second]


def test_records_without_a_commit_are_not_there(path: Path) -> None:
    with opened(path) as log:
        add(log, 3)
    assert len(list(read_records(path))) == 1


def test_a_run_is_linked_to_the_one_before_and_says_how_that_ended(path: Path) -> None:
    with AuditLog.open(path, run="a", wall_time=1, facts={"seed": 7}) as log:
        log.finish(2, facts={"orders": 0})
    with opened(path, "b") as log:
        add(log, 1)
        log.commit()
        head = log.head
    with opened(path, "c"):
        pass
    assert payload_of(path, 1)["previous"] == {"ended": "none"}
    assert payload_of(path, 1)["facts"] == {"seed": 7}
    assert payload_of(path, 3)["previous"]["ended"] == "clean"
    previous = payload_of(path, 5)["previous"]
    assert previous == {"ended": "crashed", "run": "b", "start": 3, "head": head.hex()}
    assert verify(path).runs == 3


def test_the_name_of_a_run_cannot_be_used_twice(path: Path) -> None:
    for run in ("a", "b", "c"):
        with opened(path, run) as log:
            log.finish(2)
    with pytest.raises(AuditError, match="run 'a' is already in this log \\(record 1\\)"):
        opened(path, "a")
    with opened(path, "d"):
        pass


@pytest.mark.parametrize("durable", list(AuditDurability))
def test_the_durability_is_labelled_and_set(path: Path, durable: AuditDurability) -> None:
    with AuditLog.open(path, run="a", wall_time=1, durable=durable.value) as log:
        level = log._writer.database.execute("PRAGMA synchronous").fetchone()[0]
        assert level == (2 if durable is AuditDurability.FULL else 1)
    assert payload_of(path, 1)["durable"] == durable.value


def test_sqlite_itself_refuses_to_change_records(path: Path) -> None:
    finished_log(path)
    database = sqlite3.connect(path)
    for statement in (
        "DELETE FROM records",
        "UPDATE records SET actor = 'x'",
        "REPLACE INTO records SELECT * FROM records WHERE sequence = 3",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(statement)
    database.close()


def test_a_second_writer_is_refused_and_told_who_is_first(path: Path) -> None:
    with opened(path), pytest.raises(AuditError, match=f"another process \\(id {os.getpid()}\\)"):
        opened(path, "second")
    with opened(path, "third"):
        pass


def test_a_closed_log_takes_nothing_more(path: Path) -> None:
    log = opened(path)
    log.finish(2)
    log.close()
    with pytest.raises(AuditError, match="closed"):
        add(log, 1)
    with pytest.raises(AuditError, match="closed"):
        log.commit()


def test_a_damaged_end_refuses_to_open(path: Path) -> None:
    finished_log(path)
    edit(path, "UPDATE records SET actor = 'nobody' WHERE sequence = 20")
    with pytest.raises(ChainError, match="record 20"):
        opened(path, "second")


def test_a_missing_record_near_the_end_refuses_to_open(path: Path) -> None:
    finished_log(path)
    edit(path, "DELETE FROM records WHERE sequence = 20")
    with pytest.raises(ChainError, match="record 20: missing; the next record is 21"):
        opened(path, "second")


def test_a_log_that_begins_in_the_middle_of_another_refuses_to_open(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot4_core.audit.recovery.ChainEnd", lambda: ChainEnd(head=b"\1" * 32))
    with opened(path):
        pass
    monkeypatch.undo()
    with pytest.raises(ChainError, match="record 1: does not link"):
        opened(path, "second")


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0" + bytes(200)])
def test_a_file_that_is_no_log_refuses_to_open(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(AuditError, match=r"a\.audit"):
        opened(path)
    assert path.read_bytes() == content


def test_an_empty_file_is_not_taken_for_a_log(path: Path) -> None:
    path.touch()
    with pytest.raises(AuditError, match="not an audit log"):
        opened(path)


def test_a_missing_folder_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=r"none/a\.audit: cannot open .* make the folder exist"):
        opened(tmp_path / "none" / "a.audit")


def test_errors_of_the_log_are_storage_errors(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        opened(tmp_path)


def test_records_do_not_pile_up_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot4_core.audit.store._MOST_PENDING", 3)
    with opened(path) as log:
        add(log, 3)
        with pytest.raises(AuditError, match="3 records wait to be written"):
            add(log, 1)


def test_a_log_that_cannot_begin_its_run_lets_go_of_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot4_core.audit.segment_file.INSERT", "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(AuditError, match="cannot write to the audit log: no such table"):
        opened(path)
    monkeypatch.undo()
    with opened(path):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to become another user")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_read_only_folder_is_named_with_its_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os.setuid(65534)
        try:
            opened(tmp_path / "a.audit")
        except AuditError as error:
            os._exit(0 if "Permission denied; make the folder" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


WRITER = """
import sys
from bot4_core.audit import AuditLog
from bot4_core.domain_types.audit_records import AuditKind
path, run, durable, group = sys.argv[1:]
log = AuditLog.open(path, run=run, wall_time=1, durable=durable)
print(log.committed, log.head.hex(), flush=True)
while True:
    for place in range(int(group)):
        log.append(AuditKind.INTENT, "mm", "id", {"t": "k" * 300}, event_time=1, wall_time=1)
    log.commit()
    print(log.committed, log.head.hex(), flush=True)
"""


def killed_after(lines: int, *arguments: str) -> list[str]:
    """Run a writer, kill it without warning, return all that it acknowledged."""
    command = [sys.executable, "-c", WRITER, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        seen = [writer.stdout.readline() for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        return [*seen, *writer.stdout.readlines()]


@pytest.mark.parametrize(("durable", "group"), [("full", "1"), ("normal", "7")])
def test_a_killed_writer_loses_nothing_that_it_acknowledged(
    path: Path, durable: str, group: str
) -> None:
    dice = np.random.default_rng(8)
    for turn in range(3):
        lines = killed_after(int(dice.integers(2, 90)), str(path), f"run {turn}", durable, group)
        whole = [line for line in lines if line.endswith("\n")]
        number, head = whole[-1].split()
        report = verify(path, expected_head=head)
        assert report.expected_at == int(number)
    with opened(path, "last") as log:
        log.finish(9)
    assert verify(path).runs == 4
