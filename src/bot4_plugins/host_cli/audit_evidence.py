"""``bot4 audit search``, ``export`` and ``check``: find records, hand them over, check them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bot4_core.audit import AuditQuery, check_export, export_order, search, search_text
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.errors import AuditError, StorageError
from bot4_core.exit_codes import ExitCode
from bot4_plugins.host_cli.audit_reading import (
    against_option,
    checkpoints_in,
    key_option,
    line,
    path_argument,
    plain,
)
from bot4_plugins.host_cli.order_story import order_story
from bot4_plugins.host_cli.output import json_option, print_json


@click.command("search")
@path_argument
@click.argument("text")
@click.option("--last", default=20, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--scan", is_flag=True, help="Read the log instead of using or making an index.")
@json_option
def search_records(path: Path, text: str, last: int, scan: bool, as_json: bool) -> None:
    """Find the newest records that hold all words of TEXT, oldest first.

    Capitals do not count; a star at the end of a word stands for any ending. A large log gets an
    index beside it, which may be removed at any time.

    Example: bot4 audit search bot4-runs/quickstart.audit.sqlite "breaker position"
    """
    records = search_text(path, text, limit=last, indexed=not scan)
    if as_json:
        print_json({"schema": 1, "records": [plain(each) for each in records]})
        return
    for record in records:
        click.echo(line(record))


@click.command("export")
@path_argument
@click.option("--order", required=True, help="Client order id.")
@against_option
@key_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the export to a file.",
)
@json_option
def export_records(
    path: Path,
    order: str,
    against: Path | None,
    key: Path | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Hand over one order: its records, proofs that they stand in the log, and a plain report.

    The proofs lead to the newest checkpoint that covers the order, or else to the log as it stands.

    Example: bot4 audit export LOG --order 0123456789abcdef0000000000000001 -o order.json
    """
    found = export_order(path, order, checkpoints=checkpoints_in(against, key))
    records = [each.record for each in found.records]
    trips = AuditQuery(kinds=(AuditKind.BREAKER_TRIP,), run=records[0].run)
    report = told(records, tuple(search(path, trips)) if refused_by_breaker(records) else ())
    data = {"schema": 1, **found.data(), "report": report}
    if output is not None:
        written(output, data)
    if as_json:
        print_json(data)
        return
    for text in report:
        click.echo(text)
    click.echo(f"{len(records)} records, proven against {found.size:,} records of {found.origin}")
    click.echo(f"root {found.root.hex()}")


@click.command("check")
@click.argument("export", type=click.Path(path_type=Path, dir_okay=False))
@against_option
@key_option
@json_option
def check_file(export: Path, against: Path | None, key: Path | None, as_json: bool) -> int:
    """Check an export without the log; exit code 9 if a record is not proven.

    With --against, its root must be that of a checkpoint.

    Example: bot4 audit check order.json --against checkpoints.txt
    """
    data, noted = exported(export), checkpoints_in(against, key)
    try:
        records = check_export(data, noted)
    except AuditError as error:
        if as_json:
            print_json({"schema": 1, "ok": False, "error": str(error)})
        else:
            click.echo(f"bot4: {export} is not proven: {error}", err=True)
        return ExitCode.AUDIT
    if as_json:
        size, root = data["size"], data["root"]
        print_json({"schema": 1, "ok": True, "records": len(records), "size": size, "root": root})
        return ExitCode.OK
    for text in told(records, ()):
        click.echo(text)
    known = "a checkpoint" if noted else "the root below, which nothing here vouches for"
    click.echo(f"{len(records)} records, proven against {known} of {data['size']:,} records")
    click.echo(f"root {data['root']}")
    return ExitCode.OK


def refused_by_breaker(records: Sequence[AuditRecord]) -> bool:
    """Whether a breaker held the order back, so that its trips tell why."""
    said = (json.loads(each.payload).get("breakers", {}) for each in records)
    return any(breaker["holds"] for each in said for breaker in each.values())


def told(records: Sequence[AuditRecord], trips: Sequence[AuditRecord]) -> list[str]:
    """Write an order's story."""
    first = records[0]
    lines = [f"{first.correlation} of run {first.run}, records {first.sequence:,} and on"]
    return lines + [f"{label:<10}{text}" for label, text in order_story(records, trips)]


def written(path: Path, data: Mapping[str, object]) -> None:
    """Write an export.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    try:
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: the export cannot be written: {error.strerror}") from error


def exported(path: Path) -> dict[str, Any]:
    """Read an export.

    Raises
    ------
    StorageError
        If it cannot be read.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageError(f"{path}: cannot read the export: {error}") from error
    if not isinstance(data, dict):
        raise StorageError(f"{path}: is no export of an audit log")
    return data
