"""Elementary and normal functions: error bounds, edges, and the shape of the curves."""

import math
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core import config
from tests.reference import exact_functions

from bot4_core import jit
from bot4_core.kernels import bits, elementary, normal

Function = Callable[[float], float]
Exact = Callable[[Decimal], Decimal]
NAN, INF = math.nan, math.inf


def error_in_ulp(got: float, wanted: Decimal) -> float:
    return float(abs(Decimal(got) - wanted) / Decimal(math.ulp(float(wanted))))


def spread(low: float, high: float, exponents: tuple[int, int], count: int) -> list[float]:
    """Return numbers of a range, and numbers of all magnitudes that lie in it."""
    draw = random.Random(7)  # noqa: S311 - repeatable, not secret
    values = [draw.uniform(low, high) for _ in range(count)]
    sizes = [draw.uniform(-1, 1) * 10.0 ** draw.uniform(*exponents) for _ in range(3 * count)]
    return values + [value for value in sizes if low < value < high]


CASES: list[tuple[str, Function, Exact, float, list[float]]] = [
    ("exp", elementary.exp, exact_functions.exp, 0.65, spread(-708, 709, (-18, 2), 900)),
    ("expm1", elementary.expm1, exact_functions.expm1, 1.0, spread(-40, 120, (-18, 1), 150)),
    ("log", elementary.log, exact_functions.log, 1.0, spread(1e-300, 3.0, (-300, 300), 150)),
    ("log near 1", elementary.log, exact_functions.log, 1.0, spread(0.7, 1.4, (0, 0), 150)),
    ("log1p", elementary.log1p, exact_functions.log1p, 1.0, spread(-0.99, 3.0, (-18, 0), 150)),
    ("log1p large", elementary.log1p, exact_functions.log1p, 1.0, spread(1, 1e300, (1, 300), 60)),
    ("tanh", elementary.tanh, exact_functions.tanh, 2.5, spread(-21, 21, (-18, 1), 150)),
    ("density", normal.density, exact_functions.density, 4.0, spread(-37, 37, (-3, 1), 60)),
    ("tail", normal.cumulative, exact_functions.cumulative, 4.0, spread(-37, 0, (-3, 1), 60)),
    ("body", normal.cumulative, exact_functions.cumulative, 2.0, spread(0, 8, (-3, 1), 60)),
]


@pytest.mark.parametrize(
    ("function", "exact", "bound", "inputs"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_error_stays_below_its_bound(
    function: Function, exact: Exact, bound: float, inputs: list[float]
) -> None:
    worst = max((error_in_ulp(function(x), exact(Decimal(x))), x) for x in inputs)
    assert worst[0] < bound, worst


def test_quantile_error_stays_below_its_bound() -> None:
    draw = random.Random(3)  # noqa: S311 - repeatable, not secret
    inputs = [draw.uniform(0, 1) for _ in range(60)]
    inputs += [10.0 ** draw.uniform(-300, -1) for _ in range(60)]
    for probability in inputs:
        x = normal.quantile(probability)
        error = abs(exact_functions.quantile_error(x, probability)) / Decimal(math.ulp(x))
        assert error < 6 + abs(x) ** -1, (probability, float(error))


@pytest.mark.parametrize(
    ("function", "x", "wanted"),
    [
        (elementary.exp, 0.0, 1.0),
        (elementary.exp, 1.0, math.e),
        (elementary.exp, 709.782712893384, math.exp(709.782712893384)),
        (elementary.exp, 709.7827128933841, INF),
        (elementary.exp, -745.13, 5e-324),
        (elementary.exp, -746.0, 0.0),
        (elementary.exp, INF, INF),
        (elementary.exp, -INF, 0.0),
        (elementary.exp, NAN, NAN),
        (elementary.expm1, 0.0, 0.0),
        (elementary.expm1, -0.0, -0.0),
        (elementary.expm1, 5e-324, 5e-324),
        (elementary.expm1, -38.0, -1.0),
        (elementary.expm1, 50.0, math.expm1(50.0)),
        (elementary.expm1, -INF, -1.0),
        (elementary.expm1, 710.0, INF),
        (elementary.expm1, NAN, NAN),
        (elementary.log, 1.0, 0.0),
        (elementary.log, 0.0, -INF),
        (elementary.log, -0.0, -INF),
        (elementary.log, -1.0, NAN),
        (elementary.log, INF, INF),
        (elementary.log, NAN, NAN),
        (elementary.log, 5e-324, math.log(5e-324)),
        (elementary.log, 1.7976931348623157e308, math.log(1.7976931348623157e308)),
        (elementary.log1p, 0.0, 0.0),
        (elementary.log1p, -0.0, -0.0),
        (elementary.log1p, 5e-324, 5e-324),
        (elementary.log1p, -1.0, -INF),
        (elementary.log1p, -1.5, NAN),
        (elementary.log1p, INF, INF),
        (elementary.log1p, NAN, NAN),
        (elementary.tanh, 0.0, 0.0),
        (elementary.tanh, -0.0, -0.0),
        (elementary.tanh, 23.0, 1.0),
        (elementary.tanh, -23.0, -1.0),
        (elementary.tanh, INF, 1.0),
        (elementary.tanh, NAN, NAN),
        (normal.cumulative, 0.0, 0.5),
        (normal.cumulative, -39.0, 0.0),
        (normal.cumulative, 39.0, 1.0),
        (normal.cumulative, NAN, NAN),
        (normal.density, 41.0, 0.0),
        (normal.density, -INF, 0.0),
        (normal.density, NAN, NAN),
        (normal.quantile, 0.5, 0.0),
        (normal.quantile, 0.0, -INF),
        (normal.quantile, 1.0, INF),
        (normal.quantile, -0.1, NAN),
        (normal.quantile, NAN, NAN),
    ],
)
def test_edges(function: Function, x: float, wanted: float) -> None:
    got = function(x)
    assert math.copysign(1.0, got) == math.copysign(1.0, wanted) or math.isnan(wanted)
    assert got == wanted or (math.isnan(got) and math.isnan(wanted))


@given(st.floats(-300, 300))
def test_log_undoes_exp(x: float) -> None:
    assert elementary.log(elementary.exp(x)) == pytest.approx(x, rel=1e-14, abs=1e-15)


@given(st.floats(-20, 20), st.floats(0, 1))
def test_functions_never_fall(x: float, step: float) -> None:
    for function in (elementary.exp, elementary.expm1, elementary.tanh, normal.cumulative):
        assert function(x + step) >= function(x) * (1 - 1e-15 * math.copysign(1, function(x)))


@given(st.floats(-30, 30))
def test_tanh_is_odd_and_cumulative_is_symmetric(x: float) -> None:
    assert elementary.tanh(-x) == -elementary.tanh(x)
    assert normal.cumulative(x) + normal.cumulative(-x) == pytest.approx(1.0, abs=1e-15)


@given(st.floats(1e-12, 1 - 1e-12))
def test_quantile_agrees_with_the_standard_library(probability: float) -> None:
    assert normal.quantile(probability) == pytest.approx(
        NormalDist().inv_cdf(probability), rel=1e-14, abs=1e-16
    )


def test_published_normal_values() -> None:
    """Abramowitz and Stegun (1964), table 26.1 and 26.5."""
    assert normal.cumulative(1.0) == pytest.approx(0.841344746068543, abs=5e-16)
    assert normal.cumulative(2.0) == pytest.approx(0.977249868051821, abs=5e-16)
    assert normal.quantile(0.975) == pytest.approx(1.959963984540054, abs=5e-16)


@given(st.floats(allow_nan=False))
def test_bits_of_a_float_and_back(x: float) -> None:
    assert bits.float_of(bits.bits_of(x)).hex() == x.hex()


def test_compiled_bits_are_those_of_the_plain_form(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(config, "DISABLE_JIT", 0)
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))

    def turned(x: float) -> float:
        return bits.float_of(bits.bits_of(x) + 1)

    assert jit.kernel()(turned)(1.5) == turned(1.5) == math.nextafter(1.5, 2.0)


@pytest.mark.skipif(not jit.is_compiling(), reason="there is one form only")
def test_compiled_results_have_the_bits_of_interpreted_ones() -> None:
    """Nested kernels run compiled in both; the arithmetic of the outer one differs."""
    for name, function, _, _, inputs in CASES:
        plain: Function = function.py_func  # type: ignore[attr-defined]  # a compiled kernel
        for x in inputs:
            assert function(x).hex() == float(plain(x)).hex(), (name, x)
