"""What parts are given is theirs to read: a call changes none of it, and no part can."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
import pytest
from tests.core.session.effect_facts import ASK, BID, of
from tests.core.session.session_world import (
    NOTHING,
    SECOND,
    START,
    FixedSizer,
    ScriptedBreaker,
    ScriptedStrategy,
    both_sides,
    configuration,
    instrument,
    order_event,
    table_of,
    touch,
)
from tests.core.session.test_python_router import PassOn

from bot4_core.domain_types.decisions import BreakerScope, BreakerVerdict, ChildOrder, Signal
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import EventKind
from bot4_core.kernels.order_rows import Slot
from bot4_core.plugins.interfaces import Record
from bot4_core.session.effects import SendOrder
from bot4_core.session.session import Session
from bot4_core.session.state import Parts

INSTRUMENTS = (instrument(), instrument("ETHUSDT"))
PARTS = {"strategy", "sizer", "breaker", "router"}
Deed = Callable[[Record], None]


class Watch:
    """What a part does with a view, and whether the session's own rows stayed as they were."""

    def __init__(self, deed: Deed) -> None:
        self.deed = deed
        self.session: Session | None = None
        self.asked: set[str] = set()
        self.changed: list[str] = []
        self.refused: list[str] = []

    def inputs(self) -> tuple[object, ...]:
        """Return a copy of everything that parts are given."""
        assert self.session is not None
        rows = self.session.state.ordering.tables[Slot.VIEWS].tobytes()
        return rows, INSTRUMENTS, hash(INSTRUMENTS), repr(INSTRUMENTS), repr(NOTHING)

    def over(self, part: str, views: Sequence[Record]) -> None:
        """Do the deed on each view, and look what became of the inputs."""
        before = self.inputs()
        self.asked.add(part)
        for view in views:
            try:
                self.deed(view)
            except (ValueError, attrs.exceptions.FrozenInstanceError):
                self.refused.append(part)
        if self.inputs() != before:
            self.changed.append(part)


class WatchedSizer(FixedSizer):
    def __init__(self, watch: Watch) -> None:
        super().__init__(INSTRUMENTS)
        self.watch = watch

    def size(self, signal: Signal, view: Record) -> int:
        self.watch.over("sizer", [view])
        return super().size(signal, view)


class WatchedBreaker(ScriptedBreaker):
    def __init__(self, watch: Watch) -> None:
        super().__init__(INSTRUMENTS)
        self.watch = watch

    def observe(self, view: Record) -> BreakerVerdict | None:
        self.watch.over("breaker", [view])
        return super().observe(view)


class WatchedRouter(PassOn):
    def __init__(self, watch: Watch) -> None:
        super().__init__(NOTHING, INSTRUMENTS)
        self.watch = watch

    def route(self, intent: OrderIntent, views: Sequence[Record]) -> Sequence[ChildOrder]:
        self.watch.over("router", views)
        if isinstance(views, list):
            views.clear()  # a list of its own
        return super().route(intent, views)


def watched(deed: Deed) -> tuple[Watch, int]:
    """Run a session of Python parts that do something with their views; count its orders."""
    watch = Watch(deed)

    def answer(view: Record) -> Sequence[Signal]:
        watch.over("strategy", [view])
        return both_sides(view)

    parts = Parts(
        strategy=ScriptedStrategy(INSTRUMENTS, answer),
        sizer=WatchedSizer(watch),
        router=WatchedRouter(watch),
        breakers=(("scripted", BreakerScope.INSTRUMENT, WatchedBreaker(watch)),),
    )
    watch.session = session = Session(configuration(), INSTRUMENTS, table_of(INSTRUMENTS), parts)
    sent = of(session.step(touch(START, BID, ASK)), SendOrder)
    for effect in sent:
        number = int(effect.intent["number"][0])
        session.step(order_event(EventKind.ORDER_ACCEPTED, number, START))
    for step in range(1, 4):
        sent += of(session.step(touch(START + step * SECOND, BID, ASK, step % 2)), SendOrder)
    return watch, len(sent)


def read(view: Record) -> None:
    """Read a view as a part may."""
    assert np.isfinite(view["mid"])


def write(view: Record) -> None:
    """Try to write a field."""
    view["position"] = 10**6


def write_through(view: Record) -> None:
    """Try to write the bytes behind a view."""
    np.frombuffer(view, np.uint8)[:] = 0


def declare_writable(view: Record) -> None:
    """Try to be allowed to write."""
    view.setflags(write=True)
    view["mid"] = 1.0


def write_an_instrument(view: Record) -> None:
    """Try to change a rule of the market."""
    row: Any = INSTRUMENTS[int(view["instrument"])]
    row.tick = 1


def test_i62_a_call_leaves_views_settings_and_instruments_as_they_were() -> None:
    watch, sent = watched(read)
    assert sent > 2
    assert watch.asked == PARTS
    assert (watch.changed, watch.refused) == ([], [])


@pytest.mark.parametrize("deed", [write, write_through, declare_writable, write_an_instrument])
def test_i62_no_python_part_can_write_to_what_it_is_given(deed: Deed) -> None:
    watch, sent = watched(deed)
    assert watch.changed == []
    assert set(watch.refused) == PARTS
    assert sent == watched(read)[1]
