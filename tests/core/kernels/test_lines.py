"""Lines are found and their times read as the plain twins do it."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot4_core.kernels.lines import line_bounds, read_times

pieces = st.sampled_from([b"", b"a", b"\r", b"\n", b"\x8a", b"\xff", b"seven-7", b"eight--8"])


def found_lines(content: bytes, room: int) -> tuple[int, list[bytes]]:
    buffer = np.frombuffer(content, np.uint8)
    starts, stops = np.zeros(room, np.int64), np.zeros(room, np.int64)
    count = line_bounds(buffer, starts, stops)
    bounds = zip(starts.tolist(), stops.tolist(), strict=True)
    return count, [content[start:stop] for start, stop in bounds][:count]


@given(st.lists(pieces, max_size=60).map(b"".join))
@example(b"\r\n")
@example(b"no newline\r")
def test_lines_are_those_of_a_split(content: bytes) -> None:
    expected = content.split(b"\n")
    if not expected[-1]:
        expected.pop()
    lines = [line[:-1] if line.endswith(b"\r") else line for line in expected]
    assert found_lines(content, len(lines)) == (len(lines), lines)
    assert found_lines(content, len(lines) // 2) == (len(lines), lines[: len(lines) // 2])


@pytest.mark.parametrize("digits", [13, 16, 19])
@given(data=st.data())
def test_times_are_the_digits_before_the_space(digits: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 10**digits - 1))
    text = bytearray(b"%0*d {}" % (digits, number))
    damage = data.draw(st.none() | st.integers(0, digits))
    if damage is not None:
        text[damage] = data.draw(st.sampled_from(b"/:xX-. \0\xff")) if damage < digits else 0x30
    starts, stops = np.zeros(1, np.int64), np.array([len(text)])
    received = np.zeros(1, np.int64)
    refused = read_times(np.frombuffer(text, np.uint8), starts, stops, received, digits)
    if damage is None and number * 10 ** (19 - digits) < 2**63:
        assert (refused, starts[0]) == (0, digits + 1)
        assert received[0] == number * 10 ** (19 - digits)
    else:
        assert (refused, starts[0], received[0]) == (1, 0, -1)
