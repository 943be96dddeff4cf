"""What this plugin brings, described without importing it."""

from collections.abc import Sequence

from bot4_core.plugins.components import Component
from bot4_core.plugins.hookspecs import hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the Coinbase adapter."""
    return (
        Component(
            kind="exchange",
            name="coinbase",
            load="bot4_plugins.exchange_coinbase.adapter:CoinbaseExchange",
            summary="Coinbase Advanced Trade: market data and orders",
            capabilities=("market_data", "orders", "compiled", "spot", "futures"),
        ),
    )
