"""Decision parts as the drivers call them: one callable an instrument, whichever form they have."""

from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from typing import Any, Final

import numpy as np

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Price
from bot4_core.domain_types.decisions import (
    BreakerEffect,
    BreakerScope,
    BreakerVerdict,
    NamedValues,
    Signal,
)
from bot4_core.domain_types.records import (
    PARAMS_DTYPE,
    SIGNAL_DTYPE,
    STATE_DTYPE,
    Side,
    SignalAction,
)
from bot4_core.errors import PluginError
from bot4_core.jit import entry_point
from bot4_core.kernels.step_rows import row_handles
from bot4_core.plugins.interfaces import Breaker, CompiledForm, Records, Sizer, Strategy
from bot4_core.risk.panel import Observer

__all__ = ["MOST_SIGNALS", "CompiledMemory", "SizerCalls", "StrategyCalls", "breaker_observer"]

MOST_SIGNALS: Final = 16
"""Signals that a strategy may give at one decision."""


class CompiledMemory:
    """The state and parameter rows of one compiled part, and handles to them.

    The parameter row stays the part's own, so that ``refresh`` reaches the function.
    """

    def __init__(self, form: CompiledForm, instruments: int) -> None:
        self.form = form
        self.states: Records = np.zeros(instruments, STATE_DTYPE)
        self.params: Records = np.frombuffer(form.params, PARAMS_DTYPE)
        self.state_handles = row_handles(self.states)
        self.params_handle = row_handles(self.params)[0]
        slots = [slot for _, slot in form.state_values]
        self._names = tuple(name for name, _ in form.state_values)
        self._first = min(slots, default=0)
        self._slots = [slot - self._first for slot in slots]
        self._shown = self.states["f"][:, self._first : max(slots, default=0) + 1]

    def values(self, instrument: int) -> NamedValues:
        """Return the named numbers that the function left in its state."""
        numbers = self._shown[instrument].tolist()
        return tuple(zip(self._names, [numbers[slot] for slot in self._slots], strict=True))

    def reason(self, instrument: int, otherwise: str) -> str:
        """Return why the function last tripped, in the part's words with its numbers."""
        form = self.form
        if not form.reasons:
            return otherwise
        slot = form.reason_slot
        code = 0 if slot is None else int(self.states["i"][instrument, slot])
        if not 0 <= code < len(form.reasons):
            return f"{otherwise}, reason {code}"
        return form.reasons[code].format(**dict(self.values(instrument)))

    def forget(self, instrument: int) -> None:
        """Start the part anew on one instrument."""
        self.states[instrument] = np.zeros((), STATE_DTYPE)


def read_only(views: Records) -> Records:
    """Return views that Python parts may read and not write."""
    shown = views.view()
    shown.flags.writeable = False
    return shown


class StrategyCalls:
    """A strategy, ready to be asked about each instrument.

    Attributes
    ----------
    signals : (MOST_SIGNALS,) SIGNAL
        Where the last answer stands.
    fields : (MOST_SIGNALS, 4) int64
        Instrument, action, side and price of the same signals, quick to read.
    decide : list of callable
        One for each instrument: fills ``signals`` and returns how many.
    """

    def __init__(self, strategy: Strategy[Any], views: Records) -> None:
        self.strategy = strategy
        self.instruments = strategy.instruments
        self.signals: Records = np.zeros(MOST_SIGNALS, SIGNAL_DTYPE)
        self.fields = self.signals.view(np.int64).reshape(MOST_SIGNALS, -1)[:, :4]
        self._given: Sequence[Signal] = ()
        form = strategy.compiled()
        self.compiled = form is not None
        self.decide: list[Callable[[], int]]
        if form is None:
            shown = read_only(views)
            self.decide = [partial(self._ask, shown[i], i) for i in range(len(views))]
            return
        self.memory = memory = CompiledMemory(form, len(views))
        example = (views[0], memory.states[0], memory.params[0], self.signals)
        call = entry_point(form.function, *example)
        self.decide = [
            partial(call, view, state, memory.params_handle, self.signals)
            for view, state in zip(row_handles(views), memory.state_handles, strict=True)
        ]

    def given(self, number: int) -> tuple[bytes, str, NamedValues]:
        """Return signal ``number`` of the last answer as bytes, with what a Python part said.

        What a compiled part said stands in the bytes; `explain` reads it.
        """
        raw = self.signals[number : number + 1].tobytes()
        if self.compiled:
            return raw, "", ()
        return raw, self._given[number].reason, self._given[number].values

    def explain(self, raw: bytes) -> tuple[str, NamedValues]:
        """Return why a compiled part gave a signal, with its numbers."""
        row = np.frombuffer(raw, SIGNAL_DTYPE)[0]
        names, code = self.strategy.value_names, int(row["reason"])
        reasons = self.strategy.reasons
        text = reasons[code] if 0 <= code < len(reasons) else f"reason {code}"
        return text, tuple(zip(names, row["values"].tolist(), strict=False))

    def signal(self, number: int) -> Signal:
        """Return a signal of the last answer as a domain object."""
        if not self.compiled:
            return self._given[number]
        row = self.signals[number]
        instrument = int(row["instrument"])
        price = int(row["price"])
        reason, values = self.explain(self.signals[number : number + 1].tobytes())
        return Signal(
            instrument=InstrumentId(instrument),
            action=SignalAction(int(row["action"])),
            side=Side(int(row["side"])),
            price=Price(price, self.instruments[instrument].price_exponent) if price else None,
            horizon=Nanoseconds(int(row["horizon"])),
            strength=float(row["strength"]),
            edge=float(row["edge"]),
            variance=float(row["variance"]),
            reason=reason,
            values=values,
        )

    def _ask(self, view: np.void, instrument: int) -> int:
        self._given = given = self.strategy.decide(view)
        if len(given) > MOST_SIGNALS:
            raise PluginError(f"{len(given)} signals at once, {MOST_SIGNALS} are allowed")
        for number, signal in enumerate(given):
            self._write(number, signal, instrument)
        return len(given)

    def _write(self, number: int, signal: Signal, instrument: int) -> None:
        if not isinstance(signal, Signal):
            raise PluginError(f"a strategy gives Signal objects, not {type(signal).__name__}")
        if signal.instrument != instrument:
            raise PluginError(f"asked about instrument {instrument}, told of {signal.instrument}")
        if not (isfinite(signal.strength) and isfinite(signal.edge) and isfinite(signal.variance)):
            raise PluginError("strength, edge and variance of a signal must be finite")
        price = signal.price
        scaled = price.scaled_at(self.instruments[instrument].price_exponent) if price else 0
        values = [value for _, value in signal.values[:4]]
        self.signals[number] = (
            instrument,
            signal.action,
            signal.side,
            scaled,
            signal.horizon,
            0,
            signal.strength,
            signal.edge,
            signal.variance,
            values + [0.0] * (4 - len(values)),
        )


class SizerCalls:
    """A sizer, ready to size the signals of a strategy."""

    def __init__(self, sizer: Sizer[Any], strategy: StrategyCalls, views: Records) -> None:
        self.sizer = sizer
        self._strategy = strategy
        form = sizer.compiled()
        self.memory: CompiledMemory | None = None
        if form is None:
            self._shown = read_only(views)
            self.size: Callable[[int, int], int] = self._ask
            return
        self.memory = memory = CompiledMemory(form, len(views))
        example = (strategy.signals[0], views[0], memory.states[0], memory.params[0])
        call = entry_point(form.function, *example)
        signals, shown = row_handles(strategy.signals), row_handles(views)
        self.size = lambda number, instrument: call(
            signals[number],
            shown[instrument],
            memory.state_handles[instrument],
            memory.params_handle,
        )

    def values(self, instrument: int) -> NamedValues:
        """Return the numbers that explain the last size; a Python sizer has none."""
        return self.memory.values(instrument) if self.memory is not None else ()

    def _ask(self, number: int, instrument: int) -> int:
        size: object = self.sizer.size(self._strategy.signal(number), self._shown[instrument])
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
            raise PluginError(f"a sizer gives a whole number from 0, not {size!r}")
        return int(size)


def breaker_observer(
    breaker: Breaker[Any], name: str, scope: BreakerScope, views: Records
) -> Observer:
    """Return a breaker as the panel runs it."""
    form = breaker.compiled()
    if form is None:
        return _python_observer(breaker, name, scope, views)
    memory = CompiledMemory(form, len(views))
    require_reasons(form, name)
    call = entry_point(form.function, views[0], memory.states[0], memory.params[0])
    return Observer(
        name=name,
        scope=scope,
        observe=[
            partial(call, view, state, memory.params_handle)
            for view, state in zip(row_handles(views), memory.state_handles, strict=True)
        ],
        explain=lambda instrument: (
            memory.reason(instrument, f"{name} tripped"),
            memory.values(instrument),
        ),
        forget=memory.forget,
        measure=memory.values,
    )


def require_reasons(form: CompiledForm, name: str) -> None:
    """Write every reason once: a text that cannot be written must not be found out at a trip.

    Raises
    ------
    PluginError
        If a reason names what is no state value, or formats a number as something else.
    """
    zeros = {value: 0.0 for value, _ in form.state_values}
    for text in form.reasons:
        try:
            text.format(**zeros)
        except (LookupError, ValueError, AttributeError, TypeError) as error:
            known = ", ".join(zeros) or "none"
            raise PluginError(
                f"breaker {name!r}: its reason {text!r} cannot be written ({error}); "
                f"its state values are {known}"
            ) from error


def _python_observer(
    breaker: Breaker[Any], name: str, scope: BreakerScope, views: Records
) -> Observer:
    last: dict[int, BreakerVerdict] = {}

    def ask(view: np.void, instrument: int) -> int:
        verdict = breaker.observe(view)
        if verdict is None:
            return 0
        if not isinstance(verdict, BreakerVerdict):
            raise PluginError(f"a breaker gives BreakerVerdict or None, not {verdict!r}")
        last[instrument] = verdict
        return int(BreakerEffect(verdict.effect))

    def explain(instrument: int) -> tuple[str, NamedValues]:
        return last[instrument].reason, last[instrument].values

    shown = read_only(views)
    return Observer(
        name=name,
        scope=scope,
        observe=[partial(ask, shown[i], i) for i in range(len(shown))],
        explain=explain,
        forget=lambda instrument: None,
        measure=lambda instrument: (),
    )
