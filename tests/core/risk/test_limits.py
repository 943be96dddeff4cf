"""The front of the limit check: units, room, day and peak."""

from decimal import Decimal

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.kernels.test_limits import (
    CALM,
    FLAT,
    LIMITS,
    RULES,
    checked,
    instrument,
    intent,
)
from tests.reference.limits_twin import Wish

from bot4_core.domain_types.instruments import Instrument, Settlement
from bot4_core.errors import ValidationError
from bot4_core.kernels.limits import NO_LIMIT, SCALE_DTYPE, LimitCode
from bot4_core.kernels.limits_money import LARGEST, notional
from bot4_core.kernels.quoting import is_worth_less, size_worth
from bot4_core.risk.limits import LimitCheck, money_scale


def some_check(**changes: object) -> LimitCheck:
    limits = attrs.evolve(LIMITS, **changes)  # type: ignore[arg-type]  # any field, by name
    return checked(Wish(), [instrument()], [FLAT], limits)


def test_money_scale_of_a_linear_contract() -> None:
    assert money_scale(instrument(), -8) == (500, 1, 0)


def test_money_scale_of_an_inverse_contract() -> None:
    contract = instrument(
        settlement=Settlement.INVERSE, multiplier=Decimal(100), size_exponent=0, price_exponent=-1
    )
    assert money_scale(contract, -8) == (2 * 10**11, 1, 1)


def test_money_scale_that_needs_more_than_62_bits_is_refused() -> None:
    with pytest.raises(ValidationError, match="leaves 62 bits"):
        money_scale(instrument(multiplier=Decimal("1e30")), -8)


def test_limits_too_large_for_money_units_do_not_bind() -> None:
    assert some_check(max_order_notional=Decimal(10) ** 30).rows["order"][0] == NO_LIMIT


@given(RULES, st.integers(1, 2**40), st.integers(0, 10**15))
def test_no_larger_size_is_worth_as_little(rules: Instrument, price: int, cap: int) -> None:
    scale = np.zeros(1, SCALE_DTYPE)
    plain = money_scale(rules, -8)
    scale["numerator"], scale["divisor"], scale["inverse"] = plain
    size = size_worth(scale[0], price, cap)
    if size < LARGEST // plain[0]:
        assert notional(size, price, plain) <= cap < notional(size + 1, price, plain)


@given(RULES, st.integers(1, 2**40), st.integers(0, 10**15), st.integers(0, 2**40))
def test_what_is_quickly_told_to_fit_does_fit(
    rules: Instrument, price: int, cap: int, size: int
) -> None:
    scale = np.zeros(1, SCALE_DTYPE)
    scale["numerator"], scale["divisor"], scale["inverse"] = money_scale(rules, -8)
    if is_worth_less(scale[0], price, cap, size):
        assert size <= size_worth(scale[0], price, cap)


def test_a_plain_order_is_quickly_told_to_fit() -> None:
    scale = np.zeros(1, SCALE_DTYPE)
    scale["numerator"], scale["divisor"] = 500, 1
    assert is_worth_less(scale[0], 12_000_020, 10**15, 100)
    assert not is_worth_less(scale[0], 12_000_020, 10**10, 100)
    assert not is_worth_less(scale[0], 12_000_020, 2**61, 2**40)


@pytest.mark.parametrize(("numerator", "inverse"), [(2**40, 0), (1, 1)])
def test_prices_that_leave_62_bits_leave_no_room(numerator: int, inverse: int) -> None:
    scale = np.zeros(1, SCALE_DTYPE)
    scale["numerator"], scale["divisor"], scale["inverse"] = numerator, 2**40, inverse
    assert size_worth(scale[0], 2**40, 10**12) == 0
    assert size_worth(scale[0], 0, 10**12) == 0


def test_a_size_without_bound_is_the_largest() -> None:
    scale = np.zeros(1, SCALE_DTYPE)
    scale["numerator"], scale["divisor"] = 1, 2**40
    assert size_worth(scale[0], 1, LARGEST) == LARGEST


def test_numbers_are_written_in_the_units_of_their_limit() -> None:
    wish = Wish(side=-1, price=6_000_000, size=100, reduce_only=True)
    check = checked(wish, [instrument()], [attrs.evolve(FLAT, position=40)], LIMITS, CALM)
    bits = check.check(intent(wish))
    uses = {use.code: use for use in check.uses(bits, 0, check.found.tolist())}
    assert (uses[LimitCode.REDUCE_ONLY].used, uses[LimitCode.REDUCE_ONLY].allowed) == (
        "0.100",
        "0.040",
    )


def test_the_least_notional_is_written_as_money() -> None:
    dear = instrument(min_notional=Decimal("100.5"))
    check = checked(Wish(price=6_000_000, size=100), [dear], [FLAT], LIMITS)
    bits = check.check(intent(Wish(price=6_000_000, size=100)))
    uses = {use.code: use for use in check.uses(bits, 0, check.found.tolist())}
    assert Decimal(uses[LimitCode.MIN_NOTIONAL].used) == Decimal("100.5")
    assert Decimal(uses[LimitCode.MIN_NOTIONAL].allowed) == 6_000


def test_sizes_and_prices_of_a_shape_are_written_in_the_instruments_units() -> None:
    wish = Wish(price=6_000_005, size=103)
    check = checked(wish, [instrument(lot=5, min_size=200)], [FLAT], LIMITS)
    bits = check.check(intent(wish))
    found = check.uses(bits, 0, check.found.tolist())
    uses = {use.code: (use.used, use.allowed) for use in found if use.broken}
    assert uses[LimitCode.TICK] == ("0.05", "0.00")
    assert uses[LimitCode.LOT] == ("0.003", "0.000")
    assert uses[LimitCode.MIN_SIZE] == ("0.200", "0.103")
