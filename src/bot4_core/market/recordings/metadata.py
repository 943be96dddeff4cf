"""What a recording says of itself, as JSON."""

import json
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    InstrumentStatus,
    Settlement,
)
from bot4_core.domain_types.records import ChainRule
from bot4_core.market.recordings.messages import Channel, Origin, RecordingClock

__all__ = [
    "Durability",
    "RecordingCounts",
    "RecordingHeader",
    "commit_from_json",
    "header_from_json",
    "json_bytes",
    "json_from_commit",
    "json_from_header",
]


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


def json_bytes(content: dict[str, Any]) -> bytes:
    """Write JSON in one canonical form: sorted keys, no blanks, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} has no form in JSON")


def _enum_value(_: object, __: object, value: object) -> object:
    return value.value if isinstance(value, Enum) else value


def json_from_header(header: RecordingHeader) -> bytes:
    """Write a header."""
    return json_bytes(attrs.asdict(header, value_serializer=_enum_value))


def header_from_json(text: bytes) -> RecordingHeader:
    """Read a header."""
    content = json.loads(text)
    return RecordingHeader(**{**content, "clock": RecordingClock(content["clock"])})


def json_from_commit(
    counts: RecordingCounts, instruments: Sequence[Instrument], origins: Sequence[Origin]
) -> bytes:
    """Write counts so far and what is new."""
    return json_bytes(
        {
            "counts": attrs.asdict(counts),
            "instruments": [
                attrs.asdict(instrument, value_serializer=_enum_value) for instrument in instruments
            ],
            "origins": [attrs.asdict(origin, value_serializer=_enum_value) for origin in origins],
        }
    )


def commit_from_json(text: bytes) -> tuple[RecordingCounts, list[Instrument], list[Origin]]:
    """Read what `json_from_commit` wrote."""
    content = json.loads(text)
    return (
        RecordingCounts(**content["counts"]),
        [_instrument(entry) for entry in content["instruments"]],
        [Origin(**{**entry, "channel": Channel(entry["channel"])}) for entry in content["origins"]],
    )


def _instrument(entry: dict[str, Any]) -> Instrument:
    expiry = entry["expiry"]
    known = {
        **entry,
        "venue": VenueName(entry["venue"]),
        "symbol": Symbol(entry["symbol"]),
        "kind": InstrumentKind(entry["kind"]),
        "settlement": Settlement(entry["settlement"]),
        "min_notional": Decimal(entry["min_notional"]),
        "multiplier": Decimal(entry["multiplier"]),
        "fees": FeeSchedule(
            maker=Decimal(entry["fees"]["maker"]), taker=Decimal(entry["fees"]["taker"])
        ),
        "status": InstrumentStatus(entry["status"]),
        "expiry": None if expiry is None else Nanoseconds(expiry),
        "chain": ChainRule(entry["chain"]),
    }
    return Instrument(**known)
