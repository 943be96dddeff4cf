"""The command line brings no parts; it is a host."""

from collections.abc import Sequence
from typing import Final

from bot4_core.plugins import Component, hookimpl

HOOK_API: Final = 1


@hookimpl
def bot4_components() -> Sequence[Component]:
    """Return nothing: the commands of this package are its own."""
    return ()
