"""The garbage collector during a run: everything made before is left alone, pauses are timed."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bot4_core.session.durations import LatencyHistogram

__all__ = ["quiet_collector"]

YOUNG: Final = 50_000
"""Objects made before the youngest generation is collected."""


class _Pauses:
    """Told by the collector when it begins and when it is done."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.pauses = LatencyHistogram()
        self._clock = clock
        self._begin = 0

    def __call__(self, phase: str, _: Mapping[str, int]) -> None:
        if phase == "start":
            self._begin = self._clock()
        else:
            self.pauses.add(self._clock() - self._begin)


@contextmanager
def quiet_collector(clock: Callable[[], int]) -> Iterator[LatencyHistogram]:
    """Freeze what was made so far and collect more rarely; undo both at the end.

    A collection of a million objects stops a program for over 20 ms; frozen ones cost nothing.
    What the program has frozen itself stays frozen: then only what it made since is collected.

    Parameters
    ----------
    clock : callable
        Nanoseconds that never go back.

    Returns
    -------
    context manager of LatencyHistogram
        How long the collector stopped the program, each time.
    """
    thresholds = gc.get_threshold()
    freezing = gc.get_freeze_count() == 0
    gc.collect()
    if freezing:
        gc.freeze()
    gc.set_threshold(YOUNG, 20, 100)
    told = _Pauses(clock)
    gc.callbacks.append(told)
    try:
        yield told.pauses
    finally:
        gc.callbacks.remove(told)
        gc.set_threshold(*thresholds)
        if freezing:
            gc.unfreeze()
