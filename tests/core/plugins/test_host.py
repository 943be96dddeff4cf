"""The plugin host finds, isolates, refuses and hands over."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from bot4_core.errors import MissingPluginError, PluginLoadError
from bot4_core.plugins import (
    HOOK_API,
    Component,
    ComponentKind,
    PluginHost,
    PluginState,
    hookimpl,
)
from bot4_core.plugins import host as host_module
from bot4_core.plugins.interfaces import Sizer, Strategy


class Patient(Strategy):  # type: ignore[type-arg]  # parameters are not its subject
    """A strategy that waits."""

    name = "patient"


class Misnamed(Strategy):  # type: ignore[type-arg]  # parameters are not its subject
    """A strategy whose component calls it something else."""

    name = "somebody_else"


def strategy(name: str = "patient", load: str = f"{__name__}:Patient") -> Component:
    return Component(kind="strategy", name=name, load=load, summary="waits")


class Plugin:
    """A plugin made on the spot."""

    HOOK_API = HOOK_API

    def __init__(self, *components: Component) -> None:
        self.components = components

    @hookimpl
    def bot4_components(self) -> list[Component]:
        return list(self.components)


class Raising:
    HOOK_API = HOOK_API

    @hookimpl
    def bot4_components(self) -> list[Component]:
        raise RuntimeError("no licence\nfound")


class Misspelt:
    HOOK_API = HOOK_API

    @hookimpl
    def bot4_componets(self) -> list[Component]:
        return []


class WrongAnswer:
    HOOK_API = HOOK_API

    @hookimpl
    def bot4_components(self) -> list[str]:
        return ["strategy"]


class OldPlugin(Plugin):
    HOOK_API = HOOK_API - 1


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``load`` references name this very module, however pytest imported it."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or ModuleType(__name__))
    for item in (Patient, Misnamed):
        monkeypatch.setattr(sys.modules[__name__], item.__name__, item, raising=False)


def entry(name: str, module: str) -> EntryPoint:
    return EntryPoint(name=name, value=module, group="bot4")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Three entry points, of which the second cannot be imported."""
    (tmp_path / "good_hooks.py").write_text(
        "from bot4_core.plugins import Component, hookimpl\n"
        "HOOK_API = 1\n"
        "@hookimpl\n"
        "def bot4_components():\n"
        "    return [Component(kind='sizer', name='fixed', load='good_part:Fixed')]\n"
    )
    (tmp_path / "good_part.py").write_text(
        "from bot4_core.plugins.interfaces import Sizer\nclass Fixed(Sizer):\n    name = 'fixed'\n"
    )
    (tmp_path / "bad_hooks.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [entry("sizer-fixed", "good_hooks"), entry("sizer-bad", "bad_hooks")]
    monkeypatch.setattr(host_module, "entry_points", lambda group: points)
    for name in ("good_hooks", "good_part", "bad_hooks"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_registered_part_is_handed_over() -> None:
    host = PluginHost()
    info = host.register(Plugin(strategy()))
    assert info.state is PluginState.OK
    assert host.load("strategy", "patient") is Patient
    assert host.load_as(Strategy, ComponentKind.STRATEGY, "patient") is Patient


def test_hosts_do_not_see_each_other() -> None:
    PluginHost().register(Plugin(strategy()))
    assert PluginHost().components() == ()


def test_listing_does_not_import_the_part(installed: Path) -> None:
    host = PluginHost.installed()
    assert [component.name for component in host.components("sizer")] == ["fixed"]
    assert "good_part" not in sys.modules
    assert issubclass(host.load("sizer", "fixed"), Sizer)
    assert "good_part" in sys.modules


def test_broken_plugin_is_filed_and_the_others_load(installed: Path) -> None:
    host = PluginHost.installed()
    states = {info.plugin: info.state for info in host.plugins}
    assert states == {"sizer-bad": PluginState.BROKEN, "sizer-fixed": PluginState.OK}
    with pytest.raises(MissingPluginError, match="a_module_that_is_not_there"):
        host.load("sizer", "bad")


def test_strict_host_raises_for_a_broken_plugin(installed: Path) -> None:
    with pytest.raises(PluginLoadError, match="bad_hooks"):
        PluginHost.installed(strict=True)


def test_allow_list_keeps_the_rest_out_unimported(installed: Path) -> None:
    host = PluginHost.installed(allow=["sizer-bad"])
    states = {info.plugin: info.state for info in host.plugins}
    assert states == {"sizer-bad": PluginState.BROKEN, "sizer-fixed": PluginState.BLOCKED}
    assert "good_hooks" not in sys.modules


def test_duplicate_names_are_refused_naming_both(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "twin_hooks.py").write_text((installed / "good_hooks.py").read_text())
    points = [entry("sizer-fixed", "good_hooks"), entry("sizer-twin", "twin_hooks")]
    monkeypatch.setattr(host_module, "entry_points", lambda group: points)
    host = PluginHost.installed()
    with pytest.raises(PluginLoadError, match="good_hooks and twin_hooks"):
        host.load("sizer", "fixed")
    with pytest.raises(PluginLoadError, match="already"):
        PluginHost.installed(strict=True)


def test_one_module_behind_two_entry_points_is_loaded_once(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [entry("sizer-fixed", "good_hooks"), entry("sizer-again", "good_hooks")]
    monkeypatch.setattr(host_module, "entry_points", lambda group: points)
    host = PluginHost.installed()
    states = {info.plugin: info.state for info in host.plugins}
    assert sorted(states.values()) == [PluginState.BROKEN, PluginState.OK]
    (broken,) = (info for info in host.plugins if info.state is PluginState.BROKEN)
    assert "already registered" in broken.reason
    assert issubclass(host.load("sizer", "fixed"), Sizer)


def test_registering_a_taken_name_is_refused() -> None:
    host = PluginHost()
    host.register(Plugin(strategy()), name="first")
    with pytest.raises(PluginLoadError, match="brought by first already"):
        host.register(Plugin(strategy()), name="second")
    host.register(Plugin(strategy("other")), name="second")


def test_registering_the_same_label_twice_is_refused() -> None:
    host = PluginHost()
    host.register(Plugin(), name="one")
    with pytest.raises(PluginLoadError, match="registered already"):
        host.register(Plugin(), name="one")


@pytest.mark.parametrize(
    ("plugin", "text"),
    [
        (Raising(), "RuntimeError: no licence found"),
        (Misspelt(), "bot4_componets"),
        (WrongAnswer(), "want Component"),
        (OldPlugin(), "declares HOOK_API 0, this host speaks 1"),
        (object(), "declares HOOK_API None"),
    ],
)
def test_bad_plugin_is_refused_with_its_reason(plugin: object, text: str) -> None:
    host = PluginHost()
    with pytest.raises(PluginLoadError, match=text):
        host.register(plugin)
    assert host.components() == ()
    host.register(Plugin(strategy()))


def test_incompatible_plugin_is_listed_as_such(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "old_hooks.py").write_text("HOOK_API = 99\n")
    monkeypatch.setattr(host_module, "entry_points", lambda group: [entry("old", "old_hooks")])
    (info,) = PluginHost.installed().plugins
    assert (info.state, info.api) == (PluginState.INCOMPATIBLE, 99)


def test_missing_part_names_the_nearest() -> None:
    host = PluginHost()
    host.register(Plugin(strategy()))
    with pytest.raises(MissingPluginError, match=r"did you mean 'patient'\? \(installed"):
        host.load("strategy", "pateint")
    with pytest.raises(MissingPluginError, match="installed: none"):
        host.load("sizer", "kelly")


@pytest.mark.parametrize(
    ("component", "text"),
    [
        (strategy(load="nowhere_at_all:Part"), "nowhere_at_all"),
        (strategy(load="decimal:Decimal"), "no subclass of Strategy"),
        (strategy(load="decimal:getcontext"), "no subclass of Strategy"),
        (strategy(load=f"{__name__}:Misnamed"), "'somebody_else', its component 'patient'"),
    ],
)
def test_part_that_is_not_what_it_says_is_refused(component: Component, text: str) -> None:
    host = PluginHost()
    host.register(Plugin(component))
    with pytest.raises(PluginLoadError, match=text):
        host.load("strategy", "patient")


def test_load_as_checks_the_interface() -> None:
    host = PluginHost()
    host.register(Plugin(strategy()))
    with pytest.raises(PluginLoadError, match="is no Sizer"):
        host.load_as(Sizer, "strategy", "patient")


def test_entry_point_with_a_distribution_carries_its_version() -> None:
    host = PluginHost.installed()
    versions = {info.distribution: info.version for info in host.plugins}
    assert versions.get("bot4-exchange-sim") == "0.1.0"
