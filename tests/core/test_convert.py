from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum, Flag
from math import inf, nan
from pathlib import Path
from typing import Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.domain_types.builders import BOOK, INSTRUMENT, INSTRUMENTS, LIMIT, LIMITS

from bot4_core.convert import from_json, from_toml, structure, to_json, to_toml, unstructure
from bot4_core.domain_types import (
    BreakerScope,
    Instrument,
    InstrumentId,
    Money,
    OrderFlag,
    OrderIntent,
    Price,
    Quantity,
    RiskLimits,
    Side,
    Symbol,
)
from bot4_core.errors import ConfigError, ValidationError
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


class Colour(Enum):
    """An enum whose values are not its names."""

    DARK_RED = "#800"


class Access(Flag):
    """A flag set that is no integer."""

    READ = 1
    WRITE = 2


NO_ACCESS = Access(0)


def odd(_instance: object, _field: object, value: int) -> None:
    if value % 2 == 0:
        raise ValueError(f"{value} is not odd")


@attrs.frozen(kw_only=True)
class Part:
    """Settings of a part, as a plugin writes them."""

    name: str
    level: float = 1.0
    rows: int = 1
    on: bool = False


@attrs.frozen(kw_only=True)
class Configuration:
    """Every kind of field that a configuration has."""

    cash: Decimal
    parts: tuple[Part, ...] = ()
    start: Price | None = None
    colour: Colour = Colour.DARK_RED
    access: Access = NO_ACCESS
    folder: Path = Path()
    limits: Mapping[Symbol, Decimal] = attrs.field(factory=dict)
    scopes: Mapping[BreakerScope, int] = attrs.field(factory=dict)
    weights: list[float] = attrs.field(factory=list)
    pair: tuple[str, int] = ("a", 1)
    mode: Literal["paper", "live"] = "paper"
    rest: Mapping[str, object] = attrs.field(factory=dict)
    key: bytes = b""
    shown: Sequence[Symbol] = ()
    _hidden: int = attrs.field(default=0, alias="hidden")
    derived: int = attrs.field(init=False, default=3)


FULL = Configuration(
    cash=Decimal("10000.50"),
    parts=(Part(name="first"), Part(name='se"co\nnd\x7f', level=0.1, rows=-3, on=True)),
    start=Price.of("1.50"),
    access=Access.READ | Access.WRITE,
    folder=Path("recordings") / "today",
    limits={Symbol("BTC-USD"): Decimal("0.1"), Symbol("ETH.USD"): Decimal("1E+3")},
    scopes={BreakerScope.VENUE: 3},
    weights=[0.5, 1e-9],
    pair=("b", 2),
    mode="live",
    rest={"deep": {"er": [1, "two", {"three": 3.5}]}, "plain": True},
    key=b"\x00\xff",
    shown=(Symbol("BTCUSDT"),),
    hidden=7,
)


def faults(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        call()
    return dict(caught.value.faults)


def fault(data: object, cls: type[object]) -> str:
    return faults(lambda: structure(data, cls))[""]


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


@pytest.mark.parametrize("cls", [Decimal, Price])
def test_floats_are_no_exact_numbers_and_the_remedy_is_told(cls: type[object]) -> None:
    assert fault(0.1, cls) == (
        '0.1 is a number, expected an exact number; write it in quotes: "0.1"'
    )


@pytest.mark.parametrize("cls", [Decimal, Price])
@pytest.mark.parametrize("text", ["NaN", "Infinity", "1,5", "1_000", " 1", "", "ten"])
def test_text_that_is_no_number_is_no_exact_number(cls: type[object], text: str) -> None:
    assert fault(text, cls) == f"{text!r} is not a decimal number such as '101.50'"


def test_an_exact_number_beyond_64_bits_is_a_fault() -> None:
    assert "leaves 64 bits" in fault("1" + "0" * 30 + "1", Price)
    assert structure("1" + "0" * 30 + "1", Decimal) == 10**31 + 1


def test_objects_that_are_already_built_pass() -> None:
    for value in (LIMIT, Price.of("1.5"), Decimal(1), Side.BUY, OrderFlag.POST_ONLY, Path("a")):
        assert structure(value, type(value)) == value


# --- no coercion --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "cls", "text"),
    [
        ("3", int, "'3' is text, expected a whole number; leave out the quotes"),
        ("three", int, "'three' is text, expected a whole number"),
        (True, int, "True is true or false, expected a whole number"),
        (3.0, int, "3.0 is a number, expected a whole number"),
        (None, int, "None is nothing, expected a whole number"),
        ("3", InstrumentId, "'3' is text, expected a whole number; leave out the quotes"),
        (1, bool, "1 is a whole number, expected true or false"),
        ("true", bool, "'true' is text, expected true or false"),
        (1, str, "1 is a whole number, expected text"),
        (b"a", str, "b'a' is hexadecimal text, expected text"),
        ("1.5", float, "'1.5' is text, expected a number; leave out the quotes"),
        (True, float, "True is true or false, expected a number"),
        (nan, float, "nan is not a finite number"),
        (-inf, float, "-inf is not a finite number"),
        (2**53 + 1, float, "9007199254740993 is a whole number, expected a number"),
        (True, Decimal, "True is true or false, expected an exact number in quotes, such as"),
        ([1], Price, '[1] is a list, expected an exact number in quotes, such as "101.50"'),
        ("zz", bytes, "'zz' is text, expected hexadecimal text"),
        (3, bytes, "3 is a whole number, expected hexadecimal text"),
        (3, Path, "3 is a whole number, expected text"),
        (1, Side, "1 is a whole number, expected one of sell, none, buy"),
        ("BUY", Side, "unknown Side 'BUY'; known are buy, none, sell"),
        ("by", Side, "unknown Side 'by', did you mean 'buy'?"),
        ("venu", BreakerScope, "unknown BreakerScope 'venu', did you mean 'venue'?"),
        ("post_only", OrderFlag, "'post_only' is text, expected a list of names"),
        (["post"], OrderFlag, "unknown OrderFlag 'post'"),
        ("abc", tuple[str, ...], "'abc' is text, expected a list"),
        ("ab", tuple[str, str], "'ab' is text, expected a list"),
        (["a"], tuple[str, int], "['a'] is a list, expected 2 items"),
        ({"a": 1}, list[int], "{'a': 1} is a table, expected a list"),
        ([["a", 1]], dict[str, int], "[['a', 1]] is a list, expected a table"),
        ("a", Part, "'a' is text, expected a table of Part"),
        ("dry", Literal["paper", "live"], "'dry' is text, expected one of 'paper', 'live'"),
        (True, Literal[1], "True is true or false, expected one of 1"),
        ("x" * 100, int, f"'{'x' * 56}... is text, expected a whole number"),
        (1.5, int | None, "1.5 is a number, expected a whole number"),
        (object, int, "<class 'object'> is type, expected a whole number"),
    ],
)
def test_nothing_is_coerced_and_the_fault_says_what_was_there(
    data: object, cls: type[object], text: str
) -> None:
    assert text in fault(data, cls)


@pytest.mark.parametrize("number", [0, 1, -3, 2**53, -(2**53)])
def test_a_whole_number_is_read_as_a_float_where_nothing_is_lost(number: int) -> None:
    found = structure(number, float)
    assert type(found) is float
    assert found == number


# --- faults -------------------------------------------------------------------------------------


def test_all_faults_of_a_document_are_reported_at_once_with_their_paths() -> None:
    text = """
        cash = 1.5
        positon = 3
        weights = [1, "a", true]
        pair = ["a"]
        [limits]
        BTC = "x"
        ETH = "1"
        [scopes]
        venu = 1
        [[parts]]
        name = "a"
        [[parts]]
        rows = "3"
        nme = 4
    """
    found = faults(lambda: from_toml(text, Configuration, "bot.toml"))
    assert found == {
        "cash": '1.5 is a number, expected an exact number; write it in quotes: "1.5"',
        "positon": found["positon"],
        "weights[1]": "'a' is text, expected a number",
        "weights[2]": "True is true or false, expected a number",
        "pair": "['a'] is a list, expected 2 items",
        "limits.BTC": "'x' is not a decimal number such as '101.50'",
        "scopes.venu": "unknown BreakerScope 'venu', did you mean 'venue'?",
        "parts[1].name": "is missing",
        "parts[1].rows": "'3' is text, expected a whole number; leave out the quotes",
        "parts[1].nme": "unknown key 'nme', did you mean 'name'?",
    }
    assert found["positon"].startswith("unknown key 'positon'")


def test_an_unknown_key_is_refused_with_the_nearest_match() -> None:
    assert faults(lambda: structure({"nam": "a"}, Part)) == {
        "name": "is missing",
        "nam": "unknown key 'nam', did you mean 'name'?",
    }
    found = faults(lambda: structure({"name": "a", "x": 1, "q": 2, "k": 3}, Part))
    assert list(found.items()) == [
        ("k", "unknown key 'k'; known are level, name, on, rows"),
        ("q", "unknown key 'q'; known are level, name, on, rows"),
        ("x", "unknown key 'x'; known are level, name, on, rows"),
    ]


def test_a_private_field_goes_by_its_argument_name_and_a_derived_one_is_no_key() -> None:
    assert structure({"cash": 1, "hidden": 5}, Configuration) == Configuration(
        cash=Decimal(1), hidden=5
    )
    found = faults(lambda: structure({"cash": 1, "derived": 5, "_hidden": 5}, Configuration))
    assert found["_hidden"] == "unknown key '_hidden', did you mean 'hidden'?"
    assert "derived" in found


def test_source_and_path_stand_before_every_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        structure({"rows": 1.5}, Part, "bot.toml", "parts[2]")
    assert str(caught.value) == (
        "bot.toml: parts[2].name: is missing; "
        "parts[2].rows: 1.5 is a number, expected a whole number"
    )


def test_what_was_read_is_checked_against_the_rules_of_its_type() -> None:
    data = unstructure(INSTRUMENT) | {"tick": 0, "lot": -1}
    assert faults(lambda: structure(data, Instrument, path="instruments[0]")) == {
        "instruments[0].tick": "0 is not above zero",
        "instruments[0].lot": "-1 is not above zero",
    }
    wrong = unstructure(BOOK) | {"bids": [{"price": "0", "size": "1"}]}
    assert list(faults(lambda: structure(wrong, type(BOOK)))) == ["bids[0].price"]


def test_a_classs_own_validators_are_heard() -> None:
    @attrs.frozen
    class Odd:
        number: int = attrs.field(validator=odd)

    @attrs.frozen
    class Fussy:
        odd: Odd

        def __attrs_post_init__(self) -> None:
            if self.odd.number == 3:
                raise ValidationError([("odd.number", "3 is not liked"), ("", "altogether")])

    assert structure({"odd": {"number": 1}}, Fussy) == Fussy(Odd(1))
    assert faults(lambda: structure({"odd": {"number": 2}}, Fussy)) == {"odd": "2 is not odd"}
    assert faults(lambda: structure([{"odd": {"number": 3}}], list[Fussy])) == {
        "[0].odd.number": "3 is not liked",
        "[0]": "altogether",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "not valid TOML: Invalid value"),
        ("a = 1\na = 2", "not valid TOML: Cannot overwrite a value"),
    ],
)
def test_text_that_is_no_toml_is_one_fault_with_its_place(text: str, message: str) -> None:
    found = faults(lambda: from_toml(text, Part, "bot.toml"))
    assert found[""].startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON: Expecting property name"),
        ('{"name": "a", "name": "b"}', "not valid JSON: key 'name' stands twice"),
        ('{"level": NaN}', "not valid JSON: NaN is not a JSON number"),
        ("[" * 100_000, "not valid JSON: nested too deeply"),
        (b"\xff\xfe\xff", "not valid JSON: "),
    ],
)
def test_text_that_is_no_json_is_one_fault(text: str | bytes, message: str) -> None:
    assert faults(lambda: from_json(text, Part))[""].startswith(message)


@pytest.mark.parametrize("write", [to_json, to_toml])
@pytest.mark.parametrize("number", [nan, inf])
def test_numbers_that_are_not_finite_are_not_written(
    write: Callable[[object], str], number: float
) -> None:
    with pytest.raises(ValidationError):
        write(Part(name="a", level=number))


def test_toml_has_no_nothing_in_lists_and_only_tables_are_documents() -> None:
    with pytest.raises(ValidationError, match=r"rest\.list: None cannot be written as TOML"):
        to_toml(Configuration(cash=Decimal(1), rest={"list": [None]}))
    with pytest.raises(ValidationError, match="a TOML document is one"):
        to_toml([1])


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
