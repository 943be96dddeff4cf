"""The recording format: what was committed can be read, whatever happens to the file."""

from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.market.own_recordings import HEADER, events, future, read_events, write

from bot4_core.errors import RecordingError, StorageError
from bot4_core.market.recordings import (
    Channel,
    Durability,
    Origin,
    Recording,
    RecordingCounts,
    RecordingWriter,
)
from bot4_core.market.recordings.frames import (
    ALIGNMENT,
    MAGIC,
    Frame,
    FrameKind,
    packed_frame,
    preamble,
)
from bot4_core.market.recordings.messages import block_from_messages
from bot4_core.market.recordings.recorded_messages import message_files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.b4r"


def test_what_was_written_is_read_back(path: Path) -> None:
    write(path, 3)
    recording = Recording(path)
    assert recording.header == HEADER
    assert recording.instruments == (future("BTCUSDT"),)
    assert recording.origins == (Origin(source="a.gz", connection="c1"),)
    assert recording.sources == ("a.gz",)
    assert recording.counts == RecordingCounts(messages=6, events=9)
    assert recording.torn is None
    assert np.array_equal(read_events(recording), events(0, 9))
    blocks = list(recording.messages())
    found = [
        (block.message(i), int(block.received[i]), int(block.origins[i]))
        for block in blocks
        for i in range(len(block))
    ]
    assert found == [
        pair
        for n in range(3)
        for pair in ((b'{"n":%d}' % n, 30 * n, 0), (b"\xff\x00", 30 * n + 5, 0))
    ]


def test_messages_are_read_as_those_of_the_files_that_they_came_from(path: Path) -> None:
    write(path, 3)
    (file,) = message_files(Recording(path))
    blocks = list(file.blocks())
    assert file.origins == [Origin(source="a.gz", connection="c1")]
    assert [block.message(0) for block in blocks] == [b'{"n":%d}' % n for n in range(3)]
    assert all(not block.origins.any() for block in blocks)


def test_events_are_views_of_the_file(path: Path) -> None:
    write(path, 1)
    (batch,) = Recording(path).batches()
    assert not batch.flags.owndata
    assert not batch.flags.writeable
    assert batch.ctypes.data % ALIGNMENT == 0


def test_events_outlive_the_recording_object(path: Path) -> None:
    write(path, 1)
    (batch,) = Recording(path).batches()
    assert np.array_equal(batch, events(0, 3))


def test_uncommitted_additions_are_not_in_the_file(path: Path) -> None:
    with RecordingWriter(path, HEADER) as writer:
        writer.add_events(events(0, 3))
    assert len(read_events(Recording(path))) == 0


def test_a_recording_of_nothing_is_whole(path: Path) -> None:
    write(path, 0)
    recording = Recording(path)
    assert recording.torn is None
    assert list(recording.batches()) == []


def test_empty_additions_write_no_frames(path: Path) -> None:
    with RecordingWriter(path, HEADER) as writer:
        writer.add_events(events(0, 0))
        writer.add_messages(block_from_messages([], [], []))
        writer.commit(RecordingCounts())
        writer.finish()
    assert {frame.kind for frame in Recording(path).frames} == {
        FrameKind.HEADER,
        FrameKind.COMMIT,
    }


def test_digest_is_that_of_the_content(path: Path, tmp_path: Path) -> None:
    write(path, 2)
    other = tmp_path / "other.b4r"
    write(other, 2)
    recording = Recording(path)
    recording.check_digest()
    assert recording.digest == Recording(other).digest
    assert len(recording.digest) == 64


def test_batches_between_two_times(path: Path) -> None:
    write(path, 4)
    recording = Recording(path)
    assert [int(batch["received"][0]) for batch in recording.batches_between(35, 60)] == [30, 60]
    assert list(recording.batches_between(1000, 2000)) == []


def test_messages_of_one_source(path: Path) -> None:
    with RecordingWriter(path, HEADER) as writer:
        for number, name in enumerate(("a", "b")):
            origin = writer.add_origin(Origin(source=name, channel=Channel.RESPONSE, url="/x"))
            block = block_from_messages([name.encode()], [number], [origin])
            writer.add_messages(block, source=number)
        writer.commit(RecordingCounts(messages=2))
        writer.finish()
    recording = Recording(path)
    assert recording.sources == ("a", "b")
    assert [block.message(0) for block in recording.messages(1)] == [b"b"]


def test_another_format_version_is_refused_by_name(path: Path) -> None:
    write(path, 1)
    import struct
    import zlib

    body = struct.pack("<8sI48x", MAGIC, 99)
    start = body + struct.pack("<I", zlib.crc32(body))
    path.write_bytes(start + path.read_bytes()[64:])
    with pytest.raises(RecordingError, match="format version 99, this program reads 1"):
        Recording(path)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(200), preamble()])
def test_what_is_no_recording_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"session\.b4r"):
        Recording(path)


def test_a_missing_file_is_a_storage_error(path: Path) -> None:
    with pytest.raises(StorageError, match=r"session\.b4r: cannot read"):
        Recording(path)


def test_an_existing_file_is_never_overwritten(path: Path) -> None:
    path.write_bytes(b"precious")
    with pytest.raises(RecordingError, match="exists already"):
        RecordingWriter(path, HEADER)
    assert path.read_bytes() == b"precious"


def test_an_impossible_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"missing/x\.b4r: cannot create"):
        RecordingWriter(tmp_path / "missing" / "x.b4r", HEADER)


def test_records_of_another_layout_are_refused(path: Path) -> None:
    with RecordingWriter(path, HEADER) as writer, pytest.raises(RecordingError, match="no events"):
        writer.add_events(np.zeros(3, np.dtype([("price", "<i8")])))


@pytest.mark.parametrize(
    ("durability", "expected"),
    [(Durability.COMMIT, 4), (Durability.CLOSE, 1), (Durability.NEVER, 0)],
)
def test_durability_says_when_bytes_are_forced_down(
    path: Path, monkeypatch: pytest.MonkeyPatch, durability: Durability, expected: int
) -> None:
    forced: list[int] = []
    monkeypatch.setattr("os.fsync", forced.append)
    with RecordingWriter(path, HEADER, durability=durability) as writer:
        for _ in range(2):
            writer.add_events(events(0, 1))
            writer.commit(RecordingCounts())
        writer.finish()
    assert len(forced) == expected


@given(
    data=st.lists(
        st.tuples(st.binary(max_size=40), st.integers(0, 2**62), st.integers(0, 2**31 - 1)),
        min_size=1,
        max_size=20,
    ),
    level=st.sampled_from([1, 9]),
)
def test_any_messages_survive_the_round_trip(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple[bytes, int, int]], level: int
) -> None:
    path = tmp_path_factory.mktemp("round") / "x.b4r"
    texts = [text for text, _, _ in data]
    block = block_from_messages(texts, [t for _, t, _ in data], [o for *_, o in data])
    with RecordingWriter(path, HEADER, level=level) as writer:
        writer.add_messages(block)
        writer.commit(RecordingCounts(messages=len(data)))
        writer.finish()
    (found,) = Recording(path).messages()
    assert [found.message(i) for i in range(len(found))] == texts
    assert np.array_equal(found.received, block.received)
    assert np.array_equal(found.origins, block.origins)


def test_instruments_are_written_once_and_kept_in_order(path: Path) -> None:
    btc, eth = future("BTCUSDT"), attrs.evolve(future("ETHUSDT"), depth=20)
    with RecordingWriter(path, HEADER) as writer:
        writer.commit(RecordingCounts(), [btc])
        writer.commit(RecordingCounts(), [btc, eth])
        writer.finish()
    assert Recording(path).instruments == (btc, eth)


def test_metadata_of_another_program_is_refused(path: Path) -> None:
    header = Frame(kind=FrameKind.HEADER, number=0, length=0)
    commit = Frame(kind=FrameKind.COMMIT, number=1, length=0)
    parts = (preamble(), packed_frame(header, b'{"venue": 5}'), packed_frame(commit, b"{}"))
    path.write_bytes(b"".join(parts))
    with pytest.raises(RecordingError, match=r"venue.*use the bot4 that wrote it"):
        Recording(path)


def resident_bytes(path: Path) -> int:
    """Return how much of a mapped file this process holds in memory."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    held = 0
    for line in lines:
        if line.endswith(str(path)):
            held += next(int(each.split()[1]) for each in lines if each.startswith("Rss:"))
    return held * 1024


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells")
def test_what_was_read_of_a_large_file_is_not_kept_in_memory(path: Path) -> None:
    each, count = 20_000, 8
    with RecordingWriter(path, HEADER) as writer:
        for number in range(count):
            writer.add_events(events(number * each, each))
            writer.commit(RecordingCounts(events=(number + 1) * each))
        writer.finish()
    recording = Recording(path)
    size = path.stat().st_size
    assert resident_bytes(path) < size / count
    for number, batch in enumerate(recording.batches()):
        assert np.array_equal(batch, events(number * each, each))
        assert resident_bytes(path) < 3 * size / count
    recording.check_digest()
    assert resident_bytes(path) < size / count


def test_a_batch_reads_the_same_after_the_next_one_was_asked_for(path: Path) -> None:
    with RecordingWriter(path, HEADER) as writer:
        for first in (0, 5_000):
            writer.add_events(events(first, 5_000))
        writer.commit(RecordingCounts(events=10_000))
        writer.finish()
    batches = list(Recording(path).batches())
    assert np.array_equal(np.concatenate(batches), events(0, 10_000))
