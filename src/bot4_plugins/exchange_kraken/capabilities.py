"""What the two markets offer, as the adapter uses it."""

from typing import Final

from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.records import EventKind, OrderFlag, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute
from bot4_plugins.exchange_kraken.order_fields import ORDER_TYPES
from bot4_plugins.exchange_kraken.venue import DEPTHS, VENUES

__all__ = ["CAPABILITIES"]

DATA: Final = (
    EventKind.BOOK_SET,
    EventKind.TRADE,
    EventKind.QUOTE,
    EventKind.CANDLE,
    EventKind.STATUS,
)

CAPABILITIES: Final[dict[str, Capabilities]] = {
    market: Capabilities(
        data=DATA,
        proof=BookProof.CHECKSUM,
        depths=DEPTHS,
        order_types=tuple(ORDER_TYPES),
        times_in_force=tuple(TimeInForce),
        flags=OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY,
        trigger_sources=(TriggerSource.LAST, TriggerSource.INDEX),
        routes=(RequestRoute.WEBSOCKET, RequestRoute.REST),
        amend=True,
        cancel_all=True,
        dead_man_switch=True,
        query_by_client_id=True,
        as_of=facts.as_of,
        source=facts.source,
    )
    for market, facts in VENUES.items()
}
"""By market."""
