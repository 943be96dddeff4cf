"""What this distribution brings, without importing it."""

from collections.abc import Sequence

from bot4_core.plugins import Component, hookimpl

HOOK_API = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe the sizer."""
    return [
        Component(
            kind="sizer",
            name="kelly",
            load="bot4_plugins.sizer_kelly.kelly:Kelly",
            summary="Fractional Kelly position, never above a quarter of equity",
            capabilities=("compiled",),
        )
    ]
