"""Pieces of the venue's messages in the spelling that it sends: names, sides, kinds, ids."""

from typing import Final

from bot4_core.domain_types.records import Side
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, ZERO, peek
from bot4_core.kernels.wire_bytes import Text, byte
from bot4_core.kernels.wire_json import QUOTE
from bot4_core.kernels.wire_literals import follow_literal, literal
from bot4_core.kernels.wire_times import scan_milliseconds

__all__ = ["scan_head", "scan_id", "scan_side"]

BUY: Final = int(Side.BUY)
SELL: Final = int(Side.SELL)
LARGEST: Final = 2**63 - 1
UUID_LENGTH: Final = 36
HYPHENS: Final = (8, 13, 18, 23)
LOW_HALF: Final = 19
"""Where the last 16 digits of a UUID begin."""
MOST_DIGITS: Final = 19
HYPHEN: Final = ord("-")
LETTER_A: Final = ord("a")

TYPE_FIRST: Final = literal('","type":"')
TYPE_LATER: Final = literal(',"type":"')
TIME_FIRST: Final = literal('","ts":')
TIME_LATER: Final = literal(',"ts":')
SNAPSHOT: Final = literal('snapshot"')
DELTA: Final = literal('delta"')
BUY_WORD: Final = literal('Buy"')
SELL_WORD: Final = literal('Sell"')


@kernel()
def _scan_type(text: Text, at: int, stop: int) -> tuple[int, int]:
    end = follow_literal(text, at, stop, SNAPSHOT)
    if end < LOST:
        return 1, end
    return 0, follow_literal(text, at, stop, DELTA)


@kernel()
def scan_head(text: Text, at: int, stop: int) -> tuple[int, int, int]:
    """Read type and time, which contracts send in this order and spot in the other.

    Parameters
    ----------
    at : int
        Position of the quote that ends the topic.

    Returns
    -------
    snapshot, time, next : int
    """
    after = follow_literal(text, at, stop, TYPE_FIRST)
    if after < LOST:
        snapshot, after = _scan_type(text, after, stop)
        time, after = scan_milliseconds(text, follow_literal(text, after, stop, TIME_LATER), stop)
        return snapshot, time, after
    time, after = scan_milliseconds(text, follow_literal(text, at, stop, TIME_FIRST), stop)
    snapshot, after = _scan_type(text, follow_literal(text, after, stop, TYPE_LATER), stop)
    return snapshot, time, after


@kernel()
def scan_side(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Read ``Buy"`` or ``Sell"``."""
    end = follow_literal(text, at, stop, BUY_WORD)
    if end < LOST:
        return BUY, end
    return SELL, follow_literal(text, at, stop, SELL_WORD)


@kernel()
def _scan_number(text: Text, at: int, stop: int) -> tuple[int, int]:
    first, value = at, 0
    while at < stop and ZERO <= byte(text, at) <= ZERO + 9:
        digit = byte(text, at) - ZERO
        if at - first == MOST_DIGITS or value > (LARGEST - digit) // 10:
            return 0, LOST
        value = value * 10 + digit
        at += 1
    return value, at if at > first else LOST


@kernel()
def _scan_uuid(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Read a UUID as its low 63 bits."""
    value = 0
    if at + UUID_LENGTH > stop:
        return 0, LOST
    for index in range(UUID_LENGTH):
        found = byte(text, at + index)
        if index in HYPHENS:
            if found != HYPHEN:
                return 0, LOST
            continue
        digit = found - ZERO
        if not 0 <= digit <= 9:
            digit = found - LETTER_A + 10
            if not 10 <= digit <= 15:
                return 0, LOST
        if index >= LOW_HALF:
            value = (value << 4) | digit
    return value & LARGEST, at + UUID_LENGTH


@kernel()
def scan_id(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Read a trade id and the quote after it: a number of 63 bits, or a UUID."""
    value, end = _scan_number(text, at, stop)
    if peek(text, end, stop) != QUOTE:
        value, end = _scan_uuid(text, at, stop)
    if peek(text, end, stop) != QUOTE:
        return 0, LOST
    return value, end + 1
