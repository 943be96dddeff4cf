"""Orders as the venue spells them; what it has not is refused here."""

from datetime import UTC, datetime
from typing import Final

from bot4_core.domain_types.canonical_types import Money, Nanoseconds, Price
from bot4_core.domain_types.orders import OrderIntent, TriggerSource
from bot4_core.domain_types.records import OrderFlag, OrderType, Side, TimeInForce
from bot4_core.errors import OrderError

__all__ = ["ORDER_TYPES", "bracket_configuration", "order_configuration", "side_word"]

IN_SECOND: Final = 1_000_000_000
ORDER_TYPES: Final = (
    OrderType.MARKET,
    OrderType.LIMIT,
    OrderType.STOP_LIMIT,
    OrderType.TAKE_PROFIT_LIMIT,
)
LIMITS: Final = {
    TimeInForce.GTC: "limit_limit_gtc",
    TimeInForce.GTD: "limit_limit_gtd",
    TimeInForce.FOK: "limit_limit_fok",
    TimeInForce.IOC: "sor_limit_ioc",
}
RESTING: Final = (TimeInForce.GTC, TimeInForce.GTD)
POST_ONLY: Final = int(OrderFlag.POST_ONLY)
REDUCING: Final = int(OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION)
Configuration = dict[str, dict[str, object]]


def side_word(side: Side) -> str:
    """Return the venue's word for a side."""
    return "BUY" if side is Side.BUY else "SELL"


def _check(intent: OrderIntent) -> None:
    if intent.type not in ORDER_TYPES:
        raise OrderError(f"coinbase has no {intent.type.name} orders")
    if int(intent.flags) & REDUCING:
        raise OrderError("coinbase has no orders that may only reduce a position")
    post_only = bool(int(intent.flags) & POST_ONLY)
    rests = intent.type is OrderType.LIMIT and intent.time_in_force in RESTING
    if post_only and not rests:
        raise OrderError("coinbase has post-only orders of type limit, GTC or GTD, alone")
    stops = intent.type in (OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
    if stops and intent.time_in_force not in RESTING:
        raise OrderError(f"coinbase has no stop orders that are {intent.time_in_force.name}")
    if stops and intent.trigger_source is not TriggerSource.LAST:
        raise OrderError(f"coinbase has no triggers by the {intent.trigger_source} price")
    if intent.type is OrderType.MARKET and intent.time_in_force is TimeInForce.FOK:
        raise OrderError("coinbase has no fill-or-kill orders at market")


def _until(intent: OrderIntent) -> dict[str, object]:
    if intent.time_in_force is not TimeInForce.GTD:
        return {}
    seconds, rest = divmod(int(intent.good_till or Nanoseconds(0)), IN_SECOND)
    moment = datetime.fromtimestamp(seconds, UTC)
    return {"end_time": f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1_000:06d}Z"}


def order_configuration(intent: OrderIntent, spend: Money | None = None) -> Configuration:
    """Return ``order_configuration`` of an order.

    Parameters
    ----------
    spend : Money, optional
        Of a market order: the quote amount to trade for, instead of the size.

    Raises
    ------
    OrderError
        If the venue has no such order.
    """
    _check(intent)
    size: dict[str, object] = {"base_size": str(intent.size)}
    if intent.type is OrderType.MARKET:
        return {"market_market_ioc": size if spend is None else {"quote_size": str(spend)}}
    if spend is not None:
        raise OrderError("coinbase takes a quote amount of orders at market alone")
    limit: dict[str, object] = {**size, "limit_price": str(intent.price)}
    if intent.type is OrderType.LIMIT:
        name = LIMITS[intent.time_in_force]
        if intent.time_in_force in RESTING:
            limit |= _until(intent) | {"post_only": bool(int(intent.flags) & POST_ONLY)}
        return {name: limit}
    rises = (intent.side is Side.BUY) is (intent.type is OrderType.STOP_LIMIT)
    limit |= {
        "stop_price": str(intent.trigger),
        "stop_direction": f"STOP_DIRECTION_STOP_{'UP' if rises else 'DOWN'}",
    }
    return {f"stop_limit_stop_limit_{_ending(intent)}": limit | _until(intent)}


def bracket_configuration(intent: OrderIntent, stop: Price) -> Configuration:
    """Return the configuration of an exit that ends at its limit price or at a stop."""
    if intent.type is not OrderType.LIMIT or intent.time_in_force not in RESTING or intent.flags:
        raise OrderError("coinbase has brackets of plain limit orders, GTC or GTD, alone")
    bracket: dict[str, object] = {
        "base_size": str(intent.size),
        "limit_price": str(intent.price),
        "stop_trigger_price": str(stop),
    }
    return {f"trigger_bracket_{_ending(intent)}": bracket | _until(intent)}


def _ending(intent: OrderIntent) -> str:
    return "gtd" if intent.time_in_force is TimeInForce.GTD else "gtc"
