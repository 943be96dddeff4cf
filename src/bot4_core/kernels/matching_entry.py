"""Orders and cancels as they arrive at the paper venue."""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import (
    EventKind,
    OrderFlag,
    OrderReason,
    OrderType,
    TimeInForce,
)
from bot4_core.jit import kernel
from bot4_core.kernels.matching_fills import MOST_LEVELS, available, take
from bot4_core.kernels.matching_sight import Sight, best_price, is_live, next_price, size_at
from bot4_core.kernels.matching_state import AS_TAKER, FREE, RESTING, Desk, emit, unlink

__all__ = ["cancel_arrives", "order_arrives", "refusal"]

ACCEPTED: Final = int(EventKind.ORDER_ACCEPTED)
CANCELED: Final = int(EventKind.ORDER_CANCELED)
REJECTED: Final = int(EventKind.ORDER_REJECTED)
EXPIRED: Final = int(EventKind.ORDER_EXPIRED)
CANCEL_REJECTED: Final = int(EventKind.CANCEL_REJECTED)
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
BOOK_NOT_LIVE: Final = int(OrderReason.BOOK_NOT_LIVE)
UNKNOWN_INSTRUMENT: Final = int(OrderReason.UNKNOWN_INSTRUMENT)
NOT_TRADING: Final = int(OrderReason.NOT_TRADING)
BAD_PRICE: Final = int(OrderReason.BAD_PRICE)
BAD_SIZE: Final = int(OrderReason.BAD_SIZE)
BELOW_MINIMUM: Final = int(OrderReason.BELOW_MINIMUM)
WOULD_INCREASE: Final = int(OrderReason.WOULD_INCREASE)
SELF_TRADE: Final = int(OrderReason.SELF_TRADE)
UNSUPPORTED: Final = int(OrderReason.UNSUPPORTED)
NOT_OPEN: Final = int(OrderReason.NOT_OPEN)
NOTIONAL_LIMIT: Final = 2**62
NO_PRICE: Final = 2**62


@kernel()
def is_supported(order: np.void) -> bool:
    """Tell whether the paper venue has an order's type, side and conditions."""
    if order["side"] not in (1, -1) or order["time_in_force"] == GTD:
        return False
    if order["type"] == MARKET:
        return bool(order["flags"] & POST_ONLY == 0)
    return bool(order["type"] == LIMIT)


@kernel()
def refusal(desk: Desk, sight: Sight, slot: int) -> int:
    """Return why an arriving order is refused, ``OrderReason.NONE`` if it is not."""
    order = desk.orders[slot]
    instrument = order["instrument"]
    if not 0 <= instrument < len(desk.terms):
        return UNKNOWN_INSTRUMENT
    if not desk.terms[instrument]["trading"]:
        return NOT_TRADING
    if not is_supported(order):
        return UNSUPPORTED
    if not is_live(sight, instrument):
        return BOOK_NOT_LIVE
    if order["type"] == LIMIT and (
        order["price"] <= 0 or order["price"] % desk.terms[instrument]["tick"] != 0
    ):
        return BAD_PRICE
    return size_refusal(desk, sight, slot)


@kernel()
def size_refusal(desk: Desk, sight: Sight, slot: int) -> int:
    """Return what is wrong with an order's size and conditions at its price."""
    order = desk.orders[slot]
    side, size = order["side"], order["size"]
    terms = desk.terms[order["instrument"]]
    opposite = best_price(sight, order["instrument"], -side)
    price = order["price"] if order["type"] == LIMIT else opposite
    too_large = 0 < terms["max_size"] < size or (price > 0 and size > NOTIONAL_LIMIT // price)
    if size <= 0 or size % terms["lot"] != 0 or too_large:
        return BAD_SIZE
    if size < terms["min_size"] or (price > 0 and size * price < terms["min_notional"]):
        return BELOW_MINIMUM
    if order["flags"] & REDUCE_ONLY and terms["position"] * side >= 0:
        return WOULD_INCREASE
    if order["flags"] & POST_ONLY:
        own = own_best(desk, order["instrument"], -side)
        if opposite != 0 and (price - opposite) * side >= 0:
            return WOULD_TAKE
        if own != 0 and (price - own) * side >= 0:
            return SELF_TRADE
    return FINE


@kernel()
def own_best(desk: Desk, instrument: int, side: int) -> int:
    """Return the price of our best resting order of a side, 0 for none."""
    terms = desk.terms[instrument]
    slot = terms["first_bid"] if side > 0 else terms["first_ask"]
    if slot < 0:
        return 0
    return int(desk.orders[slot]["price"])


@kernel()
def fillable(desk: Desk, sight: Sight, slot: int, limit: int) -> bool:
    """Tell whether the displayed book can fill an order whole."""
    order = desk.orders[slot]
    instrument, side = order["instrument"], order["side"]
    missing = order["open"]
    if order["flags"] & REDUCE_ONLY and missing > -side * desk.terms[instrument]["position"]:
        return False
    price = best_price(sight, instrument, -side)
    for _ in range(MOST_LEVELS):
        if price == 0 or (price - limit) * side > 0:
            return False
        missing -= available(desk, sight, instrument, -side, price)
        if missing <= 0:
            return True
        price = next_price(sight, instrument, -side, price)
    return False


@kernel()
def limit_of(order: np.void) -> int:
    """Return the worst price an order allows; for a market order one that no level reaches."""
    if order["type"] == LIMIT:
        return int(order["price"])
    return NO_PRICE if order["side"] > 0 else 0


@kernel()
def taking_limit(desk: Desk, slot: int) -> int:
    """Return the worst price an order may take at: its limit, and short of our own orders."""
    order = desk.orders[slot]
    side = order["side"]
    limit = limit_of(order)
    own = own_best(desk, order["instrument"], -side)
    if own != 0 and (limit - own) * side >= 0:
        limit = own - side * desk.terms[order["instrument"]]["tick"]
    return int(limit)


@kernel()
def order_arrives(desk: Desk, sight: Sight, slot: int) -> None:
    """Refuse an order, or accept it, fill what can be filled, and rest or expire what is left."""
    order = desk.orders[slot]
    reason = refusal(desk, sight, slot)
    if reason != FINE:
        emit(desk, REJECTED, slot, 0, 0, -1, reason, 0)
        unlink(desk, slot)
        return
    head = desk.head[0]
    order["venue_id"] = head["next_order"]
    head["next_order"] += 1
    emit(desk, ACCEPTED, slot, order["price"], order["open"], order["venue_id"], 0, 0)
    limit = taking_limit(desk, slot)
    if order["time_in_force"] != FOK or fillable(desk, sight, slot, limit):
        take(desk, sight, slot, limit, AS_TAKER)
    if order["state"] == FREE:
        return
    blocked = limit != limit_of(order)
    if blocked or order["type"] == MARKET or order["time_in_force"] != GTC:
        reason = SELF_TRADE if blocked else UNFILLED
        emit(desk, EXPIRED, slot, 0, order["open"], order["venue_id"], reason, 0)
        unlink(desk, slot)
    else:
        rest(desk, sight, slot)


@kernel()
def rest(desk: Desk, sight: Sight, slot: int) -> None:
    """Put an order behind the displayed size of its level and into our chain, best first."""
    order = desk.orders[slot]
    instrument, side, price = order["instrument"], order["side"], order["price"]
    shown = size_at(sight, instrument, side, price)
    order["state"] = RESTING
    order["ahead"] = shown
    order["level"] = shown
    order["traded"] = 0
    terms = desk.terms[instrument]
    before = -1
    at = terms["first_bid"] if side > 0 else terms["first_ask"]
    while at >= 0 and (desk.orders[at]["price"] - price) * side >= 0:
        before = at
        at = desk.orders[at]["next"]
    order["next"] = at
    if before >= 0:
        desk.orders[before]["next"] = slot
    elif side > 0:
        terms["first_bid"] = slot
    else:
        terms["first_ask"] = slot


@kernel()
def cancel_arrives(desk: Desk, action: np.void) -> None:
    """Cancel a resting order, or say that there is none (any more)."""
    slot = action["slot"]
    order = desk.orders[slot]
    if order["number"] == action["number"] and order["state"] == RESTING:
        emit(desk, CANCELED, slot, 0, order["open"], order["venue_id"], REQUESTED, 0)
        unlink(desk, slot)
        return
    emit(desk, CANCEL_REJECTED, slot, 0, 0, -1, NOT_OPEN, 0)
    row = desk.out[desk.head[0]["out_count"] - 1]
    row["link"] = action["number"]
    row["instrument"] = action["instrument"]
    row["side"] = action["side"]
