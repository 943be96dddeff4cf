"""``bot4 import``: foreign recordings into one of ours."""

from pathlib import Path
from tempfile import TemporaryFile

import click

from bot4_core.convert import unstructure
from bot4_core.errors import RecordingError, StorageError
from bot4_core.session.importing import import_files
from bot4_plugins.host_cli.output import json_option, print_json
from bot4_plugins.host_cli.reading import doubts, origin_of, reading
from bot4_plugins.host_cli.replay_command import files_argument, salvage_option
from bot4_plugins.host_cli.talk import Talk
from bot4_plugins.host_cli.venues import adapter_factory, venue_options


@click.command("import")
@files_argument
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The recording to write; must not exist.",
)
@venue_options
@salvage_option
@json_option
@click.pass_obj
def import_recordings(
    talk: Talk,
    files: tuple[Path, ...],
    out: Path,
    venue: str | None,
    market: str | None,
    salvage: bool,
    as_json: bool,
) -> None:
    """Turn recordings of other programs into one of ours: events, index and raw messages.

    Example: bot4 import tape.gz -o tape.b4r --venue binance --market usdm
    """
    require_place(out)
    origin = origin_of(files, venue, market)
    factory = adapter_factory(origin.venue, origin.market)
    with reading(talk, "import", files, origin, salvage=salvage) as (options, tell):
        report = import_files(files, out, factory, origin.market, options=options, progress=tell)
    for warning in report.warnings:
        talk.warn(warning)
    counts = report.counts
    doubt = doubts(origin, counts.events, counts.quarantined)
    if doubt and not counts.events:
        out.unlink()
        raise RecordingError(f"{' '.join(map(str, files))}: {doubt}")
    if doubt:
        talk.warn(doubt)
    if as_json:
        print_json({"schema": 1, **unstructure(report)})
        return
    click.echo(
        f"{report.path}: {counts.messages:,} messages, {counts.events:,} events of "
        f"{', '.join(report.instruments)}\ndigest {report.digest}"
    )


def require_place(out: Path) -> None:
    """See that a recording can be written, before anything is read.

    Raises
    ------
    StorageError
        If it cannot.
    """
    try:
        with TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        cause = error.strerror or str(error)
        raise StorageError(f"cannot write {out}: {cause}; choose another --out") from error
