"""What the compiled decoder has read of a message."""

from typing import Final

from bot4_core.kernels.wire_messages import decoder_dtype

__all__ = ["DECODER_DTYPE", "FIELDS", "PREVIOUS", "bit", "letter"]

FIELDS: Final = 64
PREVIOUS: Final = 58
"""Field number of ``pu``; fields with one-letter names have the letter's distance from ``A``."""

DECODER_DTYPE: Final = decoder_dtype(
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
)


def letter(name: str) -> int:
    """Return the field number of a one-letter name."""
    return ord(name) - ord("A")


def bit(*names: str) -> int:
    """Return the bits of one-letter fields."""
    return sum(1 << letter(name) for name in names)
