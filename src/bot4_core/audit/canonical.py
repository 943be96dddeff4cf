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

__all__ = ["Payload", "PayloadScalar", "PayloadValue", "canonical_json"]

PayloadScalar: TypeAlias = str | int | float | bool | Decimal | SupportsIndex
"""A payload's single values."""
PayloadValue: TypeAlias = "PayloadScalar | Sequence[PayloadValue] | Mapping[str, PayloadValue]"
"""What a payload may be made of."""
Payload: TypeAlias = Mapping[str, PayloadValue]
"""What a record says."""

_DEEPEST: Final = 32
_WHAT: Final = "an integer, text, boolean, float, Decimal, list or mapping"


class _Misfit(Exception):  # noqa: N818 - never leaves this module
    """A value without a canonical form; its path is gathered on the way out."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.path: list[str] = []


def canonical_json(payload: Payload) -> bytes:
    """Write a payload the one canonical way.

    Raises
    ------
    ValidationError
        If a value is of another kind; its path is named.
    """
    try:
        return _object_text(payload, 0).encode("ascii")
    except _Misfit as misfit:
        path = "".join(reversed(misfit.path)).removeprefix(".")
        raise ValidationError([(path, misfit.reason)]) from None


def _text(value: PayloadValue, depth: int) -> str:
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return f'"{float.__repr__(value)}"'
    if isinstance(value, (list, tuple)):
        return _list_text(value, depth)
    return _rarer_text(value, depth)


def _rarer_text(value: PayloadValue, depth: int) -> str:
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - dict is faster asked
        return _object_text(value, depth)
    if isinstance(value, Decimal):
        return f'"{value:f}"'
    if isinstance(value, SupportsIndex):
        return str(index(value))
    raise _Misfit(f"{value!r} is not {_WHAT}")


def _object_text(value: Mapping[str, PayloadValue], depth: int) -> str:
    if depth == _DEEPEST:
        raise _Misfit(f"nested deeper than {_DEEPEST} levels")
    parts = []
    for key in _sorted_keys(value):
        try:
            parts.append(f"{_quote(key)}:{_text(value[key], depth + 1)}")
        except _Misfit as misfit:
            misfit.path.append(f".{key}")
            raise
    return f"{{{','.join(parts)}}}"


def _sorted_keys(value: Mapping[str, PayloadValue]) -> list[str]:
    for key in value:
        if not isinstance(key, str):
            raise _Misfit(f"key {key!r} is not text")
    return sorted(value)


def _list_text(value: Sequence[PayloadValue], depth: int) -> str:
    if depth == _DEEPEST:
        raise _Misfit(f"nested deeper than {_DEEPEST} levels")
    parts = []
    for place, item in enumerate(value):
        try:
            parts.append(_text(item, depth + 1))
        except _Misfit as misfit:
            misfit.path.append(f"[{place}]")
            raise
    return f"[{','.join(parts)}]"
