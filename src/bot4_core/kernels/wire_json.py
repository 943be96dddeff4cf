"""The structure of JSON text: white space, strings, and whole values stepped over.

Strict where it accepts (RFC 8259), and modest: escapes, bytes outside printable ASCII and nesting
deeper than `DEEPEST` give ``LOST``, which leaves the message to a slower decoder.
"""

from typing import Final

from bot4_core.jit import kernel
from bot4_core.kernels.wire import HIGHS, LOST, ZERO, peek
from bot4_core.kernels.wire_bytes import Text, byte, leading_bytes, word

__all__ = ["DEEPEST", "enter", "skip_space", "skip_string", "skip_value"]

DEEPEST: Final = 60
"""Arrays and objects within one another that `skip_value` follows."""

ONES: Final = 0x0101010101010101
SPACES: Final = 0x20 * ONES
QUOTES: Final = 0x22 * ONES
BACKSLASHES: Final = 0x5C * ONES
SPACE: Final = ord(" ")
TAB: Final = ord("\t")
LINE_FEED: Final = ord("\n")
CARRIAGE_RETURN: Final = ord("\r")
QUOTE: Final = ord('"')
BACKSLASH: Final = ord("\\")
COMMA: Final = ord(",")
COLON: Final = ord(":")
OPEN_ARRAY: Final = ord("[")
CLOSE_ARRAY: Final = ord("]")
OPEN_OBJECT: Final = ord("{")
CLOSE_OBJECT: Final = ord("}")
TRUE: Final = int.from_bytes(b"true", "little")
ALSE: Final = int.from_bytes(b"alse", "little")
NULL: Final = int.from_bytes(b"null", "little")


@kernel()
def skip_space(text: Text, at: int, stop: int) -> int:
    """Return the position of the first byte that is not JSON white space."""
    while at < stop:
        found = byte(text, at)
        if found > SPACE or found not in (SPACE, LINE_FEED, CARRIAGE_RETURN, TAB):
            return at
        at += 1
    return at


@kernel(inline=True)
def enter(text: Text, at: int, stop: int, mark: int) -> int:
    """Step over one structural character and the white space before it."""
    if peek(text, at, stop) == mark:
        return at + 1
    at = skip_space(text, at, stop)
    if peek(text, at, stop) == mark:
        return at + 1
    return LOST


@kernel()
def skip_string(text: Text, at: int, stop: int) -> int:
    """Return the position of the quote that ends a string.

    Parameters
    ----------
    at : int
        Position after the opening quote.
    """
    while at + 8 <= stop:
        eight = word(text, at)
        quotes = eight ^ QUOTES
        slashes = eight ^ BACKSLASHES
        ends = ((quotes - ONES) & ~quotes) | ((slashes - ONES) & ~slashes)
        length = leading_bytes((ends | (eight - SPACES) | eight) & HIGHS)
        at += length
        if length < 8:
            return at if byte(text, at) == QUOTE else LOST
    while at < stop:
        found = byte(text, at)
        if found == QUOTE:
            return at
        if found < SPACE or found == BACKSLASH or found > 127:
            return LOST
        at += 1
    return LOST


@kernel()
def _four(text: Text, at: int, stop: int) -> int:
    if at + 4 > stop:
        return 0
    return (
        byte(text, at)
        | byte(text, at + 1) << 8
        | byte(text, at + 2) << 16
        | byte(text, at + 3) << 24
    )


@kernel()
def skip_literal(text: Text, at: int, stop: int) -> int:
    """Step over ``true``, ``false`` or ``null``."""
    four = _four(text, at, stop)
    if four in (TRUE, NULL):
        return at + 4
    if peek(text, at, stop) == ord("f") and _four(text, at + 1, stop) == ALSE:
        return at + 5
    return LOST


@kernel()
def _skip_digits(text: Text, at: int, stop: int) -> int:
    first = at
    while ZERO <= peek(text, at, stop) <= ZERO + 9:
        at += 1
    return at if at > first else LOST


@kernel()
def skip_number(text: Text, at: int, stop: int) -> int:
    """Step over a JSON number of any size."""
    at += peek(text, at, stop) == ord("-")
    first = at
    at = _skip_digits(text, at, stop)
    if at < LOST and at > first + 1 and byte(text, first) == ZERO:
        return LOST
    if peek(text, at, stop) == ord("."):
        at = _skip_digits(text, at + 1, stop)
    if peek(text, at, stop) in (ord("e"), ord("E")):
        sign = peek(text, at + 1, stop)
        at = _skip_digits(text, at + 1 + (sign == ord("+") or sign == ord("-")), stop)
    return at


@kernel()
def skip_scalar(text: Text, at: int, stop: int) -> int:
    """Step over a string, a number or a literal."""
    found = peek(text, at, stop)
    if found == QUOTE:
        return skip_string(text, at + 1, stop) + 1
    if found == ord("-") or ZERO <= found <= ZERO + 9:
        return skip_number(text, at, stop)
    return skip_literal(text, at, stop)


@kernel()
def skip_key(text: Text, at: int, stop: int) -> int:
    """Step over a key and its colon."""
    at = enter(text, at, stop, QUOTE)
    at = skip_string(text, at, stop) + 1
    return enter(text, at, stop, COLON)


@kernel()
def skip_value(text: Text, at: int, stop: int) -> int:
    """Step over one JSON value, checking all of it.

    ``nest`` is a stack of bits under a leading one: 1 for an object, 0 for an array.
    """
    nest = 1
    while True:
        at = skip_space(text, at, stop)
        found = peek(text, at, stop)
        if found in (OPEN_OBJECT, OPEN_ARRAY):
            nest = nest * 2 + (found == OPEN_OBJECT)
            if nest >> (DEEPEST + 1):
                return LOST
            at = skip_space(text, at + 1, stop)
            if peek(text, at, stop) != found + 2:
                at = skip_key(text, at, stop) if nest & 1 else at
                continue
        else:
            at = skip_scalar(text, at, stop)
        at, nest = _leave(text, at, stop, nest)
        if nest == 1 or at >= stop:
            return at if nest == 1 else LOST


@kernel()
def _leave(text: Text, at: int, stop: int, nest: int) -> tuple[int, int]:
    # after a value: close what ends here, then step to the next value if there is one
    while nest > 1:
        at = skip_space(text, at, stop)
        found = peek(text, at, stop)
        if found == COMMA:
            at = skip_key(text, at + 1, stop) if nest & 1 else at + 1
            return at, nest
        if found != (CLOSE_OBJECT if nest & 1 else CLOSE_ARRAY):
            return LOST, nest
        at += 1
        nest >>= 1
    return at, nest
