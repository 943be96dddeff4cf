"""Every check of the repository; plain ``nox`` runs what CI runs."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13"]
PLUGINS = sorted(path.parent.name for path in ROOT.glob("src/bot4_plugins/*/pyproject.toml"))
OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
WORKERS = os.environ.get("BOT4_TEST_WORKERS", "auto")
TOGETHER = ("-q", "-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder")
"""A file's kernels are compiled once; the files of one long test do not come last."""
AGAIN = ("-m", "not once")
KERNEL_TESTS = (
    "tests/core/kernels",
    "tests/core/market",
    "tests/core/risk",
    "tests/core/session",
    "tests/plugins/breaker_statistical",
    "tests/plugins/exchange_binance",
    "tests/plugins/exchange_bybit",
    "tests/plugins/exchange_coinbase",
    "tests/plugins/exchange_kraken",
    "tests/plugins/exchange_okx",
    "tests/plugins/exchange_sim",
    "tests/plugins/router_best_price",
    "tests/plugins/sizer_kelly",
    "tests/plugins/strategy_market_making",
)
PEER = "hftbacktest>=2.4,<2.5"
BRIEF = {"BOT4_HYPOTHESIS": "brief", "BOT4_KILLS": "40"}

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "none"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = [
    "lint",
    "imports",
    "typing",
    "duplicate_types",
    "tests",
    "nojit",
    "bounds",
    "isolated",
    "docs",
]


def interpreter(version: str) -> str | None:
    """Return a Python of this version that really runs, or None."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    candidates = [shutil.which(f"python{version}")]
    candidates += sorted(map(str, pyenv.glob(f"{version}.*/bin/python{version}")))
    for candidate in filter(None, candidates):
        probe = subprocess.run([candidate, "-c", ""], capture_output=True, check=False)  # noqa: S603 - our own command
        if probe.returncode == 0:
            return candidate
    return None


def uv(session: nox.Session, *args: str, **env: str) -> None:
    """Run the uv that came with nox, or the one on the path."""
    beside = Path(sys.executable).with_name("uv")
    session.run(str(beside if beside.exists() else "uv"), *args, env=env, external=True)


def environment(session: nox.Session, name: str, *groups: str, python: str | None = None) -> Path:
    """Sync the lock into an environment of this session's own and return its bin folder."""
    folder = ROOT / ".nox" / name
    args = ["sync", "--quiet", "--locked", "--all-packages", "--no-default-groups"]
    for group in groups:
        args += ["--group", group]
    uv(
        session,
        *args,
        "--python",
        python or sys.executable,
        UV_PROJECT_ENVIRONMENT=str(folder),
        VIRTUAL_ENV="",
    )
    return folder / ("Scripts" if os.name == "nt" else "bin")


def kernel_cache(name: str) -> Path:
    """Return the folder for compiled kernels of this name."""
    return ROOT / ".nox" / "kernels" / name


def fresh_cache(name: str) -> str:
    """Return an empty folder for compiled kernels."""
    folder = kernel_cache(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return str(folder)


def tested(session: nox.Session, *paths: str, **env: str) -> Path:
    """Run tests once more on this program's own Python; return the environment's bin folder."""
    bin_folder = environment(session, f"tests-{OWN_PYTHON}", "tests", "lint")
    command = [str(bin_folder / "pytest"), *TOGETHER, *AGAIN, *paths, *session.posargs]
    session.run(*command, external=True, env=env)
    return bin_folder


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    ruff = str(environment(session, "lint", "lint") / "ruff")
    session.run(ruff, "check", ".", external=True)
    session.run(ruff, "format", "--check", ".", external=True)


@nox.session
def imports(session: nox.Session) -> None:
    """Layers: who may import whom; no circles."""
    bin_folder = environment(session, "lint", "lint")
    session.run(str(bin_folder / "lint-imports"), "--no-cache", external=True)
    session.run(str(bin_folder / "python"), "tools/import_graph.py", "--check", external=True)


@nox.session
def typing(session: nox.Session) -> None:
    """Both type checkers at the same time, tests included."""
    bin_folder = environment(session, "typing", "typing", "tests", "lint", "bench")
    pyright = [str(bin_folder / "pyright"), "--pythonpath", str(bin_folder / "python")]
    quiet = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    with ThreadPoolExecutor(1) as beside:
        other = beside.submit(session.run, *pyright, external=True, env=quiet)
        session.run(str(bin_folder / "mypy"), external=True)
        session.run(str(bin_folder / "mypy"), "tests", "tools", "benchmarks", external=True)
        session.run(str(bin_folder / "mypy"), "noxfile.py", external=True)
        other.result()


@nox.session
def duplicate_types(session: nox.Session) -> None:
    """No type defined twice, by name or by shape."""
    python = str(environment(session, "lint", "lint") / "python")
    session.run(python, "tools/duplicate_types.py", "src", *session.posargs, external=True)


@nox.session
@nox.parametrize("python", PYTHONS, ids=PYTHONS)
def tests(session: nox.Session, python: str) -> None:
    """All tests, compiled; those marked ``once`` on this program's own Python only."""
    found = interpreter(python)
    if found is None:
        session.skip(f"no Python {python} on this machine")
    bin_folder = environment(session, f"tests-{python}", "tests", "lint", python=found)
    chosen, profile = ((), {}) if python == OWN_PYTHON else (AGAIN, BRIEF)
    session.run(
        str(bin_folder / "pytest"),
        *TOGETHER,
        *chosen,
        *session.posargs,
        external=True,
        env={"NUMBA_CACHE_DIR": fresh_cache(f"tests-{python}"), **profile},
    )


@nox.session
def nojit(session: nox.Session) -> None:
    """All tests uncompiled, with line and branch coverage of the core."""
    folder = ROOT / ".nox" / "coverage"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    env = {"COVERAGE_FILE": str(folder / "data"), "NUMBA_DISABLE_JIT": "1", **BRIEF}
    bin_folder = tested(session, "tests", "--cov", "--cov-report=", **env)
    report = [str(bin_folder / "coverage"), "report", "--skip-covered", "--fail-under=100"]
    session.run(*report, external=True, env=env)


@nox.session
def bounds(session: nox.Session) -> None:
    """Kernel tests, and those of all that runs kernels, with index checks compiled in."""
    cache = fresh_cache("bounds")
    tested(session, *KERNEL_TESTS, NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=cache, **BRIEF)


@nox.session
def isolated(session: nox.Session) -> None:
    """Each plugin from wheels in an environment that holds nothing else."""
    bin_folder = environment(session, "lint", "lint")
    session.run(
        str(bin_folder / "python"),
        "tools/isolated_plugins.py",
        *(session.posargs or PLUGINS),
        external=True,
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Every snippet of the README and the docs runs."""
    bin_folder = environment(session, f"tests-{OWN_PYTHON}", "tests", "lint")
    session.run(
        str(bin_folder / "pytest"),
        "-q",
        "README.md",
        "docs",
        "tests/repo/test_documentation.py",
        external=True,
        env={"NUMBA_CACHE_DIR": str(kernel_cache(f"tests-{OWN_PYTHON}"))},
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; prints medians and ratios to baselines of the same run."""
    bin_folder = environment(session, "bench", "bench", "tests")
    session.run(str(bin_folder / "python"), "-m", "benchmarks", *session.posargs, external=True)


@nox.session
def bench_peers(session: nox.Session) -> None:
    """Measure ours beside hftbacktest, which gets an environment of its own."""
    folder = ROOT / ".nox" / "bench-peers"
    peer = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not peer.exists():
        uv(session, "venv", "--quiet", "--python", sys.executable, str(folder))
    uv(session, "pip", "install", "--quiet", "--python", str(peer), PEER)
    python = str(environment(session, "bench", "bench", "tests") / "python")
    peers = [python, "-m", "benchmarks.peers", "--peer-python", str(peer)]
    session.run(*peers, *session.posargs, external=True)
