"""Fee rates of the paper venue that change with the volume filled so far."""

from bot4_core.jit import kernel
from bot4_core.kernels.matching_state import (
    INSTRUMENTS,
    MAKER_RATE,
    ONE_RATE,
    TAKER_RATE,
    TIER,
    TIERS,
    TIERS_AT,
    VOLUME,
    Desk,
    charge,
    terms_of,
)

__all__ = ["count_volume", "tier_words"]

MOST_VOLUME = 2**62


@kernel(inline=True)
def tier_words(instruments: int) -> int:
    """Return the length of a tier's row: its volume, then maker and taker rate an instrument."""
    return 1 + 2 * instruments


@kernel(inline=True)
def count_volume(desk: Desk, terms: int, price: int, size: int) -> None:
    """Add a fill to the volume; from a tier's volume on, its rates hold for every instrument."""
    if desk[TIERS] == 0:
        return
    value = charge(desk, terms, price, size, int(desk[terms + ONE_RATE]))
    desk[VOLUME] = min(desk[VOLUME] + value, MOST_VOLUME)
    while desk[TIER] < desk[TIERS]:
        row = desk[TIERS_AT] + tier_words(int(desk[INSTRUMENTS])) * desk[TIER]
        if desk[VOLUME] < desk[row]:
            break
        desk[TIER] += 1
        for instrument in range(desk[INSTRUMENTS]):
            terms = terms_of(desk, instrument)
            desk[terms + MAKER_RATE] = desk[row + 1 + 2 * instrument]
            desk[terms + TAKER_RATE] = desk[row + 2 + 2 * instrument]
