"""Comparing runs: what they did counts, what they are called does not."""

from pathlib import Path

import pytest
from tests.core.audit.builders import opened

from bot4_core.audit import compare_runs
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.errors import AuditError

Step = tuple[int, AuditKind, dict[str, object]]
STEPS: list[Step] = [
    (1, AuditKind.INTENT, {"order": {"price": "10", "flags": ["post_only"]}}),
    (2, AuditKind.INTENT, {"order": {"price": "11", "flags": []}}),
    (1, AuditKind.ACK, {"status": "open"}),
    (0, AuditKind.BREAKER_TRIP, {"breaker": "width"}),
    (2, AuditKind.FILL, {"size": "1"}),
    (1, AuditKind.CANCEL, {"status": "canceled"}),
]


def written(path: Path, steps: list[Step], run: str = "run", tag: str = "a") -> Path:
    """Write a run; ``tag`` begins its client order ids."""
    with opened(path, run) as log:
        for time, (order, kind, payload) in enumerate(steps):
            name = f"{tag}{order:031d}" if order else ""
            log.append(kind, "mm", name, payload, event_time=time, wall_time=5)  # type: ignore[arg-type]  # plain payloads
        log.finish(9)
    return path


def test_runs_that_did_the_same_are_the_same_under_other_names(tmp_path: Path) -> None:
    left = written(tmp_path / "a", STEPS)
    right = written(tmp_path / "b", STEPS, run="replay", tag="b")
    result = compare_runs(left, right)
    assert result.same
    assert result.first is None
    assert (result.left_run, result.right_run) == ("run", "replay")
    assert (result.left_records, result.right_records, result.orders) == (6, 6, 2)


def test_every_order_that_differs_is_listed_with_its_first_difference(tmp_path: Path) -> None:
    changed = STEPS.copy()
    changed[1] = (2, AuditKind.INTENT, {"order": {"price": "12", "flags": ["ioc"]}})
    left = written(tmp_path / "a", STEPS)
    right = written(tmp_path / "b", changed[:-1], tag="b")
    result = compare_runs(left, right)
    assert [each.order for each in result.differences] == [1, 2]
    cancelled, priced = result.differences
    assert (cancelled.step, cancelled.right, cancelled.further) == (3, 0, 0)
    assert {each.field: each.left for each in cancelled.fields}["status"] == "canceled"
    assert result.first == priced
    assert (priced.step, priced.further) == (1, 1)
    told = {each.field: (each.left, each.right) for each in priced.fields}
    assert told == {"order.price": ("11", "12"), "order.flags[0]": ("", "ioc")}


def test_what_is_about_no_order_is_compared_too(tmp_path: Path) -> None:
    left = written(tmp_path / "a", [*STEPS, STEPS[3]])
    right = written(tmp_path / "b", STEPS)
    (only,) = compare_runs(left, right).differences
    assert (only.order, only.step, only.right) == (0, 2, 0)


def test_runs_of_one_log_are_told_apart_by_name(tmp_path: Path) -> None:
    log = written(tmp_path / "a", STEPS, run="first")
    written(log, STEPS[:-1], run="second", tag="b")
    assert compare_runs(log, log).same
    assert not compare_runs(log, log, left_run="first").same
    with pytest.raises(AuditError, match="holds no run 'third'; the last ones are first, second"):
        compare_runs(log, log, right_run="third")


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    left = written(tmp_path / "a", STEPS)
    with pytest.raises(AuditError, match="no such audit log"):
        compare_runs(left, tmp_path / "none")
