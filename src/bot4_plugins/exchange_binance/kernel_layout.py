"""Where the compiled decoder keeps what it has read: offsets into one flat int64 array.

One array because each further argument of a compiled function costs its caller about 50 ns.
"""

from typing import Final

__all__ = [
    "ASKS",
    "BIDS",
    "BOOK_SIDES",
    "COUNTS",
    "DEFERRED",
    "ENDS",
    "LINKED",
    "NEXT",
    "PREVIOUS",
    "ROOM",
    "ROW",
    "SEEN",
    "SLOTS",
    "SYMBOLS",
    "TEXTS",
    "TRUTHS",
    "UNKNOWN",
    "bit",
    "letter",
]

UNKNOWN: Final = -1
"""Result: not a message this decoder vouches for; the slow one must judge it."""
ROOM: Final = -2
"""Result: the message may not fit into the batch."""

PREVIOUS: Final = 58
"""Field number of ``pu``; fields with one-letter names have the letter's distance from ``A``."""
ENDS: Final = 64
"""Offset: where the text of field n ends (its value at offset n is where it begins)."""
SEEN: Final = 128
"""Offset: bits of the fields present."""
COUNTS: Final = 129
"""Offset: bits of the fields that are integers."""
TEXTS: Final = 130
"""Offset: bits of the fields that are strings."""
TRUTHS: Final = 131
"""Offset: bits of the fields that are ``true`` or ``false``."""
ROW: Final = 132
"""Offset: position of the message's symbol row, -1 for none."""
NEXT: Final = 133
"""Offset: the record that the next book level goes to."""
BOOK_SIDES: Final = 134
"""Offset: bits of the book sides already written (1 bids, 2 asks)."""
DEFERRED: Final = 135
"""Offset: bits of the book sides to be read when the rest is known."""
LINKED: Final = 136
"""Offset: 1 where depth messages must carry ``pu``."""
SLOTS: Final = 137
"""Offset: rows of the symbol table."""
SYMBOLS: Final = 144
"""Offset: the symbol table."""


def letter(name: str) -> int:
    """Return the field number of a one-letter name."""
    return ord(name) - ord("A")


def bit(*names: str) -> int:
    """Return the bits of one-letter fields."""
    return sum(1 << letter(name) for name in names)


BIDS: Final = letter("b")
ASKS: Final = letter("a")
