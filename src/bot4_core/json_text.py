"""Plain data from and to JSON text, without what JSON lets pass in silence."""

import json
from typing import NoReturn

from bot4_core.errors import ValidationError

__all__ = ["json_data", "json_text"]


def json_data(text: str | bytes) -> object:
    """Read JSON text; a key that stands twice in one table, ``NaN`` and infinities are refused.

    Raises
    ------
    ValueError
        If the text is no such JSON.
    """
    try:
        data: object = json.loads(text, object_pairs_hook=_table, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return data


def json_text(data: object, *, canonical: bool = False) -> str:
    """Write plain data as JSON; canonical text has sorted keys and no blanks.

    Raises
    ------
    ValidationError
        If a number is not finite.
    """
    separators = (",", ":") if canonical else None
    try:
        return json.dumps(
            data, sort_keys=canonical, separators=separators, ensure_ascii=False, allow_nan=False
        )
    except ValueError as error:
        raise ValidationError([("", f"{error}; only finite numbers can be written")]) from error


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table: dict[str, object] = {}
    for name, item in pairs:
        if name in table:
            raise ValueError(f"key {name!r} stands twice")
        table[name] = item
    return table


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
