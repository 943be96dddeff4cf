"""Damaged recordings and full disks: what was committed can be read, the rest is told."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.core.market.own_recordings import HEADER, events, read_events, write

from bot4_core.errors import RecordingError
from bot4_core.market.recordings import (
    Recording,
    RecordingCounts,
    RecordingWriter,
)
from bot4_core.market.recordings.frames import (
    Frame,
    FrameKind,
    packed_frame,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.b4r"


def test_an_unfinished_recording_is_read_up_to_its_last_commit(path: Path) -> None:
    write(path, 2, finish=False)
    recording = Recording(path)
    assert recording.torn is not None
    assert recording.torn.lost == 0
    assert "not finished" in recording.torn.reason
    assert recording.digest == ""
    assert len(read_events(recording)) == 6


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


def test_a_file_size_limit_of_the_system_keeps_every_commit_before_it(path: Path) -> None:
    script = f"""
import resource, sys
from pathlib import Path
from tests.core.market.own_recordings import write
from bot4_core.errors import RecordingError
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write(Path({str(path)!r}), 100)
except RecordingError as error:
    sys.exit(f"refused: {{error}}")
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=root, capture_output=True, text=True, check=False
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
