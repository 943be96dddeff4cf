"""Files, plain or gzipped, as a stream of decompressed chunks in bounded memory."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

import attrs

from bot4_core.errors import DamagedRecordingError, RecordingError

__all__ = [
    "CHUNK_BYTES",
    "HEAD_BYTES",
    "ZLIB",
    "ByteCount",
    "GzipLibrary",
    "Inflater",
    "chunks",
    "head",
    "whole",
]

CHUNK_BYTES: Final = 1 << 20
READ_BYTES: Final = 1 << 16
HEAD_BYTES: Final = 1 << 16
WHOLE_LIMIT: Final = 1 << 30
GZIP: Final = b"\x1f\x8b"


class Inflater(Protocol):
    """A streaming decompressor, as ``zlib.decompressobj`` makes them."""

    @property
    def eof(self) -> bool:
        """Whether the compressed stream came to its end."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that was not needed to fill the last result."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input after the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """Return at most ``max_length`` bytes."""
        ...


@attrs.frozen(kw_only=True)
class GzipLibrary:
    """Whose decompressors to use.

    Parameters
    ----------
    inflater : callable
        Makes a decompressor for one gzip member.
    error : type of exception
        What its decompressors raise where the data is damaged.
    """

    inflater: Callable[[], Inflater]
    error: type[Exception]


def _zlib_inflater() -> Inflater:
    return zlib.decompressobj(31)


ZLIB: Final = GzipLibrary(inflater=_zlib_inflater, error=zlib.error)
"""The standard library's."""


@attrs.define
class ByteCount:
    """How much of a file was read from the disk so far."""

    done: int = 0


def chunks(
    path: Path,
    library: GzipLibrary = ZLIB,
    count: ByteCount | None = None,
    most: int = CHUNK_BYTES,
) -> Iterator[bytes]:
    """Yield a file's content in order, decompressed where it is gzip.

    Parameters
    ----------
    path : Path
    library : GzipLibrary
    count : ByteCount, optional
        Told of every byte read.
    most : int
        Bytes of a chunk at most.

    Raises
    ------
    RecordingError
        If the file cannot be read, or its compressed stream is damaged or ends early; what came
        before was yielded.
    """
    progress = count or ByteCount()
    try:
        with path.open("rb", buffering=0) as file:

            def read(size: int) -> bytes:
                data = file.read(size)
                progress.done += len(data)
                return data

            start = read(min(READ_BYTES, most))
            if start.startswith(GZIP):
                yield from _inflated(path, start, read, library, most)
                return
            while start:
                yield start
                start = read(most)
    except OSError as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(f"{path}: cannot read: {error.strerror}") from error


def _inflated(
    path: Path, data: bytes, read: Callable[[int], bytes], library: GzipLibrary, most: int
) -> Iterator[bytes]:
    consumed = 0
    stream = library.inflater()
    while True:
        if stream.eof:
            data = (stream.unused_data or read(READ_BYTES)).lstrip(b"\0")
            if not data:
                return
            stream = library.inflater()
        try:
            out = stream.decompress(data, most)
        except library.error as error:
            raise DamagedRecordingError(
                f"{path}: the gzip data is damaged near compressed byte {consumed} ({error}); "
                "fetch the file again"
            ) from error
        if out:
            yield out
        data = stream.unconsumed_tail
        if not data and not stream.eof:
            data = read(READ_BYTES)
            consumed += len(data)
            if not data and not out:
                raise DamagedRecordingError(
                    f"{path}: the gzip data ends early, after compressed byte "
                    f"{path.stat().st_size}; fetch the file again"
                )


def head(path: Path, size: int = HEAD_BYTES) -> bytes:
    """Return the first ``size`` decompressed bytes, or fewer where the file ends or breaks."""
    found = b""
    try:
        for chunk in chunks(path, most=size):
            found += chunk
            if len(found) >= size:
                break
    except RecordingError:
        if not found:
            raise
    return found[:size]


def whole(path: Path, limit: int = WHOLE_LIMIT, count: ByteCount | None = None) -> bytes:
    """Return all of a file that has to be held in memory at once.

    Raises
    ------
    RecordingError
        If it holds more than ``limit`` bytes.
    """
    parts: list[bytes] = []
    size = 0
    for chunk in chunks(path, count=count):
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise RecordingError(
                f"{path}: holds more than {limit} bytes, and its layout has to be read whole; "
                "split the file"
            )
    return b"".join(parts)
