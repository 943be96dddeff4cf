"""What this distribution brings, without importing it."""

from collections.abc import Sequence

from bot4_core.plugins import Component, hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the router."""
    return [
        Component(
            kind="router",
            name="best_price",
            load="bot4_plugins.router_best_price.best_price:BestPrice",
            summary="Sends the whole order where it trades cheapest, fees included",
            capabilities=("compiled",),
        )
    ]
