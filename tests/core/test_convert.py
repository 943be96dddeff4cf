"""Domain types and configurations as TOML and JSON, and back."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.convert_types import FULL, Colour, Configuration, Part
from tests.core.domain_types.builders import INSTRUMENTS, LIMIT, LIMITS

from bot4_core.convert import from_json, from_toml, structure, to_json, to_toml, unstructure
from bot4_core.domain_types import (
    BreakerScope,
    Money,
    OrderFlag,
    OrderIntent,
    Price,
    Quantity,
    RiskLimits,
    Side,
    Symbol,
)
from bot4_core.testing import strategies
from bot4_core.testing.strategies import moneys, prices, quantities

OF_AN_INSTRUMENT = (
    "book_levels",
    "book_snapshots",
    "candles",
    "child_orders",
    "fills",
    "mark_prices",
    "order_intents",
    "orders",
    "positions",
    "quotes",
    "signals",
    "trades",
)
FREE = (
    "audit_records",
    "balances",
    "breaker_verdicts",
    "fee_schedules",
    "funding_payments",
    "fundings",
    "instruments",
    "profits",
    "risk_limits",
    "transfers",
)


# --- round trips --------------------------------------------------------------------------------


def assert_round_trip(value: object) -> None:
    cls = type(value)
    assert structure(unstructure(value), cls) == value
    assert from_toml(to_toml(value), cls) == value
    assert from_json(to_json(value), cls) == value
    assert from_json(to_json(value, canonical=True).encode(), cls) == value


@pytest.mark.parametrize("name", OF_AN_INSTRUMENT)
@given(data=st.data())
def test_what_belongs_to_an_instrument_round_trips(name: str, data: st.DataObject) -> None:
    assert_round_trip(data.draw(getattr(strategies, name)(data.draw(st.sampled_from(INSTRUMENTS)))))


@pytest.mark.parametrize("name", FREE)
@given(data=st.data())
def test_domain_types_round_trip(name: str, data: st.DataObject) -> None:
    assert_round_trip(data.draw(getattr(strategies, name)()))


@given(st.sampled_from(INSTRUMENTS).flatmap(strategies.order_links))
def test_links_of_orders_round_trip(linked: tuple[object, ...]) -> None:
    assert_round_trip(linked[0])


@given(prices() | quantities() | moneys())
def test_exact_numbers_keep_value_and_exponent(number: Price | Quantity | Money) -> None:
    again = structure(unstructure(number), type(number))
    assert (again.value, again.exponent) == (number.value, number.exponent)


def test_a_configuration_round_trips() -> None:
    assert_round_trip(FULL)
    assert_round_trip(Configuration(cash=Decimal(0)))


TOML_KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
TOML_VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TOML_KEYS, inner, max_size=3),
)


@given(st.dictionaries(TOML_KEYS, TOML_VALUES))
def test_any_plain_table_round_trips(data: dict[str, object]) -> None:
    assert from_toml(to_toml(data), dict[str, object]) == data
    assert from_json(to_json(data), dict[str, object]) == data


# --- what the text looks like -------------------------------------------------------------------


def test_toml_text_is_what_a_person_would_write() -> None:
    settings = Configuration(cash=Decimal("10.5"), parts=(Part(name="a"),), start=Price.of("1.50"))
    text = to_toml(attrs.evolve(settings, limits={Symbol("ETH.USD"): Decimal(1)}))
    assert text.splitlines()[:6] == [
        'cash = "10.5"',
        'parts = [{name = "a", level = 1.0, rows = 1, on = false}]',
        'start = "1.50"',
        'colour = "dark_red"',
        "access = []",
        'folder = "."',
    ]
    assert '[limits]\n"ETH.USD" = "1"\n' in text


def test_json_text_keeps_field_order_and_canonical_text_sorts_it() -> None:
    assert to_json(Part(name="é")) == '{"name": "é", "level": 1.0, "rows": 1, "on": false}'
    assert to_json(Part(name="é"), canonical=True) == (
        '{"level":1.0,"name":"é","on":false,"rows":1}'
    )


def test_enums_are_lower_case_names_and_flags_lists_of_them() -> None:
    assert unstructure(Side.BUY) == "buy"
    assert unstructure(BreakerScope.VENUE) == "venue"
    assert unstructure(Colour.DARK_RED) == "dark_red"
    assert unstructure(OrderFlag.POST_ONLY | OrderFlag.REDUCE_ONLY) == ["post_only", "reduce_only"]
    assert structure(["post_only"], OrderFlag) is OrderFlag.POST_ONLY
    assert structure([], OrderFlag) is OrderFlag.NONE


def test_what_is_none_is_null_in_json_and_left_out_of_toml() -> None:
    assert unstructure(LIMIT)["trigger"] is None
    assert "trigger =" not in to_toml(LIMIT)
    assert from_toml('name = "a"', Part) == Part(name="a")
    assert structure({"cash": "1", "start": None}, Configuration).start is None


# --- exact numbers ------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [Decimal, Price, Quantity, Money])
def test_exact_numbers_are_read_from_text_and_whole_numbers(cls: Callable[..., object]) -> None:
    assert isinstance(cls, type)
    assert unstructure(structure("101.50", cls)) == "101.50"
    assert unstructure(structure(7, cls)) == "7"
    assert unstructure(structure("-1e-3", cls)) == "-0.001"


def test_objects_that_are_already_built_pass() -> None:
    for value in (LIMIT, Price.of("1.5"), Decimal(1), Side.BUY, OrderFlag.POST_ONLY, Path("a")):
        assert structure(value, type(value)) == value


# --- whole documents -----------------------------------------------------------------------------


def test_limits_of_a_configuration_file_are_read_as_people_write_them() -> None:
    text = """
        max_position_notional = 5000
        max_order_notional = "1000.00"
        max_gross_notional = 10000
        max_open_orders = 50
        max_orders_per_second = 50
        price_collar = "0.05"
        max_leverage = 2
        max_daily_loss = "300"
        max_drawdown = "0.1"
    """
    assert from_toml(text, RiskLimits) == LIMITS


def test_orders_read_from_json_are_orders() -> None:
    assert isinstance(from_json(to_json(LIMIT), OrderIntent), OrderIntent)
