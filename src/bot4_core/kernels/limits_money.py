"""Exact products and quotients of scaled integers, wider than 64 bits where they must be.

Every function takes non-negative integers below ``LARGEST`` and answers ``TOO_LARGE`` where the
result would leave that range, so that the caller can fail closed.
"""

from typing import Final

from bot4_core.jit import kernel

__all__ = ["LARGEST", "TOO_LARGE", "even_ratio", "exact_ratio", "notional", "worth"]

LARGEST: Final = 2**62 - 1
TOO_LARGE: Final = -1
HALF: Final = 31
MASK: Final = 2**31 - 1


@kernel(inline=True)
def wide_product(a: int, b: int) -> tuple[int, int]:
    """Return ``a * b`` as ``high * 2**62 + low``, by halves of 31 bits."""
    a1, a0 = a >> HALF, a & MASK
    b1, b0 = b >> HALF, b & MASK
    lowest = a0 * b0
    middle = a0 * b1 + (lowest >> HALF)
    other = a1 * b0 + (middle & MASK)
    high = a1 * b1 + (middle >> HALF) + (other >> HALF)
    return high, ((other & MASK) << HALF) | (lowest & MASK)


@kernel(inline=True)
def wide_quotient(high: int, low: int, divisor: int) -> tuple[int, int]:
    """Return quotient and remainder of ``high * 2**62 + low`` for ``high < divisor``."""
    rest = high
    quotient = 0
    for bit in range(61, -1, -1):
        rest = (rest << 1) | ((low >> bit) & 1)
        quotient <<= 1
        if rest >= divisor:
            rest -= divisor
            quotient |= 1
    return quotient, rest


@kernel()
def ratio(a: int, b: int, divisor: int) -> tuple[int, int]:
    """Return quotient and remainder of ``a * b / divisor``.

    Cost is two divisions where the product fits 62 bits, about 100 ns where it does not.
    """
    if a == 0 or b == 0:
        return 0, 0
    if a <= LARGEST // b:
        product = a * b
        quotient = product // divisor
        return quotient, product - quotient * divisor
    high, low = wide_product(a, b)
    if high >= divisor:
        return TOO_LARGE, 0
    return wide_quotient(high, low, divisor)


@kernel()
def even_ratio(a: int, b: int, divisor: int) -> int:
    """Return ``a * b / divisor`` rounded to the nearest, halves to the even one."""
    quotient, rest = ratio(a, b, divisor)
    if rest > divisor - rest or (rest == divisor - rest and quotient % 2 == 1):
        quotient += 1
    return quotient if quotient <= LARGEST else TOO_LARGE


@kernel()
def exact_ratio(a: int, b: int, divisor: int, up: int) -> int:
    """Return ``a * b / divisor`` rounded down, or up where ``up`` is 1."""
    quotient, rest = ratio(a, b, divisor)
    if up == 1 and rest > 0:
        quotient += 1
    return quotient if quotient <= LARGEST else TOO_LARGE


@kernel()
def worth(size: int, twice_price: int, scale: tuple[int, int, int], up: int) -> int:
    """Return what a size is worth at half of ``twice_price``, in the account's money units.

    Parameters
    ----------
    size, twice_price : int
        Scaled; the price is doubled so that a mid is exact.
    scale : (numerator, divisor, inverse)
        Money units of one size unit at one half price unit, as a fraction; of an inverse contract
        the money units of one size unit times one half price unit.
    up : int
        1 to round up, 0 to round down.
    """
    numerator, divisor, inverse = scale
    if size > LARGEST // numerator or size > LARGEST or twice_price > LARGEST:
        return TOO_LARGE
    if inverse == 0:
        return exact_ratio(size * numerator, twice_price, divisor, up)
    if twice_price <= 0 or twice_price > LARGEST // divisor:
        return TOO_LARGE
    return exact_ratio(size * numerator, 1, twice_price * divisor, up)


@kernel()
def notional(size: int, twice_price: int, scale: tuple[int, int, int]) -> int:
    """Return the notional value rounded up, the side that is safe for a limit."""
    return worth(size, twice_price, scale, 1)
