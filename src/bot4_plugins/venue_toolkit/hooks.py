"""A library for exchange plugins: it brings no component of its own."""

from collections.abc import Sequence
from typing import Final

from bot4_core.plugins.components import Component
from bot4_core.plugins.hookspecs import hookimpl

__all__ = ["HOOK_API", "bot4_components"]

HOOK_API: Final = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Describe nothing: what is here, exchange plugins use."""
    return ()
