"""Where an order goes: the router's answer, or straight to its own venue."""

from typing import Any, Final, NamedTuple

import numpy as np

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.decisions import ChildOrder
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    OrderFlag,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.errors import PluginError
from bot4_core.jit import entry_point
from bot4_core.kernels.step_rows import row_handles
from bot4_core.plugins.interfaces import Records, Router
from bot4_core.session.parts import CompiledMemory, read_only

__all__ = ["Child", "RouterCalls"]

MOST_CHILDREN: Final = 16


class Child(NamedTuple):
    """One venue's share of an order, scaled at its instrument."""

    instrument: int
    price: int
    size: int
    reason: str


class RouterCalls:
    """A router, ready to split the order in an INTENT row.

    Parameters
    ----------
    router : Router
    intents : (1,) INTENT
        Where the order to route stands.
    views : (n,) VIEW
    """

    def __init__(self, router: Router[Any], intents: Records, views: Records) -> None:
        self.router = router
        self._intents = intents
        self._instruments = router.instruments
        form = router.compiled()
        self._shown = read_only(views)
        self.compiled = form is not None
        if form is None:
            return
        self._children: Records = np.zeros(MOST_CHILDREN, INTENT_DTYPE)
        self._fields = self._children.view(np.int64).reshape(MOST_CHILDREN, -1)
        memory = self.memory = CompiledMemory(form, len(views))
        example = (intents[0], views, memory.states[0], memory.params[0], self._children)
        self._call = entry_point(form.function, *example)
        self._intent = row_handles(intents)[0]

    def route(self, instrument: int) -> list[Child]:
        """Split the order; the shares must not add up to more than it."""
        children = self._compiled(instrument) if self.compiled else self._asked(instrument)
        left = int(self._intents["size"][0])
        for number, _, size, _ in children:
            left -= size
            if size <= 0:
                raise PluginError("a router gives positive sizes")
            if not 0 <= number < len(self._instruments):
                raise PluginError(f"a router names known instruments, not {children}")
        if left < 0:
            raise PluginError(f"a router gives at most the order's size, not {children}")
        return children

    def _compiled(self, instrument: int) -> list[Child]:
        memory = self.memory
        count = self._call(
            self._intent,
            self._shown,
            memory.state_handles[instrument],
            memory.params_handle,
            self._children,
        )
        name, rows = self.router.name, self._fields[:count].tolist()
        return [Child(row[1], row[6], row[7], name) for row in rows]

    def _asked(self, instrument: int) -> list[Child]:
        children = self.router.route(self._parent(), list(self._shown))
        for child in children:
            if not isinstance(child, ChildOrder):
                raise PluginError(f"a router gives ChildOrder objects, not {child!r}")
        return [
            Child(each.instrument, each.price, each.size, each.reason or self.router.name)
            for each in children
        ]

    def _parent(self) -> OrderIntent:
        number, place, side, kind, duration, flags, price, size, time = self._intents.item(0)
        instrument = self._instruments[place]
        return OrderIntent(
            number=OrderNumber(number),
            client_id=ClientOrderId(""),
            instrument=InstrumentId(place),
            side=Side(side),
            type=OrderType(kind),
            size=Quantity(size, instrument.size_exponent),
            price=Price(price, instrument.price_exponent) if price else None,
            time_in_force=TimeInForce(duration),
            flags=OrderFlag(flags),
            created=Nanoseconds(time),
        )
