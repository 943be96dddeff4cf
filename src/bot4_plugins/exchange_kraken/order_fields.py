"""Orders as the venue's two interfaces spell them; what it has not is refused here."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.orders import OrderIntent, TriggerSource
from bot4_core.domain_types.records import OrderFlag, OrderType, Side, TimeInForce
from bot4_core.errors import OrderError
from bot4_plugins.exchange_kraken.frames import digits

__all__ = [
    "ORDER_TYPES",
    "check_intent",
    "is_triggered",
    "moment_text",
    "rest_fields",
    "socket_fields",
]

IN_SECOND: Final = 1_000_000_000
PERCENT: Final = 100
POST_ONLY: Final = int(OrderFlag.POST_ONLY)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
CLOSE_POSITION: Final = int(OrderFlag.CLOSE_POSITION)

ORDER_TYPES: Final[dict[OrderType, str]] = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop-loss",
    OrderType.STOP_LIMIT: "stop-loss-limit",
    OrderType.TAKE_PROFIT: "take-profit",
    OrderType.TAKE_PROFIT_LIMIT: "take-profit-limit",
    OrderType.TRAILING_STOP: "trailing-stop",
    OrderType.TRAILING_STOP_LIMIT: "trailing-stop-limit",
    OrderType.ICEBERG: "iceberg",
}
RESTING: Final = (OrderType.LIMIT, OrderType.ICEBERG)
STOPS: Final = (
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_LIMIT,
)
TRAILING: Final = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)
REFERENCES: Final = {TriggerSource.LAST: "last", TriggerSource.INDEX: "index"}
TIMES: Final = {
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
    TimeInForce.GTD: "gtd",
}


def is_triggered(kind: OrderType) -> bool:
    """Say whether an order waits for a price before it works."""
    return kind in STOPS or kind in TRAILING


def check_intent(intent: OrderIntent) -> None:
    """Raise an `OrderError` for an order that the venue does not have."""
    if int(intent.flags) & CLOSE_POSITION:
        raise OrderError("kraken has no orders that close a position whatever its size")
    if int(intent.flags) & POST_ONLY and intent.type not in RESTING:
        raise OrderError(f"kraken has no post-only {intent.type.name} orders")
    if is_triggered(intent.type) and intent.trigger_source not in REFERENCES:
        raise OrderError(f"kraken has no triggers by the {intent.trigger_source} price")
    if intent.type in TRAILING and intent.trigger is not None:
        raise OrderError("kraken's trailing orders start at once, not at a price")
    if intent.time_in_force is TimeInForce.FOK and intent.type is not OrderType.LIMIT:
        raise OrderError(f"kraken has no fill-or-kill {intent.type.name} orders")


def moment_text(time: Nanoseconds) -> str:
    """Write a time as RFC 3339 with milliseconds."""
    seconds, rest = divmod(int(time), IN_SECOND)
    return f"{_second_text(seconds)}.{rest // 1_000_000:03d}Z"


@lru_cache(maxsize=16)
def _second_text(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def _side(intent: OrderIntent) -> str:
    return "buy" if intent.side is Side.BUY else "sell"


def _trail(intent: OrderIntent) -> tuple[str, str]:
    """Return distance and unit of a trail."""
    if intent.trail is not None:
        return str(intent.trail), "quote"
    ratio = intent.trail_ratio or Decimal(0)
    return f"{(ratio * PERCENT).normalize():f}", "pct"


def socket_fields(intent: OrderIntent, symbol: str, deadline: Nanoseconds) -> dict[str, object]:
    """Return the parameters of ``add_order``, token apart."""
    check_intent(intent)
    fields: dict[str, object] = {
        "order_type": ORDER_TYPES[intent.type],
        "side": _side(intent),
        "order_qty": digits(str(intent.size)),
        "symbol": symbol,
    }
    if intent.price is not None:
        fields["limit_price"] = digits(str(intent.price))
    if intent.type is not OrderType.MARKET:
        fields["time_in_force"] = TIMES[intent.time_in_force]
    if intent.time_in_force is TimeInForce.GTD and intent.good_till is not None:
        fields["expire_time"] = moment_text(intent.good_till)
    if int(intent.flags) & POST_ONLY:
        fields["post_only"] = True
    if int(intent.flags) & REDUCE_ONLY:
        fields["reduce_only"] = True
    if is_triggered(intent.type):
        fields["triggers"] = _triggers(intent)
    if intent.type is OrderType.TRAILING_STOP_LIMIT:
        fields["limit_price"] = digits(str(intent.limit_offset))
        fields["limit_price_type"] = "quote"
    if intent.visible is not None:
        fields["display_qty"] = digits(str(intent.visible))
    fields["cl_ord_id"] = intent.client_id
    fields["deadline"] = moment_text(deadline)
    return fields


def _triggers(intent: OrderIntent) -> dict[str, object]:
    price, unit = str(intent.trigger), "static"
    if intent.type in TRAILING:
        price, unit = _trail(intent)
    reference = REFERENCES[intent.trigger_source]
    return {"reference": reference, "price": digits(price), "price_type": unit}


def _rest_prices(intent: OrderIntent) -> list[tuple[str, str]]:
    if intent.type in STOPS:
        second = [] if intent.price is None else [("price2", str(intent.price))]
        return [("price", str(intent.trigger)), *second]
    if intent.type in TRAILING:
        distance, unit = _trail(intent)
        found = [("price", f"+{distance}{'%' if unit == 'pct' else ''}")]
        if intent.limit_offset is not None:
            offset = str(intent.limit_offset)
            found.append(("price2", offset if offset.startswith("-") else f"+{offset}"))
        return found
    return [] if intent.price is None else [("price", str(intent.price))]


def rest_fields(intent: OrderIntent, pair: str, deadline: Nanoseconds) -> list[tuple[str, str]]:
    """Return the parameters of ``AddOrder``."""
    check_intent(intent)
    fields = [
        ("ordertype", ORDER_TYPES[intent.type]),
        ("type", _side(intent)),
        ("volume", str(intent.size)),
        ("pair", pair),
        *_rest_prices(intent),
    ]
    if is_triggered(intent.type):
        fields.append(("trigger", REFERENCES[intent.trigger_source]))
    if intent.visible is not None:
        fields.append(("displayvol", str(intent.visible)))
    if int(intent.flags) & POST_ONLY:
        fields.append(("oflags", "post"))
    if int(intent.flags) & REDUCE_ONLY:
        fields.append(("reduce_only", "true"))
    if intent.type is not OrderType.MARKET:
        fields.append(("timeinforce", TIMES[intent.time_in_force].upper()))
    if intent.time_in_force is TimeInForce.GTD and intent.good_till is not None:
        fields.append(("expiretm", str(intent.good_till // IN_SECOND)))
    return [*fields, ("cl_ord_id", intent.client_id), ("deadline", moment_text(deadline))]
