"""What commands say beside their data: warnings and progress, on standard error."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import click

__all__ = ["Stages", "Talk"]

PATIENCE: Final = 1.0
"""Seconds of silence before the first line, where standard error is no terminal."""
EVERY: Final = 5.0
"""Seconds between lines there."""
PATIENT: Final = 6
"""After so many times without news the last line is said again."""


class Stages(Protocol):
    """Told how far a command has come."""

    def __call__(self, stage: str, share: float, detail: str = "") -> None:
        """Take note of a stage in plain words, its share from 0 to 1, and what it is at."""


class Talk:
    """How much a command says; made once for each call of the command line."""

    def __init__(self) -> None:
        self.verbose = False
        self.quiet = False

    def warn(self, text: object) -> None:
        """Say on one line that something is not as it should be."""
        if not self.quiet:
            click.echo(f"bot4: warning: {one_line(text)}", err=True)

    @contextmanager
    def stages(self) -> Iterator[Stages]:
        """Show stages: as bars on a terminal, as a line now and then elsewhere."""
        if self.quiet:
            yield lambda stage, share, detail="": None
        elif sys.stderr.isatty():
            with bars() as tell:
                yield tell
        else:
            with lines() as tell:
                yield tell


def one_line(text: object) -> str:
    """Fold white space, so that a message stays one line."""
    return " ".join(str(text).split())


@contextmanager
def bars() -> Iterator[Stages]:
    """Show one bar a stage, gone when all is done."""
    from rich.console import Console  # noqa: PLC0415 - costs what pipes need not pay
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, share: float, detail: str = "") -> None:
            if stage not in tasks:
                for earlier in tasks.values():
                    progress.update(earlier, completed=1.0, detail="")
                tasks[stage] = progress.add_task(stage, total=1.0, detail="")
            progress.update(tasks[stage], completed=share, detail=detail)

        yield tell


@contextmanager
def lines(patience: float = PATIENCE, every: float = EVERY) -> Iterator[Stages]:
    """Write a line when something takes long, from a thread, so that compiling cannot mute it."""
    latest = ""
    done = threading.Event()

    def watch() -> None:
        wait, said, silent = patience, "", 0
        while not done.wait(wait):
            wait, silent = every, silent + 1
            if latest and (latest != said or silent == PATIENT):
                said, silent = latest, 0
                click.echo(f"bot4: {said}", err=True)

    def tell(stage: str, share: float, detail: str = "") -> None:
        nonlocal latest
        latest = f"{stage}… {share:.0%} {detail}".rstrip()

    watcher = threading.Thread(target=watch, name="bot4-talk", daemon=True)
    watcher.start()
    try:
        yield tell
    finally:
        done.set()
        watcher.join()
