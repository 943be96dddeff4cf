import operator
import pickle
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TypeVar

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.domain_types import (
    EXPONENT_LIMIT,
    INT64_MAX,
    Money,
    Price,
    Quantity,
    Rounding,
    divide_rounded,
    quantise,
)
from bot4_core.errors import NumberOverflowError, PrecisionError
from bot4_core.testing.strategies import exponents, moneys, prices, quantities

N = TypeVar("N", Price, Quantity, Money)
ROUNDINGS = st.sampled_from(Rounding)
NUMBERS = prices() | quantities() | moneys()
ORDERINGS: tuple[Callable[..., bool], ...] = (
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
)
MULTIPLY: Callable[..., object] = operator.mul
KINDS = pytest.mark.parametrize("kind", [Price, Quantity, Money])


def exactly(result: Callable[[], Price | Quantity | Money], expected: Fraction) -> None:
    """Check that a result is the expected number, or that it is refused for its size."""
    try:
        found = result()
    except NumberOverflowError:
        digits = expected
        while digits.denominator != 1:
            digits *= 10
        while digits % 10 == 0:
            digits /= 10
        assert abs(digits) > INT64_MAX
    else:
        assert found.fraction == expected


@given(NUMBERS)
def test_i01_text_reads_back_to_value_and_exponent(
    number: Price | Quantity | Money,
) -> None:
    again = type(number).of(number.text)
    assert (again.value, again.exponent) == (number.value, number.exponent)
    assert type(number).parse(str(number), number.exponent) == number


@given(NUMBERS)
def test_decimal_and_fraction_are_the_number(number: Price | Quantity | Money) -> None:
    expected = number.value * Fraction(10) ** number.exponent
    with localcontext(prec=2):
        assert Fraction(number.decimal) == expected
    assert number.fraction == expected
    assert number.sign == (expected > 0) - (expected < 0)


@given(prices(), prices())
def test_comparison_is_that_of_the_numbers(left: Price, right: Price) -> None:
    for compare in (operator.eq, operator.ne, *ORDERINGS):
        assert compare(left, right) == compare(left.fraction, right.fraction)


@given(st.integers(-(10**9), 10**9), exponents(), st.integers(0, 9))
def test_equal_numbers_at_two_exponents_are_equal_and_hash_alike(
    value: int, exponent: int, finer: int
) -> None:
    coarse, fine = Price(value, exponent), Price(value * 10**finer, exponent - finer)
    assert coarse == fine
    assert hash(coarse) == hash(fine)
    assert len({coarse, fine}) == 1


def test_different_kinds_are_never_equal_and_have_no_order() -> None:
    one = (Price(1, 0), Quantity(1, 0), Money(1, 0))
    assert len({*one, 1}) == 4
    for left in one:
        for right in (*one, 1, Decimal(1), None):
            if left is not right:
                assert left != right
                for compare in ORDERINGS:
                    with pytest.raises(TypeError):
                        compare(left, right)


@given(moneys(), moneys())
def test_i03_sum_and_difference_agree_with_fractions(left: Money, right: Money) -> None:
    exactly(lambda: left + right, left.fraction + right.fraction)
    exactly(lambda: left - right, left.fraction - right.fraction)


@given(prices(), quantities())
def test_i03_price_times_quantity_is_the_exact_money(price: Price, size: Quantity) -> None:
    exactly(lambda: price * size, price.fraction * size.fraction)
    exactly(lambda: size * price, price.fraction * size.fraction)


@given(NUMBERS, st.integers(-(10**6), 10**6))
def test_i03_multiples_agree_with_fractions(number: Price | Quantity | Money, factor: int) -> None:
    exactly(lambda: number * factor, number.fraction * factor)
    exactly(lambda: factor * number, number.fraction * factor)


@given(NUMBERS)
def test_negation_and_magnitude_agree_with_fractions(number: Price | Quantity | Money) -> None:
    assert (-number).fraction == -number.fraction
    assert abs(number).fraction == abs(number.fraction)


@given(quantities(), quantities().filter(lambda size: size.value != 0))
def test_ratio_of_one_kind_is_an_exact_fraction(left: Quantity, right: Quantity) -> None:
    assert left / right == left.fraction / right.fraction


@given(moneys(), quantities().filter(lambda size: size.value != 0), exponents(), ROUNDINGS)
def test_money_per_quantity_is_the_neighbouring_price(
    cost: Money, size: Quantity, exponent: int, rounding: Rounding
) -> None:
    exact = cost.fraction / size.fraction / Fraction(10) ** exponent
    rounded = rounded_fraction(exact, rounding)
    if abs(rounded) > INT64_MAX:
        with pytest.raises(NumberOverflowError):
            cost.per(size, exponent, rounding)
    else:
        assert cost.per(size, exponent, rounding) == Price(rounded, exponent)


def rounded_fraction(number: Fraction, rounding: Rounding) -> int:
    """Round as the name says, by the standard library."""
    match rounding:
        case Rounding.FLOOR:
            return number.__floor__()
        case Rounding.CEILING:
            return number.__ceil__()
        case Rounding.TOWARD_ZERO:
            return number.__trunc__()
        case Rounding.HALF_EVEN:
            return round(number)


@given(st.integers(), st.integers().filter(bool), ROUNDINGS)
def test_rounded_division_agrees_with_fractions(top: int, bottom: int, how: Rounding) -> None:
    assert divide_rounded(top, bottom, how) == rounded_fraction(Fraction(top, bottom), how)


def test_half_even_division_rounds_ties_to_the_even_neighbour() -> None:
    found = [divide_rounded(top, 2, Rounding.HALF_EVEN) for top in (-5, -3, -1, 1, 3, 5)]
    assert found == [-2, -2, 0, 0, 2, 2]


def test_division_by_zero_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        divide_rounded(1, 0, Rounding.FLOOR)
    with pytest.raises(ZeroDivisionError):
        operator.truediv(Price(1, 0), Price(0, 0))
    with pytest.raises(ZeroDivisionError):
        Money(1, 0).per(Quantity(0, 0), 0, Rounding.FLOOR)


@given(prices(), exponents(), ROUNDINGS)
def test_rescaling_is_exact_or_rounds_as_told(
    price: Price, exponent: int, rounding: Rounding
) -> None:
    exact = price.fraction / Fraction(10) ** exponent
    rounded = rounded_fraction(exact, rounding)
    if abs(rounded) > INT64_MAX:
        with pytest.raises(NumberOverflowError):
            price.rescaled(exponent, rounding)
        return
    assert price.rescaled(exponent, rounding) == Price(rounded, exponent)
    if exact.denominator == 1:
        assert price.rescaled(exponent).exponent == exponent
        assert price.scaled_at(exponent) == exact
    else:
        with pytest.raises(PrecisionError, match="name a rounding"):
            price.scaled_at(exponent)


@given(prices(), prices().filter(lambda step: step.value > 0), ROUNDINGS)
def test_i02_quantised_is_the_neighbouring_multiple(
    price: Price, step: Price, rounding: Rounding
) -> None:
    scaled = rounded_fraction(price / step, rounding) * step.value
    if abs(scaled) > INT64_MAX:
        with pytest.raises(NumberOverflowError):
            price.quantised(step, rounding)
    else:
        found = price.quantised(step, rounding)
        assert (found.value, found.exponent) == (scaled, step.exponent)


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6), ROUNDINGS)
def test_i02_quantise_gives_the_neighbouring_multiple(value: int, step: int, how: Rounding) -> None:
    assert quantise(value, step, how) == rounded_fraction(Fraction(value, step), how) * step


def test_quantise_refuses_steps_that_are_not_positive_and_results_beyond_64_bits() -> None:
    for step in (0, -1):
        with pytest.raises(PrecisionError, match="is not above zero"):
            quantise(1, step, Rounding.FLOOR)
        with pytest.raises(PrecisionError, match="is not above zero"):
            Price(1, 0).quantised(Price(step, 0), Rounding.FLOOR)
    with pytest.raises(NumberOverflowError):
        quantise(INT64_MAX, 10, Rounding.CEILING)


@KINDS
def test_i03_overflow_raises_and_never_wraps(kind: type[N]) -> None:
    top = kind(INT64_MAX, 0)
    outcomes: list[Callable[[], object]] = [
        lambda: top + kind(2, 0),
        lambda: -top - kind(2, 0),
        lambda: top * 3,
        lambda: kind(INT64_MAX + 1, 0),
        lambda: kind(-INT64_MAX - 1, 0),
        lambda: top.rescaled(-1),
    ]
    for outcome in outcomes:
        with pytest.raises(NumberOverflowError):
            outcome()


def test_results_give_up_trailing_zeros_before_they_overflow() -> None:
    cost = Price.of("60000.00000000") * Quantity.of("2500000.00000000")
    assert cost == Money(150_000_000_000, 0)


@KINDS
def test_numpy_integers_become_python_integers(kind: type[N]) -> None:
    number = kind(np.int64(INT64_MAX), np.int8(-2))
    assert type(number.value) is int
    assert type(number.exponent) is int
    with pytest.raises(TypeError):
        MULTIPLY(np.int64(2), number)
    with pytest.raises(TypeError):
        MULTIPLY(np.float64(2), number)


@KINDS
def test_floats_and_text_are_no_scaled_integers(kind: Callable[..., object]) -> None:
    for wrong in (1.0, "1", Decimal(1), None):
        with pytest.raises(TypeError):
            kind(wrong, 0)
        with pytest.raises(TypeError):
            kind(1, wrong)


@KINDS
def test_exponents_are_bounded_so_that_no_comparison_explodes(kind: type[N]) -> None:
    for exponent in (EXPONENT_LIMIT + 1, -EXPONENT_LIMIT - 1):
        with pytest.raises(PrecisionError, match="exponent"):
            kind(1, exponent)
    assert kind(1, EXPONENT_LIMIT) > kind(INT64_MAX, -EXPONENT_LIMIT)


@pytest.mark.parametrize(
    "mix",
    [
        lambda: Price(1, 0) + Quantity(1, 0),  # type: ignore[operator]  # no meaning
        lambda: Price(1, 0) - Money(1, 0),  # type: ignore[operator]  # no meaning
        lambda: Price(1, 0) / Quantity(1, 0),  # type: ignore[operator]  # no meaning
        lambda: Price(1, 0) + 1,  # type: ignore[operator]  # no meaning
        lambda: Price(1, 0) * Price(1, 0),  # type: ignore[operator]  # no meaning
        lambda: Quantity(1, 0) * Quantity(1, 0),  # type: ignore[operator]  # no meaning
        lambda: Quantity(1, 0) * Money(1, 0),  # type: ignore[operator]  # no meaning
        lambda: Money(1, 0) * Quantity(1, 0),  # type: ignore[operator]  # no meaning
        lambda: Money(1, 0) * 1.5,  # type: ignore[operator]  # no meaning
        lambda: 1.5 * Price(1, 0),  # type: ignore[operator]  # no meaning
    ],
)
def test_operations_without_a_meaning_are_type_errors(mix: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        mix()


@KINDS
def test_numbers_are_frozen_small_and_cross_processes(kind: type[N]) -> None:
    number = kind(150, -2)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        number.value = 3  # type: ignore[misc]  # that is the point
    assert not hasattr(number, "__dict__")
    again = pickle.loads(pickle.dumps(number))  # noqa: S301 - our own bytes
    assert (again, again.exponent) == (number, -2)
    assert attrs.evolve(number, value=7) == kind(7, -2)
    assert repr(number) == f"{kind.__name__}(value=150, exponent=-2)"
