"""Whether a value is what its field's annotation says."""

from types import UnionType
from typing import Literal, NewType, Union, get_args, get_origin

__all__ = ["type_fault", "type_name"]


def type_fault(value: object, hint: object) -> str | None:
    """Return what is wrong about a value's type, or None.

    Strict where numbers are concerned: no bool for an int, no numpy scalar for an int (it would
    wrap), and an int for a float only because nothing is lost. Annotations with no run-time
    meaning pass.
    """
    if _fits(value, hint):
        return None
    return f"{value!r} is {type_name(type(value))}, expected {type_name(hint)}"


def type_name(hint: object) -> str:
    """Return an annotation as a reader would write it."""
    if isinstance(hint, NewType):
        return hint.__name__
    members = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(type_name(member) for member in members)
    if hint is type(None):
        return "nothing"
    if isinstance(hint, type) and not members:
        return hint.__name__
    return str(hint).replace("typing.", "")


def _fits(value: object, hint: object) -> bool:
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, member) for member in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is tuple:
        return isinstance(value, tuple) and _fits_tuple(value, get_args(hint))
    if origin is not None:
        return not isinstance(origin, type) or isinstance(value, origin)
    if hint in (int, float):
        return type(value) is hint or (hint is float and type(value) is int)
    return not isinstance(hint, type) or isinstance(value, hint)


def _fits_tuple(value: tuple[object, ...], members: tuple[object, ...]) -> bool:
    if len(members) == 2 and members[1] is Ellipsis:
        return all(_fits(item, members[0]) for item in value)
    return len(value) == len(members) and all(map(_fits, value, members))
