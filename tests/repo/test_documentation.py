"""The documentation keeps up with the code."""

import inspect
import re
from pathlib import Path

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


def test_every_relative_link_leads_somewhere(root: Path) -> None:
    pages = [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"
