"""What can be said of one instrument from the top of its book and its recent past.

All functions read scaled integers and write floats in quote or base units. The stream form is
called once per message with the instrument's own memory; the batch form is the same function in
a loop, so both give the same bits.
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import BookState, Feature
from bot4_core.jit import kernel
from bot4_core.kernels.lanes import sum_of_values
from bot4_core.kernels.stats import rolling_clear
from bot4_core.kernels.volatility import sample_push, sample_volatility

__all__ = [
    "FEATURE_DTYPE",
    "FLOW_BUCKETS",
    "VOLATILITY_CAPACITY",
    "fill_depth_at",
    "flow_event",
    "forget_at",
    "level_imbalance",
    "update",
    "update_at",
    "update_batch",
    "volume_weighted_price",
    "weighted_mid",
]

Integers = NDArray[np.int64]
Record = Any  # a numba record or a numpy row; fields are converted where they are read
Records = NDArray[np.void]

FLOW_BUCKETS: Final = 64
VOLATILITY_CAPACITY: Final = 256
LIVE: Final = int(BookState.LIVE)
FLOW: Final = int(Feature.FLOW)
VOLATILITY: Final = int(Feature.VOLATILITY)

FEATURE_DTYPE: Final = np.dtype(
    [
        ("bucket_length", "<i8"),  # settings: ns of flow in one bucket
        ("sample_interval", "<i8"),  # ns between samples of the mid
        ("sample_count", "<i8"),  # samples in the volatility window
        ("sample_minimum", "<i8"),  # samples below which there is no volatility
        ("vwap_size", "<i8"),  # scaled size to trade for vwap_bid and vwap_ask
        ("wanted", "<i8"),  # bits of Feature
        ("has_top", "<i8"),  # memory: 1 once a top was seen since the book went live
        ("bid", "<i8"),
        ("bid_size", "<i8"),
        ("ask", "<i8"),
        ("ask_size", "<i8"),
        ("time", "<i8"),  # highest time seen
        ("bucket", "<i8"),  # number of the newest flow bucket
        ("sample_time", "<i8"),  # of the last sample of the mid, 0 before it
        ("sample_mid", "<f8"),
        ("cursor", "<i8", (3,)),
        ("moments", "<f8", (2,)),
        ("flow", "<f8", (FLOW_BUCKETS,)),  # base units
        ("samples", "<f8", (VOLATILITY_CAPACITY,)),
    ]
)
"""Settings and memory of one instrument's features."""


@kernel(inline=True)
def weighted_mid(bid: float, bid_size: float, ask: float, ask_size: float) -> float:
    """Return the mid weighted by the sizes: near the ask where the bid is the larger.

    Parameters
    ----------
    bid, bid_size, ask, ask_size : float
        Best prices and sizes in any units; the sizes do not sum to zero.
    """
    return bid + (ask - bid) * (bid_size / (bid_size + ask_size))


@kernel(inline=True)
def flow_event(before: Record, bid: int, bid_size: int, ask: int, ask_size: int) -> int:
    """Return one event of order-flow imbalance: what the change of the top adds to demand.

    Parameters
    ----------
    before : FEATURE record
        Holds the previous top.
    bid, bid_size, ask, ask_size : int
        The new top, scaled.

    Returns
    -------
    int
        Scaled size, positive for buying pressure.

    References
    ----------
    .. [1] Cont, R., Kukanov, A. and Stoikov, S. (2014). The price impact of order book events.
       Journal of Financial Econometrics 12(1), 47-88. doi:10.1093/jjfinec/nbt003, eq. 1-3.
    """
    event = 0
    if bid >= before["bid"]:
        event += bid_size
    if bid <= before["bid"]:
        event -= int(before["bid_size"])
    if ask <= before["ask"]:
        event -= ask_size
    if ask >= before["ask"]:
        event += int(before["ask_size"])
    return event


@kernel()
def level_imbalance(bid_sizes: Integers, ask_sizes: Integers, levels: int) -> float:
    """Return (bids - asks) / (bids + asks) over the best levels, each weighing the same.

    Parameters
    ----------
    bid_sizes, ask_sizes : (n,) int64
        Scaled sizes, best first.
    levels : int
        At most so many levels of each side.

    Returns
    -------
    float
        In [-1, 1]; NaN where both sides are empty.
    """
    bids, asks = 0.0, 0.0
    for index in range(min(levels, len(bid_sizes))):
        bids += float(bid_sizes[index])
    for index in range(min(levels, len(ask_sizes))):
        asks += float(ask_sizes[index])
    return (bids - asks) / (bids + asks) if bids + asks > 0.0 else math.nan


@kernel()
def volume_weighted_price(prices: Integers, sizes: Integers, levels: int, wanted: int) -> float:
    """Return the average price of trading a size down one side of the book.

    Parameters
    ----------
    prices, sizes : (n,) int64
        Scaled, best first.
    levels : int
        How many of them exist.
    wanted : int
        Scaled size.

    Returns
    -------
    float
        In scaled price units; NaN if the side is too thin or nothing is wanted.
    """
    if wanted <= 0 or levels <= 0:
        return math.nan
    best = int(prices[0])
    left = wanted
    cost = 0.0
    for index in range(levels):
        filled = min(left, int(sizes[index]))
        cost += float(int(prices[index]) - best) * float(filled)
        left -= filled
        if left == 0:
            return best + cost / wanted
    return math.nan


@kernel(inline=True)
def _advance_flow(state: Record, time: int) -> None:
    """Empty the buckets that time has passed over."""
    bucket = time // int(state["bucket_length"])
    passed = min(bucket - int(state["bucket"]), FLOW_BUCKETS)
    for step in range(passed):
        state["flow"][(bucket - step) % FLOW_BUCKETS] = 0.0
    if passed > 0:
        state["bucket"] = bucket


@kernel(inline=True)
def _sample_mid(state: Record, time: int, mid: float) -> None:
    """Take a sample of the mid if the last one is old enough."""
    elapsed = time - int(state["sample_time"])
    if state["sample_time"] > 0:
        if elapsed < state["sample_interval"]:
            return
        change = mid - state["sample_mid"]
        window = state["samples"][: state["sample_count"]]
        sample_push(window, state["moments"], state["cursor"], change, elapsed)
    state["sample_time"] = time
    state["sample_mid"] = mid


@kernel(inline=True)
def _describe_top(view: Record) -> None:
    """Write mid, microprice, spread and imbalance; NaN where a side is empty."""
    bid, ask = int(view["bid"]), int(view["ask"])
    bid_size, ask_size = float(view["bid_size"]), float(view["ask_size"])
    if bid_size <= 0.0 or ask_size <= 0.0:
        view["mid"] = math.nan
        view["microprice"] = math.nan
        view["spread"] = math.nan
        view["imbalance"] = math.nan
        return
    unit = float(view["price_unit"])
    view["mid"] = (bid + ask) * 0.5 * unit
    view["microprice"] = weighted_mid(float(bid), bid_size, float(ask), ask_size) * unit
    view["spread"] = (ask - bid) * unit
    view["imbalance"] = (bid_size - ask_size) / (bid_size + ask_size)


@kernel(inline=True)
def _follow_top(view: Record, state: Record) -> None:
    """Book the change of a sound top into flow and volatility, and remember it."""
    bid, ask = int(view["bid"]), int(view["ask"])
    bid_size, ask_size = int(view["bid_size"]), int(view["ask_size"])
    if state["has_top"] == 1 and state["wanted"] & FLOW:
        event = flow_event(state, bid, bid_size, ask, ask_size)
        slot = int(state["bucket"]) % FLOW_BUCKETS
        state["flow"][slot] += event * float(view["size_unit"])
    state["has_top"] = 1
    state["bid"] = bid
    state["ask"] = ask
    state["bid_size"] = bid_size
    state["ask_size"] = ask_size
    if state["wanted"] & VOLATILITY:
        _sample_mid(state, int(state["time"]), float(view["mid"]))


@kernel()
def update(view: Record, state: Record) -> None:
    """Take in one top of book and write the float fields of the view that are wanted.

    An empty side or a crossed top adds no event and keeps the memory; a book that is not live
    forgets its last top and sample, since the change across a gap is not an event.

    Parameters
    ----------
    view : VIEW record
        ``received``, ``state``, top of book and units are read; ``mid``, ``microprice``,
        ``spread``, ``imbalance``, ``flow`` and ``volatility`` are written.
    state : FEATURE record
        Changed in place.
    """
    time = max(int(view["received"]), int(state["time"]))
    state["time"] = time
    _describe_top(view)
    if not state["wanted"] & (FLOW | VOLATILITY):
        return
    if state["wanted"] & FLOW:
        _advance_flow(state, time)
    if view["state"] != LIVE:
        state["has_top"] = 0
        state["sample_time"] = 0
    elif view["bid_size"] > 0 and view["ask_size"] > 0 and view["bid"] < view["ask"]:
        _follow_top(view, state)
    if state["wanted"] & FLOW:
        view["flow"] = sum_of_values(state["flow"])
    if state["wanted"] & VOLATILITY:
        view["volatility"] = sample_volatility(
            state["moments"], state["cursor"], int(state["sample_minimum"])
        )


@kernel()
def update_at(views: Records, row: int, states: Records) -> None:
    """Call `update` for the view and the memory of one instrument; the form for Python.

    A row passed on its own costs microseconds of unpacking, an array and a number do not.
    """
    update(views[row], states[row])


@kernel()
def update_batch(views: Records, states: Records) -> None:
    """Call `update` for all rows in order, each with its instrument's memory."""
    for row in range(len(views)):
        update(views[row], states[views[row]["instrument"]])


@kernel()
def fill_depth_at(  # two sides of two columns
    views: Records,
    row: int,
    states: Records,
    bid_prices: Integers,
    bid_sizes: Integers,
    ask_prices: Integers,
    ask_sizes: Integers,
) -> None:
    """Write the average prices of selling and buying the configured size now.

    Parameters
    ----------
    views : (n,) VIEW
        ``vwap_bid`` and ``vwap_ask`` of the row are written, NaN where a side is too thin.
    row : int
    states : (n,) FEATURE
    bid_prices, bid_sizes, ask_prices, ask_sizes : (k,) int64
        Scaled levels, best first.
    """
    view = views[row]
    wanted = int(states[row]["vwap_size"])
    unit = float(view["price_unit"])
    sell = volume_weighted_price(bid_prices, bid_sizes, len(bid_prices), wanted)
    buy = volume_weighted_price(ask_prices, ask_sizes, len(ask_prices), wanted)
    view["vwap_bid"] = sell * unit
    view["vwap_ask"] = buy * unit


@kernel()
def forget_at(states: Records, row: int) -> None:
    """Empty the memory of one instrument, keeping its settings."""
    state = states[row]
    state["has_top"] = 0
    state["time"] = 0
    state["bucket"] = 0
    state["sample_time"] = 0
    state["flow"][:] = 0.0
    rolling_clear(state["moments"], state["cursor"])
