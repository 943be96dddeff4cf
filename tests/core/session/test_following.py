"""A log is copied into a store: all of it, once, in order, and only what is what it was."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.core.audit.builders import ORDER, add, edit, forge, opened

from bot4_core.audit import read_records
from bot4_core.audit.chain import RecordRow
from bot4_core.audit.database import checked_record
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.errors import AuditError, ChainError, StoreUnreachableError
from bot4_core.plugins.interfaces import PartSettings, Store
from bot4_core.session import following
from bot4_core.session.following import LogFollower

DAY = 86_400_000_000_000


class Shelf(Store):
    """Keeps records in memory, and fails when it is told to."""

    name = "shelf"

    def __init__(self, settings: PartSettings | None = None, address: str = "") -> None:
        self.kept: list[AuditRecord] = []
        self.handed: list[int] = []
        self.fails_before = self.fails_after = False

    def write(self, records: Sequence[AuditRecord]) -> None:
        if self.fails_before:
            raise StoreUnreachableError("gone before it wrote")
        for each in records:
            self.handed.append(each.sequence)
            if each.sequence <= len(self.kept):
                if self.kept[each.sequence - 1] != each:
                    raise ChainError(each.sequence, "another record is kept")
                continue
            assert each.sequence == len(self.kept) + 1
            self.kept.append(each)
        if self.fails_after:
            raise StoreUnreachableError("gone after it wrote")

    def last_sequence(self) -> int:
        return len(self.kept)

    def close(self) -> None:
        return


def drained(follower: LogFollower) -> int:
    """Take steps until there is nothing more; return how many there were."""
    return sum(1 for _ in iter(follower.step, 0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a log of 31 records with checkpoints in it."""
    place = tmp_path / "a.audit"
    with opened(place, checkpoint_records=10) as log:
        for _ in range(3):
            add(log, 9)
            log.commit()
    assert len(list(read_records(place))) == 31
    return place


def test_every_record_is_kept_in_order(path: Path) -> None:
    shelf = Shelf()
    follower = LogFollower(path, shelf, batch=7)
    assert drained(follower) == 5
    assert shelf.kept == list(read_records(path))
    assert shelf.handed == list(range(1, 32))
    assert (follower.sequence, follower.copied) == (31, 31)
    assert follower.head == shelf.kept[-1].digest


def test_what_is_written_later_is_copied_later(path: Path) -> None:
    shelf = Shelf()
    follower = LogFollower(path, shelf)
    drained(follower)
    with opened(path, "second") as log:
        drained(follower)
        add(log, 5)
        assert follower.step() == 0, "what is not durable is not copied"
        log.commit()
        assert follower.step() == 5
    assert len(shelf.kept) == len(shelf.handed) == len(list(read_records(path)))


def test_a_new_follower_begins_with_the_last_record_that_the_store_has(path: Path) -> None:
    shelf = Shelf()
    LogFollower(path, shelf, batch=17).step()
    shelf.handed.clear()
    follower = LogFollower(path, shelf, batch=100)
    drained(follower)
    assert shelf.handed == list(range(17, 32))
    assert follower.copied == 14
    assert shelf.kept == list(read_records(path))


def test_all_segments_are_copied(tmp_path: Path) -> None:
    place, shelf = tmp_path / "a.audit", Shelf()
    follower = LogFollower(place, shelf, batch=4)
    with opened(place) as log:
        for day in range(4):
            log.append(AuditKind.INTENT, "mm", ORDER, {}, event_time=1, wall_time=day * DAY + 1)
            log.commit()
            drained(follower)
    drained(follower)
    assert len(list(tmp_path.glob("a.*audit"))) == 4
    assert shelf.kept == list(read_records(place))
    assert shelf.handed == [each.sequence for each in shelf.kept]
    drained(LogFollower(place, shelf))
    assert shelf.handed[-1] == shelf.handed[-2]


def test_a_quarantined_segment_is_copied_up_to_its_damage(tmp_path: Path) -> None:
    place, shelf = tmp_path / "a.audit", Shelf()
    with opened(place) as log:
        add(log, 30)
        log.commit()
    forge(place, 12)
    opened(place, "second", quarantine=True).close()
    drained(LogFollower(place, shelf, batch=5))
    assert shelf.kept == list(read_records(place))
    assert shelf.kept[12].kind is AuditKind.SEGMENT


def test_a11_an_unreachable_store_costs_nothing(path: Path) -> None:
    shelf = Shelf()
    follower = LogFollower(path, shelf, batch=9)
    follower.step()
    shelf.fails_before = True
    for _ in range(3):
        with pytest.raises(StoreUnreachableError):
            follower.step()
    shelf.fails_before = False
    drained(follower)
    assert shelf.kept == list(read_records(path))
    assert follower.copied == 31


def test_a11_a_lost_acknowledgement_doubles_nothing(path: Path) -> None:
    shelf = Shelf()
    follower = LogFollower(path, shelf, batch=9)
    shelf.fails_after = True
    with pytest.raises(StoreUnreachableError):
        follower.step()
    shelf.fails_after = False
    assert follower.sequence == 0
    drained(follower)
    assert shelf.kept == list(read_records(path))


def test_a11_records_that_the_store_lost_are_copied_again(path: Path) -> None:
    shelf = Shelf()
    follower = LogFollower(path, shelf, batch=9)
    for _ in range(3):
        follower.step()
    shelf.fails_before = True
    with pytest.raises(StoreUnreachableError):
        follower.step()
    shelf.fails_before = False
    del shelf.kept[5:]
    drained(follower)
    assert shelf.kept == list(read_records(path))


@pytest.mark.parametrize("batch", [1, 12, 100])
def test_what_comes_before_a_changed_record_is_copied_and_nothing_after(
    path: Path, batch: int
) -> None:
    edit(path, "UPDATE records SET actor = 'nobody' WHERE sequence = 13")
    shelf = Shelf()
    follower = LogFollower(path, shelf, batch=batch)
    for _ in range(2):
        with pytest.raises(ChainError, match="record 13: content and digest differ"):
            drained(follower)
        assert len(shelf.kept) == 12


def test_a_change_before_the_place_to_go_on_from_is_seen(path: Path) -> None:
    shelf = Shelf()
    LogFollower(path, shelf, batch=19).step()
    edit(path, "UPDATE records SET actor = 'nobody' WHERE sequence = 17")
    with pytest.raises(ChainError, match="record 17"):
        LogFollower(path, shelf).step()


def test_a_rewritten_log_is_not_that_of_the_store(path: Path, tmp_path: Path) -> None:
    shelf = Shelf()
    LogFollower(path, shelf, batch=19).step()
    other = tmp_path / "other.audit"
    with opened(other, "other") as log:
        add(log, 40)
        log.commit()
    with pytest.raises(ChainError, match="record 19: another record is kept"):
        LogFollower(other, shelf).step()
    with pytest.raises(ChainError, match="record 1: another record is kept"):
        LogFollower(other, shelf, recheck=True).step()


def test_all_is_compared_on_request(path: Path) -> None:
    shelf = Shelf()
    drained(LogFollower(path, shelf))
    shelf.handed.clear()
    follower = LogFollower(path, shelf, batch=10, recheck=True)
    drained(follower)
    assert shelf.handed == list(range(1, 32))
    assert follower.copied == 0


@pytest.mark.parametrize("recheck", [False, True])
def test_a_log_that_lost_its_end_is_told_from_one_that_did_not_grow(
    path: Path, recheck: bool
) -> None:
    shelf = Shelf()
    drained(LogFollower(path, shelf))
    edit(path, "DELETE FROM records WHERE sequence > 28")
    with pytest.raises(ChainError, match="record 29: is in the store and not in the log"):
        drained(LogFollower(path, shelf, recheck=recheck))


def test_no_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="there is no such audit log"):
        LogFollower(tmp_path / "none.audit", Shelf()).step()


def test_a_file_that_looks_damaged_once_is_read_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, once = Shelf(), [ChainError(5, "content and digest differ")]

    def checked(row: RecordRow) -> AuditRecord:
        if row[0] == 5 and once:
            raise once.pop()
        return sound(row)

    sound = checked_record
    monkeypatch.setattr(following, "checked_record", checked)
    drained(LogFollower(path, shelf))
    assert shelf.kept == list(read_records(path))
