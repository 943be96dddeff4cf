"""Functions to compile, and a fixture that compiles them for real."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numba.core import config

from bot4_core import jit_cache

SCALE = 3.0


@pytest.fixture(autouse=True)
def compiling(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Compile for real, also where the run has compilation off, into a cache of one's own."""
    monkeypatch.setattr(config, "DISABLE_JIT", 0)
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "cache"))
    jit_cache._warn_once.cache_clear()
    yield
    jit_cache._warn_once.cache_clear()


def scaled(x: float) -> float:
    return x * SCALE


def quotient(a: float, b: float) -> float:
    return a / b


def rising(values: np.ndarray) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def misses(kernel: object) -> int:
    return sum(kernel.stats.cache_misses.values())  # type: ignore[attr-defined]  # a compiled kernel
