"""What this distribution brings, without importing it."""

from collections.abc import Sequence

from bot4_core.plugins import Component, hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the breaker."""
    return [
        Component(
            kind="breaker",
            name="statistical",
            load="bot4_plugins.breaker_statistical.statistical:Statistical",
            summary="Trips when a return lies three standard deviations from those before it",
            capabilities=("compiled",),
        )
    ]
