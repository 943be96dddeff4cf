"""Instruments as the rows that kernels read."""

from collections.abc import Sequence

import attrs
import numpy as np

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import INSTRUMENT_DTYPE
from bot4_core.errors import ValidationError
from bot4_core.plugins.interfaces import Records
from bot4_plugins.exchange_sim.settings import Listing

__all__ = ["listing_table", "relisted"]


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


FIXED = (
    *("price_exponent", "size_exponent", "tick", "lot", "chain"),
    *("base", "quote", "kind", "settlement", "multiplier"),
)


def relisted(listings: Sequence[Listing], instruments: Sequence[Instrument]) -> tuple[Listing, ...]:
    """Return listings with some of their instruments replaced, matched by symbol.

    Raises
    ------
    ValidationError
        If an instrument is not listed, or has other scales or steps than the listing.
    """
    given = {str(instrument.symbol): instrument for instrument in instruments}
    own = {str(listing.instrument.symbol): listing.instrument for listing in listings}
    faults = [
        (f"instruments.{symbol}", "is not listed at the simulated venue")
        for symbol in given
        if symbol not in own
    ]
    faults += [
        (f"instruments.{symbol}.{field}", f"is {getattr(own[symbol], field)} at this venue")
        for symbol, instrument in given.items()
        for field in FIXED
        if symbol in own and getattr(instrument, field) != getattr(own[symbol], field)
    ]
    if faults:
        raise ValidationError(faults)
    return tuple(
        attrs.evolve(
            listing, instrument=given.get(str(listing.instrument.symbol), listing.instrument)
        )
        for listing in listings
    )
