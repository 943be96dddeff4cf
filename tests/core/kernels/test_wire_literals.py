"""A literal is followed where it stands whole, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_literals import follow_literal, has_literal, literal

TEXTS = st.binary(min_size=1, max_size=40)


@given(TEXTS, st.binary(max_size=9), st.binary(max_size=9), st.data())
def test_literal_is_followed_where_it_stands_and_nowhere_else(
    text: bytes, before: bytes, after: bytes, data: st.DataObject
) -> None:
    spelled = literal(text)
    message = before + text + after
    stop = len(message)
    end = len(before) + len(text)
    assert follow_literal(message, len(before), stop, spelled) == end
    place = len(before) + data.draw(st.integers(0, len(text) - 1))
    for bit in (1, 64, 128):
        damaged = bytes(value ^ (bit if at == place else 0) for at, value in enumerate(message))
        assert follow_literal(damaged, len(before), stop, spelled) == LOST
    assert follow_literal(message, len(before), end - 1, spelled) == LOST


@pytest.mark.parametrize("text", ["ab", "abcdefgh", "abcdefghijk"])
def test_word_is_a_literal_if_it_is_neither_longer_nor_shorter(text: str) -> None:
    message = f'"{text}"'.encode()
    end = 1 + len(text)
    assert has_literal(message, 1, end, len(message), literal(text))
    assert not has_literal(message, 1, end, len(message), literal(text + "x"))
    assert not has_literal(message, 1, end, len(message), literal(text[:-1]))
    assert not has_literal(message, 1, end, len(message), literal("x" * len(text)))


def test_literal_is_frozen() -> None:
    assert not literal(b"abc").flags.writeable
