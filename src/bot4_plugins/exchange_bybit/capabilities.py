"""What each market of the venue offers."""

from typing import Final

from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute
from bot4_plugins.exchange_bybit.venue import AS_OF, DEPTHS, SOURCE

__all__ = ["CAPABILITIES"]

_BOOKS: Final = (
    *(EventKind.BOOK_CLEAR, EventKind.BOOK_SET, EventKind.BOOK_END),
    *(EventKind.TRADE, EventKind.CANDLE, EventKind.STATUS),
)
_DERIVED: Final = (
    *(EventKind.QUOTE, EventKind.MARK, EventKind.INDEX, EventKind.FUNDING),
    EventKind.LIQUIDATION,
)
_TYPES: Final = (
    *(OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT),
    *(OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
)


def _row(
    data: tuple[EventKind, ...], flags: OrderFlag, triggers: tuple[TriggerSource, ...], batch: int
) -> Capabilities:
    return Capabilities(
        data=data,
        proof=BookProof.STEP,
        depths=DEPTHS,
        order_types=_TYPES,
        times_in_force=(TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK),
        flags=flags,
        trigger_sources=triggers,
        routes=(RequestRoute.WEBSOCKET, RequestRoute.REST),
        amend=True,
        cancel_all=True,
        query_by_client_id=True,
        batch=batch,
        as_of=AS_OF,
        source=SOURCE,
    )


_DERIVATIVES: Final = _row(
    (*_BOOKS, *_DERIVED),
    OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION,
    (TriggerSource.LAST, TriggerSource.MARK, TriggerSource.INDEX),
    1,
)
CAPABILITIES: Final = {
    "spot": _row(_BOOKS, OrderFlag.POST_ONLY, (TriggerSource.LAST,), 1),
    "linear": _DERIVATIVES,
    "inverse": _DERIVATIVES,
}
