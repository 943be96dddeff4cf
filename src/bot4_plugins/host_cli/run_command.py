"""``bot4 run``: a session from a configuration file."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import click
from rich.progress import TaskID

from bot4_core.errors import StorageError
from bot4_core.session.config import SessionConfig, SessionMode
from bot4_core.session.ports import Progress, RunProgress
from bot4_core.session.report import SessionReport
from bot4_core.session.runner import run as run_session
from bot4_plugins.host_cli.output import json_option, print_json, print_table, progress_bar
from bot4_plugins.host_cli.plugins_command import installed_host

STAGES = {"compile": "compile kernels", "run": "run"}


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
@click.option("--live", is_flag=True, help="Agree that real orders may be sent.")
@json_option
def run(
    config: Path,
    seed: int | None,
    recordings: tuple[Path, ...],
    live: bool,
    as_json: bool,
) -> None:
    """Run the session that CONFIG (a TOML file) describes.

    Ends with a short table and an HTML report with plots. Orders are simulated unless CONFIG says
    "live" and --live is given.

    Example: bot4 run examples/quickstart.toml --seed 7
    """
    settings = with_overrides(SessionConfig.read(config), seed, recordings)
    with told() as progress:
        report = run_session(settings, installed_host(), time, consent=live, progress=progress)
    report = attrs.evolve(report, report=str(write_report(report, settings.report, config.stem)))
    for warning in report.warnings:
        click.echo(f"bot4: warning: {warning}", err=True)
    if as_json:
        print_json(report.data())
    else:
        show(report)


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


@contextmanager
def told() -> Iterator[Progress]:
    """Give something to tell progress to, shown as one bar a stage."""
    with progress_bar() as bar:
        tasks: dict[str, TaskID] = {}

        def tell(progress: RunProgress) -> None:
            if progress.stage not in tasks:
                for earlier in tasks.values():
                    bar.update(earlier, completed=1.0)
                name = STAGES.get(progress.stage, progress.stage)
                tasks[progress.stage] = bar.add_task(name, total=1.0)
            bar.update(tasks[progress.stage], completed=progress.share)

        yield tell


def write_report(report: SessionReport, folder: Path, name: str) -> Path:
    """Write the page with plots and the data beside it, and return the page's path."""
    from bot4_plugins.host_cli.session_charts import session_page  # noqa: PLC0415 - loads plotly

    page = folder / f"{name}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page.write_text(session_page(report, f"bot4 session {name}"), encoding="utf-8")
        data = {**report.data(), "report": str(page)}
        (folder / f"{name}.json").write_text(json.dumps(data, indent=2), encoding="utf-8")
    except OSError as error:
        cause = error.strerror or str(error)
        raise StorageError(
            f"{page}: the report cannot be written: {cause}; the audit log is complete, name "
            "another folder as `report` in the configuration"
        ) from error
    return page


def show(report: SessionReport) -> None:
    """Print the result for people."""
    rows = [
        (symbol, held.size, held.average_price, held.realised, held.unrealised, held.fees)
        for symbol, held in report.positions.items()
    ]
    headings = ("symbol", "position", "average", "realised", "unrealised", "fees")
    print_table(f"Positions ({report.mode})", headings, rows)
    result = report.pnl
    orders = ", ".join(f"{count:,} {status}" for status, count in report.orders.items())
    click.echo(
        f"net      {result.net} {result.asset} (fees {result.fees}, funding {result.funding})"
    )
    click.echo(f"orders   {orders or 'none'}; {report.fills:,} fills")
    for trip in report.breakers:
        click.echo(f"breaker  {trip.breaker} on {trip.instrument}: {trip.effect} ({trip.reason})")
    timing = report.timing
    click.echo(
        f"speed    {report.messages:,} messages, {timing.messages_per_s:,.0f} a second; a step "
        f"took {timing.decision_p50_us:.1f} µs, p99 {timing.decision_p99_us:.1f} µs"
    )
    click.echo(f"audit    {report.audit.path} ({report.audit.records:,} records)")
    click.echo(f"digest   {report.digest}")
    click.echo(f"report   {report.report}")
