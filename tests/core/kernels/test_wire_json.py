"""The structure of JSON: what the scans accept is JSON, and plain JSON is accepted."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.reference.wire import json_value_end

from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_json import (
    DEEPEST,
    enter,
    skip_key,
    skip_literal,
    skip_number,
    skip_space,
    skip_string,
    skip_value,
)

PLAIN_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PLAIN_TEXT
FINITE = SCALARS.filter(lambda value: value not in (float("inf"), float("-inf")))
VALUES = st.recursive(
    FINITE, lambda inner: st.lists(inner) | st.dictionaries(PLAIN_TEXT, inner), max_leaves=12
)
JUNK = st.text('{}[]",:.-+eE0123456789truefalsn \t\n\\/x\x00\x7f\xe9', max_size=30)


def skip(text: bytes) -> int | None:
    end = skip_value(text, 0, len(text))
    return None if end >= LOST else end


@given(VALUES, st.sampled_from([None, 0, 2]), st.sampled_from(["", ",", "]", " x", '"']))
def test_plain_json_is_stepped_over(value: object, indent: int | None, after: str) -> None:
    text = json.dumps(value, indent=indent).encode()
    # a number goes on as long as it can, so only what follows other values may be anything
    after = "" if isinstance(value, int | float) else after
    assert skip(text + after.encode()) == len(text)


@given(JUNK)
@example('{"a":1,}')
@example('{"a":1 "b":2}')
@example('{"a" 1}')
@example("{,}")
@example("[1,]")
@example("[,1]")
@example("[1 2]")
@example('{"a":1]')
@example("[1}")
@example("[")
@example("[[")
@example('{"a"')
@example('{"a":')
@example("{a:1}")
@example("{1:1}")
@example("01")
@example("-")
@example("1.")
@example("1.e5")
@example("1e")
@example("1e+")
@example("-01.5")
@example("tru")
@example("trux")
@example("nul")
@example("falsy")
@example('"a\tb"')
@example("")
def test_what_is_accepted_is_json(junk: str) -> None:
    text = junk.encode("latin-1")
    end = skip(text)
    assert end is None or end == json_value_end(text)


@pytest.mark.parametrize(
    "text",
    [b"0", b"-0", b"12", b"-1.5", b"1e5", b"1E-5", b"0.0e+00", b"9" * 40, b"1.25e7"],
)
def test_numbers_of_any_size_are_stepped_over(text: bytes) -> None:
    assert skip_number(text, 0, len(text)) == len(text)
    assert skip(b" " + text + b" ") == len(text) + 1


@given(PLAIN_TEXT, st.sampled_from(['"', '"}', '" : 12345678', '"" ']))
def test_string_ends_at_its_quote(content: str, after: str) -> None:
    text = (content + after).encode()
    assert skip_string(text, 0, len(text)) == len(content)


@given(PLAIN_TEXT, st.sampled_from(["\\", "\x1f", "\x00", "\x80", "\xff"]), PLAIN_TEXT)
def test_escapes_control_and_foreign_bytes_are_left_alone(
    before: str, odd: str, after: str
) -> None:
    text = (before + odd + after + '"').encode("latin-1")
    assert skip_string(text, 0, len(text)) >= LOST


@given(PLAIN_TEXT)
def test_unterminated_string_is_lost(content: str) -> None:
    text = content.encode()
    assert skip_string(text + b'"', 0, len(text)) == LOST


def test_nesting_is_followed_to_its_limit_and_no_further() -> None:
    assert skip(b"[" * DEEPEST + b"]" * DEEPEST) == 2 * DEEPEST
    assert skip(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)) is None
    half = DEEPEST // 2
    assert skip(b'{"a":[' * half + b"]}" * half) == 8 * half


def test_structure_is_entered_across_white_space() -> None:
    assert enter(b"{ ", 0, 2, ord("{")) == 1
    assert enter(b" \r\n\t: ", 0, 6, ord(":")) == 5
    assert enter(b" x", 0, 2, ord(":")) == LOST
    assert enter(b" :", 0, 1, ord(":")) == LOST
    assert enter(b":", LOST, 1, ord(":")) == LOST


def test_space_is_what_json_calls_so() -> None:
    assert skip_space(b" \t\r\n1", 0, 5) == 4
    assert skip_space(b"\x0b1", 0, 2) == 0
    assert skip_space(b"\xa01", 0, 2) == 0
    assert skip_space(b"   ", 0, 3) == 3


def test_key_is_stepped_over_with_its_colon() -> None:
    assert skip_key(b' "ab" : 1', 0, 9) == 7
    assert skip_key(b'"ab" 1', 0, 6) >= LOST


@pytest.mark.parametrize("text", [b"true", b"false", b"null"])
def test_literals_are_stepped_over_whole(text: bytes) -> None:
    assert skip_literal(text, 0, len(text)) == len(text)
    assert skip_literal(text, 0, len(text) - 1) == LOST
