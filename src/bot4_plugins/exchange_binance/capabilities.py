"""What each market offers as this adapter uses it, what it allows, and what proves a refusal."""

from collections.abc import Iterator, Mapping
from typing import Final

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.orders import TriggerSource
from bot4_core.domain_types.rate_limits import RateLimit, RateScope, RateSettings, RateUnit
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute
from bot4_plugins.exchange_binance.venue import VENUES, VenueFacts

__all__ = ["CAPABILITIES", "DEFINITIVE_REJECTS", "rate_settings"]

SECOND: Final = 1_000_000_000
RAW_REQUESTS: Final = 300_000
RAW_SPAN: Final = 300
LONGEST_SPAN: Final = 3600
"""Seconds of the longest limit that is counted here: no run comes near those of a day."""

_DATA: Final = (
    *(EventKind.BOOK_CLEAR, EventKind.BOOK_SET, EventKind.BOOK_END),
    *(EventKind.TRADE, EventKind.QUOTE, EventKind.CANDLE, EventKind.STATUS),
)
_CONTRACT_DATA: Final = (
    *(EventKind.MARK, EventKind.INDEX, EventKind.FUNDING, EventKind.LIQUIDATION),
)
_TYPES: Final = (
    *(OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT),
    *(OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT, OrderType.TRAILING_STOP),
)
_FORCES: Final = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)
_ROUTES: Final = (RequestRoute.WEBSOCKET, RequestRoute.REST)


def _capabilities(facts: VenueFacts) -> Capabilities:
    spot, usdm = facts.market == "spot", facts.market == "usdm"
    contract_flags = OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION
    return Capabilities(
        data=_DATA if spot else (*_DATA, *_CONTRACT_DATA),
        proof=BookProof.CHAIN,
        depths=(0,),
        order_types=(*_TYPES, OrderType.ICEBERG) if spot else _TYPES,
        times_in_force=(*_FORCES, TimeInForce.GTD) if usdm else _FORCES,
        flags=OrderFlag.POST_ONLY if spot else contract_flags,
        trigger_sources=(TriggerSource.LAST,) if spot else (TriggerSource.LAST, TriggerSource.MARK),
        routes=_ROUTES,
        amend=not spot,  # spot orders can only be made smaller
        cancel_all=True,
        query_by_client_id=True,
        as_of=facts.as_of,
        source=facts.source,
    )


CAPABILITIES: Final[Mapping[str, Capabilities]] = {
    market: _capabilities(facts) for market, facts in VENUES.items()
}

DEFINITIVE_REJECTS: Final = frozenset(
    map(
        str,
        (
            *(-1003, -1013, -1014, -1015, -1020, -1021, -1022),  # limits, filters, clock, signature
            *range(-1106, -1099),  # malformed parameters
            *(-1111, -1114, -1115, -1116, -1117, -1118, -1119, -1120, -1121, -1128, -1130, -1131),
            *(-2010, -2014, -2015, -2018, -2019, -2020, -2021, -2022, -2024, -2025, -2026, -2027),
            *(-2028, -4003, -4004, -4005, -4013, -4014, -4015, -4016, -4023, -4024, -4061),
            *(-4062, -4116, -4118, -4120, -4131, -4164, -4183, -4184, -4400, -5021, -5022),
        ),
    )
)
"""Codes that prove that a new order was not taken. Not among them: -1000, -1001, -1006, -1007,
-1008, and whatever comes with HTTP 5xx, which leave an order in doubt."""


def _limits(facts: VenueFacts, told: Mapping[str, Mapping[int, int]]) -> Iterator[RateLimit]:
    weights = told.get("REQUEST_WEIGHT") or {60: facts.weight_per_minute}
    for seconds, limit in weights.items():
        yield RateLimit(
            name=f"weight in {seconds} s",
            limit=limit,
            span=Nanoseconds(seconds * SECOND),
            unit=RateUnit.WEIGHT,
        )
    if facts.market == "spot":
        span = Nanoseconds(RAW_SPAN * SECOND)
        yield RateLimit(name=f"requests in {RAW_SPAN} s", limit=RAW_REQUESTS, span=span)
    for seconds, limit in (told.get("ORDERS") or facts.orders).items():
        if seconds > LONGEST_SPAN:
            continue
        yield RateLimit(
            name=f"orders in {seconds} s",
            limit=limit,
            span=Nanoseconds(seconds * SECOND),
            unit=RateUnit.ORDERS,
            scope=RateScope.ACCOUNT,
        )


def rate_settings(facts: VenueFacts, told: Mapping[str, Mapping[int, int]]) -> RateSettings:
    """Return the market's limits, as the venue told them where it has.

    Parameters
    ----------
    told : mapping of str to mapping of int to int
        By the venue's word for a limit: how many in so many seconds.
    """
    return RateSettings(limits=tuple(_limits(facts, told)))
