"""Event records from one process to others, in order: `EventRing`."""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import EVENT_DTYPE, Records
from bot4_core.jit import entry_point
from bot4_core.kernels.ring import read_records, write_records
from bot4_core.market.rings import Pause, Readers, Ring, RingReader, RingWriter

__all__ = ["EventReader", "EventRing", "EventWriter"]

BATCH: Final = 4096


class EventWriter(RingWriter):
    """Writes event records; there is one for each ring.

    Raises
    ------
    ChannelError
        If another process writes to the ring.
    """

    def __init__(self, ring: "EventRing") -> None:
        super().__init__(ring)
        example = np.zeros(1, EVENT_DTYPE)
        self._write = entry_point(write_records, self._words, example, 0, 0)

    def write(self, records: Records) -> int:
        """Write what there is room for.

        Parameters
        ----------
        records : (n,) EVENT_DTYPE

        Raises
        ------
        ValueError
            If they are no event records.

        Returns
        -------
        int
            How many, from the first; the rest counts as a stall. Many readers are never waited
            for, but not more than a whole ring is written at once.
        """
        if records.dtype is not EVENT_DTYPE or not records.flags.c_contiguous:
            records = _as_events(records)
        return self._write(self._words, records, 0, len(records))

    def write_all(self, records: Records, pause: Pause) -> None:
        """Write records, pausing while there is no room.

        Raises
        ------
        ChannelError
            If the reader died, or reads no more.
        """
        records, done, count = _as_events(records), 0, len(records)
        while True:
            done += self._write(self._words, records, done, count)
            if done == count:
                return
            if self.ring.readers is Readers.ONE:
                self.stand_by(pause)


class EventReader(RingReader):
    """Reads event records.

    Parameters
    ----------
    ring : EventRing
    batch : int
        Records handed out at most at once.

    Raises
    ------
    ChannelError
        If another process reads a ring that has one reader.
    """

    def __init__(self, ring: "EventRing", batch: int = BATCH) -> None:
        super().__init__(ring)
        self._records: Records = np.zeros(batch, EVENT_DTYPE)
        self._read = entry_point(read_records, self._words, self._cursor, self._records, 0)

    def read(self, spins: int = 0) -> Records:
        """Return the records that wait, none if there are none.

        A batch may end within a message, and goes on with the next one. A reader of many whose
        ``overruns`` have grown since goes on with another message, whole; what it holds of the
        one before is then to be thrown away.

        Parameters
        ----------
        spins : int
            Times to look again while there are none: the quickest way to wait, and a whole
            processor's work.

        Returns
        -------
        (n,) EVENT_DTYPE
            A copy out of the ring, valid until the next call.
        """
        records = self._records
        return records[: self._read(self._words, self._cursor, records, spins)]


class EventRing(Ring):
    """A ring of 64-byte event records in shared memory.

    Examples
    --------
    In one process ``ring = EventRing.create(4096)``; give ``ring.name`` to another, which reads
    with ``EventReader(EventRing.attach(name))``.
    """

    content = 0
    what = "event records"

    def writer(self) -> EventWriter:
        """Take the writing end."""
        return EventWriter(self)

    def reader(self, batch: int = BATCH) -> EventReader:
        """Take the reading end, or one of many."""
        return EventReader(self, batch)


def _as_events(records: Records) -> Records:
    """Return records in the layout that kernels take for granted."""
    if records.dtype != EVENT_DTYPE or records.ndim != 1:
        raise ValueError(f"{records.dtype} of shape {records.shape}: a ring takes event records")
    return np.ascontiguousarray(records)
