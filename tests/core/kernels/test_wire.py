"""Numbers in wire text: the scans equal exact decimals on every text they accept."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.reference.wire import count_at, decimal_at

from bot4_core.kernels.wire import (
    INEXACT,
    LOST,
    TOO_LARGE,
    are_zeros,
    decimal_layout,
    digit_count,
    digits_value,
    is_laid_out,
    laid_out_digits,
    peek,
    scan_count,
    scan_decimal,
    scan_short_decimal,
    scan_signed_decimal,
)
from bot4_core.kernels.wire_bytes import word

PLACES = st.integers(0, 18)
DIGITS = st.text("0123456789", max_size=24)
ENDINGS = st.sampled_from(
    ['"', '",', '"]]}}', ".", ".7", "e5", "x", " ", "\x00", "\xff", "-", "/:"]
)
FILLERS = st.sampled_from(["", "0", "12345678", '","0.5"],["1","2"]', "........", "\xff" * 8])


@st.composite
def number_texts(draw: st.DrawFn) -> bytes:
    """Draw digits, perhaps a point, perhaps digits, zeros likely, and something after them."""
    text = draw(DIGITS)
    if draw(st.booleans()):
        text += "." + draw(DIGITS) + "0" * draw(st.integers(0, 9))
    return (text + draw(ENDINGS) + draw(FILLERS)).encode("latin-1")


@given(number_texts(), PLACES)
@example(b'61800.20","0.014"]', 1)  # seven significant characters and a zero below the exponent
@example(b'61800.2","0.014"],[', 1)  # within eight bytes
@example(b'61837.63000000","1.5"', 2)  # two parts, zeros below the exponent
@example(b'1234567.","1.5"]', 2)
@example(b'1234567.8","1.5"]', 2)
@example(b'12345678.12345678",,', 8)
@example(b'12345678.123456789",,', 9)
@example(b'0.12345678",["1.5",,', 7)
@example(b'9223372036854775807"', 0)
@example(b'9223372036854775808"', 0)
@example(b'92233720368547758.07"', 2)
@example(b'0000000000000000000000001.5"', 1)
@example(b"0" * 60 + b'1.50"', 1)
@example(b"0" * 60 + b'1.500"', 1)
@example(b'5"', 18)
@example(b'9.5"', 18)
@example(b'12"', 18)
@example(b'1.0000000000000000000000000"', 0)
def test_decimal_equals_the_exact_one(text: bytes, places: int) -> None:
    assert scan_decimal(text, 0, len(text), places) == decimal_at(text, places)


@given(number_texts(), PLACES, st.integers(0, 30))
@example(b'12345678.12345678"', 8, 13)
@example(b'1234567.12345678"', 8, 9)
@example(b'12.345678"', 8, 5)
def test_decimal_does_not_look_beyond_the_stop(text: bytes, places: int, stop: int) -> None:
    stop = min(stop, len(text))
    assert scan_decimal(text, 0, stop, places) == decimal_at(text[:stop], places)


@given(number_texts(), st.integers(0, 9))
def test_decimal_is_found_anywhere_in_arrays_too(text: bytes, at: int) -> None:
    array = np.frombuffer(b"#" * at + text, np.uint8)
    value, following = decimal_at(text, 8)
    got_value, got_following = scan_decimal(array, at, len(array), 8)
    assert got_value == value
    assert got_following == (following if following >= LOST else following + at)


@given(st.text("0123456789", max_size=22), ENDINGS, FILLERS)
@example("012", '"', "")
@example("0", ",", "")
@example("1723161256299", ",", '"T":17231')
@example("0723161256299", ",", "")
@example("17231612562991", ",", "")
@example("1723161256299", "x", "")
@example("123456789012", "/1234", "")
@example("123456789012345678", "x", "")
@example("1234567890123456789", "x", "")
@example("12345678", "x", "")
def test_count_equals_the_integer(digits: str, ending: str, filler: str) -> None:
    text = (digits + ending + filler).encode("latin-1")
    assert scan_count(text, 0, len(text)) == count_at(text)


@given(st.text("0123456789", min_size=1, max_size=22), st.integers(0, 22))
def test_count_does_not_look_beyond_the_stop(digits: str, stop: int) -> None:
    text = digits.encode()
    assert scan_count(text, 0, min(stop, len(text))) == count_at(text[:stop])


@pytest.mark.parametrize(
    ("text", "places", "value"),
    [(b'-0.00002754"', 12, -27_540_000), (b'0.0001"', 12, 100_000_000), (b'-7"', 0, -7)],
)
def test_signed_decimal_takes_a_minus(text: bytes, places: int, value: int) -> None:
    assert scan_signed_decimal(text, 0, len(text), places) == (value, len(text) - 1)


@pytest.mark.parametrize(
    "text", [b"", b"-", b"--1", b"+1", b".5", b"5.", b"NaN", b"Infinity", b"1,5."]
)
def test_what_is_no_number_is_lost(text: bytes) -> None:
    _, following = scan_signed_decimal(text, 0, len(text), 3)
    assert following == (1 if text == b"1,5." else LOST)


def test_digits_below_the_exponent_and_large_numbers_are_told_apart() -> None:
    assert scan_decimal(b'0.015"', 0, 6, 2) == (0, INEXACT)
    assert scan_decimal(b'1000000000000000000000.015"', 0, 26, 2) == (0, INEXACT)
    assert scan_decimal(b'10000000000000000000"', 0, 21, 0) == (0, TOO_LARGE)
    assert scan_decimal(b'10"', 0, 3, 18) == (0, TOO_LARGE)


@given(st.binary(min_size=8, max_size=8))
def test_digits_are_counted_and_valued_eight_at_a_time(eight: bytes) -> None:
    count = next((at for at, found in enumerate(eight) if not 48 <= found <= 57), 8)
    number = int.from_bytes(eight, "little", signed=True)
    assert digit_count(number) == count
    assert digits_value(number, count) == int(eight[:count] or b"0")


def test_peek_gives_zero_from_the_stop_on() -> None:
    assert [peek(b"ab", at, 1) for at in (0, 1, 2, LOST)] == [ord("a"), 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        (b'1.5",   ', (1, 3)),
        (b"12345.67", (5, 8)),
        (b"1.234567", (1, 8)),
        (b"1.2.3456", (1, 3)),
        (b"12345678", (0, 0)),
        (b'123",456', (0, 0)),
        (b".1234567", (0, 0)),
        (b'123.",12', (0, 0)),
        (b"1234567.", (0, 0)),
        (b"1\xff3.4567", (0, 0)),
    ],
)
def test_layout_of_a_short_decimal(text: bytes, layout: tuple[int, int]) -> None:
    assert decimal_layout(word(text, 0)) == layout


@given(st.binary(min_size=8, max_size=8), st.integers(0, 7), st.sampled_from(b"./0195\xb0\xff"))
def test_laid_out_are_texts_of_the_same_shape(noise: bytes, at: int, byte: int) -> None:
    pattern = b"12345.67"
    text = pattern[:at] + bytes([byte]) + pattern[at + 1 :]
    for length in (7, 8):
        shaped = text[:length].replace(b".", b"", 1).isdigit() and text[5:6] == b"."
        tail = text[:length] + noise[length:]
        assert is_laid_out(word(tail, 0), 5, length) == shaped
    assert not is_laid_out(word(b"1234.567", 0), 5, 8)


@given(st.integers(0, 99999), st.integers(0, 99))
def test_laid_out_digits_may_leave_out_the_last(whole: int, decimals: int) -> None:
    eight = word(b"%05d.%02d" % (whole, decimals), 0)
    for kept in (0, 1, 2):
        expected = int(f"{whole:05d}{decimals:02d}"[: 5 + kept])
        assert laid_out_digits(eight, 5, 6 + kept) == expected
        assert are_zeros(eight, 6 + kept, 8) == (f"{decimals:02d}"[kept:].strip("0") == "")


@pytest.mark.parametrize(
    ("text", "places", "found"),
    [
        (b'61800.30"', 1, (618003, 8)),
        (b'61800.35"', 1, (0, LOST)),
        (b'61800.00"', 0, (61800, 8)),
        (b'61800.30"', 10, (618003 * 10**9, 8)),
        (b'61800.30"', 11, (0, LOST)),
        (b"61800.305", 2, (0, LOST)),
        (b'5.","1.5"', 2, (0, LOST)),
        (b'25","1.5"', 2, (2500, 2)),
    ],
)
def test_short_decimal(text: bytes, places: int, found: tuple[int, int]) -> None:
    assert scan_short_decimal(text, 0, places) == found
