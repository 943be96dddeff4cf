"""The import graph is drawn from the code and has no circle."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import import_graph


def test_circle_is_named() -> None:
    found = import_graph.circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert set(found) == {"a", "b", "c"}


def test_repository_has_no_circle() -> None:
    assert import_graph.circle(import_graph.modules(("bot4_core", "bot4_plugins"))) == []


def test_drawing_puts_importers_above_what_they_import() -> None:
    picture = import_graph.svg({"p.low": set(), "p.mid": {"p.low"}, "p.high": {"p.low", "p.mid"}})
    tree = ElementTree.fromstring(picture)  # noqa: S314 - our own text
    heights = {
        node.text: float(node.attrib["y"]) for node in tree.iter("{http://www.w3.org/2000/svg}text")
    }
    assert heights["high"] < heights["mid"] < heights["low"]


def test_check_exits_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["import_graph.py", "--check"])
    assert import_graph.main() == 0
