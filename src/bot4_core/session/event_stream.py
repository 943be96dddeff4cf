"""All files of a session as one stream of event records."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import chain
from pathlib import Path

import attrs
import numpy as np

from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import ConfigError, PrecisionGrew, RecordingError
from bot4_core.market.recordings import (
    ZLIB,
    GzipLibrary,
    MessageBlock,
    MessageFile,
    Recording,
    RecordingClock,
    RecordingCounts,
    open_messages,
)
from bot4_core.market.recordings.byte_stream import head
from bot4_core.market.recordings.frames import MAGIC
from bot4_core.plugins.interfaces import Exchange, Records
from bot4_core.session.event_merge import merged
from bot4_core.session.event_scales import contradictions, scale_changes
from bot4_core.session.event_sources import DecodedFile, EventSource, RecordedEvents

__all__ = [
    "EventStream",
    "ReadingOptions",
    "SessionFile",
    "open_files",
    "open_stream",
    "recorded_instruments",
    "regrown",
]

SessionFile = Recording | MessageFile
"""An opened file: events as they are, or messages to be decoded."""


@attrs.frozen(kw_only=True)
class ReadingOptions:
    """How files are read.

    Parameters
    ----------
    executor : Executor, optional
        Decompresses ahead; the caller's, since nothing here starts threads.
    gzip : GzipLibrary
        Decompresses.
    salvage : bool
        Read damaged files as far as they go, with a warning, instead of refusing them.
    """

    executor: Executor | None = None
    gzip: GzipLibrary = ZLIB
    salvage: bool = False


def open_files(paths: Sequence[Path], options: ReadingOptions) -> list[SessionFile]:
    """Open files, our own and foreign ones, told apart by what they hold.

    Raises
    ------
    RecordingError
        If one cannot be read, or there are none.
    """
    if not paths:
        raise RecordingError("there is nothing to read: name at least one file")
    return [
        Recording(path, salvage=options.salvage)
        if head(path, len(MAGIC)) == MAGIC
        else open_messages(path, options.gzip)
        for path in paths
    ]


def recorded_instruments(files: Sequence[SessionFile]) -> tuple[Instrument, ...]:
    """Return the instruments of our own recordings among the files, each once.

    Raises
    ------
    RecordingError
        If two of them scale an instrument's numbers differently.
    """
    known: dict[tuple[str, str, str], Instrument] = {}
    for file in files:
        for instrument in file.instruments if isinstance(file, Recording) else ():
            key = (instrument.venue, instrument.market, instrument.symbol)
            first = known.setdefault(key, instrument)
            if _scale(first) != _scale(instrument):
                raise RecordingError(
                    f"{file.path}: {instrument.symbol} is scaled by {_scale(instrument)}, and by "
                    f"{_scale(first)} in an earlier file; import the foreign files together"
                )
    return tuple(known.values())


def _scale(instrument: Instrument) -> tuple[int, int]:
    return instrument.price_exponent, instrument.size_exponent


def regrown(instruments: Sequence[Instrument], grown: PrecisionGrew) -> tuple[Instrument, ...]:
    """Return instruments that hold the decimals one of them was found to need."""
    return tuple(
        attrs.evolve(
            instrument,
            price_exponent=min(instrument.price_exponent, grown.price_exponent),
            size_exponent=min(instrument.size_exponent, grown.size_exponent),
            tick=1,
            lot=1,
        )
        if instrument.symbol == grown.symbol
        else instrument
        for instrument in instruments
    )


class EventStream:
    """The events of several sources, merged or one after the other.

    Sources of different instruments are merged by receive time, stably. Sources of the same
    instruments follow each other in the order given, and so do all of them when one has no
    receive times.
    """

    def __init__(self, sources: Sequence[EventSource]) -> None:
        self.sources = tuple(sources)
        self.events = 0
        self._disorder: list[str] = []

    @property
    def counts(self) -> RecordingCounts:
        """Totals so far."""
        return RecordingCounts(
            messages=sum(source.messages for source in self.sources),
            responses=sum(source.responses for source in self.sources),
            quarantined=sum(source.quarantined for source in self.sources),
            refused=sum(source.refused for source in self.sources),
            events=self.events,
        )

    @property
    def warnings(self) -> list[str]:
        """What of the files could not be read, and which of them are out of order."""
        unread = [warning for source in self.sources for warning in source.warnings]
        return unread + self._disorder

    @property
    def clock(self) -> RecordingClock:
        """What the receive times of the whole are: no better than those of the worst source."""
        clocks = {source.clock for source in self.sources}
        return next(
            (clock for clock in reversed(RecordingClock) if clock in clocks), RecordingClock.NONE
        )

    @property
    def bytes_read(self) -> int:
        """Bytes of the files that were read so far."""
        return sum(source.bytes_read for source in self.sources)

    def batches(self) -> Iterator[Records]:
        """Yield event records in session order; an array is valid until the next one."""
        for events in merged(self._lanes()):
            self.events += len(events)
            yield events

    def _lanes(self) -> list[Iterator[Records]]:
        if self.clock is RecordingClock.NONE:
            return [chain.from_iterable(source.batches() for source in self.sources)]
        lanes: list[tuple[set[int], list[tuple[str, Iterator[Records]]]]] = []
        for source in self.sources:
            batches = source.batches()
            first = next(batches, None)
            if first is None:
                continue
            named = set(np.unique(first["instrument"]).tolist())
            stream = (source.name, chain((first,), batches))
            shared = next((lane for lane in lanes if lane[0] & named), None)
            if shared is None:
                lanes.append((named, [stream]))
            else:
                shared[0].update(named)
                shared[1].append(stream)
        return [self._in_turn(streams) for _, streams in lanes]

    def _in_turn(self, streams: Sequence[tuple[str, Iterator[Records]]]) -> Iterator[Records]:
        """Yield one file after the other; note one that begins before an earlier one ended."""
        ended, before = 0, ""
        for name, batches in streams:
            last = 0
            for events in batches:
                begun = 0 if last else int(events["received"][0])
                if 0 < begun < ended:
                    self._disorder.append(
                        f"{name} begins before {before} ends, which was given before it; "
                        "give the recordings of an instrument once each, oldest first"
                    )
                last = int(events["received"][-1])
                yield events
            ended, before = max((ended, before), (last, name))


def open_stream(
    files: Sequence[SessionFile],
    exchange: Exchange,
    options: ReadingOptions,
    keep: Callable[[int, MessageBlock], None] | None = None,
) -> EventStream:
    """Make one event stream of opened files.

    Parameters
    ----------
    files : sequence
        From `open_files`; to be used once.
    exchange : Exchange
        Knows the `recorded_instruments` of the files, first and in that order.
    options : ReadingOptions
    keep : callable, optional
        Given each foreign file's number and every block of its messages before it is decoded.
    """
    return EventStream([_source(n, file, exchange, options, keep) for n, file in enumerate(files)])


def _source(
    number: int,
    file: SessionFile,
    exchange: Exchange,
    options: ReadingOptions,
    keep: Callable[[int, MessageBlock], None] | None,
) -> EventSource:
    if isinstance(file, Recording):
        return _recorded(file, exchange)

    def keep_block(block: MessageBlock) -> None:
        if keep is not None:
            keep(number, block)

    return DecodedFile(
        file,
        exchange,
        keep_block,
        executor=options.executor,
        salvage=options.salvage,
    )


def _recorded(recording: Recording, exchange: Exchange) -> RecordedEvents:
    """Return a recording's events with the exchange's ids and exponents."""
    known = exchange.instruments
    numbers = {instrument.symbol: n for n, instrument in enumerate(known)}
    missing = [each.symbol for each in recording.instruments if each.symbol not in numbers]
    if missing:
        raise ConfigError(
            "session", [("instruments", f"{recording.path} holds {missing[0]} too; add it")]
        )
    ids = [numbers[instrument.symbol] for instrument in recording.instruments]
    wanted = zip(recording.instruments, (known[n] for n in ids), strict=True)
    faults = [fault for each, ours in wanted for fault in contradictions(each, ours)]
    if faults:
        raise ConfigError("session", faults)
    scales = scale_changes(recording.instruments, [known[n] for n in ids])
    same = ids == list(range(len(ids)))
    return RecordedEvents(recording, None if same else np.array(ids, np.uint32), scales)
