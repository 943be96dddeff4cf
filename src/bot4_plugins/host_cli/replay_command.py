"""``bot4 replay``: recordings in, books out."""

import time
from pathlib import Path

import click

from bot4_core.convert import unstructure
from bot4_core.session.replay import ReplayReport, replay
from bot4_plugins.host_cli.output import json_option, print_json, print_table, schema_option
from bot4_plugins.host_cli.reading import doubts, origin_of, reading
from bot4_plugins.host_cli.talk import Talk
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
@schema_option("replay")
@click.pass_obj
def replay_files(
    talk: Talk,
    files: tuple[Path, ...],
    venue: str | None,
    market: str | None,
    salvage: bool,
    as_json: bool,
) -> None:
    """Replay recordings as one session and print the books they end in.

    Several files are one session in the order given; files of different instruments are merged
    by receive time.

    Example: bot4 replay session.b4r --json
    """
    origin = origin_of(files, venue, market)
    factory = adapter_factory(origin.venue, origin.market)
    with reading(talk, "replay", files, origin, salvage=salvage) as (options, tell):
        report = replay(files, factory, time.perf_counter_ns, options=options, progress=tell)
    for warning in report.warnings:
        talk.warn(warning)
    doubt = doubts(origin, report.events, report.quarantined)
    if doubt:
        talk.warn(doubt)
    for symbol, seen in report.instruments.items():
        if seen.state in BOOK_STATES:
            talk.warn(f"the book of {symbol} is {seen.state}: {BOOK_STATES[seen.state]}")
    if as_json:
        print_json(unstructure(report))
    else:
        show(report)


BOOK_STATES = {
    "SYNCING": "no snapshot was seen, so its levels are not the whole book",
    "STALE": "a message is missing before the end, or it is of another market",
    "CROSSED": "its best bid is not below its best ask",
}


def show(report: ReplayReport) -> None:
    """Print the report for people."""
    seen = report.instruments.items()
    print_table(
        "Books",
        ("symbol", "state", "best bid", "best ask", "levels"),
        [
            (symbol, each.state, quoted(each.best_bid), quoted(each.best_ask), sides(each.levels))
            for symbol, each in seen
        ],
        right=2,
    )
    print_table(
        "Integrity",
        ("symbol", "gaps", "resyncs", "crossed", "trades"),
        [(symbol, each.gaps, each.resyncs, each.crossed, each.trades) for symbol, each in seen],
        right=1,
    )
    print_table(
        "Events", ("kind", "count"), [(k, f"{n:,}") for k, n in report.kinds.items()], right=1
    )
    scales = [symbol for symbol, each in seen if each.exponents_from_data]
    if scales:
        click.echo(f"Decimals read off the data, for lack of metadata: {', '.join(scales)}")
    click.echo(
        f"{report.messages:,} messages, {report.events:,} events, "
        f"{report.quarantined:,} quarantined, {report.messages_per_s:,.0f} messages/s"
    )
    click.echo(f"digest {report.digest}")


def quoted(level: tuple[str, str] | None) -> str:
    """Write a price with its size."""
    return "-" if level is None else f"{level[0]} x {level[1]}"


def sides(levels: tuple[int, int]) -> str:
    """Write how many levels the sides have."""
    return f"{levels[0]:,} / {levels[1]:,}"
