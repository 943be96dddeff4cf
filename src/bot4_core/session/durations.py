"""Durations in bins: how long steps, commits, pauses and turns of the loop took."""

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["DurationReport", "LatencyHistogram"]

STEPS: Final = 8  # histogram bins an octave
OCTAVES: Final = 40


@attrs.frozen(kw_only=True)
class DurationReport:
    """How long something took that happened more than once."""

    count: int = 0
    p50_us: float | None = None
    p99_us: float | None = None
    max_us: float | None = None
    total_ms: float = 0.0
    bins: tuple[tuple[float, int], ...] = ()
    """Upper end of each bin in µs, and how many fell into it; empty bins are left out."""


class LatencyHistogram:
    """Durations in bins of equal ratio, eight an octave."""

    def __init__(self) -> None:
        self.counts: NDArray[np.int64] = np.zeros(STEPS * OCTAVES, np.int64)
        self.count = self.longest = self.total = 0

    def add(self, duration: int) -> None:
        """Count a duration in ns."""
        bits = duration.bit_length()
        place = bits * STEPS + (duration << 4 >> bits & 7)
        self.counts[min(place, len(self.counts) - 1)] += 1
        self.count += 1
        self.longest = max(self.longest, duration)
        self.total += duration

    def add_all(self, durations: NDArray[np.int64]) -> None:
        """Count durations in ns, below 2**50; each costs a fraction of an `add`."""
        fractions, octaves = np.frexp(durations)
        places = octaves * STEPS + (fractions * 16.0).astype(np.int64) % STEPS
        places = np.minimum(places, len(self.counts) - 1)
        self.counts += np.bincount(places, minlength=len(self.counts))
        self.count += len(durations)
        self.longest = max(self.longest, int(durations.max(initial=0)))
        self.total += int(durations.sum())

    @staticmethod
    def bounds() -> NDArray[np.float64]:
        """Return the upper end of each bin, µs."""
        octaves, steps = np.divmod(np.arange(STEPS * OCTAVES), STEPS)
        return np.ldexp((9.0 + steps) / 16.0, octaves) / 1e3

    def quantile(self, share: float) -> float:
        """Return the upper end of the bin that holds a quantile, µs; NaN without durations."""
        if not self.count:
            return float("nan")
        reached = np.searchsorted(np.cumsum(self.counts), share * self.count)
        return float(self.bounds()[min(int(reached), len(self.counts) - 1)])

    def report(self) -> DurationReport:
        """Describe what was counted."""
        if not self.count:
            return DurationReport()
        used, bounds = np.flatnonzero(self.counts).tolist(), self.bounds()
        return DurationReport(
            count=self.count,
            p50_us=self.quantile(0.5),
            p99_us=self.quantile(0.99),
            max_us=self.longest / 1e3,
            total_ms=self.total / 1e6,
            bins=tuple((float(bounds[place]), int(self.counts[place])) for place in used),
        )
