"""``bot4 doctor``: whether this installation is fit to trade."""

import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import attrs
import click

from bot4_core.exit_codes import ExitCode
from bot4_core.plugins import PluginState
from bot4_plugins.host_cli.output import json_option, print_json, print_table
from bot4_plugins.host_cli.plugins_command import installed_host

LEAST_FREE = 1 << 30
WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))
"""SQLite versions, first and last, in which a checkpoint of two connections can lose a reset."""


@attrs.frozen
class Finding:
    """What one check found: ``ok``, ``warn`` or ``fail``, and what to do."""

    check: str
    state: str
    text: str


def python_version() -> Finding:
    """Check the interpreter."""
    text = f"{platform.python_implementation()} {platform.python_version()}"
    return Finding("python", "ok" if sys.version_info >= (3, 11) else "fail", text)


def libraries() -> Finding:
    """Name the versions that matter for reproducing a session."""
    names = ("bot4-core", "numpy", "numba", "attrs", "cattrs", "pluggy", "sortedcontainers")
    return Finding("libraries", "ok", ", ".join(f"{name} {version(name)}" for name in names))


def sqlite_library() -> Finding:
    """Check for the features the audit log needs and for a known fault."""
    first, last = WAL_RESET_BUG
    found = sqlite3.sqlite_version_info
    text = f"SQLite {sqlite3.sqlite_version}"
    if first <= found <= last:
        note = "; has a write-ahead log fault that one writer, as here, does not meet"
        return Finding("sqlite", "ok", text + note)
    return Finding("sqlite", "ok", text)


def kernel_cache() -> Finding:
    """Check that compiled kernels can be kept."""
    from bot4_core.jit_cache import cache_folder  # noqa: PLC0415 - loads numba

    place = cache_folder()
    there = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return Finding("kernel cache", "ok", str(place))
    except OSError as error:
        text = f"{place} cannot be written ({error.strerror}): kernels compile at every start"
        return Finding("kernel cache", "warn", f"{text}; point NUMBA_CACHE_DIR elsewhere")


def disk() -> Finding:
    """Check for room in the working folder."""
    free = shutil.disk_usage(Path.cwd()).free
    state = "ok" if free >= LEAST_FREE else "warn"
    return Finding("disk", state, f"{free / 2**30:,.1f} GiB free in {Path.cwd()}")


def durable_writes() -> Finding:
    """Measure what one durable write costs here."""
    costs = []
    try:
        with tempfile.TemporaryFile(dir=Path.cwd()) as file:
            for _ in range(16):
                file.write(b"bot4")
                begin = time.perf_counter()
                file.flush()
                os.fsync(file.fileno())
                costs.append(time.perf_counter() - begin)
    except OSError as error:
        text = f"{Path.cwd()} cannot be written ({error.strerror}): run elsewhere"
        return Finding("durable write", "warn", text)
    typical = sorted(costs)[len(costs) // 2] * 1e3
    state = "ok" if typical < 20 else "warn"
    return Finding("durable write", state, f"{typical:.2f} ms, median of {len(costs)}")


def time_zone() -> Finding:
    """Say how local time relates to the UTC of logs."""
    return Finding("time zone", "ok", f"local {time.strftime('%Z %z')}; logs are in UTC")


def plugin_states() -> Iterator[Finding]:
    """Name plugins that did not load."""
    infos = installed_host().plugins
    good = [info.plugin for info in infos if info.state is PluginState.OK]
    yield Finding("plugins", "ok" if good else "warn", ", ".join(good) or "none installed")
    for info in infos:
        if info.state is not PluginState.OK:
            state = "warn" if info.state is PluginState.BLOCKED else "fail"
            yield Finding(f"plugin {info.plugin}", state, f"{info.state}: {info.reason}")


CHECKS: tuple[Callable[[], Finding], ...] = (
    python_version,
    libraries,
    sqlite_library,
    kernel_cache,
    disk,
    durable_writes,
    time_zone,
)


@click.command("doctor")
@json_option
def doctor(as_json: bool) -> int:
    """Check this installation: versions, plugins, caches, disk.

    Example: bot4 doctor
    """
    findings = [check() for check in CHECKS]
    findings += plugin_states()
    if as_json:
        print_json({"schema": 1, "findings": [attrs.asdict(each) for each in findings]})
    else:
        rows = [(each.state, each.check, each.text) for each in findings]
        print_table("Doctor", ("state", "check", "found"), rows)
    failed = any(each.state == "fail" for each in findings)
    return ExitCode.FAILURE if failed else ExitCode.OK
