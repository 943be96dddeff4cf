"""Read recordings with a helper thread, and say what to do with damaged ones."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
from isal import igzip_lib, isal_zlib

from bot4_core.errors import DamagedRecordingError, RecordingError
from bot4_core.market.recordings import GzipLibrary, Inflater, Recording
from bot4_core.market.recordings.byte_stream import head
from bot4_core.market.recordings.frames import MAGIC
from bot4_core.session.event_stream import ReadingOptions
from bot4_core.session.replay import ReplayProgress
from bot4_plugins.host_cli.talk import Talk

__all__ = [
    "ISAL",
    "RecordedAt",
    "doubts",
    "origin_of",
    "reading",
    "reading_ahead",
    "require_origin",
    "whole_files",
]

GZIP_WINDOW: Final = 31  # the largest window, and a gzip header


def _isal_inflater() -> Inflater:
    return isal_zlib.decompressobj(GZIP_WINDOW)


ISAL: Final = GzipLibrary(inflater=_isal_inflater, error=igzip_lib.IsalError)  # type: ignore[arg-type]  # its stub calls the class an instance
"""Intel's storage library, which inflates two to three times as fast as zlib."""


@attrs.frozen
class RecordedAt:
    """The venue and the market that recordings are read as."""

    venue: str
    market: str

    def __str__(self) -> str:
        """Name both, as messages do."""
        return f"{self.venue} {self.market}"


DEFAULT: Final = RecordedAt("binance", "spot")


@contextmanager
def reading_ahead(*, salvage: bool = False) -> Iterator[ReadingOptions]:
    """Give options that decompress ahead on another thread."""
    with ThreadPoolExecutor(1, "bot4-reader") as executor:
        yield ReadingOptions(executor=executor, gzip=ISAL, salvage=salvage)


@contextmanager
def reading(
    talk: Talk, title: str, files: Sequence[Path], origin: RecordedAt, *, salvage: bool
) -> Iterator[tuple[ReadingOptions, Callable[[ReplayProgress], None]]]:
    """Give options that decompress ahead on another thread, and something to tell progress to."""
    with reading_ahead(salvage=salvage) as options, talk.stages() as stages:

        def tell(progress: ReplayProgress) -> None:
            if progress.compiling:
                stages("compile kernels (once)", progress.compiled, progress.compiling)
                return
            share = progress.bytes_read / progress.bytes_total if progress.bytes_total else 1.0
            stages(title, min(1.0, share), f"{progress.messages:,} messages")

        require_origin(files, origin)
        if salvage:
            yield options, tell
        else:
            with whole_files(files, "--salvage reads what comes before"):
                yield options, tell


def require_origin(files: Sequence[Path], origin: RecordedAt) -> None:
    """Refuse files that are not there, and recordings of our own from elsewhere.

    Raises
    ------
    RecordingError
        Naming the file and, where it tells, the venue and market it is from.
    """
    for path in files:
        if not path.exists():
            raise RecordingError(f"{path}: there is no such file; check the path")
        if head(path, len(MAGIC)) != MAGIC:
            continue
        header = Recording(path, verify=False, salvage=True).header
        found = RecordedAt(header.venue, header.market)
        if found != origin:
            raise RecordingError(
                f"{path}: was recorded on {found}, not on {origin}; name that venue and market"
            )


def origin_of(files: Sequence[Path], venue: str | None, market: str | None) -> RecordedAt:
    """Return what files are to be read as: as asked, else as a recording of ours among them says.

    Parameters
    ----------
    files : sequence of Path
    venue, market : str, optional
        What was asked for. Where nothing tells, it is Binance spot.
    """
    ours = (path for path in files if path.is_file() and head(path, len(MAGIC)) == MAGIC)
    first = next(ours, None)
    found = DEFAULT
    if first is not None:
        header = Recording(first, verify=False, salvage=True).header
        found = RecordedAt(header.venue, header.market)
    if venue not in {None, found.venue}:
        found = DEFAULT
    return RecordedAt(venue or found.venue, market or found.market)


def doubts(origin: RecordedAt, events: int, quarantined: int) -> str:
    """Say that messages were not what the venue sends; nothing if all were."""
    if not quarantined:
        return ""
    if not events:
        return (
            f"none of {quarantined:,} messages is one of {origin}; "
            "is the recording of another venue or market?"
        )
    return (
        f"{quarantined:,} messages are none of {origin} and were left out; "
        "is the recording of another market?"
    )


@contextmanager
def whole_files(files: Sequence[Path], remedy: str) -> Iterator[None]:
    """Refuse recordings of our own that were not finished, and add what else can be done.

    Raises
    ------
    DamagedRecordingError
        If a file is damaged or ends early, naming the remedy.
    """
    try:
        for path in files:
            if head(path, len(MAGIC)) == MAGIC:
                _refuse_torn(path)
        yield
    except DamagedRecordingError as error:
        raise DamagedRecordingError(f"{error}; {remedy}") from error


def _refuse_torn(path: Path) -> None:
    torn = Recording(path, verify=False).torn
    if torn is not None:
        raise DamagedRecordingError(
            f"{path}: the recording ends early, {torn.reason}, with {torn.lost:,} bytes that "
            "cannot be read; restore it from a copy"
        )
