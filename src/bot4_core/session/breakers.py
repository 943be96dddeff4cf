"""Breakers as a session runs them: observers of the panel, and compiled ones in one call."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from bot4_core.domain_types.decisions import (
    BreakerEffect,
    BreakerScope,
    BreakerVerdict,
    NamedValues,
)
from bot4_core.errors import PluginError
from bot4_core.jit import entry_point
from bot4_core.kernels.decision import FIRST_BREAKER, never
from bot4_core.kernels.order_rows import (
    BREAKER_DTYPE,
    BREAKER_VALUES,
    MOST_BREAKERS,
    Slot,
)
from bot4_core.kernels.step_rows import row_handles
from bot4_core.kernels.tables import Tables, part_address
from bot4_core.plugins.interfaces import Breaker, CompiledForm, Records
from bot4_core.risk.panel import BreakerPanel, Observer
from bot4_core.session.parts import CompiledMemory, needed, read_only

__all__ = ["BreakerCalls", "NamedBreaker", "breaker_observer"]

NamedBreaker = tuple[str, BreakerScope, Breaker[Any]]


class BreakerCalls:
    """The breakers of a session, in the session's tables if all of them are compiled.

    Attributes
    ----------
    panel : BreakerPanel
    compiled : bool
        Whether kernels can run all of them.
    addresses : list of int
        Of their functions.
    """

    def __init__(
        self, breakers: Sequence[NamedBreaker], tables: Tables, instruments: Sequence[Any]
    ) -> None:
        views = tables[Slot.VIEWS]
        self._tables = tables
        self._memories = [
            CompiledMemory(form, len(views)) if form is not None else None
            for form in (breaker.compiled() for _, _, breaker in breakers)
        ]
        fitting = all(each and each.width <= BREAKER_VALUES for each in self._memories)
        self.compiled = fitting and len(breakers) <= MOST_BREAKERS
        observers = [
            breaker_observer(breaker, name, scope, views, memory)
            for (name, scope, breaker), memory in zip(breakers, self._memories, strict=True)
        ]
        self._names = [each.name for each in observers]
        held = np.zeros((len(observers), len(views)), np.int64)
        self.panel = BreakerPanel(observers, instruments, tables[Slot.DESKS]["effect"], held)
        tables.put(Slot.HELD, held.reshape(-1))
        tables.put(Slot.OBSERVED, np.zeros(len(observers), np.int64))
        self.addresses: list[int] = []
        self._place(tables, views)

    def _place(self, tables: Tables, views: Records) -> None:
        memories = [each for each in self._memories if each is not None and self.compiled]
        rows = np.zeros(len(memories), BREAKER_DTYPE)
        inner = Tables(2 * len(memories))
        for number, memory in enumerate(memories):
            rows[number] = (memory.first, memory.width)
            inner.put(2 * number, memory.states)
            inner.put(2 * number + 1, memory.params)
            example = (views[0], memory.states[0], memory.params[0])
            self.addresses.append(part_address(memory.form.function, *example))
        tables.put(Slot.BREAKERS, rows)
        tables.nest(Slot.BREAKER_MEMORY, inner)

    def silence(self, place: int) -> None:
        """Let a compiled breaker that is out observe nothing any more."""
        memory = needed(self._memories[place])
        example = (self._tables[Slot.VIEWS][0], memory.states[0], memory.params[0])
        self._tables[Slot.FUNCTIONS][FIRST_BREAKER + place] = part_address(never, *example)

    def observed(self) -> list[int]:
        """Return the effects that the compiled breakers last wanted, in their order."""
        effects: list[int] = self._tables[Slot.OBSERVED].tolist()
        return effects

    def shown(self, place: int, instrument: int) -> tuple[tuple[str, int, bytes], ...]:
        """Return what held an instrument when an action was made, and what was looked at."""
        if not self.compiled:
            return self.panel.measured(instrument)
        row = self._tables[Slot.SHOWN_BREAKERS][place]
        found = [
            (
                name,
                int(row["held"][number]),
                row["values"][number * BREAKER_VALUES :][: memory.width].tobytes(),
            )
            for number, (name, memory) in enumerate(zip(self._names, self._memories, strict=True))
            if memory is not None
        ]
        outside = [(name, effect, b"") for name, effect in self.panel.outside(instrument)]
        return (*found, *outside)


def breaker_observer(
    breaker: Breaker[Any],
    name: str,
    scope: BreakerScope,
    views: Records,
    memory: CompiledMemory | None,
) -> Observer:
    """Return a breaker as the panel runs it; ``memory`` is that of its compiled form."""
    if memory is None:
        return _python_observer(breaker, name, scope, views)
    require_reasons(memory.form, name)
    call = entry_point(memory.form.function, views[0], memory.states[0], memory.params[0])
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
        measure=memory.numbers,
        read=memory.read,
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
        measure=lambda instrument: b"",
        read=lambda numbers: (),
    )
