"""Rings within one process: their ends, what they refuse, and what their counters say."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, Records
from bot4_core.errors import ChannelError
from bot4_core.kernels.ring import At
from bot4_core.market import shared_words
from bot4_core.market.event_ring import EventReader, EventRing
from bot4_core.market.message_ring import MessageRing
from bot4_core.market.rings import Readers, end_kernels
from bot4_core.market.shared_words import SharedWords, is_running, start_of


def no_pause() -> None:
    raise AssertionError("there is nothing to wait for")


def numbered(first: int, count: int) -> Records:
    records = np.zeros(count, EVENT_DTYPE)
    records["sequence"] = np.arange(first, first + count)
    records["flags"] = EventFlag.LAST
    return records


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


# -- events ---------------------------------------------------------------------------------------


def test_events_go_through_and_the_counters_tell_of_it() -> None:
    with EventRing.create(8) as ring, ring.writer() as writer, ring.reader() as reader:
        assert writer.write(numbered(0, 10)) == 8
        status = ring.status()
        assert (status.capacity, status.waiting, status.high_water, status.stalls) == (8, 8, 8, 1)
        assert status.writer == status.reader == os.getpid()
        assert reader.read()["sequence"].tolist() == list(range(8))
        assert len(reader.read(3)) == 0
        writer.write_all(numbered(8, 2)[::-1], no_pause)
        assert reader.wait(no_pause)
        assert reader.read()["sequence"].tolist() == [9, 8]
        writer.close()
        assert not reader.wait(no_pause)
        reader.close()
        status = ring.status()
        assert (status.waiting, status.written, reader.lost, reader.overruns) == (0, 10, 0, 0)
        assert (status.writer_closed, status.reader_closed) == (True, True)
        assert status.writer_beats == 2
        assert status.reader_beats > 3


def test_another_name_is_the_same_ring() -> None:
    with EventRing.create(8) as ring, ring.writer() as writer:
        reader = EventRing.attach(ring.name).reader(2)
        writer.write(numbered(0, 3))
        assert reader.read()["sequence"].tolist() == [0, 1]
        assert reader.read()["sequence"].tolist() == [2]


def test_what_is_no_event_record_is_refused() -> None:
    with EventRing.create(8) as ring, ring.writer() as writer:
        others: list[Any] = [np.zeros(8, np.int64), np.zeros((2, 2), EVENT_DTYPE)[:, :1]]
        for other in others:
            with pytest.raises(ValueError, match="a ring takes event records"):
                writer.write(other)
        assert writer.write(numbered(0, 6)[::2]) == 3
        assert ring.status().written == 3


def test_many_readers_hold_nobody_up() -> None:
    with EventRing.create(8, Readers.MANY) as ring, ring.writer() as writer:
        first = ring.reader()
        writer.write_all(numbered(0, 20), no_pause)
        late = ring.reader()
        assert len(first.read()) == 0
        assert (first.overruns, first.lost) == (1, 16)
        assert first.read()["sequence"].tolist() == [17, 18, 19]  # 16 may end a torn message
        assert first.lost == 17
        writer.write(numbered(20, 1))
        assert late.read()["sequence"].tolist() == [20]
        late.close()
        status = ring.status()
        assert (status.waiting, status.reader_closed, status.reader) == (0, False, 0)


# -- messages -------------------------------------------------------------------------------------


def test_messages_are_read_in_place_or_copied() -> None:
    with MessageRing.create(16) as ring, ring.writer() as writer, ring.reader() as reader:
        assert reader.take() is None
        writer.send_bytes(b"one", no_pause, 1)
        writer.send_bytes(b"", no_pause, 2)
        message = reader.peek()
        assert message is not None
        assert (message.kind, message.data.tobytes()) == (1, b"one")
        assert np.shares_memory(message.data, ring.words)
        assert reader.release()
        assert reader.take() == (2, b"")


def test_a_message_longer_than_the_ring_takes_is_refused() -> None:
    with MessageRing.create(16) as ring, ring.writer() as writer:
        assert writer.longest == ring.longest == 8 * 64 - 16
        writer.send_bytes(bytes(ring.longest), no_pause)
        with pytest.raises(ValueError, match="a message of 497 bytes: the ring takes 496 at most"):
            writer.claim(ring.longest + 1)


def test_a_writer_pauses_until_there_is_room() -> None:
    with MessageRing.create(16) as ring, ring.writer() as writer, ring.reader() as reader:
        writer.send_bytes(bytes(ring.longest), no_pause)
        writer.send_bytes(bytes(ring.longest), no_pause)

        def pause() -> None:
            reader.take()

        writer.send_bytes(b"third", pause)
        assert ring.status().stalls == 1


def test_a_message_overwritten_meanwhile_is_lost() -> None:
    with MessageRing.create(16, Readers.MANY) as ring, ring.writer() as writer:
        reader = ring.reader()
        writer.send_bytes(b"first", no_pause)
        assert reader.peek() is not None
        for _ in range(3):
            writer.send_bytes(bytes(ring.longest), no_pause)
        assert not reader.release()
        assert reader.take() == (0, bytes(ring.longest))
        assert (reader.lost, reader.overruns) == (3, 1)
        for _ in range(3):
            writer.send_bytes(bytes(ring.longest), no_pause)
        assert reader.take() is None
        assert reader.take() == (0, bytes(ring.longest))
        assert (reader.lost, reader.overruns) == (5, 2)


# -- ends -----------------------------------------------------------------------------------------


def test_an_end_is_held_by_one_process_at_a_time() -> None:
    with EventRing.create(8) as ring, ring.writer(), ring.reader():
        with pytest.raises(ChannelError, match=f"has a writer already: process {os.getpid()}"):
            ring.writer()
        with pytest.raises(ChannelError, match="has a reader already"):
            ring.reader()


def test_a_closed_end_and_that_of_a_dead_process_are_free() -> None:
    with EventRing.create(8) as ring:
        with ring.writer() as writer:
            writer.write(numbered(0, 2))
        ring.words[At.READER_PID] = dead_process()
        with ring.writer() as writer, ring.reader() as reader:
            writer.write(numbered(2, 1))
            assert reader.read()["sequence"].tolist() == [0, 1, 2]


def test_a_writer_learns_that_its_reader_ended() -> None:
    with EventRing.create(8) as ring, ring.writer() as writer:
        pauses: list[int] = []

        def pause() -> None:
            pauses.append(1)
            ring.words[At.READER_PID] = dead_process()

        with pytest.raises(ChannelError, match=r"its reader, process \d+, died without closing"):
            writer.write_all(numbered(0, 9), pause)
        assert pauses == [1]  # before, nobody was there yet
        ring.words[At.READER_CLOSED] = 1
        with pytest.raises(ChannelError, match="its reader has closed it"):
            writer.write_all(numbered(0, 9), pause)


class LateReader(EventReader):
    """Finds its writer dead just after that has written once more."""

    def check_other_side(self) -> None:
        if not len(self.ring.words) or self.ring.words[At.HEAD] == 0:
            self.ring.words[At.HEAD] = 1
            self.ring.words[At.WRITER_PID] = dead_process()
        super().check_other_side()


def test_what_a_dead_writer_wrote_last_is_read_before_the_error() -> None:
    with EventRing.create(8) as ring:
        reader = LateReader(ring)
        assert reader.wait(no_pause)
        assert len(reader.read()) == 1
        with pytest.raises(ChannelError, match="its writer, process"):
            reader.wait(no_pause)


def test_a_reader_pauses_after_its_looks() -> None:
    with EventRing.create(8) as ring, ring.writer() as writer, ring.reader() as reader:

        def pause() -> None:
            writer.write(numbered(0, 1))

        assert reader.wait(pause, 10)


def test_a_side_that_is_busy_elsewhere_may_show_that_it_runs() -> None:
    with EventRing.create(8) as ring, ring.writer() as writer, ring.reader() as reader:
        before = ring.status()
        writer.beat()
        reader.beat()
        after = ring.status()
        assert after.writer_beats - before.writer_beats == 1
        assert after.reader_beats - before.reader_beats == 1


def test_an_end_calls_what_is_compiled_ahead() -> None:
    names = [each.function.__name__ for each in end_kernels(np.zeros(8, np.int64))]
    assert names == ["read_word", "write_word", "await_lines"]


# -- rings that are none --------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [0, 4, 12, -8])
def test_a_ring_has_a_power_of_two_of_lines(lines: int) -> None:
    with pytest.raises(ValueError, match="a power of two"):
        EventRing.create(lines)


def test_a_ring_that_is_not_there_or_another_one_is_named() -> None:
    with pytest.raises(ChannelError, match="shared memory bot4-none: there is none"):
        EventRing.attach("bot4-none")
    with MessageRing.create(8) as ring:
        with pytest.raises(ChannelError, match="carries no event records"):
            EventRing.attach(ring.name)
        ring.words[At.VERSION] = 9
        with pytest.raises(ChannelError, match="is of version 9, not 1"):
            MessageRing.attach(ring.name)
        ring.words[At.MAGIC] = 0
        with pytest.raises(ChannelError, match="holds no ring"):
            MessageRing.attach(ring.name)
    words = SharedWords.create(4)
    with pytest.raises(ChannelError, match="holds no ring"):
        MessageRing.attach(words.name)
    words.unlink()


def test_a_ring_that_finds_no_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shared_words, "_allocate", full)
    with pytest.raises(ChannelError, match=r"no shared memory of 1,536 bytes: No space left"):
        EventRing.create(8)
    monkeypatch.setattr(shared_words, "SharedMemory", full)
    with pytest.raises(ChannelError, match=r"no shared memory of 1,536 bytes: No space left"):
        EventRing.create(8)


# -- memory and processes -------------------------------------------------------------------------


def test_words_outlive_their_name() -> None:
    first = SharedWords.create(4)
    second = SharedWords.attach(first.name)
    first.words[2] = 7
    second.unlink()  # not its own to remove
    assert SharedWords.attach(first.name).words.tolist() == [0, 0, 7, 0]
    first.unlink()
    first.unlink()
    second.words[1] = 5
    assert first.words.tolist() == [0, 5, 7, 0]
    with pytest.raises(ChannelError, match="may have ended"):
        SharedWords.attach(first.name)


def test_a_process_that_attached_and_died_takes_nothing_with_it() -> None:
    words = SharedWords.create(4)
    script = (
        "import os, sys; from bot4_core.market.shared_words import SharedWords\n"
        "SharedWords.attach(sys.argv[1]).words[3] = 9"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, words.name], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert SharedWords.attach(words.name).words.tolist() == [0, 0, 0, 9]
    words.unlink()


def test_a_number_given_to_another_process_since_is_not_the_one_meant(tmp_path: Path) -> None:
    own = os.getpid()
    assert is_running(own, start_of(own))
    assert not is_running(own, start_of(own) - 1)
    gone = dead_process()
    assert not is_running(gone, 0)
    assert start_of(gone) == 0
    (tmp_path / "1").mkdir()
    fields = ["Z", *map(str, range(40))]
    (tmp_path / "1" / "stat").write_text(f"1 (a (b) c) {' '.join(fields)}")
    assert start_of(1, tmp_path) == 18
    assert not is_running(1, 18, tmp_path)
    assert is_running(own, 0, tmp_path / "none")
    assert not is_running(gone, 0, tmp_path / "none")
