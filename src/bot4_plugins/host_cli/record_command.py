"""``bot4 record``: what a venue says, into one of our recordings."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from bot4_core.convert import structure, unstructure
from bot4_core.errors import MissingPluginError, VenueError
from bot4_core.market.recordings import RecordingCounts
from bot4_core.plugins.interfaces import Exchange
from bot4_plugins.host_cli.import_command import require_place
from bot4_plugins.host_cli.interruption import Interruption
from bot4_plugins.host_cli.live import INSTALL, network
from bot4_plugins.host_cli.output import json_option, print_json
from bot4_plugins.host_cli.talk import Stages, Talk
from bot4_plugins.host_cli.venues import require_market

if TYPE_CHECKING:
    from bot4_plugins.venue_toolkit.connection_health import ConnectionHealth
    from bot4_plugins.venue_toolkit.recorder import RecordedSession


@click.command("record")
@click.argument("venue")
@click.argument("symbols", nargs=-1, required=True)
@click.option("--market", help="The venue's own division; its first one without it.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The recording to write; must not exist. VENUE-MARKET-TIME.b4r without it.",
)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="End after so long.")
@json_option
@click.pass_obj
def record_venue(
    talk: Talk,
    venue: str,
    symbols: tuple[str, ...],
    *,
    market: str | None,
    out: Path | None,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Record SYMBOLS of VENUE, as it spells them, until Ctrl-C: raw messages and events.

    Public data only; no key is read. What is in the file can be read at any time, and after a
    crash. Gaps are in it too, and the snapshots that mend them.

    Example: bot4 record binance BTCUSDT ETHUSDT --market usdm
    """
    kind, market = require_market(venue, market)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = out or Path(f"{venue}-{market}-{stamp}.b4r")
    require_place(path)
    given = {"market": market, "symbols": list(symbols)}
    known = {field.name for field in attrs.fields(kind.settings_type)}
    wanted = {name: value for name, value in given.items() if name in known}
    exchange: Exchange = kind(structure(wanted, kind.settings_type, "SYMBOLS"))
    report = recorded(exchange, market, path, seconds, talk)
    if not report.counts.messages + report.counts.responses:
        text = f"nothing came from {venue}; check the network and the symbols ({path} is empty)"
        raise VenueError(text)
    if report.lost:
        talk.warn(f"{report.lost} connections were lost and opened again; the gaps are recorded")
    if as_json:
        print_json({"schema": 1, **unstructure(report)})
        return
    counts = report.counts
    click.echo(
        f"{report.path}: {counts.messages:,} messages and {counts.responses:,} replies, "
        f"{counts.events:,} events of {', '.join(report.instruments)} in {report.seconds:,.0f} s"
    )


def recorded(
    exchange: Exchange, market: str, path: Path, seconds: float | None, talk: Talk
) -> "RecordedSession":
    """Record until it is enough, showing how far it is."""
    try:
        from bot4_plugins.venue_toolkit.recorder import record  # noqa: PLC0415 - only live
    except ImportError as error:
        raise MissingPluginError(INSTALL) from error
    begin = time.monotonic()
    with talk.stages() as tell, Interruption(talk) as interruption:
        interruption.graceful = True

        def stop() -> bool:
            late = seconds is not None and time.monotonic() - begin >= seconds
            return late or bool(interruption.reason)

        def show(counts: RecordingCounts, health: "Sequence[ConnectionHealth]") -> None:
            share = (time.monotonic() - begin) / seconds if seconds else 0.0
            say(tell, min(share, 1.0), counts, health)

        work = record(exchange, network(), path, market, stop=stop, progress=show)
        return asyncio.run(work)


def say(
    tell: Stages, share: float, counts: RecordingCounts, health: "Sequence[ConnectionHealth]"
) -> None:
    """Tell how much was recorded, and which connections are down."""
    down = [each.name for each in health if not each.is_open]
    trouble = f", down: {', '.join(down)}" if down else ""
    tell("record", share, f"{counts.messages:,} messages, {counts.events:,} events{trouble}")
