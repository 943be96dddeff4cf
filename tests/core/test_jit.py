"""The door to numba: one set of options, a cache that notices edits, and no surprises."""

import subprocess
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from numba.core import config
from numba.core.errors import NumbaExperimentalFeatureWarning
from tests.core.jit_cases import (
    compiling,  # noqa: F401  # a fixture of every test
    misses,
    quotient,
    rising,
    scaled,
)

from bot4_core import jit
from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    PARAMS_DTYPE,
    SIGNAL_DTYPE,
    STATE_DTYPE,
    VIEW_DTYPE,
)
from bot4_core.jit import Specialisation


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
    plain: object = jit.function_address(seven, 1.0)
    assert plain is seven


def seven(value: float) -> int:
    return 7


def half(value: float) -> float:
    return value / 2


def test_an_address_is_of_machine_code_that_gives_a_whole_number() -> None:
    address = jit.function_address(jit.kernel()(seven), 1.0)
    assert address > 0
    with pytest.raises(TypeError, match="half returns float64, it must return int64"):
        jit.function_address(jit.kernel()(half), 1.0)  # type: ignore[arg-type]  # the fault


def test_division_by_zero_gives_infinity_as_in_numpy() -> None:
    assert jit.kernel()(quotient)(1.0, 0.0) == np.inf


def test_only_reassociating_kernels_may_reorder_sums() -> None:
    values = np.arange(100.0)
    for reassociate in (False, True):
        kernel = jit.kernel(reassociate=reassociate)(rising)
        kernel(values)
        (code,) = kernel.inspect_llvm().values()  # type: ignore[attr-defined]  # a compiled kernel
        assert ("fadd reassoc nsz" in code) is reassociate


def test_warm_up_reports_progress_and_counts_what_it_generated() -> None:
    seen: list[tuple[float, int, str]] = []
    kernels = [
        Specialisation(jit.kernel()(scaled), (1.0,)),
        Specialisation(jit.kernel()(quotient), (1.0, 2.0)),
    ]
    assert jit.warm_up(kernels, lambda *step: seen.append(step)) == 2
    assert seen == [(0, 2, "scaled"), (1, 2, "quotient"), (2, 2, "")]
    assert jit.warm_up(kernels) == 0


def test_warm_up_tells_of_the_kernels_that_a_kernel_calls() -> None:
    inner, seen = jit.kernel()(scaled), []

    @jit.kernel()
    def outer(x: float) -> float:
        return inner(x)

    jit.warm_up([Specialisation(outer, (1.0,))], lambda *step: seen.append(step))
    assert [name for _, _, name in seen] == ["outer", "scaled", ""]
    assert [done for done, _, _ in seen] == [0, pytest.approx(1 - jit.CREEP), 1]


def test_entry_point_skips_type_dispatch() -> None:
    kernel = jit.kernel()(scaled)
    call = jit.entry_point(kernel, 1.0)
    assert call(5.0) == 15.0
    assert not kernel.signatures[1:]  # type: ignore[attr-defined]  # a compiled kernel


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
    assert len(loop.signatures) == 1  # type: ignore[attr-defined]  # a compiled kernel
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
