"""Sessions with a router that is called from Python."""

from collections.abc import Callable, Sequence

import numpy as np
from tests.core.session.session_world import (
    NOTHING,
    START,
    FixedSizer,
    ScriptedBreaker,
    ScriptedStrategy,
    both_sides,
    configuration,
    instrument,
    order_event,
    quote,
    table_of,
    touch,
    trade,
)
from tests.core.session.test_compiled_session import accept, sent

from bot4_core.domain_types.canonical_types import InstrumentId, VenueName
from bot4_core.domain_types.decisions import BreakerScope, ChildOrder
from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import EventKind, Side
from bot4_core.kernels.order_rows import ORDER_DTYPE, Slot
from bot4_core.plugins.interfaces import (
    PartSettings,
    Record,
    Router,
)
from bot4_core.session.config import LimitsConfig
from bot4_core.session.effects import RecordIntent
from bot4_core.session.session import Session
from bot4_core.session.state import Parts

INSTRUMENTS = (instrument(), instrument("ETHUSDT"))
BID, ASK = 6_000_000, 6_000_010
ROOMY = LimitsConfig(max_open_orders=1000, max_orders_per_second=1000)


class PassOn(Router[PartSettings]):
    """Sends everything to its own instrument, from Python."""

    name = "pass_on"

    def route(self, intent: OrderIntent, views: Sequence[Record]) -> Sequence[ChildOrder]:
        return [
            ChildOrder(
                venue=VenueName("test"),
                instrument=InstrumentId(intent.instrument),
                size=intent.size.value,
                price=intent.price.value if intent.price is not None else 0,
                reason="as it is",
            )
        ]


def by_hand(answer: Callable[[Record], Sequence[object]] = both_sides) -> Session:
    breaker = ScriptedBreaker(INSTRUMENTS)
    parts = Parts(
        strategy=ScriptedStrategy(INSTRUMENTS, answer),  # type: ignore[arg-type]  # signals
        sizer=FixedSizer(INSTRUMENTS),
        router=PassOn(NOTHING, INSTRUMENTS),
        breakers=(("scripted", BreakerScope.INSTRUMENT, breaker),),
    )
    return Session(configuration(), INSTRUMENTS, table_of(INSTRUMENTS), parts)


def test_a_python_router_finds_room_and_closes_positions_too() -> None:
    session = by_hand()
    session.state.account.orders.tables.put(Slot.ORDERS, np.zeros(1, ORDER_DTYPE))
    first = session.step(touch(START, BID, ASK))
    accept(session, first, START)
    assert [each.number for each in sent(first)] == [1, 2]
    event = order_event(EventKind.ORDER_FILLED, 1, START + 1, side=1, size=100, price=BID)
    session.step(event)
    session.halt("me", "enough", flatten=True)
    session.step(order_event(EventKind.ORDER_CANCELED, 2, START + 2, side=-1, size=100))
    effects = session.step(touch(START + 3, BID, ASK))
    (intent,) = (each for each in effects if isinstance(each, RecordIntent))
    assert (intent.route, intent.grounds.why, intent.intent[7]) == (
        "direct",
        "breaker: flatten",
        100,
    )


def test_a_python_strategy_decides_on_trades_of_a_book_that_grows() -> None:
    session = by_hand(lambda view: [quote(view, Side.BUY, int(view["bid"]))])
    session.step(touch(START, BID, ASK))
    session.step(trade(START + 1, ASK, 5, Side.BUY))
    assert session.state.decisions == 2
