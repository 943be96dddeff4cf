"""How the simulated venue takes the conformance kit."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Final

from bot4_core.plugins.interfaces import Exchange
from bot4_core.testing.exchange_conformance import Heard
from bot4_core.testing.order_conformance import TradingConformance
from bot4_plugins.exchange_sim.adapter import SimExchange
from bot4_plugins.exchange_sim.settings import SimSettings

__all__ = ["SimConformance"]

SETTINGS: Final = SimSettings(symbols=("BTC-USD",), seed=3, requests_per_second=100)
STEP: Final = 10_000_000
MOST: Final = 40


class SimConformance(TradingConformance):
    """The first messages of one simulated market."""

    exemptions: ClassVar[Mapping[str, str]] = {"R08": "the venue knows orders by their numbers"}

    def adapter(self) -> Exchange:
        """Return an adapter of one instrument."""
        return SimExchange(SETTINGS)

    def messages(self) -> Sequence[Heard]:
        """Return what the venue says after the subscription."""
        return self._heard

    @cached_property
    def _heard(self) -> tuple[Heard, ...]:
        adapter = SimExchange(SETTINGS)
        venue = adapter.open_venue()
        for outbound in adapter.connect():
            venue.receive(outbound.body, venue.now)
        said: list[bytes] = []
        while len(said) < MOST:
            said += [data for _, data in venue.step(venue.now + STEP)]
        return tuple(map(Heard, said))
