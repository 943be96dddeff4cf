"""``bot4 replay``: recordings in, books out."""

import time
from pathlib import Path

import click

from bot4_core.convert import unstructure
from bot4_core.session.replay import ReplayReport, replay
from bot4_plugins.host_cli.output import json_option, print_json, print_table
from bot4_plugins.host_cli.reading import reading
from bot4_plugins.host_cli.venues import adapter_factory, venue_options

files_argument = click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
salvage_option = click.option(
    "--salvage", is_flag=True, help="Read damaged files as far as they go, with a warning."
)


@click.command("replay")
@files_argument
@venue_options
@salvage_option
@json_option
def replay_files(
    files: tuple[Path, ...],
    venue: str,
    market: str,
    salvage: bool,
    as_json: bool,
) -> None:
    """Replay recordings as one session and print the books they end in.

    Several files are one session in the order given; files of different instruments are merged
    by receive time.

    Example: bot4 replay session.b4r --json
    """
    factory = adapter_factory(venue, market)
    with reading("replay", salvage=salvage) as (options, tell):
        report = replay(files, factory, time.perf_counter_ns, options=options, progress=tell)
    for warning in report.warnings:
        click.echo(f"bot4: warning: {warning}", err=True)
    if as_json:
        print_json(unstructure(report))
    else:
        show(report)


def show(report: ReplayReport) -> None:
    """Print the report for people."""
    rows = []
    for symbol, seen in report.instruments.items():
        bid, ask = seen.best_bid or ("", ""), seen.best_ask or ("", "")
        counts = f"{seen.gaps}/{seen.resyncs}/{seen.crossed}"
        levels = f"{seen.levels[0]}/{seen.levels[1]}"
        rows.append((symbol, seen.state, *bid, *ask, levels, seen.trades, counts))
    headings = ("symbol", "book", "bid", "size", "ask", "size", "levels", "trades")
    print_table("Books", (*headings, "gaps/resyncs/crossed"), rows)
    print_table("Events", ("kind", "count"), report.kinds.items())
    scales = [symbol for symbol, seen in report.instruments.items() if seen.exponents_from_data]
    if scales:
        click.echo(f"Decimals read off the data, for lack of metadata: {', '.join(scales)}")
    click.echo(
        f"{report.messages:,} messages, {report.events:,} events, "
        f"{report.quarantined:,} quarantined, {report.messages_per_s:,.0f} messages/s"
    )
    click.echo(f"digest {report.digest}")
