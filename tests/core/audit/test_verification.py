import sqlite3
from pathlib import Path

import numpy as np
import pytest
from tests.core.audit.builders import add, edit, finished_log, forge, opened

from bot4_core.audit import AuditLog, verify
from bot4_core.audit.database import COLUMNS
from bot4_core.audit.wal import read_wal
from bot4_core.errors import AuditError, ChainError

OTHERS = COLUMNS.removeprefix("sequence, ")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "a.audit"
    finished_log(place)
    return place


def test_an_untouched_log_verifies(tmp_path: Path) -> None:
    place = tmp_path / "a.audit"
    head = finished_log(place)
    report = verify(place)
    assert (report.records, report.runs, report.head) == (23, 1, head.hex())
    assert report.still
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.audit", "a.audit.lock"]


def test_a_log_of_many_pages_and_runs_verifies_with_progress(tmp_path: Path) -> None:
    place = tmp_path / "a.audit"
    for run in ("one", "two"):
        with opened(place, run) as log:
            add(log, 4000, text="z" * 300)
            log.finish(9)
    steps: list[int] = []
    report = verify(place, progress=steps.append)
    assert (report.records, report.runs) == (8006, 2)  # a checkpoint each
    assert steps == list(range(1000, 8001, 1000))


def flipped(content: bytes, offset: int, bit: int) -> bytes:
    changed = bytearray(content)
    changed[offset] ^= 1 << bit
    return bytes(changed)


def assert_every_flip_is_found(path: Path, offsets: list[int], bits: range) -> None:
    content = path.read_bytes()
    for offset in offsets:
        for bit in bits:
            path.write_bytes(flipped(content, offset, bit))
            with pytest.raises(AuditError):
                pytest.fail(f"byte {offset}, bit {bit}: {verify(path)}")
    path.write_bytes(content)
    verify(path)


def test_any_flipped_bit_of_the_head_is_found(path: Path) -> None:
    assert_every_flip_is_found(path, list(range(100)), range(8))


def test_flipped_bits_anywhere_are_found(path: Path) -> None:
    size = path.stat().st_size
    dice = np.random.default_rng(5)
    assert_every_flip_is_found(
        path, sorted(map(int, dice.choice(size, 500, replace=False))), range(3, 4)
    )


def test_flipped_bits_at_the_edges_of_pages_are_found(path: Path) -> None:
    size = path.stat().st_size
    edges = [page + place for page in range(4096, size, 4096) for place in (0, 1, 3, 5, 7, 9, 4095)]
    assert_every_flip_is_found(path, edges, range(0, 8, 3))


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("UPDATE records SET payload = replace(payload, 'y', 'z') WHERE sequence = 5", 5),
        ("UPDATE records SET actor = 'nobody' WHERE sequence = 6", 6),
        ("UPDATE records SET digest = zeroblob(32) WHERE sequence = 6", 6),
        ("UPDATE records SET previous = zeroblob(32) WHERE sequence = 6", 6),
        ("DELETE FROM records WHERE sequence = 9", 9),
        ("DELETE FROM records WHERE sequence BETWEEN 1 AND 4", 1),
        ("UPDATE records SET sequence = -sequence WHERE sequence = 7", 1),
        ("INSERT INTO records SELECT 24, " + OTHERS + " FROM records WHERE sequence = 23", 24),  # noqa: S608  # all of it is constant
    ],
)
def test_an_edited_log_is_found_at_its_first_wrong_record(
    path: Path, statement: str, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the left-overs of an edit show in the pages already; here the chain must find it alone
    monkeypatch.setattr("bot4_core.audit.verification.check_pages", lambda _: "")
    edit(path, statement)
    with pytest.raises(ChainError) as caught:
        verify(path)
    assert caught.value.sequence == first


def test_swapped_records_are_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot4_core.audit.verification.check_pages", lambda _: "")
    edit(
        path,
        "UPDATE records SET sequence = 1000 WHERE sequence = 5",
        "UPDATE records SET sequence = 5 WHERE sequence = 6",
        "UPDATE records SET sequence = 6 WHERE sequence = 1000",
    )
    with pytest.raises(ChainError) as caught:
        verify(path)
    assert caught.value.sequence == 5


def test_an_edit_leaves_traces_in_the_pages(path: Path) -> None:
    edit(path, "UPDATE records SET payload = '{}' WHERE sequence = 5")
    with pytest.raises(AuditError, match=r"page \d+ is damaged: it has free blocks"):
        verify(path)


def test_a_forged_record_is_found_by_the_next_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot4_core.audit.verification.check_pages", lambda _: "")
    forge(path, 5)
    with pytest.raises(ChainError, match="record 6: does not link to the record before it"):
        verify(path)


def test_a_missing_record_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot4_core.audit.verification.check_pages", lambda _: "")
    edit(path, "DELETE FROM records WHERE sequence BETWEEN 7 AND 8")
    with pytest.raises(ChainError, match="record 7: missing; the next record is 9"):
        verify(path)


def test_a_record_that_says_its_number_twice_is_found(path: Path) -> None:
    content = path.read_bytes()
    leaf = max(at for at in range(8192, len(content), 4096) if content[at] == 13)
    cell = leaf + int.from_bytes(content[leaf + 8 : leaf + 10], "big")
    # two bytes of length, one of row number, one of header length, then the first column's type
    assert content[cell + 4] == 0
    path.write_bytes(flipped(content, cell + 4, 3))
    with pytest.raises(AuditError, match="unknown form"):
        verify(path)


def test_a_cut_end_is_found_with_a_head_noted_earlier(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot4_core.audit.verification.check_pages", lambda _: "")
    head = verify(path).head
    assert verify(path, expected_head=head).expected_at == 23
    edit(path, "DELETE FROM records WHERE sequence > 20")
    assert verify(path).records == 20
    with pytest.raises(ChainError, match="the end was cut or rewritten"):
        verify(path, expected_head=head)


def test_a_head_noted_earlier_is_found_in_a_log_that_grew(path: Path) -> None:
    head = verify(path).head
    with opened(path, "second") as log:
        log.finish(5)
    report = verify(path, expected_head=head)
    assert (report.records, report.expected_at) == (25, 23)


def test_a_head_that_is_no_digest_is_refused(path: Path) -> None:
    with pytest.raises(AuditError, match="64 lower-case hexadecimal"):
        verify(path, expected_head="12345")


@pytest.mark.parametrize("length", [0, 50, 4096, 5000, 3 * 4096, -4096, -1])
def test_a_cut_file_is_a_named_error(path: Path, length: int) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:length])
    with pytest.raises(AuditError):
        verify(path)


def test_bytes_after_the_last_page_are_found(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(AuditError, match="4 bytes after the last page"):
        verify(path)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 40])
def test_a_file_that_is_no_log_is_a_named_error(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "x.audit"
    place.write_bytes(content)
    with pytest.raises(AuditError, match="not an audit log"):
        verify(place)


def test_a_missing_log_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="no such audit log"):
        verify(tmp_path / "none.audit")


def test_a_log_that_is_written_to_is_verified_by_its_records(tmp_path: Path) -> None:
    place = tmp_path / "a.audit"
    with opened(place) as log:
        add(log, 5)
        log.commit()
        report = verify(place)
        assert (report.records, report.still) == (6, False)
        log.finish(9)


def crashed(place: Path) -> bytes:
    """Copy a log as a dying process leaves it: everything still in the write-ahead log."""
    live = place.with_name("live.audit")
    with opened(live) as log:
        for _ in range(5):
            add(log, 2, text="w" * 900)
            log.commit()
        wal = live.with_name("live.audit-wal").read_bytes()
        place.with_name(f"{place.name}-wal").write_bytes(wal)
        place.write_bytes(live.read_bytes())
    return wal


def test_a_log_left_by_a_dead_process_verifies_through_its_write_ahead_log(tmp_path: Path) -> None:
    place = tmp_path / "dead.audit"
    crashed(place)
    assert verify(place).records == 11
    with opened(place, "second") as log:
        log.finish(9)
    assert verify(place).records == 13


def test_flipped_bits_of_the_write_ahead_log_are_found(tmp_path: Path) -> None:
    place = tmp_path / "dead.audit"
    wal = crashed(place)
    beside = place.with_name("dead.audit-wal")
    before_the_last_frame = len(wal) - 24 - 4096
    dice = np.random.default_rng(6).integers(32, before_the_last_frame, 60)
    for offset in [*range(32), *map(int, dice)]:
        beside.write_bytes(flipped(wal, offset, 2))
        with pytest.raises(AuditError, match="write-ahead log is damaged"):
            pytest.fail(f"byte {offset}: {verify(place)}")


def test_a_torn_last_frame_ends_the_log_before_it(tmp_path: Path) -> None:
    place = tmp_path / "dead.audit"
    wal = crashed(place)
    beside = place.with_name("dead.audit-wal")
    beside.write_bytes(wal[:-100])
    place.with_name("dead.audit-shm").unlink(missing_ok=True)
    assert verify(place).records == 9


def test_frames_of_an_earlier_round_are_not_read(tmp_path: Path) -> None:
    wal = crashed(tmp_path / "dead.audit")
    beside = tmp_path / "dead.audit-wal"
    images = read_wal(beside)
    older = bytearray(wal[32 : 32 + 24 + 4096])
    older[8:16] = bytes(8)
    beside.write_bytes(wal + older)
    assert read_wal(beside) == images


def test_a_write_ahead_log_without_a_commit_changes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "a.audit"
    finished_log(place)
    wal = crashed(tmp_path / "dead.audit")
    assert read_wal(tmp_path / "none-wal") is None
    beside = place.with_name("a.audit-wal")
    beside.write_bytes(wal[:32])
    assert verify(place).records == 23


def test_a_page_that_points_outside_itself_is_found(path: Path) -> None:
    content = bytearray(path.read_bytes())
    # a leaf (kind 13) whose first cell begins in its last byte
    page = next(at for at in range(8192, len(content), 4096) if content[at] == 13)
    content[page + 8 : page + 10] = (4095).to_bytes(2, "big")
    content[page + 4095] = 0xFF
    path.write_bytes(content)
    with pytest.raises(AuditError, match="points outside itself"):
        verify(path)


def test_overflow_pages_that_lead_in_a_circle_are_found(path: Path) -> None:
    content = bytearray(path.read_bytes())
    # a page without a kind continues a record, and begins with the number of the next one
    page = next(at for at in range(8192, len(content), 4096) if content[at + 3] and not content[at])
    content[page : page + 4] = (page // 4096 + 1).to_bytes(4, "big")
    path.write_bytes(content)
    with pytest.raises(AuditError, match="which cannot be"):
        verify(path)


def test_a_record_that_is_longer_or_shorter_than_its_cell_is_found(path: Path) -> None:
    content = path.read_bytes()
    for page in range(0, len(content), 4096):
        head = page + (100 if page == 0 else 0)
        if content[head] != 13:
            continue
        for place in range(int.from_bytes(content[head + 3 : head + 5], "big")):
            at = head + 8 + 2 * place
            cell = page + int.from_bytes(content[at : at + 2], "big")
            for offset in (cell, cell + 1):  # the length, then the row number or more of it
                path.write_bytes(flipped(content, offset, 0))
                with pytest.raises(AuditError):
                    pytest.fail(f"byte {offset}: {verify(path)}")


@pytest.mark.parametrize(("place", "fault"), [(4095, "is not empty"), (3, "after its end")])
def test_what_stands_behind_a_record_on_its_last_overflow_page_is_found(
    tmp_path: Path, place: int, fault: str
) -> None:
    path = tmp_path / "long.audit"
    finished_log(path, (8300,))
    content = path.read_bytes()
    last = next(at for at in range(8192, len(content), 4096) if not any(content[at : at + 4]))
    assert content[last + 4095] == 0
    path.write_bytes(flipped(content, last + place, 0))
    with pytest.raises(AuditError, match=fault):
        verify(path)


def test_any_flipped_bit_of_the_schemas_row_heads_is_found(path: Path) -> None:
    content = path.read_bytes()
    cells = [int.from_bytes(content[at : at + 2], "big") for at in range(108, 116, 2)]
    assert_every_flip_is_found(
        path, [cell + place for cell in cells for place in range(11)], range(4)
    )


def test_a_schema_that_is_no_text_is_found(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"wall_time INTEGER", b"wall_time INTE\xff\xff\xff"))
    with pytest.raises(AuditError, match="holds no text"):
        verify(path)


def test_the_page_that_sqlite_never_uses_is_not_asked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = path.read_bytes()
    leaf = max(at for at in range(8192, len(content), 4096) if content[at] == 13)
    path.write_bytes(flipped(content, leaf + 100, 0))
    with pytest.raises(AuditError):
        verify(path)
    monkeypatch.setattr("bot4_core.audit.pages._LOCK_BYTE", leaf)
    verify(path)


def test_a_read_only_folder_can_be_verified(path: Path) -> None:
    other = path.with_name("copy.audit")
    other.write_bytes(path.read_bytes())
    before = sorted(path.parent.iterdir())
    assert verify(other).records == 23
    assert sorted(path.parent.iterdir()) == before


def test_a_changed_schema_is_a_named_error(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE INDEX more ON records (actor)")
    database.close()
    with pytest.raises(AuditError):
        verify(path)
    with pytest.raises(AuditError, match="schema was changed"):
        AuditLog.open(path, run="x", wall_time=1)
