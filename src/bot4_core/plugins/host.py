"""The plugin host: an ordinary object that finds, checks and hands over parts."""

import difflib
import importlib
import inspect
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Final, Self, TypeVar, cast

import attrs
import pluggy

from bot4_core.errors import MissingPluginError, PluginLoadError
from bot4_core.plugins import interfaces
from bot4_core.plugins.components import Component, ComponentKind
from bot4_core.plugins.hookspecs import HOOK_API, PROJECT, Hooks

__all__ = ["PluginHost", "PluginInfo", "PluginState"]

T = TypeVar("T")

INTERFACES: Final[dict[ComponentKind, type]] = {
    ComponentKind.EXCHANGE: interfaces.Exchange,
    ComponentKind.STRATEGY: interfaces.Strategy,
    ComponentKind.SIZER: interfaces.Sizer,
    ComponentKind.BREAKER: interfaces.Breaker,
    ComponentKind.ROUTER: interfaces.Router,
    ComponentKind.EXECUTION: interfaces.Execution,
    ComponentKind.STORE: interfaces.Store,
    ComponentKind.SINK: interfaces.Sink,
    ComponentKind.RUNNER: interfaces.Runner,
    ComponentKind.COMMAND: interfaces.Command,
}


class PluginState(StrEnum):
    """What became of a plugin when the host met it."""

    OK = "ok"
    BLOCKED = "blocked"  # not on the allow-list
    INCOMPATIBLE = "incompatible"  # written for another hook API
    BROKEN = "broken"


@attrs.frozen(kw_only=True)
class PluginInfo:
    """One plugin as listings show it."""

    plugin: str
    distribution: str
    version: str
    api: int | None
    state: PluginState
    reason: str = ""
    components: tuple[Component, ...] = ()


class PluginHost:
    """Finds plugins and hands over their parts; two hosts do not see each other.

    Parameters
    ----------
    strict : bool
        Raise `PluginLoadError` for the first bad plugin, where the default files it as broken
        and goes on; a part that a session asks for is never skipped in silence either way.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._infos: list[PluginInfo] = []
        self._owners: dict[tuple[ComponentKind, str], list[tuple[Component, PluginInfo]]] = {}

    @classmethod
    def installed(cls, *, allow: Collection[str] | None = None, strict: bool = False) -> Self:
        """Make a host that knows every installed plugin.

        Parameters
        ----------
        allow : collection of str, optional
            Names of plugins or distributions that may load; None allows all. The others are
            listed as blocked and their modules are not imported.
        strict : bool
            As for the class.
        """
        host = cls(strict=strict)
        points = sorted(entry_points(group=PROJECT), key=_entry_key)
        for point in points:
            host._register_entry(point, allow)
        return host

    @property
    def plugins(self) -> tuple[PluginInfo, ...]:
        """Every plugin met so far, by name."""
        return tuple(sorted(self._infos, key=lambda info: info.plugin))

    def register(self, plugin: object, *, name: str | None = None) -> PluginInfo:
        """Register a module or object that implements hooks, without installation.

        Raises
        ------
        PluginLoadError
            If its hook API differs, a hook is misspelt, a hook raises, or it brings a component
            whose kind and name another plugin brings already.
        """
        label = name or str(getattr(plugin, "__name__", type(plugin).__name__))
        info = self._admit(plugin, label, distribution=label, version="")
        if info.state is not PluginState.OK:
            raise PluginLoadError(label, info.reason)
        clash = self._clash(info.components)
        if clash:
            self._manager.unregister(name=label)
            raise PluginLoadError(label, clash)
        self._file(info)
        return info

    def components(self, kind: ComponentKind | str | None = None) -> tuple[Component, ...]:
        """Return the descriptions of loadable components, by kind and name."""
        wanted = None if kind is None else ComponentKind(kind)
        keys = sorted(key for key in self._owners if wanted is None or key[0] is wanted)
        return tuple(self._owners[key][0][0] for key in keys)

    def load(self, kind: ComponentKind | str, name: str) -> type[Any]:
        """Import and return the class of one component.

        Raises
        ------
        MissingPluginError
            If no plugin brings it; the text names the nearest match and what is there.
        PluginLoadError
            If two plugins bring it, the import fails, or the class is not of the interface.
        """
        key = (ComponentKind(kind), name)
        owners = self._owners.get(key, [])
        if not owners:
            raise MissingPluginError(self._missing_text(*key))
        if len(owners) > 1:
            names = " and ".join(sorted(info.distribution for _, info in owners))
            reason = f"{key[0]} {name!r} is brought by {names}: remove one, or allow only one"
            raise PluginLoadError(owners[0][1].distribution, reason)
        component, info = owners[0]
        return _import_class(component, info)

    def load_as(self, interface: type[T], kind: ComponentKind | str, name: str) -> type[T]:
        """Load a component and tell the type checker its interface."""
        loaded = self.load(kind, name)
        if not issubclass(loaded, interface):
            raise PluginLoadError(name, f"{loaded.__qualname__} is no {interface.__name__}")
        return loaded

    def _register_entry(self, point: EntryPoint, allow: Collection[str] | None) -> None:
        distribution = point.dist.name if point.dist else point.value
        version = point.dist.version if point.dist else ""
        if allow is not None and point.name not in allow and distribution not in allow:
            self._infos.append(
                PluginInfo(
                    plugin=point.name,
                    distribution=distribution,
                    version=version,
                    api=None,
                    state=PluginState.BLOCKED,
                    reason="not on the allow-list",
                )
            )
            return
        try:
            module = point.load()
        except Exception as error:  # noqa: BLE001 - whatever a foreign module raises
            info = PluginInfo(
                plugin=point.name,
                distribution=distribution,
                version=version,
                api=None,
                state=PluginState.BROKEN,
                reason=f"import of {point.value} failed: {_one_line(error)}",
            )
        else:
            info = self._admit(module, point.name, distribution=distribution, version=version)
        if self._strict and info.state is not PluginState.OK:
            raise PluginLoadError(distribution, info.reason)
        clash = self._clash(info.components)
        if clash and self._strict:
            raise PluginLoadError(distribution, clash)
        self._file(info)

    def _admit(self, plugin: object, label: str, *, distribution: str, version: str) -> PluginInfo:
        api = getattr(plugin, "HOOK_API", None)

        def info(
            state: PluginState, reason: str = "", components: Sequence[Component] = ()
        ) -> PluginInfo:
            return PluginInfo(
                plugin=label,
                distribution=distribution,
                version=version,
                api=api if isinstance(api, int) else None,
                state=state,
                reason=reason,
                components=tuple(components),
            )

        if api != HOOK_API:
            reason = f"declares HOOK_API {api!r}, this host speaks {HOOK_API}"
            return info(PluginState.INCOMPATIBLE, reason)
        if self._manager.has_plugin(label):
            return info(PluginState.BROKEN, f"a plugin named {label!r} is registered already")
        try:
            self._manager.register(cast("ModuleType", plugin), name=label)
            self._manager.check_pending()
            components = self._ask(plugin)
        except Exception as error:  # noqa: BLE001 - whatever a foreign hook raises
            if self._manager.has_plugin(label):
                self._manager.unregister(name=label)
            return info(PluginState.BROKEN, _one_line(error))
        return info(PluginState.OK, components=components)

    def _ask(self, plugin: object) -> list[Component]:
        others = [other for other in self._manager.get_plugins() if other is not plugin]
        caller = self._manager.subset_hook_caller("bot4_components", others)
        answers: list[Any] = caller()
        components = [component for answer in answers for component in answer]
        for component in components:
            if not isinstance(component, Component):
                raise TypeError(f"bot4_components returned {component!r}, want Component")
        return sorted(components, key=lambda component: (component.kind, component.name))

    def _clash(self, components: Iterable[Component]) -> str:
        for component in components:
            owners = self._owners.get((component.kind, component.name))
            if owners:
                other = owners[0][1].distribution
                return f"{component.kind} {component.name!r} is brought by {other} already"
        return ""

    def _file(self, info: PluginInfo) -> None:
        self._infos.append(info)
        for component in info.components:
            key = (component.kind, component.name)
            self._owners.setdefault(key, []).append((component, info))

    def _missing_text(self, kind: ComponentKind, name: str) -> str:
        names = [component.name for component in self.components(kind)]
        near = difflib.get_close_matches(name, names, n=1)
        text = f"no plugin brings {kind} {name!r}"
        if near:
            text += f", did you mean {near[0]!r}?"
        text += f" (installed: {', '.join(names) or 'none'})"
        bad = [
            f"{info.distribution} is {info.state}: {info.reason}"
            for info in self.plugins
            if info.state is not PluginState.OK
        ]
        return "; ".join([text, *bad])


def _entry_key(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name if point.dist else "", point.name)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _import_class(component: Component, info: PluginInfo) -> type[Any]:
    module_name, _, attribute = component.load.partition(":")
    try:
        loaded = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:
        reason = f"import of {component.load} failed: {_one_line(error)}"
        raise PluginLoadError(info.distribution, reason) from error
    interface = INTERFACES[component.kind]
    if not (inspect.isclass(loaded) and issubclass(loaded, interface)):
        reason = f"{component.load} is no subclass of {interface.__name__}"
        raise PluginLoadError(info.distribution, reason)
    own_name = getattr(loaded, "name", None)
    if own_name != component.name:
        reason = f"{component.load} is named {own_name!r}, its component {component.name!r}"
        raise PluginLoadError(info.distribution, reason)
    return loaded
