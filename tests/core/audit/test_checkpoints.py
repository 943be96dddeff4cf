"""Checkpoints: signed, kept elsewhere, and what they find (I53)."""

import json
import pickle
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from tests.core.audit.builders import add, edit, finished_log, opened

from bot4_core.audit import (
    Checkpoint,
    CheckpointFile,
    CheckpointKey,
    CheckpointLines,
    read_checkpoints,
    read_records,
    verify,
)
from bot4_core.audit.chain import GENESIS, row_digest
from bot4_core.audit.chain_walk import ChainEnd, follow, from_anchor, tree_payload
from bot4_core.audit.database import create_file
from bot4_core.audit.merkle import MerkleTree, leaf_hash
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import AuditError, ChainError

KEY = CheckpointKey(b"sixteen bytes or more")
SECOND = 1_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.audit"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere.txt"


def root_of(path: Path, size: int) -> bytes:
    tree = MerkleTree()
    for record, _ in zip(read_records(path), range(size), strict=False):
        tree.add(leaf_hash(record.digest))
    return tree.root()


def kept(path: Path, notes: Path, rounds: int = 5) -> list[Checkpoint]:
    """Write a log with a checkpoint every ten records; return these."""
    with opened(path, places=(CheckpointFile(notes, KEY),), checkpoint_records=10) as log:
        for _ in range(rounds):
            add(log, 9)
            log.commit()
        log.finish(99)
    return read_checkpoints(notes, KEY)


def test_a_checkpoint_tells_the_tree_over_all_records_before_it(path: Path, notes: Path) -> None:
    found = kept(path, notes)
    assert [each.size for each in found] == [10, 20, 30, 40, 50, 52]
    assert [each.root for each in found] == [root_of(path, each.size) for each in found]
    assert {each.origin for each in found} == {"a.audit@1"}
    report = verify(path, checkpoints=found)
    assert (report.checkpoints, report.root) == (6, found[-1].root.hex())


def test_time_makes_checkpoints_as_well(path: Path, notes: Path) -> None:
    with opened(path, places=(CheckpointFile(notes),)) as log:
        for second in (4, 9, 12, 15, 23):
            log.append(AuditKind.ACK, "x", "", {}, event_time=0, wall_time=second * SECOND)
            log.commit()
        log.finish(24 * SECOND)
    assert [each.time // SECOND for each in read_checkpoints(notes)] == [12, 23, 24]


def test_a_later_run_goes_on_with_the_same_tree(path: Path, notes: Path) -> None:
    kept(path, notes)
    with opened(path, "second", places=(CheckpointFile(notes, KEY),)) as log:
        log.finish(100)
    found = read_checkpoints(notes, KEY)
    assert found[-1].size == verify(path, checkpoints=found).records
    assert found[-1].origin == found[0].origin


def test_a_checkpoint_is_told_of_after_its_records_are_durable(path: Path, notes: Path) -> None:
    with opened(path, places=(CheckpointFile(notes),), checkpoint_records=10) as log:
        pages = log._writer.database.execute("PRAGMA page_count").fetchone()[0]
        log._writer.database.execute(f"PRAGMA max_page_count = {pages + 1}")
        add(log, 50, text="f" * 900)
        with pytest.raises(AuditError, match="SQLITE_FULL"):
            log.commit()
        assert not notes.exists()
        log._writer.database.execute("PRAGMA max_page_count = 100000")
        log.commit()
        assert read_checkpoints(notes)[0].size == 51


def test_a_place_that_takes_no_checkpoints_stops_nothing_but_is_told(path: Path) -> None:
    alarms: list[str] = []
    place = CheckpointFile(path.with_name("none") / "notes.txt")
    with opened(path, places=(place,), checkpoint_records=1, alarm=alarms.append) as log:
        add(log, 1)
        log.commit()
        log.finish(9)
        assert log.unpublished == 4
    assert len(alarms) == 1
    assert "a checkpoint of" in alarms[0]
    assert verify(path).records == 6


def test_lines_are_read_from_any_log_of_a_program(
    path: Path, notes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(path, places=(CheckpointLines(KEY), CheckpointLines())) as log:
        add(log, 2)
        log.finish(9)
    signed, plain = capsys.readouterr().err.splitlines()
    notes.write_text(f"2026-11-23 pod-1 info {signed}\nother things\n")
    found = read_checkpoints(notes, KEY)
    assert verify(path, checkpoints=found).records == 4
    notes.write_text(plain)
    assert read_checkpoints(notes) == found
    with pytest.raises(AuditError, match="line 1 is not signed"):
        read_checkpoints(notes, KEY)


def test_a_note_has_the_form_of_a_signed_note(path: Path, notes: Path) -> None:
    kept(path, notes, 1)
    origin, size, root, time, blank, signature, end, _ = notes.read_text().split("\n", 7)
    assert (origin, size, time, blank, end) == ("a.audit@1", "10", "time 9", "", "")
    assert len(root) == 44
    assert signature.startswith("— bot4-hmac-sha256 ")


@pytest.mark.parametrize("change", [("\n10\n", "\n18\n"), ("time 9", "time 8"), ("a.audit", "b")])
def test_a_changed_note_is_not_signed(path: Path, notes: Path, change: tuple[str, str]) -> None:
    kept(path, notes)
    notes.write_text(notes.read_text().replace(*change, 1))
    with pytest.raises(AuditError, match="the checkpoint at line 1 is not signed with this key"):
        read_checkpoints(notes, KEY)
    with pytest.raises(AuditError, match="not signed with this key"):
        read_checkpoints(notes, CheckpointKey(b"another key of bytes"))
    assert len(read_checkpoints(notes)) == 6


def test_a_note_without_a_signature_is_refused_where_one_is_wanted(path: Path, notes: Path) -> None:
    with opened(path, places=(CheckpointFile(notes),)) as log:
        log.finish(9)
    assert read_checkpoints(notes)[0].size == 2
    with pytest.raises(AuditError, match="the checkpoint at line 1 is not signed"):
        read_checkpoints(notes, KEY)


def test_a_note_cut_short_by_a_crash_does_not_count(path: Path, notes: Path) -> None:
    kept(path, notes)
    text = notes.read_text()
    last = text.index("\n\n", text.index("\n\n", text.index("\n\n") + 2) + 2)
    notes.write_text(text[: text.index("time", last)] + "time 9")
    assert len(read_checkpoints(notes, KEY)) == 2


@pytest.mark.parametrize("size", ["x", "-"])
def test_a_damaged_note_is_named(path: Path, notes: Path, size: str) -> None:
    kept(path, notes)
    notes.write_text(notes.read_text().replace("\n20\n", f"\n{size}\n"))
    with pytest.raises(AuditError, match="the checkpoint near line 11 is damaged"):
        read_checkpoints(notes)


def test_a_file_without_checkpoints_is_named(notes: Path) -> None:
    with pytest.raises(AuditError, match="cannot read the checkpoints"):
        read_checkpoints(notes)
    notes.write_text("time flies\n")
    with pytest.raises(AuditError, match="holds no checkpoint; check the path"):
        read_checkpoints(notes)


def test_a_key_is_read_from_its_file_and_shows_itself_nowhere(tmp_path: Path) -> None:
    place = tmp_path / "key"
    with pytest.raises(AuditError, match="cannot read the checkpoint key: No such file"):
        CheckpointKey.read(place)
    place.write_text("short\n")
    with pytest.raises(AuditError, match="key: a checkpoint key of 5 bytes is too short; give 16"):
        CheckpointKey.read(place)
    place.write_text("sixteen bytes or more\n")
    key = CheckpointKey.read(place)
    assert key.mark == KEY.mark
    assert "sixteen" not in repr(key)
    with pytest.raises(TypeError, match="stays where it is"):
        pickle.dumps(key)


def test_checkpoints_of_other_logs_do_not_count_but_one_must_be_ours(
    path: Path, notes: Path
) -> None:
    found = kept(path, notes)
    other = attrs.evolve(found[0], origin="other", root=bytes(32))
    verify(path, checkpoints=[other, *found])
    with pytest.raises(ChainError, match=r"it is 'a\.audit@1', and the checkpoints are of other"):
        verify(path, checkpoints=[other])
    with pytest.raises(ChainError, match="two checkpoints of 10 records contradict"):
        verify(path, checkpoints=[*found, attrs.evolve(found[0], root=bytes(32))])


def rest_of(record: AuditRecord) -> list[Any]:
    return [record.actor, record.correlation, record.payload]


def resealed(path: Path, change: Callable[[list[Any]], list[Any]]) -> None:
    """Rewrite a log as its owner can: new content, every digest and every tree made to fit."""
    rows = [
        [*(each.wall_time, each.event_time, each.run, each.kind), *rest_of(each)]
        for each in read_records(path)
    ]
    path.unlink()
    end = ChainEnd()
    made: list[Any] = []
    for wall, event, run, kind, actor, correlation, payload in change(rows):
        body = payload
        if b'"tree":' in payload:
            said = json.loads(payload) | tree_payload(end)
            body = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        texts = [each.encode() for each in (run, kind, actor, correlation)]
        row: Any = (end.sequence + 1, wall, event, *texts, body, end.head)
        row = (*row, row_digest((*row, b"")))
        made += follow([row], end)
    create_file(path, *made)


def test_i53_a_history_rewritten_with_a_rebuilt_chain_is_found_by_checkpoints(
    path: Path, notes: Path
) -> None:
    found = kept(path, notes)

    def lie(rows: list[Any]) -> list[Any]:
        rows[4][6] = rows[4][6].replace(b'"place":3', b'"place":9')
        return rows

    resealed(path, lambda rows: rows)
    assert verify(path, checkpoints=found).records == 52
    resealed(path, lie)
    assert verify(path).records == 52, "the chain alone cannot tell"
    with pytest.raises(ChainError, match="record 10: the 10 records up to here are not those"):
        verify(path, checkpoints=found)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda rows: rows[:30], "record 31: missing; there is a checkpoint of 52 records"),
        (lambda rows: rows[:19], "record 20: missing"),
        (lambda rows: rows[:4] + rows[5:], "record 10: the 10 records up to here"),
        (lambda rows: [*rows[:25], rows[26], rows[25], *rows[27:]], "record 30"),
        (lambda rows: [*rows[:25], rows[25], *rows[25:]], "record 30"),
        (lambda rows: [rows[1], *rows], "it is '', and the checkpoints"),
    ],
)
def test_i53_what_was_cut_removed_swapped_or_repeated_in_a_rebuilt_chain_is_found(
    path: Path, notes: Path, change: Callable[[list[Any]], list[Any]], fault: str
) -> None:
    found = kept(path, notes)
    resealed(path, change)
    verify(path)
    with pytest.raises(ChainError, match=fault):
        verify(path, checkpoints=found)


def test_i53_any_changed_byte_is_found(path: Path, notes: Path) -> None:
    found = kept(path, notes)
    content = path.read_bytes()
    for offset in range(50, len(content), 997):
        changed = bytearray(content)
        changed[offset] ^= 0x20
        path.write_bytes(changed)
        with pytest.raises(AuditError):
            pytest.fail(f"byte {offset}: {verify(path, checkpoints=found)}")


def test_i53_an_edit_without_care_is_found_without_checkpoints(path: Path) -> None:
    finished_log(path)
    clean = path.with_name("clean")
    shutil.copy(path, clean)
    for statement in (
        "UPDATE records SET payload = replace(payload, 'y', 'z') WHERE sequence = 5",
        "DELETE FROM records WHERE sequence = 9",
        "UPDATE records SET sequence = 100 WHERE sequence = 5",
    ):
        shutil.copy(clean, path)
        edit(path, statement)
        with pytest.raises(AuditError):
            verify(path)


def test_a_record_that_tells_of_another_tree_is_found(path: Path) -> None:
    rows = list(read_rows(path))
    tree = rows[0][7].replace(b'"size":0', b'"size":1')
    row: Any = (*rows[0][:7], tree, GENESIS)
    row = (*row, row_digest((*row, b"")))
    with pytest.raises(ChainError, match="record 1: tells of another tree"):
        list(follow([row], ChainEnd()))


def test_a_tree_that_cannot_be_is_found(path: Path) -> None:
    row = read_rows(path)[0]
    wrong = row[7].replace(b'"size":0', b'"size":3')
    with pytest.raises(ChainError, match="record 2: tells of a tree that cannot be: a tree of 3"):
        from_anchor((2, *row[1:7], wrong, *row[8:]))


def read_rows(path: Path) -> list[Any]:
    with opened(path):
        pass
    database = sqlite3.connect(path)
    database.text_factory = bytes
    rows = database.execute("SELECT * FROM records").fetchall()
    database.close()
    return rows


def test_a_log_of_before_there_were_trees_goes_on(path: Path) -> None:
    """Its starts tell of no tree, so that all of it is read."""
    kept_rows = read_rows(path)[0]
    said = json.loads(kept_rows[7])
    for name in ("tree", "start", "origin", "emergency"):
        del said[name]
    body = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    row: Any = (*kept_rows[:7], body, GENESIS)
    path.unlink()
    create_file(path, (*row, row_digest((*row, b""))))
    with opened(path, "next", 7) as log:
        log.finish(9)
    assert verify(path).records == 3
    checkpoint = Checkpoint(origin="", size=3, root=root_of(path, 3), time=Nanoseconds(0))
    assert verify(path, checkpoints=[checkpoint]).checkpoints == 1
