"""A growing array of event records that adapters append to."""

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE

__all__ = ["EventBatch"]


class EventBatch:
    """Event records in the order they happened.

    Attributes
    ----------
    records : (capacity,) EVENT_DTYPE
        Storage; only the first ``count`` rows are events.
    count : int
        Number of events held.

    Parameters
    ----------
    capacity : int
        Rows to start with, at least 1; `reserve` doubles it as needed.
    """

    __slots__ = ("count", "records")

    def __init__(self, capacity: int = 4096) -> None:
        self.records: NDArray[np.void] = np.zeros(max(capacity, 1), EVENT_DTYPE)
        self.count = 0

    @property
    def events(self) -> NDArray[np.void]:
        """The events held, as a view that lasts until the next `reserve`."""
        return self.records[: self.count]

    def clear(self) -> None:
        """Forget the events and keep the storage."""
        self.count = 0

    def reserve(self, more: int) -> None:
        """Make room for ``more`` further events; amortised constant cost an event."""
        needed = self.count + more
        if needed > len(self.records):
            grown = np.zeros(max(needed, 2 * len(self.records)), EVENT_DTYPE)
            grown[: self.count] = self.records[: self.count]
            self.records = grown
