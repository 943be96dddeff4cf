"""The settings table of each plugin's README has every setting with its default, and no other."""

import re
from enum import Enum
from pathlib import Path

import attrs
import pytest

from bot4_core.plugins import Component, PluginHost, PluginState

ROOT = Path(__file__).parents[2]
HEADING = "| setting | default | meaning |"


def parts() -> list[tuple[str, Component]]:
    """Return every part of our own plugins, with its plugin's folder."""
    host = PluginHost.installed()
    return [
        (info.plugin.replace("-", "_"), part)
        for info in host.plugins
        for part in info.components
        if info.state is PluginState.OK
        and (ROOT / "src/bot4_plugins" / info.plugin.replace("-", "_")).is_dir()
    ]


PARTS = parts()


def table(page: str) -> dict[str, str]:
    """Return default by setting, as a page's table has them."""
    lines = page.partition(HEADING)[2].splitlines()[2:]
    rows = [line.strip("|").split("|") for line in lines[: lines.index("")]]
    return {name.strip(" `"): re.sub(r"[`\"]", "", default).strip() for name, default, _ in rows}


def written(default: object) -> str:
    """Write a default as a configuration has it, without quotes."""
    if isinstance(default, Enum):
        return default.name.lower()
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ", ".join(map(written, default)) or "none"
    return str(default)


def same(told: str, default: object) -> bool:
    """Compare numbers by value, anything else by text."""
    if isinstance(default, float):
        return float(told) == default
    return told == written(default)


def test_every_plugin_of_ours_is_looked_at() -> None:
    assert {"breaker_statistical", "exchange_sim", "sizer_kelly"} <= {folder for folder, _ in PARTS}


@pytest.mark.parametrize(("folder", "part"), PARTS, ids=[part.name for _, part in PARTS])
def test_a_readme_has_every_setting_and_no_other(folder: str, part: Component) -> None:
    loaded = PluginHost.installed().load(part.kind, part.name)
    fields = {each.name: each.default for each in attrs.fields(loaded.settings_type)}
    page = (ROOT / "src/bot4_plugins" / folder / "README.md").read_text()
    if not fields:
        assert HEADING not in page
        assert "It has no settings." in page
        return
    told = table(page)
    assert list(told) == list(fields)
    for name, default in fields.items():
        assert same(told[name], default), f"{name}: {told[name]} is not {default}"
