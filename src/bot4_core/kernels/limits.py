"""The limit check: what an order would put at stake, against what may be."""

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import BookState, OrderFlag, OrderType, Side, TimeInForce
from bot4_core.jit import kernel
from bot4_core.kernels.limits_money import LARGEST, TOO_LARGE, exact_ratio, notional, worth

__all__ = [
    "ACCOUNT_DTYPE",
    "LIMITS_DTYPE",
    "NO_LIMIT",
    "SCALE_DTYPE",
    "UNMEASURED",
    "LimitCode",
    "check_limits",
]

Rows = NDArray[np.void]
Row = np.void

UNMEASURED: Final = -1
"""The number could not be computed: there was no reference price, or it left 62 bits."""
NO_LIMIT: Final = LARGEST
SECOND: Final = 1_000_000_000
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
LIVE: Final = int(BookState.LIVE)
POST_ONLY: Final = int(OrderFlag.POST_ONLY)
MARKET: Final = int(OrderType.MARKET)
GTC: Final = int(TimeInForce.GTC)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)


class LimitCode(IntEnum):
    """The checks, in the order of the rows that ``check_limits`` fills."""

    REFERENCE = 0  # book state; 1 (LIVE) is allowed
    ORDER_NOTIONAL = 1
    POSITION_NOTIONAL = 2
    GROSS_NOTIONAL = 3
    LEVERAGE = 4  # gross notional against equity times the largest leverage
    PRICE_COLLAR = 5  # distance from the mid in half price units
    ORDER_RATE = 6  # orders within the last second, this one included
    OPEN_ORDERS = 7
    DAILY_LOSS = 8
    DRAWDOWN = 9  # loss from the highest equity
    REDUCE_ONLY = 10  # size against what is held and not yet being closed
    SHORT_SALE = 11  # size against what is held, where nothing can be borrowed
    SHAPE = 12  # side, size, price or instrument make no order
    TICK = 13  # rest of the price over the tick
    LOT = 14  # rest of the size over the lot
    MIN_SIZE = 15  # the instrument's least size against the order's
    MAX_SIZE = 16
    MIN_NOTIONAL = 17  # the venue's least notional against the order's


REFERENCE: Final = int(LimitCode.REFERENCE)
ORDER_NOTIONAL: Final = int(LimitCode.ORDER_NOTIONAL)
POSITION_NOTIONAL: Final = int(LimitCode.POSITION_NOTIONAL)
GROSS_NOTIONAL: Final = int(LimitCode.GROSS_NOTIONAL)
LEVERAGE: Final = int(LimitCode.LEVERAGE)
PRICE_COLLAR: Final = int(LimitCode.PRICE_COLLAR)
ORDER_RATE: Final = int(LimitCode.ORDER_RATE)
OPEN_ORDERS: Final = int(LimitCode.OPEN_ORDERS)
DAILY_LOSS: Final = int(LimitCode.DAILY_LOSS)
DRAWDOWN: Final = int(LimitCode.DRAWDOWN)
REDUCTION: Final = int(LimitCode.REDUCE_ONLY)
SHORT_SALE: Final = int(LimitCode.SHORT_SALE)
SHAPE: Final = int(LimitCode.SHAPE)
UNPRICED: Final = (
    *(int(OrderType.MARKET), int(OrderType.STOP)),
    *(int(OrderType.TAKE_PROFIT), int(OrderType.TRAILING_STOP)),
)
"""Orders that trade at market, at once or when they are triggered."""
TICK: Final = int(LimitCode.TICK)
LOT: Final = int(LimitCode.LOT)
MIN_SIZE: Final = int(LimitCode.MIN_SIZE)
MAX_SIZE: Final = int(LimitCode.MAX_SIZE)
MIN_NOTIONAL: Final = int(LimitCode.MIN_NOTIONAL)

LIMITS_DTYPE: Final = np.dtype(
    [
        ("order", "<i8"),
        ("position", "<i8"),
        ("gross", "<i8"),
        ("loss", "<i8"),
        ("collar", "<i8"),
        ("collar_divisor", "<i8"),
        ("leverage", "<i8"),
        ("leverage_divisor", "<i8"),
        ("drawdown", "<i8"),
        ("drawdown_divisor", "<i8"),
        ("open_orders", "<i8"),
    ]
)
"""Limits of a session: money at the account's exponent, fractions as two integers."""

ACCOUNT_DTYPE: Final = np.dtype(
    [
        ("equity", "<i8"),
        ("peak", "<i8"),  # highest equity so far
        ("day_start", "<i8"),  # equity at the start of the UTC day
        ("day", "<i8"),  # number of the UTC day
        ("open_orders", "<i8"),
        ("sent", "<i8"),  # orders let through so far
    ]
)
"""What the account is worth now, in money units."""

SCALE_DTYPE: Final = np.dtype(
    [
        ("numerator", "<i8"),
        ("divisor", "<i8"),
        ("inverse", "<i8"),
        ("no_short", "<i8"),
        ("min_size", "<i8"),
        ("max_size", "<i8"),  # NO_LIMIT for none
        ("min_notional", "<i8"),
    ]
)
"""How one instrument's sizes and prices turn into money units."""


@kernel()
def scale_of(scales: Rows, instrument: int) -> tuple[int, int, int]:
    """Return an instrument's scale as plain integers."""
    row = scales[instrument]
    return int(row["numerator"]), int(row["divisor"]), int(row["inverse"])


@kernel(inline=True)
def twice_mid(view: Row) -> int:
    """Return bid plus ask of a LIVE two-sided book, else 0."""
    if view["state"] != LIVE or view["bid"] <= 0 or view["ask"] <= 0:
        return 0
    return int(view["bid"]) + int(view["ask"])


@kernel()
def worst_position(view: Row, side: int, added: int) -> int:
    """Return the position on one side if every open and unknown order of that side fills.

    A sum beyond ``LARGEST`` stays beyond it, and can be valued at nothing.
    """
    if side == BUY:
        held = int(view["position"]) + int(view["open_buy"])
    else:
        held = int(view["open_sell"]) - int(view["position"])
    return max(0, min(held, LARGEST + 1) + added)


@kernel(inline=True)
def last_known_price(view: Row) -> int:
    """Return twice the best price to value a holding at, LIVE or not; 0 if none was seen."""
    if view["bid"] > 0 and view["ask"] > 0:
        return int(view["bid"]) + int(view["ask"])
    return 2 * int(view["last_price"])


@kernel()
def gross_exposure(views: Rows, scales: Rows, instrument: int, added: tuple[int, int]) -> int:
    """Return the worst-case notional over all instruments; ``added`` is (to buy, to sell)."""
    total = 0
    for i in range(len(views)):
        view = views[i]
        buy, sell = added if i == instrument else (0, 0)
        worst = max(worst_position(view, 1, buy), worst_position(view, -1, sell))
        if worst == 0:
            continue
        price = last_known_price(view)
        if price == 0:
            return TOO_LARGE
        value = notional(worst, price, scale_of(scales, i))
        if value == TOO_LARGE or value > LARGEST - total:
            return TOO_LARGE
        total += value
    return total


@kernel(inline=True)
def exposures(intent: Row, views: Rows, scales: Rows) -> tuple[int, int]:
    """Return the worst-case notional over all instruments without an order and with it."""
    number, size = int(intent["instrument"]), int(intent["size"])
    added = (size, 0) if intent["side"] == BUY else (0, size)
    before = gross_exposure(views, scales, number, (0, 0))
    return before, gross_exposure(views, scales, number, added)


@kernel()
def put(found: NDArray[np.int64], code: int, used: int, allowed: int) -> int:
    """Write one row and return its bit if the limit is broken or could not be measured."""
    found[code, 0] = used
    found[code, 1] = allowed
    return 1 << code if used == UNMEASURED or used > allowed else 0


@kernel(inline=True)
def check_price(intent: Row, limits: Row, mid2: int, found: NDArray[np.int64]) -> int:
    """Check the collar of a limit price; an order at market has none."""
    if intent["price"] == 0:
        return 0
    allowed = exact_ratio(mid2, int(limits["collar"]), int(limits["collar_divisor"]), 0)
    if mid2 == 0 or intent["price"] > LARGEST // 2 or allowed == TOO_LARGE:
        return put(found, PRICE_COLLAR, UNMEASURED, allowed)
    return put(found, PRICE_COLLAR, abs(2 * int(intent["price"]) - mid2), allowed)


@kernel(inline=True)
def check_reduction(intent: Row, view: Row, found: NDArray[np.int64]) -> int:
    """Check that a reduce-only order closes no more than is held and not yet being closed."""
    held = -int(view["position"]) * int(intent["side"])
    working = int(view["open_buy"]) if intent["side"] == BUY else int(view["open_sell"])
    return put(found, REDUCTION, int(intent["size"]), max(0, held - working))


@kernel(inline=True)
def check_rate(intent: Row, sent: int, times: NDArray[np.int64], found: NDArray[np.int64]) -> int:
    """Count this order and those let through in the second before it."""
    allowed = len(times)
    inside = 1
    for back in range(1, min(sent, allowed) + 1):
        if int(intent["time"]) - int(times[(sent - back) % allowed]) >= SECOND:
            break
        inside += 1
    return put(found, ORDER_RATE, inside, allowed)


@kernel(inline=True)
def check_size(
    intent: Row, views: Rows, scales: Rows, limits: Row, mid2: int, found: NDArray[np.int64]
) -> int:
    """Check the order's own notional and the worst position it could lead to."""
    number = int(intent["instrument"])
    view, scale = views[number], scale_of(scales, number)
    dearest = max(mid2, 2 * int(intent["price"])) if intent["price"] <= LARGEST // 2 else 0
    if mid2 == 0 or dearest == 0:
        broken = put(found, ORDER_NOTIONAL, UNMEASURED, int(limits["order"]))
        return broken | put(found, POSITION_NOTIONAL, UNMEASURED, int(limits["position"]))
    value = notional(int(intent["size"]), dearest, scale)
    broken = put(found, ORDER_NOTIONAL, value, int(limits["order"]))
    worst = worst_position(view, int(intent["side"]), int(intent["size"]))
    value = notional(worst, dearest, scale)
    broken |= put(found, POSITION_NOTIONAL, value, int(limits["position"]))
    if scales[number]["no_short"] == 1 and intent["side"] == SELL:
        free = max(0, int(view["position"]) - int(view["open_sell"]))
        broken |= put(found, SHORT_SALE, int(intent["size"]), free)
    return broken


@kernel(inline=True)
def check_account(
    before: int, after: int, limits: Row, account: Row, found: NDArray[np.int64]
) -> int:
    """Check what binds the whole account; gross exposure binds only where it grows."""
    equity = int(account["equity"])
    reach = exact_ratio(max(0, equity), int(limits["leverage"]), int(limits["leverage_divisor"]), 0)
    reach = LARGEST if reach == TOO_LARGE else reach
    broken = put(found, GROSS_NOTIONAL, after, int(limits["gross"]))
    broken |= put(found, LEVERAGE, after, reach)
    if after != TOO_LARGE and after <= before:
        broken = 0
    broken |= put(found, OPEN_ORDERS, int(account["open_orders"]) + 1, limits["open_orders"])
    lost = max(0, int(account["day_start"]) - equity)
    broken |= put(found, DAILY_LOSS, lost, int(limits["loss"]))
    peak = max(0, int(account["peak"]))
    allowed = exact_ratio(peak, int(limits["drawdown"]), int(limits["drawdown_divisor"]), 0)
    return broken | put(found, DRAWDOWN, max(0, int(account["peak"]) - equity), allowed)


@kernel(inline=True)
def check_shape(intent: Row, view: Row, scale: Row, mid2: int, found: NDArray[np.int64]) -> int:
    """Check tick, lot and the venue's least and largest sizes."""
    size = int(intent["size"])
    broken = put(found, TICK, int(intent["price"]) % max(1, int(view["tick"])), 0)
    broken |= put(found, LOT, size % max(1, int(view["lot"])), 0)
    if size < scale["min_size"]:
        broken |= put(found, MIN_SIZE, int(scale["min_size"]), size)
    if size > scale["max_size"]:
        broken |= put(found, MAX_SIZE, size, int(scale["max_size"]))
    if scale["min_notional"] > 0 and not intent["flags"] & REDUCE_ONLY:
        price = min(int(intent["price"]), LARGEST // 2) * 2
        plain = (int(scale["numerator"]), int(scale["divisor"]), int(scale["inverse"]))
        value = worth(size, price if price > 0 else mid2, plain, 0)
        broken |= put(found, MIN_NOTIONAL, int(scale["min_notional"]), value)
    return broken


@kernel(inline=True)
def shapeless(intent: Row, count: int) -> bool:
    """Return whether a row cannot be an order of one of ``count`` instruments at all."""
    return bool(
        intent["instrument"] < 0
        or intent["instrument"] >= count
        or (intent["side"] != BUY and intent["side"] != SELL)
        or intent["size"] <= 0
        or intent["size"] > LARGEST
        or intent["price"] < 0
        or (intent["type"] in UNPRICED) != (intent["price"] == 0)
        or (intent["flags"] & POST_ONLY and intent["time_in_force"] != GTC)
    )


@kernel(inline=True)
def check_limits(
    intents: Rows,
    views: Rows,
    scales: Rows,
    limits: Rows,
    account: Rows,
    times: NDArray[np.int64],
    found: NDArray[np.int64],
) -> int:
    """Check one order against every limit.

    A reduce-only order is spared the limits on exposure, loss and reference book; it must really
    reduce, keep to the collar if it has a price, and keep to the order rate.

    Parameters
    ----------
    intents : (1,) INTENT
    views : (n,) VIEW
        One row an instrument; open sizes include orders of unknown fate.
    scales : (n,) SCALE
    limits : (1,) LIMITS
    account : (1,) ACCOUNT
    times : (orders per second,) int64, ns
        Ring of the times of the last orders let through.
    found : (len(LimitCode), 2) int64, out
        What the order would use and what is allowed, by limit; (0, 0) where a limit does not
        apply, ``UNMEASURED`` where its number is not known.

    Returns
    -------
    int
        One bit for each broken limit; 0 lets the order through.
    """
    intent, limit, state = intents[0], limits[0], account[0]
    found[:, :] = 0
    if shapeless(intent, len(views)):
        return put(found, SHAPE, 1, 0)
    number = int(intent["instrument"])
    view = views[number]
    mid2 = twice_mid(view)
    broken = check_rate(intent, int(state["sent"]), times, found)
    broken |= check_price(intent, limit, mid2, found)
    broken |= check_shape(intent, view, scales[number], mid2, found)
    if intent["flags"] & REDUCE_ONLY:
        return broken | check_reduction(intent, view, found)
    live = 1 if mid2 > 0 else UNMEASURED
    broken |= put(found, REFERENCE, live, 1)
    broken |= check_size(intent, views, scales, limit, mid2, found)
    before, after = exposures(intent, views, scales)
    return broken | check_account(before, after, limit, state, found)
