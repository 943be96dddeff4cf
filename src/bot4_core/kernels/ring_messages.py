"""Messages of bytes in a ring, each a few lines in a row; see `bot4_core.kernels.ring`.

A message begins with a word of its length and kind and a word of its number, which tells a reader
that was overrun how many it lost. It never wraps around the end of the circle: a line of padding
says that it begins at the start.

Which number comes next stands in two *marks*, each a head and the number of the message there. The
one that does not hold the present head is written before the head moves, so that a writer that died
at any moment leaves one that does.
"""

from typing import Final

from bot4_core.jit import kernel
from bot4_core.kernels.atomics import Words, load_acquire, order_loads, order_stores, store_release
from bot4_core.kernels.ring import (
    DATA,
    LINE,
    ONE_READER,
    UNKNOWN,
    At,
    Cursor,
    is_intact,
    publish,
    room_for,
)

__all__ = [
    "TOO_LONG",
    "begin_at_head",
    "claim_message",
    "message_lines",
    "next_message",
    "publish_message",
    "release_message",
]

MESSAGE_HEAD: Final = 2  # words before a message's bytes
PADDING: Final = -1
LENGTH_BITS: Final = 40
LENGTH_MASK: Final = (1 << LENGTH_BITS) - 1
FULL: Final = -1
TOO_LONG: Final = -2
TRIES: Final = 1 << 10

HEAD: Final = int(At.HEAD)
TAIL: Final = int(At.TAIL)
OLDEST: Final = int(At.OLDEST)
LINES: Final = int(At.LINES)
MODE: Final = int(At.MODE)
WRITER_BEATS: Final = int(At.WRITER_BEATS)
STALLS: Final = int(At.STALLS)
CLAIMED: Final = int(At.CLAIMED)
MARKS: Final = int(At.MARKS)
POSITION: Final = int(Cursor.POSITION)
NUMBER: Final = int(Cursor.NUMBER)
LOST: Final = int(Cursor.LOST)
OVERRUNS: Final = int(Cursor.OVERRUNS)
LENGTH: Final = int(Cursor.LENGTH)
KIND: Final = int(Cursor.KIND)
TAKEN: Final = int(Cursor.TAKEN)


@kernel()
def _mark_of(ring: Words, head: int) -> int:
    """Return where the mark of a head stands."""
    return MARKS if ring[MARKS] == head else MARKS + 2


# -- writing --------------------------------------------------------------------------------------


@kernel()
def message_lines(length: int) -> int:
    """Return how many lines a message of so many bytes takes."""
    return (MESSAGE_HEAD * LINE + length + LINE * LINE - 1) // (LINE * LINE)


@kernel()
def _overwrite(ring: Words, until: int) -> None:
    """Give up the oldest messages that reach into lines before ``until``."""
    lines, oldest = ring[LINES], ring[OLDEST]
    if oldest >= until:
        return
    while oldest < until:
        slot = oldest & (lines - 1)
        word = ring[DATA + slot * LINE]
        oldest += lines - slot if word == PADDING else message_lines(int(word & LENGTH_MASK))
    store_release(ring, OLDEST, oldest)
    order_stores()


@kernel()
def claim_message(ring: Words, length: int) -> int:
    """Find room for a message; nobody sees it before `publish_message`.

    Parameters
    ----------
    ring : (n,) int64
    length : int
        Bytes; a message may take half of the circle.

    Returns
    -------
    int
        The word where its bytes go; -1 while there is no room, -2 if there never will be.
    """
    lines, count, head = ring[LINES], message_lines(length), ring[HEAD]
    ring[WRITER_BEATS] += 1
    if 2 * count > lines:
        return TOO_LONG
    slot = head & (lines - 1)
    padding = lines - slot if slot + count > lines else 0
    if ring[MODE] == ONE_READER:
        if room_for(ring, padding + count) < padding + count:
            ring[STALLS] += 1
            return FULL
    else:
        _overwrite(ring, head + padding + count - lines)
    if padding:
        ring[DATA + slot * LINE] = PADDING
        slot = 0
    ring[CLAIMED] = padding + count
    return int(DATA + slot * LINE + MESSAGE_HEAD)


@kernel()
def publish_message(ring: Words, place: int, length: int, kind: int) -> None:
    """Let readers see the message whose bytes were written at a claimed place."""
    ring[place - 2] = length | (kind << LENGTH_BITS)
    head = ring[HEAD]
    mark = _mark_of(ring, head)
    number = ring[mark + 1]
    ring[place - 1] = number
    other = 2 * MARKS + 2 - mark
    ring[other], ring[other + 1] = head + ring[CLAIMED], number + 1
    publish(ring, ring[CLAIMED])


# -- reading --------------------------------------------------------------------------------------


@kernel(inline=True)
def begin_at_head(ring: Words, cursor: Words) -> None:
    """Let a reader of many go on with the next message to be written, and count what it missed."""
    for _ in range(TRIES):
        head = load_acquire(ring, HEAD)
        mark = _mark_of(ring, head)
        known, number = ring[mark] == head, ring[mark + 1]
        order_loads()
        if known and load_acquire(ring, HEAD) == head:
            if cursor[NUMBER] != UNKNOWN:
                cursor[LOST] += number - cursor[NUMBER]
            cursor[NUMBER] = number
            cursor[POSITION] = head
            return


@kernel()
def _resume(ring: Words, cursor: Words) -> None:
    """Let an overrun reader go on half a circle behind the writer, or else at its head."""
    cursor[OVERRUNS] += 1
    lines, wanted = ring[LINES], load_acquire(ring, HEAD) - ring[LINES] // 2
    cursor[POSITION] = load_acquire(ring, OLDEST)
    while cursor[POSITION] < wanted:
        slot = cursor[POSITION] & (lines - 1)
        word = ring[DATA + slot * LINE]
        if not is_intact(ring, cursor):
            begin_at_head(ring, cursor)
            return
        if word == PADDING:
            cursor[POSITION] += lines - slot
        else:
            cursor[POSITION] += message_lines(int(word & LENGTH_MASK))


@kernel()
def next_message(ring: Words, cursor: Words) -> int:
    """Find the next message; its length and kind are then in the cursor.

    Returns
    -------
    int
        The word where its bytes begin; -1 if there is none.
    """
    head, lines = load_acquire(ring, HEAD), ring[LINES]
    position = cursor[POSITION]
    if position == head:
        return -1
    slot, padding = position & (lines - 1), 0
    word = ring[DATA + slot * LINE]
    if word == PADDING:
        slot, padding = 0, lines - slot
        word = ring[DATA]
    number = ring[DATA + slot * LINE + 1]
    if ring[MODE] != ONE_READER and not is_intact(ring, cursor):
        _resume(ring, cursor)
        return -1
    if cursor[NUMBER] != UNKNOWN:
        cursor[LOST] += number - cursor[NUMBER]
    cursor[NUMBER] = number
    cursor[LENGTH] = word & LENGTH_MASK
    cursor[KIND] = word >> LENGTH_BITS
    cursor[TAKEN] = padding + message_lines(int(word & LENGTH_MASK))
    return int(DATA + slot * LINE + MESSAGE_HEAD)


@kernel()
def release_message(ring: Words, cursor: Words) -> bool:
    """Go on behind the message at hand.

    Returns
    -------
    bool
        False if it was overwritten while it was read, which counts it as lost; what was read of
        it is then worth nothing.
    """
    whole = True
    if ring[MODE] != ONE_READER and not is_intact(ring, cursor):
        whole = False
        _resume(ring, cursor)
    else:
        cursor[POSITION] += cursor[TAKEN]
        cursor[NUMBER] += 1
    if ring[MODE] == ONE_READER:
        store_release(ring, TAIL, cursor[POSITION])
    return whole
