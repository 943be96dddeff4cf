"""Rings between processes, either of which may be killed at any moment.

One server process loads the kernels and forks the others, which takes milliseconds; one test
starts a process of its own from nothing, as programs do.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from random import Random

import numpy as np
import pytest
from tests.core.market.ring_children import (
    LOG_HEAD,
    MOST,
    log_events,
    log_messages,
    pause,
    write_events,
    write_messages,
)

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag
from bot4_core.errors import ChannelError
from bot4_core.market.event_ring import EventRing
from bot4_core.market.message_ring import MessageReader, MessageRing
from bot4_core.market.rings import Readers, RingReader
from bot4_core.market.shared_words import SharedWords

KILLS = range(8)
ENDLESS = 10**9
LINES = 64


@pytest.fixture(scope="module")
def processes() -> BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "tests.core.market.ring_children"])
    return context


@contextmanager
def started(
    processes: BaseContext, work: Callable[..., None], *arguments: object
) -> Iterator[BaseProcess]:
    process = processes.Process(target=work, args=arguments)  # type: ignore[attr-defined]  # every context has it
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def event_numbers(reader: RingReader) -> list[int]:
    """Read what waits; every record is whole."""
    records = reader.read()  # type: ignore[attr-defined]  # it is one of events
    assert (records["sequence"] == records["link"]).all()
    return [int(number) for number in records["sequence"]]


def message_numbers(reader: MessageReader) -> list[int]:
    message = reader.take()
    if message is None:
        return []
    numbers = set(np.frombuffer(message.data, "<i8").tolist())
    assert len(numbers) == 1
    assert numbers == {number for number in numbers if number % 5 == message.kind}
    return [int(number) for number in numbers]


def read_while_alive(
    reader: RingReader, numbers: Callable[..., list[int]], process: BaseProcess, seconds: float
) -> list[int]:
    """Read for a while, kill the writer, and read what it left, up to the error that tells."""
    seen: list[int] = []
    while not seen:
        reader.wait(pause)
        seen += numbers(reader)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and reader.wait(pause):
        seen += numbers(reader)
    process.kill()
    with pytest.raises(ChannelError, match=r"its writer, process \d+, died without closing"):
        read_to_the_end(reader, numbers, seen)
    return seen


def read_to_the_end(reader: RingReader, numbers: Callable[..., list[int]], seen: list[int]) -> None:
    while reader.wait(pause):
        seen += numbers(reader)


@pytest.mark.parametrize("seed", KILLS)
def test_what_a_killed_writer_wrote_is_read_whole_and_in_order(
    processes: BaseContext, seed: int
) -> None:
    seconds = Random(seed).random() * 0.02  # noqa: S311 - a test's own
    with EventRing.create(LINES) as ring, ring.reader() as reader:
        with started(processes, write_events, ring.name, seed, ENDLESS) as process:
            seen = read_while_alive(reader, event_numbers, process, seconds)
        assert seen == list(range(ring.status().written))
        with ring.writer() as writer:  # the next writer goes on behind it
            records = np.zeros(1, EVENT_DTYPE)
            records["sequence"] = records["link"] = len(seen)
            assert writer.write(records) == 1
        assert event_numbers(reader) == [len(seen)]


@pytest.mark.parametrize("seed", KILLS)
def test_messages_of_a_killed_writer_are_read_whole_and_in_order(
    processes: BaseContext, seed: int
) -> None:
    seconds = Random(seed).random() * 0.02  # noqa: S311 - a test's own
    with MessageRing.create(LINES) as ring, ring.reader() as reader:
        with started(processes, write_messages, ring.name, seed, ENDLESS) as process:
            seen = read_while_alive(reader, message_numbers, process, seconds)
        assert seen == list(range(len(seen)))
        assert reader.lost == ring.status().waiting == 0


def numbered(first: int, count: int) -> np.ndarray:
    records = np.zeros(count, EVENT_DTYPE)
    records["sequence"] = records["link"] = np.arange(first, first + count)
    records["flags"] = EventFlag.LAST
    return records


@pytest.mark.parametrize("seed", KILLS)
def test_behind_a_killed_reader_the_next_one_goes_on(processes: BaseContext, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a test's own
    with number_log() as log, EventRing.create(LINES) as ring, ring.writer() as writer:
        written = 0
        arguments = (ring.name, log.name, seed, ENDLESS)
        with started(processes, log_events, *arguments) as process:
            deadline = None
            while deadline is None or time.monotonic() < deadline:
                written += writer.write(numbered(written, random.randrange(1, MOST)))
                if deadline is None and log.words[0]:
                    deadline = time.monotonic() + random.random() * 0.01
            process.kill()
            written += writer.write(numbered(written, LINES))
            with pytest.raises(ChannelError, match="its reader, process"):
                writer.write_all(numbered(written, 1), pause)
        noted = int(log.words[0])
        begin = ring.status().written - ring.status().waiting
        assert begin - MOST <= noted <= begin
        assert log.words[LOG_HEAD : LOG_HEAD + noted].tolist() == list(range(noted))
        writer.close()
        with ring.reader() as reader:
            rest: list[int] = []
            while reader.wait(pause):
                rest += event_numbers(reader)
        assert rest == list(range(begin, written))


@pytest.mark.parametrize("seed", KILLS)
def test_a_message_that_a_killed_reader_held_is_read_again(
    processes: BaseContext, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - a test's own
    with number_log() as log, MessageRing.create(LINES) as ring, ring.writer() as writer:
        written = 0
        arguments = (ring.name, log.name, seed, ENDLESS)
        with started(processes, log_messages, *arguments):
            deadline = None
            while deadline is None or time.monotonic() < deadline:
                data = written.to_bytes(8, "little") * random.randrange(1, MOST)
                room = writer.claim(len(data))
                if room is not None:
                    room[:] = np.frombuffer(data, np.uint8)
                    writer.publish(written % 5)
                    written += 1
                if deadline is None and log.words[0]:
                    deadline = time.monotonic() + random.random() * 0.01
        noted = int(log.words[0])
        assert log.words[LOG_HEAD : LOG_HEAD + noted].tolist() == list(range(noted))
        writer.close()
        with ring.reader() as reader:
            rest: list[int] = []
            while reader.wait(pause):
                rest += message_numbers(reader)
        assert rest in [list(range(noted - 1, written)), list(range(noted, written))]


@contextmanager
def number_log() -> Iterator[SharedWords]:
    log = SharedWords.create(LOG_HEAD + 2_000_000)
    try:
        yield log
    finally:
        log.unlink()


def test_an_overrun_reader_of_many_gets_whole_records_in_order_and_a_count(
    processes: BaseContext,
) -> None:
    count = 20_000
    with EventRing.create(16, Readers.MANY) as ring:
        reader, seen = ring.reader(8), [-1]
        with started(processes, write_events, ring.name, 5, count):
            while reader.wait(pause, 0):
                seen += event_numbers(reader)
        assert seen == sorted(set(seen))
        assert len(seen) - 1 + reader.lost == ring.status().written == count
        assert reader.overruns > 0


def test_an_overrun_reader_of_many_gets_whole_messages_in_order_and_a_count(
    processes: BaseContext,
) -> None:
    count = 5_000
    with MessageRing.create(16, Readers.MANY) as ring:
        reader, seen = ring.reader(), [-1]
        with started(processes, write_messages, ring.name, 6, count):
            while reader.wait(pause, 0):
                seen += message_numbers(reader)
        assert seen == sorted(set(seen))
        assert len(seen) - 1 + reader.lost == count  # the last ones may be among the lost
        assert reader.overruns > 0


def test_a_process_started_from_nothing_reads_to_the_end() -> None:
    context = multiprocessing.get_context("spawn")
    count = 3_000
    with number_log() as log, EventRing.create(LINES) as ring, ring.writer() as writer:
        process = context.Process(target=log_events, args=(ring.name, log.name, 1, ENDLESS))
        process.start()
        writer.write_all(numbered(0, count), pause)
        writer.close()
        process.join()
        assert process.exitcode == 0
        assert log.words[0] == count
        assert log.words[LOG_HEAD : LOG_HEAD + count].tolist() == list(range(count))
        status = ring.status()
        assert (status.waiting, status.reader_closed, status.writer_closed) == (0, True, True)
        assert 0 < status.high_water <= LINES
    with pytest.raises(ChannelError, match="there is none"):
        EventRing.attach(ring.name)
