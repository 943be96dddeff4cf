"""What this plugin brings, described without importing it."""

from collections.abc import Sequence

from bot4_core.plugins.components import Component
from bot4_core.plugins.hookspecs import hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the Bybit adapter."""
    return (
        Component(
            kind="exchange",
            name="bybit",
            load="bot4_plugins.exchange_bybit.adapter:BybitExchange",
            summary="Bybit v5: spot, linear and inverse contracts; data, orders, account",
            capabilities=("market_data", "orders", "compiled", "spot", "linear", "inverse"),
            conformance="bot4_plugins.exchange_bybit.conformance:BybitConformance",
        ),
    )
