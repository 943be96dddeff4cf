"""Decimal text to scaled integers, eight bytes at a time, without intermediate objects.

A text is a buffer of bytes or, in compiled code, its address (see ``wire_bytes``). A scan takes a
position and gives the next one; a position at or beyond ``stop`` ends every scan that follows, so
that callers check once at the end. ``LOST`` is such a position: the text is not of the expected
shape. A scan never reads at or beyond ``stop``. What these functions accept is a subset of JSON
(RFC 8259); what they do not accept is for a slower decoder to judge.
"""

from typing import Final

import numpy as np

from bot4_core.jit import kernel
from bot4_core.kernels.wire_bytes import Text, byte, leading_bytes, word

__all__ = [
    "INEXACT",
    "LONGEST_DECIMAL",
    "LOST",
    "TOO_LARGE",
    "are_zeros",
    "decimal_layout",
    "digit_count",
    "digits_value",
    "is_laid_out",
    "laid_out_digits",
    "peek",
    "scan_count",
    "scan_decimal",
    "scan_short_decimal",
    "scan_signed_decimal",
]

LOST: Final = 1 << 60
"""Position: not the expected text."""
INEXACT: Final = LOST + 1
"""Position: the number has digits below the wanted exponent."""
TOO_LARGE: Final = LOST + 2
"""Position: the scaled number leaves 64 bits."""

LONGEST_DECIMAL: Final = 64
"""Characters of a decimal, sign aside; longer ones are taken for damage and lost."""
POWERS: Final = np.array([10**power for power in range(19)], np.int64)
INT64_MAX: Final = 2**63 - 1
HIGHS: Final = -0x7F7F7F7F7F7F7F80  # 0x80 in each byte, as a signed number
NIBBLES: Final = 0x0F0F0F0F0F0F0F0F
ZEROS: Final = 0x3030303030303030  # eight ASCII zeros
OVER_NINE: Final = 0x7676767676767676  # carries into a byte's high bit from ten upwards
MINUS: Final = ord("-")
DOT: Final = ord(".")
ZERO: Final = ord("0")


@kernel(inline=True)
def peek(text: Text, at: int, stop: int) -> int:
    """Return the byte at a position, 0 at or beyond ``stop``."""
    if at < stop:
        return byte(text, at)
    return 0


@kernel(inline=True)
def _non_digits(eight: int) -> int:
    # high bit of each byte that is no digit; exact up to the first one beyond ASCII
    offset = eight ^ ZEROS
    return ((offset + OVER_NINE) | offset) & HIGHS


@kernel(inline=True)
def digit_count(eight: int) -> int:
    """Return how many of eight bytes, from the first, are decimal digits."""
    return leading_bytes(_non_digits(eight))


@kernel(inline=True)
def digits_value(eight: int, count: int) -> int:
    """Return the number that the first ``count`` (0 to 8) bytes, all digits, spell.

    Pairs, then fours, then eights: three multiplications (Lemire 2022, "Number parsing at a
    gigabyte per second", section 4.5, here without carries between lanes).
    """
    if count == 0:
        return 0
    digits = (eight << (64 - 8 * count)) & NIBBLES
    pairs = (digits & 0x000F000F000F000F) * 10 + ((digits >> 8) & 0x000F000F000F000F)
    fours = (pairs & 0x0000007F0000007F) * 100 + ((pairs >> 16) & 0x0000007F0000007F)
    return (fours & 0x3FFF) * 10000 + (fours >> 32)


@kernel(inline=True)
def _thirteen_digits(text: Text, at: int) -> int:
    """Return the number that thirteen digits spell, 0 for anything else."""
    front, back = word(text, at), word(text, at + 5)
    if (_non_digits(front) | _non_digits(back)) != 0:
        return 0
    return digits_value(front, 8) * 100_000 + digits_value(back >> 24, 5)


@kernel()
def scan_count(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Read a JSON integer from 0 to 10**18 - 1 without sign, fraction or exponent.

    Returns
    -------
    value, next : int
        ``next`` is `LOST` where there is no such integer. The caller checks what follows.

    Notes
    -----
    Times in milliseconds have thirteen digits, and so have most ids; they are tried first, since
    reading on need not wait for a length that was guessed.
    """
    if at + 14 <= stop:
        value = _thirteen_digits(text, at)
        if value >= 10**12 and not ZERO <= byte(text, at + 13) <= ZERO + 9:
            return value, at + 13
    first = at
    value = 0
    while at + 8 <= stop and at - first < 16:
        eight = word(text, at)
        count = digit_count(eight)
        value = value * int(POWERS[count]) + digits_value(eight, count)
        at += count
        if count < 8:
            break
    else:
        while at < stop and ZERO <= byte(text, at) <= ZERO + 9 and at - first < 18:
            value = value * 10 + byte(text, at) - ZERO
            at += 1
    length = at - first
    if length == 0 or (length > 1 and byte(text, first) == ZERO):
        return 0, LOST
    if length == 18 and ZERO <= peek(text, at, stop) <= ZERO + 9:
        return 0, LOST
    return value, at


@kernel(inline=True)
def scan_decimal(text: Text, at: int, stop: int, places: int) -> tuple[int, int]:
    """Read ``digits[.digits]`` as an integer times ``10 ** -places``, exactly.

    Parameters
    ----------
    places : int
        Decimals kept, 0 to 18.

    Returns
    -------
    value, next : int
        ``next`` is `LOST`, `INEXACT` or `TOO_LARGE` where there is no value. The caller checks
        what follows the number.

    Notes
    -----
    Numbers of at most eight characters, point included, cost one load and three
    multiplications; two parts of at most eight digits cost two of each.
    """
    if at + 9 <= stop:
        value, following = scan_short_decimal(text, at, places)
        if following != LOST:
            return value, following
    return _scan_other_decimal(text, at, stop, places)


@kernel(inline=True)
def scan_short_decimal(text: Text, at: int, places: int) -> tuple[int, int]:
    """Read a decimal of at most eight characters; nine bytes must be readable.

    ``next`` is `LOST` for longer ones, inexact ones and more than ten ``places``.
    """
    eight = word(text, at)
    marks = _non_digits(eight)
    whole = leading_bytes(marks)
    if whole in (0, 8) or places > 10:
        return 0, LOST
    if (eight >> (8 * whole)) & 0xFF != DOT:
        return digits_value(eight, whole) * int(POWERS[places]), at + whole
    length = leading_bytes(marks & (marks - 1))
    missing = places - (length - whole - 1)
    kept = length + int(min(missing, 0))
    if length == whole + 1 or not are_zeros(eight, kept, length):
        return 0, LOST
    if length == 8 and ZERO <= byte(text, at + 8) <= ZERO + 9:
        return 0, LOST
    return laid_out_digits(eight, whole, kept) * int(POWERS[max(missing, 0)]), at + length


@kernel(inline=True)
def decimal_layout(eight: int) -> tuple[int, int]:
    """Return where the point of ``digits.digits`` stands and how long that is, at most 8.

    A length of 0 stands for anything else. Numbers of one list are mostly of one layout, and to
    compare with it is faster than to find out (see `is_laid_out`): reading on need not wait.
    """
    marks = _non_digits(eight)
    point = leading_bytes(marks)
    length = leading_bytes(marks & (marks - 1))
    if point in (0, 8) or length == point + 1 or (eight >> (8 * point)) & 0xFF != DOT:
        return 0, 0
    return point, length


@kernel(inline=True)
def is_laid_out(eight: int, point: int, length: int) -> bool:
    """Say whether eight bytes begin with ``length`` characters of such a layout."""
    others = (_non_digits(eight) ^ (0x80 << (8 * point))) & _cover(length)
    return others == 0 and (eight >> (8 * point)) & 0xFF == DOT


@kernel(inline=True)
def are_zeros(eight: int, first: int, end: int) -> bool:
    """Say whether the bytes from ``first`` (at least 1) to before ``end`` are the digit zero."""
    return (eight ^ ZEROS) & (_cover(end) ^ _cover(first)) == 0


@kernel(inline=True)
def _cover(count: int) -> int:
    # all bits of 1 to 8 bytes
    last = 1 << (8 * int(count) - 1)
    return last | (last - 1)


@kernel(inline=True)
def laid_out_digits(eight: int, point: int, length: int) -> int:
    """Return the number that the digits before and after the point spell together.

    ``length`` may leave out the last of them, but not the point.
    """
    front = (1 << (8 * point)) - 1
    # close the gap that the point leaves
    joined = ((eight & front) << 8) | (eight & ~(front << 8 | 0xFF))
    return digits_value(joined, length)


@kernel()
def _scan_other_decimal(text: Text, at: int, stop: int, places: int) -> tuple[int, int]:
    if at + 18 <= stop and places <= 10:
        value, following = _scan_parts(text, at, places)
        if following != LOST:
            return value, following
    return _scan_long_decimal(text, at, stop, places)


@kernel()
def _scan_parts(text: Text, at: int, places: int) -> tuple[int, int]:
    # one to eight digits, a point, one to eight digits
    eight = word(text, at)
    whole = digit_count(eight)
    at += whole
    if whole == 0 or byte(text, at) != DOT:
        return 0, LOST
    value = digits_value(eight, whole) * int(POWERS[places])
    eight = word(text, at + 1)
    count = digit_count(eight)
    kept = min(count, places)
    at += 1 + count
    if count == 0 or (count == 8 and ZERO <= byte(text, at) <= ZERO + 9):
        return 0, LOST
    if count > places and (eight & (NIBBLES >> (64 - 8 * count))) >> (8 * kept):
        return 0, INEXACT
    return value + digits_value(eight, kept) * int(POWERS[places - kept]), at


@kernel()
def _scan_long_decimal(text: Text, at: int, stop: int, places: int) -> tuple[int, int]:
    first = at
    value = 0
    digits = 0
    decimals = -1  # before the point
    inexact = False
    too_large = False
    while at < stop:
        digit = byte(text, at) - ZERO
        if 0 <= digit <= 9:
            digits += 1
            if decimals >= places:
                inexact |= digit > 0
            else:
                too_large |= value > (INT64_MAX - digit) // 10
                value = 0 if too_large else value * 10 + digit
            decimals += decimals >= 0
        elif digit == DOT - ZERO and decimals < 0 and digits > 0:
            decimals = 0
        else:
            break
        at += 1
    if digits == 0 or decimals == 0 or at - first > LONGEST_DECIMAL:
        return 0, LOST
    if inexact:
        return 0, INEXACT
    scale = int(POWERS[max(places - max(decimals, 0), 0)])
    if too_large or value > INT64_MAX // scale:
        return 0, TOO_LARGE
    return value * scale, at


@kernel()
def scan_signed_decimal(text: Text, at: int, stop: int, places: int) -> tuple[int, int]:
    """Read ``[-]digits[.digits]`` like `scan_decimal`."""
    if peek(text, at, stop) == MINUS:
        value, following = scan_decimal(text, at + 1, stop, places)
        return -value, following
    return scan_decimal(text, at, stop, places)
