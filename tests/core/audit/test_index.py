"""The index beside a log: the same answers as reading, whatever becomes of it (A08, I55)."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.audit.builders import ORDER, OTHER, add, edit, opened

from bot4_core.audit import AuditLog, read_records, search_text, why
from bot4_core.audit import text_search as searching
from bot4_core.audit.index_file import INDEX_PARTS, RecordIndex, index_path
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.errors import AuditError, ChainError

WORDS = ("alpha", "beta", "ALPHA", "post-only", "0.0012", "café", "al", 'qu"o', "x y", "\n", "Ωm")
ASKED = (*WORDS, "ven*", "caf*", "post-o*", "text", "ack")
STEPS = {"orders": 7, "words": 5, "tree": 2048}
DAY = 86_400_000_000_000


@pytest.fixture(autouse=True)
def every_log_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SMALL_LOG", 0)
    monkeypatch.setattr("bot4_core.audit.index_file._STEPS", STEPS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.audit"


def say(log: AuditLog, text: str, order: str = ORDER) -> None:
    log.append(AuditKind.ACK, "venue", order, {"text": text}, event_time=1, wall_time=1)


def numbers(path: Path, text: str, limit: int = 0, *, indexed: bool = True) -> list[int]:
    found = search_text(path, text, limit=limit, indexed=indexed)
    return [record.sequence for record in found]


@given(
    said=st.lists(st.lists(st.sampled_from(WORDS), max_size=4), max_size=12),
    asked=st.lists(st.sampled_from(ASKED), min_size=1, max_size=3),
    limit=st.integers(0, 4),
    late=st.integers(0, 3),
)
def test_i55_the_index_finds_what_reading_finds(
    tmp_path_factory: pytest.TempPathFactory,
    said: list[list[str]],
    asked: list[str],
    limit: int,
    late: int,
) -> None:
    path = tmp_path_factory.mktemp("logs") / "a.audit"
    query = " ".join(asked)
    with opened(path) as log:
        for words in said:
            say(log, " ".join(words))
        log.commit()
        if not query.strip():
            return
        numbers(path, query)
        for words in said[:late]:
            say(log, " ".join(words))
        log.commit()
        found = numbers(path, query, limit)
        assert found == numbers(path, query, limit, indexed=False)
        if not limit and asked[0] in {"alpha", "beta"} and len(asked) == 1:
            assert len(found) == sum(
                any(asked[0] in word.lower().split() for word in words)
                for words in [*said, *said[:late]]
            )


def filled(path: Path) -> None:
    for day in range(2):
        with opened(path, f"run {day}", 1 + day * DAY) as log:
            add(log, 20, text="first words", order=ORDER)
            add(log, 3, text="second Words, 0.0012 and more", order=OTHER)
            log.finish(2 + day * DAY)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("words", 46),
        ("second", 6),
        ("SECOND words", 6),
        ("seco*", 6),
        ("sec", 0),
        ("0.0012", 6),
        ("0.001", 0),
        ("0012.0", 0),
        ("run_start", 2),
        (OTHER, 6),
        ("first second", 0),
        ('"text":"first', 40),
    ],
)
def test_words_are_found_in_all_segments(path: Path, text: str, count: int) -> None:
    filled(path)
    assert len(numbers(path, text)) == count == len(numbers(path, text, indexed=False))
    assert numbers(path, text, 3) == numbers(path, text)[-3:]
    assert index_path(path).exists()


def test_a_search_without_a_word_is_refused(path: Path) -> None:
    filled(path)
    with pytest.raises(AuditError, match=r"' \?! ' holds no word to search for"):
        search_text(path, " ?! ")


def test_orders_are_found_through_the_index(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    plain = [each for each in read_records(path) if each.correlation == OTHER]
    assert list(why(path, OTHER)) == plain
    with opened(path, "third", 1 + DAY) as log:
        add(log, 2, order=OTHER)
        log.finish(2 + DAY)
    monkeypatch.setattr(RecordIndex, "bring_up_to_date", busy)
    assert len(why(path, OTHER)) == 8
    with pytest.raises(AuditError, match="no record about order 'nobody'"):
        why(path, "nobody")


def busy(*_: object) -> None:
    raise sqlite3.OperationalError("database is locked")


def test_an_index_that_somebody_else_fills_serves_as_it_is(path: Path) -> None:
    filled(path)
    assert len(numbers(path, "second")) == 6
    with opened(path, "third", 1 + DAY) as log:
        add(log, 1, text="second")
        log.finish(2 + DAY)
    other = sqlite3.connect(index_path(path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert len(numbers(path, "second")) == 7
    assert len(why(path, OTHER)) == 6
    other.close()


@pytest.mark.parametrize("content", [b"no database" * 500, b""])
def test_a08_an_index_that_is_damaged_is_made_anew(path: Path, content: bytes) -> None:
    filled(path)
    index_path(path).write_bytes(content)
    assert len(numbers(path, "second")) == 6
    assert len(why(path, OTHER)) == 6


def test_a08_an_index_with_damaged_pages_is_not_used_and_then_made_anew(path: Path) -> None:
    filled(path)
    assert len(numbers(path, "second")) == 6
    assert len(why(path, OTHER)) == 6
    place = index_path(path)
    content = bytearray(place.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    place.write_bytes(content)
    assert len(numbers(path, "second")) == 6
    place.write_bytes(content)
    assert len(why(path, OTHER)) == 6
    assert not place.exists()
    assert len(why(path, OTHER)) == 6
    assert place.exists()


def test_a08_an_index_of_another_version_is_made_anew(path: Path) -> None:
    filled(path)
    assert len(numbers(path, "second")) == 6
    database = sqlite3.connect(index_path(path))
    database.execute("PRAGMA user_version = 9")
    database.close()
    assert len(numbers(path, "second")) == 6


def test_a08_an_index_that_cannot_be_made_is_done_without(path: Path) -> None:
    filled(path)
    index_path(path).mkdir()
    assert len(numbers(path, "second")) == 6
    assert len(why(path, OTHER)) == 6


def test_a08_a_step_that_fails_leaves_the_index_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    with monkeypatch.context() as patch:
        patch.setattr("bot4_core.audit.index_file._FILL", {"words": "INSERT INTO nowhere VALUES"})
        assert len(numbers(path, "second")) == 6
    with RecordIndex.opened(path) as index:
        assert index.mark("words") == 0
    with pytest.raises(sqlite3.OperationalError, match="locked"), RecordIndex.opened(path):
        busy()
    assert len(numbers(path, "second")) == 6


def test_a08_a_step_of_the_tree_that_fails_leaves_it_as_it_was(path: Path) -> None:
    with opened(path) as log:
        add(log, 3000)
        log.finish(2)
    told: list[int] = []
    with RecordIndex.opened(path) as index:
        index._database.execute("INSERT INTO chunks VALUES (1, x'00')")
        with pytest.raises(sqlite3.IntegrityError):
            index.bring_up_to_date("tree", told.append)
        assert (told, index.mark("tree")) == ([], 0)
        index._database.execute("DELETE FROM chunks")
        index.bring_up_to_date("tree", told.append)
        assert (told, len(index.chunks())) == ([2048], 2)


def test_a08_a_tree_that_another_grows_meanwhile_is_left_to_it(path: Path) -> None:
    with opened(path) as log:
        add(log, 4200)
        log.finish(2)
    with RecordIndex.opened(path) as index:

        def overtake(_: int) -> None:
            index._set_mark("tree", 0, b"")

        with pytest.raises(sqlite3.OperationalError, match="another process grows the tree"):
            index.bring_up_to_date("tree", overtake)


def test_an_index_of_another_log_is_made_anew(path: Path) -> None:
    filled(path)
    assert len(numbers(path, "second")) == len(why(path, OTHER)) == 6
    held = index_path(path).read_bytes()
    other = path.with_name("b.audit")
    with opened(other, "else") as log:
        add(log, 60, text="second", order=OTHER)
        log.finish(2)
    index_path(other).write_bytes(held)
    assert len(numbers(other, "second")) == len(why(other, OTHER)) == 60
    short = path.with_name("c.audit")
    with opened(short, "short") as log:
        add(log, 1, text="second")
        log.finish(2)
    index_path(short).write_bytes(held)
    assert numbers(short, "second") == [2]


def test_a_small_log_gets_no_index(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SMALL_LOG", 1000)
    filled(path)
    assert len(numbers(path, "second")) == len(why(path, OTHER)) == 6
    assert not index_path(path).exists()


def test_a_changed_record_is_not_shown(path: Path) -> None:
    filled(path)
    assert len(numbers(path, "second")) == 6
    edit(path, "UPDATE records SET payload = replace(payload, 'more', 'less') WHERE sequence = 23")
    with pytest.raises(ChainError, match="record 23: content and digest differ"):
        search_text(path, "second")


def test_indexing_tells_how_far_it_is(path: Path) -> None:
    filled(path)
    told: list[int] = []
    search_text(path, "second", progress=told.append)
    assert told[-1] == 51
    assert told == sorted(told)


def test_searching_where_no_log_is_is_a_named_error(path: Path) -> None:
    with pytest.raises(AuditError, match="there is no such audit log"):
        search_text(path, "word")
    with pytest.raises(AuditError, match="there is no such audit log"):
        why(path, ORDER)
    assert set(INDEX_PARTS) == {"orders", "words", "tree"}
