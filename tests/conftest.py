"""Settings shared by every test."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot4_core.jit import is_compiling

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile(
    "ci",
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "brief",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("deep", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("BOT4_HYPOTHESIS", "ci" if os.environ.get("CI") else "dev"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs compiled speed where kernels are plain functions."""
    if is_compiling():
        return
    for item in items:
        for mark in item.iter_markers("compiled"):
            item.add_marker(pytest.mark.skip(reason=f"takes minutes uncompiled: {mark.args[0]}"))


@pytest.fixture(scope="module", autouse=True)
def _settled_heap() -> None:
    """Freeze what earlier files left: every session collects garbage when it begins."""
    gc.collect()
    gc.freeze()


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Return the folder of real recordings; skip where there is none, fail in CI."""
    folder = Path(os.environ.get("BOT4_RECORDINGS", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        reason = f"no recordings at {folder}: set BOT4_RECORDINGS to the folder that holds them"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
