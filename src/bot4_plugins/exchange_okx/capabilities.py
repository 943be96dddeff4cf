"""What each market of the venue offers."""

from typing import Final

from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute
from bot4_plugins.exchange_okx.venue import AS_OF, BOOKS, SOURCE

__all__ = ["CAPABILITIES"]

_DATA: Final = (
    *(EventKind.BOOK_CLEAR, EventKind.BOOK_SET, EventKind.BOOK_END),
    *(EventKind.TRADE, EventKind.QUOTE, EventKind.CANDLE, EventKind.INDEX, EventKind.STATUS),
)
_DERIVED: Final = (EventKind.MARK, EventKind.FUNDING, EventKind.LIQUIDATION)
_TYPES: Final = (
    *(OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT),
    *(OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP),
)


def _row(data: tuple[EventKind, ...], flags: OrderFlag) -> Capabilities:
    return Capabilities(
        data=data,
        proof=BookProof.CHAIN,
        depths=tuple(sorted(set(BOOKS.values()))),
        order_types=_TYPES,
        times_in_force=(TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK),
        flags=flags,
        trigger_sources=(TriggerSource.LAST, TriggerSource.MARK, TriggerSource.INDEX),
        routes=(RequestRoute.WEBSOCKET, RequestRoute.REST),
        amend=True,
        cancel_all=True,
        query_by_client_id=True,
        as_of=AS_OF,
        source=SOURCE,
    )


_DERIVATIVES: Final = _row(
    (*_DATA, *_DERIVED), OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION
)
CAPABILITIES: Final = {
    "spot": _row(_DATA, OrderFlag.POST_ONLY),
    "swap": _DERIVATIVES,
    "futures": _DERIVATIVES,
}
