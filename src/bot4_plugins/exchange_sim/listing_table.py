"""Instruments as the rows that kernels read."""

from collections.abc import Sequence

import numpy as np

from bot4_core.domain_types.records import INSTRUMENT_DTYPE
from bot4_core.plugins.interfaces import Records
from bot4_plugins.exchange_sim.settings import Listing

__all__ = ["listing_table"]


def listing_table(listings: Sequence[Listing]) -> Records:
    """Return one INSTRUMENT_DTYPE row a listing, in order."""
    table = np.zeros(len(listings), INSTRUMENT_DTYPE)
    for row, listing in zip(table, listings, strict=True):
        instrument = listing.instrument
        row["price_exponent"] = instrument.price_exponent
        row["size_exponent"] = instrument.size_exponent
        row["tick"] = instrument.tick
        row["lot"] = instrument.lot
        row["min_size"] = instrument.min_size
        row["chain"] = int(instrument.chain)
        row["depth"] = instrument.depth
        row["price_unit"] = float(f"1e{instrument.price_exponent}")
        row["size_unit"] = float(f"1e{instrument.size_exponent}")
        row["multiplier"] = float(instrument.multiplier)
    return table
