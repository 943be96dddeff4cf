"""What this plugin brings, described without importing it."""

from collections.abc import Sequence

from bot4_core.plugins.components import Component
from bot4_core.plugins.hookspecs import hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the Binance adapter."""
    return (
        Component(
            kind="exchange",
            name="binance",
            load="bot4_plugins.exchange_binance.adapter:BinanceExchange",
            summary="Binance: market data, orders and account of spot, USD-M and COIN-M futures",
            capabilities=("market_data", "orders", "compiled", "spot", "usdm", "coinm"),
            conformance="bot4_plugins.exchange_binance.conformance:BinanceConformance",
        ),
    )
