"""What the compiled decoder has read of a message, and the symbols it knows: one record.

One record because each further argument of a compiled function costs its caller about 50 ns.
"""

from typing import Final

import numpy as np

from bot4_core.kernels.wire_symbols import SYMBOL_WIDTH

__all__ = [
    "DECODER_DTYPE",
    "FIELDS",
    "MOST_SYMBOLS",
    "PREVIOUS",
    "ROOM",
    "UNAPPLIED",
    "UNKNOWN",
    "bit",
    "letter",
]

UNKNOWN: Final = -1
"""Result: not a message this decoder vouches for; the slow one must judge it."""
ROOM: Final = -2
"""Result: the message may not fit into the batch."""
UNAPPLIED: Final = -3
"""Result: decoded, but the books could not take all of it."""

FIELDS: Final = 64
PREVIOUS: Final = 58
"""Field number of ``pu``; fields with one-letter names have the letter's distance from ``A``."""
SYMBOL_ROWS: Final = 4096
MOST_SYMBOLS: Final = SYMBOL_ROWS // 2
"""Symbols that the compiled decoder knows; messages of further ones go to the slow one."""

DECODER_DTYPE: Final = np.dtype(
    [
        ("values", "<i8", (FIELDS,)),  # integer, 0 or 1, or where a text or an object begins
        ("ends", "<i8", (FIELDS,)),  # where a text ends
        ("seen", "<i8"),  # bits of the fields present
        ("counts", "<i8"),  # bits of those that are integers
        ("texts", "<i8"),  # bits of those that are strings
        ("truths", "<i8"),  # bits of those that are true or false
        ("row", "<i8"),  # position of the message's symbol in ``symbols``, -1 for none
        ("side", "<i8"),  # field number of the book side that stopped the scan, -1 for none
        ("next", "<i8"),  # the record that the next book level goes to
        ("written", "<i8"),  # bits of the book sides in the records: 1 bids, 2 asks
        ("deferred", "<i8"),  # bits of the book sides to be read when the rest is known
        ("linked", "<i8"),  # 1 where depth messages must carry ``pu``
        ("subject", "<i8"),  # 1 + the row of the symbol that snapshots are of, 0 for none
        ("made", "<i8"),  # records of a message that the books could not take at once
        ("applied", "<i8"),  # the place of the first that they did not take
        ("symbols", "<i8", (SYMBOL_ROWS * SYMBOL_WIDTH,)),
    ]
)


def letter(name: str) -> int:
    """Return the field number of a one-letter name."""
    return ord(name) - ord("A")


def bit(*names: str) -> int:
    """Return the bits of one-letter fields."""
    return sum(1 << letter(name) for name in names)
