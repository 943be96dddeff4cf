"""Where money is counted no float comes near: the source itself is read for it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MONEY_PATHS = (
    "domain_types/canonical_types.py",
    "domain_types/number_text.py",
    "orders/fills.py",
    "risk/ledger*.py",
)
SHOWN_AS_FLOAT = {"average_number"}
"""Functions whose result is for kernels and charts, and goes into no account."""


def inexact(node: ast.AST) -> bool:
    """Whether a node makes a float, or asks for something that does."""
    match node:
        case ast.Constant(value=float() | complex()):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.startswith(("float", "f4", "f8"))
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return True
        case ast.Import(names=names):
            return any(each.name in {"math", "cmath", "statistics"} for each in names)
        case ast.ImportFrom(module=module):
            return module in {"math", "cmath", "statistics"}
    return False


def float_lines(node: ast.AST) -> Iterator[int]:
    """Yield the lines on which floats appear, functions that only show numbers left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef) and child.name in SHOWN_AS_FLOAT:
            continue
        if inexact(child):
            yield int(getattr(child, "lineno", 0))
        yield from float_lines(child)


@pytest.mark.parametrize("pattern", MONEY_PATHS)
def test_i01_no_float_on_a_money_path(root: Path, pattern: str) -> None:
    files = sorted((root / "src" / "bot4_core").glob(pattern))
    assert files
    found = {
        path.name: lines
        for path in files
        if (lines := list(float_lines(ast.parse(path.read_text()))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "cash = 1.5",
        "cash = float(cash)",
        "cash = np.float64(cash)",
        "def cost() -> float: ...",
        "cash = cost / 2",
        "cash /= 2",
        "import math",
        "from math import floor",
    ],
)
def test_floats_are_seen_in_every_form(line: str) -> None:
    assert list(float_lines(ast.parse(line))) == [1]
    assert list(float_lines(ast.parse("cash = (3 * cost) // 2"))) == []
