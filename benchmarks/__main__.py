"""Run every ``bench_*`` module and print its rows."""

import argparse
import importlib
import json
import os
import platform
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS = ("work", "p50_us", "p99_us", "baseline", "baseline_us", "ratio", "budget")


def cell(value: object) -> str:
    """Write one table cell."""
    return f"{value:,.3g}" if isinstance(value, float) else str(value if value is not None else "")


def main() -> None:
    """Measure and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="modules to run, such as bench_wire")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--recordings",
        type=Path,
        default=Path(os.environ.get("BOT4_RECORDINGS", HERE.parent.parent / "shared" / "data")),
    )
    options = parser.parse_args()
    names = options.names or sorted(path.stem for path in HERE.glob("bench_*.py"))
    rows: list[dict[str, object]] = []
    for name in names:
        module = importlib.import_module(f"benchmarks.{name}")
        rows += [{"module": name, **row} for row in module.rows(options.recordings)]
    if options.json:
        print(json.dumps({"machine": platform.processor() or platform.machine(), "rows": rows}))
        return
    table = [COLUMNS, *(tuple(cell(row.get(column)) for column in COLUMNS) for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    for line in table:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)))


if __name__ == "__main__":
    main()
