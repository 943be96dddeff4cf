"""The files of a session as streams of event records."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol
from bot4_core.errors import RecordingError
from bot4_core.market.recordings import (
    Channel,
    MessageBlock,
    MessageFile,
    Recording,
    RecordingClock,
)
from bot4_core.plugins.interfaces import EventBatch, Exchange, Records
from bot4_core.session.event_scales import ScaleChange, rescale

__all__ = ["DecodedFile", "EventSource", "RecordedEvents", "prefetched"]

T = TypeVar("T")
Keep = Callable[[MessageBlock], None]
NOT_OURS: Final = -1
"""Stands for the channel of messages that belong to another market."""


def prefetched(items: Iterator[T], executor: Executor | None) -> Iterator[T]:
    """Pass items on while an executor already makes the next one; the order stays the same.

    Parameters
    ----------
    items : iterator
        Used by one thread at a time.
    executor : Executor or None
        None makes each item when it is asked for.
    """
    if executor is None:
        yield from items
        return
    end = object()
    waiting = executor.submit(next, items, end)
    try:
        while (item := waiting.result()) is not end:
            waiting = executor.submit(next, items, end)
            yield item  # type: ignore[misc]  # it is not the end mark
    finally:
        if not waiting.cancel():
            waiting.exception()


class EventSource(ABC):
    """One file of a session.

    Attributes
    ----------
    messages, responses, quarantined, refused : int
        Counts so far; as in ``RecordingCounts``.
    warnings : list of str
        What of the file could not be read.
    """

    def __init__(self, name: str, clock: RecordingClock) -> None:
        self.name = name
        self.clock = clock
        self.messages = 0
        self.responses = 0
        self.quarantined = 0
        self.refused = 0
        self.warnings: list[str] = []

    @abstractmethod
    def batches(self) -> Iterator[Records]:
        """Yield event records, whole messages; an array is valid until the next one."""

    @property
    @abstractmethod
    def bytes_read(self) -> int:
        """Bytes of the file that were read so far."""


class DecodedFile(EventSource):
    """A file of raw messages, decoded by an exchange adapter.

    Parameters
    ----------
    file : MessageFile
    exchange : Exchange
        May serve several files in turn.
    keep : callable
        Given every block before it is decoded.
    executor : Executor, optional
        Decompresses and splits the next block meanwhile.
    salvage : bool
        Take a file that breaks off as ending there, with a warning.
    """

    def __init__(
        self,
        file: MessageFile,
        exchange: Exchange,
        keep: Keep,
        *,
        executor: Executor | None = None,
        salvage: bool = False,
    ) -> None:
        super().__init__(file.name, file.clock)
        self._file = file
        self._exchange = exchange
        self._executor = executor
        self._keep = keep
        self._salvage = salvage
        self._batch = EventBatch(1 << 14)
        self._subject: int | None = None

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were read so far."""
        return self._file.count.done

    def batches(self) -> Iterator[Records]:
        """Decode block by block; a block without events gives none."""
        for block in self._blocks():
            self._keep(block)
            events = self._decode(block)
            self.refused = self._file.refused.count
            if len(events):
                yield events
        self.refused = self._file.refused.count

    def _blocks(self) -> Iterator[MessageBlock]:
        blocks = prefetched(self._file.blocks(), self._executor)
        try:
            yield from blocks
        except RecordingError as error:
            if not self._salvage:
                raise
            self.warnings.append(str(error))

    def _decode(self, block: MessageBlock) -> Records:
        exchange, batch = self._exchange, self._batch
        batch.clear()
        before = exchange.quarantined
        for channel, first, stop in self._runs(block):
            if channel is Channel.STREAM:
                self.messages += stop - first
                self._decode_stream(block, first, stop)
            else:
                self.responses += stop - first
                for number in range(first, stop):
                    url = self._file.origins[int(block.origins[number])].url
                    received = Nanoseconds(int(block.received[number]))
                    exchange.decode_response(url, block.message(number), received, batch)
        exchange.subject = Symbol("")
        self.quarantined += exchange.quarantined - before
        return batch.events

    def _runs(self, block: MessageBlock) -> Iterator[tuple[Channel, int, int]]:
        """Cut a block where the channel changes; leave out what other markets sent."""
        origins = self._file.origins
        channels = np.array([origin.channel for origin in origins], np.int64)
        ours = np.array([self._exchange.concerns(origin.url) for origin in origins], np.bool_)
        of_message = np.where(ours, channels, NOT_OURS)[block.origins]
        cuts = (np.flatnonzero(np.diff(of_message)) + 1).tolist()
        for first, stop in zip([0, *cuts], [*cuts, len(block)], strict=True):
            if stop > first and of_message[first] != NOT_OURS:
                yield Channel(int(of_message[first])), first, stop

    def _decode_stream(self, block: MessageBlock, first: int, stop: int) -> None:
        """Decode pushed messages; one by one until the file's instrument is known."""
        exchange, batch = self._exchange, self._batch
        starts, stops = block.starts, block.stops
        while self._subject is None and first < stop:
            end = first + 1
            exchange.decode_block(
                block.buffer, starts[:end], stops[:end], block.received[:end], batch, first
            )
            first = end
            self._note_subject()
        if self._subject is not None and self._subject >= 0:
            exchange.subject = exchange.instruments[self._subject].symbol
        while first < stop:
            first = exchange.decode_block(
                block.buffer, starts[:stop], stops[:stop], block.received[:stop], batch, first
            )
        self._note_subject()

    def _note_subject(self) -> None:
        """Remember the one instrument of the file; -1 where there are several."""
        events = self._batch.events
        if not len(events):
            return
        if self._subject is None:
            self._subject = int(events["instrument"][0])
        several = len(self._exchange.instruments) > 1
        if several and self._subject >= 0 and np.any(events["instrument"] != self._subject):
            self._subject = -1


class RecordedEvents(EventSource):
    """A recording of our own, its events straight from the memory map.

    Parameters
    ----------
    recording : Recording
    ids : (n,) uint32, optional
        The session's id of each of the recording's instruments; None if they are the same.
    scales : mapping, optional
        From `scale_changes`: the instruments whose numbers the session scales differently.
    """

    def __init__(
        self,
        recording: Recording,
        ids: NDArray[np.uint32] | None = None,
        scales: Mapping[int, ScaleChange] | None = None,
    ) -> None:
        super().__init__(recording.path.name, recording.header.clock)
        self._recording = recording
        self._ids = ids
        self._scales = scales or {}
        self._bytes_read = 0
        if recording.torn is not None:
            torn = recording.torn
            self.warnings.append(
                f"{recording.path}: {torn.reason}: the last {torn.lost} bytes were left out"
            )

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were read so far."""
        return self._bytes_read

    def batches(self) -> Iterator[Records]:
        """Yield the recorded batches, without a copy where ids and exponents are the same."""
        counts = self._recording.counts
        self.messages = counts.messages
        self.responses = counts.responses
        self.quarantined = counts.quarantined
        self.refused = counts.refused
        for events in self._recording.batches():
            self._bytes_read += events.nbytes
            if self._ids is None and not self._scales:
                yield events
                continue
            changed = events.copy()
            rescale(changed, self._scales)
            if self._ids is not None:
                changed["instrument"] = self._ids[events["instrument"]]
            yield changed
