"""What this plugin brings."""

from collections.abc import Sequence
from typing import Final

from bot4_core.plugins import Component, hookimpl

__all__ = ["HOOK_API", "bot4_components"]

HOOK_API: Final = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the simulated venue."""
    return (
        Component(
            kind="exchange",
            name="sim",
            load="bot4_plugins.exchange_sim.adapter:SimExchange",
            summary="Simulated venue: seeded crowd, price-time matching, scripted faults",
            capabilities=("market_data", "orders", "simulated", "deterministic"),
            conformance="bot4_plugins.exchange_sim.conformance:SimConformance",
        ),
    )
