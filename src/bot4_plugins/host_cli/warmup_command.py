"""``bot4 warmup``: compile ahead of the first session."""

import time
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import attrs
import click

from bot4_core.convert import structure
from bot4_core.errors import Bot4Error
from bot4_core.plugins import PluginHost
from bot4_core.session.config import SessionConfig
from bot4_core.session.feed import feed_kernels
from bot4_core.session.ports import RunProgress
from bot4_core.session.warming import warm_session
from bot4_plugins.host_cli.output import json_option, print_json
from bot4_plugins.host_cli.plugins_command import installed_host
from bot4_plugins.host_cli.run_command import faults_of, read, tell
from bot4_plugins.host_cli.talk import Talk


@attrs.frozen
class Warmed:
    """One session's kernels: how many were compiled rather than found, or why none."""

    session: str
    compiled: int
    error: str = ""


@click.command("warmup")
@click.argument("configs", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@json_option
@click.pass_obj
def warmup(talk: Talk, configs: tuple[Path, ...], as_json: bool) -> None:
    """Compile what sessions need, so that the first one starts at once.

    CONFIGS name sessions; without any, the installed plugins are taken at their defaults. What
    was compiled is kept on disk until the code, the libraries or the processor change.

    Example: bot4 warmup examples/quickstart.toml
    """
    host = installed_host()
    begin = time.perf_counter()
    if configs:
        done = [warm_file(talk, host, path) for path in configs]
    else:
        done = [attempt(talk, host, settings) for settings in defaults(host)]
    wall = time.perf_counter() - begin
    for each in done:
        if each.error:
            talk.warn(f"{each.session}: {each.error}")
    if as_json:
        sessions = [attrs.asdict(each) for each in done]
        print_json({"schema": 1, "sessions": sessions, "wall_s": wall})
        return
    for each in done:
        click.echo(f"{each.session}: {each.compiled} kernels compiled, the others were there")
    click.echo(f"{wall:.1f} s")


def warm(talk: Talk, host: PluginHost, settings: SessionConfig) -> int:
    """Compile one session's kernels, showing how far it is."""
    with talk.stages() as stages:

        def show_progress(progress: RunProgress) -> None:
            tell(stages, progress)

        more = feed_kernels() if settings.source.recordings else ()
        return warm_session(settings, host, show_progress, more=more)


def warm_file(talk: Talk, host: PluginHost, path: Path) -> Warmed:
    """Compile the kernels of a configuration file's session."""
    with faults_of(path):
        return Warmed(str(path), warm(talk, host, read(path)))


def attempt(talk: Talk, host: PluginHost, settings: SessionConfig) -> Warmed:
    """Compile the kernels of plugins at their defaults; some cannot be made without settings."""
    parts = [settings.venue.plugin, settings.venue.market, settings.strategy.plugin]
    name = " ".join([*parts, settings.sizer.plugin])
    try:
        return Warmed(name, warm(talk, host, settings))
    except Bot4Error as error:
        return Warmed(name, 0, str(error))


def defaults(host: PluginHost) -> Iterator[SessionConfig]:
    """Yield sessions that together name every installed part once."""

    def names(kind: str) -> list[str]:
        return [part.name for part in host.components(kind)]

    breakers = [{"plugin": name} for name in names("breaker")]
    rows = list(zip_longest(names("strategy"), names("sizer"), names("router")))
    for exchange in names("exchange"):
        market = host.load("exchange", exchange).markets[0]
        for strategy, sizer, router in rows:
            yield structure(
                {
                    "venue": {"plugin": exchange, "market": market},
                    "account": {"asset": "USD", "cash": "100000"},
                    "strategy": {"plugin": strategy or rows[0][0]},
                    "sizer": {"plugin": sizer or rows[0][1]},
                    **({"router": {"plugin": router}} if router else {}),
                    "breakers": breakers,
                },
                SessionConfig,
                "warmup",
            )
