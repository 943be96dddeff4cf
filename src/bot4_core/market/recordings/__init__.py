"""Recordings: our own file format, and readers of foreign ones."""

from bot4_core.market.recordings.byte_stream import ZLIB, GzipLibrary, Inflater
from bot4_core.market.recordings.candle_files import CandleTable, read_candles
from bot4_core.market.recordings.frames import FORMAT_VERSION
from bot4_core.market.recordings.layouts import open_messages
from bot4_core.market.recordings.messages import (
    Channel,
    MessageBlock,
    MessageFile,
    Origin,
    RecordingClock,
    RefusedLines,
)
from bot4_core.market.recordings.metadata import Durability, RecordingCounts, RecordingHeader
from bot4_core.market.recordings.reader import Recording, TornTail
from bot4_core.market.recordings.writer import RecordingWriter

__all__ = [
    "FORMAT_VERSION",
    "ZLIB",
    "CandleTable",
    "Channel",
    "Durability",
    "GzipLibrary",
    "Inflater",
    "MessageBlock",
    "MessageFile",
    "Origin",
    "Recording",
    "RecordingClock",
    "RecordingCounts",
    "RecordingHeader",
    "RecordingWriter",
    "RefusedLines",
    "TornTail",
    "open_messages",
    "read_candles",
]
