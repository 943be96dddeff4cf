"""What the other processes do in the tests of rings; loaded by a server that forks them quickly."""

import time
from random import Random

import numpy as np

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag
from bot4_core.market.event_ring import EventRing
from bot4_core.market.message_ring import MessageRing
from bot4_core.market.rings import Readers
from bot4_core.market.shared_words import SharedWords

LOG_HEAD = 1
MOST = 24


def pause() -> None:
    time.sleep(2e-4)


def load_kernels() -> None:
    """Let every kernel be there before processes are forked."""
    for readers in Readers:
        with EventRing.create(8, readers) as events, MessageRing.create(8, readers) as messages:
            with events.writer() as writer, events.reader() as reader:
                writer.write_all(np.zeros(1, EVENT_DTYPE), pause)
                reader.wait(pause)
                reader.read()
            with messages.writer() as sender, messages.reader() as receiver:
                sender.send_bytes(b"x", pause)
                receiver.wait(pause)
                receiver.take()


def write_events(name: str, seed: int, count: int) -> None:
    """Write events numbered through, in bursts of any length; close after so many."""
    random, done = Random(seed), 0  # noqa: S311 - a test's own
    with EventRing.attach(name).writer() as writer:
        while done < count:
            burst = min(random.randrange(1, MOST), count - done)
            records = np.zeros(burst, EVENT_DTYPE)
            records["sequence"] = records["link"] = np.arange(done, done + burst)
            records["flags"] = EventFlag.LAST
            writer.write_all(records, pause)
            done += burst


def write_messages(name: str, seed: int, count: int) -> None:
    """Write messages of any length that hold their number; close after so many."""
    random = Random(seed)  # noqa: S311 - a test's own
    with MessageRing.attach(name).writer() as writer:
        for number in range(count):
            data = number.to_bytes(8, "little") * random.randrange(1, MOST)
            writer.send_bytes(data, pause, number % 5)


def log_events(name: str, log: str, seed: int, count: int) -> None:
    """Note the numbers of events as they come; close after so many."""
    random, words, done = Random(seed), SharedWords.attach(log).words, 0  # noqa: S311
    with EventRing.attach(name).reader(MOST) as reader:
        while done < count and reader.wait(pause, random.randrange(200)):
            numbers = reader.read()["sequence"]
            words[LOG_HEAD + done : LOG_HEAD + done + len(numbers)] = numbers
            done += len(numbers)
            words[0] = done


def log_messages(name: str, log: str, seed: int, count: int) -> None:
    """Note the numbers of messages before they are given back; close after so many."""
    random, words, done = Random(seed), SharedWords.attach(log).words, 0  # noqa: S311
    with MessageRing.attach(name).reader() as reader:
        while done < count and reader.wait(pause, random.randrange(200)):
            message = reader.peek()
            assert message is not None
            numbers = np.frombuffer(message.data.tobytes(), "<i8")
            assert set(numbers.tolist()) == {int(numbers[0])}
            words[LOG_HEAD + done] = numbers[0]
            done += 1
            words[0] = done
            reader.release()


load_kernels()
