"""``bot4 compare``: where two runs went apart."""

from pathlib import Path
from typing import Final

import click

from bot4_core.audit import Comparison, Parting, compare_runs
from bot4_core.convert import unstructure
from bot4_core.exit_codes import ExitCode
from bot4_plugins.host_cli.output import json_option, print_json, print_table

MOST_FIELDS: Final = 3
"""Fields of a difference that a table row names."""

log_argument = click.Path(path_type=Path, dir_okay=False)


@click.command("compare")
@click.argument("left", type=log_argument)
@click.argument("right", type=log_argument)
@click.option("--left-run", default="", help="Name of the run in LEFT, if not its last.")
@click.option("--right-run", default="", help="Name of the run in RIGHT, if not its last.")
@json_option
def compare(left: Path, right: Path, left_run: str, right_run: str, as_json: bool) -> int:
    """Compare what two runs did, by their audit logs, and list every order that differs.

    Names of runs, client order ids and wall times do not count. Exit code 1 says that they
    differ.

    Example: bot4 compare live.audit.sqlite replay.audit.sqlite
    """
    result = compare_runs(left, right, left_run=left_run, right_run=right_run)
    if as_json:
        first = unstructure(result.first) if result.first is not None else None
        print_json({"schema": 1, "same": result.same, "first": first, **unstructure(result)})
    else:
        show(result)
    return ExitCode.OK if result.same else ExitCode.FAILURE


def show(result: Comparison) -> None:
    """Print the result for people."""
    counts = f"{result.left_records:,} and {result.right_records:,} records"
    click.echo(f"left   {result.left_run}")
    click.echo(f"right  {result.right_run}")
    if result.first is None:
        click.echo(f"the same: {counts}, {result.orders:,} orders")
        return
    click.echo(f"first difference: {about(result.first)} ({counts})")
    for each in result.first.fields:
        click.echo(f"  {each.field}: {each.left or '-'} | {each.right or '-'}")
    rows = [
        (about(each), each.left or "-", each.right or "-", shortened(each), each.further)
        for each in result.differences
    ]
    headings = ("order", "left record", "right record", "what differs", "further records")
    print_table(f"{len(rows):,} differ", headings, rows)


def about(difference: Parting) -> str:
    """Name what a difference is about."""
    what = f"order {difference.order}" if difference.order else "the session"
    return f"{what}, step {difference.step}"


def shortened(difference: Parting) -> str:
    """Name the first few fields that differ."""
    if not difference.left or not difference.right:
        return f"{'left' if difference.left else 'right'} only"
    names = [each.field for each in difference.fields]
    rest = len(names) - MOST_FIELDS
    return ", ".join(names[:MOST_FIELDS]) + (f" and {rest} more" if rest > 0 else "")
