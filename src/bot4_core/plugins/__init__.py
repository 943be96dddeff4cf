"""The plugin side: hooks, interfaces, and the host that joins them."""

from bot4_core.plugins.components import Component, ComponentKind
from bot4_core.plugins.hookspecs import HOOK_API, Hooks, hookimpl
from bot4_core.plugins.host import PluginHost, PluginInfo, PluginState

__all__ = [
    "HOOK_API",
    "Component",
    "ComponentKind",
    "Hooks",
    "PluginHost",
    "PluginInfo",
    "PluginState",
    "hookimpl",
]
