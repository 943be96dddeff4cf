"""Time series of a session for its report, in arrays of bounded length."""

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import entry_point
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.sampling import COUNT, CURSOR_SLOTS, DUE, INTERVAL, take_sample
from bot4_core.kernels.tables import Tables
from bot4_core.session.durations import LatencyHistogram

__all__ = ["FillMark", "SeriesRecorder", "SessionSeries", "TripMark"]

POINTS: Final = 2048
MARKS: Final = 5000
FIRST_INTERVAL: Final = 1_000_000  # ns


@attrs.frozen
class FillMark:
    """One fill, as a plot shows it."""

    time: int
    instrument: int
    side: int
    price: float
    size: float
    maker: bool


@attrs.frozen
class TripMark:
    """One change of a breaker: a trip, or effect 0 for a re-arm."""

    time: int
    breaker: str
    effect: int
    instrument: int
    reason: str


@attrs.frozen(kw_only=True, eq=False)
class SessionSeries:
    """What the plots of a session show.

    Attributes
    ----------
    time : (n,) int64, ns
    equity : (n,) float64, settlement asset
    inventory : (n, instruments) float64, base units or contracts
    mid : (n, instruments) float64, quote units; NaN while a side is empty
    spread : (n, instruments) float64, quote units
    latency_bounds : (b,) float64, µs
        Upper ends of the bins of ``latency_counts``.
    latency_counts : (b,) int64
    fills : tuple of FillMark
        The first few thousand.
    trips : tuple of TripMark
    symbols : tuple of str
    """

    time: NDArray[np.int64]
    equity: NDArray[np.float64]
    inventory: NDArray[np.float64]
    mid: NDArray[np.float64]
    spread: NDArray[np.float64]
    latency_bounds: NDArray[np.float64]
    latency_counts: NDArray[np.int64]
    fills: tuple[FillMark, ...]
    trips: tuple[TripMark, ...]
    symbols: tuple[str, ...]


class SeriesRecorder:
    """Samples the state of a session at even times.

    When the arrays are full every second sample is dropped and the interval doubles, so a series
    spans the whole session at any length.

    Parameters
    ----------
    symbols : sequence of str
    tables : Tables
        Of the session, with its views.
    """

    def __init__(self, symbols: Sequence[str], tables: Tables) -> None:
        self._symbols = tuple(symbols)
        self._rows = np.full((POINTS, 1 + 3 * len(symbols)), np.nan)
        self._times = np.zeros(POINTS, np.int64)
        self._cursor = np.zeros(CURSOR_SLOTS, np.int64)
        self._cursor[INTERVAL] = FIRST_INTERVAL
        tables.put(Slot.SERIES_CURSOR, self._cursor)
        tables.put(Slot.SERIES_TIMES, self._times)
        tables.put(Slot.SERIES_ROWS, self._rows.reshape(-1))
        self._handle = tables.handle
        self._take = entry_point(take_sample, self._handle, 0)
        self.latency = LatencyHistogram()
        self.fills: list[FillMark] = []
        self.trips: list[TripMark] = []

    @property
    def due(self) -> int:
        """Receive time from which the next sample is due."""
        return int(self._cursor[DUE])

    def sample(self, time: int) -> None:
        """Take a sample; call it when ``time`` has reached ``due``."""
        if not self._take(self._handle, time):
            self._halve()
            self._take(self._handle, time)

    def fill(self, mark: FillMark) -> None:
        """Remember a fill, of the first few thousand."""
        if len(self.fills) < MARKS:
            self.fills.append(mark)

    def trip(self, mark: TripMark) -> None:
        """Remember a trip or a re-arm, of the first few thousand."""
        if len(self.trips) < MARKS:
            self.trips.append(mark)

    def series(self) -> SessionSeries:
        """Return everything recorded."""
        count = int(self._cursor[COUNT])
        rows = self._rows[:count]
        inventory, mid, spread = (part.copy() for part in np.split(rows[:, 1:], 3, axis=1))
        used = np.flatnonzero(self.latency.counts)
        bins = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0)
        return SessionSeries(
            time=self._times[:count].copy(),
            equity=rows[:, 0].copy(),
            inventory=inventory,
            mid=mid,
            spread=spread,
            latency_bounds=self.latency.bounds()[bins],
            latency_counts=self.latency.counts[bins].copy(),
            fills=tuple(self.fills),
            trips=tuple(self.trips),
            symbols=self._symbols,
        )

    def _halve(self) -> None:
        half = POINTS // 2
        self._rows[:half] = self._rows[::2].copy()
        self._times[:half] = self._times[::2].copy()
        self._cursor[COUNT] = half
        self._cursor[INTERVAL] *= 2
