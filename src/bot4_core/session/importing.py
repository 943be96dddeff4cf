"""Turn foreign recordings into one of our own."""

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import attrs
import numpy as np

from bot4_core.domain_types.records import EventFlag
from bot4_core.errors import PrecisionGrew, RecordingError
from bot4_core.market.recordings import (
    Durability,
    MessageBlock,
    MessageFile,
    Recording,
    RecordingCounts,
    RecordingHeader,
    RecordingWriter,
)
from bot4_core.market.recordings.recorded_messages import message_files
from bot4_core.plugins.interfaces import Exchange, Records
from bot4_core.session.event_stream import (
    EventStream,
    ReadingOptions,
    open_files,
    open_stream,
    regrown,
)
from bot4_core.session.replay import ExchangeFactory, ReplayProgress, compile_report
from bot4_core.session.replay_kernels import warm_replay

__all__ = ["ImportReport", "import_files"]

COMMIT_EVENTS: Final = 1 << 13
"""Events of one commit: at most this much is lost when a recording is cut off."""


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import wrote."""

    path: Path
    digest: str
    counts: RecordingCounts
    instruments: tuple[str, ...]
    warnings: tuple[str, ...]


def import_files(
    paths: Sequence[Path],
    out: Path,
    exchange_factory: ExchangeFactory,
    market: str,
    *,
    options: ReadingOptions | None = None,
    durability: Durability = Durability.CLOSE,
    progress: Callable[[ReplayProgress], None] | None = None,
) -> ImportReport:
    """Write one recording of the events and raw messages of files.

    The recording is written beside its place, with ``.part`` added to its name, and moved there
    when it is whole. Recordings of our own among the files are decoded again from their messages.

    Parameters
    ----------
    paths : sequence of Path
    out : Path
        Must not exist.
    exchange_factory : callable
        Makes the adapter that decodes the files.
    market : str
        The venue's own name for its division: spot, usdm ...
    options : ReadingOptions, optional
    durability : Durability
    progress : callable, optional

    Raises
    ------
    RecordingError
        If a file cannot be read or written; what was written stays readable in ``.part``.
    """
    if out.exists():
        raise RecordingError(f"{out}: exists already; delete it or choose another name")
    part = out.with_name(f"{out.name}.part")
    reading = options or ReadingOptions()
    exchange = exchange_factory(())
    files = _message_files(paths, reading)
    warm_replay(exchange, compile_report(progress))
    while True:
        task = _Import(files, exchange, reading, progress)
        try:
            report = task.write(part, market, durability)
        except PrecisionGrew as grown:
            exchange = exchange_factory(regrown(exchange.instruments, grown))
            files = _message_files(paths, reading)
            continue
        part.replace(out)
        return attrs.evolve(report, path=out)


def _message_files(paths: Sequence[Path], options: ReadingOptions) -> list[MessageFile]:
    files: list[MessageFile] = []
    for file in open_files(paths, options):
        if isinstance(file, Recording):
            files += message_files(file)
        else:
            files.append(file)
    return files


class _Import:
    """One attempt at an import, with one adapter."""

    def __init__(
        self,
        files: Sequence[MessageFile],
        exchange: Exchange,
        options: ReadingOptions,
        progress: Callable[[ReplayProgress], None] | None,
    ) -> None:
        self.files = files
        self.exchange = exchange
        self.progress = progress
        self.bytes_total = sum(file.path.stat().st_size for file in files)
        self.stream: EventStream = open_stream(files, exchange, options, self._keep)
        self.blocks: list[tuple[int, MessageBlock]] = []
        self.events = 0

    def _keep(self, number: int, block: MessageBlock) -> None:
        self.blocks.append((number, block))

    def write(self, path: Path, market: str, durability: Durability) -> ImportReport:
        """Write the whole recording, over one that an earlier attempt left."""
        path.unlink(missing_ok=True)
        header = RecordingHeader(
            venue=self.exchange.name,
            market=market,
            clock=self.stream.clock,
            tool=f"bot4-core {version('bot4-core')}",
        )
        with RecordingWriter(path, header, durability=durability) as writer:
            self.run(writer)
            digest = writer.finish()
        return ImportReport(
            path=path,
            digest=digest,
            counts=writer.counts,
            instruments=tuple(str(instrument.symbol) for instrument in writer.instruments),
            warnings=tuple(self.stream.warnings),
        )

    def run(self, writer: RecordingWriter) -> None:
        """Read everything and commit it piece by piece."""
        numbers: list[list[int]] = [[] for _ in self.files]
        for events in self.stream.batches():
            for piece in _pieces(events):
                self._commit(writer, numbers, piece)
        self._commit(writer, numbers, None)

    def _commit(
        self, writer: RecordingWriter, numbers: list[list[int]], events: Records | None
    ) -> None:
        for number, block in self.blocks:
            known = numbers[number]
            for origin in self.files[number].origins[len(known) :]:
                known.append(writer.add_origin(origin))
            writer.add_messages(
                attrs.evolve(block, origins=np.array(known, np.int32)[block.origins]), number
            )
        self.blocks.clear()
        if events is not None:
            writer.add_events(events)
            self.events += len(events)
        counts = attrs.evolve(self.stream.counts, events=self.events)
        writer.commit(counts, self.exchange.instruments)
        if self.progress is not None:
            self.progress(
                ReplayProgress(
                    bytes_read=self.stream.bytes_read,
                    bytes_total=self.bytes_total,
                    messages=counts.messages,
                    events=counts.events,
                )
            )


def _pieces(events: Records) -> Iterator[Records]:
    """Cut events behind messages into pieces of about COMMIT_EVENTS."""
    ends = np.flatnonzero(events["flags"] & EventFlag.LAST) + 1
    first = 0
    while first < len(events):
        place = int(np.searchsorted(ends, first + COMMIT_EVENTS))
        stop = int(ends[place]) if place < len(ends) else len(events)
        yield events[first:stop]
        first = stop
