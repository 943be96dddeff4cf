"""Which layout a file of raw messages has, told from its first bytes."""

import json
import re
from pathlib import Path
from typing import Final

from bot4_core.errors import RecordingError
from bot4_core.market.recordings.byte_stream import (
    HEAD_BYTES,
    ZLIB,
    ByteCount,
    GzipLibrary,
    chunks,
    head,
)
from bot4_core.market.recordings.capture_files import CaptureFile
from bot4_core.market.recordings.document_files import ConnectionLog, FrameDocument
from bot4_core.market.recordings.line_files import PlainLines, TimedLines
from bot4_core.market.recordings.messages import MessageFile

__all__ = ["open_messages"]

TIMED: Final = re.compile(rb"(\d{13}|\d{16}|\d{19}) \S")
CANDLES: Final = re.compile(rb"timestamp,open,high,low,close,volume\r?\n")
COMPRESSED: Final = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip",
    b"\x04\x22\x4d\x18": "lz4",
}
KNOWN: Final = (
    "'<receive time> <json>' lines, JSON lines, connection logs, CBCAP1 captures, "
    "JSON documents with raw_text, and recordings of our own (.b4r); plain or gzip"
)


def open_messages(path: Path, library: GzipLibrary = ZLIB) -> MessageFile:
    """Open a foreign recording by what it holds, not by its name.

    Parameters
    ----------
    path : Path
    library : GzipLibrary
        Decompresses; a faster one than the standard library's may be passed.

    Raises
    ------
    RecordingError
        If the file cannot be read, is empty, or has no layout known here; the text says what was
        found.
    """
    start = head(path)
    count = ByteCount()
    parts = chunks(path, library, count)
    timed = TIMED.match(start)
    if timed:
        return TimedLines(path=path, parts=parts, digits=len(timed[1]), count=count)
    if start.startswith(b"CBCAP1 "):
        return CaptureFile(path=path, parts=parts, count=count)
    if start.lstrip()[:1] in (b"{", b"["):
        whole = _document(path, start)
        return whole or PlainLines(path=path, parts=parts, count=count)
    raise RecordingError(f"{path}: {_stranger(start)}; known layouts: {KNOWN}")


def _document(path: Path, start: bytes) -> MessageFile | None:
    """Return the reader of a JSON file that has to be read whole, None for message lines."""
    if b'"raw_text"' in start[:4096]:
        return FrameDocument(path=path)
    first, newline, _ = start.partition(b"\n")
    if not newline and len(start) >= HEAD_BYTES:
        return None
    try:
        entry = json.loads(first)
    except ValueError:
        return FrameDocument(path=path)
    log = isinstance(entry, dict) and entry.get("t") == "header"
    return ConnectionLog(path=path) if log else None


def _stranger(start: bytes) -> str:
    if not start:
        return "the file is empty"
    for magic, name in COMPRESSED.items():
        if start.startswith(magic):
            return f"compressed with {name}; decompress it first"
    if CANDLES.match(start):
        return "a table of candles, not of messages; read it with read_candles"
    return f"starts with {start[:40]!r}"
