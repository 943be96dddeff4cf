"""What this plugin brings, described without importing it."""

from collections.abc import Sequence

from bot4_core.plugins.components import Component
from bot4_core.plugins.hookspecs import hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the OKX adapter."""
    return (
        Component(
            kind="exchange",
            name="okx",
            load="bot4_plugins.exchange_okx.adapter:OkxExchange",
            summary="OKX v5: spot, perpetual swaps and futures; data, orders, account",
            capabilities=("market_data", "orders", "compiled", "spot", "swap", "futures"),
        ),
    )
