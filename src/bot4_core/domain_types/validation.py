"""The rules of the domain types, asked once at the edge; inside, values are trusted.

Building a value stays cheap and unchecked (but for the 64-bit range of exact numbers). Whoever
takes a value from outside calls ``validate``; ``convert`` does so for everything it reads.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache, singledispatch
from typing import Final, Never, Protocol, TypeGuard, TypeVar, runtime_checkable

import attrs

from bot4_core.domain_types._account_rules import ACCOUNT_RULES
from bot4_core.domain_types._field_types import type_fault
from bot4_core.domain_types._market_rules import MARKET_RULES
from bot4_core.domain_types._order_rules import ORDER_RULES, link_faults, order_faults
from bot4_core.domain_types._rule import Faults
from bot4_core.domain_types.canonical_types import Money, Price, Quantity
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import OrderIntent, OrderLink
from bot4_core.errors import ValidationError

__all__ = ["HasRules", "faults_of", "validate", "validate_link", "validate_order"]

T = TypeVar("T")


@runtime_checkable
class HasRules(Protocol):
    """A class from outside this package (settings, say) that brings rules of its own."""

    def faults(self) -> Faults:
        """Yield a ``(path, message)`` for every broken rule."""
        ...


def validate(value: T) -> T:
    """Check a value and everything inside it.

    Parameters
    ----------
    value : T
        An attrs object, or a tuple, list or mapping of such.

    Returns
    -------
    T
        The value itself.

    Raises
    ------
    ValidationError
        With every fault at once, each with its path, such as ``bids[3].price``.
    """
    return _settled(value, faults_of(value))


def validate_order(intent: OrderIntent, instrument: Instrument) -> OrderIntent:
    """Check an order, and that it fits its instrument's grid, minimums and status.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    faults = [*faults_of(intent), *faults_of(instrument, "instrument")]
    return _settled(intent, faults or list(order_faults(intent, instrument)))


def validate_link(link: OrderLink, intents: tuple[OrderIntent, ...]) -> OrderLink:
    """Check that linked orders are there and belong together.

    Raises
    ------
    ValidationError
        With every fault at once.
    """
    faults = [*faults_of(link), *faults_of(intents, "orders")]
    return _settled(link, faults or list(link_faults(link, intents)))


def faults_of(value: object, path: str = "") -> list[tuple[str, str]]:
    """Return every broken rule of a value as ``(path, message)``, in field order.

    A field of the wrong type is a fault; the rules of an object with such a field are not asked.

    Parameters
    ----------
    value : object
        An attrs object, or a tuple, list or mapping of such. Anything else has no rules.
    path : str
        Where the value stands; paths of faults start with it.
    """
    return [(place, text) for place, text, _ in _walk(value, path)]


def _settled(value: T, faults: list[tuple[str, str]]) -> T:
    if faults:
        raise ValidationError(faults)
    return value


def _walk(value: object, path: str) -> Iterator[tuple[str, str, bool]]:
    """Yield path, message and whether rules that read the value would stumble over it."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            yield path, f"{value} is not a finite number", True
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk(item, _joined(path, str(key)))
    elif isinstance(value, tuple | list):
        for place, item in enumerate(value):
            yield from _walk(item, f"{path}[{place}]")
    elif attrs.has(type(value)) and not isinstance(value, Price | Quantity | Money):
        yield from _walk_object(value, path)


def _walk_object(value: object, path: str) -> Iterator[tuple[str, str, bool]]:
    sound = True
    kind: type = type(value)
    for name, hint in _fields(kind):
        item: object = getattr(value, name)
        here = _joined(path, name)
        wrong = type_fault(item, hint)
        for place, text, unreadable in [(here, wrong, True)] if wrong else _walk(item, here):
            sound = sound and not unreadable
            yield place, text, unreadable
    if sound:
        own = value.faults() if _has_rules(value) else _rules(value)
        for place, text in own:
            yield _joined(path, place), text, False


def _has_rules(value: object) -> TypeGuard[HasRules]:
    """Tell a class with rules from one that has a field of that name."""
    return isinstance(value, HasRules) and "faults" not in {
        name for name, _ in _fields(type(value))
    }


@cache
def _fields(kind: type) -> tuple[tuple[str, object], ...]:
    fields = attrs.fields(attrs.resolve_types(kind))
    return tuple((field.name, field.type) for field in fields)


def _joined(path: str, place: str) -> str:
    if not path or not place or place.startswith("["):
        return path + place
    return f"{path}.{place}"


@singledispatch
def _rules(_value: object) -> Faults:
    yield from ()


_ALL_RULES: Final[tuple[Callable[[Never], Faults], ...]] = (
    *ACCOUNT_RULES,
    *MARKET_RULES,
    *ORDER_RULES,
)
for _rule in _ALL_RULES:
    _rules.register(_rule)
