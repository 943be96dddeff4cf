"""What the audit commands have in common: their options, and records in a line or as data."""

import json
from pathlib import Path
from typing import Final

import click

from bot4_core.audit import Checkpoint, read_checkpoints, read_verifier
from bot4_core.domain_types.audit_records import AuditKind, AuditRecord
from bot4_plugins.host_cli.order_story import event, headline, moment, outline, tripped, verdict

STATUSES: Final = frozenset(
    {
        AuditKind.ACK,
        AuditKind.CANCEL,
        AuditKind.REJECT,
        AuditKind.EXPIRY,
        AuditKind.UNKNOWN,
    }
)

HAPPENINGS: Final = STATUSES | {AuditKind.SEND, AuditKind.FILL}

path_argument = click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
key_option = click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Public key, or secret, that they are signed with; without it nobody looks at signatures.",
)
against_option = click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with checkpoints kept elsewhere.",
)


def checkpoints_in(path: Path | None, key: Path | None) -> list[Checkpoint]:
    """Read checkpoints; none without a file.

    Raises
    ------
    AuditError
        If they, or the key, cannot be read, or they are not signed with it.
    """
    verifier = None if key is None else read_verifier(key)
    return [] if path is None else read_checkpoints(path, verifier)


def line(record: AuditRecord) -> str:
    """Write a record on one line."""
    time = record.event_time or record.wall_time  # a run starts before its first event
    where = f"{record.sequence:>8}  {moment(time)}  {record.kind.value:<13}"
    return f"{where}  {record.correlation or '-':<32}  {gist(record)}"


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
