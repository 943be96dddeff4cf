"""Ids of venues as the integers that event records hold."""

import re
from hashlib import blake2b
from typing import Final

from bot4_core.domain_types.number_text import INT64_MAX

__all__ = ["number_of_id"]

UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HALF: Final = 16  # digits


def number_of_id(text: str) -> int:
    """Return a number that tells ids of orders or trades apart; -1 for no text.

    A number of 63 bits is itself, a UUID its low 63 bits, and any other text a hash of it.
    """
    if not text:
        return -1
    if text.isascii() and text.isdigit() and len(text) < HALF + 4 and int(text) <= INT64_MAX:
        return int(text)
    if UUID.fullmatch(text):
        return int(text.replace("-", "")[-HALF:], 16) & INT64_MAX
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) & INT64_MAX
