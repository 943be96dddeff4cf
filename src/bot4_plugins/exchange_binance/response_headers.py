"""What the headers of replies tell: the venue's clock, and how much of its limits is used."""

import re
from typing import Final

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.plugins.exchange import Reply
from bot4_plugins.venue_toolkit.reply_clock import reply_time

__all__ = ["used", "venue_time"]

USED: Final = re.compile(r"x-mbx-(used-weight|order-count)-(\d{1,3})([smhd])", re.ASCII)
UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
WORDS: Final = {"used-weight": "weight", "order-count": "orders"}


def venue_time(reply: Reply) -> Nanoseconds:
    """Return the venue's clock as a reply tells it, to the second below; 0 if it does not."""
    return Nanoseconds(reply_time(reply))


def used(reply: Reply) -> list[tuple[str, int]]:
    """Return limits by the names that ``rate_limits`` has for them, and what is used of each."""
    found = []
    for name, text in reply.headers:
        told = USED.fullmatch(name.lower())
        if told is not None and text.isascii() and text.isdigit():
            seconds = int(told[2]) * UNITS[told[3]]
            found.append((f"{WORDS[told[1]]} in {seconds} s", int(text)))
    return found
