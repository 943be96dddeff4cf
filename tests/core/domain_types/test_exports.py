import importlib
import pkgutil
import subprocess
import sys

import bot4_core.domain_types as package

MODULES = [
    importlib.import_module(f"{package.__name__}.{found.name}")
    for found in pkgutil.iter_modules(package.__path__)
]


def test_the_package_exports_what_its_public_modules_define() -> None:
    public = [
        module for module in MODULES if not module.__name__.rpartition(".")[2].startswith("_")
    ]
    defined = {name for module in public for name in module.__all__}
    assert sorted(defined) == sorted(package.__all__)
    assert sorted(package.__all__) == sorted(set(package.__all__))


def test_every_export_is_there_and_is_the_same_object() -> None:
    for module in MODULES:
        for name in module.__all__:
            if name in package.__all__:
                assert getattr(package, name) is getattr(module, name)


def test_every_public_definition_is_exported_by_its_module() -> None:
    for module in MODULES:
        for name, value in vars(module).items():
            own = getattr(value, "__module__", None) == module.__name__
            if own and not name.startswith("_") and len(name) > 1:
                assert name in module.__all__ or name.endswith("_rules"), (module.__name__, name)


def test_importing_the_types_loads_no_compiler_converter_or_venue_library() -> None:
    script = (
        "import sys, bot4_core.domain_types;"
        "print(*({'numba', 'cattrs', 'ccxt', 'hypothesis', 'pluggy'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == ""
