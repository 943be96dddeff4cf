"""Find types and functions that are defined more than once, by name or by shape.

Reads syntax trees and imports nothing, so it can run on any code: this repository's, a plugin
author's or a host application's, alone or against an installed package::

    python tools/duplicate_types.py my_plugin --against bot4_core

What counts as the same:

- *name*: two classes, enums, protocols, typed dicts, errors, ``NewType``s or aliases with one
  name in different places (names with a leading underscore are private and may recur);
- *shape*: two classes with the same annotated fields, two enums with the same members, two
  aliases of the same expression, under whatever names;
- *body*: two functions whose bodies differ only in the names of arguments and local variables.
"""

import argparse
import importlib.util
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from definitions import Definition, definitions_of

ALLOWED = Path(__file__).with_name("duplicate_types_allowed.json")
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True)
class Duplicate:
    """Two or more definitions of one thing."""

    rule: str  # name, shape or body
    what: str
    places: tuple[Definition, ...]


def python_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the Python files at or under the paths, in order, each once."""
    seen: set[Path] = set()
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def resolve(target: str) -> Path:
    """Return a path, or the folder of an importable package, which is not imported."""
    path = Path(target)
    if path.exists():
        return path
    try:
        spec = importlib.util.find_spec(target)
    except (ImportError, ValueError):
        spec = None
    if spec and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    if spec and spec.origin:
        return Path(spec.origin)
    raise SystemExit(f"duplicate_types: {target!r} is neither a path nor an installed package")


def duplicates(found: Sequence[Definition], own: set[str]) -> list[Duplicate]:
    """Group definitions that are the same; at least one place must be in ``own`` files."""
    result: list[Duplicate] = []
    for rule in ("name", "shape", "body"):
        groups: dict[str, list[Definition]] = defaultdict(list)
        for definition in found:
            key = definition.keys().get(rule)
            if key:
                groups[key].append(definition)
        for group in groups.values():
            if len(group) > 1 and any(place.path in own for place in group):
                names = " = ".join(sorted({place.name for place in group}))
                result.append(Duplicate(rule, names, tuple(group)))
    return result


def load_allowed(path: Path) -> set[tuple[str, str]]:
    """Read the list of ``{"rule", "what", "reason"}`` that may stand."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {(entry["rule"], entry["what"]) for entry in entries}


def as_table(items: Sequence[Duplicate]) -> str:
    """Write one line a place, grouped."""
    lines = []
    for item in items:
        lines.append(f"same {item.rule}: {item.what}")
        lines += [f"    {p.path}:{p.line}  {p.kind} {p.name}" for p in item.places]
    lines.append(f"{len(items)} duplicate{'' if len(items) == 1 else 's'}")
    return "\n".join(lines)


def as_sarif(items: Sequence[Duplicate]) -> str:
    """Write SARIF 2.1.0; the first place is the location, the others are related."""

    def location(place: Definition) -> dict[str, object]:
        return {
            "physicalLocation": {
                "artifactLocation": {"uri": Path(place.path).as_posix()},
                "region": {"startLine": place.line},
            },
            "message": {"text": f"{place.kind} {place.name}"},
        }

    def message(item: Duplicate) -> dict[str, str]:
        return {"text": f"{len(item.places)} definitions with one {item.rule}: {item.what}"}

    results = [
        {
            "ruleId": f"duplicate-{item.rule}",
            "level": "error",
            "message": {
                "text": f"defined {len(item.places)} times with one {item.rule}: {item.what}"
            },
            "locations": [location(item.places[0])],
            "relatedLocations": [location(place) for place in item.places[1:]],
        }
        for item in items
    ]
    rules = [{"id": f"duplicate-{rule}"} for rule in ("name", "shape", "body")]
    driver = {"name": "duplicate_types", "version": "1", "rules": rules}
    run = {"tool": {"driver": driver}, "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check and print; 0 for none, 1 for duplicates, 2 for wrong use."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="+", help="files, folders or installed packages to check")
    parser.add_argument(
        "--against", action="append", default=[], help="compare with these too, do not check them"
    )
    parser.add_argument("--allowed", type=Path, default=ALLOWED, help="JSON list of what may stand")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--sarif", action="store_true")
    options = parser.parse_args(arguments)
    own_files = [*python_files(map(resolve, options.paths))]
    files = [*own_files, *python_files(map(resolve, options.against))]
    unique = {file.resolve(): file for file in reversed(files)}
    found: list[Definition] = []
    for file in sorted(unique.values()):
        try:
            found += definitions_of(file)
        except SyntaxError as error:
            print(f"duplicate_types: {file}:{error.lineno}: {error.msg}", file=sys.stderr)
            return 2
    allowed = load_allowed(options.allowed)
    items = duplicates(found, {str(file) for file in own_files})
    items = [item for item in items if (item.rule, item.what) not in allowed]
    if options.json:
        print(json.dumps({"schema": 1, "duplicates": [asdict(item) for item in items]}, indent=2))
    else:
        print(as_sarif(items) if options.sarif else as_table(items))
    return 1 if items else 0


if __name__ == "__main__":
    raise SystemExit(main())
