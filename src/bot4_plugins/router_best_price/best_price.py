"""Routing to the venue with the best price after fees."""

from collections.abc import Sequence
from typing import ClassVar

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import Feature
from bot4_core.plugins.interfaces import CompiledForm, PartSettings, Router
from bot4_plugins.router_best_price.kernel import MOST_INSTRUMENTS, route

__all__ = ["BestPrice"]


class BestPrice(Router[PartSettings]):
    """Sends an order that takes to the cheapest of the venues that trade the same thing.

    Two instruments are the same thing where base, quote, kind, settlement, multiplier and the
    scales and steps of price and size agree. The first 16 instruments are compared.
    """

    name: ClassVar[str] = "best_price"
    reads: ClassVar[Feature] = Feature.NONE

    def compiled(self) -> CompiledForm:
        """Return the kernel with the peers and taker fees of these instruments."""
        params = CompiledForm.new_params()
        for number, instrument in enumerate(self.instruments[:MOST_INSTRUMENTS]):
            params["i"][number] = peers(number, self.instruments[:MOST_INSTRUMENTS])
            params["f"][number] = float(instrument.fees.taker)
        return CompiledForm(function=route, params=params)


def peers(number: int, instruments: Sequence[Instrument]) -> int:
    """Return bit j set where instrument j is the same thing as instrument ``number``."""

    def nature(each: Instrument) -> tuple[object, ...]:
        scale = (each.price_exponent, each.size_exponent, each.tick, each.lot)
        what = (each.base, each.quote, each.kind, each.settlement, each.settled_in, each.expiry)
        return (*what, each.multiplier, *scale)

    own = nature(instruments[number])
    return sum(1 << j for j, each in enumerate(instruments) if nature(each) == own)
