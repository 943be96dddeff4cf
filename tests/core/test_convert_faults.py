"""What is refused when a document is read: nothing is coerced, and all faults come at once."""

from collections.abc import Callable
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Literal

import attrs
import pytest
from tests.core.convert_types import Configuration, Part, fault, faults, odd
from tests.core.domain_types.builders import BOOK, INSTRUMENT

from bot4_core.convert import from_json, from_toml, structure, to_json, to_toml, unstructure
from bot4_core.domain_types import (
    BreakerScope,
    Instrument,
    InstrumentId,
    OrderFlag,
    Price,
    Side,
)
from bot4_core.errors import ConfigError, ValidationError


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
