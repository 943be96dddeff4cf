"""The recording format: what was committed can be read, whatever happens to the file."""

import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import Nanoseconds, Symbol, VenueName
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    InstrumentStatus,
    Settlement,
)
from bot4_core.domain_types.records import EVENT_DTYPE, ChainRule, EventKind
from bot4_core.errors import RecordingError, StorageError
from bot4_core.market.recordings import (
    Channel,
    Durability,
    Origin,
    Recording,
    RecordingClock,
    RecordingCounts,
    RecordingHeader,
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

HEADER = RecordingHeader(
    venue="binance", market="usdm", clock=RecordingClock.RECEIVE, tool="tests 1"
)


def future(symbol: str) -> Instrument:
    return Instrument(
        venue=VenueName("binance"),
        market="usdm",
        symbol=Symbol(symbol),
        base="BTC",
        quote="USDT",
        kind=InstrumentKind.FUTURE,
        settlement=Settlement.LINEAR,
        price_exponent=-2,
        size_exponent=-3,
        tick=10,
        lot=1,
        min_notional=Decimal("5.5"),
        multiplier=Decimal("0.01"),
        fees=FeeSchedule(maker=Decimal("-0.0001"), taker=Decimal("0.0005")),
        status=InstrumentStatus.HALTED,
        expiry=Nanoseconds(1_700_000_000_000_000_000),
        chain=ChainRule.LINK,
    )


def events(first: int, count: int) -> NDArray[np.void]:
    records = np.zeros(count, EVENT_DTYPE)
    records["received"] = np.arange(first, first + count) * 10
    records["price"] = np.arange(first, first + count) - 5
    records["kind"] = EventKind.TRADE
    return records


def write(path: Path, commits: int, *, finish: bool = True) -> list[int]:
    """Write commits of three events and two messages each; return the sizes after each."""
    sizes = []
    with RecordingWriter(path, HEADER) as writer:
        sizes.append(path.stat().st_size)
        origin = writer.add_origin(Origin(source="a.gz", connection="c1"))
        for number in range(commits):
            first = 3 * number
            writer.add_messages(
                block_from_messages(
                    [b'{"n":%d}' % number, b"\xff\x00"], [first * 10, first * 10 + 5], [origin] * 2
                )
            )
            writer.add_events(events(first, 3))
            counts = RecordingCounts(messages=2 * (number + 1), events=3 * (number + 1))
            writer.commit(counts, [future("BTCUSDT")])
            sizes.append(path.stat().st_size)
        if finish:
            writer.finish()
    return sizes


def read_events(recording: Recording) -> NDArray[np.void]:
    return np.concatenate([*recording.batches(), np.zeros(0, EVENT_DTYPE)])


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


def test_an_unfinished_recording_is_read_up_to_its_last_commit(path: Path) -> None:
    write(path, 2, finish=False)
    recording = Recording(path)
    assert recording.torn is not None
    assert recording.torn.lost == 0
    assert "not finished" in recording.torn.reason
    assert recording.digest == ""
    assert len(read_events(recording)) == 6


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


def test_every_truncation_leaves_the_commits_before_it(path: Path, tmp_path: Path) -> None:
    sizes = write(path, 2)
    content = path.read_bytes()
    cut = tmp_path / "cut.b4r"
    for size in range(len(content)):
        cut.write_bytes(content[:size])
        commits = sum(size >= committed for committed in sizes) - 1
        if commits < 0:
            with pytest.raises(RecordingError, match=r"cut\.b4r"):
                Recording(cut)
            continue
        recording = Recording(cut)
        assert recording.torn is not None
        assert recording.torn.offset + recording.torn.lost == size
        assert recording.counts.events == 3 * commits
        assert np.array_equal(read_events(recording), events(0, 3 * commits))


def test_every_flipped_byte_is_noticed_or_changes_nothing(path: Path, tmp_path: Path) -> None:
    write(path, 1)
    content = path.read_bytes()
    whole = events(0, 3)
    flipped = tmp_path / "flipped.b4r"
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0x21
        flipped.write_bytes(damaged)
        found = readable(flipped)
        assert found is None or np.array_equal(found, whole[: len(found)])


def readable(path: Path) -> NDArray[np.void] | None:
    """Return the events of a recording; None where it is refused by name."""
    try:
        recording = Recording(path)
    except RecordingError as error:
        if path.name not in str(error):
            raise
        return None
    found = read_events(recording)
    if recording.torn is None and len(found) != recording.counts.events:
        pytest.fail("events are missing and nothing says so")
    return found


def test_a_byte_changed_behind_a_right_checksum_is_seen_in_the_digest(path: Path) -> None:
    write(path, 2)
    content = bytearray(path.read_bytes())
    padding = Recording(path).frames[0].stop
    content[padding] = 1
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="digest does not match"):
        Recording(path).check_digest()


def test_a_flipped_byte_of_an_unfinished_recording_cuts_it_there(path: Path) -> None:
    sizes = write(path, 3, finish=False)
    content = bytearray(path.read_bytes())
    content[sizes[2] + 70] ^= 1
    path.write_bytes(content)
    recording = Recording(path)
    assert recording.torn is not None
    assert recording.torn.offset == sizes[2]
    assert "damaged" in recording.torn.reason
    assert len(read_events(recording)) == 6


def test_damage_in_a_finished_recording_is_refused_unless_salvaged(path: Path) -> None:
    sizes = write(path, 3)
    content = bytearray(path.read_bytes())
    content[sizes[1] + 80] ^= 1
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"damaged raw frame at byte \d+ of a finished"):
        Recording(path)
    recording = Recording(path, salvage=True)
    assert recording.torn is not None
    assert len(read_events(recording)) == 3


def test_opening_unverified_trusts_the_index(path: Path) -> None:
    sizes = write(path, 2)
    content = bytearray(path.read_bytes())
    content[sizes[0] + 80] ^= 1
    path.write_bytes(content)
    assert len(read_events(Recording(path, verify=False))) == 6


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


def failing_after(limit: int, real: Callable[[int, memoryview], int]) -> Callable[..., int]:
    """Make a disk that takes ``limit`` bytes, in short writes."""
    left = limit

    def write_some(file: int, data: memoryview) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(28, "No space left on device")
        written = real(file, data[: min(left, 100)])
        left -= written
        return written

    return write_some


def test_a_full_disk_keeps_every_commit_before_it(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    sizes = write(tmp_path / "sized.b4r", 3, finish=False)
    monkeypatch.setattr("os.write", failing_after(sizes[2] + 90, os.write))
    with pytest.raises(RecordingError, match=r"cannot write: No space left.*the 4 messages before"):
        write(path, 3)
    monkeypatch.undo()
    assert path.stat().st_size == sizes[2]
    assert np.array_equal(read_events(Recording(path)), events(0, 6))


def test_a_writer_goes_on_after_space_was_freed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    with RecordingWriter(path, HEADER) as writer:
        writer.add_events(events(0, 3))
        monkeypatch.setattr("os.write", failing_after(70, os.write))
        with pytest.raises(RecordingError):
            writer.commit(RecordingCounts(events=3))
        monkeypatch.undo()
        writer.add_events(events(3, 3))
        writer.commit(RecordingCounts(events=3))
        writer.finish()
    recording = Recording(path)
    assert recording.torn is None
    assert np.array_equal(read_events(recording), events(3, 3))


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


def test_a_file_size_limit_of_the_system_keeps_every_commit_before_it(path: Path) -> None:
    script = f"""
import resource, sys
from pathlib import Path
from tests.core.market.test_recordings_format import write
from bot4_core.errors import RecordingError
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write(Path({str(path)!r}), 100)
except RecordingError as error:
    sys.exit(f"refused: {{error}}")
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert "refused: " in done.stderr
    assert f"{path}: cannot write: File too large; free some space" in done.stderr
    recording = Recording(path)
    count = len(read_events(recording))
    assert count > 0
    assert np.array_equal(read_events(recording), events(0, count))
    assert f"the {recording.counts.messages} messages before are kept in it" in done.stderr


@pytest.mark.parametrize(
    "frame",
    [
        Frame(kind=FrameKind.EVENTS, number=99, length=0),
        Frame(kind=FrameKind.HEADER, number=2, length=0, offset=1 << 40),
    ],
)
def test_a_sound_frame_that_does_not_belong_here_is_cut(path: Path, frame: Frame) -> None:
    write(path, 0, finish=False)
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(packed_frame(frame, b""))
    recording = Recording(path)
    assert recording.torn is not None
    assert recording.torn.offset == whole


def test_metadata_of_another_program_is_refused(path: Path) -> None:
    header = Frame(kind=FrameKind.HEADER, number=0, length=0)
    commit = Frame(kind=FrameKind.COMMIT, number=1, length=0)
    parts = (preamble(), packed_frame(header, b'{"venue": 5}'), packed_frame(commit, b"{}"))
    path.write_bytes(b"".join(parts))
    with pytest.raises(RecordingError, match=r"venue.*use the bot4 that wrote it"):
        Recording(path)
