"""What the packages say they export is there, and importing them stays light."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import bot4_core

PACKAGES = ["bot4_core"] + [
    f"bot4_core.{module.name}"
    for module in pkgutil.iter_modules(bot4_core.__path__)
    if module.ispkg
]
HEAVY = {"numba", "llvmlite", "ccxt", "plotly", "rich"}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_exists_once(package: str) -> None:
    module = importlib.import_module(package)
    names = list(getattr(module, "__all__", []))
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(module, name) is not None


def test_the_core_lists_what_it_has_not_loaded_yet() -> None:
    assert set(bot4_core.__all__) == set(bot4_core.HOMES)
    assert set(bot4_core.__all__) <= set(dir(bot4_core))
    code = "import bot4_core; assert 'Session' in dir(bot4_core)"
    assert not any(name.startswith("bot4_core.session") for name in loaded_by(code))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        bot4_core.no_such_name  # noqa: B018 - looking it up is the test


def loaded_by(code: str) -> set[str]:
    script = f"import sys; {code}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_importing_the_core_loads_nothing_heavy() -> None:
    assert not (HEAVY | {"numpy", "cattrs"}) & loaded_by("import bot4_core")


def test_importing_domain_types_and_interfaces_loads_no_compiler() -> None:
    code = "import bot4_core.domain_types, bot4_core.plugins.interfaces"
    assert not HEAVY & loaded_by(code)


def test_listing_plugins_imports_no_part() -> None:
    code = "from bot4_core.plugins import PluginHost; PluginHost.installed()"
    loaded = loaded_by(code)
    assert not HEAVY & loaded
    parts = {name for name in loaded if name.startswith("bot4_plugins.") and name.count(".") > 1}
    assert {name.rpartition(".")[2] for name in parts} == {"hooks"}
