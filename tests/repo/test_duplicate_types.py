"""The duplicate check finds what it says it finds, and the repository is clean of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "duplicate_types.py"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


FIVE = """
def {name}({a}, {b}):
    {c} = {a} * {b} + {a} - {b}
    {d} = [{c} for _ in range({a})]
    if {c} > {b}:
        {d}.append({a} / {b})
    return sum({d}) + {c}
"""


@pytest.mark.parametrize(
    ("one", "two", "rule"),
    [
        ("class Price: ...", "class Price: ...", "name"),
        ("from enum import Enum\nclass Side(Enum): A = 1", "class Side: ...", "name"),
        ("class LostError(Exception): ...", "class LostError(ValueError): ...", "name"),
        (
            "from typing import NewType\nIds = NewType('Ids', int)",
            "from typing import NewType\nIds = NewType('Ids', str)",
            "name",
        ),
        (
            "from typing import TypeAlias\nRow: TypeAlias = dict[str, int]",
            "from typing import TypeAlias\nLine: TypeAlias = dict[str, int]",
            "shape",
        ),
        ("class A:\n    x: int\n    y: str", "class B:\n    y: str\n    x: int", "shape"),
        (
            "class A:\n    x: int\n    y: str\n    z: int",
            "class B:\n    y: bytes\n    x: float\n    z: int",
            "shape",
        ),
        (
            "from typing import TypedDict\nclass A(TypedDict):\n    x: int\n    y: str",
            "from typing import TypedDict\nclass B(TypedDict):\n    x: int\n    y: str",
            "shape",
        ),
        (
            (
                "from typing import Protocol\nclass A(Protocol):\n"
                "    def go(self): ...\n    def stop(self, at): ..."
            ),
            (
                "from typing import Protocol\nclass B(Protocol):\n"
                "    def stop(self, at): ...\n    def go(self): ..."
            ),
            "shape",
        ),
        (
            "from enum import Enum\nclass A(Enum):\n    BUY = 1\n    SELL = 2",
            "from enum import IntEnum\nclass B(IntEnum):\n    SELL = 0\n    BUY = 1",
            "shape",
        ),
        (
            FIVE.format(name="mean", a="n", b="m", c="p", d="rows"),
            FIVE.format(name="average", a="left", b="right", c="q", d="lines"),
            "body",
        ),
    ],
)
def test_second_definition_is_found(one: str, two: str, rule: str, tmp_path: Path) -> None:
    result = run(write(tmp_path, one=one, two=two), "--json")
    (found,) = json.loads(result.stdout)["duplicates"]
    assert result.returncode == 1
    assert found["rule"] == rule
    assert {Path(place["path"]).stem for place in found["places"]} == {"one", "two"}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("class _Row: ...", "class _Row: ..."),
        ("class A:\n    x: int\n    y: str", "class B:\n    x: int\n    z: str"),
        ("class A:\n    x: int\n    y: str", "class B:\n    x: float\n    y: str"),
        (
            FIVE.format(name="mean", a="n", b="m", c="p", d="rows"),
            FIVE.format(name="mean2", a="n", b="m", c="p", d="rows").replace(" / ", " // "),
        ),
        ("def f(a):\n    return a + 1", "def g(b):\n    return b + 1"),
    ],
)
def test_different_definitions_stand(one: str, two: str, tmp_path: Path) -> None:
    result = run(write(tmp_path, one=one, two=two))
    assert (result.returncode, result.stdout) == (0, "0 duplicates\n")


def test_against_compares_without_checking_the_other(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        folder.mkdir()
    write(mine, a="class Fill: ...")
    write(other, a="class Fill: ...", b="class Twin: ...", c="class Twin: ...")
    result = run(mine, "--against", other, "--json")
    (found,) = json.loads(result.stdout)["duplicates"]
    assert found["what"] == "Fill"


def test_against_takes_an_installed_package(tmp_path: Path) -> None:
    result = run(write(tmp_path, mine="class Instrument: ..."), "--against", "bot4_core")
    assert result.returncode == 1
    assert "Instrument" in result.stdout


def test_sarif_points_at_every_place(tmp_path: Path) -> None:
    write(tmp_path, one="\nclass Price: ...", two="\n\nclass Price: ...")
    log = json.loads(run(tmp_path, "--sarif").stdout)
    (result,) = log["runs"][0]["results"]
    lines = [
        place["physicalLocation"]["region"]["startLine"]
        for place in [*result["locations"], *result["relatedLocations"]]
    ]
    assert (log["version"], sorted(lines)) == ("2.1.0", [2, 3])


def test_file_that_is_no_python_is_named(tmp_path: Path) -> None:
    result = run(write(tmp_path, broken="class :"))
    assert result.returncode == 2
    assert "broken.py:1" in result.stderr


def test_unknown_target_is_named() -> None:
    result = run("no_such_package_anywhere")
    assert result.returncode != 0
    assert "no_such_package_anywhere" in result.stderr


@pytest.mark.once("reads all sources, as a session of nox does")
def test_repository_defines_nothing_twice(root: Path) -> None:
    result = run(root / "src")
    assert result.stdout == "0 duplicates\n"


def test_list_of_allowed_duplicates_is_empty(root: Path) -> None:
    assert json.loads((root / "tools" / "duplicate_types_allowed.json").read_text()) == []
