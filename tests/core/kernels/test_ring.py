"""Rings: nothing lost, nothing doubled, order kept; and whoever is overrun knows it."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.registry import CPUDispatcher

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, Records
from bot4_core.jit import is_compiling, kernel
from bot4_core.kernels import ring_messages
from bot4_core.kernels.atomics import HAS_PAUSE, Words, relax
from bot4_core.kernels.ring import (
    CURSOR_SLOTS,
    DATA,
    LINE,
    UNKNOWN,
    At,
    Cursor,
    await_lines,
    is_intact,
    read_records,
    read_word,
    write_records,
    write_word,
)
from bot4_core.kernels.ring_messages import (
    begin_at_head,
    claim_message,
    message_lines,
    next_message,
    publish_message,
    release_message,
)

ONE, MANY = 0, 1
WORD = 8


@kernel()
def spun() -> int:
    """Wait for nothing."""
    relax()
    return 1


def ring_of(lines: int, mode: int = ONE) -> Words:
    ring = np.zeros(DATA + lines * LINE, np.int64)
    ring[At.LINES], ring[At.MODE] = lines, mode
    return ring


def cursor_at(position: int = 0) -> Words:
    cursor = np.zeros(CURSOR_SLOTS, np.int64)
    cursor[Cursor.POSITION], cursor[Cursor.NUMBER] = position, UNKNOWN
    return cursor


def numbered(first: int, count: int, message: int = 1) -> Records:
    """Records numbered through; every so many are a message."""
    records = np.zeros(count, EVENT_DTYPE)
    records["sequence"] = records["price"] = np.arange(first, first + count)
    ends = records["sequence"] % message == message - 1
    records["flags"] = np.where(ends, EventFlag.LAST | EventFlag.MAKER, EventFlag.SNAPSHOT)
    records["instrument"], records["side"], records["kind"] = 2**32 - 1, -1, 255
    return records


def read(ring: Words, cursor: Words, most: int = 64, spins: int = 0) -> list[int]:
    out = np.zeros(most, EVENT_DTYPE)
    count = read_records(ring, cursor, out, spins)
    numbers = out["sequence"][:count].tolist()
    assert out["price"][:count].tolist() == numbers
    return [int(number) for number in numbers]


# -- records --------------------------------------------------------------------------------------


@given(
    lines=st.sampled_from([8, 16, 32]),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=60),
)
def test_records_for_one_reader_arrive_once_each_and_in_order(
    lines: int, steps: Sequence[tuple[bool, int]]
) -> None:
    ring, cursor = ring_of(lines), cursor_at()
    taken: list[int] = []
    written = 0
    most_waiting = stalls = 0
    for writes, count in steps:
        if writes:
            done = write_records(ring, numbered(written, count), 0, count)
            assert done == min(count, lines - (written - len(taken)))
            stalls += done < count
            written += done
            most_waiting = max(most_waiting, written - len(taken))
        else:
            taken += read(ring, cursor, count)
    while more := read(ring, cursor):
        taken += more
    assert taken == list(range(written))
    assert (ring[At.STALLS], ring[At.HIGH_WATER]) == (stalls, most_waiting)
    assert ring[At.TAIL] == ring[At.HEAD] == written
    assert cursor[Cursor.LOST] == cursor[Cursor.OVERRUNS] == 0


@given(
    lines=st.sampled_from([8, 16]),
    message=st.integers(1, 5),
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=60),
)
def test_every_record_for_many_readers_arrives_or_is_counted_as_lost(
    lines: int, message: int, steps: Sequence[tuple[int, int]]
) -> None:
    ring, cursors = ring_of(lines, MANY), [cursor_at(), cursor_at()]
    written, taken = 0, [[-1], [-1]]
    for who, count in [*steps, *[(0, 64), (1, 64)] * 4]:
        if who == 2:
            written += write_records(ring, numbered(written, count, message), 0, count)
            continue
        overruns = cursors[who][Cursor.OVERRUNS]
        for number in read(ring, cursors[who], count + 1):
            assert number > taken[who][-1]
            taken[who].append(number)
        if cursors[who][Cursor.OVERRUNS] > overruns:
            taken[who].append(taken[who][-1])  # a mark: the next one begins a message
    for who, cursor in enumerate(cursors):
        seen = taken[who][1:]
        lost = int(cursor[Cursor.LOST])
        assert len(set(seen) - {-1}) + lost == written == cursor[Cursor.POSITION]
        marks = [at for at in range(1, len(seen)) if seen[at] == seen[at - 1]]
        for at in marks:
            if at + 1 < len(seen) and seen[at + 1] != seen[at]:
                assert seen[at + 1] % message == 0
    assert ring[At.STALLS] == ring[At.HIGH_WATER] == 0


def test_a_slow_reader_of_many_goes_on_half_a_ring_behind_at_a_whole_message() -> None:
    ring, cursor = ring_of(16, MANY), cursor_at()
    write_records(ring, numbered(0, 6, 3), 0, 6)
    assert read(ring, cursor, 2) == [0, 1]
    for first in range(6, 46):
        write_records(ring, numbered(first, 1, 3), 0, 1)
    assert read(ring, cursor) == []
    assert (cursor[Cursor.LOST], cursor[Cursor.POSITION], cursor[Cursor.TORN]) == (36, 38, 1)
    assert read(ring, cursor) == [39, 40, 41, 42, 43, 44, 45]
    assert (cursor[Cursor.LOST], cursor[Cursor.OVERRUNS]) == (37, 1)


def test_a_reader_that_is_overrun_again_before_it_is_back_loses_that_too() -> None:
    ring, cursor = ring_of(8, MANY), cursor_at()
    for first in range(0, 40, 8):
        write_records(ring, numbered(first, 8, 100), 0, 8)
    assert read(ring, cursor) == []
    for first in range(40, 99, 8):
        write_records(ring, numbered(first, 8, 100), 0, 8)
    assert read(ring, cursor) == read(ring, cursor) == []
    write_records(ring, numbered(104, 4, 2), 0, 4)
    assert read(ring, cursor) == [106, 107]
    assert (cursor[Cursor.LOST], cursor[Cursor.OVERRUNS]) == (106, 2)


def test_at_most_one_circle_is_written_to_many_readers_at_once() -> None:
    ring, cursor = ring_of(8, MANY), cursor_at()
    assert write_records(ring, numbered(0, 20), 0, 20) == 8
    assert read(ring, cursor) == list(range(8))


def test_waiting_ends_with_a_record_with_patience_or_with_the_writer() -> None:
    ring, cursor = ring_of(8), cursor_at()
    assert await_lines(ring, cursor, 5) == 0
    assert read(ring, cursor, spins=3) == []
    write_word(ring, At.WRITER_CLOSED, 1)
    assert read_word(ring, At.WRITER_CLOSED) == 1
    assert await_lines(ring, cursor, 2**62) == 0
    write_records(ring, numbered(0, 2), 0, 2)
    assert await_lines(ring, cursor, 0) == 2
    assert ring[At.READER_BEATS] == 4
    assert ring[At.WRITER_BEATS] == 1


# -- messages -------------------------------------------------------------------------------------


def content(number: int, length: int) -> bytes:
    return bytes((number * 31 + place) % 251 for place in range(length))


def send(ring: Words, number: int, length: int) -> int:
    place = claim_message(ring, length)
    if place >= 0:
        ring.view(np.uint8)[place * WORD : place * WORD + length] = list(content(number, length))
        publish_message(ring, place, length, number % 7)
    return place


def receive(ring: Words, cursor: Words) -> tuple[int, bytes] | None:
    """Return the next message's kind and bytes; None if there is none."""
    place = next_message(ring, cursor)
    if place < 0:
        return None
    start = place * WORD
    data = ring.view(np.uint8)[start : start + int(cursor[Cursor.LENGTH])].tobytes()
    return (int(cursor[Cursor.KIND]), data) if release_message(ring, cursor) else None


STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 16 * 64 // 2 - 16)), max_size=60)


@given(steps=STEPS)
def test_messages_for_one_reader_arrive_once_each_whole_and_in_order(
    steps: Sequence[tuple[bool, int]],
) -> None:
    ring, cursor = ring_of(16), cursor_at()
    sent: list[tuple[int, bytes]] = []
    got: list[tuple[int, bytes]] = []
    stalls = 0
    for writes, length in steps:
        if writes:
            place = send(ring, len(sent), length)
            stalls += place == -1
            if place >= 0:
                sent.append((len(sent) % 7, content(len(sent), length)))
        elif (message := receive(ring, cursor)) is not None:
            got.append(message)
    while (message := receive(ring, cursor)) is not None:
        got.append(message)
    assert got == sent
    assert ring[At.STALLS] == stalls
    assert ring[At.TAIL] == ring[At.HEAD]
    assert 0 <= ring[At.HIGH_WATER] <= 16
    assert cursor[Cursor.LOST] == 0


@given(steps=STEPS)
def test_messages_for_many_readers_arrive_whole_or_are_counted_as_lost(
    steps: Sequence[tuple[bool, int]],
) -> None:
    ring, cursor = ring_of(16, MANY), cursor_at()
    lengths: list[int] = []
    numbers: list[int] = []
    for writes, length in [(True, 5), (False, 0), *steps, (False, 0), (True, 7), (False, 0)]:
        if writes:
            assert send(ring, len(lengths), length) >= 0
            lengths.append(length)
        elif (message := receive(ring, cursor)) is not None:
            number = int(cursor[Cursor.NUMBER]) - 1
            assert message == (number % 7, content(number, lengths[number]))
            numbers.append(number)
    while receive(ring, cursor) is not None:
        numbers.append(int(cursor[Cursor.NUMBER]) - 1)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == len(lengths) - 1
    assert len(numbers) + cursor[Cursor.LOST] == len(lengths)


def test_a_message_that_is_overwritten_while_it_is_read_is_worth_nothing() -> None:
    ring, cursor = ring_of(16, MANY), cursor_at()
    send(ring, 0, 100)
    assert next_message(ring, cursor) > 0
    for number in range(1, 10):
        send(ring, number, 100)
    assert not release_message(ring, cursor)
    assert receive(ring, cursor) == (6, content(6, 100))  # half a circle behind the writer
    assert (cursor[Cursor.LOST], cursor[Cursor.OVERRUNS]) == (6, 1)


def test_a_reader_of_many_begins_with_the_next_message() -> None:
    ring, cursor = ring_of(16, MANY), cursor_at()
    for number in range(3):
        send(ring, number, 100)
    begin_at_head(ring, cursor)
    assert receive(ring, cursor) is None
    send(ring, 3, 100)
    assert receive(ring, cursor) == (3, content(3, 100))
    assert cursor[Cursor.LOST] == 0


def test_a_reader_that_cannot_keep_up_even_then_begins_at_the_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if is_compiling():
        pytest.skip("compiled kernels cannot be held up half-way")
    ring, cursor = ring_of(16, MANY), cursor_at()
    begin_at_head(ring, cursor)
    for number in range(10):
        send(ring, number, 100)
    with monkeypatch.context() as patch:
        patch.setattr(ring_messages, "is_intact", lambda ring, cursor: False)
        assert next_message(ring, cursor) == -1
    assert (cursor[Cursor.LOST], cursor[Cursor.POSITION]) == (10, ring[At.HEAD])


@pytest.mark.parametrize("moment", ["before its mark", "before its number", "before the head"])
def test_a_writer_that_died_at_any_moment_leaves_the_next_number(moment: str) -> None:
    ring, cursor = ring_of(16), cursor_at()
    send(ring, 0, 100)
    head, marks = int(ring[At.HEAD]), ring[At.MARKS : At.MARKS + 4].copy()
    send(ring, 1, 100)
    ring[At.HEAD] = head  # as if it had not come so far
    if moment != "before the head":
        ring[At.MARKS + 1] = marks[1]
    if moment == "before its mark":
        ring[At.MARKS] = marks[0]
    assert [send(ring, number, 50) >= 0 for number in (1, 2)] == [True, True]
    received = [receive(ring, cursor) for _ in range(3)]
    assert received == [(0, content(0, 100)), (1, content(1, 50)), (2, content(2, 50))]
    assert cursor[Cursor.LOST] == 0


def test_without_a_mark_a_reader_begins_where_it_stands() -> None:
    ring, cursor = ring_of(16, MANY), cursor_at(0)
    ring[At.MARKS] = ring[At.MARKS + 2] = -1
    begin_at_head(ring, cursor)
    assert (cursor[Cursor.POSITION], cursor[Cursor.NUMBER]) == (0, UNKNOWN)


def test_a_claimed_message_is_not_seen_before_it_is_published() -> None:
    ring, cursor = ring_of(8), cursor_at()
    place = claim_message(ring, 20)
    assert next_message(ring, cursor) == -1
    assert claim_message(ring, 20) == place  # a writer that died in between left nothing
    publish_message(ring, place, 20, 1)
    assert next_message(ring, cursor) == place


@pytest.mark.parametrize(("length", "lines"), [(0, 1), (48, 1), (49, 2), (112, 2), (113, 3)])
def test_a_message_takes_lines_for_its_bytes_and_two_words(length: int, lines: int) -> None:
    assert message_lines(length) == lines
    ring = ring_of(8)
    assert send(ring, 1, length) >= 0
    assert ring[At.HEAD] == lines


def test_a_message_longer_than_half_the_ring_is_refused_for_good() -> None:
    ring = ring_of(8)
    assert send(ring, 0, 4 * 64 - 16) >= 0
    assert send(ring, 1, 4 * 64 - 15) == -2


def test_a_full_ring_stalls_and_a_message_never_wraps() -> None:
    ring, cursor = ring_of(8), cursor_at()
    assert [send(ring, number, 170) >= 0 for number in range(2)] == [True, True]
    assert send(ring, 2, 170) == -1  # three lines, behind two of padding
    assert receive(ring, cursor) == (0, content(0, 170))
    assert send(ring, 2, 170) == DATA + 2
    assert receive(ring, cursor) == (1, content(1, 170))
    assert receive(ring, cursor) == (2, content(2, 170))
    assert (ring[At.STALLS], ring[At.HEAD], cursor[Cursor.LOST]) == (1, 11, 0)


@pytest.mark.skipif(not is_compiling(), reason="plain functions have no code to look at")
@pytest.mark.parametrize(
    ("function", "arguments", "found"),
    [
        (read_word, (ring_of(8), 0), "load atomic i64.*acquire, align 8"),
        (write_word, (ring_of(8), 0, 1), "store atomic i64.*release, align 8"),
        (is_intact, (ring_of(8), cursor_at()), r"fence acquire\n.*load atomic"),
        (spun, (), "call void @llvm.x86.sse2.pause" if HAS_PAUSE else "ret"),
    ],
)
def test_the_order_of_memory_is_told_to_the_compiler(
    function: Any, arguments: tuple[object, ...], found: str
) -> None:
    # code from disk cannot be looked at
    fresh: Any = CPUDispatcher(function.py_func, targetoptions={"nopython": True})
    fresh(*arguments)
    (text,) = fresh.inspect_llvm().values()
    assert re.search(found, text, re.DOTALL), text
