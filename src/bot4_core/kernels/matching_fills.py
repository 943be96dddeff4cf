"""Fills of our orders: taking from the displayed book, and being taken from while resting."""

from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, OrderFlag, OrderReason
from bot4_core.jit import kernel
from bot4_core.kernels.matching_sight import Sight, best_price, next_price, size_at
from bot4_core.kernels.matching_state import (
    AHEAD,
    AS_MAKER,
    EVENT_AUX,
    EVENT_SEQUENCE,
    FIRST_ASK,
    FIRST_BID,
    FLAGS,
    FORGOTTEN,
    INSTRUMENT,
    NEXT,
    OPEN,
    POSITION,
    PRICE,
    SIDE,
    TAKEN,
    TAKEN_AT,
    TAKEN_INSTRUMENT,
    TAKEN_PRICE,
    TAKEN_ROOM,
    TAKEN_SHOWN,
    TAKEN_SIDE,
    TAKEN_SIZE,
    TAKEN_WORDS,
    TRADED,
    TRADES,
    Desk,
    emit,
    fee_of,
    terms_of,
    unlink,
)
from bot4_core.kernels.matching_tiers import count_volume

__all__ = ["available", "expire", "fill", "forget_refreshed", "on_trade", "take"]

FILLED: Final = int(EventKind.ORDER_FILLED)
EXPIRED: Final = int(EventKind.ORDER_EXPIRED)
MAKER: Final = int(EventFlag.MAKER) << 16
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
WOULD_INCREASE: Final = int(OrderReason.WOULD_INCREASE)
MOST_LEVELS: Final = 256  # one order walks no further


@kernel()
def expire(desk: Desk, order: int, reason: int) -> None:
    """Say that what is open of an order is gone, and free it."""
    desk[emit(desk, EXPIRED, order, 0, desk[order + OPEN]) + EVENT_AUX] = reason
    unlink(desk, order)


@kernel()
def fill(desk: Desk, order: int, price: int, size: int, role: int) -> int:
    """Fill an order up to a size; a reduce-only order never beyond the position.

    Returns
    -------
    int
        The size filled. An order without open size left is freed.
    """
    terms = terms_of(desk, desk[order + INSTRUMENT])
    side = desk[order + SIDE]
    done = min(size, desk[order + OPEN])
    reducing = (desk[order + FLAGS] & REDUCE_ONLY) != 0
    if reducing:
        done = min(done, max(-side * desk[terms + POSITION], 0))
    if done > 0:
        desk[order + OPEN] -= done
        desk[terms + POSITION] += side * done
        desk[TRADES] += 1
        at = emit(desk, FILLED + MAKER * role, order, price, done)
        desk[at + EVENT_SEQUENCE] = desk[TRADES]
        desk[at + EVENT_AUX] = fee_of(desk, terms, price, done, role)
        count_volume(desk, terms, price, done)
    if desk[order + OPEN] == 0:
        unlink(desk, order)
    elif reducing and side * desk[terms + POSITION] >= 0:
        expire(desk, order, WOULD_INCREASE)
    return int(done)


@kernel()
def find_taken(desk: Desk, instrument: int, side: int, price: int) -> int:
    """Return the row that remembers what we took at a level, 0 for none."""
    row = desk[TAKEN_AT]
    for _ in range(desk[TAKEN]):
        if (
            desk[row + TAKEN_PRICE] == price
            and desk[row + TAKEN_INSTRUMENT] == instrument
            and desk[row + TAKEN_SIDE] == side
        ):
            return int(row)
        row += TAKEN_WORDS
    return 0


@kernel()
def available(desk: Desk, sight: Sight, instrument: int, side: int, price: int) -> int:
    """Return the displayed size at a level, less what we took since it last changed."""
    shown = size_at(sight, instrument, side, price)
    row = find_taken(desk, instrument, side, price)
    if row != 0 and desk[row + TAKEN_SHOWN] == shown:
        return int(max(shown - desk[row + TAKEN_SIZE], 0))
    return shown


@kernel(inline=True)
def remember_taken(desk: Desk, sight: Sight, order: int, price: int, size: int) -> None:
    """Note what an order took at a level; when the memory is full the oldest note goes."""
    instrument, side = desk[order + INSTRUMENT], -desk[order + SIDE]
    shown = size_at(sight, instrument, side, price)
    row = find_taken(desk, instrument, side, price)
    if row != 0:
        before = desk[row + TAKEN_SIZE] if desk[row + TAKEN_SHOWN] == shown else 0
        desk[row + TAKEN_SIZE] = size + before
        desk[row + TAKEN_SHOWN] = shown
        return
    if desk[TAKEN] == desk[TAKEN_ROOM]:
        drop_taken(desk, desk[TAKEN_AT])
        desk[FORGOTTEN] += 1
    row = desk[TAKEN_AT] + TAKEN_WORDS * desk[TAKEN]
    desk[TAKEN] += 1
    desk[row + TAKEN_INSTRUMENT] = instrument
    desk[row + TAKEN_SIDE] = side
    desk[row + TAKEN_PRICE] = price
    desk[row + TAKEN_SHOWN] = shown
    desk[row + TAKEN_SIZE] = size


@kernel()
def drop_taken(desk: Desk, row: int) -> None:
    """Forget one taken level, keeping the others in order."""
    end = desk[TAKEN_AT] + TAKEN_WORDS * desk[TAKEN]
    for at in range(row + TAKEN_WORDS, end):
        desk[at - TAKEN_WORDS] = desk[at]
    desk[TAKEN] -= 1


@kernel(inline=True)
def forget_refreshed(desk: Desk, sight: Sight, instrument: int) -> None:
    """Forget what we took at levels of an instrument whose displayed size has changed since."""
    row = desk[TAKEN_AT]
    while row < desk[TAKEN_AT] + TAKEN_WORDS * desk[TAKEN]:
        side, price = int(desk[row + TAKEN_SIDE]), int(desk[row + TAKEN_PRICE])
        if desk[row + TAKEN_INSTRUMENT] == instrument and desk[row + TAKEN_SHOWN] != size_at(
            sight, instrument, side, price
        ):
            drop_taken(desk, row)
        else:
            row += TAKEN_WORDS


@kernel()
def take(desk: Desk, sight: Sight, order: int, limit: int, role: int) -> int:
    """Fill an order from the opposite side, best level first, until its limit.

    Parameters
    ----------
    role : int
        ``AS_TAKER`` fills at the levels' prices. ``AS_MAKER`` fills at the limit, because the
        market came to our resting price.

    Returns
    -------
    int
        The size filled.
    """
    instrument, side = desk[order + INSTRUMENT], desk[order + SIDE]
    price = best_price(sight, instrument, -side)
    filled = 0
    for _ in range(MOST_LEVELS):
        if price == 0 or (price - limit) * side > 0 or desk[order + OPEN] == 0:
            break
        size = available(desk, sight, instrument, -side, price)
        done = 0
        if size > 0:
            done = fill(desk, order, limit if role == AS_MAKER else price, size, role)
        if done > 0:
            remember_taken(desk, sight, order, price, done)
        filled += done
        if done < size:
            break
        price = next_price(sight, instrument, -side, price)
    return filled


@kernel()
def on_trade(desk: Desk, instrument: int, side: int, price: int, size: int) -> None:
    """Let a public trade reach our resting orders of one side, best first.

    A trade at our price first consumes the queue before us, then us; a trade beyond our price
    consumes us alone. Our orders together never get more than was traded.
    """
    order = int(desk[terms_of(desk, instrument) + (FIRST_BID if side > 0 else FIRST_ASK)])
    rest = size
    while order != 0 and rest > 0:
        after = int(desk[order + NEXT])
        beyond = (desk[order + PRICE] - price) * side
        if beyond < 0:
            break
        queue = 0
        if beyond == 0:
            queue = min(desk[order + AHEAD], rest)
            desk[order + AHEAD] -= queue
            desk[order + TRADED] += rest
        if rest > queue:
            rest -= fill(desk, order, desk[order + PRICE], rest - queue, AS_MAKER)
        order = after
