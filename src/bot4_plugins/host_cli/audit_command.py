"""``bot4 audit``: verify the log, list it, and ask it about an order."""

import json
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from bot4_core.audit import (
    AuditQuery,
    Checkpoint,
    CheckpointKey,
    VerifyReport,
    find_segments,
    read_checkpoints,
    search,
    verify,
    why,
)
from bot4_core.convert import unstructure
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_core.errors import AuditError, ChainError, StorageError
from bot4_core.exit_codes import ExitCode
from bot4_plugins.host_cli.order_story import (
    event,
    headline,
    moment,
    order_story,
    outline,
    tripped,
    verdict,
)
from bot4_plugins.host_cli.output import json_option, print_json

STATUSES: Final = frozenset(
    {
        AuditKind.ACK,
        AuditKind.CANCEL,
        AuditKind.REJECT,
        AuditKind.EXPIRY,
        AuditKind.UNKNOWN,
    }
)

LONGEST_NUMBER: Final = 18
"""Digits of a record's number; client order ids are longer."""

HAPPENINGS: Final = STATUSES | {AuditKind.SEND, AuditKind.FILL}

path_argument = click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
key_option = click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the secret that signs them; without it signatures are not looked at.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def audit() -> None:
    """Verify an audit log, and ask it why.

    Example: bot4 audit verify bot4-runs/quickstart.audit.sqlite
    """


@audit.command("verify")
@path_argument
@click.option("--head", default="", help="Digest noted earlier: finds a cut or rewritten log.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Checkpoints kept elsewhere: find a rewritten history.",
)
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
    for line in findings(report):
        click.echo(line)
    return ExitCode.OK


def checkpoints_in(path: Path | None, key: Path | None) -> list[Checkpoint]:
    """Read checkpoints; none without a file.

    Raises
    ------
    AuditError
        If they, or the key, cannot be read, or they are not signed with it.
    """
    secret = None if key is None else CheckpointKey.read(key)
    return [] if path is None else read_checkpoints(path, secret)


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
        time = record.event_time or record.wall_time  # a run starts before its first event
        where = f"{record.sequence:>8}  {moment(time)}  {record.kind.value:<13}"
        text = gist(record)
        click.echo(f"{where}  {record.correlation or '-':<32}  {text}")


def gist(record: AuditRecord) -> str:
    """Write what a record says in a few words."""
    payload = json.loads(record.payload)
    match record.kind:
        case AuditKind.INTENT:
            text = headline(payload)
        case AuditKind.REFUSAL:
            text = f"{headline(payload)} {verdict(payload)}"
        case AuditKind.BREAKER_TRIP:
            text = f"{record.actor} {tripped(payload)}"
        case AuditKind.PLUGIN_STRIKE:
            text = f"{record.actor} {outline(payload)}"
        case AuditKind.RUN_START | AuditKind.RUN_END:
            stopped = payload["facts"].get("stopped", "")
            text = f"{record.run}, {stopped}" if stopped else record.run
        case AuditKind.CHECKPOINT | AuditKind.SEGMENT:
            tree = payload["tree"]
            text = f"{tree['size']:,} records, root {tree['root'][:16]}"
        case kind if kind in HAPPENINGS:
            text = event(kind, payload)
        case _:
            text = outline(payload)
    return text


def plain(record: AuditRecord) -> dict[str, object]:
    """Return a record as JSON data, its payload opened."""
    return {
        "sequence": record.sequence,
        "event_time": record.event_time,
        "wall_time": record.wall_time,
        "run": record.run,
        "kind": record.kind,
        "actor": record.actor,
        "order": record.correlation,
        "payload": json.loads(record.payload),
        "digest": record.digest.hex(),
    }
