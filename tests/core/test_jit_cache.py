"""The disk cache of kernels: it notices edits, and trouble with the disk costs time only."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba.core import config
from tests.core.jit_cases import (
    SCALE,
    compiling,  # noqa: F401  # a fixture of every test
    misses,
    quotient,
    rising,
    scaled,
)

from bot4_core import jit, jit_cache
from bot4_core.domain_types.records import (
    BookState,
)
from bot4_core.jit import KernelCacheWarning
from bot4_core.jit_cache import source_digest


def test_second_process_finds_the_first_ones_code() -> None:
    assert jit.compile_for(jit.kernel()(scaled), 1.0) is True
    assert jit.compile_for(jit.kernel()(scaled), 1.0) is False


def test_different_options_do_not_share_code() -> None:
    values = np.arange(4.0)
    assert jit.compile_for(jit.kernel()(rising), values)
    assert jit.compile_for(jit.kernel(reassociate=True)(rising), values)


def test_bounds_checks_do_not_share_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert jit.compile_for(jit.kernel()(scaled), 1.0)
    monkeypatch.setattr(config, "BOUNDSCHECK", 0 if config.BOUNDSCHECK else 1)
    assert jit.compile_for(jit.kernel()(scaled), 1.0)


def test_changed_constant_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert jit.kernel()(scaled)(2.0) == 6.0
    monkeypatch.setitem(scaled.__globals__, "SCALE", 4.0)
    assert jit.kernel()(scaled)(2.0) == 8.0


def test_closures_over_different_kernels_do_not_share_code() -> None:
    def calling(function: Callable[[float], float]) -> Callable[[float], float]:
        @jit.kernel()
        def call(x: float) -> float:
            return function(x)

        return call

    def double(x: float) -> float:
        return 2.0 * x

    first = calling(jit.kernel()(double))
    second = calling(jit.kernel()(scaled))
    assert (first(1.0), second(1.0)) == (2.0, 3.0)
    assert jit.compile_for(calling(jit.kernel()(double)), 1.0) is False


HELPER = """
from bot4_core.jit import kernel

@kernel()
def step(x):
    return x + {step}
"""


CALLER = """
import helper
from bot4_core.jit import kernel

@kernel()
def twice(x):
    return helper.step(helper.step(x))
"""


def test_closures_over_kernels_of_other_options_do_not_share_code() -> None:
    def calling(function: Callable[[np.ndarray], float]) -> Callable[[np.ndarray], float]:
        @jit.kernel()
        def call(values: np.ndarray) -> float:
            return function(values)

        return call

    values = np.arange(4.0)
    assert jit.compile_for(calling(jit.kernel()(rising)), values)
    assert jit.compile_for(calling(jit.kernel(reassociate=True)(rising)), values)


def test_digest_tells_which_name_means_which_function() -> None:
    def both(one: object, other: object) -> Callable[[], object]:
        return lambda: (one, other)

    assert source_digest(both(scaled, quotient)) != source_digest(both(quotient, scaled))


def fresh_module(name: str) -> ModuleType:
    sys.modules.pop(name, None)
    return importlib.import_module(name)


def test_edited_helper_in_another_module_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "caller.py").write_text(CALLER)
    answers = []
    for step in ("1.0", "1.0", "5.25"):
        (tmp_path / "helper.py").write_text(HELPER.format(step=step))
        importlib.invalidate_caches()
        fresh_module("helper")
        twice = fresh_module("caller").twice
        answers.append((twice(0.0), misses(twice)))
    sys.modules.pop("helper")
    sys.modules.pop("caller")
    assert answers == [(2.0, 1), (2.0, 0), (10.5, 1)]


def test_cache_stands_in_the_users_folder_by_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    jit.compile_for(jit.kernel()(scaled), 1.0)
    (folder,) = (tmp_path / "home" / "bot4" / "kernels").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    assert sorted(path.suffix for path in folder.iterdir()) == [".nbc", ".nbi"]


def test_unusable_cache_folder_is_reported_once_and_costs_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setattr(config, "CACHE_DIR", str(blocked / "cache"))
    with pytest.warns(KernelCacheWarning, match="NUMBA_CACHE_DIR") as noted:
        results = jit.kernel()(scaled)(2.0), jit.kernel()(quotient)(1.0, 2.0)
    assert results == (6.0, 0.5)
    assert len(noted) == 1
    assert str(blocked) in str(noted[0].message)


def test_folder_that_turns_read_only_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.warns(KernelCacheWarning, match="Permission denied"):
        assert jit.kernel()(scaled)(2.0) == 6.0


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_cache_files_are_replaced(tmp_path: Path, suffix: str, damage: str) -> None:
    jit.compile_for(jit.kernel()(scaled), 1.0)
    (path,) = (tmp_path / "cache").rglob(f"*{suffix}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    changed = {"flip": content, "cut": content[: len(content) // 2], "empty": b""}[damage]
    path.write_bytes(bytes(changed))
    with pytest.warns(KernelCacheWarning, match="were recompiled"):
        assert jit.kernel()(scaled)(2.0) == 6.0
    assert jit.compile_for(jit.kernel()(scaled), 1.0) is False


def test_damaged_files_that_cannot_be_removed_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jit.compile_for(jit.kernel()(scaled), 1.0)
    (path,) = (tmp_path / "cache").rglob("*.nbi")
    path.write_bytes(b"")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.warns(KernelCacheWarning, match="Permission denied"):
        assert jit.kernel()(scaled)(2.0) == 6.0


def test_unreadable_cache_file_is_reported(tmp_path: Path) -> None:
    jit.compile_for(jit.kernel()(scaled), 1.0)
    (path,) = (tmp_path / "cache").rglob("*.nbi")
    path.unlink()
    path.mkdir()
    with pytest.warns(KernelCacheWarning, match="cannot be used"):
        assert jit.kernel()(scaled)(2.0) == 6.0


def test_missing_data_file_is_compiled_again(tmp_path: Path) -> None:
    jit.compile_for(jit.kernel()(scaled), 1.0)
    (path,) = (tmp_path / "cache").rglob("*.nbc")
    path.unlink()
    assert jit.compile_for(jit.kernel()(scaled), 1.0) is True
    assert jit.compile_for(jit.kernel()(scaled), 1.0) is False


def test_entries_of_another_numba_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    jit.compile_for(jit.kernel()(scaled), 1.0)
    monkeypatch.setattr("numba.__version__", "0.0")
    assert jit.compile_for(jit.kernel()(scaled), 1.0) is True


def test_digest_covers_what_a_function_can_read() -> None:
    def reading(value: object) -> Callable[[], object]:
        return lambda: value

    values: list[object] = [
        1,
        1.0,
        "a",
        (1, 2),
        (1, 3),
        np.zeros(2),
        np.ones(2),
        np.zeros(3),
        BookState,
        scaled,
        np.dtype(np.int64),
        np.dtype(np.int32),
        object(),
    ]
    digests = [source_digest(reading(value)) for value in values]
    assert len(set(digests)) == len(values)
    assert digests == [source_digest(reading(value)) for value in values]


def test_digest_covers_inner_functions_and_ends_on_recursion() -> None:
    def outer() -> object:
        def inner() -> object:
            return SCALE, outer

        return inner, outer

    assert source_digest(outer) == source_digest(outer)


def test_digest_follows_module_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    def reading() -> object:
        return jit.CREEP

    before = source_digest(reading)
    monkeypatch.setattr(jit, "CREEP", 0.5)
    assert source_digest(reading) != before


def test_digest_of_a_function_without_a_file_is_that_of_its_code() -> None:
    scope: dict[str, Callable[[], int]] = {}
    exec("def one(): return 1", scope)  # noqa: S102 - code without a file
    exec("def two(): return len('2')", scope)  # noqa: S102 - code without a file
    assert source_digest(scope["one"]) != source_digest(scope["two"])


def test_another_way_to_compile_makes_all_entries_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    def halved(value: int) -> int:
        return value // 2

    assert misses(call_once(halved)) == 1
    assert misses(call_once(halved)) == 0
    monkeypatch.setattr(jit_cache, "compiler_digest", lambda: "another one")
    assert misses(call_once(halved)) == 1


def call_once(function: Callable[[int], int]) -> Callable[[int], int]:
    """Make a kernel of a function and call it."""
    kernel = jit.kernel()(function)
    kernel(8)
    return kernel
