"""The client's orders at the simulated venue: checks, conditions, and what is left of them."""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import (
    EventFlag,
    EventKind,
    OrderFlag,
    OrderReason,
    OrderType,
    TimeInForce,
)
from bot4_core.jit import kernel
from bot4_plugins.exchange_sim.engine import (
    ASK,
    BID,
    CLIENT,
    FIRST,
    FLAGS,
    FREE,
    LIVE,
    NEXT,
    NUMBER,
    OPEN,
    ORIGIN,
    OWNER,
    POSITION,
    SIZE,
    Engine,
    emit,
    match,
    new_order,
    reducible,
    release,
    remove,
    report,
    rest,
)

__all__ = ["client_cancel", "client_order"]

ACCEPTED: Final = int(EventKind.ORDER_ACCEPTED)
CANCELED: Final = int(EventKind.ORDER_CANCELED)
REJECTED: Final = int(EventKind.ORDER_REJECTED)
EXPIRED: Final = int(EventKind.ORDER_EXPIRED)
CANCEL_REJECTED: Final = int(EventKind.CANCEL_REJECTED)
END: Final = int(EventFlag.LAST)
MARKET: Final = int(OrderType.MARKET)
LIMIT: Final = int(OrderType.LIMIT)
GTC: Final = int(TimeInForce.GTC)
FOK: Final = int(TimeInForce.FOK)
GTD: Final = int(TimeInForce.GTD)
POST_ONLY: Final = int(OrderFlag.POST_ONLY)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
FINE: Final = int(OrderReason.NONE)
REQUESTED: Final = int(OrderReason.REQUESTED)
WOULD_TAKE: Final = int(OrderReason.WOULD_TAKE)
UNFILLED: Final = int(OrderReason.UNFILLED)
BAD_PRICE: Final = int(OrderReason.BAD_PRICE)
BAD_SIZE: Final = int(OrderReason.BAD_SIZE)
BELOW_MINIMUM: Final = int(OrderReason.BELOW_MINIMUM)
WOULD_INCREASE: Final = int(OrderReason.WOULD_INCREASE)
UNSUPPORTED: Final = int(OrderReason.UNSUPPORTED)
NOT_OPEN: Final = int(OrderReason.NOT_OPEN)
DUPLICATE: Final = int(OrderReason.DUPLICATE)
TOO_MANY: Final = int(OrderReason.TOO_MANY)


@kernel()
def find_order(engine: Engine, number: int) -> int:
    """Return the row of the client's resting order of a number, -1 for none."""
    for place in range(engine.head[LIVE + CLIENT]):
        slot = engine.live[CLIENT, place]
        if engine.orders[slot, NUMBER] == number:
            return int(slot)
    return -1


@kernel()
def refusal(engine: Engine, intent: np.void) -> int:
    """Return why an order is refused, ``OrderReason.NONE`` if it is not."""
    terms = engine.terms[0]
    size, side, flags = intent["size"], intent["side"], intent["flags"]
    is_limit = intent["type"] == LIMIT
    if side not in (1, -1) or intent["time_in_force"] == GTD:
        return UNSUPPORTED
    if not is_limit and (intent["type"] != MARKET or flags & POST_ONLY):
        return UNSUPPORTED
    if is_limit and not has_level(engine, intent["price"]):
        return BAD_PRICE
    if size <= 0 or size % terms["lot"] != 0 or 0 < terms["max_size"] < size:
        return BAD_SIZE
    if size < terms["min_size"]:
        return BELOW_MINIMUM
    return condition_refusal(engine, intent)


@kernel()
def condition_refusal(engine: Engine, intent: np.void) -> int:
    """Return which condition of an order cannot be met now."""
    side, flags = intent["side"], intent["flags"]
    if flags & REDUCE_ONLY and engine.head[POSITION] * side >= 0:
        return WOULD_INCREASE
    if flags & POST_ONLY:
        index = level_of(engine, intent)
        if (side > 0 and index >= engine.head[ASK]) or (side < 0 and index <= engine.head[BID]):
            return WOULD_TAKE
    if engine.head[FREE] < 0 or engine.orders[engine.head[FREE], NEXT] < 0:
        return TOO_MANY
    if find_order(engine, intent["number"]) >= 0:
        return DUPLICATE
    return FINE


@kernel()
def has_level(engine: Engine, price: int) -> bool:
    """Tell whether a price is one of the engine's ticks."""
    tick = engine.terms[0]["tick"]
    if price <= 0 or price % tick != 0:
        return False
    return bool(0 <= price // tick - engine.head[ORIGIN] < len(engine.levels))


@kernel()
def level_of(engine: Engine, intent: np.void) -> int:
    """Return the worst index that an order may trade at."""
    if intent["type"] == LIMIT:
        return int(intent["price"] // engine.terms[0]["tick"] - engine.head[ORIGIN])
    return len(engine.levels) - 1 if intent["side"] > 0 else 0


@kernel()
def fillable(engine: Engine, side: int, limit: int, size: int) -> bool:
    """Tell whether the opposite side can fill a size within a limit, own orders aside."""
    index = engine.head[ASK] if side > 0 else engine.head[BID]
    missing = size
    while 0 <= index < len(engine.levels) and (index - limit) * side <= 0:
        if engine.levels[index, SIZE] > 0:
            slot = engine.levels[index, FIRST]
            while slot >= 0:
                if engine.orders[slot, OWNER] == CLIENT:
                    return False
                missing -= engine.orders[slot, OPEN]
                if missing <= 0:
                    return True
                slot = engine.orders[slot, NEXT]
        index += side
    return False


@kernel()
def refuse(engine: Engine, kind: int, side: int, number: int, reason: int) -> None:
    """Append the refusal of a request."""
    at = emit(engine, kind, side, 0, 0, END)
    engine.out[at]["aux"] = reason
    engine.out[at]["link"] = number


@kernel()
def client_order(engine: Engine, intent: np.void) -> None:
    """Refuse an order, or accept it, fill what can be filled, and rest or expire what is left."""
    side = intent["side"]
    reason = refusal(engine, intent)
    if reason != FINE:
        refuse(engine, REJECTED, side, intent["number"], reason)
        return
    limit = level_of(engine, intent)
    slot = new_order(engine, side, limit, intent["size"], CLIENT)
    engine.orders[slot, NUMBER] = intent["number"]
    engine.orders[slot, FLAGS] = intent["flags"]
    at = report(engine, ACCEPTED, slot, FINE)
    engine.out[at]["price"] = intent["price"]
    reason = UNFILLED
    whole = reducible(engine, slot) == intent["size"]
    if intent["time_in_force"] != FOK or (whole and fillable(engine, side, limit, intent["size"])):
        stopped = match(engine, slot, limit)
        if stopped != FINE:
            reason = stopped
        elif reducible(engine, slot) < engine.orders[slot, OPEN]:
            reason = WOULD_INCREASE
    finish(engine, slot, intent, reason)


@kernel()
def finish(engine: Engine, slot: int, intent: np.void, reason: int) -> None:
    """Rest or expire what is left of an order after matching."""
    if engine.orders[slot, OPEN] == 0:
        release(engine, slot)
    elif intent["type"] == LIMIT and intent["time_in_force"] == GTC and reason == UNFILLED:
        rest(engine, slot)
    else:
        report(engine, EXPIRED, slot, reason)
        release(engine, slot)


@kernel()
def client_cancel(engine: Engine, number: int) -> None:
    """Cancel a resting order, or say that there is none (any more)."""
    slot = find_order(engine, number)
    if slot < 0:
        refuse(engine, CANCEL_REJECTED, 0, number, NOT_OPEN)
        return
    report(engine, CANCELED, slot, REQUESTED)
    remove(engine, slot)
