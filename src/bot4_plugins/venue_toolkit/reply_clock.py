"""The venue's clock, as the head of a reply tells it."""

from email.utils import parsedate_to_datetime
from typing import Final

from bot4_core.plugins.exchange import Reply

__all__ = ["reply_time"]

IN_SECOND: Final = 1_000_000_000


def reply_time(reply: Reply) -> int:
    """Return the venue's clock at the time of a reply, to the second before; 0 if not sent."""
    for name, value in reply.headers:
        if name.lower() == "date":
            try:
                return int(parsedate_to_datetime(value).timestamp()) * IN_SECOND
            except ValueError:
                return 0
    return 0
