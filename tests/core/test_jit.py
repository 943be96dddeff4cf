"""The door to numba: one set of options, a cache that notices edits, and no surprises."""

import subprocess
import sys

import numpy as np
import pytest
from numba.core import config
from tests.core.jit_cases import (
    compiling,  # noqa: F401  # a fixture of every test
    misses,
    quotient,
    rising,
    scaled,
)

from bot4_core import jit
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


def test_importing_the_package_loads_no_numba() -> None:
    text = "import sys, bot4_core, bot4_core.domain_types; print('numba' in sys.modules)"
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
