"""What the simulated venue offers."""

from typing import Final

from bot4_core.domain_types.orders import OrderIntent
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute
from bot4_core.errors import OrderError

__all__ = ["OFFERED", "check_offered"]

OFFERED: Final = Capabilities(
    data=(EventKind.BOOK_SET, EventKind.TRADE, EventKind.QUOTE, EventKind.MARK, EventKind.FUNDING),
    proof=BookProof.CHAIN,
    order_types=(OrderType.MARKET, OrderType.LIMIT),
    times_in_force=(TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK),
    flags=OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY,
    routes=(RequestRoute.WEBSOCKET,),
    query_by_client_id=True,
    as_of="2026-11-23",
    source="this plugin",
)


def check_offered(intent: OrderIntent) -> None:
    """Refuse an order that the venue has no form for.

    Raises
    ------
    OrderError
    """
    if intent.type not in OFFERED.order_types:
        raise OrderError(f"order type {intent.type.name} is not offered")
    if intent.time_in_force not in OFFERED.times_in_force:
        raise OrderError(f"time in force {intent.time_in_force.name} is not offered")
    missing = intent.flags & ~OFFERED.flags
    if missing:
        raise OrderError(f"{missing!r} is not offered")
