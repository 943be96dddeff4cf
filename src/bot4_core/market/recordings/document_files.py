"""Recordings that have to be read whole: connection logs to be sorted, and JSON documents."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar, Final

import attrs

from bot4_core.errors import RecordingError
from bot4_core.market.recordings.byte_stream import whole
from bot4_core.market.recordings.messages import (
    BLOCK_BYTES,
    Channel,
    MessageBlock,
    MessageFile,
    Origin,
    RecordingClock,
    block_from_messages,
)

__all__ = ["ConnectionLog", "FrameDocument"]

CHANNELS: Final = {"recv": Channel.STREAM, "http": Channel.RESPONSE}
NOTES: Final = frozenset({"header", "connect", "send", "disconnect"})


def _grouped(messages: list[tuple[int, int, bytes]]) -> Iterator[MessageBlock]:
    """Cut ``(received, origin, bytes)`` messages into blocks of about BLOCK_BYTES."""
    size = first = 0
    for number, (_, _, data) in enumerate(messages, 1):
        size += len(data)
        if size >= BLOCK_BYTES or number == len(messages):
            group = messages[first:number]
            yield block_from_messages(
                [data for _, _, data in group],
                [received for received, _, _ in group],
                [origin for _, origin, _ in group],
            )
            first, size = number, 0


@attrs.define(kw_only=True)
class ConnectionLog(MessageFile):
    """JSON lines ``{"t": "recv" | "http" | ..., "conn", "ts", "data"}``, as cryptofeed writes them.

    Such files are grouped by connection, not sorted by time; reading sorts them (stable, by
    ``ts``), so the whole file is held in memory.
    """

    layout: ClassVar[str] = "connection log"
    clock: RecordingClock = RecordingClock.RECEIVE
    _addresses: dict[str, str] = attrs.field(init=False, factory=dict)

    def blocks(self) -> Iterator[MessageBlock]:
        """Read the messages, sorted by receive time; n log n, about 10 µs a message."""
        numbers: dict[Origin, int] = {}
        self._addresses.clear()
        messages: list[tuple[int, int, bytes]] = []
        for line, text in enumerate(whole(self.path, count=self.count).split(b"\n"), 1):
            found = self._message(line, text) if text.strip() else None
            if found is None:
                continue
            received, origin, data = found
            number = numbers.setdefault(origin, len(numbers))
            messages.append((received, number, data))
        self.origins.extend(numbers)
        messages.sort(key=lambda message: message[0])
        yield from _grouped(messages)

    def _message(self, line: int, text: bytes) -> tuple[int, Origin, bytes] | None:
        try:
            entry: dict[str, Any] = json.loads(text, parse_float=Decimal)
            channel = CHANNELS.get(entry["t"])
            if channel is None:
                if entry["t"] not in NOTES:
                    self.refused.add(line, text)
                else:
                    if "addr" in entry:
                        self._addresses[str(entry.get("conn", ""))] = str(entry["addr"])
                    self.other += 1
                return None
            connection = str(entry.get("conn", ""))
            received = int(Decimal(entry["ts"]) * 1_000_000_000)
            origin = Origin(
                source=self.name,
                channel=channel,
                connection=connection,
                url=str(entry.get("url", "")) or self._addresses.get(connection, ""),
            )
            return received, origin, entry["data"].encode()
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
            self.refused.add(line, text)
            return None


@attrs.define(kw_only=True)
class FrameDocument(MessageFile):
    """One JSON document: ``{"raw_text": [frame, ...]}``, ``[{"text": frame}, ...]`` or one reply.

    There are no receive times. A document of any other shape is one message, the document itself.
    """

    layout: ClassVar[str] = "frame document"

    def blocks(self) -> Iterator[MessageBlock]:
        """Read the messages in the document's order."""
        text = whole(self.path, count=self.count)
        try:
            document: Any = json.loads(text)
        except ValueError as error:
            raise RecordingError(f"{self.path}: not a complete JSON document: {error}") from error
        self.origins.append(Origin(source=self.name))
        yield from _grouped([(0, 0, data) for data in self._frames(document, text)])

    def _frames(self, document: Any, text: bytes) -> Iterator[bytes]:
        entries: Any = None
        if isinstance(document, dict):
            entries = document.get("raw_text")
        elif document and all(isinstance(entry, dict) and "text" in entry for entry in document):
            entries = [entry["text"] for entry in document]
        if not isinstance(entries, list):
            yield text
            return
        for number, entry in enumerate(entries, 1):
            if isinstance(entry, str):
                yield entry.encode()
            else:
                self.refused.add(number, json.dumps(entry).encode())
