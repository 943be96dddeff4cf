"""``bot4 audit sign``: checkpoints by an account that only reads the log."""

import time
from pathlib import Path

import click

from bot4_core.audit import countersign, find_segments, read_signer, read_verifier
from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import StorageError
from bot4_plugins.host_cli.audit_reading import path_argument
from bot4_plugins.host_cli.output import json_option, print_json


@click.command("sign")
@path_argument
@click.option(
    "--key",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Private Ed25519 key in PEM, or another secret.",
)
@click.option(
    "--to",
    "notes",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the checkpoints signed so far; it gets another one.",
)
@json_option
def sign_log(path: Path, key: Path, notes: Path, as_json: bool) -> None:
    """Verify a log against the checkpoints signed so far, and sign what it holds now.

    Meant for another account than that of the trading process, which then never holds the key.

    Example: bot4 audit sign LOG --key private.pem --to /mnt/other/session.checkpoints
    """
    if not find_segments(path):
        raise StorageError(f"{path}: there is no such audit log; check the path")
    now = Nanoseconds(time.time_ns())
    checkpoint = countersign(path, notes, read_signer(key), read_verifier(key), now)
    if as_json:
        size, root = checkpoint.size, checkpoint.root.hex()
        print_json({"schema": 1, "origin": checkpoint.origin, "size": size, "root": root})
        return
    click.echo(f"{notes}: {checkpoint.size:,} records of {checkpoint.origin} signed")
    click.echo(f"root {checkpoint.root.hex()}")
