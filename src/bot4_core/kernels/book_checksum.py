"""Checksums that venues send of the best levels of a book, as two of them write them.

======== ===================================================================================
form     text whose CRC-32 (IEEE 802.3) is taken
======== ===================================================================================
DIGITS   ten best asks, then ten best bids: price and size without point and leading zeros,
         at the exponents of the events (Kraken; unsigned)
PAIRS    25 best of each side, ``bid price:bid size:ask price:ask size:`` and so on, numbers
         without trailing zeros; a shorter side is left out (OKX; signed)
======== ===================================================================================

Eight bytes at a time go through as many tables (Kounavis & Berry 2005, "A systematic approach to
building high performance software-based CRC generators").
"""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import ChainRule, EventFlag
from bot4_core.jit import kernel
from bot4_core.kernels.book_window import (
    AMOUNTS,
    BASE,
    BEST,
    GRAIN,
    KEYS,
    MASK,
    OUTSIDE,
    SIZES,
    WINDOW,
    Words,
    next_occupied,
)
from bot4_core.kernels.wire_bytes import leading_bytes

__all__ = ["digits_checksum", "is_proven", "pairs_checksum"]

BookRow = np.void

DIGIT_LEVELS: Final = 10
PAIR_LEVELS: Final = 25
POLYNOMIAL: Final = 0xEDB88320
START: Final = 0xFFFFFFFF
ASCII_ZEROS: Final = 0x3030303030303030
COLON: Final = ord(":")
DOT: Final = ord(".")
EIGHT: Final = 10**8
POWERS: Final = np.array([10**power for power in range(19)], np.int64)

DIGITS_CHECKED: Final = int(EventFlag.DIGITS_CHECKED)
PAIRS_CHECKED: Final = int(EventFlag.PAIRS_CHECKED)
CHECKSUM: Final = int(ChainRule.CHECKSUM)


def _tables() -> list[int]:
    # [j * 256 + b]: the checksum of byte b followed by j zero bytes
    found = list(range(256))
    for _ in range(8):
        found = [value >> 1 ^ (POLYNOMIAL if value & 1 else 0) for value in found]
    for j in range(7):
        row = found[256 * j :]
        found += [value >> 8 ^ found[value & 0xFF] for value in row]
    return found


TABLES: Final = np.array(_tables(), np.int64)


@kernel()
def _feed(crc: int, text: int, count: int) -> int:
    """Continue a checksum with the first ``count`` (0 to 8) bytes of a little-endian word."""
    mixed = text ^ crc
    found = crc >> (8 * count) if count < 4 else 0
    for i in range(count):
        found ^= int(TABLES[((count - 1 - i) << 8) | ((mixed >> (8 * i)) & 0xFF)])
    return found


@kernel()
def _eight_digits(value: int) -> int:
    """Return the eight decimal digits of a number below 10**8, one a byte, the first lowest."""
    top = value // 10000
    fours = top | (value - 10000 * top) << 32
    hundreds = ((fours * 10486) >> 20) & 0x0000007F0000007F
    twos = hundreds | (fours - 100 * hundreds) << 16
    tens = ((twos * 103) >> 10) & 0x000F000F000F000F
    return tens | (twos - 10 * tens) << 8


@kernel()
def _feed_leading(crc: int, value: int) -> int:
    """Continue with the digits of a number below 10**8, without leading zeros."""
    digits = _eight_digits(value)
    zeros = leading_bytes(digits)
    if zeros == 8:
        return crc
    return _feed(crc, (digits | ASCII_ZEROS) >> (8 * zeros), 8 - zeros)


@kernel()
def _feed_number(crc: int, value: int) -> int:
    """Continue with the digits of a number, none for 0."""
    high = value // EIGHT
    if high == 0:
        return _feed_leading(crc, value)
    top = high // EIGHT
    if top == 0:
        crc = _feed_leading(crc, high)
    else:
        crc = _feed(_feed_leading(crc, top), _eight_digits(high - top * EIGHT) | ASCII_ZEROS, 8)
    return _feed(crc, _eight_digits(value - high * EIGHT) | ASCII_ZEROS, 8)


@kernel()
def _feed_decimal(crc: int, value: int, places: int) -> int:
    """Continue with a number of ``places`` decimals, without trailing zeros."""
    scale = int(POWERS[max(places, 0)])
    whole = value // scale
    rest = value - whole * scale
    whole *= int(POWERS[max(-places, 0)])
    crc = _feed_number(crc, whole) if whole > 0 else _feed(crc, ord("0"), 1)
    if rest > 0:
        crc = _feed(crc, DOT, 1)
    while rest > 0:
        scale //= 10
        digit = rest // scale
        rest -= digit * scale
        crc = _feed(crc, ord("0") + digit, 1)
    return crc


# A cursor is a tick of the window or, from the window's size on, a place in the overflow.


@kernel()
def _has_level(memory: Words, at: int, cursor: int) -> bool:
    return bool(cursor < memory[at + WINDOW] + memory[at + OUTSIDE])


@kernel()
def _level(memory: Words, at: int, cursor: int) -> tuple[int, int, int]:
    """Return price and size at a cursor, and the cursor of the next level."""
    window = memory[at + WINDOW]
    mask = memory[at + MASK]
    if cursor >= window:
        place = cursor - window
        price = memory[memory[at + KEYS] + place] ^ mask
        return int(price), int(memory[memory[at + AMOUNTS] + place]), cursor + 1
    price = (memory[at + BASE] + cursor * memory[at + GRAIN]) ^ mask
    size = memory[memory[at + SIZES] + cursor]
    return int(price), int(size), int(next_occupied(memory, at, cursor + 1))


@kernel()
def _feed_side(crc: int, memory: Words, at: int) -> int:
    cursor = int(memory[at + BEST])
    for _ in range(DIGIT_LEVELS):
        if not _has_level(memory, at, cursor):
            break
        price, size, cursor = _level(memory, at, cursor)
        crc = _feed_number(_feed_number(crc, price), size)
    return crc


@kernel(inline=True)
def digits_checksum(row: BookRow, memory: Words) -> int:
    """Return the unsigned checksum of a book's digits."""
    crc = _feed_side(START, memory, int(row["asks"]))
    return _feed_side(crc, memory, int(row["bids"])) ^ START


@kernel()
def _feed_pair(crc: int, row: BookRow, price: int, size: int, separators: int) -> int:
    crc = _feed(crc, COLON, separators)
    crc = _feed(_feed_decimal(crc, price, int(row["price_places"])), COLON, 1)
    return _feed_decimal(crc, size, int(row["size_places"]))


@kernel(inline=True)
def pairs_checksum(row: BookRow, memory: Words) -> int:
    """Return the signed checksum of a book's interleaved levels."""
    crc = START
    separators = 0
    bids, asks = int(row["bids"]), int(row["asks"])
    bid, ask = int(memory[bids + BEST]), int(memory[asks + BEST])
    for _ in range(PAIR_LEVELS):
        if _has_level(memory, bids, bid):
            price, size, bid = _level(memory, bids, bid)
            crc = _feed_pair(crc, row, price, size, separators)
            separators = 1
        if _has_level(memory, asks, ask):
            price, size, ask = _level(memory, asks, ask)
            crc = _feed_pair(crc, row, price, size, separators)
            separators = 1
    crc ^= START
    return crc - ((crc >> 31) << 32)


@kernel(inline=True)
def is_proven(row: BookRow, memory: Words, checksum: int, flags: int) -> bool:
    """Say whether a book agrees with what the closing record of its last message says of it.

    Parameters
    ----------
    checksum, flags : int
        ``price`` and ``flags`` of that record. A record without a checksum proves a book only
        where the venue has another rule.
    """
    if flags & DIGITS_CHECKED:
        return digits_checksum(row, memory) == checksum
    if flags & PAIRS_CHECKED:
        return pairs_checksum(row, memory) == checksum
    return bool(row["chain"] != CHECKSUM)
