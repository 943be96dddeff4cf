"""Kernels that call kernels: translated once, linked into the entry, optimised there."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numba.core import config
from tests.core.jit_cases import compiling, misses  # noqa: F401  # a fixture of every test

from bot4_core import jit


def forms(kernel: object) -> int:
    """Count the forms that other kernels call."""
    return len(kernel._parts._forms)  # type: ignore[attr-defined]  # a compiled kernel


def new_shifted() -> Callable[..., int]:
    @jit.kernel()
    def shifted(value: int, by: int) -> int:
        if value < 0:
            raise ValueError("negative", value, by)
        return value + by

    return shifted


def new_caller(shifted: Callable[..., int]) -> Callable[..., int]:
    @jit.kernel()
    def between(value: int) -> int:
        return shifted(value, 3) + shifted(value, 4) + shifted(value, value)

    @jit.kernel()
    def call(values: np.ndarray) -> int:
        total = 0
        for value in values:
            total += max(between(int(value)), int(shifted(int(value), 5)))
        return total

    return call


def test_literal_integers_share_one_form() -> None:
    shifted = new_shifted()
    assert new_caller(shifted)(np.arange(3)) == 3 * 7 + 3 * 3 + 3
    assert forms(shifted) == 1


def test_other_types_get_a_form_of_their_own() -> None:
    @jit.kernel()
    def own(value: float) -> float:
        return value

    @jit.kernel()
    def both(value: int) -> float:
        return own(value) + own(value * 0.5)

    assert both(3) == 4.5
    assert forms(own) == 2


def test_kernels_called_by_one_that_is_copied_are_not_copied_themselves() -> None:
    """numba hands the option down to whatever is compiled on the way, unless told otherwise."""

    @jit.kernel()
    def innermost(value: int) -> int:
        return value + 1

    @jit.kernel(inline=True)
    def copied(value: int) -> int:
        return int(innermost(value)) * 2

    @jit.kernel()
    def call(value: int) -> int:
        return int(copied(value)) + int(innermost(value))

    assert call(3) == 12
    forced = {
        each.name.split("B")[0][-9:]: b"alwaysinline" in b" ".join(each.attributes)
        for kernel in (innermost, copied)
        for form in kernel._parts._forms.values()  # type: ignore[attr-defined]  # a compiled kernel
        for each in form.library._final_module.functions
        if not each.is_declaration
    }
    assert sorted(forced.values()) == [False, True]


def test_called_kernels_are_not_compiled_for_python() -> None:
    shifted = new_shifted()
    new_caller(shifted)(np.arange(3))
    assert misses(shifted) == 0
    assert len(list(Path(config.CACHE_DIR).rglob("*.nbc"))) == 1


def test_called_kernel_can_be_called_from_python_too() -> None:
    shifted = new_shifted()
    new_caller(shifted)(np.arange(3))
    assert shifted(1, 2) == 3
    assert misses(shifted) == 1


@pytest.mark.parametrize("kernels", [1, 2], ids=["compiled", "from disk"])
def test_error_of_a_called_kernel_reaches_python_with_its_values(kernels: int) -> None:
    call = new_caller(new_shifted())
    for _ in range(kernels):
        call = new_caller(new_shifted())
        with pytest.raises(ValueError, match="negative") as caught:
            call(np.array([1, -2]))
        assert caught.value.args == ("negative", -2, 3)
    assert misses(call) == 2 - kernels


def test_kernel_calls_itself() -> None:
    @jit.kernel()
    def factorial(number: int) -> int:
        return 1 if number < 2 else number * factorial(number - 1)

    @jit.kernel()
    def one_more(number: int) -> int:
        return factorial(number) + 1

    assert one_more(5) == 121


def test_fault_in_a_called_kernel_names_it() -> None:
    @jit.kernel()
    def wrong(value: int) -> int:
        return value.nothing  # type: ignore[attr-defined, no-any-return]  # that is the point

    @jit.kernel()
    def call(value: int) -> int:
        return wrong(value)

    with pytest.raises(Exception, match="nothing"):
        call(1)


ALLOCATING = """
import sys
import numpy as np
from bot4_core import jit

@jit.kernel()
def doubled(values: np.ndarray) -> np.ndarray:
    out = np.empty(values.size)
    for i in range(values.size):
        out[i] = 2.0 * values[i]
    return out

@jit.kernel()
def one_more(x: float) -> float:
    return x + 1.0

@jit.kernel()
def call(x: float) -> float:
    return one_more(x)

assert doubled(np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]
assert call(2.0) == 3.0
found = sum(sum(each.stats.cache_hits.values()) for each in (doubled, call))
sys.stdout.write(str(found))
"""


def test_code_from_disk_allocates_and_calls_other_kernels(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ALLOCATING)
    for hits in ("0", "2"):
        done = subprocess.run(
            [sys.executable, str(script)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "NUMBA_DISABLE_JIT": "0", "NUMBA_CACHE_DIR": str(tmp_path)},
        )
        assert (done.stdout, done.stderr) == (hits, "")
