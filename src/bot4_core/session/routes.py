"""Where an order goes: the router's answer, or straight to its own venue."""

from typing import Any, Final, NamedTuple

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
    OrderFlag,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.errors import PluginError
from bot4_core.plugins.interfaces import Records, Router
from bot4_core.session.parts import CompiledMemory, needed, read_only

__all__ = ["BAD_CHILDREN", "Child", "RouterCalls"]

BAD_CHILDREN: Final = (
    "a router gives positive sizes of known instruments, together at most the order's size,"
    " and leaves what reduces a position where it is"
)


class Child(NamedTuple):
    """One venue's share of an order, scaled at its instrument."""

    instrument: int
    price: int
    size: int
    reason: str


class RouterCalls:
    """A router, ready to split the order in the one INTENT row.

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
        self._views = views
        form = router.compiled()
        self.memory = CompiledMemory(form, len(views)) if form is not None else None

    def example(self, children: Records) -> tuple[object, ...]:
        """Arguments of the types that the compiled form is called with."""
        memory = needed(self.memory)
        return (self._intents[0], self._views, memory.states[0], memory.params[0], children)

    def route(self) -> list[Child]:
        """Let a Python router split the order; the shares must not add up to more than it.

        Raises
        ------
        PluginError
            If they do, or are no orders of known instruments.
        """
        shown = read_only(self._views)
        children = self.router.route(self._parent(), list(shown))
        for child in children:
            if not isinstance(child, ChildOrder):
                raise PluginError(f"a router gives ChildOrder objects, not {child!r}")
        left = int(self._intents["size"][0])
        reducing = bool(self._intents["flags"][0] & OrderFlag.REDUCE_ONLY)
        for child in children:
            left -= child.size
            known = 0 <= child.instrument < len(self._instruments)
            moved = child.instrument != int(self._intents["instrument"][0])
            if child.size <= 0 or left < 0 or not known or (reducing and moved):
                raise PluginError(BAD_CHILDREN)
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
