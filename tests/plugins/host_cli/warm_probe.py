"""Warm a session up, run it, and print which kernels were asked for in between and after."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from bot4_core import SessionConfig, run, warm_session
from bot4_core.jit_cache import KernelCache
from bot4_plugins.host_cli.plugins_command import installed_host

asked: list[str] = []
load = KernelCache.load_overload


def noted(self: KernelCache, sig: object, target_context: object) -> Any:
    """Note a kernel that is not in memory, before it is looked for on disk."""
    asked.append(f"{self._py_func.__module__}.{self._py_func.__name__} {sig}")
    return load(self, sig, target_context)


def main(path: Path) -> None:
    """Print two lists of kernels as JSON, and how many messages the session had."""
    KernelCache.load_overload = noted  # type: ignore[method-assign]  # to count what is loaded
    config, host = SessionConfig.read(path), installed_host()
    warm_session(config, host)
    before = len(asked)
    report = run(config, host, time)
    found = {"warm": asked[:before], "late": asked[before:], "messages": report.messages}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
