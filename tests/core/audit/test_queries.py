import sqlite3
from pathlib import Path

import pytest
from tests.core.audit.builders import ORDER, OTHER, add, edit, opened

from bot4_core.audit import AuditLog, AuditQuery, read_records, search, why
from bot4_core.audit.canonical import Payload
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.errors import AuditError, ChainError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "a.audit"
    with opened(place) as log:
        reasons: Payload = {
            "signal": {"action": "quote", "edge": 0.0012, "reason": "spread"},
            "size": {"asked": 120, "granted": 100},
            "limits": [{"name": "position", "limit": 1000, "used": 250}],
            "breakers": [],
            "route": {"venue": "binance"},
        }
        log.append(AuditKind.INTENT, "mm", ORDER, reasons, event_time=10, wall_time=11)
        add(log, 3, order=OTHER)
        log.append(AuditKind.SEND, "binance", ORDER, {}, event_time=12, wall_time=13)
        fill: Payload = {"price": "60000.1", "size": "0.5", "trade": 77}
        log.append(AuditKind.FILL, "binance", ORDER, fill, event_time=14, wall_time=15)
        log.finish(99)
    return place


def test_why_tells_an_orders_story_in_order(path: Path) -> None:
    story = why(path, ORDER)
    assert [record.kind for record in story] == [AuditKind.INTENT, AuditKind.SEND, AuditKind.FILL]
    assert b'"edge":"0.0012"' in story[0].payload
    assert b'"granted":100' in story[0].payload
    assert story[2].actor == "binance"


def test_why_of_an_unknown_order_is_a_named_error(path: Path) -> None:
    with pytest.raises(AuditError, match="no record about order 'nothing'"):
        why(path, "nothing")


def test_reading_works_while_a_run_writes(tmp_path: Path) -> None:
    place = tmp_path / "live.audit"
    with opened(place) as log:
        add(log, 2)
        assert len(list(read_records(place))) == 1
        log.commit()
        assert len(list(read_records(place))) == 3
        assert [record.sequence for record in read_records(place, 2)] == [2, 3]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AuditQuery(), [1, 2, 3, 4, 5, 6, 7, 8]),
        (AuditQuery(kinds=(AuditKind.SEND, AuditKind.FILL)), [6, 7]),
        (AuditQuery(actor="mm"), [2, 3, 4, 5]),
        (AuditQuery(actor="mm", limit=2), [2, 3]),
        (AuditQuery(correlation=OTHER), [3, 4, 5]),
        (AuditQuery(run="second"), []),
        (AuditQuery(text='"trade":77'), [7]),
        (AuditQuery(since=2, until=12), [2, 5]),
        (AuditQuery(first=7), [7, 8]),
    ],
)
def test_search_finds_by_what_records_say(path: Path, query: AuditQuery, found: list[int]) -> None:
    assert [record.sequence for record in search(path, query)] == found


def test_a_changed_record_is_not_shown(path: Path) -> None:
    edit(path, "UPDATE records SET payload = replace(payload, '100', '900') WHERE sequence = 2")
    with pytest.raises(ChainError, match="record 2: content and digest differ"):
        why(path, ORDER)


def test_a_record_of_an_unknown_kind_says_to_use_a_newer_version(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot4_core.audit.database._KINDS", frozenset({"run_start"}))
    with pytest.raises(AuditError, match="record 2 is of the unknown kind 'intent'; a newer"):
        why(path, ORDER)


def test_searching_what_is_not_there_is_a_named_error(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="no such audit log"):
        list(read_records(tmp_path / "none.audit"))


def test_searching_another_database_is_a_named_error(tmp_path: Path) -> None:
    place = tmp_path / "other.db"
    database = sqlite3.connect(place)
    database.execute("CREATE TABLE x (y)")
    database.close()
    with pytest.raises(AuditError, match="not an audit log"):
        list(read_records(place))


def test_a_log_of_another_schema_version_is_a_named_error(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 9")
    database.close()
    with pytest.raises(AuditError, match="schema 9"):
        AuditLog.open(path, run="again", wall_time=1)
