"""Reductions over eight lanes equal the one-at-a-time sums, bit for bit."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core import config
from numba.core.errors import TypingError
from numpy.typing import NDArray
from tests.reference.lane_sums import lane_extreme, lane_prefix_sums, lane_sum

from bot4_core import jit
from bot4_core.jit import is_compiling
from bot4_core.kernels import lane_vectors, lanes

Floats = NDArray[np.float64]

NUMBERS = st.floats(-1e12, 1e12)
ARRAYS = st.lists(NUMBERS, max_size=70).map(lambda each: np.array(each, np.float64))


def same_bits(got: float, wanted: float) -> bool:
    return got.hex() == wanted.hex()


@given(ARRAYS)
def test_sum_adds_in_lane_order(values: Floats) -> None:
    assert same_bits(lanes.sum_of_values(values), lane_sum(values.tolist()))


@given(ARRAYS, NUMBERS)
def test_distances_and_squares_add_in_lane_order(values: Floats, centre: float) -> None:
    distances = [value - centre for value in values.tolist()]
    assert same_bits(lanes.sum_of_distances(values, centre), lane_sum(distances))
    squares = [distance * distance for distance in distances]
    assert same_bits(lanes.sum_of_squares(values, centre), lane_sum(squares))


@given(ARRAYS, NUMBERS, st.integers(0, 3))
def test_products_add_in_lane_order(values: Floats, centre: float, seed: int) -> None:
    weights = np.random.default_rng(seed).normal(size=len(values))
    products = [a * b for a, b in zip(values.tolist(), weights.tolist(), strict=True)]
    assert same_bits(lanes.dot(values, weights), lane_sum(products))
    terms = [
        weight * ((value - centre) * (value - centre))
        for value, weight in zip(values.tolist(), weights.tolist(), strict=True)
    ]
    got = lanes.weighted_sum_of_squares(values, weights, centre)
    assert same_bits(got, lane_sum(terms))


@given(ARRAYS)
def test_prefix_sums_add_in_lane_order_and_may_overwrite(values: Floats) -> None:
    wanted = [value.hex() for value in lane_prefix_sums(values.tolist())]
    out = np.full(len(values), np.nan)
    lanes.prefix_sums(values, out)
    assert [value.hex() for value in out.tolist()] == wanted
    lanes.prefix_sums(values, values)
    assert [value.hex() for value in values.tolist()] == wanted


@given(st.lists(st.floats(), max_size=40).map(lambda each: np.array(each, np.float64)))
def test_extremes_pass_over_nan(values: Floats) -> None:
    assert lanes.minimum(values) == lane_extreme(values.tolist(), 1.0)
    assert lanes.maximum(values) == lane_extreme(values.tolist(), -1.0)


def test_empty_arrays_have_neutral_results() -> None:
    empty = np.zeros(0)
    assert lanes.sum_of_values(empty) == 0.0
    assert lanes.dot(empty, empty) == 0.0
    assert lanes.minimum(empty) == math.inf
    assert lanes.maximum(empty) == -math.inf


def test_distances_from_an_equal_centre_are_exactly_zero() -> None:
    assert lanes.sum_of_distances(np.full(77, 0.1), 0.1) == 0.0


def test_read_only_arrays_are_accepted() -> None:
    values = np.arange(20.0)
    values.flags.writeable = False
    assert lanes.sum_of_values(values) == 190.0


@pytest.mark.skipif(not is_compiling(), reason="the compiler does the refusing")
@pytest.mark.parametrize(
    "values", [np.arange(20.0)[::2], np.arange(20), np.zeros((4, 4))], ids=["step", "int", "2d"]
)
def test_arrays_of_another_layout_do_not_compile(values: NDArray[np.generic]) -> None:
    with pytest.raises(TypingError):
        lanes.sum_of_values(values)  # type: ignore[arg-type]  # that is the point


def every_operation(values: Floats, out: Floats) -> float:
    first = lane_vectors.load(values, 0)
    second = lane_vectors.load_part(values, 8, 5, 2.5)
    joined = first * second - lane_vectors.splat(3) + lane_vectors.smaller(first, second)
    lane_vectors.store(out, 0, joined)
    summed = lane_vectors.running(lane_vectors.larger(first, second))
    lane_vectors.store_part(out, 8, 5, summed)
    values[0] = lane_vectors.lowest(joined) + lane_vectors.highest(summed)
    values[1] = lane_vectors.last(summed)
    return lane_vectors.total(joined)


def test_compiled_lanes_equal_the_plain_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(config, "DISABLE_JIT", 0)
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    compiled: Callable[[Floats, Floats], float] = jit.kernel()(every_operation)
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=13)
        again = values.copy()
        plain_out, compiled_out = np.zeros(14), np.zeros(14)
        assert same_bits(compiled(values, compiled_out), float(every_operation(again, plain_out)))
        assert compiled_out.tobytes() == plain_out.tobytes()
        assert values.tobytes() == again.tobytes()
        assert plain_out[13] == 0.0


def misused(values: Floats) -> float:
    return lane_vectors.total(values)  # the array itself, not a value that was loaded


def test_lane_functions_take_lanes_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "DISABLE_JIT", 0)
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    with pytest.raises(TypingError):
        jit.kernel()(misused)(np.zeros(8))
