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

from bot4_core.jit import kernel
from bot4_plugins.exchange_sim.draws import DRAW_WORDS, draw
from bot4_plugins.exchange_sim.engine import (
    ASK,
    BACKGROUND,
    BID,
    CAPACITY,
    CROWD_AT,
    FIRST,
    FREE,
    LEVEL_COUNT,
    LEVEL_WORDS,
    LEVELS_AT,
    LIVE,
    LIVE_AT,
    NEXT,
    NOW,
    OUT,
    OWNER,
    STAMP,
    TOUCHED,
    Words,
    match,
    new_order,
    release,
    remove,
    rest,
)
from bot4_plugins.exchange_sim.publish import publish_book, publish_mark

__all__ = ["CROWD_WORDS", "FRACTION", "STEP_NS", "FlowRates", "gather", "run_flow", "start_crowd"]

STEP_NS: Final = 250_000
STEPS_PER_SECOND: Final = 1_000_000_000 // STEP_NS
FRACTION: Final = 16  # binary digits of the fair price below one tick
ONE: Final = 1 << 32  # probability 1 as a threshold for a draw
EXCITE_DECAY: Final = 9  # excitement loses 2**-9 a step: 128 ms
MOMENTUM_DECAY: Final = 10  # a quarter of a second
PULL: Final = 24  # of the fair price to its start
VOLATILITY_STEPS: Final = 400  # volatility moves every 100 ms
MOST_HASTE: Final = 16  # bound of what a wide spread or a lagging book adds to the rates
MOST_DISTANCE: Final = 9  # doublings of the range of placement distances
MOST_SLIPPAGE: Final = 12  # ticks beyond the touch that a market order may reach
MOST_DOUBLINGS: Final = 8  # of an order's size

# the crowd's words
FAIR: Final = 0
MOMENTUM: Final = 1
VOLATILITY: Final = 2
EXCITED: Final = 3  # buyers, then sellers
STEP: Final = 5  # steps done
LIMITS: Final = 6  # rates as thresholds a step
CANCELS: Final = 7
MARKETS: Final = 8
SELF_EXCITE: Final = 9
CROSS_EXCITE: Final = 10
CALM: Final = 11  # volatility at rest, fractions of a tick a step
HALF_SPREAD: Final = 12
UNIT: Final = 13  # smallest order size
TARGET: Final = 14  # resting orders wanted
BOOK_EVERY: Final = 15  # steps
MARK_EVERY: Final = 16  # steps, 0 for no mark price
BASIS: Final = 17  # index of the book against the fair price, in ticks
CENTER: Final = 18  # where the fair price started
DRAWS: Final = 20
NEWS: Final = DRAWS + DRAW_WORDS  # draws of the fair price
CROWD_WORDS: Final = NEWS + DRAW_WORDS


class FlowRates(NamedTuple):
    """What the crowd does at one instrument, in units a person would use."""

    limits_per_second: int = 150
    markets_per_second: int = 5
    self_excitement: float = 0.45
    cross_excitement: float = 0.15
    ticks_per_root_second: float = 5.0
    half_spread: int = 1
    unit: int = 100_000
    resting: int = 600
    book_every_ms: int = 10
    mark_every_ms: int = 0
    basis: int = 0


def start_crowd(words: Words, rates: FlowRates, draws: Words, news: Words) -> None:
    """Set up an engine's crowd, with the fair price in the middle of the ladder."""
    per_step = ONE // STEPS_PER_SECOND
    crowd = words[int(words[CROWD_AT]) :]
    crowd[LIMITS] = rates.limits_per_second * per_step
    crowd[CANCELS] = rates.limits_per_second * per_step * 3 // 4
    crowd[MARKETS] = rates.markets_per_second * per_step // 2
    crowd[SELF_EXCITE] = int(rates.self_excitement * ONE) >> EXCITE_DECAY
    crowd[CROSS_EXCITE] = int(rates.cross_excitement * ONE) >> EXCITE_DECAY
    crowd[CALM] = int(rates.ticks_per_root_second * (1 << FRACTION) / STEPS_PER_SECOND**0.5)
    crowd[HALF_SPREAD] = rates.half_spread
    crowd[UNIT] = rates.unit
    crowd[TARGET] = rates.resting
    crowd[BOOK_EVERY] = rates.book_every_ms * STEPS_PER_SECOND // 1000
    crowd[MARK_EVERY] = rates.mark_every_ms * STEPS_PER_SECOND // 1000
    crowd[BASIS] = rates.basis
    crowd[CENTER] = words[LEVEL_COUNT] // 2
    crowd[FAIR] = crowd[CENTER] << FRACTION
    crowd[VOLATILITY] = crowd[CALM]
    crowd[DRAWS : DRAWS + DRAW_WORDS] = draws
    crowd[NEWS : NEWS + DRAW_WORDS] = news


@kernel()
def move_fair(words: Words, crowd: int) -> None:
    """Move the fair price by one step."""
    news = crowd + NEWS
    calm, volatility = words[crowd + CALM], words[crowd + VOLATILITY]
    if words[crowd + STEP] % VOLATILITY_STEPS == 0:
        volatility -= (volatility - calm) >> 5
        if draw(words, news) < ONE >> 6:  # a burst about every six seconds
            volatility += calm << (1 + (draw(words, news) & 1))
        words[crowd + VOLATILITY] = volatility
    bits = draw(words, news)
    # the sum of four bytes is nearly normal: mean 510, deviation 148
    noise = (bits & 255) + ((bits >> 8) & 255) + ((bits >> 16) & 255) + (bits >> 24) - 510
    shock = (volatility * noise) // 148
    if draw(words, news) < ONE >> 14:  # a jump about every four seconds
        shock *= 16
    momentum = words[crowd + MOMENTUM]
    words[crowd + MOMENTUM] = momentum + (shock >> 13) - (momentum >> MOMENTUM_DECAY)
    start = words[crowd + CENTER] << FRACTION
    fair = words[crowd + FAIR]
    fair += shock + momentum - ((fair - start) >> PULL)
    edge = start - (start >> 2)
    words[crowd + FAIR] = min(max(fair, start - edge), start + edge)


@kernel()
def order_size(words: Words, crowd: int) -> int:
    """Draw an order size: two to five units, doubled again and again with probability 1/4."""
    bits = draw(words, crowd + DRAWS)
    size = words[crowd + UNIT] * (2 + (bits & 3))
    bits >>= 2
    for _ in range(MOST_DOUBLINGS):
        if bits & 3 != 0:
            break
        size *= 2
        bits >>= 2
    return int(size)


@kernel()
def distance(words: Words, crowd: int) -> int:
    """Draw how far from the touch an order is placed: a range that doubles with probability 1/2."""
    bits = draw(words, crowd + DRAWS)
    reach = 2
    for _ in range(MOST_DISTANCE):
        if bits & 1 != 0:
            break
        reach *= 2
        bits >>= 1
    return int((bits >> 1) % reach)


@kernel()
def place_limit(words: Words, crowd: int, fair: int) -> None:
    """Let somebody place a limit order that does not cross."""
    if words[FREE] == 0 or words[words[FREE] + NEXT] == 0:
        return  # the last row is kept for takers
    side = 1 if draw(words, crowd + DRAWS) & 1 else -1
    index = fair - side * (words[crowd + HALF_SPREAD] + distance(words, crowd))
    index = min(index, words[ASK] - 1) if side > 0 else max(index, words[BID] + 1)
    if 0 <= index < words[LEVEL_COUNT]:
        rest(words, new_order(words, side, index, order_size(words, crowd), BACKGROUND))


@kernel()
def lag_of(words: Words, crowd: int, fair: int) -> int:
    """Return by how many ticks bids (positive) or asks (negative) stand beyond the fair price."""
    bids = words[BID] - (fair - words[crowd + HALF_SPREAD])
    asks = (fair + words[crowd + HALF_SPREAD]) - words[ASK]
    return int(bids if bids > 0 else -max(asks, 0))


@kernel()
def cancel_one(words: Words, crowd: int, lag: int) -> None:
    """Let somebody cancel: the first order that the fair price left behind, else any."""
    if words[LIVE] == 0:
        return
    pick = draw(words, crowd + DRAWS) % words[LIVE]
    order = int(words[words[LIVE_AT] + pick])
    if lag != 0:
        best = words[BID] if lag > 0 else words[ASK]
        stale = int(words[words[LEVELS_AT] + LEVEL_WORDS * best + FIRST])
        if words[stale + OWNER] == BACKGROUND:
            order = stale
    remove(words, order)


@kernel()
def send_market(words: Words, crowd: int, side: int) -> None:
    """Let somebody take, and excite others to do so."""
    best = words[ASK] if side > 0 else words[BID]
    limit = min(max(best + side * MOST_SLIPPAGE, 0), words[LEVEL_COUNT] - 1)
    order = new_order(words, side, limit, order_size(words, crowd) // 2, BACKGROUND)
    match(words, order, limit)
    release(words, order)
    own = crowd + EXCITED + (0 if side > 0 else 1)
    other = crowd + EXCITED + (1 if side > 0 else 0)
    words[own] += words[crowd + SELF_EXCITE]
    words[other] += words[crowd + CROSS_EXCITE]


@kernel()
def act(words: Words, crowd: int, fair: int) -> None:
    """Let at most one thing happen at this step."""
    words[crowd + EXCITED] -= words[crowd + EXCITED] >> EXCITE_DECAY
    words[crowd + EXCITED + 1] -= words[crowd + EXCITED + 1] >> EXCITE_DECAY
    gap = min(words[ASK] - words[BID] - 2 * words[crowd + HALF_SPREAD], MOST_HASTE)
    threshold = draw(words, crowd + DRAWS) - words[crowd + LIMITS] * (4 + gap) // 4
    if threshold < 0:
        place_limit(words, crowd, fair)
        return
    lag = lag_of(words, crowd, fair)
    cancels = words[crowd + CANCELS] * words[LIVE] // words[crowd + TARGET]
    threshold -= cancels * (1 + min(2 * abs(lag), MOST_HASTE))
    if threshold < 0:
        cancel_one(words, crowd, lag)
        return
    markets = words[crowd + MARKETS]
    for side in (1, -1):
        # the further the book lags the fair price, the more people take the profit in sight
        profit = min(max(fair - words[ASK] if side > 0 else words[BID] - fair, 0), MOST_HASTE)
        excited = words[crowd + EXCITED + (0 if side > 0 else 1)]
        threshold -= min(markets * (1 + profit) + excited, ONE >> 3)
        if threshold < 0:
            send_market(words, crowd, side)
            return


@kernel()
def gather(words: Words) -> None:
    """Place the wanted number of resting orders at once, before the first step."""
    crowd = words[CROWD_AT]
    for _ in range(words[crowd + TARGET]):
        place_limit(words, crowd, int((words[crowd + FAIR] >> FRACTION) + words[crowd + BASIS]))


@kernel()
def run_flow(words: Words, until: int) -> bool:
    """Let the crowd act until a time.

    Returns
    -------
    bool
        False when the waiting events must be taken first; call again then.
    """
    crowd = words[CROWD_AT]
    while words[NOW] + STEP_NS <= until:
        if words[OUT] + 2 * words[TOUCHED] > words[CAPACITY]:
            return False
        words[NOW] += STEP_NS
        words[STAMP] = words[NOW]
        words[crowd + STEP] += 1
        move_fair(words, crowd)
        fair = int(words[crowd + FAIR] >> FRACTION)
        act(words, crowd, int(fair + words[crowd + BASIS]))
        if words[crowd + STEP] % words[crowd + BOOK_EVERY] == 0:
            publish_book(words)
        mark_every = words[crowd + MARK_EVERY]
        if mark_every > 0 and words[crowd + STEP] % mark_every == 0:
            publish_mark(words, fair)
    return True
