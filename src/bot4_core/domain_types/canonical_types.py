"""Bare units and exact numbers: price, quantity, money."""

from decimal import Decimal
from typing import Final, NewType, Self

import attrs

from bot4_core.errors import NumberOverflowError, PrecisionError

__all__ = [
    "ClientOrderId",
    "InstrumentId",
    "Money",
    "Nanoseconds",
    "OrderNumber",
    "Price",
    "Quantity",
    "Symbol",
    "VenueName",
    "scaled_from_text",
    "text_from_scaled",
]

Nanoseconds = NewType("Nanoseconds", int)
"""UTC time since 1970-01-01, or a span."""
InstrumentId = NewType("InstrumentId", int)
"""Row of the session's instrument table."""
OrderNumber = NewType("OrderNumber", int)
"""Dense number of an order within one run, from 1."""
ClientOrderId = NewType("ClientOrderId", str)
"""32 lower-case hexadecimal digits: 16 of the run, 16 of the order number."""
Symbol = NewType("Symbol", str)
VenueName = NewType("VenueName", str)

INT64_MAX: Final = 2**63 - 1


def scaled_from_text(text: str, exponent: int) -> int:
    """Read decimal text as an integer times ``10 ** exponent``, exactly.

    Raises
    ------
    PrecisionError
        If the text is no finite decimal number or has digits below the exponent.
    NumberOverflowError
        If the integer leaves 64 bits.
    """
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise PrecisionError(f"{text!r} is not a decimal number") from None
    if not number.is_finite():
        raise PrecisionError(f"{text!r} is not finite")
    sign, digits, own_exponent = number.as_tuple()
    shift = int(own_exponent) - exponent
    value = int("".join(map(str, digits)) or "0")
    if value and shift > 40:
        raise NumberOverflowError(f"{text} at exponent {exponent} leaves 64 bits")
    if shift >= 0:
        value *= int(10**shift)
    else:
        value, rest = divmod(value, int(10**-shift))
        if rest:
            raise PrecisionError(f"{text} has digits below 1e{exponent}")
    if value > INT64_MAX:
        raise NumberOverflowError(f"{text} at exponent {exponent} leaves 64 bits")
    return -value if sign else value


def text_from_scaled(value: int, exponent: int) -> str:
    """Write an integer times ``10 ** exponent`` as plain decimal text, never in E notation."""
    return format(Decimal(value).scaleb(exponent), "f")


@attrs.frozen(order=False, eq=False)
class _Scaled:
    value: int
    exponent: int

    @classmethod
    def parse(cls, text: str, exponent: int) -> Self:
        """Read decimal text at an exponent, exactly."""
        return cls(scaled_from_text(text, exponent), exponent)

    @property
    def decimal(self) -> Decimal:
        """The number as an exact ``Decimal``."""
        return Decimal(self.value).scaleb(self.exponent)

    def __str__(self) -> str:
        return text_from_scaled(self.value, self.exponent)


class Price(_Scaled):
    """Quote units for one base unit (or one contract)."""


class Quantity(_Scaled):
    """Base units or contracts; signed where it is a position."""


class Money(_Scaled):
    """An amount of one asset."""
