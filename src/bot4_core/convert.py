"""Domain types, settings and configurations from and to plain data, TOML and JSON.

Reading is strict: nothing is coerced, unknown keys are refused with the nearest known one, and all
faults of a document are reported at once, each with its path. What was read is then checked by
``domain_types.validation``.

In plain data an enum member is its lower-case name, a flag set a list of such names, bytes are
hexadecimal text, and exact numbers (``Decimal``, prices, quantities, money) are decimal text, of
which also a whole number is read. A float is never read as an exact number.
"""

import math
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args, get_origin

import attrs
from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from bot4_core.domain_types.canonical_types import Money, Price, Quantity
from bot4_core.domain_types.number_text import exponent_of_text
from bot4_core.domain_types.validation import faults_of
from bot4_core.errors import ConfigError, ValidationError
from bot4_core.json_text import json_data, json_text
from bot4_core.toml_text import toml_text

__all__ = ["from_json", "from_toml", "structure", "to_json", "to_toml", "unstructure"]

T = TypeVar("T")
Exact = TypeVar("Exact", Price, Quantity, Money)

_KINDS: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    bytes: "hexadecimal text",
    Path: "a path in text",
    Decimal: "decimal text",
}


def structure(data: object, cls: type[T], source: str = "data", path: str = "") -> T:
    """Build an object from plain data (mappings, lists, text, numbers).

    Parameters
    ----------
    data : object
        What a JSON or TOML reader returns.
    cls : type[T]
        An attrs class, or any type that may stand in a field of one.
    source : str
        Where the data comes from, for messages.
    path : str
        Where in the source the data stands; paths of faults start with it.

    Raises
    ------
    ConfigError
        With every fault at once.
    """
    try:
        built: T = _CONVERTER.structure(data, cls)
    except Exception as error:
        faults = list(_faults(error, path))
        raise ConfigError(source, faults) from error
    faults = faults_of(built, path)
    if faults:
        raise ConfigError(source, faults)
    return built


def unstructure(value: object) -> Any:
    """Return plain data (dicts, lists, text, numbers, None) that ``structure`` reads back."""
    return _CONVERTER.unstructure(value)


def from_toml(text: str, cls: type[T], source: str = "TOML text") -> T:
    """Build an object from a TOML document.

    Raises
    ------
    ConfigError
        If the text is no TOML, or with every fault of its content at once.
    """
    try:
        data = tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(source, [("", f"not valid TOML: {error}")]) from error
    return structure(data, cls, source)


def to_toml(value: object) -> str:
    """Write an attrs object as a TOML document; what is None is left out.

    Raises
    ------
    ValidationError
        If a number is not finite or None stands in a list.
    """
    return toml_text(unstructure(value))


def from_json(text: str | bytes, cls: type[T], source: str = "JSON text") -> T:
    """Build an object from JSON text.

    Raises
    ------
    ConfigError
        If the text is no JSON or names a key twice, or with every fault of its content at once.
    """
    try:
        data = json_data(text)
    except ValueError as error:
        raise ConfigError(source, [("", f"not valid JSON: {error}")]) from error
    return structure(data, cls, source)


def to_json(value: object, *, canonical: bool = False) -> str:
    """Write an object as JSON text.

    Parameters
    ----------
    value : object
    canonical : bool
        Sort the keys and leave out blanks: equal values then give equal text.

    Raises
    ------
    ValidationError
        If a number is not finite.
    """
    return json_text(unstructure(value), canonical=canonical)


def _faults(error: BaseException, path: str) -> Iterator[tuple[str, str]]:
    """Flatten what cattrs raised into paths and messages."""
    if isinstance(error, ClassValidationError):
        named, bare = error.group_exceptions()
        for inner, note in named:
            place = _joined(path, note.name)
            if isinstance(inner, KeyError):
                yield place, "is missing"
            else:
                yield from _faults(inner, place)
        for other in bare:
            yield from _faults(other, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [field.alias for field in attrs.fields(error.cl) if field.init]
        for key in sorted(error.extra_fields):
            yield _joined(path, key), f"unknown key {key!r}{_nearest(key, known)}"
    elif isinstance(error, ValidationError | ConfigError):
        yield from ((_joined(path, place), text) for place, text in error.faults)
    else:
        yield path, str(error)


def _joined(path: str, place: str) -> str:
    if not path or not place or place.startswith("["):
        return path + place
    return f"{path}.{place}"


def _nearest(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1)
    return f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _misfit(text: str) -> ValidationError:
    return ValidationError([("", text)])


def _refused(value: object, wanted: str, hint: str = "") -> ValidationError:
    names = {dict: "a table", list: "a list", type(None): "nothing", int: "a whole number"}
    is_what = names.get(type(value)) or _KINDS.get(type(value)) or type(value).__name__
    return _misfit(f"{_shown(value)} is {is_what}, expected {wanted}{hint}")


def _read_scalar(value: Any, cls: Any) -> Any:
    """Take a value of exactly the wanted type; a whole number also for a float, if it fits."""
    if type(value) is cls:
        if cls is float and not math.isfinite(value):
            raise _misfit(f"{value} is not a finite number")
        return value
    if cls is float and type(value) is int and abs(value) <= 2**53:
        return float(value)
    quoted = cls in (int, float) and isinstance(value, str) and value.strip("+-.0123456789") == ""
    raise _refused(value, _KINDS[cls], "; leave out the quotes" if quoted else "")


def _read_bytes(value: Any, _cls: type) -> bytes:
    try:
        return bytes.fromhex(_read_scalar(value, str))
    except ValueError:
        raise _refused(value, _KINDS[bytes]) from None


def _read_path(value: Any, _cls: type) -> Path:
    if isinstance(value, Path):
        return value
    return Path(_read_scalar(value, str))


def _exact_text(value: Any) -> str:
    if type(value) is int:
        return str(value)
    if type(value) is float:
        raise _refused(value, "an exact number", f'; write it in quotes: "{value}"')
    if type(value) is not str:
        raise _refused(value, 'an exact number in quotes, such as "101.50"')
    return value


def _read_decimal(value: Any, _cls: type) -> Decimal:
    if isinstance(value, Decimal):
        return value
    text = _exact_text(value)
    exponent_of_text(text)  # refuses blanks, underscores, NaN and infinities
    return Decimal(text)


def _read_number(value: Any, cls: type[Exact]) -> Exact:
    return value if isinstance(value, cls) else cls.of(_exact_text(value))


def _read_enum(value: Any, cls: type[Enum]) -> Enum:
    if isinstance(value, cls):
        return value
    names = {_member_name(member): member for member in cls}
    if type(value) is not str:
        raise _refused(value, f"one of {', '.join(names)}")
    if value not in names:
        raise _misfit(f"unknown {cls.__name__} {value!r}{_nearest(value, list(names))}")
    return names[value]


def _read_flags(value: Any, cls: type[Flag]) -> Flag:
    if isinstance(value, cls):
        return value
    if not isinstance(value, list | tuple):
        raise _refused(value, "a list of names")
    flags = cls(0)
    for name in value:
        member = _read_enum(name, cls)
        flags |= cls(member.value)
    return flags


def _member_name(member: Enum) -> str:
    return str(member.value) if isinstance(member, StrEnum) else member.name.lower()


def _read_anything(value: Any, _cls: object) -> Any:
    return value


def _read_literal(value: Any, cls: Any) -> Any:
    for known in get_args(cls):
        if type(value) is type(known) and value == known:
            return value
    raise _refused(value, f"one of {', '.join(map(repr, get_args(cls)))}")


def _read_tuple(value: Any, cls: Any) -> tuple[Any, ...]:
    members = get_args(cls)
    if members[1:] == (Ellipsis,):
        return tuple(_read_items(value, members[:1]))
    if isinstance(value, list | tuple) and len(value) != len(members):
        raise _refused(value, f"{len(members)} items")
    return tuple(_read_items(value, members))


def _read_list(value: Any, cls: Any) -> list[Any] | tuple[Any, ...]:
    items = _read_items(value, get_args(cls))
    return items if get_origin(cls) is list else tuple(items)


def _read_items(value: Any, members: tuple[Any, ...]) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _refused(value, "a list")
    places = [(f"[{place}]", item) for place, item in enumerate(value)]
    return _read_each(places, members * len(places) if len(members) == 1 else members)


def _read_mapping(value: Any, cls: Any) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise _refused(value, "a table")
    kind, member = get_args(cls)
    names = [str(name) for name in value]
    keys = _read_each(list(zip(names, value, strict=True)), (kind,) * len(names))
    items = _read_each(list(zip(names, value.values(), strict=True)), (member,) * len(names))
    return dict(zip(keys, items, strict=True))


def _read_each(places: list[tuple[str, Any]], members: tuple[Any, ...]) -> list[Any]:
    """Read values one by one and report the faults of all of them together."""
    built: list[Any] = []
    faults: list[tuple[str, str]] = []
    for (place, item), member in zip(places, members, strict=True):
        try:
            built.append(_CONVERTER.structure(item, member))
        except Exception as error:  # noqa: BLE001 - a plugin's own validators may raise anything
            faults.extend(_faults(error, place))
    if faults:
        raise ValidationError(faults)
    return built


def _table_reader(cls: type, converter: Converter) -> Callable[[Any, Any], Any]:
    read: Callable[[Any, Any], Any] = make_dict_structure_fn(
        attrs.resolve_types(cls),
        converter,
        _cattrs_forbid_extra_keys=True,
        _cattrs_detailed_validation=True,
        _cattrs_use_alias=True,
    )

    def read_table(value: Any, _cls: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise _refused(value, f"a table of {cls.__name__}")
        return read(dict(value), cls)

    return read_table


def _write_flags(value: Flag) -> list[str]:
    return [_member_name(member) for member in value]


def _write_items(value: Any) -> list[Any]:
    return [_CONVERTER.unstructure(item) for item in value]


def _write_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    write = _CONVERTER.unstructure
    return {str(write(key)): write(item) for key, item in value.items()}


def _write_table(value: Any) -> dict[str, Any]:
    fields = [field for field in attrs.fields(type(value)) if field.init]
    return {field.alias: _CONVERTER.unstructure(getattr(value, field.name)) for field in fields}


def _new_converter() -> Converter:
    new = Converter(detailed_validation=True)
    for scalar in (bool, int, float, str):
        new.register_structure_hook(scalar, _read_scalar)
    new.register_structure_hook(bytes, _read_bytes)
    new.register_structure_hook(Path, _read_path)
    new.register_structure_hook(Decimal, _read_decimal)
    for number in (Price, Quantity, Money):
        new.register_structure_hook(number, _read_number)
        new.register_unstructure_hook(number, _write_number)
    for enum in (Enum, IntEnum, StrEnum):
        new.register_structure_hook(enum, _read_enum)
        new.register_unstructure_hook(enum, _member_name)
    for flags in (Flag, IntFlag):
        new.register_structure_hook(flags, _read_flags)
        new.register_unstructure_hook(flags, _write_flags)
    new.register_unstructure_hook(bytes, bytes.hex)
    new.register_unstructure_hook(Decimal, str)
    # predicates: asked last to first, and only for what has no hook of its own above
    new.register_structure_hook_factory(attrs.has, _table_reader)
    new.register_unstructure_hook_func(attrs.has, _write_table)
    new.register_structure_hook_func(lambda cls: cls is object, _read_anything)
    new.register_structure_hook_func(lambda cls: _origin(cls) is Literal, _read_literal)
    new.register_structure_hook_func(lambda cls: _origin(cls) is tuple, _read_tuple)
    new.register_structure_hook_func(lambda cls: _origin(cls) in (list, Sequence), _read_list)
    new.register_structure_hook_func(lambda cls: _origin(cls) in (dict, Mapping), _read_mapping)
    new.register_unstructure_hook_func(lambda cls: cls in (tuple, list), _write_items)
    new.register_unstructure_hook_func(lambda cls: issubclass(cls, Mapping), _write_mapping)
    return new


def _origin(cls: Any) -> Any:
    return get_origin(cls)


def _write_number(value: Price | Quantity | Money) -> str:
    return value.text


_CONVERTER: Final = _new_converter()
