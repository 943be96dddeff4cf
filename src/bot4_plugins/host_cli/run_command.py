"""``bot4 run``: a session from a configuration file."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import attrs
import click

from bot4_core.errors import ConfigError, RecordingError, StorageError
from bot4_core.exit_codes import ExitCode
from bot4_core.session.config import DriverChoice, SessionConfig, SessionMode
from bot4_core.session.ports import RunProgress
from bot4_core.session.report import BreakerReport, SessionReport
from bot4_core.session.runner import run as run_session
from bot4_plugins.host_cli.feed_process import FeedProcess
from bot4_plugins.host_cli.interruption import Interruption
from bot4_plugins.host_cli.live import connecting
from bot4_plugins.host_cli.output import (
    json_option,
    print_json,
    print_table,
    schema_option,
    without_zeros,
)
from bot4_plugins.host_cli.plugins_command import installed_host
from bot4_plugins.host_cli.reading import (
    RecordedAt,
    doubts,
    reading_ahead,
    require_origin,
    whole_files,
)
from bot4_plugins.host_cli.report_files import write_report
from bot4_plugins.host_cli.talk import Stages, Talk

STAGES = {"compile": "compile kernels (once)", "run": "run the session"}
MOST_TRIPS = 5
SALVAGE = "`bot4 import --salvage FILE -o NEW.b4r` makes a whole one of what comes before"


@click.command("run")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="In place of the file's seed.")
@click.option(
    "--recording",
    "recordings",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A recording to play, in place of the file's; may be given several times.",
)
@click.option(
    "--driver",
    type=click.Choice([choice.value for choice in DriverChoice]),
    help="What walks the decisions, in place of the file's; the results are the same.",
)
@click.option("--feed-process", is_flag=True, help="Read recordings in a process of their own.")
@click.option("--live", is_flag=True, help="Agree that real orders may be sent.")
@click.option("--quarantine", is_flag=True, help="Put a damaged audit log aside and begin anew.")
@json_option
@schema_option("run")
@click.pass_obj
def run(
    talk: Talk,
    config: Path,
    *,
    seed: int | None,
    recordings: tuple[Path, ...],
    driver: str | None,
    feed_process: bool,
    live: bool,
    quarantine: bool,
    as_json: bool,
) -> int:
    """Run the session that CONFIG (a TOML file) describes.

    Ends with a short table and an HTML report with plots. Orders are simulated unless CONFIG says
    "live" and --live is given. Ctrl-C ends the session in good order, a second one at once. Exit
    code 7 says that a breaker tripped.

    Example: bot4 run examples/quickstart.toml --seed 7
    """
    settings = with_overrides(read(config), seed, recordings)
    if driver is not None:
        settings = attrs.evolve(settings, driver=DriverChoice(driver))
    if quarantine:
        settings = attrs.evolve(settings, audit=attrs.evolve(settings.audit, quarantine=True))
    require_folder(settings.audit.path.parent, "the audit log")
    require_folder(settings.report, "the report")
    with faults_of(config):
        report = play(settings, talk, live=live, feed_process=feed_process)
    for warning in report.warnings:
        talk.warn(warning)
    if report.audit.unpublished:
        talk.warn(f"{report.audit.unpublished:,} checkpoints of the audit log could not be kept")
    require_events(report, settings, talk)
    try:
        page = write_report(report, settings.report, config.stem)
        report = attrs.evolve(report, report=str(page))
    finally:
        if as_json:
            print_json(report.data())
        else:
            show(report)
    return ending(report)


def read(config: Path) -> SessionConfig:
    """Read the configuration.

    Raises
    ------
    ConfigError
        If there is none, or with every fault at once.
    """
    if not config.is_file():
        fault = "there is no such file; check the path, or start from examples/quickstart.toml"
        raise ConfigError(str(config), [("", fault)])
    return SessionConfig.read(config)


@contextmanager
def faults_of(config: Path) -> Iterator[None]:
    """Say which file is wrong when a session refuses its configuration."""
    try:
        yield
    except ConfigError as error:
        source = str(config) if error.source == "session" else error.source
        raise ConfigError(source, error.faults) from error


def with_overrides(
    config: SessionConfig, seed: int | None, recordings: tuple[Path, ...]
) -> SessionConfig:
    """Return the configuration with what the command line says instead."""
    if seed is not None:
        config = attrs.evolve(config, seed=seed)
    if recordings:
        mode = config.mode if config.mode is SessionMode.LIVE else SessionMode.BACKTEST
        config = attrs.evolve(
            config, mode=mode, source=attrs.evolve(config.source, recordings=recordings)
        )
    return config


def require_folder(folder: Path, what: str) -> None:
    """Make a folder and see that it can be written, before anything is worked out.

    Raises
    ------
    StorageError
        If it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        cause = error.strerror or str(error)
        raise StorageError(
            f"{folder}: cannot be written ({cause}), and {what} goes there; "
            "name another place in the configuration"
        ) from error


def play(settings: SessionConfig, talk: Talk, *, live: bool, feed_process: bool) -> SessionReport:
    """Run the session, showing how far it is."""
    host = installed_host()
    origin = RecordedAt(settings.venue.plugin, settings.venue.market)
    require_origin(settings.source.recordings, origin)
    with (
        talk.stages() as stages,
        Interruption(talk) as interruption,
        whole_files(settings.source.recordings, SALVAGE),
        reading_ahead() as options,
        FeedProcess(settings, quiet=talk.quiet) as feed,
        connecting(settings) as connect,
    ):

        def show_progress(progress: RunProgress) -> None:
            interruption.graceful = progress.stage == "run"
            tell(stages, progress)

        return run_session(
            settings,
            host,
            time,
            consent=live,
            progress=show_progress,
            stop=lambda: interruption.reason,
            options=options,
            feed=feed if feed_process else None,
            connect=connect,
        )


def require_events(report: SessionReport, settings: SessionConfig, talk: Talk) -> None:
    """Tell of messages that the venue does not send.

    Raises
    ------
    RecordingError
        If there were no others.
    """
    origin = RecordedAt(settings.venue.plugin, settings.venue.market)
    doubt = doubts(origin, report.events, report.quarantined)
    if doubt and not report.events and not settings.source.live:
        files = " ".join(map(str, settings.source.recordings)) or "the session"
        raise RecordingError(f"{files}: {doubt}")
    if doubt:
        talk.warn(doubt)


def tell(stages: Stages, at: RunProgress) -> None:
    """Pass on where a run is."""
    detail = at.detail or (f"{at.messages:,} messages" if at.messages else "")
    stages(STAGES.get(at.stage, at.stage), at.share, detail)


def ending(report: SessionReport) -> ExitCode:
    """Return the exit code that a finished session stands for."""
    if report.stopped:
        return ExitCode.INTERRUPTED
    return ExitCode.RISK_HALT if report.breakers else ExitCode.OK


def show(report: SessionReport) -> None:
    """Print the result for people."""
    rows = [
        (
            symbol,
            held.size,
            without_zeros(held.average_price or ""),
            held.realised,
            held.unrealised,
            held.fills,
        )
        for symbol, held in report.positions.items()
    ]
    headings = ("symbol", "position", "average", "realised", "unrealised", "fills")
    print_table(f"Positions ({report.mode})", headings, rows, right=1)
    for name, text in summary(report):
        click.echo(f"{name:<9}{text}")


def trips(tripped: Sequence[BreakerReport]) -> Iterator[tuple[str, str]]:
    """Yield what tripped first, and how many more did."""
    for trip in tripped[:MOST_TRIPS]:
        effect = trip.effect.replace("_", " ")
        yield "breaker", f"{trip.breaker}, {effect} on {trip.symbol}: {trip.reason}"
        if trip.values:
            yield "", ", ".join(f"{name} {value:.4g}" for name, value in trip.values.items())
    if len(tripped) > MOST_TRIPS:
        yield "", f"and {len(tripped) - MOST_TRIPS:,} more trips; the report lists them"


def summary(report: SessionReport) -> list[tuple[str, str]]:
    """Return the lines below the table."""
    result, timing = report.pnl, report.timing
    orders = ", ".join(f"{count:,} {status}" for status, count in report.orders.items())
    lines = [
        ("net", f"{result.net} {result.asset} (fees {result.fees}, funding {result.funding})"),
        ("orders", f"{orders or 'none'}; {report.fills:,} fills"),
    ]
    if report.refusals:
        plural = "s" if report.refusals > 1 else ""
        lines.append(("gate", f"kept {report.refusals:,} order{plural} back"))
    lines += trips(report.breakers)
    if report.stopped:
        lines.append(("stopped", report.stopped))
    speed = (
        f"{report.messages:,} messages, {timing.messages_per_s:,.0f} a second; a step took "
        f"{timing.decision_p50_us:.1f} µs, p99 {timing.decision_p99_us:.1f} µs"
    )
    return [
        *lines,
        ("speed", speed),
        ("audit", f"{report.audit.path} ({report.audit.records:,} records)"),
        ("head", report.audit.head),
        ("root", report.audit.root),
        ("digest", report.digest),
        ("report", report.report or "not written"),
    ]
