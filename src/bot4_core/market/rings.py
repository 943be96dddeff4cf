"""What rings of events and of messages have in common: memory, ends, waiting, and who lives."""

import os
from collections.abc import Callable
from enum import IntEnum
from types import TracebackType
from typing import Any, ClassVar, Final, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.errors import ChannelError
from bot4_core.jit import Specialisation, entry_point
from bot4_core.kernels.ring import (
    CURSOR_SLOTS,
    DATA,
    LINE,
    MAGIC,
    UNKNOWN,
    VERSION,
    At,
    Cursor,
    await_lines,
    read_word,
    write_word,
)
from bot4_core.market.shared_words import SharedWords, is_running, start_of

__all__ = ["SPINS", "Pause", "Readers", "Ring", "RingEnd", "RingReader", "RingStatus", "RingWriter"]

Pause = Callable[[], None]
"""Lets a moment pass, such as ``lambda: time.sleep(1e-4)``: rings know no clock."""
SPINS: Final = 2_000
"""Looks before a pause, some ten microseconds."""
LEAST_LINES: Final = 8


class Readers(IntEnum):
    """Who reads a ring."""

    ONE = 0  # the writer waits for it
    MANY = 1  # nobody is waited for; who is too slow loses, and knows


@attrs.frozen(kw_only=True)
class RingStatus:
    """What a ring's counters say.

    Attributes
    ----------
    capacity, waiting, high_water : int
        Lines of 64 bytes: all, those not read yet, and the most there were of these.
    written : int
        Lines ever written.
    stalls : int
        Times that the writer found no room.
    writer, reader : int
        Process ids, 0 for nobody. A ring of many readers does not know them.
    writer_beats, reader_beats : int
        Rise with every call of either side, and with `RingEnd.beat`: one that stands still hangs.
    writer_closed, reader_closed : bool
        That side ended in good order.
    """

    capacity: int
    waiting: int
    high_water: int
    written: int
    stalls: int
    writer: int
    reader: int
    writer_beats: int
    reader_beats: int
    writer_closed: bool
    reader_closed: bool


class Ring:
    """A ring in shared memory. Made in one process, attached in others; then take one end."""

    content: ClassVar[int]
    what: ClassVar[str]

    def __init__(self, memory: SharedWords) -> None:
        self._memory = memory
        self.words: NDArray[np.int64] = memory.words

    @classmethod
    def create(cls, lines: int, readers: Readers = Readers.ONE) -> Self:
        """Make a ring.

        Parameters
        ----------
        lines : int
            Of 64 bytes; a power of two, at least 8.
        readers : Readers

        Raises
        ------
        ValueError
            If the number of lines is none of these.
        ChannelError
            If the system has no room for it.
        """
        if lines < LEAST_LINES or lines & (lines - 1):
            raise ValueError(f"{lines} lines: a ring has a power of two of them, at least 8")
        memory = SharedWords.create(DATA + lines * LINE)
        head = memory.words
        head[At.VERSION], head[At.LINES] = VERSION, lines
        head[At.MODE], head[At.CONTENT] = readers, cls.content
        head[At.MAGIC] = MAGIC
        return cls(memory)

    @classmethod
    def attach(cls, name: str) -> Self:
        """Find a ring that another process made.

        Raises
        ------
        ChannelError
            If there is none of this name, or it is none of this kind.
        """
        memory = SharedWords.attach(name)
        head = memory.words
        if len(head) < DATA or head[At.MAGIC] != MAGIC:
            raise ChannelError(f"shared memory {name} holds no ring")
        if head[At.VERSION] != VERSION:
            raise ChannelError(f"ring {name} is of version {head[At.VERSION]}, not {VERSION}")
        if head[At.CONTENT] != cls.content:
            raise ChannelError(f"ring {name} carries no {cls.what}")
        return cls(memory)

    @property
    def name(self) -> str:
        """By which other processes attach; good for `multiprocessing` arguments."""
        return self._memory.name

    @property
    def readers(self) -> Readers:
        """Whether it has one reader or many."""
        return Readers(int(self.words[At.MODE]))

    def status(self) -> RingStatus:
        """Read the counters; either side may do so, or a third."""
        head = self.words[:DATA].tolist()
        alone = head[At.MODE] == Readers.ONE
        return RingStatus(
            capacity=head[At.LINES],
            waiting=head[At.HEAD] - head[At.TAIL] if alone else 0,
            high_water=head[At.HIGH_WATER],
            written=head[At.HEAD],
            stalls=head[At.STALLS],
            writer=head[At.WRITER_PID],
            reader=head[At.READER_PID],
            writer_beats=head[At.WRITER_BEATS],
            reader_beats=head[At.READER_BEATS],
            writer_closed=bool(head[At.WRITER_CLOSED]),
            reader_closed=bool(head[At.READER_CLOSED]),
        )

    def unlink(self) -> None:
        """Remove the name, in the process that made the ring; ends at work stay usable."""
        self._memory.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unlink()


class RingEnd:
    """One side of a ring, held by this process until it is closed."""

    own_pid: ClassVar[At]
    own_start: ClassVar[At]
    own_closed: ClassVar[At]
    own_beats: ClassVar[At]
    other_pid: ClassVar[At]
    other_start: ClassVar[At]
    other_closed: ClassVar[At]
    side: ClassVar[str]
    other: ClassVar[str]

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self._words = ring.words
        self._read_word = entry_point(read_word, self._words, 0)
        self._write_word = entry_point(write_word, self._words, 0, 0)
        self._closed = False

    def _take(self) -> None:
        """Put this process down as the one at this end.

        Raises
        ------
        ChannelError
            If another process holds the end.
        """
        holder = self._read_word(self._words, self.own_pid)
        if (
            holder
            and not self._read_word(self._words, self.own_closed)
            and is_running(holder, self._read_word(self._words, self.own_start))
        ):
            raise ChannelError(f"ring {self.ring.name} has a {self.side} already: process {holder}")
        self._write_word(self._words, self.own_closed, 0)
        self._write_word(self._words, self.own_start, start_of(os.getpid()))
        self._write_word(self._words, self.own_pid, os.getpid())

    def beat(self) -> None:
        """Show that this side runs, while it has nothing to write or no time to read."""
        self._words[self.own_beats] += 1

    def close(self) -> None:
        """Tell the other side that nothing more comes from here."""
        if not self._closed:
            self._closed = True
            self._write_word(self._words, self.own_closed, 1)

    @property
    def other_side_closed(self) -> bool:
        """Whether the other side ended in good order."""
        return bool(self._read_word(self._words, self.other_closed))

    def check_other_side(self) -> None:
        """See that the other side, once it was there, still is.

        Raises
        ------
        ChannelError
            If its process died without closing its end.
        """
        pid = self._read_word(self._words, self.other_pid)
        if not pid or self.other_side_closed:
            return
        if not is_running(pid, self._read_word(self._words, self.other_start)):
            raise ChannelError(
                f"ring {self.ring.name}: its {self.other}, process {pid}, died without closing it"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class RingWriter(RingEnd):
    """The writing end."""

    own_pid, own_start, own_closed = At.WRITER_PID, At.WRITER_STARTED, At.WRITER_CLOSED
    other_pid, other_start, other_closed = At.READER_PID, At.READER_STARTED, At.READER_CLOSED
    own_beats, side, other = At.WRITER_BEATS, "writer", "reader"

    def __init__(self, ring: Ring) -> None:
        super().__init__(ring)
        self._take()

    def stand_by(self, pause: Pause) -> None:
        """Pause, for want of room, if somebody may still make some.

        Raises
        ------
        ChannelError
            If the reader died, or reads no more.
        """
        if self.other_side_closed:
            raise ChannelError(f"ring {self.ring.name}: its reader has closed it")
        self.check_other_side()
        pause()


class RingReader(RingEnd):
    """The reading end, or one of many.

    Parameters
    ----------
    ring : Ring
        One reader goes on where the one before it stopped; one of many begins with what is
        written from now on.
    """

    own_pid, own_start, own_closed = At.READER_PID, At.READER_STARTED, At.READER_CLOSED
    other_pid, other_start, other_closed = At.WRITER_PID, At.WRITER_STARTED, At.WRITER_CLOSED
    own_beats, side, other = At.READER_BEATS, "reader", "writer"

    def __init__(self, ring: Ring) -> None:
        super().__init__(ring)
        self._cursor = np.zeros(CURSOR_SLOTS, np.int64)
        self._await = entry_point(await_lines, self._words, self._cursor, 0)
        alone = ring.readers is Readers.ONE
        if alone:
            self._take()
        begin = self._read_word(self._words, At.TAIL if alone else At.HEAD)
        self._cursor[Cursor.POSITION] = begin
        self._cursor[Cursor.NUMBER] = UNKNOWN

    @property
    def lost(self) -> int:
        """Records or messages that were overwritten before they were read; one reader: always 0."""
        return int(self._cursor[Cursor.LOST])

    @property
    def overruns(self) -> int:
        """Times that some were."""
        return int(self._cursor[Cursor.OVERRUNS])

    def close(self) -> None:
        """Tell the writer that nothing more is read; one of many has nobody to tell."""
        if self.ring.readers is Readers.ONE:
            super().close()

    def wait(self, pause: Pause, spins: int = SPINS) -> bool:
        """Wait until there is something to read.

        Parameters
        ----------
        pause : callable
            Called after every ``spins`` looks; one that does nothing makes a reader that spins.
            It may raise ``ChannelError`` if it knows that the writer died.
        spins : int

        Returns
        -------
        bool
            False when the writer has closed the ring and everything was read.

        Raises
        ------
        ChannelError
            If the writer died, and everything it left was read.
        """
        words, cursor = self._words, self._cursor
        while not self._await(words, cursor, spins):
            if self.other_side_closed:
                return self._await(words, cursor, 0) > 0
            try:
                self.check_other_side()
                pause()
            except ChannelError:
                if self._await(words, cursor, 0):  # written meanwhile, before the end
                    return True
                raise
        return True


def end_kernels(words: NDArray[np.int64]) -> list[Specialisation]:
    """Return what every end calls, to be compiled before the first event."""
    cursor: Any = np.zeros(CURSOR_SLOTS, np.int64)
    return [
        Specialisation(read_word, (words, 0)),
        Specialisation(write_word, (words, 0, 0)),
        Specialisation(await_lines, (words, cursor, 0)),
    ]
