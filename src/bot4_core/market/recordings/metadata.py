"""What a recording says of itself, as JSON."""

from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import attrs

from bot4_core.convert import from_json, to_json
from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import ConfigError, RecordingError
from bot4_core.market.recordings.messages import Origin, RecordingClock

__all__ = [
    "Durability",
    "RecordingCommit",
    "RecordingCounts",
    "RecordingFooter",
    "RecordingHeader",
    "packed",
    "unpacked",
]

T = TypeVar("T")


class Durability(StrEnum):
    """When a recording's bytes are forced down to the disk."""

    COMMIT = "commit"  # after every commit: survives power loss up to there
    CLOSE = "close"  # once, when it is finished
    NEVER = "never"


@attrs.frozen(kw_only=True)
class RecordingHeader:
    """What is known of a recording before its first message."""

    venue: str
    market: str
    clock: RecordingClock = RecordingClock.RECEIVE
    tool: str = ""  # program and version that made it


@attrs.frozen(kw_only=True)
class RecordingCounts:
    """Totals from the start of a recording up to one commit."""

    messages: int = 0  # pushed by the venue; replies to requests count as responses
    responses: int = 0
    quarantined: int = 0
    refused: int = 0  # lines of foreign files that held no message
    events: int = 0


@attrs.frozen(kw_only=True)
class RecordingCommit:
    """What ends a group of frames: counts so far, and what is new since the last commit."""

    counts: RecordingCounts
    instruments: tuple[Instrument, ...] = ()
    origins: tuple[Origin, ...] = ()


@attrs.frozen(kw_only=True)
class RecordingFooter:
    """What ends a finished recording."""

    digest: str  # SHA-256 of everything before the index
    index: int  # position of the index frame


def packed(value: object) -> bytes:
    """Write a value as canonical JSON."""
    return to_json(value, canonical=True).encode()


def unpacked(text: memoryview, cls: type[T], path: Path) -> T:
    """Read what `packed` wrote.

    Raises
    ------
    RecordingError
        If a checksum was right and the content still is not: another program wrote it.
    """
    try:
        return from_json(bytes(text), cls, str(path))
    except ConfigError as error:
        raise RecordingError(f"{error}; use the bot4 that wrote it") from error
