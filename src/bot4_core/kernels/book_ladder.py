"""Setting, removing, trimming and reading the levels of one side of an order book."""

from typing import Final

from bot4_core.jit import kernel
from bot4_core.kernels.book_window import (
    AMOUNTS,
    BASE,
    BEST,
    GRAIN,
    INSIDE,
    KEYS,
    LAST,
    MASK,
    MISSES,
    OUTSIDE,
    SIZES,
    WINDOW,
    Words,
    last_occupied,
    mark_tick,
    next_occupied,
    recentre,
    unmark_tick,
)

__all__ = [
    "DONE",
    "MISFIT",
    "ORPHAN",
    "best_price",
    "best_size",
    "count_levels",
    "depth_cost",
    "level_size",
    "put_far",
    "put_level",
    "trim_ladder",
    "walk_levels",
    "worst_price",
]

DONE: Final = 0
ORPHAN: Final = 1  # a level was removed that is not there
MISFIT: Final = 2  # the price is no multiple of the grain; nothing was done


@kernel()
def _find_outside(memory: Words, at: int, key: int) -> int:
    """Return the place of the first overflow key that is not better than ``key``."""
    low = 0
    high = memory[at + OUTSIDE]
    keys = memory[at + KEYS]
    while low < high:
        middle = (low + high) >> 1
        if memory[keys + middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@kernel()
def put_far(memory: Words, at: int, key: int, size: int) -> int:
    """Set a level in the overflow, or remove it when ``size`` is 0."""
    place = _find_outside(memory, at, key)
    count = memory[at + OUTSIDE]
    keys = memory[at + KEYS]
    amounts = memory[at + AMOUNTS]
    held = place < count and memory[keys + place] == key
    if size > 0:
        if not held:
            for i in range(count, place, -1):
                memory[keys + i] = memory[keys + i - 1]
                memory[amounts + i] = memory[amounts + i - 1]
            memory[keys + place] = key
            memory[at + OUTSIDE] = count + 1
        memory[amounts + place] = size
        return DONE
    if not held:
        return ORPHAN
    for i in range(place + 1, count):
        memory[keys + i - 1] = memory[keys + i]
        memory[amounts + i - 1] = memory[amounts + i]
    memory[at + OUTSIDE] = count - 1
    return DONE


@kernel()
def _set_near(memory: Words, at: int, index: int, size: int) -> int:
    """Set a level of the window."""
    place = memory[at + SIZES] + index
    if memory[place] == 0:
        mark_tick(memory, at, index)
        memory[at + INSIDE] += 1
        memory[at + BEST] = min(memory[at + BEST], index)
    memory[place] = size
    return DONE


@kernel(inline=True)
def _drop_best(memory: Words, at: int, index: int) -> None:
    """Find the best level again after the best tick was emptied."""
    if memory[at + INSIDE] == 0 and memory[at + OUTSIDE] > 0:
        memory[at + BEST] = memory[at + WINDOW]
        recentre(memory, at, int(memory[memory[at + KEYS]]))
    else:
        memory[at + BEST] = next_occupied(memory, at, index + 1)


@kernel()
def _remove_near(memory: Words, at: int, index: int) -> int:
    """Remove a level of the window."""
    place = memory[at + SIZES] + index
    if memory[place] == 0:
        return ORPHAN
    memory[place] = 0
    unmark_tick(memory, at, index)
    memory[at + INSIDE] -= 1
    if index == memory[at + BEST]:
        _drop_best(memory, at, index)
    return DONE


@kernel(inline=True)
def _put_outside(memory: Words, at: int, key: int, size: int) -> int:
    """Set a level that the window does not cover."""
    grain = memory[at + GRAIN]
    if grain == 0 or (key ^ memory[at + MASK]) % grain != 0:
        return MISFIT
    memory[at + MISSES] += 1
    if key >= memory[at + BASE] and memory[at + INSIDE] > 0:
        return put_far(memory, at, key, size)
    if size == 0:
        return ORPHAN
    recentre(memory, at, key)
    return _set_near(memory, at, (key - memory[at + BASE]) // grain, size)


@kernel()
def put_level(memory: Words, at: int, price: int, size: int) -> int:
    """Set the size at a price, or remove the level when ``size`` is 0.

    The overflow must have room for one level more than the ladder holds.

    Returns
    -------
    int
        ``DONE``, ``ORPHAN`` or ``MISFIT``. Cost: constant inside the window, O(overflow) outside,
        O(levels) when the window moves.
    """
    key = price ^ memory[at + MASK]
    base = memory[at + BASE]
    if key < base or key > memory[at + LAST]:
        return _put_outside(memory, at, key, size)
    grain = memory[at + GRAIN]
    index = int((key - base) / grain + 0.5)  # a guess in floating point; the next line decides
    if index * grain != key - base:
        return MISFIT
    if size == 0:
        return _remove_near(memory, at, index)
    return _set_near(memory, at, index, size)


@kernel()
def count_levels(memory: Words, at: int) -> int:
    """Return how many levels the ladder holds."""
    return int(memory[at + INSIDE] + memory[at + OUTSIDE])


@kernel()
def best_price(memory: Words, at: int) -> int:
    """Return the best price of a ladder that holds a level."""
    key = memory[at + BASE] + memory[at + BEST] * memory[at + GRAIN]
    return int(key ^ memory[at + MASK])


@kernel()
def best_size(memory: Words, at: int) -> int:
    """Return the size at the best price of a ladder that holds a level."""
    return int(memory[memory[at + SIZES] + memory[at + BEST]])


@kernel(inline=True)
def level_size(memory: Words, at: int, price: int) -> int:
    """Return the size at a price, 0 for none."""
    key = price ^ memory[at + MASK]
    if memory[at + BASE] <= key <= memory[at + LAST]:
        offset = key - memory[at + BASE]
        if offset % memory[at + GRAIN] != 0:
            return 0
        return int(memory[memory[at + SIZES] + offset // memory[at + GRAIN]])
    place = _find_outside(memory, at, key)
    if place < memory[at + OUTSIDE] and memory[memory[at + KEYS] + place] == key:
        return int(memory[memory[at + AMOUNTS] + place])
    return 0


@kernel()
def trim_ladder(memory: Words, at: int, depth: int) -> int:
    """Remove the worst levels beyond ``depth``; return how many went."""
    excess = count_levels(memory, at) - depth
    for _ in range(excess):
        if memory[at + OUTSIDE] > 0:
            memory[at + OUTSIDE] -= 1
        else:
            _remove_near(memory, at, last_occupied(memory, at))
    return max(excess, 0)


@kernel()
def walk_levels(memory: Words, at: int, prices: Words, sizes: Words) -> int:
    """Write the levels, best first, until the outputs are full; return how many were written.

    Parameters
    ----------
    prices, sizes : (k,) int64
        Outputs, scaled.
    """
    room = min(prices.size, sizes.size)
    mask = memory[at + MASK]
    count = min(memory[at + INSIDE], room)
    index = memory[at + BEST]
    for i in range(count):
        prices[i] = (memory[at + BASE] + index * memory[at + GRAIN]) ^ mask
        sizes[i] = memory[memory[at + SIZES] + index]
        index = next_occupied(memory, at, index + 1)
    far = min(memory[at + OUTSIDE], room - count)
    for i in range(far):
        prices[count + i] = memory[memory[at + KEYS] + i] ^ mask
        sizes[count + i] = memory[memory[at + AMOUNTS] + i]
    return int(count + far)


@kernel()
def depth_cost(memory: Words, at: int, size: int) -> tuple[float, int]:
    """Walk the levels until ``size`` is taken.

    Returns
    -------
    tuple[float, int]
        Sum of price times size taken (scaled, an estimate in floating point) and the size taken,
        which is less than ``size`` where the book is too thin. Their ratio is the depth VWAP.
    """
    cost = 0.0
    taken = 0
    mask = memory[at + MASK]
    index = memory[at + BEST]
    for _ in range(memory[at + INSIDE]):
        amount = min(int(memory[memory[at + SIZES] + index]), size - taken)
        cost += float((memory[at + BASE] + index * memory[at + GRAIN]) ^ mask) * float(amount)
        taken += amount
        if taken >= size:
            return cost, taken
        index = next_occupied(memory, at, index + 1)
    for i in range(memory[at + OUTSIDE]):
        amount = min(int(memory[memory[at + AMOUNTS] + i]), size - taken)
        cost += float(memory[memory[at + KEYS] + i] ^ mask) * float(amount)
        taken += amount
        if taken >= size:
            break
    return cost, taken


@kernel(inline=True)
def worst_price(memory: Words, at: int) -> int:
    """Return the worst price of a ladder that holds a level."""
    if memory[at + OUTSIDE] > 0:
        return int(memory[memory[at + KEYS] + memory[at + OUTSIDE] - 1] ^ memory[at + MASK])
    key = memory[at + BASE] + last_occupied(memory, at) * memory[at + GRAIN]
    return int(key ^ memory[at + MASK])
