"""Canonical payloads: one way only to write a record's content.

A payload is a JSON object in ASCII with sorted keys and no blanks, made of integers, text,
booleans, lists and objects. JSON numbers with a point do not occur, because two programs may write
the same float differently: a float becomes the text that ``repr`` gives (``"0.1"``, ``"nan"``,
``"-inf"``), which ``float`` reads back to the same bits; a ``Decimal`` becomes its plain decimal
text. ``None`` does not occur either: leave the key out.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from operator import index
from typing import Final, SupportsIndex, TypeAlias

from bot4_core.errors import ValidationError

__all__ = ["Payload", "PayloadValue", "canonical_json"]

PayloadValue: TypeAlias = (
    "str | int | float | bool | Decimal | SupportsIndex"
    " | list[PayloadValue] | tuple[PayloadValue, ...] | Mapping[str, PayloadValue]"
)
"""What a payload may be made of."""
Payload: TypeAlias = Mapping[str, PayloadValue]
"""What a record says."""

_Plain: TypeAlias = "str | int | bool | list[_Plain] | dict[str, _Plain]"
_DEEPEST: Final = 32
_encode: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
).encode


def canonical_json(payload: Payload) -> bytes:
    """Write a payload the one canonical way.

    Raises
    ------
    ValidationError
        If a value is of another kind; its path is named.
    """
    return _encode(_plain(payload, "", 0)).encode("ascii")


def _plain(value: PayloadValue, path: str, depth: int) -> _Plain:
    if type(value) is str or type(value) is int or type(value) is bool:
        return value
    if not isinstance(value, (Mapping, list, tuple)):
        return _plain_scalar(value, path)
    if depth == _DEEPEST:
        raise ValidationError([(path, f"nested deeper than {_DEEPEST} levels")])
    if isinstance(value, Mapping):
        return _plain_object(value, path, depth + 1)
    return [_plain(item, f"{path}[{place}]", depth + 1) for place, item in enumerate(value)]


def _plain_scalar(value: str | float | Decimal | SupportsIndex, path: str) -> str | int:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return float.__repr__(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    try:
        return index(value)
    except TypeError:
        kinds = "an integer, text, boolean, float, Decimal, list or mapping"
        raise ValidationError([(path, f"{value!r} is not {kinds}")]) from None


def _plain_object(value: Mapping[str, PayloadValue], path: str, depth: int) -> dict[str, _Plain]:
    plain: dict[str, _Plain] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise ValidationError([(path, f"key {key!r} is not text")])
        plain[str(key)] = _plain(item, f"{path}.{key}" if path else key, depth)
    return plain
