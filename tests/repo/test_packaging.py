"""Every distribution has the shared shape."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("src/bot4_plugins/*/pyproject.toml"))


def read(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_namespace_folder_is_no_package() -> None:
    assert not (ROOT / "src" / "bot4_plugins" / "__init__.py").exists()


def test_every_plugin_folder_is_a_distribution() -> None:
    folders = {path for path in (ROOT / "src" / "bot4_plugins").iterdir() if path.is_dir()}
    assert {path for path in folders if path.name != "__pycache__"} == set(PLUGINS)


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.name)
def test_plugin_has_the_shared_shape(folder: Path) -> None:
    settings = read(folder / "pyproject.toml")
    dashed = folder.name.replace("_", "-")
    project = settings["project"]
    assert isinstance(project, dict)
    assert project["name"] == f"bot4-{dashed}"
    assert project["requires-python"] == ">=3.11"
    assert project["license"] == "MIT"
    assert project["readme"] == "README.md"
    assert project["dependencies"][0].startswith("bot4-core")
    hooks = f"bot4_plugins.{folder.name}.hooks"
    assert project["entry-points"] == {"bot4": {dashed: hooks}}
    tool = settings["tool"]
    assert isinstance(tool, dict)
    assert tool["hatch"]["build"] == {
        "include": ["*.py", "py.typed"],
        "dev-mode-dirs": ["../.."],
        "targets": {"wheel": {"sources": {"": f"bot4_plugins/{folder.name}"}}},
    }


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda path: path.name)
def test_plugin_carries_marker_readme_and_hooks(folder: Path) -> None:
    for name in ("py.typed", "README.md", "hooks.py", "__init__.py"):
        assert (folder / name).is_file(), name


def test_all_plugins_stand_in_the_dev_group() -> None:
    groups = read(ROOT / "pyproject.toml")["dependency-groups"]
    assert isinstance(groups, dict)
    names = {f"bot4-{folder.name.replace('_', '-')}" for folder in PLUGINS}
    assert names <= {entry for entry in groups["dev"] if isinstance(entry, str)}


def test_every_changelog_fragment_names_its_distribution_and_type() -> None:
    names = {"core", *(folder.name.replace("_", "-") for folder in PLUGINS)}
    for path in (ROOT / "changelog.d").iterdir():
        if path.name != "README.md":
            word, name, kind, ending = path.name.split(".")
            assert word, path.name
            assert name in names, path.name
            assert kind in {"added", "changed", "fixed", "removed"}, path.name
            assert ending == "md", path.name


def test_core_depends_on_six_libraries_only() -> None:
    project = read(ROOT / "pyproject.toml")["project"]
    assert isinstance(project, dict)
    names = {entry.split(">")[0] for entry in project["dependencies"]}
    assert names == {"attrs", "cattrs", "numba", "numpy", "pluggy", "sortedcontainers"}
