"""Draw which room imports which, and fail on a circle.

::

    python tools/import_graph.py --out docs/reference/imports.svg
    python tools/import_graph.py --check
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 168, 34, 22, 46


def modules(packages: tuple[str, ...]) -> dict[str, set[str]]:
    """Return module → modules that it imports, for our own packages."""
    graph = grimp.build_graph(*packages, cache_dir=None)
    return {
        module: set(graph.find_modules_directly_imported_by(module))
        for module in sorted(graph.modules)
    }


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of one import circle, or nothing."""
    try:
        tuple(TopologicalSorter(imports).static_order())
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def room(module: str) -> str:
    """Return the room of a module: the second part of its name."""
    return ".".join(module.split(".")[:2])


def rooms(imports: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return room → rooms that it imports."""
    result: dict[str, set[str]] = defaultdict(set)
    for module, targets in imports.items():
        result[room(module)] |= {room(target) for target in targets} - {room(module)}
    return {name: result[name] for name in sorted(result) if "." in name}


def levels(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Group rooms by their longest way down; the lowest first."""
    height: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        height[name] = 1 + max((height[below] for below in graph.get(name, ())), default=-1)
    rows: list[list[str]] = [[] for _ in range(max(height.values(), default=0) + 1)]
    for name in sorted(graph):
        rows[height[name]].append(name)
    return [row for row in rows if row]


def svg(graph: Mapping[str, set[str]]) -> str:
    """Draw rooms as boxes, the lowest at the bottom, and imports as lines down."""
    rows = levels(graph)[::-1]
    width = max(len(row) for row in rows) * (BOX_WIDTH + GAP_X) + GAP_X
    height = len(rows) * (BOX_HEIGHT + GAP_Y) + GAP_Y
    place = {}
    for y, row in enumerate(rows):
        start = (width - len(row) * (BOX_WIDTH + GAP_X) + GAP_X) / 2
        for x, name in enumerate(row):
            place[name] = (start + x * (BOX_WIDTH + GAP_X), GAP_Y / 2 + y * (BOX_HEIGHT + GAP_Y))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">',
        "<style>text { font: 12px sans-serif }</style>",
        f'<rect width="{width:g}" height="{height:g}" fill="white"/>',
    ]
    for name, targets in graph.items():
        for target in sorted(targets & place.keys()):
            (x1, y1), (x2, y2) = place[name], place[target]
            parts.append(
                f'<line x1="{x1 + BOX_WIDTH / 2:g}" y1="{y1 + BOX_HEIGHT:g}" '
                f'x2="{x2 + BOX_WIDTH / 2:g}" y2="{y2:g}" stroke="#9aa5b1"/>'
            )
    for name, (left, top) in place.items():
        fill = "#e3f0ff" if name.startswith("bot4_core") else "#eaf7e6"
        parts.append(
            f'<rect x="{left:g}" y="{top:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5" '
            f'fill="{fill}" stroke="#52606d"/><text x="{left + BOX_WIDTH / 2:g}" '
            f'y="{top + 21:g}" text-anchor="middle">{escape(name.partition(".")[2])}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def main() -> int:
    """Check for circles and draw; 0 for none, 1 for a circle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", default=["bot4_core", "bot4_plugins"])
    parser.add_argument("--out", type=Path, help="SVG file to write")
    parser.add_argument("--check", action="store_true", help="only look for circles")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "src"))
    imports = modules(tuple(options.packages))
    found = circle(imports)
    if found:
        print("circle: " + " → ".join(found), file=sys.stderr)
        return 1
    if not options.check:
        (options.out or ROOT / "docs" / "reference" / "imports.svg").write_text(
            svg(rooms(imports)), encoding="utf-8"
        )
    print(f"{len(imports)} modules, no circle")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
