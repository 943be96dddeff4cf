"""Several streams of event records become one, in the order in which they were received."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE, Records

__all__ = ["merged"]


NONE: Final = (np.zeros(0, EVENT_DTYPE), np.zeros(0, np.int64))


class _Lane:
    """One stream, with the events of it that were read and not yet passed on."""

    def __init__(self, stream: Iterator[Records]) -> None:
        self.stream = stream
        self.waiting: list[tuple[Records, NDArray[np.int64]]] = []
        self.latest = -1
        self.ended = False

    def fill(self) -> None:
        """Read the next batch, copied, behind what is left.

        Batches are joined when they are handed out: while times stand still, none of them is.
        """
        batch = next(self.stream, None)
        if batch is None:
            self.ended = True
            return
        times = np.maximum.accumulate(batch["received"])
        np.maximum(times, self.latest, out=times)
        self.latest = int(times[-1]) if len(times) else self.latest
        if len(times):
            self.waiting.append((batch.copy(), times))

    def take(self, before: int | None) -> tuple[Records, NDArray[np.int64]]:
        """Hand out the events received before a time, or all of them."""
        if not self.waiting or (before is not None and self.waiting[0][1][0] >= before):
            return NONE
        parts, all_times = zip(*self.waiting, strict=True)
        events, times = np.concatenate(parts), np.concatenate(all_times)
        count = len(times) if before is None else int(np.searchsorted(times, before))
        self.waiting = [(events[count:], times[count:])] if count < len(times) else []
        return events[:count], times[:count]


def merged(streams: Sequence[Iterator[Records]]) -> Iterator[Records]:
    """Merge streams by the receive time of their events.

    The merge is stable: events received at the same time keep the order of the streams, and each
    stream keeps its own order even where its times go back. One stream passes through untouched.

    Parameters
    ----------
    streams : sequence of iterators of (n,) EVENT_DTYPE arrays
        An array is read before the next one of its stream is asked for.

    Yields
    ------
    (m,) EVENT_DTYPE
        Whole messages, provided that no message is split over two arrays of its stream.
    """
    if len(streams) == 1:
        yield from streams[0]
        return
    lanes = [_Lane(stream) for stream in streams]
    while lanes:
        for lane in lanes:
            while not lane.ended and not lane.waiting:
                lane.fill()
        open_lanes = [lane for lane in lanes if not lane.ended]
        before = min((lane.latest for lane in open_lanes), default=None)
        parts = [lane.take(before) for lane in lanes]
        events = np.concatenate([part for part, _ in parts])
        if len(events):
            order = np.argsort(np.concatenate([times for _, times in parts]), kind="stable")
            yield events[order]
        for lane in open_lanes:
            if lane.latest == before:
                lane.fill()
        lanes = [lane for lane in lanes if lane.waiting or not lane.ended]
