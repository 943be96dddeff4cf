"""What a message says before its numbers are scaled: the output of the slow decoder."""

import re
from typing import Final, NamedTuple

import attrs

from bot4_core.domain_types.number_text import exponent_of_text, scaled_from_text
from bot4_core.domain_types.records import EventKind
from bot4_core.errors import DecodeError
from bot4_core.kernels.wire import LONGEST_DECIMAL

__all__ = [
    "DraftEvent",
    "DraftMessage",
    "DraftValue",
    "PriceText",
    "SizeText",
    "amount_text",
    "fixed_amount",
    "is_zero",
    "price_text",
    "significant_exponent",
    "size_text",
]

_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?", re.ASCII)


class PriceText(NamedTuple):
    """A price as the venue wrote it."""

    text: str


class SizeText(NamedTuple):
    """A size as the venue wrote it."""

    text: str


DraftValue = int | PriceText | SizeText


@attrs.frozen(kw_only=True)
class DraftEvent:
    """One event record to be; the fields have the meaning of the kind's (see ``EventKind``)."""

    kind: EventKind
    time: int = 0
    price: DraftValue = 0
    size: DraftValue = 0
    sequence: DraftValue = -1
    aux: DraftValue = -1
    link: DraftValue = -1
    side: int = 0
    flags: int = 0

    @property
    def values(self) -> tuple[DraftValue, ...]:
        """The fields that may need scaling, in the order of the record."""
        return (self.price, self.size, self.sequence, self.aux, self.link)


@attrs.frozen(kw_only=True)
class DraftMessage:
    """All events of one message, of one symbol; an empty symbol stands for the subject."""

    symbol: str
    events: tuple[DraftEvent, ...]

    def exponents(self) -> tuple[int, int]:
        """Return the exponents of the last significant digits of all prices and of all sizes."""
        price_exponent = size_exponent = 0
        for event in self.events:
            for value in event.values:
                if isinstance(value, PriceText):
                    price_exponent = min(price_exponent, significant_exponent(value.text))
                elif isinstance(value, SizeText):
                    size_exponent = min(size_exponent, significant_exponent(value.text))
        return price_exponent, size_exponent


def significant_exponent(text: str) -> int:
    """Return the exponent of the last digit that is not a zero after the point."""
    mantissa, _, power = text.lower().partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return exponent_of_text(f"{mantissa}e{power or 0}") if mantissa.strip("-0.") else 0


def amount_text(text: str, what: str) -> str:
    """Check that text is a finite decimal number of sane length and return it."""
    if len(text.removeprefix("-")) > LONGEST_DECIMAL or _DECIMAL.fullmatch(text) is None:
        raise DecodeError(f"{what} {text[:80]!r} is not a decimal number")
    return text


def is_zero(text: str) -> bool:
    """Return whether a checked amount is zero."""
    return _sign(text) == 0


def _sign(text: str) -> int:
    mantissa = text.lower().partition("e")[0]
    if not mantissa.strip("-0."):
        return 0
    return -1 if mantissa[0] == "-" else 1


def price_text(text: str, what: str = "price", *, zero: bool = False) -> PriceText:
    """Check that text is a price: above zero, or zero where ``zero`` allows it."""
    sign = _sign(amount_text(text, what))
    if sign < 0 or (sign == 0 and not zero):
        raise DecodeError(f"{what} {text} is not above zero")
    return PriceText(text)


def size_text(text: str, what: str = "size", *, zero: bool = True) -> SizeText:
    """Check that text is a size: zero or more, or above zero unless ``zero`` allows it."""
    sign = _sign(amount_text(text, what))
    if sign < 0 or (sign == 0 and not zero):
        raise DecodeError(f"{what} {text} is not {'zero or more' if zero else 'above zero'}")
    return SizeText(text)


def fixed_amount(text: str, what: str, exponent: int) -> int:
    """Read a decimal at a fixed exponent, exactly."""
    return scaled_from_text(amount_text(text, what), exponent)
