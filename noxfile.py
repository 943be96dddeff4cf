"""Every check of the repository; plain ``nox`` runs what CI runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13"]
PLUGINS = sorted(path.parent.name for path in ROOT.glob("src/bot4_plugins/*/pyproject.toml"))
WORKERS = os.environ.get("BOT4_TEST_WORKERS", "auto")

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "none"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = [
    "lint",
    "imports",
    "typing",
    "duplicate_types",
    "tests",
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
        probe = subprocess.run([candidate, "-c", ""], capture_output=True, check=False)  # noqa: S603
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


def fresh_cache(session: nox.Session, name: str) -> str:
    """Return an empty folder for compiled kernels."""
    folder = ROOT / ".nox" / "kernels" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return str(folder)


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
    """Both type checkers, tests included."""
    bin_folder = environment(session, "typing", "typing", "tests", "lint", "bench")
    session.run(str(bin_folder / "mypy"), external=True)
    session.run(str(bin_folder / "mypy"), "tests", "tools", external=True)
    pyright = [str(bin_folder / "pyright"), "--pythonpath", str(bin_folder / "python")]
    session.run(*pyright, external=True, env={"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})


@nox.session
def duplicate_types(session: nox.Session) -> None:
    """No type defined twice, by name or by shape."""
    python = str(environment(session, "lint", "lint") / "python")
    session.run(python, "tools/duplicate_types.py", "src", *session.posargs, external=True)


@nox.session
@nox.parametrize("python", PYTHONS, ids=PYTHONS)
def tests(session: nox.Session, python: str) -> None:
    """All tests, compiled."""
    found = interpreter(python)
    if found is None:
        session.skip(f"no Python {python} on this machine")
    bin_folder = environment(session, f"tests-{python}", "tests", "lint", python=found)
    session.run(
        str(bin_folder / "pytest"),
        "-q",
        "-n",
        WORKERS,
        *session.posargs,
        external=True,
        env={"NUMBA_CACHE_DIR": fresh_cache(session, f"tests-{python}")},
    )


@nox.session
def nojit(session: nox.Session) -> None:
    """All tests uncompiled, with line and branch coverage of the core."""
    bin_folder = environment(session, "tests-own", "tests", "lint")
    env = {
        "NUMBA_DISABLE_JIT": "1",
        "COVERAGE_FILE": str(ROOT / ".nox" / "coverage" / "data"),
    }
    shutil.rmtree(ROOT / ".nox" / "coverage", ignore_errors=True)
    (ROOT / ".nox" / "coverage").mkdir(parents=True)
    coverage = str(bin_folder / "coverage")
    session.run(
        str(bin_folder / "pytest"),
        "-q",
        "-n",
        WORKERS,
        "--cov",
        "--cov-report=",
        "tests",
        *session.posargs,
        external=True,
        env=env,
    )
    session.run(coverage, "report", "--fail-under=100", external=True, env=env)


@nox.session
def bounds(session: nox.Session) -> None:
    """Kernel tests with index checks compiled in."""
    bin_folder = environment(session, "tests-own", "tests", "lint")
    session.run(
        str(bin_folder / "pytest"),
        "-q",
        "-n",
        WORKERS,
        "tests/core/kernels",
        "tests/core/market",
        *session.posargs,
        external=True,
        env={"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": fresh_cache(session, "bounds")},
    )


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
    bin_folder = environment(session, "tests-own", "tests", "lint")
    session.run(
        str(bin_folder / "pytest"),
        "-q",
        "README.md",
        "docs",
        "tests/repo/test_documentation.py",
        external=True,
        env={"NUMBA_CACHE_DIR": fresh_cache(session, "docs")},
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; prints medians and ratios to baselines of the same run."""
    bin_folder = environment(session, "bench", "bench", "tests")
    session.run(str(bin_folder / "python"), "-m", "benchmarks", *session.posargs, external=True)
