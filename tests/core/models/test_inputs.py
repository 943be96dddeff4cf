"""Inputs of models: every fault at once, arrays as kernels want them."""

import math

import numpy as np
import pytest

from bot4_core.errors import ValidationError
from bot4_core.models.inputs import Inputs


def test_faults_of_all_inputs_are_raised_together() -> None:
    inputs = Inputs()
    assert inputs.vector("x", ["a"]).shape == (0,)  # type: ignore[list-item]
    assert inputs.vector("y", [], least=1).shape == (0,)
    assert inputs.matrix("z", [[1.0, math.inf]]).shape == (0, 0)
    assert inputs.matrix("w", []).shape == (0, 0)
    assert len(inputs.counts("c", [1.5])) == 0  # type: ignore[list-item]
    assert len(inputs.counts("d", [1, -1])) == 0
    with pytest.raises(ValidationError) as caught:
        inputs.settle()
    assert [path for path, _ in caught.value.faults] == ["x", "y", "z[0, 1]", "w", "c", "d[1]"]


def test_sound_inputs_become_contiguous_arrays() -> None:
    inputs = Inputs()
    columns = inputs.matrix("a", np.arange(6).reshape(2, 3).T)
    counts = inputs.counts("n", [])
    inputs.settle()
    assert columns.flags.c_contiguous
    assert columns.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert counts.dtype == np.dtype(np.int64)
    assert inputs.counts("m", [3]).tolist() == [3]
