"""The compiled decision of the market maker, in basis points of the mid."""

import math
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import BookState, Side, SignalAction
from bot4_core.jit import kernel
from bot4_core.kernels.contracts import size_value
from bot4_core.kernels.elementary import log1p

Row = np.void
Rows = NDArray[np.void]

LIVE: Final = int(BookState.LIVE)
BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
QUOTE: Final = int(SignalAction.QUOTE)
CANCEL: Final = int(SignalAction.CANCEL)
BASIS_POINT: Final = 1e-4


class QuoteParam(IntEnum):
    """Slots of the parameter row's floats."""

    RISK_AVERSION = 0
    FILL_DECAY = 1
    HORIZON = 2  # seconds
    UNIT = 3  # share of equity that one unit of inventory is worth
    MOST_UNITS = 4
    LEAST_HALF_SPREAD = 5  # basis points, maker fee included


class Reason(IntEnum):
    """Why a signal was given; the order of ``MarketMaking.reasons``."""

    QUOTE = 0
    NOT_READY = 1
    INVENTORY = 2


@kernel()
def reservation_offset(inventory: float, aversion: float, variance: float, horizon: float) -> float:
    """Return the distance of the reservation price from the mid.

    Parameters
    ----------
    inventory : float
        Signed, in units.
    aversion : float
        Per unit of price and inventory.
    variance : float
        Of the price, per second.
    horizon : float
        Seconds.

    References
    ----------
    .. [1] Avellaneda, M. and Stoikov, S. (2008). High-frequency trading in a limit order book.
       Quantitative Finance 8(3), 217-224, eq. 29. doi:10.1080/14697680701381228.
    """
    return -inventory * aversion * variance * horizon


@kernel()
def optimal_spread(aversion: float, decay: float, variance: float, horizon: float) -> float:
    """Return the distance between the two quotes.

    Parameters
    ----------
    aversion : float
        0 gives the limit ``2 / decay``.
    decay : float
        Decay of the arrival rate of fills with distance, per unit of price.
    variance : float
        Of the price, per second.
    horizon : float
        Seconds.

    References
    ----------
    .. [1] Avellaneda, M. and Stoikov, S. (2008), eq. 30.
    """
    if aversion == 0.0:
        return 2.0 / decay
    return aversion * variance * horizon + 2.0 / aversion * log1p(aversion / decay)


@kernel()
def inventory_units(view: Row, params: Row) -> float:
    """Return the position in units of the account's equity; 0 where there is no equity."""
    worth = float(view["position"]) * size_value(view)
    unit = float(view["equity"]) * float(params["f"][QuoteParam.UNIT])
    return worth / unit if unit > 0.0 else 0.0


@kernel()
def quote_price(view: Row, side: int, price: float) -> int:
    """Return a price as whole ticks away from the market, never touching the other side."""
    tick = int(view["tick"])
    ticks = price / (float(view["price_unit"]) * tick)
    if side == BUY:
        return int(min(math.floor(ticks) * tick, int(view["ask"]) - tick))
    return int(max(math.ceil(ticks) * tick, int(view["bid"]) + tick))


@kernel()
def fill_signal(signal: Row, view: Row, side: int, action: int, reason: int) -> None:
    """Write the parts of a signal that quotes and withdrawals share."""
    signal["instrument"] = view["instrument"]
    signal["action"] = action
    signal["side"] = side
    signal["price"] = 0
    signal["horizon"] = 0
    signal["reason"] = reason
    signal["strength"] = 0.0
    signal["edge"] = 0.0
    signal["variance"] = 0.0
    for slot in range(4):
        signal["values"][slot] = 0.0


@kernel()
def decide(view: Row, state: Row, params: Row, signals: Rows) -> int:
    """Quote both sides around the reservation price, or withdraw.

    All distances are computed in basis points of the mid, so that one set of parameters means
    the same on every instrument. ``state`` is not used: the strategy has no memory.
    """
    mid = float(view["mid"])
    volatility = float(view["volatility"])
    if view["state"] != LIVE or not mid > 0.0 or not volatility >= 0.0:
        fill_signal(signals[0], view, BUY, CANCEL, Reason.NOT_READY)
        fill_signal(signals[1], view, SELL, CANCEL, Reason.NOT_READY)
        return 2
    values = params["f"]
    point = mid * BASIS_POINT
    horizon = float(values[QuoteParam.HORIZON])
    variance = (volatility / point) ** 2
    aversion = float(values[QuoteParam.RISK_AVERSION])
    units = inventory_units(view, params)
    centre = reservation_offset(units, aversion, variance, horizon)
    half = 0.5 * optimal_spread(aversion, float(values[QuoteParam.FILL_DECAY]), variance, horizon)
    half = max(half, float(values[QuoteParam.LEAST_HALF_SPREAD]))
    for number in range(2):
        side = BUY if number == 0 else SELL
        signal = signals[number]
        if side * units >= values[QuoteParam.MOST_UNITS]:
            fill_signal(signal, view, side, CANCEL, Reason.INVENTORY)
        else:
            fill_signal(signal, view, side, QUOTE, Reason.QUOTE)
            signal["price"] = quote_price(view, side, mid + (centre - side * half) * point)
            signal["strength"] = 1.0
            distance = side * (mid - int(signal["price"]) * float(view["price_unit"])) / mid
            signal["edge"] = distance + side * centre * BASIS_POINT
            signal["variance"] = variance * horizon * BASIS_POINT**2
            signal["horizon"] = int(horizon * 1e9)
        signal["values"][0] = mid + centre * point
        signal["values"][1] = half
        signal["values"][2] = volatility
        signal["values"][3] = units
    return 2
