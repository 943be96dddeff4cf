"""Canonical payloads: one way only to write a record's content.

A payload is a JSON object in ASCII with sorted keys and no blanks, made of integers, text,
booleans, lists and objects. JSON numbers with a point do not occur, because two programs may write
the same float differently: a float becomes the text that ``repr`` gives (``"0.1"``, ``"nan"``,
``"-inf"``), which ``float`` reads back to the same bits; a ``Decimal`` becomes its plain decimal
text. ``None`` does not occur either: leave the key out.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring_ascii as _quote
from operator import index
from typing import Final, SupportsIndex, TypeAlias

from bot4_core.errors import ValidationError

__all__ = ["Payload", "PayloadValue", "canonical_json"]

PayloadValue: TypeAlias = (
    "str | int | float | bool | Decimal | SupportsIndex"
    " | Sequence[PayloadValue] | Mapping[str, PayloadValue]"
)
"""What a payload may be made of."""
Payload: TypeAlias = Mapping[str, PayloadValue]
"""What a record says."""

_DEEPEST: Final = 32
_WHAT: Final = "an integer, text, boolean, float, Decimal, list or mapping"


def canonical_json(payload: Payload) -> bytes:
    """Write a payload the one canonical way.

    Raises
    ------
    ValidationError
        If a value is of another kind; its path is named.
    """
    return _object_text(payload, "", 0).encode("ascii")


def _text(value: PayloadValue, path: str, depth: int) -> str:
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return f'"{float.__repr__(value)}"'
    if isinstance(value, (list, tuple)):
        return _list_text(value, path, depth)
    return _rarer_text(value, path, depth)


def _rarer_text(value: PayloadValue, path: str, depth: int) -> str:
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - dict is faster asked
        return _object_text(value, path, depth)
    if isinstance(value, Decimal):
        return f'"{value:f}"'
    if isinstance(value, SupportsIndex):
        return str(index(value))
    raise ValidationError([(path, f"{value!r} is not {_WHAT}")])


def _object_text(value: Mapping[str, PayloadValue], path: str, depth: int) -> str:
    if depth == _DEEPEST:
        raise ValidationError([(path, f"nested deeper than {_DEEPEST} levels")])
    parts = []
    for key in _sorted_keys(value, path):
        part = _text(value[key], f"{path}.{key}" if path else key, depth + 1)
        parts.append(f"{_quote(key)}:{part}")
    return f"{{{','.join(parts)}}}"


def _sorted_keys(value: Mapping[str, PayloadValue], path: str) -> list[str]:
    for key in value:
        if not isinstance(key, str):
            raise ValidationError([(path, f"key {key!r} is not text")])
    return sorted(value)


def _list_text(value: Sequence[PayloadValue], path: str, depth: int) -> str:
    if depth == _DEEPEST:
        raise ValidationError([(path, f"nested deeper than {_DEEPEST} levels")])
    items = [_text(item, f"{path}[{place}]", depth + 1) for place, item in enumerate(value)]
    return f"[{','.join(items)}]"
