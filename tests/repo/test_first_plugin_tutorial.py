"""The plugin tutorial works as written: built as a wheel, installed, listed, run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = re.compile(r"^```\w+\n# file: (\S+)\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Write the tutorial's files as a reader would."""
    folder = tmp_path_factory.mktemp("tutorial")
    text = (root / "docs" / "tutorial" / "first-plugin.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert [name for name, _ in blocks] == [
        "pyproject.toml",
        "leaning/hooks.py",
        "leaning/strategy.py",
        "leaning/__init__.py",
        "session.toml",
    ]
    for name, body in blocks:
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(body, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def site(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it where only the child processes below look."""
    wheels, target = project / "dist", tmp_path_factory.mktemp("site")
    python = [sys.executable, "-m"]
    build = [*python, "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(wheels), str(project)], check=True)
    (wheel,) = wheels.glob("*.whl")
    install = [*python, "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*install, str(target), str(wheel)], check=True)
    return target


def bot4(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with the plugin's site folder on the path."""
    command = [sys.executable, "-m", "bot4_plugins.host_cli", *arguments]
    env = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_plugin_is_listed(site: Path) -> None:
    listing = json.loads(bot4(site, "plugins", "list", "--json").stdout)
    states = {info["distribution"]: info["state"] for info in listing["plugins"]}
    assert states["bot4-strategy-leaning"] == "ok"


def test_plugin_runs_and_trades(site: Path, project: Path) -> None:
    result = bot4(site, "run", str(project / "session.toml"), "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["strikes"] == 0
    assert sum(report["orders"].values()) > 0


def test_setting_out_of_place_is_named(site: Path, project: Path) -> None:
    wrong = project / "wrong.toml"
    wrong.write_text((project / "session.toml").read_text().replace("threshold", "treshold"))
    result = bot4(site, "run", str(wrong))
    assert result.returncode == 3
    assert "strategy.settings" in result.stderr
    assert "did you mean 'threshold'" in result.stderr
