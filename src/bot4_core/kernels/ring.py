"""Rings between processes: one writer, and one reader or many, over one array of words.

A ring is a head of counters and a circle of *lines* of 64 bytes. ``HEAD`` counts the lines ever
written, ``TAIL`` those ever read, so that neither goes back; each stands on cache lines of its
own. The writer fills lines, then moves the head with a release store; a reader that has loaded the
head with acquire sees the lines whole. A process that dies in between leaves nothing behind.

One line is one event record; messages of several lines are in ``ring_messages``.

``MODE`` says who the readers are. One reader gives lines back by moving the tail, and the writer
waits for room. Many readers give nothing back: each has a cursor of its own, the writer overwrites
the oldest lines, saying so in ``OLDEST`` before it does, and a reader that finds its place
overwritten counts what it lost.
"""

from enum import IntEnum
from typing import Final

from bot4_core.domain_types.records import Records
from bot4_core.jit import kernel
from bot4_core.kernels.atomics import (
    Words,
    load_acquire,
    order_loads,
    order_stores,
    relax,
    store_release,
    words_of,
)

__all__ = [
    "CURSOR_SLOTS",
    "DATA",
    "LINE",
    "MAGIC",
    "ONE_READER",
    "UNKNOWN",
    "VERSION",
    "At",
    "Cursor",
    "await_lines",
    "is_intact",
    "publish",
    "read_records",
    "read_word",
    "room_for",
    "write_records",
    "write_word",
]

LINE: Final = 8  # words, 64 bytes
DATA: Final = 128  # the first word of the circle
MAGIC: Final = 0x31_4752_3454_4F42  # "BOT4RG1"
VERSION: Final = 1
ONE_READER: Final = 0
UNKNOWN: Final = -1
LAST_BIT: Final = 49  # of a record's eighth word: EventFlag.LAST


class At(IntEnum):
    """Words of a ring's head; those of different processes are 128 bytes apart."""

    MAGIC = 0
    VERSION = 1
    LINES = 2  # of the circle, a power of two
    MODE = 3  # 0 for one reader, 1 for many
    CONTENT = 4  # 0 for records, 1 for messages
    HEAD = 16  # written by the writer, read by all
    OLDEST = 17
    WRITER_CLOSED = 18
    MARKS = 20  # of two heads, the last and the one before or after, which message comes next
    TAIL = 32  # written by the one reader, read by the writer
    READER_CLOSED = 33
    WRITER_PID = 48
    WRITER_STARTED = 49
    WRITER_BEATS = 50
    STALLS = 51  # times that the writer found no room
    HIGH_WATER = 52  # most lines that waited to be read
    TAIL_SEEN = 53
    CLAIMED = 54  # lines of the message being written, padding included
    READER_PID = 64
    READER_STARTED = 65
    READER_BEATS = 66


class Cursor(IntEnum):
    """Words of one reader's own memory."""

    POSITION = 0  # lines read
    NUMBER = 1  # of the message expected next
    LOST = 2  # records or messages overwritten before they were read
    OVERRUNS = 3  # times that happened
    TORN = 4  # 1 while the rest of an overwritten event message is skipped
    LENGTH = 5  # bytes of the message at hand
    KIND = 6
    TAKEN = 7  # its lines, padding included


CURSOR_SLOTS: Final = 8

HEAD: Final = int(At.HEAD)
TAIL: Final = int(At.TAIL)
OLDEST: Final = int(At.OLDEST)
LINES: Final = int(At.LINES)
MODE: Final = int(At.MODE)
WRITER_BEATS: Final = int(At.WRITER_BEATS)
READER_BEATS: Final = int(At.READER_BEATS)
WRITER_CLOSED: Final = int(At.WRITER_CLOSED)
STALLS: Final = int(At.STALLS)
HIGH_WATER: Final = int(At.HIGH_WATER)
TAIL_SEEN: Final = int(At.TAIL_SEEN)
POSITION: Final = int(Cursor.POSITION)
LOST: Final = int(Cursor.LOST)
OVERRUNS: Final = int(Cursor.OVERRUNS)
TORN: Final = int(Cursor.TORN)


# -- writing --------------------------------------------------------------------------------------


@kernel()
def room_for(ring: Words, wanted: int) -> int:
    """Return how many lines may be written; asks for the tail only when it must."""
    head, lines = ring[HEAD], ring[LINES]
    room = lines - (head - ring[TAIL_SEEN])
    if room < wanted:
        ring[TAIL_SEEN] = load_acquire(ring, TAIL)
        room = lines - (head - ring[TAIL_SEEN])
    return int(room)


@kernel()
def publish(ring: Words, count: int) -> None:
    """Let readers see further lines, and note how many wait."""
    head = ring[HEAD] + count
    store_release(ring, HEAD, head)
    if ring[MODE] == ONE_READER and head - ring[TAIL_SEEN] > ring[HIGH_WATER]:
        ring[TAIL_SEEN] = load_acquire(ring, TAIL)
        ring[HIGH_WATER] = max(ring[HIGH_WATER], head - ring[TAIL_SEEN])


@kernel()
def write_records(ring: Words, records: Records, start: int, stop: int) -> int:
    """Write records, one a line.

    Parameters
    ----------
    ring : (n,) int64
    records : (m,) EVENT_DTYPE
    start, stop : int
        Which records.

    Returns
    -------
    int
        How many found room; to many readers, at most a whole circle at once.
    """
    lines, count = ring[LINES], stop - start
    ring[WRITER_BEATS] += 1
    if ring[MODE] == ONE_READER:
        room = room_for(ring, count)
        if room < count:
            ring[STALLS] += 1
            count = room
    else:
        count = min(count, lines)
        oldest = ring[HEAD] + count - lines
        if oldest > ring[OLDEST]:
            store_release(ring, OLDEST, oldest)
            order_stores()
    head, words = ring[HEAD], words_of(records)
    for number in range(count):
        to = DATA + ((head + number) & (lines - 1)) * LINE
        at = (start + number) * LINE
        for word in range(LINE):
            ring[to + word] = words[at + word]
    if count > 0:
        publish(ring, count)
    return int(count)


# -- reading --------------------------------------------------------------------------------------


@kernel()
def await_lines(ring: Words, cursor: Words, spins: int) -> int:
    """Return how many lines wait for a reader; look up to ``spins`` times more while none do."""
    if ring[MODE] == ONE_READER:
        ring[READER_BEATS] += 1
    waiting = load_acquire(ring, HEAD) - cursor[POSITION]
    while waiting == 0 and spins > 0 and ring[WRITER_CLOSED] == 0:
        spins -= 1
        relax()
        waiting = load_acquire(ring, HEAD) - cursor[POSITION]
    return int(waiting)


@kernel()
def is_intact(ring: Words, cursor: Words) -> bool:
    """Return whether what was just read at the cursor had not been overwritten."""
    order_loads()
    return bool(load_acquire(ring, OLDEST) <= cursor[POSITION])


@kernel()
def _skip_torn(ring: Words, cursor: Words, head: int) -> None:
    """Pass over the rest of a message whose beginning was overwritten."""
    lines = ring[LINES]
    while cursor[TORN] and cursor[POSITION] < head:
        word = ring[DATA + (cursor[POSITION] & (lines - 1)) * LINE + LINE - 1]
        if not is_intact(ring, cursor):
            return
        cursor[TORN] = 1 - ((word >> LAST_BIT) & 1)
        cursor[POSITION] += 1
        cursor[LOST] += 1


@kernel()
def read_records(ring: Words, cursor: Words, out: Records, spins: int) -> int:
    """Copy the next records out, in order, and give their lines back.

    A reader of many that was overrun goes on half a circle behind the writer, at the next whole
    message, and counts the records that it lost.

    Parameters
    ----------
    ring, cursor : (n,) int64
    out : (n,) EVENT_DTYPE
        As many as it holds are copied at once.
    spins : int
        Times to look again while there are none.

    Returns
    -------
    int
        How many there were.
    """
    if await_lines(ring, cursor, spins) == 0:
        return 0
    head, lines, words = load_acquire(ring, HEAD), ring[LINES], words_of(out)
    alone = ring[MODE] == ONE_READER
    if not alone:
        _skip_torn(ring, cursor, head)
    position = cursor[POSITION]
    count = min(head - position, len(out))
    for number in range(count):
        at = DATA + ((position + number) & (lines - 1)) * LINE
        for word in range(LINE):
            words[number * LINE + word] = ring[at + word]
    if alone:
        cursor[POSITION] = position + count
        store_release(ring, TAIL, position + count)
        return int(count)
    if not is_intact(ring, cursor):
        head = load_acquire(ring, HEAD)
        resumed = max(head - lines // 2, position)
        cursor[LOST] += resumed - position
        cursor[POSITION] = resumed
        cursor[OVERRUNS] += 1
        cursor[TORN] = 1
        return 0
    cursor[POSITION] = position + count
    return int(count)


# -- flags ----------------------------------------------------------------------------------------


@kernel()
def read_word(ring: Words, place: int) -> int:
    """Return a word of the head that another process may have written."""
    return load_acquire(ring, place)


@kernel()
def write_word(ring: Words, place: int, value: int) -> None:
    """Write a word of the head, for others to see after all that was written before."""
    store_release(ring, place, value)
