"""Orders and cancels as they arrive at the paper venue."""

from typing import Final

from bot4_core.domain_types.records import (
    EventKind,
    OrderFlag,
    OrderReason,
    OrderType,
    TimeInForce,
)
from bot4_core.jit import kernel
from bot4_core.kernels.matching_fills import MOST_LEVELS, available, expire, take
from bot4_core.kernels.matching_sight import Sight, best_price, is_live, next_price, size_at
from bot4_core.kernels.matching_state import (
    AHEAD,
    AS_TAKER,
    EVENT_AUX,
    EXPIRE_BOTH,
    EXPIRE_MAKER,
    EXPIRE_TAKER,
    FIRST_ASK,
    FIRST_BID,
    FLAGS,
    FREE,
    INSTRUMENT,
    INSTRUMENTS,
    LEVEL,
    LOT,
    MAX_SIZE,
    MIN_NOTIONAL,
    MIN_SIZE,
    NEXT,
    OF_INSTRUMENT,
    OF_NUMBER,
    OF_ORDER,
    OF_SIDE,
    OPEN,
    POSITION,
    PRICE,
    RESTING,
    SELF_TRADE,
    SIDE,
    SIZE,
    STATE,
    TICK,
    TIME_IN_FORCE,
    TRADED,
    TRADING,
    TYPE,
    VENUE_ID,
    VENUE_ORDERS,
    Desk,
    answer,
    chain_of,
    emit,
    terms_of,
    unlink,
)

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
MEETS_OWN: Final = int(OrderReason.SELF_TRADE)
UNSUPPORTED: Final = int(OrderReason.UNSUPPORTED)
NOT_OPEN: Final = int(OrderReason.NOT_OPEN)
TOO_MANY: Final = int(OrderReason.TOO_MANY)
NOTIONAL_LIMIT: Final = 2**62
NO_PRICE: Final = 2**62


@kernel(inline=True)
def is_supported(desk: Desk, order: int) -> bool:
    """Tell whether the paper venue has an order's type, side and conditions."""
    if desk[order + SIDE] not in (1, -1) or desk[order + TIME_IN_FORCE] == GTD:
        return False
    if desk[order + TYPE] == MARKET:
        return bool(desk[order + FLAGS] & POST_ONLY == 0)
    return bool(desk[order + TYPE] == LIMIT)


@kernel()
def refusal(desk: Desk, sight: Sight, order: int) -> int:
    """Return why an arriving order is refused, ``OrderReason.NONE`` if it is not."""
    instrument = desk[order + INSTRUMENT]
    if not 0 <= instrument < desk[INSTRUMENTS]:
        return UNKNOWN_INSTRUMENT
    terms = terms_of(desk, instrument)
    if not desk[terms + TRADING]:
        return NOT_TRADING
    if not is_supported(desk, order):
        return UNSUPPORTED
    if not is_live(sight, instrument):
        return BOOK_NOT_LIVE
    price = desk[order + PRICE]
    if desk[order + TYPE] == LIMIT and (price <= 0 or price % desk[terms + TICK] != 0):
        return BAD_PRICE
    return size_refusal(desk, sight, order, terms)


@kernel(inline=True)
def size_refusal(desk: Desk, sight: Sight, order: int, terms: int) -> int:
    """Return what is wrong with an order's size and conditions at its price."""
    instrument, side, size = desk[order + INSTRUMENT], desk[order + SIDE], desk[order + SIZE]
    opposite = best_price(sight, instrument, -side)
    price = desk[order + PRICE] if desk[order + TYPE] == LIMIT else opposite
    too_large = 0 < desk[terms + MAX_SIZE] < size or (price > 0 and size > NOTIONAL_LIMIT // price)
    if size <= 0 or size % desk[terms + LOT] != 0 or too_large:
        return BAD_SIZE
    if size < desk[terms + MIN_SIZE] or (price > 0 and size * price < desk[terms + MIN_NOTIONAL]):
        return BELOW_MINIMUM
    if desk[order + FLAGS] & REDUCE_ONLY and desk[terms + POSITION] * side >= 0:
        return WOULD_INCREASE
    if desk[order + FLAGS] & POST_ONLY:
        own = own_best(desk, instrument, -side)
        if opposite != 0 and (price - opposite) * side >= 0:
            return WOULD_TAKE
        if own != 0 and (price - own) * side >= 0:
            return MEETS_OWN
    return FINE


@kernel()
def own_best(desk: Desk, instrument: int, side: int) -> int:
    """Return the price of our best resting order of a side, 0 for none."""
    order = desk[terms_of(desk, instrument) + (FIRST_BID if side > 0 else FIRST_ASK)]
    return int(desk[order + PRICE]) if order != 0 else 0


@kernel()
def fillable(desk: Desk, sight: Sight, order: int, limit: int) -> bool:
    """Tell whether the displayed book can fill an order whole."""
    instrument, side, missing = desk[order + INSTRUMENT], desk[order + SIDE], desk[order + OPEN]
    held = -side * desk[terms_of(desk, instrument) + POSITION]
    if desk[order + FLAGS] & REDUCE_ONLY and missing > held:
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
def limit_of(desk: Desk, order: int) -> int:
    """Return the worst price an order allows; for a market order one that no level reaches."""
    if desk[order + TYPE] == LIMIT:
        return int(desk[order + PRICE])
    return NO_PRICE if desk[order + SIDE] > 0 else 0


@kernel()
def taking_limit(desk: Desk, order: int) -> int:
    """Return the worst price an order may take at: its limit, and short of our own orders."""
    instrument, side = desk[order + INSTRUMENT], desk[order + SIDE]
    limit = limit_of(desk, order)
    own = own_best(desk, instrument, -side)
    if own != 0 and (limit - own) * side >= 0:
        limit = own - side * desk[terms_of(desk, instrument) + TICK]
    return int(limit)


@kernel(inline=True)
def take_past_own(desk: Desk, sight: Sight, order: int) -> None:
    """Fill an order from the displayed book; where it meets our own, one or both expire."""
    limit, reach = limit_of(desk, order), taking_limit(desk, order)
    take(desk, sight, order, reach, AS_TAKER)
    terms = terms_of(desk, desk[order + INSTRUMENT])
    first = terms + (FIRST_ASK if desk[order + SIDE] > 0 else FIRST_BID)
    while desk[SELF_TRADE] != EXPIRE_TAKER and reach != limit and desk[order + STATE] != FREE:
        expire(desk, int(desk[first]), MEETS_OWN)
        if desk[SELF_TRADE] == EXPIRE_BOTH:
            expire(desk, order, MEETS_OWN)
            return
        reach = taking_limit(desk, order)
        take(desk, sight, order, reach, AS_TAKER)


@kernel(inline=True)
def order_arrives(desk: Desk, sight: Sight, request: int) -> None:
    """Refuse an order, or accept it, fill what can be filled, and rest or expire what is left."""
    order = desk[request + OF_ORDER]
    reason = refusal(desk, sight, order) if order != 0 else TOO_MANY
    if reason != FINE:
        refuse(desk, REJECTED, request, reason)
        if order != 0:
            unlink(desk, order)
        return
    desk[VENUE_ORDERS] += 1
    desk[order + VENUE_ID] = desk[VENUE_ORDERS]
    emit(desk, ACCEPTED, order, desk[order + PRICE], desk[order + OPEN])
    spared = desk[SELF_TRADE] != EXPIRE_MAKER  # own orders stand in the way
    limit = taking_limit(desk, order) if spared else limit_of(desk, order)
    if desk[order + TIME_IN_FORCE] != FOK or fillable(desk, sight, order, limit):
        take_past_own(desk, sight, order)
    if desk[order + STATE] == FREE:
        return
    blocked = spared and limit != limit_of(desk, order)
    if blocked or desk[order + TYPE] == MARKET or desk[order + TIME_IN_FORCE] != GTC:
        expire(desk, order, MEETS_OWN if blocked else UNFILLED)
    else:
        rest(desk, sight, order)


@kernel()
def rest(desk: Desk, sight: Sight, order: int) -> None:
    """Put an order behind the displayed size of its level and into our chain, best first."""
    side, price = desk[order + SIDE], desk[order + PRICE]
    shown = size_at(sight, desk[order + INSTRUMENT], side, price)
    desk[order + STATE] = RESTING
    desk[order + AHEAD] = shown
    desk[order + LEVEL] = shown
    desk[order + TRADED] = 0
    link = chain_of(desk, order)
    while desk[link] != 0 and (desk[desk[link] + PRICE] - price) * side >= 0:
        link = desk[link] + NEXT
    desk[order + NEXT] = desk[link]
    desk[link] = order


@kernel()
def refuse(desk: Desk, kind: int, request: int, reason: int) -> None:
    """Say why a request was refused."""
    instrument, side = desk[request + OF_INSTRUMENT], desk[request + OF_SIDE]
    at = answer(desk, kind, instrument, side, desk[request + OF_NUMBER])
    desk[at + EVENT_AUX] = reason


@kernel(inline=True)
def cancel_arrives(desk: Desk, request: int) -> None:
    """Cancel a resting order, or say that there is none (any more)."""
    order = int(desk[request + OF_ORDER])
    if order != 0 and desk[order + STATE] == RESTING and desk[order] == desk[request + OF_NUMBER]:
        desk[emit(desk, CANCELED, order, 0, int(desk[order + OPEN])) + EVENT_AUX] = REQUESTED
        unlink(desk, order)
    else:
        refuse(desk, CANCEL_REJECTED, request, NOT_OPEN)
