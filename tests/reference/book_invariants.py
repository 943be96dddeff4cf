"""Every invariant of a ladder, asserted one level at a time."""

import numpy as np

from bot4_core.kernels.book_window import (
    AMOUNTS,
    BASE,
    BEST,
    BITS,
    CAPACITY,
    GRAIN,
    HEADER,
    INSIDE,
    KEYS,
    LAST,
    MASK,
    OUTSIDE,
    SIZES,
    WINDOW,
    Words,
)


def check_ladder(memory: Words, at: int) -> dict[int, int]:
    """Assert what must hold between messages; return the levels by price."""
    window, capacity, grain = (int(memory[at + slot]) for slot in (WINDOW, CAPACITY, GRAIN))
    base, last, best = (int(memory[at + slot]) for slot in (BASE, LAST, BEST))
    inside, outside, mask = (int(memory[at + slot]) for slot in (INSIDE, OUTSIDE, MASK))
    bits, sizes_at, keys_at, amounts_at = (
        int(memory[at + slot]) for slot in (BITS, SIZES, KEYS, AMOUNTS)
    )
    sizes = memory[sizes_at : sizes_at + window]
    occupied = np.flatnonzero(sizes)
    words = memory[bits : bits + (window >> 6)].view(np.uint64)
    marked = np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little"))
    assert np.array_equal(occupied, marked), "bitmap and sizes differ"
    summary = memory[at + HEADER : at + HEADER + (window >> 12)].view(np.uint64)
    grouped = np.flatnonzero(np.unpackbits(summary.view(np.uint8), bitorder="little"))
    assert np.array_equal(grouped, np.flatnonzero(words)), "summary and bitmap differ"
    assert inside == occupied.size
    assert best == (occupied[0] if inside else window)
    assert inside > 0 or outside == 0, "the best level must be inside the window"
    assert inside + outside <= capacity
    assert np.all(sizes >= 0)
    levels = {base + int(i) * grain ^ mask: int(sizes[i]) for i in occupied}
    if inside:
        assert base + int(occupied[-1]) * grain <= last
        assert (last - base) % grain == 0
        assert (last - base) // grain < window
    keys = [int(key) for key in memory[keys_at : keys_at + outside]]
    amounts = [int(amount) for amount in memory[amounts_at : amounts_at + outside]]
    assert keys == sorted(set(keys)), "the overflow is sorted"
    assert all(key > last for key in keys), "overflow levels are worse than the window"
    assert all(amount > 0 for amount in amounts)
    levels |= {key ^ mask: amount for key, amount in zip(keys, amounts, strict=True)}
    assert all(price % grain == 0 for price in levels), "prices are multiples of the grain"
    return levels
