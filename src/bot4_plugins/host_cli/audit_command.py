"""``bot4 audit``: verify the log, and ask it about an order."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from bot4_core.audit import verify, why
from bot4_core.convert import unstructure
from bot4_core.domain_types.audit_records import AuditRecord
from bot4_core.errors import AuditError
from bot4_core.exit_codes import ExitCode
from bot4_plugins.host_cli.output import json_option, print_json

path_argument = click.argument("path", type=click.Path(path_type=Path, dir_okay=False))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def audit() -> None:
    """Verify and question an audit log."""


@audit.command("verify")
@path_argument
@click.option("--head", default="", help="Digest noted earlier: finds a cut or rewritten log.")
@json_option
def verify_log(path: Path, head: str, as_json: bool) -> int:
    """Check every record and every link of a log; exit code 9 if one does not fit.

    Example: bot4 audit verify bot4-runs/audit.sqlite
    """
    try:
        report = verify(path, expected_head=head)
    except AuditError as error:
        if as_json:
            sequence = getattr(error, "sequence", None)
            print_json({"schema": 1, "ok": False, "error": str(error), "sequence": sequence})
        else:
            click.echo(f"bot4: {error}", err=True)
        return ExitCode.AUDIT
    if as_json:
        print_json({"schema": 1, "ok": True, **unstructure(report)})
    else:
        click.echo(f"{path}: {report.records:,} records of {report.runs} runs verify")
        click.echo(f"head {report.head}")
    return ExitCode.OK


@audit.command("why")
@path_argument
@click.argument("order")
@json_option
def why_order(path: Path, order: str, as_json: bool) -> None:
    """Print why an order was sent and what became of it, with all numbers.

    ORDER is the client order id.

    Example: bot4 audit why bot4-runs/audit.sqlite 0123456789abcdef0000000000000001
    """
    records = why(path, order)
    if as_json:
        print_json({"schema": 1, "order": order, "records": [plain(each) for each in records]})
        return
    for record in records:
        moment = datetime.fromtimestamp(record.event_time / 1e9, UTC).isoformat(" ", "microseconds")
        click.secho(f"{record.sequence:>8}  {moment}  {record.kind}  ({record.actor})", bold=True)
        for name, value in json.loads(record.payload).items():
            for line in lines(name, value):
                click.echo(f"          {line}")


def plain(record: AuditRecord) -> dict[str, object]:
    """Return a record as JSON data, its payload opened."""
    return {
        "sequence": record.sequence,
        "event_time": record.event_time,
        "wall_time": record.wall_time,
        "kind": record.kind,
        "actor": record.actor,
        "payload": json.loads(record.payload),
        "digest": record.digest.hex(),
    }


def lines(name: str, value: object, indent: str = "") -> list[str]:
    """Write a payload as indented lines; short lists and mappings on one line."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and len(text) > 80:
        inner = [line for key, each in value.items() for line in lines(key, each, indent + "  ")]
        return [f"{indent}{name}:", *inner]
    return [f"{indent}{name}: {text if not isinstance(value, str) else value}"]
