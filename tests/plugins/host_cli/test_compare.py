"""``bot4 compare``: the same, or where runs went apart."""

import json
from pathlib import Path

from tests.core.audit.test_comparison import STEPS, written
from tests.plugins.host_cli.shell import called


def test_the_same_is_said_in_a_line(tmp_path: Path) -> None:
    left, right = written(tmp_path / "a", STEPS), written(tmp_path / "b", STEPS, tag="b")
    answer = called("compare", str(left), str(right))
    assert answer.code == 0
    assert "the same: 6 and 6 records, 2 orders" in answer.out


def test_differences_are_shown_first_one_first(tmp_path: Path) -> None:
    left, right = written(tmp_path / "a", STEPS), written(tmp_path / "b", STEPS[:-2], tag="b")
    answer = called("compare", str(left), str(right))
    assert answer.code == 1
    assert "first difference: order 2, step 2 (6 and 4 records)" in answer.out
    assert "size: 1 | -" in answer.out
    assert "2 differ" in answer.out
    assert "left only" in answer.out


def test_the_object_holds_everything(tmp_path: Path) -> None:
    left, right = written(tmp_path / "a", STEPS), written(tmp_path / "b", STEPS[:-1], tag="b")
    answer = called("compare", str(left), str(right), "--json")
    data = json.loads(answer.out)
    assert (answer.code, data["schema"], data["same"]) == (1, 1, False)
    assert data["first"] == data["differences"][0]
    assert data["first"]["order"] == 1
    same = json.loads(called("compare", str(left), str(left), "--json").out)
    assert (same["same"], same["first"], same["differences"]) == (True, None, [])


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    left = written(tmp_path / "a", STEPS)
    answer = called("compare", str(left), str(left), "--left-run", "none")
    assert answer.code == 1
    assert "holds no run 'none'" in answer.complaint


def test_a_table_row_names_a_few_fields_and_counts_the_rest(tmp_path: Path) -> None:
    many = [(1, STEPS[0][1], {f"field{n}": "x" for n in range(6)})]
    other = [(1, STEPS[0][1], {f"field{n}": "y" for n in range(6)})]
    left = written(tmp_path / "a", many)  # type: ignore[arg-type]  # plain payloads
    right = written(tmp_path / "b", other)  # type: ignore[arg-type]  # plain payloads
    out = called("compare", str(left), str(right)).out
    assert "and 3 more" in " ".join(out.split())
