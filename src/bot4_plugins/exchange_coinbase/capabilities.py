"""What the two markets offer, as the adapter uses it."""

from typing import Final

from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.records import EventKind, OrderFlag, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute
from bot4_plugins.exchange_coinbase.order_configuration import ORDER_TYPES
from bot4_plugins.exchange_coinbase.venue import VENUES

__all__ = ["CAPABILITIES"]

CAPABILITIES: Final[dict[str, Capabilities]] = {
    market: Capabilities(
        data=(EventKind.BOOK_SET, EventKind.TRADE, EventKind.QUOTE, EventKind.CANDLE),
        proof=BookProof.CONNECTION,
        depths=(0,),
        order_types=ORDER_TYPES,
        times_in_force=tuple(TimeInForce),
        flags=OrderFlag.POST_ONLY,
        trigger_sources=(TriggerSource.LAST,),
        routes=(RequestRoute.REST,),
        amend=True,
        cancel_all=True,
        query_by_client_id=True,
        as_of=facts.as_of,
        source=facts.source,
    )
    for market, facts in VENUES.items()
}
"""By market."""
