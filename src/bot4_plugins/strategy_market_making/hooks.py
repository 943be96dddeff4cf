"""What this distribution brings, without importing it."""

from collections.abc import Sequence

from bot4_core.plugins import Component, hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the strategy."""
    return [
        Component(
            kind="strategy",
            name="market_making",
            load="bot4_plugins.strategy_market_making.market_making:MarketMaking",
            summary="Avellaneda-Stoikov quotes around an inventory-adjusted price",
            capabilities=("compiled",),
        )
    ]
