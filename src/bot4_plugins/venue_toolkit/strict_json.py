"""JSON as RFC 8259 has it, and typed fields of it; anything else is a `DecodeError`.

UTF-8, no ``NaN``, nothing after the value; a name twice in one object is a fault. Numbers with a
point or an exponent are kept as text, since a float would not be what the venue wrote.
"""

import json
from typing import Final, NoReturn, TypeVar

import msgspec

from bot4_core.domain_types.number_text import INT64_MAX
from bot4_core.errors import DecodeError

__all__ = [
    "NumberText",
    "checked_count",
    "checked_symbol",
    "plain_data",
    "plain_object",
    "typed",
]

T = TypeVar("T")

LONGEST_SYMBOL: Final = 64


class NumberText:
    """A JSON number as it was written; fits fields of this type only."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _refuse_constant(name: str) -> NoReturn:
    raise DecodeError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise DecodeError("a field name stands twice in one object")
    return content


def plain_data(data: bytes, *, integers_as_text: bool = False) -> object:
    """Read JSON into plain data.

    Parameters
    ----------
    integers_as_text : bool
        Keep whole numbers as `NumberText` too, for venues that write prices as JSON numbers.
    """
    try:
        content: object = json.loads(
            data.decode(),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=NumberText,
            parse_int=NumberText if integers_as_text else None,
        )
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from None
    return content


def plain_object(data: bytes, *, integers_as_text: bool = False) -> dict[str, object]:
    """Read a JSON object into plain data, as `plain_data` does."""
    content = plain_data(data, integers_as_text=integers_as_text)
    if not isinstance(content, dict):
        raise DecodeError("not a JSON object")
    return content


def typed(content: object, kind: type[T]) -> T:
    """Convert plain data to a type, strictly: no number is taken for a text or the other way."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise DecodeError(str(error)) from None


def checked_count(value: int, what: str, limit: int = INT64_MAX) -> int:
    """Return a whole number that must be from 0 to ``limit``."""
    if not 0 <= value <= limit:
        raise DecodeError(f"{what} {value} is not between 0 and {limit}")
    return value


def checked_symbol(name: str) -> str:
    """Return a symbol that must be printable and of sane length."""
    if not 0 < len(name) <= LONGEST_SYMBOL or not name.isprintable():
        raise DecodeError(f"{name[:80]!r} is not a symbol")
    return name
