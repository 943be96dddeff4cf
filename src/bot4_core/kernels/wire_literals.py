"""Comparing text with a literal, eight bytes at a time.

A venue writes its messages in one spelling. A decoder that expects it reads them as a straight
line: a literal, a number, a literal. Where one does not stand, the message is for a slower decoder.
"""

import numpy as np
from numpy.typing import NDArray

from bot4_core.jit import kernel
from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_bytes import Text, word
from bot4_core.kernels.wire_symbols import text_word

__all__ = ["Literal", "follow_literal", "has_literal", "literal"]

Literal = NDArray[np.int64]
"""Length, then words of eight bytes; the last one overlaps the one before, or is zero-padded."""


def literal(text: bytes | str) -> Literal:
    """Spell a literal of one byte or more for `follow_literal`; a frozen array."""
    spelled = text.encode() if isinstance(text, str) else text
    length = len(spelled)
    starts = [*range(0, length - 8, 8), max(length - 8, 0)]
    words = [
        int.from_bytes(spelled[start : start + 8], "little", signed=length >= 8) for start in starts
    ]
    made = np.array([length, *words], np.int64)
    made.flags.writeable = False
    return made


@kernel()
def follow_literal(text: Text, at: int, stop: int, spelled: Literal) -> int:
    """Step over a literal; `LOST` where it does not stand."""
    end = at + spelled[0]
    if end > stop:
        return LOST
    if spelled[0] < 8:
        return end if text_word(text, at, end, stop) == spelled[1] else LOST
    last = len(spelled) - 1
    for index in range(1, last):
        if word(text, at + 8 * index - 8) != spelled[index]:
            return LOST
    return end if word(text, end - 8) == spelled[last] else LOST


@kernel()
def has_literal(text: Text, at: int, end: int, stop: int, spelled: Literal) -> bool:
    """Say whether ``text[at:end]`` is the literal, no more and no less."""
    return bool(end - at == spelled[0] and follow_literal(text, at, stop, spelled) == end)
