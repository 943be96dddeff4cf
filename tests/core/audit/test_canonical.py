import json
import math
from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.audit import canonical_json
from bot4_core.audit.canonical import Payload
from bot4_core.errors import ValidationError


class Colour(IntEnum):
    RED = 3


class Name(StrEnum):
    FIRST = "first"


scalars = st.text() | st.integers() | st.booleans() | st.floats() | st.decimals()
payloads = st.dictionaries(
    st.text(),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    ),
    max_size=5,
)


def expected(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {key: expected(item) for key, item in value.items()}
    return [expected(item) for item in value] if isinstance(value, list) else value


@given(payloads)
def test_json_reads_back_what_was_written_with_floats_as_their_repr(
    payload: dict[str, Any],
) -> None:
    text = canonical_json(payload)
    assert json.loads(text) == expected(payload)
    assert text.isascii()


@given(payloads)
def test_the_order_of_keys_makes_no_difference(payload: dict[str, Any]) -> None:
    backwards = dict(reversed(payload.items()))
    assert canonical_json(payload) == canonical_json(backwards)


@given(st.floats())
def test_a_float_comes_back_to_the_same_bits(number: float) -> None:
    text = json.loads(canonical_json({"x": number}))["x"]
    assert float(text).hex() == number.hex() or (math.isnan(float(text)) and math.isnan(number))


def test_the_form_is_sorted_without_blanks() -> None:
    payload: Payload = {"b": [1, True, "é"], "a": {"z": 0.1, "y": Decimal("1E+3")}}
    assert canonical_json(payload) == b'{"a":{"y":"1000","z":"0.1"},"b":[1,true,"\\u00e9"]}'


def test_enums_numpy_numbers_tuples_and_mappings_have_one_form() -> None:
    payload: Payload = {
        "a": Colour.RED,
        "b": Name.FIRST,
        "c": np.int64(7),
        "d": (np.float64(0.5), False),
        "e": MappingProxyType({"f": 1}),
    }
    assert canonical_json(payload) == b'{"a":3,"b":"first","c":7,"d":["0.5",false],"e":{"f":1}}'


@pytest.mark.parametrize("value", [None, b"bytes", {1, 2}, object, 1j])
def test_other_values_are_refused_with_their_path(value: Any) -> None:
    with pytest.raises(ValidationError, match=r"a\.b\[1\]: .* is not an integer"):
        canonical_json({"a": {"b": [0, value]}})


def test_keys_must_be_text() -> None:
    with pytest.raises(ValidationError, match="a: key 1 is not text"):
        canonical_json({"a": {1: 2}})  # type: ignore[dict-item]  # that is the point


@pytest.mark.parametrize("kind", [list, dict])
def test_bottomless_nesting_is_refused(kind: type) -> None:
    value: Any = 1
    for _ in range(40):
        value = [value] if kind is list else {"x": value}
    with pytest.raises(ValidationError, match="nested deeper than 32"):
        canonical_json({"a": value})
