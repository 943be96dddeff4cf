"""Moments as venues write them, to nanoseconds: the slow twin of ``kernels.wire_times``."""

import re
from datetime import UTC, datetime
from typing import Final

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.number_text import INT64_MAX
from bot4_core.errors import DecodeError
from bot4_plugins.venue_toolkit.strict_json import checked_count

__all__ = ["milliseconds_text", "nanoseconds_of", "timestamp_nanoseconds"]

IN_MILLISECOND: Final = 1_000_000
IN_SECOND: Final = 1_000_000_000
_TIMESTAMP: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds_of(milliseconds: int, what: str = "time") -> Nanoseconds:
    """Return a count of milliseconds in nanoseconds."""
    limit = INT64_MAX // IN_MILLISECOND
    return Nanoseconds(checked_count(milliseconds, what, limit) * IN_MILLISECOND)


def milliseconds_text(text: str, what: str = "time") -> Nanoseconds:
    """Read milliseconds that are sent as text."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise DecodeError(f"{what} {text[:80]!r} is no number of milliseconds")
    return nanoseconds_of(int(text), what)


def timestamp_nanoseconds(text: str, what: str = "time") -> Nanoseconds:
    """Read an RFC 3339 moment; decimals below a nanosecond are cut off.

    A moment before 1970, or beyond 64 bits, is refused.
    """
    found = _TIMESTAMP.fullmatch(text.upper())
    if found is None:
        raise DecodeError(f"{what} {text[:80]!r} is no RFC 3339 moment")
    try:
        moment = datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))
    except ValueError as error:
        raise DecodeError(f"{what} {text[:80]!r}: {error}") from None
    since = moment - _EPOCH
    fraction = int((found[2] or "0")[:9].ljust(9, "0"))
    whole = (since.days * 86_400 + since.seconds) * IN_SECOND + fraction
    return Nanoseconds(checked_count(whole, what))
