"""exp, log, expm1, log1p and tanh with the same bits compiled, interpreted and everywhere.

The C library and vector libraries differ in the last bits between machines, so decisions would
too. These use additions, multiplications and divisions in a fixed order, and nothing else. The
tested error bounds, in units in the last place of the result, are 0.65 for `exp`, 1 for `log`,
`log1p` and `expm1`, 2.5 for `tanh`; square roots may use ``math.sqrt``, which IEEE 754 rounds
correctly.

References
----------
.. [1] Cody, W. J. and Waite, W. (1980). Software Manual for the Elementary Functions,
   Prentice-Hall, chapters 4 to 6 (two-part argument reduction).
"""

from typing import Final

from bot4_core.jit import kernel
from bot4_core.kernels.bits import bits_of, float_of

__all__ = ["exp", "expm1", "log", "log1p", "tanh"]

NAN: Final = float("nan")
INFINITY: Final = float("inf")
INVERSE_LN2: Final = float.fromhex("0x1.71547652b82fep+0")
LN2_HIGH: Final = float.fromhex("0x1.62e42fee00000p-1")  # 32 bits, so that k * LN2_HIGH is exact
LN2_LOW: Final = float.fromhex("0x1.a39ef35793c76p-33")
EXP_HIGHEST: Final = 709.782712893384  # above it exp overflows
EXP_LOWEST: Final = -745.1332191019412  # below it exp is zero
EXPM1_LOWEST: Final = -37.5  # below it expm1 rounds to -1
SQRT_HALF_BITS: Final = 0x3FE6A09E00000000
ONE_BITS: Final = 0x3FF0000000000000
FRACTION_MASK: Final = 0x000FFFFFFFFFFFFF
TINY: Final = 1e-17  # expm1 and log1p return such an argument itself
SMALLEST_NORMAL: Final = 2.2250738585072014e-308
TWO_54: Final = 18014398509481984.0


@kernel()
def _power_of_two(exponent: int) -> float:
    """Return ``2 ** exponent`` for exponents from -1022 to 1023."""
    return float_of((exponent + 1023) << 52)


@kernel()
def _exponential_tail(r: float) -> float:
    """Return ``exp(r) - 1 - r`` for ``|r| <= 0.35``: Taylor terms 2 to 13, even and odd apart."""
    z = r * r
    even = 1.0 / 479001600.0
    even = 1.0 / 3628800.0 + z * even
    even = 1.0 / 40320.0 + z * even
    even = 1.0 / 720.0 + z * even
    even = 1.0 / 24.0 + z * even
    even = 0.5 + z * even
    odd = 1.0 / 6227020800.0
    odd = 1.0 / 39916800.0 + z * odd
    odd = 1.0 / 362880.0 + z * odd
    odd = 1.0 / 5040.0 + z * odd
    odd = 1.0 / 120.0 + z * odd
    odd = 1.0 / 6.0 + z * odd
    return z * (even + r * odd)


@kernel()
def _nearest_power(x: float) -> int:
    """Return the integer k that leaves ``|x - k ln 2|`` smallest."""
    scaled = x * INVERSE_LN2
    return int(scaled + 0.5) if scaled >= 0.0 else -int(0.5 - scaled)


@kernel()
def exp(x: float) -> float:
    """Return e to the power x.

    Parameters
    ----------
    x : float

    Returns
    -------
    float
        NaN for NaN, +inf above 709.78, 0.0 below -745.13.
    """
    x = float(x)
    if x != x:  # noqa: PLR0124  # NaN
        return x
    if x > EXP_HIGHEST:
        return INFINITY
    if x < EXP_LOWEST:
        return 0.0
    power = _nearest_power(x)
    high = x - power * LN2_HIGH
    low = power * LN2_LOW
    r = high - low
    lost = (high - r) - low
    one = 1.0 + r
    rest = (1.0 - one) + r
    result = one + (rest + (_exponential_tail(r) + (lost + r * lost)))
    half = power // 2
    return result * _power_of_two(half) * _power_of_two(power - half)


@kernel()
def expm1(x: float) -> float:
    """Return ``exp(x) - 1`` without losing digits near zero.

    Parameters
    ----------
    x : float

    Returns
    -------
    float
        NaN for NaN, +inf above 709.78, -1.0 below -37.5.
    """
    x = float(x)
    if x != x or abs(x) < TINY:  # noqa: PLR0124  # NaN
        return x
    if x > EXP_HIGHEST:
        return INFINITY
    if x < EXPM1_LOWEST:
        return -1.0
    power = _nearest_power(x)
    high = x - power * LN2_HIGH
    low = power * LN2_LOW
    r = high - low
    lost = (high - r) - low
    tail = _exponential_tail(r) + (lost + r * lost)
    if power == 0:
        return r + tail
    if power > 60:
        return exp(x)
    one = 1.0 - _power_of_two(-power)
    result = one + r
    rest = (one - result) + r if abs(one) >= abs(r) else (r - result) + one
    return (result + (rest + tail)) * _power_of_two(power)


@kernel()
def _log_of_ratio(f: float, power: int, low: float) -> float:
    """Return ``power ln 2 + log(1 + f) + low`` for f in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    s = f / (2.0 + f)
    z = s * s
    series = 2.0 / 23.0
    series = 2.0 / 21.0 + z * series
    series = 2.0 / 19.0 + z * series
    series = 2.0 / 17.0 + z * series
    series = 2.0 / 15.0 + z * series
    series = 2.0 / 13.0 + z * series
    series = 2.0 / 11.0 + z * series
    series = 2.0 / 9.0 + z * series
    series = 2.0 / 7.0 + z * series
    series = 2.0 / 5.0 + z * series
    series = z * (2.0 / 3.0 + z * series)
    half_square = 0.5 * f * f
    return power * LN2_HIGH - (
        (half_square - (s * (half_square + series) + (power * LN2_LOW + low))) - f
    )


@kernel()
def log(x: float) -> float:
    """Return the natural logarithm.

    Parameters
    ----------
    x : float

    Returns
    -------
    float
        -inf at zero, NaN below zero and for NaN, +inf for +inf.
    """
    x = float(x)
    if x == 0.0:
        return -INFINITY
    if not x > 0.0:
        return NAN
    if x == INFINITY:
        return x
    power = 0
    if x < SMALLEST_NORMAL:
        x *= TWO_54
        power = -54
    shifted = bits_of(x) + (ONE_BITS - SQRT_HALF_BITS)
    power += (shifted >> 52) - 1023
    mantissa = float_of((shifted & FRACTION_MASK) + SQRT_HALF_BITS)
    return _log_of_ratio(mantissa - 1.0, power, 0.0)


@kernel()
def log1p(x: float) -> float:
    """Return ``log(1 + x)`` without losing digits near zero.

    Parameters
    ----------
    x : float

    Returns
    -------
    float
        -inf at -1, NaN below -1 and for NaN, +inf for +inf.
    """
    x = float(x)
    if x == -1.0:
        return -INFINITY
    if not x > -1.0:
        return NAN
    if x == INFINITY:
        return x
    if -0.29 < x < 0.41:
        return x if abs(x) < TINY else _log_of_ratio(x, 0, 0.0)
    one = 1.0 + x
    lost = (1.0 - (one - x)) if x > 1.0 else (x - (one - 1.0))
    shifted = bits_of(one) + (ONE_BITS - SQRT_HALF_BITS)
    power = (shifted >> 52) - 1023
    mantissa = float_of((shifted & FRACTION_MASK) + SQRT_HALF_BITS)
    return _log_of_ratio(mantissa - 1.0, power, lost / one)


@kernel()
def tanh(x: float) -> float:
    """Return the hyperbolic tangent.

    Parameters
    ----------
    x : float

    Returns
    -------
    float
        NaN for NaN, -1.0 or 1.0 beyond 22.
    """
    x = float(x)
    size = abs(x)
    if size > 22.0:
        return 1.0 if x > 0.0 else -1.0
    if size < 1e-9:
        return x
    if size >= 1.0:
        result = 1.0 - 2.0 / (expm1(2.0 * size) + 2.0)
    else:
        down = expm1(-2.0 * size)
        result = -down / (down + 2.0)
    return result if x > 0.0 else -result
