from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.domain_types import (
    INT64_MAX,
    exponent_of_text,
    scaled_from_text,
    text_from_scaled,
)
from bot4_core.errors import NumberOverflowError, PrecisionError
from bot4_core.testing.strategies import exponents

INT64 = st.integers(-INT64_MAX, INT64_MAX)


@given(INT64, exponents())
def test_i01_text_of_a_scaled_number_reads_back(value: int, exponent: int) -> None:
    assert scaled_from_text(text_from_scaled(value, exponent), exponent) == value


@given(INT64, exponents())
def test_text_is_the_number(value: int, exponent: int) -> None:
    assert Fraction(text_from_scaled(value, exponent)) == value * Fraction(10) ** exponent


@given(st.decimals(allow_nan=False, allow_infinity=False), exponents())
def test_reading_is_exact_or_refused(number: Decimal, exponent: int) -> None:
    exact = Fraction(number) / Fraction(10) ** exponent
    if exact.denominator != 1:
        with pytest.raises(PrecisionError):
            scaled_from_text(str(number), exponent)
    elif abs(exact) > INT64_MAX:
        with pytest.raises(NumberOverflowError):
            scaled_from_text(str(number), exponent)
    else:
        assert scaled_from_text(str(number), exponent) == exact


@pytest.mark.parametrize(
    ("text", "exponent", "value"),
    [
        ("1.50", -2, 150),
        ("1.5000", -1, 15),
        ("-0.07", -2, -7),
        ("+7", 0, 7),
        (".5", -1, 5),
        ("5.", 0, 5),
        ("1e3", 0, 1000),
        ("1E-2", -2, 1),
        ("120", 1, 12),
        ("-0", -3, 0),
        ("0e999999999", -2, 0),
        ("000000000000000000000000000001", 0, 1),
        (str(INT64_MAX), 0, INT64_MAX),
        (str(-INT64_MAX), 0, -INT64_MAX),
    ],
)
def test_reads_decimal_text(text: str, exponent: int, value: int) -> None:
    assert scaled_from_text(text, exponent) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "-",
        "abc",
        "1,5",
        "1 ",
        " 1",
        "1_0",
        "0x10",
        "NaN",
        "Infinity",
        "1e",
        "e5",
        "١",
        "1..2",
    ],
)
def test_text_that_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(PrecisionError, match="is not a decimal number"):
        scaled_from_text(text, 0)


@pytest.mark.parametrize("text", ["1e-999999999", "1.23", "0." + "0" * 5000 + "1"])
def test_digits_below_the_exponent_are_refused(text: str) -> None:
    with pytest.raises(PrecisionError, match="has digits below 1e-1"):
        scaled_from_text(text, -1)


@pytest.mark.parametrize(
    "text", [str(INT64_MAX + 1), str(-INT64_MAX - 1), "1e999999999", "9" * 5000, "1e19"]
)
def test_a_number_beyond_64_bits_is_refused_whatever_its_size(text: str) -> None:
    with pytest.raises(NumberOverflowError, match="leaves 64 bits"):
        scaled_from_text(text, 0)


@pytest.mark.parametrize(
    ("text", "exponent"), [("1.50", -2), ("7", 0), ("1e3", 3), ("1.5e3", 2), ("0.00", -2)]
)
def test_exponent_of_text_is_that_of_the_last_digit(text: str, exponent: int) -> None:
    assert exponent_of_text(text) == exponent


def test_the_callers_decimal_context_changes_nothing() -> None:
    with localcontext(prec=3):
        assert scaled_from_text("123456.789", -3) == 123456789
        assert text_from_scaled(123456789, -3) == "123456.789"
