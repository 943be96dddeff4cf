"""Moments as venues write them, to nanoseconds since 1970 UTC.

RFC 3339 in UTC with up to nine decimals, and milliseconds. What is not of these shapes, and what
64 bits of nanoseconds do not hold, is for a slower decoder.
"""

from typing import Final

from bot4_core.jit import kernel
from bot4_core.kernels.wire import (
    LOST,
    POWERS,
    ZERO,
    digit_count,
    digits_value,
    peek,
    scan_count,
)
from bot4_core.kernels.wire_bytes import Text, byte, word

__all__ = ["nanoseconds", "scan_milliseconds", "scan_timestamp"]

NANOSECONDS: Final = 1_000_000  # in a millisecond
LAST_MOMENT: Final = 9_223_372_036_854  # milliseconds that fit into 64 bits as nanoseconds
DATE_MARKS: Final = int.from_bytes(b"\0\0\0\0-\0\0-", "little")
DATE_PLACES: Final = int.from_bytes(b"\0\0\0\0\xff\0\0\xff", "little", signed=True)
CLOCK_MARKS: Final = int.from_bytes(b"\0\0:\0\0:\0\0", "little")
CLOCK_PLACES: Final = int.from_bytes(b"\0\0\xff\0\0\xff\0\0", "little")
TEE: Final = ord("T")
ZULU: Final = ord("Z")
DOT: Final = ord(".")
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2261


@kernel(inline=True)
def nanoseconds(milliseconds: int) -> int:
    """Return a time in nanoseconds, -1 if it leaves 64 bits."""
    return milliseconds * NANOSECONDS if milliseconds <= LAST_MOMENT else -1


@kernel()
def scan_milliseconds(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Read milliseconds as nanoseconds."""
    value, at = scan_count(text, at, stop)
    if value > LAST_MOMENT:
        return 0, LOST
    return value * NANOSECONDS, at


@kernel(inline=True)
def _two(eight: int, first: int) -> int:
    # two digits of eight bytes, -100 or less where they are no digits
    tens = ((eight >> (8 * first)) & 0xFF) - ZERO
    ones = ((eight >> (8 * first + 8)) & 0xFF) - ZERO
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -10_000


@kernel(inline=True)
def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 28 + (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return 30 + (month in (1, 3, 5, 7, 8, 10, 12))


@kernel()
def _day_number(year: int, month: int, day: int) -> int:
    """Return days since 1970-01-01 of a date of the Gregorian calendar.

    Years begin in March here, so that the leap day is the last (Hinnant 2013, "chrono-compatible
    low-level date algorithms", days_from_civil).
    """
    year -= month <= 2
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + day_of_year - 719_468


@kernel()
def _scan_fraction(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Read one to nine decimals as nanoseconds."""
    first = at
    value = 0
    if at + 8 <= stop:
        eight = word(text, at)
        count = digit_count(eight)
        value = digits_value(eight, count)
        at += count
    while at < stop and ZERO <= byte(text, at) <= ZERO + 9:
        value = value * 10 + byte(text, at) - ZERO
        at += 1
        if at - first > 9:
            return 0, LOST
    if at == first:
        return 0, LOST
    return value * int(POWERS[9 - (at - first)]), at


@kernel()
def _date_days(text: Text, at: int) -> int:
    """Return days since 1970-01-01 of ``2026-08-09``, -1 where there is no such date."""
    front, back = word(text, at), word(text, at + 2)
    year, month, day = 100 * _two(front, 0) + _two(front, 2), _two(front, 5), _two(back, 6)
    if front & DATE_PLACES != DATE_MARKS or not FIRST_YEAR <= year <= LAST_YEAR:
        return -1
    if not 1 <= month <= 12 or not 1 <= day <= _days_in(year, month):
        return -1
    return _day_number(year, month, day)


@kernel()
def _clock_seconds(text: Text, at: int) -> int:
    """Return seconds since midnight of ``21:05:48``, -1 where there is no such time."""
    clock = word(text, at)
    hour, minute, second = _two(clock, 0), _two(clock, 3), _two(clock, 6)
    if clock & CLOCK_PLACES != CLOCK_MARKS or not 0 <= hour <= 23:
        return -1
    if not 0 <= minute <= 59 or not 0 <= second <= 59:
        return -1
    return (hour * 60 + minute) * 60 + second


@kernel()
def scan_timestamp(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Read ``2026-08-09T21:05:48[.026123456]Z``; ``next`` is after the ``Z``.

    Years 1970 to 2261, no leap seconds, no other offsets, capital letters.
    """
    if at + 20 > stop:
        return 0, LOST
    days, seconds = _date_days(text, at), _clock_seconds(text, at + 11)
    if days < 0 or seconds < 0 or byte(text, at + 10) != TEE:
        return 0, LOST
    fraction, end = 0, at + 19
    if byte(text, end) == DOT:
        fraction, end = _scan_fraction(text, end + 1, stop)
    if peek(text, end, stop) != ZULU:
        return 0, LOST
    return (days * 86_400 + seconds) * 1_000_000_000 + fraction, end + 1
