"""Install core and one plugin from wheels in an empty environment, and load the plugin there.

Editable installs hide missing dependencies and files; wheels in an empty environment do not.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROBE = """
import pathlib, sys
from bot4_core.plugins import PluginHost, PluginState

plugin, site = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
host = PluginHost.installed(strict=True)
plugins = {each.plugin: each for each in host.plugins}
assert plugins.keys() - {"venue-toolkit"} == {plugin} - {"venue-toolkit"}, plugins
assert all(each.state is PluginState.OK for each in plugins.values()), plugins
info = plugins[plugin]
bare = plugin.startswith("host-") or plugin == "venue-toolkit"
assert info.components or bare, "the plugin brings no component"
for component in info.components:
    loaded = host.load(component.kind, component.name)
    origin = pathlib.Path(sys.modules[loaded.__module__].__file__).resolve()
    assert site in origin.parents, f"{loaded} came from {origin}"
    print(f"{plugin}: {component.kind} {component.name} from {info.distribution} {info.version}")
"""


def uv_command() -> str:
    """Return the uv beside this Python, or the one on the path."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise SystemExit("uv is not installed: pip install uv")
    return found


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command without this environment's Python settings."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    env.pop("VIRTUAL_ENV", None)
    subprocess.run([str(part) for part in command], cwd=cwd, env=env, check=True)  # noqa: S603 - our own commands


def check_plugin(folder: str, wheels: Path, work: Path) -> None:
    """Load one plugin in an environment of its own."""
    uv = uv_command()
    venv = work / folder
    dist = f"bot4-{folder.replace('_', '-')}"
    run(uv, "venv", "--quiet", "--python", sys.executable, venv)
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    where = ("--python", python, "--find-links", wheels)
    run(uv, "pip", "install", "--quiet", *where, "bot4-core", dist)
    run(python, "-c", PROBE, folder.replace("_", "-"), venv, cwd=work)


def main() -> None:
    """Check the named plugin folders, or all."""
    everything = sorted(p.parent.name for p in ROOT.glob("src/bot4_plugins/*/pyproject.toml"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plugins", nargs="*", default=everything, help="folder names")
    chosen = parser.parse_args().plugins
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch) / "wheels"
        run(uv_command(), "build", "--quiet", "--all-packages", "--wheel", "--out-dir", wheels)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(partial(check_plugin, wheels=wheels, work=Path(scratch)), chosen))


if __name__ == "__main__":
    main()
