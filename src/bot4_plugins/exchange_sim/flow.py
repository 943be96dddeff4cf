"""The simulated crowd: a fair price with bursts of volatility, and orders that follow it.

Time goes in steps of 250 microseconds. Everything is integer arithmetic, so a seed gives the same
market on every machine.

- The fair price is a random walk with momentum, a pull back to its start, and a volatility that
  jumps and decays (bursts, fat tails). It has draws of its own: instruments of one underlying see
  the same fair price.
- Market orders arrive in self-exciting bursts (Hawkes), more often on the side on which the book
  lags the fair price. Their sizes have a power-law tail.
- Limit orders join around the fair price at distances with a power-law tail, never crossing.
- Cancels hit resting orders at random, and first those that the fair price has left behind.

References
----------
Bacry, Mastromatteo, Muzy (2015), "Hawkes processes in finance", doi:10.1142/S2382626615500057.
Cont (2001), "Empirical properties of asset returns", doi:10.1080/713665670.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_plugins.exchange_sim.draws import draw
from bot4_plugins.exchange_sim.engine import (
    ASK,
    BACKGROUND,
    BID,
    FIRST,
    FREE,
    LIVE,
    NEXT,
    NOW,
    OUT,
    OWNER,
    STAMP,
    TOUCHED,
    Engine,
    match,
    new_order,
    release,
    remove,
    rest,
)
from bot4_plugins.exchange_sim.publish import publish_book, publish_mark

__all__ = ["FRACTION", "STEP_NS", "Flow", "FlowRates", "gather", "new_flow", "run_flow"]

STEP_NS: Final = 250_000
STEPS_PER_SECOND: Final = 1_000_000_000 // STEP_NS
FRACTION: Final = 16  # binary digits of the fair price below one tick
ONE: Final = 1 << 32  # probability 1 as a threshold for a draw
EXCITE_DECAY: Final = 9  # excitement loses 2**-9 a step: 128 ms
MOMENTUM_DECAY: Final = 11  # half a second
PULL: Final = 24  # of the fair price to its start
VOLATILITY_STEPS: Final = 400  # volatility moves every 100 ms
MOST_DISTANCE: Final = 9  # doublings of the range of placement distances
MOST_SLIPPAGE: Final = 12  # ticks beyond the touch that a market order may reach
MOST_DOUBLINGS: Final = 8  # of an order's size

# state
FAIR: Final = 0
MOMENTUM: Final = 1
VOLATILITY: Final = 2
EXCITED_BUY: Final = 3
EXCITED_SELL: Final = 4
STEP: Final = 5  # steps done
STATE: Final = 8

# rates
LIMITS: Final = 0  # thresholds a step
CANCELS: Final = 1
MARKETS: Final = 2
SELF_EXCITE: Final = 3
CROSS_EXCITE: Final = 4
CALM: Final = 5  # volatility at rest, fractions of a tick a step
HALF_SPREAD: Final = 6
UNIT: Final = 7  # smallest order size
TARGET: Final = 8  # resting orders wanted
BOOK_EVERY: Final = 9  # steps
MARK_EVERY: Final = 10  # steps, 0 for no mark price
BASIS: Final = 11  # index of the book against the fair price, in ticks
RATES: Final = 12


class FlowRates(NamedTuple):
    """What the crowd does at one instrument, in units a person would use."""

    limits_per_second: int = 150
    markets_per_second: int = 5
    self_excitement: float = 0.45
    cross_excitement: float = 0.15
    ticks_per_root_second: float = 8.0
    half_spread: int = 1
    unit: int = 100_000
    resting: int = 600
    book_every_ms: int = 10
    mark_every_ms: int = 0
    basis: int = 0


class Flow(NamedTuple):
    """All arrays of one instrument's crowd."""

    state: NDArray[np.int64]
    rates: NDArray[np.int64]
    draws: NDArray[np.int64]
    news: NDArray[np.int64]  # draws of the fair price


def new_flow(
    rates: FlowRates, center: int, draws: NDArray[np.int64], news: NDArray[np.int64]
) -> Flow:
    """Return a crowd whose fair price starts at a level index."""
    per_step = ONE // STEPS_PER_SECOND
    row = np.zeros(RATES, np.int64)
    row[LIMITS] = rates.limits_per_second * per_step
    row[CANCELS] = rates.limits_per_second * per_step * 3 // 4
    row[MARKETS] = rates.markets_per_second * per_step // 2
    row[SELF_EXCITE] = int(rates.self_excitement * ONE) >> EXCITE_DECAY
    row[CROSS_EXCITE] = int(rates.cross_excitement * ONE) >> EXCITE_DECAY
    row[CALM] = int(rates.ticks_per_root_second * (1 << FRACTION) / STEPS_PER_SECOND**0.5)
    row[HALF_SPREAD] = rates.half_spread
    row[UNIT] = rates.unit
    row[TARGET] = rates.resting
    row[BOOK_EVERY] = rates.book_every_ms * STEPS_PER_SECOND // 1000
    row[MARK_EVERY] = rates.mark_every_ms * STEPS_PER_SECOND // 1000
    row[BASIS] = rates.basis
    state = np.zeros(STATE, np.int64)
    state[FAIR] = center << FRACTION
    state[VOLATILITY] = row[CALM]
    return Flow(state=state, rates=row, draws=draws, news=news)


@kernel()
def move_fair(flow: Flow, center: int) -> None:
    """Move the fair price by one step."""
    state, news = flow.state, flow.news
    calm = flow.rates[CALM]
    if state[STEP] % VOLATILITY_STEPS == 0:
        state[VOLATILITY] -= (state[VOLATILITY] - calm) >> 5
        if draw(news) < ONE >> 6:  # a burst about every six seconds
            state[VOLATILITY] += calm << (1 + (draw(news) & 1))
    bits = draw(news)
    # the sum of four bytes is nearly normal: mean 510, deviation 148
    noise = (bits & 255) + ((bits >> 8) & 255) + ((bits >> 16) & 255) + (bits >> 24) - 510
    shock = (state[VOLATILITY] * noise) // 148
    if draw(news) < ONE >> 14:  # a jump about every four seconds
        shock *= 16
    state[MOMENTUM] += (shock >> 13) - (state[MOMENTUM] >> MOMENTUM_DECAY)
    offset = state[FAIR] - (center << FRACTION)
    state[FAIR] += shock + state[MOMENTUM] - (offset >> PULL)
    edge = (center - (center >> 2)) << FRACTION
    state[FAIR] = min(max(state[FAIR], (center << FRACTION) - edge), (center << FRACTION) + edge)


@kernel()
def order_size(flow: Flow) -> int:
    """Draw an order size: one to four units, doubled again and again with probability 1/4."""
    bits = draw(flow.draws)
    size = flow.rates[UNIT] * (1 + (bits & 3))
    bits >>= 2
    for _ in range(MOST_DOUBLINGS):
        if bits & 3 != 0:
            break
        size *= 2
        bits >>= 2
    return int(size)


@kernel()
def distance(flow: Flow) -> int:
    """Draw how far from the touch an order is placed: a range that doubles with probability 1/2."""
    bits = draw(flow.draws)
    reach = 2
    for _ in range(MOST_DISTANCE):
        if bits & 1 != 0:
            break
        reach *= 2
        bits >>= 1
    return int((bits >> 1) % reach)


@kernel()
def place_limit(engine: Engine, flow: Flow, fair: int) -> None:
    """Let somebody place a limit order that does not cross."""
    head = engine.head
    if head[FREE] < 0 or engine.orders[head[FREE], NEXT] < 0:
        return
    side = 1 if draw(flow.draws) & 1 else -1
    index = fair - side * (flow.rates[HALF_SPREAD] + distance(flow))
    index = min(index, head[ASK] - 1) if side > 0 else max(index, head[BID] + 1)
    if 0 <= index < len(engine.levels):
        rest(engine, new_order(engine, side, index, order_size(flow), BACKGROUND))


@kernel()
def cancel_one(engine: Engine, flow: Flow, fair: int) -> None:
    """Let somebody cancel: an order that the fair price left behind, else any."""
    head = engine.head
    if head[LIVE] == 0:
        return
    slot = engine.live[BACKGROUND, draw(flow.draws) % head[LIVE]]
    stale = -1
    if head[BID] > fair - flow.rates[HALF_SPREAD]:
        stale = engine.levels[head[BID], FIRST]
    elif head[ASK] < fair + flow.rates[HALF_SPREAD]:
        stale = engine.levels[head[ASK], FIRST]
    if stale >= 0 and engine.orders[stale, OWNER] == BACKGROUND:
        slot = stale
    remove(engine, slot)


@kernel()
def send_market(engine: Engine, flow: Flow, side: int) -> None:
    """Let somebody take, and excite others to do so."""
    head = engine.head
    if head[FREE] < 0:
        return
    best = head[ASK] if side > 0 else head[BID]
    limit = min(max(best + side * MOST_SLIPPAGE, 0), len(engine.levels) - 1)
    slot = new_order(engine, side, limit, order_size(flow) // 2, BACKGROUND)
    match(engine, slot, limit)
    release(engine, slot)
    own, other = (EXCITED_BUY, EXCITED_SELL) if side > 0 else (EXCITED_SELL, EXCITED_BUY)
    flow.state[own] += flow.rates[SELF_EXCITE]
    flow.state[other] += flow.rates[CROSS_EXCITE]


@kernel()
def market_rate(engine: Engine, flow: Flow, side: int, fair: int) -> int:
    """Return the threshold for a market order of a side: base, excitement, and profit in sight."""
    best = engine.head[ASK] if side > 0 else engine.head[BID]
    rates = flow.rates
    rate = rates[MARKETS] + flow.state[EXCITED_BUY if side > 0 else EXCITED_SELL]
    profit = min(max((fair - best) * side, 0), 16)
    return int(min(rate + profit * rates[MARKETS], ONE >> 3))


@kernel()
def act(engine: Engine, flow: Flow) -> None:
    """Let at most one thing happen at this step."""
    rates, state = flow.rates, flow.state
    fair = (state[FAIR] >> FRACTION) + rates[BASIS]
    state[EXCITED_BUY] -= state[EXCITED_BUY] >> EXCITE_DECAY
    state[EXCITED_SELL] -= state[EXCITED_SELL] >> EXCITE_DECAY
    threshold = draw(flow.draws) - rates[LIMITS]
    if threshold < 0:
        place_limit(engine, flow, fair)
        return
    threshold -= rates[CANCELS] * engine.head[LIVE] // rates[TARGET]
    if threshold < 0:
        cancel_one(engine, flow, fair)
        return
    for side in (1, -1):
        threshold -= market_rate(engine, flow, side, fair)
        if threshold < 0:
            send_market(engine, flow, side)
            return


@kernel()
def gather(engine: Engine, flow: Flow) -> None:
    """Place the wanted number of resting orders at once, before the first step."""
    fair = (flow.state[FAIR] >> FRACTION) + flow.rates[BASIS]
    for _ in range(flow.rates[TARGET]):
        place_limit(engine, flow, fair)


@kernel()
def run_flow(engine: Engine, flow: Flow, center: int, until: int) -> bool:
    """Let the crowd act until a time.

    Returns
    -------
    bool
        False when ``out`` must be emptied first; call again then.
    """
    head, state, rates = engine.head, flow.state, flow.rates
    room = len(engine.out) - 3 * len(engine.orders)
    while head[NOW] + STEP_NS <= until:
        if head[OUT] + 2 * head[TOUCHED] > room:
            return False
        head[NOW] += STEP_NS
        head[STAMP] = head[NOW]
        state[STEP] += 1
        move_fair(flow, center)
        act(engine, flow)
        if state[STEP] % rates[BOOK_EVERY] == 0:
            publish_book(engine)
        if rates[MARK_EVERY] > 0 and state[STEP] % rates[MARK_EVERY] == 0:
            publish_mark(engine, (state[FAIR] >> FRACTION))
    return True
