"""What a message says before its numbers are scaled: the output of a slow decoder."""

import re
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import Final, NamedTuple

import attrs

from bot4_core.domain_types.number_text import INT64_MAX, exponent_of_text, scaled_from_text
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError, NumberOverflowError
from bot4_core.kernels.wire import LONGEST_DECIMAL

__all__ = [
    "DraftEvent",
    "DraftMessage",
    "DraftValue",
    "FeeText",
    "PriceText",
    "SizeText",
    "amount_text",
    "draft_book",
    "draft_message",
    "fee_text",
    "fixed_amount",
    "is_zero",
    "price_text",
    "rounded_fee",
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


class FeeText(NamedTuple):
    """A fee as the venue wrote it, positive where it is paid, and what it is paid in."""

    text: str
    asset: str


DraftValue = int | PriceText | SizeText | FeeText


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


def fee_text(text: str, asset: str) -> FeeText:
    """Check that text is a fee: any finite number."""
    return FeeText(amount_text(text, "fee"), asset)


def rounded_fee(text: str, exponent: int) -> int:
    """Scale a fee; digits below the exponent are rounded up, so that no cost is lost."""
    scaled = Decimal(text).scaleb(-exponent).to_integral_value(ROUND_CEILING)
    if abs(scaled) > INT64_MAX:
        raise NumberOverflowError(f"{text[:80]} at exponent {exponent} leaves 64 bits")
    return int(scaled)


def draft_message(symbol: str, *events: DraftEvent) -> DraftMessage:
    """Put events together to a message, of which the last is marked."""
    last = attrs.evolve(events[-1], flags=events[-1].flags | EventFlag.LAST)
    return DraftMessage(symbol=symbol, events=(*events[:-1], last))


def draft_book(
    symbol: str,
    levels: Iterable[tuple[Side, str, str]],
    template: DraftEvent,
    *,
    clear: bool,
) -> DraftMessage:
    """Write book levels (side, price, size), each with the template's time, ids and flags.

    Parameters
    ----------
    clear : bool
        Whether the message replaces the book.
    """
    events = [
        attrs.evolve(
            template,
            kind=EventKind.BOOK_SET,
            price=price_text(price),
            size=size_text(size),
            side=int(side),
        )
        for side, price, size in levels
    ]
    first = [attrs.evolve(template, kind=EventKind.BOOK_CLEAR)] if clear else []
    end = attrs.evolve(template, kind=EventKind.BOOK_END, size=len(events))
    return draft_message(symbol, *first, *events, end)
