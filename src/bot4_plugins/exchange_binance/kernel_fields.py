"""Step one of decoding: find the fields of a Binance event, whatever their order.

Integers are read, strings are located, the scan stops at book sides for the caller to read them.
Anything that is not a plain field with a short name is left to the slow decoder.
"""

from typing import Final

from bot4_core.domain_types.records import Record
from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST, ZERO, peek, scan_count
from bot4_core.kernels.wire_bytes import Text, byte, word
from bot4_core.kernels.wire_json import (
    CLOSE_OBJECT,
    COLON,
    COMMA,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    enter,
    skip_literal,
    skip_space,
    skip_string,
    skip_value,
)
from bot4_core.kernels.wire_symbols import find_symbol
from bot4_plugins.exchange_binance.kernel_layout import PREVIOUS, letter

__all__ = ["begin_fields", "follow", "scan_fields"]

OTHER: Final = 61  # field number of one unknown two-letter name
SYMBOL: Final = letter("s")
CANDLE: Final = letter("k")
UPPER: Final = ord("A")
TRUE: Final = ord("t")
FALSE: Final = ord("f")
PU: Final = int.from_bytes(b"pu", "little")
PS: Final = int.from_bytes(b"ps", "little")
ST: Final = int.from_bytes(b"st", "little")
KEY_MASK: Final = 0xFFFF00FF
KEY: Final = int.from_bytes(b'"\0":', "little")


@kernel(inline=True)
def _is_letter(found: int) -> bool:
    return ord("a") <= (found | 32) <= ord("z")


@kernel()
def _scan_name(text: Text, at: int, stop: int) -> tuple[int, int]:
    # one or two letters between quotes -> field number
    at = enter(text, at, stop, QUOTE)
    first = peek(text, at, stop)
    second = peek(text, at + 1, stop)
    if not _is_letter(first):
        return 0, LOST
    if second == QUOTE:
        return first - UPPER, at + 2
    if not _is_letter(second) or peek(text, at + 2, stop) != QUOTE:
        return 0, LOST
    name = first | second << 8
    if name == PU:
        return PREVIOUS, at + 3
    if name == PS:
        return PREVIOUS + 1, at + 3
    return PREVIOUS + 2 if name == ST else OTHER, at + 3


@kernel(inline=True)
def _scan_key(text: Text, at: int, stop: int) -> tuple[int, int]:
    """Return field number and position of the value."""
    if at + 8 <= stop:
        eight = word(text, at)
        first = (eight >> 8) & 0xFF
        if (eight & KEY_MASK) == KEY and _is_letter(first):
            return first - UPPER, skip_space(text, at + 4, stop)
    field, at = _scan_name(text, at, stop)
    return field, skip_space(text, enter(text, at, stop, COLON), stop)


@kernel(inline=True)
def _scan_value(text: Text, at: int, stop: int, state: Record, field: int) -> int:
    """Take in one value that is not an array and return the position after it."""
    found = peek(text, at, stop)
    mark = 1 << field
    if found == QUOTE:
        end = skip_string(text, at + 1, stop)
        state["values"][field] = at + 1
        state["ends"][field] = end
        state["texts"] |= mark
        if field == SYMBOL and end < stop:
            state["row"] = find_symbol(text, at + 1, end, stop, state["symbols"])
        return end + 1
    if ZERO <= found <= ZERO + 9:
        value, at = scan_count(text, at, stop)
        state["values"][field] = value
        state["counts"] |= mark
        return at
    if found in (TRUE, FALSE):
        state["values"][field] = 1 if found == TRUE else 0
        state["truths"] |= mark
        return skip_literal(text, at, stop)
    if found == OPEN_OBJECT and field == CANDLE:
        state["values"][field] = at
        return skip_value(text, at, stop)
    return LOST


@kernel(inline=True)
def follow(text: Text, at: int, stop: int) -> tuple[int, bool]:
    """Step over what stands after a member: its position, and whether the object ended."""
    found = peek(text, at, stop)
    if found == COMMA:
        return at + 1, False
    if found != CLOSE_OBJECT:
        at = skip_space(text, at, stop)
        found = peek(text, at, stop)
        if found == COMMA:
            return at + 1, False
    return at + 1 if found == CLOSE_OBJECT else LOST, True


@kernel()
def begin_fields(text: Text, at: int, stop: int, state: Record) -> int:
    """Step into an object and forget what was read before."""
    state["seen"] = 0
    state["counts"] = 0
    state["texts"] = 0
    state["truths"] = 0
    return enter(text, at, stop, OPEN_OBJECT)


@kernel()
def scan_fields(text: Text, at: int, stop: int, state: Record) -> int:
    """Read members from ``at`` on, to the end of the object or to a book side.

    Returns
    -------
    int
        The position after the object with ``side`` -1, or that of an array with its field's
        number in ``side``.
    """
    state["side"] = -1
    seen = state["seen"]
    while at < stop:
        field, at = _scan_key(text, at, stop)
        if at >= stop or seen >> field & 1:
            return LOST
        seen |= 1 << field
        if byte(text, at) == OPEN_ARRAY:
            state["seen"] = seen
            state["side"] = field
            return at
        at, ended = follow(text, _scan_value(text, at, stop, state, field), stop)
        if ended:
            state["seen"] = seen
            return at
    return LOST
