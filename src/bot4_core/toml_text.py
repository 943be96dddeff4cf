"""Plain data written as TOML 1.0; the standard library only reads it."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Final

from bot4_core.errors import ValidationError

__all__ = ["toml_text"]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(data: object) -> str:
    """Write a table of text, numbers, truth values, lists and tables as a TOML document.

    Entries that are None are left out: TOML has no word for nothing.

    Raises
    ------
    ValidationError
        If the data is no table, or something in it cannot be written.
    """
    if not isinstance(data, Mapping):
        raise ValidationError([("", f"{data!r} is no table; a TOML document is one")])
    return "\n".join(_lines(data, "")).lstrip("\n") + "\n"


def _lines(table: Mapping[object, object], path: str) -> Iterator[str]:
    """Yield the table's plain entries, then its tables under their headings."""
    entries = {_key(name): item for name, item in table.items() if item is not None}
    for name, item in entries.items():
        if not isinstance(item, Mapping):
            yield f"{name} = {_value(item, _joined(path, name))}"
    for name, item in entries.items():
        if isinstance(item, Mapping):
            place = _joined(path, name)
            yield f"\n[{place}]"
            yield from _lines(item, place)


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _key(name: object) -> str:
    text = str(name)
    return text if _BARE_KEY.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    # TOML's basic strings are JSON's, but for one character that JSON leaves as it is
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(item: object, path: str) -> str:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return _quoted(item)
    if isinstance(item, int):
        return str(item)
    if isinstance(item, float) and math.isfinite(item):
        return repr(item)
    if isinstance(item, list):
        return f"[{', '.join(_value(inner, path) for inner in item)}]"
    if isinstance(item, Mapping):
        entries = ((_key(name), inner) for name, inner in item.items() if inner is not None)
        return f"{{{', '.join(f'{name} = {_value(inner, path)}' for name, inner in entries)}}}"
    raise ValidationError([(path, f"{item!r} cannot be written as TOML")])
