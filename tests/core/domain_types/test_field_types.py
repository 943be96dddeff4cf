from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal, Optional, Union

import numpy as np
import pytest

from bot4_core.domain_types import InstrumentId, Price, Side
from bot4_core.domain_types._field_types import type_fault, type_name


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (1, int),
        (1, InstrumentId),
        (1, float),
        (1.5, float),
        (True, bool),
        (Side.BUY, Side),
        (None, Optional[Price]),  # noqa: UP045 - this spelling too
        (Price(1, 0), Price | None),
        (1, Union[str, int]),  # noqa: UP007 - this spelling too
        ((), tuple[int, ...]),
        ((1, 2), tuple[int, ...]),
        (("a", 1.0), tuple[str, float]),
        ({"a": 1}, Mapping[str, int]),
        ("a", Literal["a", "b"]),
        (len, Callable[..., int]),
        ("anything", "an annotation with no meaning here"),
        (Decimal(1), object),
    ],
)
def test_a_value_of_its_fields_type_has_no_fault(value: object, hint: object) -> None:
    assert type_fault(value, hint) is None


@pytest.mark.parametrize(
    ("value", "hint", "text"),
    [
        (True, int, "True is bool, expected int"),
        (1.0, int, "1.0 is float, expected int"),
        (np.int64(1), int, "np.int64(1) is int64, expected int"),
        ("1", InstrumentId, "'1' is str, expected InstrumentId"),
        (True, float, "True is bool, expected float"),
        (1, Side, "1 is int, expected Side"),
        (1, Price | None, "1 is int, expected Price or nothing"),
        (None, Price, "None is nothing, expected Price"),
        ([1], tuple[int, ...], "[1] is list, expected tuple[int, ...]"),
        ((1, "a"), tuple[int, ...], "(1, 'a') is tuple, expected tuple[int, ...]"),
        (("a",), tuple[str, float], "('a',) is tuple, expected tuple[str, float]"),
        ((1, 1.0), tuple[str, float], "(1, 1.0) is tuple, expected tuple[str, float]"),
        ([], Mapping[str, int], "[] is list, expected collections.abc.Mapping[str, int]"),
        ("c", Literal["a"], "'c' is str, expected Literal['a']"),
    ],
)
def test_a_value_of_another_type_is_named_with_what_would_be_right(
    value: object, hint: object, text: str
) -> None:
    assert type_fault(value, hint) == text


def test_annotations_are_named_as_a_reader_would_write_them() -> None:
    assert type_name(InstrumentId | None) == "InstrumentId or nothing"
