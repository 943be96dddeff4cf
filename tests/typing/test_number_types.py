"""Which operation gives which type; mypy and pyright check what these tests run."""

from fractions import Fraction
from typing import assert_type

import pytest
from tests.core.domain_types.builders import INSTRUMENT, LIMIT

from bot4_core.convert import from_json, from_toml, structure
from bot4_core.domain_types import (
    Instrument,
    InstrumentId,
    Money,
    Nanoseconds,
    OrderIntent,
    Price,
    Quantity,
    RiskLimits,
    Rounding,
    Side,
    validate,
)
from bot4_core.errors import ConfigError

PRICE, SIZE, MONEY = Price.of("101.50"), Quantity.of("2"), Money.of("10")


def test_sums_and_differences_keep_their_type() -> None:
    assert_type(PRICE + PRICE, Price)
    assert_type(SIZE - SIZE, Quantity)
    assert_type(-MONEY, Money)
    assert_type(abs(MONEY), Money)


def test_price_times_quantity_is_money_either_way_round() -> None:
    assert_type(PRICE * SIZE, Money)
    assert_type(SIZE * PRICE, Money)
    assert PRICE * SIZE == SIZE * PRICE == Money.of("203")


def test_whole_multiples_keep_their_type() -> None:
    assert_type(PRICE * 3, Price)
    assert_type(3 * SIZE, Quantity)
    assert_type(MONEY * 3, Money)


def test_ratios_are_fractions_and_money_per_quantity_is_a_price() -> None:
    assert_type(PRICE / PRICE, Fraction)
    assert_type(MONEY.per(SIZE, -2, Rounding.HALF_EVEN), Price)


def test_instruments_give_their_own_kinds() -> None:
    assert_type(INSTRUMENT.quantise_price(PRICE, Side.BUY), Price)
    assert_type(INSTRUMENT.quantise_size(SIZE), Quantity)
    assert_type(INSTRUMENT.price("1"), Price)
    assert_type(INSTRUMENT.size("1"), Quantity)
    assert_type(INSTRUMENT.notional(PRICE, SIZE), Fraction)


def test_reading_and_checking_return_what_was_asked_for() -> None:
    assert_type(validate(LIMIT), OrderIntent)
    assert_type(structure("1.5", Price), Price)
    with pytest.raises(ConfigError):
        assert_type(from_json("{}", Instrument), Instrument)
    with pytest.raises(ConfigError):
        assert_type(from_toml("", RiskLimits), RiskLimits)


def test_what_has_no_meaning_is_refused_by_checker_and_at_run_time() -> None:
    with pytest.raises(TypeError):
        _ = PRICE + SIZE  # type: ignore[operator]  # the checker must see it too
    with pytest.raises(TypeError):
        _ = PRICE * PRICE  # type: ignore[operator]  # the checker must see it too
    with pytest.raises(TypeError):
        _ = PRICE * 1.5  # type: ignore[operator]  # the checker must see it too
    with pytest.raises(TypeError):
        _ = PRICE < SIZE  # type: ignore[operator]  # the checker must see it too
    with pytest.raises(TypeError):
        Price("1.5", -1)  # type: ignore[arg-type]  # the checker must see it too


def test_bare_units_are_told_apart_by_the_checker_only() -> None:
    def wait(span: Nanoseconds) -> int:
        return span

    assert wait(Nanoseconds(5)) == 5
    assert wait(InstrumentId(5)) == 5  # type: ignore[arg-type]  # another unit
