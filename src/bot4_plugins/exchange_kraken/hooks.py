"""What this plugin brings, described without importing it."""

from collections.abc import Sequence

from bot4_core.plugins.components import Component
from bot4_core.plugins.hookspecs import hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the Kraken adapter."""
    return (
        Component(
            kind="exchange",
            name="kraken",
            load="bot4_plugins.exchange_kraken.adapter:KrakenExchange",
            summary="Kraken: market data and orders, spot and derivatives",
            capabilities=("market_data", "orders", "compiled", "spot", "derivatives"),
            conformance="bot4_plugins.exchange_kraken.conformance:KrakenConformance",
        ),
    )
