"""The documentation keeps up with the code."""

import inspect
import re
from pathlib import Path

from bot4_core import errors
from bot4_core.exit_codes import BY_ERROR
from bot4_core.plugins.hookspecs import Hooks


def hooks() -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(function)
        for name, function in inspect.getmembers(Hooks, inspect.isfunction)
        if name.startswith("bot4_")
    }


def test_every_hook_has_a_section_with_its_signature(root: Path) -> None:
    headings = re.findall(r"^## (.+)$", (root / "docs/reference/hooks.md").read_text(), re.M)
    expected = [
        f"{name}({', '.join(list(signature.parameters)[1:])})"
        for name, signature in hooks().items()
    ]
    assert headings == expected


def test_every_hook_has_a_test(root: Path) -> None:
    tests = (root / "tests/core/plugins/test_host.py").read_text()
    for name in hooks():
        assert name in tests, f"no test implements {name}"


def test_every_error_has_a_row_with_its_parents_and_exit_code(root: Path) -> None:
    page = (root / "docs/reference/errors.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (`[\w`, ]+`) \| .+ \| (\d+ `\w+`) \|$", page, re.M)
    kinds = [getattr(errors, name) for name in errors.__all__]
    expected = {
        kind.__name__: (
            ", ".join(f"`{base.__name__}`" for base in kind.__bases__),
            next(f"{code} `{code.name}`" for base, code in BY_ERROR if issubclass(kind, base)),
        )
        for kind in kinds
    }
    assert {name: tuple(rest) for name, *rest in rows} == expected


def test_every_relative_link_leads_somewhere(root: Path) -> None:
    pages = [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"
