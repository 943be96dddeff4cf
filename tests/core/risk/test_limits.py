"""The front of the limit check: units, room, day and peak."""

from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.kernels.test_limits import (
    CALM,
    CASH,
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
from bot4_core.kernels.limits import NO_LIMIT, LimitCode
from bot4_core.kernels.limits_money import LARGEST, notional
from bot4_core.risk.limits import LimitCheck, money_scale

DAY = 86_400_000_000_000


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


def test_loss_counts_from_the_start_of_the_utc_day() -> None:
    check = some_check()
    check.revalue(CASH - 5, 3 * DAY + 1)
    assert check.account["day_start"][0] == CASH - 5
    check.revalue(CASH - 7, 4 * DAY - 1)
    assert check.account["day_start"][0] == CASH - 5
    check.revalue(CASH - 9, 4 * DAY)
    assert check.account["day_start"][0] == CASH - 7


def test_peak_is_the_highest_equity() -> None:
    check = some_check()
    for equity in (CASH + 3, CASH + 9, CASH - 4):
        check.revalue(equity, 1)
    assert (check.account["peak"][0], check.account["equity"][0]) == (CASH + 9, CASH - 4)


@given(RULES, st.integers(1, 2**40), st.integers(0, 10**15))
def test_order_room_is_the_largest_size_that_the_order_limit_lets_through(
    rules: Instrument, price: int, cap: int
) -> None:
    rules = attrs.evolve(rules, min_size=0)
    limits = attrs.evolve(LIMITS, max_order_notional=Decimal(cap).scaleb(-8))
    check = checked(Wish(), [rules], [FLAT], limits)
    size, scale = check.order_room(0, price), money_scale(rules, -8)
    if size < LARGEST // scale[0]:
        assert notional(size, price, scale) <= cap < notional(size + 1, price, scale)


def test_order_room_below_the_least_size_is_none() -> None:
    check = checked(Wish(), [instrument(min_size=200)], [FLAT], LIMITS)
    assert check.order_room(0, 2 * 6_000_000) == 0


def test_position_room_is_what_holdings_and_working_orders_leave() -> None:
    held = attrs.evolve(FLAT, position=300, open_buy=100, open_sell=50)
    check = checked(Wish(), [instrument()], [held], LIMITS)
    twice = 2 * 6_000_000
    assert check.position_room(0, 1, twice) == 833 - 300 - 100
    assert check.position_room(0, -1, twice) == 833 + 300 - 50


def test_position_room_below_the_least_size_is_none() -> None:
    held = attrs.evolve(FLAT, position=833)
    check = checked(Wish(), [instrument()], [held], LIMITS)
    assert check.position_room(0, 1, 2 * 6_000_000) == 0


def test_released_orders_make_room_for_new_ones() -> None:
    check = some_check(max_open_orders=1)
    wish = Wish(price=6_000_000, size=100)
    check.note(0)
    assert check.check(intent(wish)) == 1 << LimitCode.OPEN_ORDERS
    check.release()
    assert check.check(intent(wish)) == 0


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
