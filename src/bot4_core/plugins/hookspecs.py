"""Every hook, in life-cycle order, and the number of this set of hooks."""

from collections.abc import Sequence
from typing import Final

import pluggy

from bot4_core.plugins.components import Component

__all__ = ["HOOK_API", "PROJECT", "Hooks", "hookimpl", "hookspec"]

PROJECT: Final = "bot4"
"""Name of the pluggy project and of the entry-point group."""

HOOK_API: Final = 1
"""Number of the hook set. A plugin module declares the number that it was written for."""

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The hooks that a plugin module may implement."""

    @hookspec
    def bot4_components(self) -> Sequence[Component]:
        """Describe the parts that this plugin brings.

        Called once for each plugin, when the host registers it. Keep the module that implements
        it light: describe classes by reference, import nothing heavy.

        Returns
        -------
        sequence of Component
            In any order. The host files them by kind and name.

        Notes
        -----
        An exception marks this one plugin as broken, with the exception's text; others load.

        .. versionadded:: 0.1
        """
        raise NotImplementedError
