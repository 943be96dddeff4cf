"""Bare units and exact numbers: price, quantity, money.

The three numbers are integers times a power of ten. They compare by number, not by
representation; they never compare equal to each other; and no operation rounds or wraps unless
it is told how: what cannot be exact in 64 bits raises.
"""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from operator import index
from typing import ClassVar, Final, NewType, Self, SupportsIndex, TypeVar, overload

import attrs

from bot4_core.domain_types.number_text import (
    INT64_MAX,
    exponent_of_text,
    scaled_from_text,
    text_from_scaled,
)
from bot4_core.errors import NumberOverflowError, PrecisionError

__all__ = [
    "EXPONENT_LIMIT",
    "TIME_UNKNOWN",
    "ClientOrderId",
    "InstrumentId",
    "Money",
    "Nanoseconds",
    "OrderNumber",
    "Price",
    "Quantity",
    "Rounding",
    "Symbol",
    "VenueName",
    "divide_rounded",
    "quantise",
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
"""An instrument's name as its venue spells it."""
VenueName = NewType("VenueName", str)
"""A venue's name as its plugin spells it."""

TIME_UNKNOWN: Final = Nanoseconds(0)
"""The time of something whose time nobody told."""
EXPONENT_LIMIT: Final = 40
"""Largest exponent of a number, and largest negated: room for two 18-decimal factors."""


class Rounding(StrEnum):
    """Which neighbour an inexact result becomes."""

    FLOOR = "floor"
    CEILING = "ceiling"
    TOWARD_ZERO = "toward_zero"
    HALF_EVEN = "half_even"


def divide_rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Divide two integers and round the quotient as told.

    Raises
    ------
    ZeroDivisionError
        If the denominator is zero.
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    floor, rest = divmod(numerator, denominator)
    if rest == 0 or rounding is Rounding.FLOOR:
        return floor
    if rounding is Rounding.CEILING:
        return floor + 1
    if rounding is Rounding.TOWARD_ZERO:
        return floor + (floor < 0)
    return floor + (2 * rest + floor % 2 > denominator)


def quantise(value: int, step: int, rounding: Rounding) -> int:
    """Move a scaled integer to a multiple of ``step``, both at one exponent.

    Raises
    ------
    PrecisionError
        If the step is not above zero.
    NumberOverflowError
        If the multiple leaves 64 bits.
    """
    if step <= 0:
        raise PrecisionError(f"step {step} is not above zero")
    result = divide_rounded(value, step, rounding) * step
    if not -INT64_MAX <= result <= INT64_MAX:
        raise NumberOverflowError(f"{value} quantised to {step} leaves 64 bits")
    return result


@attrs.frozen(eq=False, init=False)
class _Scaled:
    """An integer times a power of ten; see the table in ``docs/reference/types.md``."""

    value: int
    exponent: int
    # numpy scalars on the left must leave the operation to us: they would wrap
    __array_ufunc__: ClassVar[None] = None

    def __init__(self, value: SupportsIndex, exponent: SupportsIndex) -> None:
        whole, power = index(value), index(exponent)
        if not -INT64_MAX <= whole <= INT64_MAX:
            raise NumberOverflowError(f"{whole} at exponent {power} leaves 64 bits")
        if not -EXPONENT_LIMIT <= power <= EXPONENT_LIMIT:
            raise PrecisionError(f"exponent {power} is not within ±{EXPONENT_LIMIT}")
        object.__setattr__(self, "value", whole)
        object.__setattr__(self, "exponent", power)

    @classmethod
    def parse(cls, text: str, exponent: int) -> Self:
        """Read decimal text at an exponent, exactly.

        Raises
        ------
        PrecisionError
            If the text is no finite decimal number or has digits below the exponent.
        NumberOverflowError
            If the integer leaves 64 bits.
        """
        return cls(scaled_from_text(text, exponent), exponent)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read decimal text at the exponent of its last digit: ``of("1.50").exponent`` is -2.

        Raises
        ------
        PrecisionError, NumberOverflowError
            As ``parse`` does.
        """
        return cls.parse(text, exponent_of_text(text))

    @property
    def decimal(self) -> Decimal:
        """The number as an exact ``Decimal``, whatever the current decimal context."""
        digits = tuple(map(int, str(abs(self.value))))
        return Decimal((int(self.value < 0), digits, self.exponent))

    @property
    def fraction(self) -> Fraction:
        """The number as an exact ``Fraction``."""
        if self.exponent < 0:
            return Fraction(self.value, 10**-self.exponent)
        return Fraction(self.value * 10**self.exponent)

    @property
    def sign(self) -> int:
        """-1, 0 or 1."""
        return (self.value > 0) - (self.value < 0)

    @property
    def text(self) -> str:
        """Decimal text that ``of`` reads back to the same value *and* exponent."""
        return str(self) if self.exponent <= 0 else f"{self.value}e{self.exponent}"

    def scaled_at(self, exponent: int) -> int:
        """Return the integer that stands for this number at another exponent.

        Raises
        ------
        PrecisionError
            If the number has digits below the exponent.
        NumberOverflowError
            If the integer leaves 64 bits.
        """
        if exponent == self.exponent:
            return self.value
        return self.rescaled(exponent).value

    def rescaled(self, exponent: int, rounding: Rounding | None = None) -> Self:
        """Return the number at another exponent, exactly unless a rounding is named.

        Raises
        ------
        PrecisionError
            If the number has digits below the exponent and no rounding is named.
        NumberOverflowError
            If the integer leaves 64 bits.
        """
        up, down = _factors(self.exponent, exponent)
        value = self.value * up
        if rounding is not None:
            return type(self)(divide_rounded(value, down, rounding), exponent)
        if value % down:
            raise PrecisionError(f"{self} has digits below 1e{exponent}; name a rounding")
        return type(self)(value // down, exponent)

    def quantised(self, step: Self, rounding: Rounding) -> Self:
        """Return the neighbouring multiple of ``step``, at the step's exponent.

        Raises
        ------
        PrecisionError
            If the step is not above zero.
        NumberOverflowError
            If the result leaves 64 bits.
        """
        if step.value <= 0:
            raise PrecisionError(f"step {step} is not above zero")
        up, down = _factors(self.exponent, step.exponent)
        steps = divide_rounded(self.value * up, step.value * down, rounding)
        return type(self)(steps * step.value, step.exponent)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__ or not isinstance(other, _Scaled):
            return NotImplemented
        left, right, _ = _aligned(self, other)
        return left == right

    def __hash__(self) -> int:
        value, exponent = _stripped(self.value, self.exponent)
        return hash((self.__class__, value, exponent))

    def __lt__(self, other: Self) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        left, right, _ = _aligned(self, other)
        return left < right

    def __le__(self, other: Self) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        left, right, _ = _aligned(self, other)
        return left <= right

    def __gt__(self, other: Self) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        left, right, _ = _aligned(self, other)
        return left > right

    def __ge__(self, other: Self) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        left, right, _ = _aligned(self, other)
        return left >= right

    def __add__(self, other: Self) -> Self:
        if other.__class__ is not self.__class__:
            return NotImplemented
        left, right, exponent = _aligned(self, other)
        return _exact(type(self), left + right, exponent)

    def __sub__(self, other: Self) -> Self:
        if other.__class__ is not self.__class__:
            return NotImplemented
        left, right, exponent = _aligned(self, other)
        return _exact(type(self), left - right, exponent)

    def __truediv__(self, other: Self) -> Fraction:
        if other.__class__ is not self.__class__:
            return NotImplemented
        left, right, _ = _aligned(self, other)
        return Fraction(left, right)

    def __rmul__(self, other: int) -> Self:
        if not isinstance(other, int):
            return NotImplemented
        return _exact(type(self), self.value * other, self.exponent)

    def __neg__(self) -> Self:
        return type(self)(-self.value, self.exponent)

    def __abs__(self) -> Self:
        return type(self)(abs(self.value), self.exponent)

    def __str__(self) -> str:
        return text_from_scaled(self.value, self.exponent)


N = TypeVar("N", bound=_Scaled)


def _factors(own: int, wanted: int) -> tuple[int, int]:
    """Return what to multiply and then divide by to go from one exponent to another."""
    return int(10 ** max(own - wanted, 0)), int(10 ** max(wanted - own, 0))


def _aligned(left: _Scaled, right: _Scaled) -> tuple[int, int, int]:
    if left.exponent == right.exponent:
        return left.value, right.value, left.exponent
    exponent = min(left.exponent, right.exponent)
    up_left, up_right = 10 ** (left.exponent - exponent), 10 ** (right.exponent - exponent)
    return int(left.value * up_left), int(right.value * up_right), exponent


def _stripped(value: int, exponent: int) -> tuple[int, int]:
    """Move trailing zeros from the value to the exponent: one form for each number."""
    if value == 0:
        return 0, 0
    while value % 10 == 0:
        value //= 10
        exponent += 1
    return value, exponent


def _exact(kind: type[N], value: int, exponent: int) -> N:
    """Build a result, giving up trailing zeros (never digits) where 64 bits ask for it."""
    while not -INT64_MAX <= value <= INT64_MAX and value % 10 == 0:
        value //= 10
        exponent += 1
    return kind(value, exponent)


@attrs.frozen(eq=False, init=False)
class Price(_Scaled):
    """Quote units for one base unit (or one contract); a difference of prices is one too."""

    @overload
    def __mul__(self, other: int) -> Self: ...
    @overload
    def __mul__(self, other: "Quantity") -> "Money": ...
    def __mul__(self, other: "int | Quantity") -> "Self | Money":
        if isinstance(other, int):
            return _exact(type(self), self.value * other, self.exponent)
        if not isinstance(other, Quantity):
            return NotImplemented
        return _exact(Money, self.value * other.value, self.exponent + other.exponent)


@attrs.frozen(eq=False, init=False)
class Quantity(_Scaled):
    """Base units or contracts; signed where it is a position."""

    @overload
    def __mul__(self, other: int) -> Self: ...
    @overload
    def __mul__(self, other: Price) -> "Money": ...
    def __mul__(self, other: int | Price) -> "Self | Money":
        if isinstance(other, int):
            return _exact(type(self), self.value * other, self.exponent)
        if not isinstance(other, Price):
            return NotImplemented
        return other * self


@attrs.frozen(eq=False, init=False)
class Money(_Scaled):
    """An amount of one asset; which one, its owner says."""

    def __mul__(self, other: int) -> Self:
        if not isinstance(other, int):
            return NotImplemented
        return _exact(type(self), self.value * other, self.exponent)

    def per(self, size: Quantity, exponent: int, rounding: Rounding) -> Price:
        """Return the price at which ``size`` costs this much, at an exponent.

        Raises
        ------
        ZeroDivisionError
            If the size is zero.
        NumberOverflowError
            If the price leaves 64 bits.
        """
        up, down = _factors(self.exponent - size.exponent, exponent)
        return Price(divide_rounded(self.value * up, size.value * down, rounding), exponent)
