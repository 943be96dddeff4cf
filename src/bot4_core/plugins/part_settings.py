"""What the classes of all kinds of plugins share."""

import attrs

from bot4_core.errors import PluginError

__all__ = ["PartSettings", "absent"]


@attrs.frozen(kw_only=True)
class PartSettings:
    """Settings of one part; subclasses add fields, read from the configuration by ``convert``."""


def absent(plugin: object, method: str, remedy: str) -> PluginError:
    """Return the error of a method that a plugin does not have."""
    return PluginError(f"{type(plugin).__qualname__} has no {method}(): {remedy}")
