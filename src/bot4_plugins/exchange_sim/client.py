"""The client's orders at the simulated venue: checks, conditions, and what is left of them."""

from typing import Final

from bot4_core.domain_types.records import (
    INTENT_DTYPE,
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
    CAPACITY,
    CLIENT,
    EVENT_AUX,
    EVENT_LINK,
    EVENT_PRICE,
    FIRST,
    FLAGS,
    FREE,
    LEVEL_COUNT,
    LEVEL_WORDS,
    LEVELS_AT,
    LIVE,
    LIVE_AT,
    LOT,
    MAX_SIZE,
    MIN_NOTIONAL,
    MIN_SIZE,
    NEXT,
    NUMBER,
    OPEN,
    ORIGIN,
    OWNER,
    POSITION,
    TICK,
    Words,
    emit,
    match,
    new_order,
    price_of,
    reducible,
    release,
    remove,
    report,
    rest,
)

__all__ = ["client_cancel", "client_order", "client_refusal"]

# words of an INTENT_DTYPE row
FIELDS: Final = list(INTENT_DTYPE.names or ())
WISH_NUMBER: Final = FIELDS.index("number")
WISH_SIDE: Final = FIELDS.index("side")
WISH_TYPE: Final = FIELDS.index("type")
WISH_TIME: Final = FIELDS.index("time_in_force")
WISH_FLAGS: Final = FIELDS.index("flags")
WISH_PRICE: Final = FIELDS.index("price")
WISH_SIZE: Final = FIELDS.index("size")

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
VENUE_REASON: Final = int(OrderReason.VENUE)
NOTIONAL_LIMIT: Final = 2**62


@kernel()
def find_order(words: Words, number: int) -> int:
    """Return the client's resting order of a number, 0 for none."""
    mine = words[LIVE_AT] + words[CAPACITY] * CLIENT
    for place in range(words[LIVE + CLIENT]):
        if words[words[mine + place] + NUMBER] == number:
            return int(words[mine + place])
    return 0


@kernel()
def worst_index(words: Words, wish: Words) -> int:
    """Return the worst level an order may trade at; one outside the ladder for a bad price."""
    if wish[WISH_TYPE] == MARKET:
        return int(words[LEVEL_COUNT] - 1) if wish[WISH_SIDE] > 0 else 0
    price = wish[WISH_PRICE]
    if price <= 0 or price % words[TICK] != 0:
        return -1
    return int(price // words[TICK] - words[ORIGIN])


@kernel()
def form_refusal(words: Words, wish: Words) -> int:
    """Return what is wrong with an order by itself."""
    side, size = wish[WISH_SIDE], wish[WISH_SIZE]
    market = wish[WISH_TYPE] == MARKET
    if side not in (1, -1) or wish[WISH_TIME] == GTD:
        return UNSUPPORTED
    if (not market and wish[WISH_TYPE] != LIMIT) or (market and wish[WISH_FLAGS] & POST_ONLY):
        return UNSUPPORTED
    index = worst_index(words, wish)
    if index < 0 or index >= words[LEVEL_COUNT]:
        return BAD_PRICE
    too_large = 0 < words[MAX_SIZE] < size or size > NOTIONAL_LIMIT // price_of(words, index)
    if size <= 0 or size % words[LOT] != 0 or too_large:
        return BAD_SIZE
    if size < words[MIN_SIZE] or price_of(words, index) * size < words[MIN_NOTIONAL]:
        return BELOW_MINIMUM
    return FINE


@kernel()
def refusal(words: Words, wish: Words) -> int:
    """Return why an order is refused, ``OrderReason.NONE`` if it is not."""
    reason = form_refusal(words, wish)
    if reason != FINE:
        return reason
    side, flags = wish[WISH_SIDE], wish[WISH_FLAGS]
    if flags & REDUCE_ONLY and words[POSITION] * side >= 0:
        return WOULD_INCREASE
    if flags & POST_ONLY:
        index = worst_index(words, wish)
        if (side > 0 and index >= words[ASK]) or (side < 0 and index <= words[BID]):
            return WOULD_TAKE
    if words[FREE] == 0 or words[words[FREE] + NEXT] == 0:
        return TOO_MANY
    if find_order(words, wish[WISH_NUMBER]) != 0:
        return DUPLICATE
    return FINE


@kernel()
def fillable(words: Words, side: int, limit: int, size: int) -> bool:
    """Tell whether the opposite side can fill a size within a limit before an own order."""
    index = words[ASK] if side > 0 else words[BID]
    missing = size
    while 0 <= index < words[LEVEL_COUNT] and (index - limit) * side <= 0:
        order = words[words[LEVELS_AT] + LEVEL_WORDS * index + FIRST]
        while order != 0:
            if words[order + OWNER] == CLIENT:
                return False
            missing -= words[order + OPEN]
            if missing <= 0:
                return True
            order = words[order + NEXT]
        index += side
    return False


@kernel()
def refuse(words: Words, kind: int, side: int, number: int, reason: int) -> None:
    """Append the refusal of a request."""
    at = emit(words, kind + (END << 16), side, 0, 0)
    words[at + EVENT_AUX] = reason
    words[at + EVENT_LINK] = number


@kernel()
def client_order(words: Words, wish: Words) -> None:
    """Refuse an order, or accept it, fill what can be filled, and rest or expire what is left.

    Parameters
    ----------
    wish : (words,) int64
        An INTENT_DTYPE row; its instrument and time are not read.
    """
    side, size = wish[WISH_SIDE], wish[WISH_SIZE]
    reason = refusal(words, wish)
    if reason != FINE:
        refuse(words, REJECTED, side, wish[WISH_NUMBER], reason)
        return
    limit = worst_index(words, wish)
    order = new_order(words, side, limit, size, CLIENT)
    words[order + NUMBER] = wish[WISH_NUMBER]
    words[order + FLAGS] = wish[WISH_FLAGS]
    at = report(words, ACCEPTED, order, FINE)
    words[at + EVENT_PRICE] = wish[WISH_PRICE]
    reason = UNFILLED
    if wish[WISH_TIME] != FOK or (
        reducible(words, order) == size and fillable(words, side, limit, size)
    ):
        stopped = match(words, order, limit)
        if stopped != FINE:
            reason = stopped
        elif reducible(words, order) < words[order + OPEN]:
            reason = WOULD_INCREASE
    if words[order + OPEN] == 0:
        release(words, order)
    elif wish[WISH_TYPE] == LIMIT and wish[WISH_TIME] == GTC and reason == UNFILLED:
        rest(words, order)
    else:
        report(words, EXPIRED, order, reason)
        release(words, order)


@kernel()
def client_cancel(words: Words, number: int) -> None:
    """Cancel a resting order, or say that there is none (any more)."""
    order = find_order(words, number)
    if order == 0:
        refuse(words, CANCEL_REJECTED, 0, number, NOT_OPEN)
        return
    report(words, CANCELED, order, REQUESTED)
    remove(words, order)


@kernel()
def client_refusal(words: Words, number: int) -> None:
    """Reject an order that came when the venue takes no more requests."""
    refuse(words, REJECTED, 0, number, VENUE_REASON)
