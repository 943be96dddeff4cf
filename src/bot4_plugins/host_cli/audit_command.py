"""``bot4 audit``: verify the log, list it, and ask it about an order."""

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from bot4_core.audit import AuditQuery, VerifyReport, find_segments, search, verify, why
from bot4_core.convert import unstructure
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.errors import AuditError, ChainError, StorageError
from bot4_core.exit_codes import ExitCode
from bot4_plugins.host_cli.audit_evidence import check_file, export_records, search_records
from bot4_plugins.host_cli.audit_following import follow_log
from bot4_plugins.host_cli.audit_reading import (
    against_option,
    checkpoints_in,
    key_option,
    line,
    path_argument,
    plain,
)
from bot4_plugins.host_cli.audit_signing import sign_log
from bot4_plugins.host_cli.order_story import order_story
from bot4_plugins.host_cli.output import json_option, print_json

LONGEST_NUMBER: Final = 18
"""Digits of a record's number; client order ids are longer."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def audit() -> None:
    """Verify an audit log, and ask it why.

    Example: bot4 audit verify bot4-runs/quickstart.audit.sqlite
    """


@audit.command("verify")
@path_argument
@click.option("--head", default="", help="Digest noted earlier: finds a cut or rewritten log.")
@against_option
@key_option
@json_option
def verify_log(path: Path, head: str, against: Path | None, key: Path | None, as_json: bool) -> int:
    """Check every record and every link of a log; exit code 9 if one does not fit.

    Example: bot4 audit verify bot4-runs/quickstart.audit.sqlite --against checkpoints.txt
    """
    if head and not re.fullmatch("[0-9a-f]{64}", head):
        raise click.BadParameter(
            f"{head!r} is not 64 lower-case hexadecimal digits",
            ctx=click.get_current_context(),
            param_hint="--head",
        )
    if not find_segments(path):
        raise StorageError(f"{path}: there is no such audit log; check the path")
    noted = checkpoints_in(against, key)
    try:
        report = verify(path, expected_head=head, checkpoints=noted)
    except AuditError as error:
        if as_json:
            sequence = error.sequence if isinstance(error, ChainError) else None
            print_json({"schema": 1, "ok": False, "error": str(error), "sequence": sequence})
        else:
            click.echo(f"bot4: {path} does not verify: {error}", err=True)
        return ExitCode.AUDIT
    if as_json:
        print_json({"schema": 1, "ok": True, **unstructure(report)})
        return ExitCode.OK
    for text in findings(report):
        click.echo(text)
    return ExitCode.OK


def findings(report: VerifyReport) -> Iterator[str]:
    """Yield what is known of a log that verifies."""
    runs = "1 run" if report.runs == 1 else f"{report.runs:,} runs"
    files = f" in {report.segments} files" if report.segments > 1 else ""
    yield f"{report.path}: {report.records:,} records of {runs}{files} verify"
    for name in report.quarantined:
        yield f"{name} was damaged and put aside; its records count up to the damage"
    if not report.still:
        yield "A run is writing to it now; its newest records were not looked at."
    if report.expected_at:
        yield f"the given head is that of record {report.expected_at:,}"
    if report.checkpoints:
        yield f"{report.checkpoints:,} checkpoints fit"
    yield f"head {report.head}"
    yield f"root {report.root}"


@audit.command("why")
@path_argument
@click.argument("order")
@json_option
def why_order(path: Path, order: str, as_json: bool) -> None:
    """Print why an order was sent and what became of it, with all numbers.

    ORDER is the client order id, or the number of a record about it; `bot4 audit list` names
    both. Orders that the gate kept back have no id.

    Example: bot4 audit why bot4-runs/quickstart.audit.sqlite 0123456789abcdef0000000000000001
    """
    records = about(path, order)
    order = records[0].correlation or f"record {order}"
    if as_json:
        print_json({"schema": 1, "order": order, "records": [plain(each) for each in records]})
        return
    click.echo(f"{order} of run {records[0].run}, records {records[0].sequence:,} and on")
    trips = AuditQuery(kinds=(AuditKind.BREAKER_TRIP,), run=records[0].run)
    for label, text in order_story(records, tuple(search(path, trips))):
        click.echo(f"{click.style(f'{label:<10}', bold=True)}{text}")


def about(path: Path, order: str) -> tuple[AuditRecord, ...]:
    """Return the records about an order, or about that which a numbered record is about.

    Raises
    ------
    AuditError
        If there are none.
    """
    if not (order.isdecimal() and len(order) <= LONGEST_NUMBER):
        return why(path, order)
    found = tuple(search(path, AuditQuery(first=int(order), limit=1)))
    if not found or found[0].sequence != int(order):
        raise AuditError(f"{path}: there is no record {order}; `bot4 audit list` shows the newest")
    if found[0].correlation:
        return why(path, found[0].correlation)
    if found[0].kind is not AuditKind.REFUSAL:
        raise AuditError(
            f"{path}: record {order} is about no order ({found[0].kind.value}); "
            "`bot4 audit list` shows which are"
        )
    return found


@audit.command("list")
@path_argument
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in AuditKind]),
    help="Only such records; may be given several times.",
)
@click.option("--last", default=20, show_default=True, type=click.IntRange(1), help="How many.")
@json_option
def list_records(path: Path, kinds: tuple[str, ...], last: int, as_json: bool) -> None:
    """List the newest records, oldest first.

    Example: bot4 audit list bot4-runs/quickstart.audit.sqlite --kind fill
    """
    query = AuditQuery(kinds=tuple(AuditKind(kind) for kind in kinds))
    records = deque(search(path, query), maxlen=last)
    if as_json:
        print_json({"schema": 1, "records": [plain(each) for each in records]})
        return
    for record in records:
        click.echo(line(record))


for command in (search_records, export_records, check_file, follow_log, sign_log):
    audit.add_command(command)
