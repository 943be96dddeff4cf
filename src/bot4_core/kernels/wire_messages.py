"""What the compiled decoders of all venues share: their state, and the ways to call them.

A venue brings one function that decodes a text between two positions. `message_kernels` makes of
it what adapters call: for one message, for one message and its books, for a block of messages.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bot4_core.domain_types.records import EVENT_DTYPE, Record, Records
from bot4_core.jit import kernel
from bot4_core.kernels.book import ROWS, WORDS, apply_events
from bot4_core.kernels.book_state import BOOK_DTYPE
from bot4_core.kernels.tables import TableSet, table_at
from bot4_core.kernels.wire_bytes import Buffer, Text, borrowed, text_of
from bot4_core.kernels.wire_symbols import SYMBOL_WIDTH

__all__ = [
    "BOOKS",
    "RECORDS",
    "ROOM",
    "SHORTEST_RECORD",
    "SPARE",
    "STATES",
    "SYMBOL_ROWS",
    "UNAPPLIED",
    "UNKNOWN",
    "DecodeText",
    "MessageKernels",
    "begin_record",
    "decoder_dtype",
    "message_kernels",
]

UNKNOWN: Final = -1
"""Result: not a message this decoder vouches for; the slow one must judge it."""
ROOM: Final = -2
"""Result: the message may not fit into the batch."""
UNAPPLIED: Final = -3
"""Result: decoded, but the books could not take all of it."""

STATES: Final = 0
"""Slot of the tables of `MessageKernels.applied`: the decoder's record."""
RECORDS: Final = 1
"""Slot: the records to write to."""
BOOKS: Final = 2
"""Slot: the books' own tables."""
NUMBER_DTYPE: Final = np.dtype(np.int64)

SHORTEST_RECORD: Final = 8
"""Bytes of text that a record takes at least; it bounds the records of a message."""
SPARE: Final = 8
"""Records beyond those that a message may give."""
SYMBOL_ROWS: Final = 4096

DecodeText: TypeAlias = Callable[[Text, int, int, int, Records, int, Record], int]
"""``(text, start, stop, received, records, count, state)`` to the number of records written from
``records[count]`` on, or `UNKNOWN`. There is room for one record in each `SHORTEST_RECORD` bytes
and for `SPARE` more."""


def decoder_dtype(
    *fields: tuple[str, DTypeLike] | tuple[str, DTypeLike, tuple[int, ...]],
) -> np.dtype[np.void]:
    """Return the layout of a decoder's record: what all have, and a venue's own fields.

    One record, because each further argument of a compiled function costs its caller about 50 ns.
    """
    return np.dtype(
        [
            *fields,
            ("subject", "<i8"),  # 1 + the row of the symbol that messages without one are of
            ("made", "<i8"),  # records of a message that the books could not take at once
            ("applied", "<i8"),  # the place of the first that they did not take
            ("symbols", "<i8", (SYMBOL_ROWS * SYMBOL_WIDTH,)),
        ]
    )


class MessageKernels(NamedTuple):
    """A venue's decoder in the forms that adapters call.

    Attributes
    ----------
    dtype : dtype
        Layout of the decoder's record.
    one : callable
        ``(data, received, records, count, states)``: writes the records of one message.
    applied : callable
        ``(data, received, count, tables)``: the same, and applies them to the books.
    many : callable
        ``(data, starts, stops, received, records, count, states, first)``: decodes messages from
        number ``first`` on until one needs room or the slow decoder; returns the number of the
        message not decoded, the records now held, and why it stopped (0: at the end).
    """

    dtype: np.dtype[np.void]
    one: Callable[[Buffer, int, Records, int, Records], int]
    applied: Callable[[Buffer, int, int, TableSet], int]
    many: Callable[..., tuple[int, int, int]]


@kernel(inline=True)
def begin_record(record: Record, kind: int, time: int, received: int, instrument: int) -> None:
    """Write all fields of a record but its flags; numbers are 0 and ids -1."""
    record["time"] = time
    record["received"] = received
    record["price"] = 0
    record["size"] = 0
    record["sequence"] = -1
    record["aux"] = -1
    record["link"] = -1
    record["instrument"] = instrument
    record["kind"] = kind
    record["side"] = 0
    record["flags"] = 0


@kernel(inline=True)
def _is_crowded(start: int, stop: int, records: Records, count: int) -> bool:
    return (stop - start) // SHORTEST_RECORD + SPARE > len(records) - count


def message_kernels(decode_text: DecodeText, dtype: np.dtype[np.void]) -> MessageKernels:
    """Make the kernels that adapters call of a venue's own one.

    Parameters
    ----------
    decode_text : kernel
    dtype : dtype
        Layout of its state, made by `decoder_dtype`.
    """

    @kernel()
    def decode_message(
        data: Buffer, received: int, records: Records, count: int, states: Records
    ) -> int:
        stop = len(data)
        start = 0 * stop  # no literal, so that this and blocks share one compiled form
        if _is_crowded(start, stop, records, count):
            return ROOM
        rows = borrowed(records)
        return decode_text(text_of(data), start, stop, received, rows, count, states[0])

    @kernel()
    def decode_and_apply(data: Buffer, received: int, count: int, tables: TableSet) -> int:
        states = table_at(tables, STATES, dtype)
        records = table_at(tables, RECORDS, EVENT_DTYPE)
        made = decode_message(data, received, records, count, states)
        if made <= 0:
            return made
        books = table_at(tables, BOOKS, NUMBER_DTYPE)
        rows, words = table_at(books, ROWS, BOOK_DTYPE), table_at(books, WORDS, NUMBER_DTYPE)
        applied = apply_events(rows, words, records, count, count + made)
        if applied == count + made:
            return made
        states[0]["made"] = made
        states[0]["applied"] = applied
        return UNAPPLIED

    @kernel()
    def decode_messages(
        data: Buffer,
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
        records: Records,
        count: int,
        states: Records,
        first: int,
    ) -> tuple[int, int, int]:
        text = text_of(data)
        state = states[0]
        rows = borrowed(records)
        for index in range(first, len(starts)):
            start, stop = starts[index], stops[index]
            if _is_crowded(start, stop, rows, count):
                return index, count, ROOM
            made = decode_text(text, start, stop, received[index], rows, count, state)
            if made < 0:
                return index, count, made
            count += made
        return len(starts), count, 0

    return MessageKernels(dtype, decode_message, decode_and_apply, decode_messages)
