"""An order as the venue's parameters; what the venue does not have is refused here."""

from decimal import Decimal
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Price
from bot4_core.domain_types.orders import OrderIntent, TriggerSource
from bot4_core.domain_types.records import OrderFlag, OrderType, Side, TimeInForce
from bot4_core.errors import OrderError

__all__ = ["OrderParams", "futures_order", "spot_order"]

MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
BASIS_POINTS: Final = 10_000
PERCENT: Final = 100
SIDES: Final = {Side.BUY: "BUY", Side.SELL: "SELL"}
SPOT_TRIGGERED: Final = {
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
    OrderType.TRAILING_STOP: "STOP_LOSS",
}
FUTURES_TRIGGERED: Final = {
    OrderType.STOP: "STOP_MARKET",
    OrderType.STOP_LIMIT: "STOP",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT_MARKET",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
    OrderType.TRAILING_STOP: "TRAILING_STOP_MARKET",
}
CONTRACTS_ONLY: Final = OrderFlag.REDUCE_ONLY | OrderFlag.CLOSE_POSITION
LIMITED: Final = frozenset({OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
WORKING: Final = {TriggerSource.LAST: "CONTRACT_PRICE", TriggerSource.MARK: "MARK_PRICE"}


@attrs.frozen
class OrderParams:
    """Parameters in the order they are sent, and whether the order waits for a trigger."""

    params: tuple[tuple[str, str], ...]
    conditional: bool


def _needed(price: Price | None, what: str) -> str:
    if price is None:
        raise OrderError(f"the order needs {what}")
    return str(price)


def _refuse(intent: OrderIntent, flags: OrderFlag, market: str) -> None:
    if not intent.flags:
        return
    for flag in flags:
        if intent.flags & flag:
            raise OrderError(f"binance {market} has no {flag.name} for this order")


def _scaled_ratio(ratio: Decimal | None, unit: int, places: int, what: str) -> str:
    """Return a trail in the venue's unit, which must be exact at that many decimals."""
    if ratio is None:
        raise OrderError(f"binance trails by a ratio only; {what} cannot be told from a distance")
    scaled = ratio * unit
    if scaled <= 0 or scaled != round(scaled, places):
        raise OrderError(f"a trail of {ratio} is not a multiple of {what}")
    return f"{scaled.normalize():f}"


def _in_force(intent: OrderIntent, *, dated: bool) -> list[tuple[str, str]]:
    if intent.time_in_force is not TimeInForce.GTD:
        return [("timeInForce", intent.time_in_force.name)]
    till = intent.good_till
    if not dated or till is None:
        raise OrderError("binance has no orders with an end here")
    if till % SECOND:
        raise OrderError(f"good till {till}: binance takes whole seconds only")
    return [("timeInForce", "GTD"), ("goodTillDate", str(till // MILLISECOND))]


def _spot_conditional(intent: OrderIntent, base: list[tuple[str, str]]) -> OrderParams:
    kind = intent.type
    if intent.trigger_source is not TriggerSource.LAST:
        raise OrderError("binance spot triggers on the last price only")
    _refuse(intent, OrderFlag.POST_ONLY, "spot")
    params = [*base, ("type", SPOT_TRIGGERED[kind]), ("quantity", str(intent.size))]
    if kind in LIMITED:
        params += [*_in_force(intent, dated=False), ("price", _needed(intent.price, "a price"))]
    if kind is OrderType.TRAILING_STOP:
        if intent.trigger is not None:
            params.append(("stopPrice", str(intent.trigger)))
        delta = _scaled_ratio(intent.trail_ratio, BASIS_POINTS, 0, "a basis point")
        params.append(("trailingDelta", delta))
    else:
        params.append(("stopPrice", _needed(intent.trigger, "a trigger")))
    return OrderParams(tuple(params), conditional=True)


def spot_order(intent: OrderIntent, symbol: str) -> OrderParams:
    """Write a spot order.

    Raises
    ------
    OrderError
        If spot has no such order.
    """
    _refuse(intent, CONTRACTS_ONLY, "spot")
    base = [
        *(("symbol", symbol), ("side", SIDES[intent.side])),
        *(("newClientOrderId", intent.client_id), ("newOrderRespType", "FULL")),
    ]
    if intent.type in SPOT_TRIGGERED:
        return _spot_conditional(intent, base)
    sized = ("quantity", str(intent.size))
    if intent.type is OrderType.MARKET:
        return OrderParams((*base, ("type", "MARKET"), sized), conditional=False)
    if intent.type not in (OrderType.LIMIT, OrderType.ICEBERG):
        raise OrderError(f"binance spot has no {intent.type.name} orders")
    price = ("price", _needed(intent.price, "a price"))
    if intent.flags and intent.flags & OrderFlag.POST_ONLY:
        if intent.time_in_force is not TimeInForce.GTC:
            raise OrderError("a post-only order of binance spot works until it is cancelled")
        params = [*base, ("type", "LIMIT_MAKER"), sized, price]
    else:
        params = [*base, ("type", "LIMIT"), *_in_force(intent, dated=False), sized, price]
    if intent.type is OrderType.ICEBERG:
        if intent.visible is None or intent.time_in_force is not TimeInForce.GTC:
            raise OrderError("an iceberg order needs a visible size and GTC")
        params.append(("icebergQty", str(intent.visible)))
    return OrderParams(tuple(params), conditional=False)


def _futures_conditional(intent: OrderIntent, symbol: str) -> OrderParams:
    kind = intent.type
    source = WORKING.get(intent.trigger_source)
    if source is None:
        raise OrderError(f"binance futures cannot trigger on the {intent.trigger_source} price")
    _refuse(intent, OrderFlag.POST_ONLY, "futures")
    params = [
        *(("algoType", "CONDITIONAL"), ("symbol", symbol), ("side", SIDES[intent.side])),
        *(("type", FUTURES_TRIGGERED[kind]), ("clientAlgoId", intent.client_id)),
        ("workingType", source),
    ]
    if kind in LIMITED:
        params += [*_in_force(intent, dated=False), ("price", _needed(intent.price, "a price"))]
    if kind is OrderType.TRAILING_STOP:
        if intent.trigger is not None:
            params.append(("activatePrice", str(intent.trigger)))
        rate = _scaled_ratio(intent.trail_ratio, PERCENT, 1, "a tenth of a percent")
        params.append(("callbackRate", rate))
    else:
        params.append(("triggerPrice", _needed(intent.trigger, "a trigger")))
    if intent.flags & OrderFlag.CLOSE_POSITION:
        if kind not in (OrderType.STOP, OrderType.TAKE_PROFIT):
            raise OrderError("only a market stop or take-profit can close a whole position")
        return OrderParams((*params, ("closePosition", "true")), conditional=True)
    params.append(("quantity", str(intent.size)))
    if intent.flags & OrderFlag.REDUCE_ONLY:
        params.append(("reduceOnly", "true"))
    return OrderParams(tuple(params), conditional=True)


def futures_order(intent: OrderIntent, symbol: str, *, dated: bool) -> OrderParams:
    """Write an order for a contract, in one-way position mode.

    Parameters
    ----------
    dated : bool
        Whether the market has orders that end at a time.

    Raises
    ------
    OrderError
        If the market has no such order.
    """
    if intent.type in FUTURES_TRIGGERED:
        return _futures_conditional(intent, symbol)
    _refuse(intent, OrderFlag.CLOSE_POSITION, "futures")
    params = [
        *(("symbol", symbol), ("side", SIDES[intent.side]), ("type", intent.type.name)),
        *(("newClientOrderId", intent.client_id), ("newOrderRespType", "RESULT")),
        ("quantity", str(intent.size)),
    ]
    if intent.type is OrderType.LIMIT:
        params.append(("price", _needed(intent.price, "a price")))
        if intent.flags and intent.flags & OrderFlag.POST_ONLY:
            if intent.time_in_force is not TimeInForce.GTC:
                raise OrderError("a post-only order of binance works until it is cancelled")
            params.append(("timeInForce", "GTX"))
        else:
            params += _in_force(intent, dated=dated)
    elif intent.type is not OrderType.MARKET:
        raise OrderError(f"binance futures have no {intent.type.name} orders")
    if intent.flags and intent.flags & OrderFlag.REDUCE_ONLY:
        params.append(("reduceOnly", "true"))
    return OrderParams(tuple(params), conditional=False)
