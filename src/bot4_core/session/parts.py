"""Decision parts as the drivers call them: one callable an instrument, whichever form they have."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from math import isfinite
from typing import Any, Final

import numpy as np

from bot4_core.domain_types.canonical_types import InstrumentId, Nanoseconds, Price
from bot4_core.domain_types.decisions import (
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
from bot4_core.kernels.limits_money import LARGEST
from bot4_core.kernels.order_rows import MOST_SIGNALS
from bot4_core.kernels.step_rows import row_handles
from bot4_core.plugins.interfaces import CompiledForm, Records, Sizer, Strategy

__all__ = ["CompiledMemory", "SizerCalls", "StrategyCalls"]

SIZED_ACTIONS: Final = frozenset({int(SignalAction.QUOTE), int(SignalAction.TAKE)})


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
        self.first = min(slots, default=0)
        self._slots = [slot - self.first for slot in slots]
        shown = self.states["f"][:, self.first : max(slots, default=-1) + 1]
        self.width = shown.shape[1]
        self._shown: list[memoryview] = [row.data for row in shown]

    def numbers(self, instrument: int) -> bytes:
        """Return what the function left in its state to explain itself, as it is."""
        return self._shown[instrument].tobytes()

    def read(self, numbers: bytes) -> NamedValues:
        """Return such numbers with their names."""
        values = np.frombuffer(numbers, np.float64)
        named = [float(values[slot]) for slot in self._slots]
        return tuple(zip(self._names, named, strict=True))

    def values(self, instrument: int) -> NamedValues:
        """Return the named numbers that the function left in its state."""
        return self.read(self.numbers(instrument))

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


def needed(memory: CompiledMemory | None) -> CompiledMemory:
    """Return the memory of a compiled part.

    Raises
    ------
    PluginError
        If the part is not compiled.
    """
    if memory is None:
        raise PluginError("a part without compiled form has no compiled memory")
    return memory


class StrategyCalls:
    """A strategy, ready to be asked about each instrument.

    Attributes
    ----------
    signals : (MOST_SIGNALS,) SIGNAL
        Where the last answer stands.
    given : sequence of Signal
        The last answer of a Python strategy.
    linking : bool
        Whether a signal of it has exits.
    """

    def __init__(self, strategy: Strategy[Any], views: Records, signals: Records) -> None:
        self.strategy = strategy
        self.instruments = strategy.instruments
        self.signals = signals
        self.given: Sequence[Signal] = ()
        self.linking = False
        self._views = views
        form = strategy.compiled()
        self.memory = CompiledMemory(form, len(views)) if form is not None else None

    @property
    def example(self) -> tuple[object, ...]:
        """Arguments of the types that the compiled form is called with."""
        memory = needed(self.memory)
        return (self._views[0], memory.states[0], memory.params[0], self.signals)

    @cached_property
    def decide(self) -> list[Callable[[], int]]:
        """One callable an instrument: fills ``signals`` and returns how many."""
        memory = self.memory
        if memory is None:
            shown = read_only(self._views)
            return [partial(self._ask, shown[i], i) for i in range(len(shown))]
        call = entry_point(memory.form.function, *self.example)
        return [
            partial(call, view, state, memory.params_handle, self.signals)
            for view, state in zip(row_handles(self._views), memory.state_handles, strict=True)
        ]

    def explain(self, raw: bytes) -> tuple[str, NamedValues]:
        """Return why a compiled part gave a signal, with its numbers."""
        row = np.frombuffer(raw, SIGNAL_DTYPE)[0]
        names, code = self.strategy.value_names, int(row["reason"])
        reasons = self.strategy.reasons
        text = reasons[code] if 0 <= code < len(reasons) else f"reason {code}"
        return text, tuple(zip(names, row["values"].tolist(), strict=False))

    def signal(self, number: int) -> Signal:
        """Return a signal of the last answer as a domain object."""
        if self.memory is None:
            return self.given[number]
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
        self.given = given = self.strategy.decide(view)
        self.linking = False
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
        if signal.exits is not None:
            self.linking = True
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
    """A sizer, ready to size the signals of a strategy.

    Attributes
    ----------
    sized : (MOST_SIGNALS,) SIZED
        Where sizes are left, with the numbers behind them.
    """

    def __init__(
        self, sizer: Sizer[Any], strategy: StrategyCalls, views: Records, sized: Records
    ) -> None:
        self.sizer = sizer
        self.sized = sized
        self._strategy = strategy
        self._views = views
        form = sizer.compiled()
        self.memory = CompiledMemory(form, len(views)) if form is not None else None
        room = sized["values"].shape[1]
        if self.memory is not None and self.memory.width > room:
            fault = f"the sizer {sizer.name} explains itself with slots {self.memory.width} apart"
            raise PluginError(f"{fault}; {room} is the most")

    @property
    def example(self) -> tuple[object, ...]:
        """Arguments of the types that the compiled form is called with."""
        memory = needed(self.memory)
        return (self._strategy.signals[0], self._views[0], memory.states[0], memory.params[0])

    def size_all(self, count: int, instrument: int) -> None:
        """Size the first ``count`` signals that ask for a trade or a quote."""
        for number, action in enumerate(self._strategy.signals["action"][:count].tolist()):
            if action in SIZED_ACTIONS:
                self.sized["size"][number] = self._size(number, instrument)
                if self.memory is not None:
                    first = self.memory.first
                    shown = self.memory.states["f"][instrument, first : first + self.memory.width]
                    self.sized["values"][number, : self.memory.width] = shown

    def explain(self, sized: bytes) -> NamedValues:
        """Return the numbers behind a SIZED row; a Python sizer has none."""
        if self.memory is None or not sized:
            return ()
        row = np.frombuffer(sized, self.sized.dtype)[0]
        return self.memory.read(row["values"][: self.memory.width].tobytes())

    @cached_property
    def _size(self) -> Callable[[int, int], int]:
        memory = self.memory
        if memory is None:
            return self._ask
        call = entry_point(memory.form.function, *self.example)
        signals, shown = row_handles(self._strategy.signals), row_handles(self._views)
        return lambda number, instrument: call(
            signals[number],
            shown[instrument],
            memory.state_handles[instrument],
            memory.params_handle,
        )

    def _ask(self, number: int, instrument: int) -> int:
        view = read_only(self._views)[instrument]
        size: object = self.sizer.size(self._strategy.signal(number), view)
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
            raise PluginError(f"a sizer gives a whole number from 0, not {size!r}")
        return min(int(size), LARGEST)
