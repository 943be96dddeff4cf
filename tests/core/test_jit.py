"""The door to numba: one set of options, a cache that notices edits, and no surprises."""

import importlib
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numba.core import config
from numba.core.errors import NumbaExperimentalFeatureWarning

from bot4_core import jit, jit_cache
from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    PARAMS_DTYPE,
    SIGNAL_DTYPE,
    STATE_DTYPE,
    VIEW_DTYPE,
    BookState,
)
from bot4_core.jit import KernelCacheWarning, Specialisation
from bot4_core.jit_cache import source_digest

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
    return sum(kernel.stats.cache_misses.values())  # type: ignore[attr-defined]


def test_kernel_runs_compiled() -> None:
    kernel = jit.kernel()(scaled)
    assert kernel(2.0) == 6.0
    assert misses(kernel) == 1


def test_kernel_is_the_plain_function_when_compilation_is_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    kernel = jit.kernel()(scaled)
    assert kernel is scaled
    assert jit.compile_for(kernel, 1.0) is False
    assert jit.entry_point(kernel, 1.0) is scaled
    assert jit.function_pointer(kernel, 1.0) is scaled


def test_division_by_zero_gives_infinity_as_in_numpy() -> None:
    assert jit.kernel()(quotient)(1.0, 0.0) == np.inf


def test_only_reassociating_kernels_may_reorder_sums() -> None:
    values = np.arange(100.0)
    for reassociate in (False, True):
        kernel = jit.kernel(reassociate=reassociate)(rising)
        kernel(values)
        (code,) = kernel.inspect_llvm().values()  # type: ignore[attr-defined]
        assert ("fadd reassoc nsz" in code) is reassociate


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
        return jit.FIRST_CLASS_WARNING

    before = source_digest(reading)
    monkeypatch.setattr(jit, "FIRST_CLASS_WARNING", "something else")
    assert source_digest(reading) != before


def test_digest_of_a_function_without_a_file_is_that_of_its_code() -> None:
    scope: dict[str, Callable[[], int]] = {}
    exec("def one(): return 1", scope)  # noqa: S102
    exec("def two(): return len('2')", scope)  # noqa: S102
    assert source_digest(scope["one"]) != source_digest(scope["two"])


def test_warm_up_reports_progress_and_counts_what_it_generated() -> None:
    seen: list[tuple[int, int, str]] = []
    kernels = [
        Specialisation(jit.kernel()(scaled), (1.0,)),
        Specialisation(jit.kernel()(quotient), (1.0, 2.0)),
    ]
    assert jit.warm_up(kernels, lambda *step: seen.append(step)) == 2
    assert seen == [(0, 2, "scaled"), (1, 2, "quotient"), (2, 2, "")]
    assert jit.warm_up(kernels) == 0


def test_entry_point_skips_type_dispatch() -> None:
    kernel = jit.kernel()(scaled)
    call = jit.entry_point(kernel, 1.0)
    assert call(5.0) == 15.0
    assert not kernel.signatures[1:]  # type: ignore[attr-defined]


def first_strategy(view: np.void, state: np.void, params: np.void, signals: np.ndarray) -> int:
    state["f"][3] += view["mid"] * params["f"][0]
    state["i"][2] += 1
    signals[0]["price"] = view["bid"]
    return 1


def no_strategy(view: np.void, state: np.void, params: np.void, signals: np.ndarray) -> int:
    return 0


def sizer(signal: np.void, view: np.void, state: np.void, params: np.void) -> int:
    return int(signal["price"]) + int(view["lot"])


def breaker(view: np.void, state: np.void, params: np.void) -> int:
    return int(params["i"][0])


def router(
    intent: np.void, views: np.ndarray, state: np.void, params: np.void, children: np.ndarray
) -> int:
    children[0]["size"] = intent["size"]
    return len(views)


def decide_all(
    strategies: tuple[Callable[..., int], ...],
    views: np.ndarray,
    states: np.ndarray,
    params: np.ndarray,
    signals: np.ndarray,
) -> int:
    count = 0
    for row in range(len(views)):
        for place in range(len(strategies)):
            count += strategies[place](views[row], states[place], params[place], signals)
    return count


def judge(
    size: Callable[..., int],
    observe: Callable[..., int],
    route: Callable[..., int],
    rows: tuple[np.ndarray, ...],
) -> int:
    signals, views, states, params, intents = rows
    total = size(signals[0], views[0], states[0], params[0])
    total += 100 * observe(views[0], states[0], params[0])
    return total + 1000 * route(intents[0], views, states[0], params[0], intents)


def rows_of(*dtypes: np.dtype[np.void]) -> list[np.ndarray]:
    return [np.zeros(4, dtype) for dtype in dtypes]


def test_compiled_loop_calls_any_tuple_of_strategies_and_is_cached() -> None:
    views, states, params, signals = rows_of(VIEW_DTYPE, STATE_DTYPE, PARAMS_DTYPE, SIGNAL_DTYPE)
    views["mid"], views["bid"], params["f"] = 2.0, 7, 1.0
    example = (views[0], states[0], params[0], signals)
    one = jit.function_pointer(jit.kernel()(first_strategy), *example)
    none = jit.function_pointer(jit.kernel()(no_strategy), *example)
    loop = jit.kernel()(decide_all)
    rest = (views, states, params, signals)
    assert loop((one, none, none, none), *rest) == 4
    assert loop((none, one, one, none), *rest) == 8
    assert states["i"][:, 2].tolist() == [4, 4, 4, 0]
    assert states["f"][:, 3].tolist() == [8.0, 8.0, 8.0, 0.0]
    assert signals[0]["price"] == 7
    assert len(loop.signatures) == 1  # type: ignore[attr-defined]
    again = jit.kernel()(decide_all)
    assert jit.compile_for(again, (none, none, none, none), *rest) is False


def test_compiled_loop_calls_sizer_breaker_and_router_by_pointer() -> None:
    rows = rows_of(SIGNAL_DTYPE, VIEW_DTYPE, STATE_DTYPE, PARAMS_DTYPE, INTENT_DTYPE)
    signals, views, states, params, intents = rows
    signals["price"], views["lot"], params["i"], intents["size"] = 3, 2, 5, 9
    view, state, param = views[0], states[0], params[0]
    total = jit.kernel()(judge)(
        jit.function_pointer(jit.kernel()(sizer), signals[0], view, state, param),
        jit.function_pointer(jit.kernel()(breaker), view, state, param),
        jit.function_pointer(jit.kernel()(router), intents[0], views, state, param, intents),
        (signals, views, states, params, intents),
    )
    assert total == 3 + 2 + 500 + 4000


def test_numba_still_calls_functions_as_values_experimental() -> None:
    """Look at ``jit.py`` when this fails: the notice that it hides changed or is gone."""
    import numba

    pointer = jit.function_pointer(jit.kernel()(scaled), 1.0)
    with pytest.warns(NumbaExperimentalFeatureWarning, match=jit.FIRST_CLASS_WARNING):
        numba.typeof((pointer, pointer))


def test_other_warnings_of_numba_pass_through() -> None:
    with pytest.warns(NumbaExperimentalFeatureWarning, match="other"), jit._silent_functions():
        warnings.warn("other experiment", NumbaExperimentalFeatureWarning, stacklevel=1)


def test_importing_the_package_loads_no_numba() -> None:
    text = "import sys, bot4_core, bot4_core.domain_types; print('numba' in sys.modules)"
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
