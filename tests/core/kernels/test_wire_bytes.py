"""Loads from buffers: the plain form, and the compiled form against it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core import config
from numpy.typing import NDArray

from bot4_core import jit
from bot4_core.kernels.wire_bytes import borrowed, byte, leading_bytes, text_of, word

BYTES = bytes(range(1, 9)) + b"\xff\x80\x00\x7f" * 4


def every_load(data: bytes, out: NDArray[np.int64]) -> int:
    text = text_of(data)
    rows = borrowed(out)
    for at in range(len(data) - 7):
        rows[at] = word(text, at) ^ (byte(text, at) << 3) ^ word(data, at) ^ byte(data, at)
    return leading_bytes(word(text, 0) & 0x00FF000000000000) + leading_bytes(word(text, 0) & 0)


def test_compiled_loads_equal_the_plain_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(config, "DISABLE_JIT", 0)
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    compiled = jit.kernel()(every_load)
    plain_out, compiled_out = np.zeros(24, np.int64), np.zeros(24, np.int64)
    assert compiled(BYTES, compiled_out) == every_load(BYTES, plain_out) == 6 + 8
    assert compiled_out.tolist() == plain_out.tolist()
    assert np.count_nonzero(plain_out) > 10


@given(st.binary(min_size=8, max_size=8))
def test_word_is_little_endian_and_signed(eight: bytes) -> None:
    assert word(eight, 0) == int(np.frombuffer(eight, "<i8")[0])
    assert word(np.frombuffer(b"x" + eight, np.uint8), 1) == word(eight, 0)


@given(st.integers(0, 7), st.integers(0, 2**63 - 1))
def test_leading_bytes_counts_up_to_the_first_that_is_not_zero(zeros: int, above: int) -> None:
    marks = (0x80 | above << 8) << (8 * zeros)
    assert leading_bytes(marks & (2**63 - 1) or 1 << 62) in (zeros, 7)
    assert leading_bytes(0x80 << (8 * zeros) if zeros < 7 else -(2**63)) == zeros


@pytest.mark.parametrize("at", [-1, 12, 100])
def test_plain_loads_refuse_what_lies_outside(at: int) -> None:
    with pytest.raises(IndexError, match=f"{at}"):
        byte(b"123456789012", at)
    with pytest.raises(IndexError, match=f"{at}"):
        word(b"123456789012", at)
    with pytest.raises(IndexError):
        word(b"123456789012", 5)
