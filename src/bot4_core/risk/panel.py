"""The breaker panel: what may stop an order, latched until a person says otherwise."""

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds
from bot4_core.domain_types.decisions import (
    BreakerEffect,
    BreakerScope,
    BreakerVerdict,
    NamedValues,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import ValidationError

__all__ = ["BreakerPanel", "Latch", "Observer", "Rearm", "Strike"]

STRIKES: Final = 3
HISTORY: Final = 1000


@attrs.frozen(kw_only=True)
class Observer:
    """One breaker as the panel runs it.

    Parameters
    ----------
    name : str
        Unique within the panel.
    scope : BreakerScope
        What stops when it trips.
    observe : sequence of callable
        One for each instrument: looks at the instrument's view and returns a BreakerEffect.
    explain : callable
        ``(instrument) -> (reason, values)`` of the last effect on that instrument.
    forget : callable
        ``(instrument) -> None``; starts the breaker anew after a re-arm.
    measure : callable
        ``(instrument) -> bytes``: the numbers that the breaker looks at now, as they are.
    read : callable
        ``(bytes) -> values``: the same numbers with their names.
    """

    name: str
    scope: BreakerScope
    observe: Sequence[Callable[[], int]]
    explain: Callable[[int], tuple[str, NamedValues]]
    forget: Callable[[int], None]
    measure: Callable[[int], bytes]
    read: Callable[[bytes], NamedValues]


@attrs.frozen(kw_only=True)
class Strike:
    """A part raised; after ``STRIKES`` of them it is disabled."""

    part: str
    count: int
    disabled: bool
    time: Nanoseconds
    error: str


@attrs.frozen(kw_only=True)
class Rearm:
    """Somebody took responsibility for letting orders out again."""

    breaker: str
    instruments: tuple[InstrumentId, ...]
    actor: str
    reason: str
    time: Nanoseconds


@attrs.define(eq=False)
class Latch:
    """What one breaker holds back, instrument by instrument."""

    held: NDArray[np.int64]
    strikes: int = 0


def _nothing(instrument: int) -> bytes:
    """Measure nothing: a verdict from outside has no numbers of its own."""
    return b""


class BreakerPanel:
    """Runs breakers on every observation and keeps what they tripped.

    An effect only ever grows, until `rearm`. A breaker that raises is struck; at the third strike
    it is out, and because a missing breaker protects nothing, new risk is blocked on every
    instrument.

    Parameters
    ----------
    observers : sequence of Observer
        Run in this order.
    instruments : sequence of Instrument
    shown : (instruments,) int64, optional
        Where the effects are written for kernels as well.
    held : (observers, instruments) int64, optional
        Where what each observer holds is kept for kernels.
    """

    def __init__(
        self,
        observers: Sequence[Observer],
        instruments: Sequence[Instrument],
        shown: NDArray[np.int64] | None = None,
        held: NDArray[np.int64] | None = None,
    ) -> None:
        rows = np.zeros((len(observers), len(instruments)), np.int64) if held is None else held
        self._instruments = tuple(instruments)
        self._scopes = {each.name: each.scope for each in observers}
        self._observers = {each.name: each for each in observers}
        self._latches = {each.name: Latch(row) for each, row in zip(observers, rows, strict=True)}
        self._running = [(each, each.observe, self._latches[each.name].held) for each in observers]
        self._measured = [
            (each.name, self._latches[each.name].held, each.measure) for each in observers
        ]
        self.effects: list[int] = [0] * len(instruments)
        self._shown = np.zeros(len(instruments), np.int64) if shown is None else shown
        self.trips: list[BreakerVerdict] = []
        self.rearms: list[Rearm] = []
        self.strikes: list[Strike] = []

    def observe(self, instrument: int, time: int) -> list[BreakerVerdict] | None:
        """Show every breaker the instrument's view; return what tripped, None if nothing did."""
        tripped: list[BreakerVerdict] | None = None
        for observer, calls, held in self._running:
            try:
                effect = calls[instrument]()
                if effect > held[instrument]:
                    verdict = self._verdict(observer, instrument, effect, time)
                    tripped = [*(tripped or ()), verdict]
            except Exception as error:  # noqa: BLE001 - whatever a foreign part raises
                verdicts = self._strike(observer, instrument, time, error)
                tripped = [*(tripped or ()), *verdicts] if verdicts else tripped
        return tripped

    def latch(self, instrument: int, effects: Sequence[int], time: int) -> list[BreakerVerdict]:
        """Latch what observers wanted that were run elsewhere, in their order."""
        found: list[BreakerVerdict] = []
        for observer, effect in zip(self._observers.values(), effects, strict=True):
            if effect <= self._latches[observer.name].held[instrument]:
                continue
            try:
                found.append(self._verdict(observer, instrument, effect, time))
            except ValueError as error:  # no effect there is
                found += self._strike(observer, instrument, time, error)
        return found

    def strike(
        self, place: int, instrument: int, time: int, error: Exception
    ) -> tuple[BreakerVerdict, ...]:
        """Count an error of the observer at a place, which was run elsewhere."""
        return self._strike(list(self._observers.values())[place], instrument, time, error)

    def out(self) -> list[int]:
        """Return the places of the observers that run no more."""
        running = {observer.name for observer, _, _ in self._running}
        return [place for place, name in enumerate(self._observers) if name not in running]

    def outside(self, instrument: int) -> tuple[tuple[str, int], ...]:
        """Return what holds an instrument that is no observer: name and effect."""
        return tuple(
            (name, int(held[instrument]))
            for name, held, _ in self._measured[len(self._observers) :]
        )

    def trip(self, verdict: BreakerVerdict) -> BreakerVerdict:
        """Latch a verdict that came from outside the panel: an operator, an overfill."""
        self._scopes.setdefault(verdict.breaker, verdict.scope)
        latch = self._latches.get(verdict.breaker) or self._add_latch(verdict.breaker)
        for number in self._reach(verdict.scope, verdict.instrument):
            latch.held[number] = max(latch.held[number], verdict.effect)
            self._hold(number, max(self.effects[number], int(verdict.effect)))
        self.trips.append(verdict)
        del self.trips[:-HISTORY]
        return verdict

    def rearm(
        self,
        breaker: str,
        *,
        actor: str,
        reason: str,
        time: int,
        instrument: int | None = None,
    ) -> Rearm:
        """Loosen one breaker, on one instrument or on all that it holds.

        Raises
        ------
        ValidationError
            If nobody is named as actor, no reason is given, or the breaker is not known.
        """
        faults = [
            (name, f"a re-arm needs {name}")
            for name, value in (("actor", actor.strip()), ("reason", reason.strip()))
            if not value
        ]
        if breaker not in self._latches:
            known = ", ".join(sorted(self._latches)) or "none"
            faults.append(("breaker", f"there is no breaker {breaker!r}; known: {known}"))
        if faults:
            raise ValidationError(faults)
        held = self._latches[breaker].held
        numbers = range(len(held)) if instrument is None else (instrument,)
        loosened = tuple(InstrumentId(number) for number in numbers if held[number])
        self._loosen(breaker, loosened)
        entry = Rearm(
            breaker=breaker,
            instruments=loosened,
            actor=actor,
            reason=reason,
            time=Nanoseconds(time),
        )
        self.rearms.append(entry)
        del self.rearms[:-HISTORY]
        return entry

    def holding(self, instrument: int) -> tuple[tuple[str, BreakerEffect], ...]:
        """Return the breakers that hold an instrument back, with their effects."""
        return tuple(
            (name, BreakerEffect(int(latch.held[instrument])))
            for name, latch in self._latches.items()
            if latch.held[instrument]
        )

    def measured(self, instrument: int) -> tuple[tuple[str, int, bytes], ...]:
        """Return every breaker with what it holds back and the numbers it looks at, unread."""
        return tuple(
            [
                (name, int(held[instrument]), measure(instrument))
                for name, held, measure in self._measured
            ]
        )

    def read(self, name: str, numbers: bytes) -> NamedValues:
        """Return what `measured` gave of a breaker with names."""
        observer = self._observers.get(name)
        return observer.read(numbers) if observer is not None else ()

    def _add_latch(self, name: str) -> Latch:
        latch = self._latches[name] = Latch(np.zeros(len(self._instruments), np.int64))
        self._measured.append((name, latch.held, _nothing))
        return latch

    def _hold(self, number: int, effect: int) -> None:
        self.effects[number] = effect
        self._shown[number] = effect

    def _loosen(self, breaker: str, numbers: Sequence[int]) -> None:
        observer = self._observers.get(breaker)
        for number in numbers:
            self._latches[breaker].held[number] = 0
            self._hold(number, max(int(each.held[number]) for each in self._latches.values()))
            if observer is not None:
                observer.forget(number)

    def _reach(self, scope: BreakerScope, instrument: int) -> Sequence[int]:
        if scope is BreakerScope.INSTRUMENT:
            return (instrument,)
        everything = range(len(self._instruments))
        if scope is BreakerScope.SESSION:
            return everything
        venue = self._instruments[instrument].venue
        return [number for number in everything if self._instruments[number].venue == venue]

    def _verdict(
        self, observer: Observer, instrument: int, effect: int, time: int
    ) -> BreakerVerdict:
        reason, values = observer.explain(instrument)
        return self.trip(
            BreakerVerdict(
                breaker=observer.name,
                effect=BreakerEffect(effect),
                scope=observer.scope,
                instrument=InstrumentId(instrument),
                time=Nanoseconds(time),
                reason=reason,
                values=values,
            )
        )

    def _strike(
        self, observer: Observer, instrument: int, time: int, error: Exception
    ) -> tuple[BreakerVerdict, ...]:
        latch = self._latches[observer.name]
        latch.strikes += 1
        out = latch.strikes >= STRIKES
        text = f"{type(error).__name__}: {error}"
        self.strikes.append(
            Strike(
                part=observer.name,
                count=latch.strikes,
                disabled=out,
                time=Nanoseconds(time),
                error=text,
            )
        )
        del self.strikes[:-HISTORY]
        if not out:
            return ()
        self._running = [each for each in self._running if each[0] is not observer]
        verdict = BreakerVerdict(
            breaker=observer.name,
            effect=BreakerEffect.BLOCK_OPEN,
            scope=BreakerScope.SESSION,  # it looks at no instrument any more
            instrument=InstrumentId(instrument),
            time=Nanoseconds(time),
            reason=f"the breaker itself is out after {STRIKES} errors, the last: {text}",
        )
        return (self.trip(verdict),)
