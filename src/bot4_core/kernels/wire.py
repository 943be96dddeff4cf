"""Decimal text to scaled integers, eight bytes at a time, without intermediate objects.

Buffers are ``bytes`` or C-contiguous uint8 arrays. A scan takes a position and gives the next one;
a position at or beyond ``stop`` ends every scan that follows, so callers check once at the end.
``LOST`` is such a position: the text is not of the expected shape. A scan never reads at or beyond
``stop``. What these functions accept is a subset of JSON (RFC 8259); what they do not accept is
for a slower decoder to judge.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel

__all__ = [
    "INEXACT",
    "LOST",
    "TOO_LARGE",
    "Buffer",
    "byte",
    "digit_count",
    "digits_value",
    "peek",
    "scan_count",
    "scan_decimal",
    "scan_signed_decimal",
    "word",
]

Buffer = bytes | NDArray[np.uint8]

LOST: Final = 1 << 60
"""Position: not the expected text."""
INEXACT: Final = LOST + 1
"""Position: the number has digits below the wanted exponent."""
TOO_LARGE: Final = LOST + 2
"""Position: the scaled number leaves 64 bits."""

POWERS: Final = np.array([10**power for power in range(19)], np.int64)
INT64_MAX: Final = 2**63 - 1
ONES: Final = 0x0101010101010101
HIGHS: Final = -0x7F7F7F7F7F7F7F80  # 0x80 in each byte, as a signed number
NIBBLES: Final = 0x0F0F0F0F0F0F0F0F
ZEROS: Final = 0x3030303030303030  # eight ASCII zeros
OVER_NINE: Final = 0x7676767676767676  # carries into a byte's high bit from ten upwards
MINUS: Final = ord("-")
DOT: Final = ord(".")
ZERO: Final = ord("0")


@kernel()
def byte(data: Buffer, at: int) -> int:
    """Return the byte at a position known to lie within the buffer.

    The unsigned index keeps the compiler from handling negative ones; the signed value keeps
    sums with other integers from becoming floats.
    """
    return int(np.int64(data[np.uint64(at)]))


@kernel()
def peek(data: Buffer, at: int, stop: int) -> int:
    """Return the byte at a position, 0 at or beyond ``stop``."""
    if at < stop:
        return byte(data, at)
    return 0


@kernel()
def word(data: Buffer, at: int) -> int:
    """Return eight bytes as a little-endian integer (compiles to one load)."""
    return (
        byte(data, at)
        | byte(data, at + 1) << 8
        | byte(data, at + 2) << 16
        | byte(data, at + 3) << 24
        | byte(data, at + 4) << 32
        | byte(data, at + 5) << 40
        | byte(data, at + 6) << 48
        | byte(data, at + 7) << 56
    )


@kernel()
def first_mark(marks: int) -> int:
    """Return the number of bytes before the first one whose high bit is set; 8 for none."""
    if marks == 0:
        return 8
    below = (marks & -marks) - 1
    return ((((below & ONES) * ONES) >> 56) & 0xFF) - 1


@kernel()
def digit_count(eight: int) -> int:
    """Return how many of eight bytes, from the first, are decimal digits."""
    offset = eight ^ ZEROS
    return first_mark(((offset + OVER_NINE) | offset) & HIGHS)


@kernel()
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


@kernel()
def scan_count(data: Buffer, at: int, stop: int) -> tuple[int, int]:
    """Read a JSON integer from 0 to 10**18 - 1 without sign, fraction or exponent.

    Returns
    -------
    value, next : int
        ``next`` is `LOST` where there is no such integer. The caller checks what follows.
    """
    first = at
    value = 0
    while at + 8 <= stop and at - first < 16:
        eight = word(data, at)
        count = digit_count(eight)
        value = value * int(POWERS[count]) + digits_value(eight, count)
        at += count
        if count < 8:
            break
    else:
        while at < stop and ZERO <= byte(data, at) <= ZERO + 9 and at - first < 18:
            value = value * 10 + byte(data, at) - ZERO
            at += 1
    length = at - first
    if length == 0 or (length > 1 and byte(data, first) == ZERO):
        return 0, LOST
    if length == 18 and ZERO <= peek(data, at, stop) <= ZERO + 9:
        return 0, LOST
    return value, at


@kernel()
def scan_decimal(data: Buffer, at: int, stop: int, places: int) -> tuple[int, int]:
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
    """
    if at + 17 > stop or places > 10:
        return _scan_long_decimal(data, at, stop, places)
    eight = word(data, at)
    whole = digit_count(eight)
    if whole in {0, 8}:
        return _scan_long_decimal(data, at, stop, places)
    value = digits_value(eight, whole) * int(POWERS[places])
    point = at + whole
    if byte(data, point) != DOT:
        return value, point
    eight = word(data, point + 1)
    count = digit_count(eight)
    kept = min(count, places)
    if count == 0 or (count == 8 and ZERO <= byte(data, point + 9) <= ZERO + 9):
        return _scan_long_decimal(data, at, stop, places)
    if count > kept and (eight & (NIBBLES >> (64 - 8 * count))) >> (8 * kept):
        return 0, INEXACT
    return value + digits_value(eight, kept) * int(POWERS[places - kept]), point + 1 + count


@kernel()
def _scan_long_decimal(data: Buffer, at: int, stop: int, places: int) -> tuple[int, int]:
    value = 0
    digits = 0
    decimals = -1  # before the point
    inexact = False
    too_large = False
    while at < stop:
        digit = byte(data, at) - ZERO
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
    if digits == 0 or decimals == 0:
        return 0, LOST
    if inexact:
        return 0, INEXACT
    scale = int(POWERS[max(places - max(decimals, 0), 0)])
    if too_large or value > INT64_MAX // scale:
        return 0, TOO_LARGE
    return value * scale, at


@kernel()
def scan_signed_decimal(data: Buffer, at: int, stop: int, places: int) -> tuple[int, int]:
    """Read ``[-]digits[.digits]`` like `scan_decimal`."""
    if peek(data, at, stop) == MINUS:
        value, following = scan_decimal(data, at + 1, stop, places)
        return -value, following
    return scan_decimal(data, at, stop, places)
