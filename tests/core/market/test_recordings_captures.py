"""Foreign recordings whose messages are framed: captures with lengths, JSON documents."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.market.message_files import given_file, read

from bot4_core.errors import RecordingError
from bot4_core.market.recordings import (
    Origin,
)
from bot4_core.market.recordings.capture_files import CaptureFile


def test_a_large_document_on_one_line_is_one_message(tmp_path: Path) -> None:
    document = json.dumps({"result": ["x" * 100] * 2000}).encode()
    assert read(given_file(tmp_path, document)) == [(0, document)]


def capture(start: int, frames: list[tuple[int, bytes]]) -> bytes:
    body = b"".join(b"%d %d\n%s\n" % (time, len(data), data) for time, data in frames)
    return b"CBCAP1 kraken BTC/USD %d\n%s" % (start, body)


FRAMES = [
    (1785641750295158100, b'{"a":1}'),
    (1785641750295158200, b"two\nlines"),
    (1785641751, b""),
]


def test_captures(tmp_path: Path) -> None:
    file = given_file(tmp_path, capture(FRAMES[0][0], FRAMES))
    assert file.layout == "frame capture"
    assert read(file) == FRAMES
    assert file.origins == [Origin(source="x", connection="BTC/USD")]


def test_captures_without_frames_hold_no_messages(tmp_path: Path) -> None:
    assert read(given_file(tmp_path, capture(1, []))) == []


def test_steady_clocks_are_moved_to_the_named_start(tmp_path: Path) -> None:
    start = 1785552832693693000
    file = given_file(tmp_path, capture(start, [(201603688723400, b"a"), (201603688723900, b"b")]))
    assert read(file) == [(start, b"a"), (start + 500, b"b")]


def test_the_last_newline_of_a_capture_may_be_missing(tmp_path: Path) -> None:
    assert len(read(given_file(tmp_path, capture(1, [(1, b"x")])[:-1]))) == 1


def test_large_captures_come_in_several_blocks(tmp_path: Path) -> None:
    file = given_file(tmp_path, capture(1, [(n, bytes(700_000)) for n in range(1, 5)]))
    assert [len(block) for block in file.blocks()] == [2, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"CBCAP1 kraken 5\n", "the first line is not"),
        (b"CBCAP1 kraken BTC/USD x\n", "the first line is not"),
        (b"CBCAP1 kraken BTC/USD", "missing or cut off"),
        (capture(1, [(1, b"x")]) + b"junk", "missing or cut off"),
        (capture(1, [(1, b"x")]) + b"1 2 3\n", "is no frame head"),
        (capture(1, [(1, b"x")]) + b"-1 2\nxx\n", "is no frame head"),
        (capture(1, [(1, b"x")]) + b"1 900\nxx\n", "a frame of 900 bytes is cut off"),
        (capture(1, [(1, b"x")]) + b"1 999999999\nxx\n", "is cut off"),
    ],
)
def test_damaged_captures_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        read(given_file(tmp_path, content))


@given(frames=st.lists(st.tuples(st.integers(0, 2**62), st.binary(max_size=30)), min_size=1))
def test_captures_are_read_the_same_in_any_chunks(frames: list[tuple[int, bytes]]) -> None:
    content = capture(frames[0][0], frames)
    parts = iter([content[at : at + 7] for at in range(0, len(content), 7)])
    file = CaptureFile(path=Path("x"), parts=parts)
    assert read(file) == frames


def test_documents_of_frames(tmp_path: Path) -> None:
    for content in (
        {"note": 1, "raw_text": ["a", "b"]},
        [{"name": "n", "text": "a"}, {"text": "b"}],
    ):
        file = given_file(tmp_path, json.dumps(content, indent=1).encode())
        assert file.layout == "frame document"
        assert read(file) == [(0, b"a"), (0, b"b")]


def test_frames_that_are_no_text_are_counted(tmp_path: Path) -> None:
    file = given_file(tmp_path, json.dumps({"raw_text": ["a", 5]}, indent=1).encode())
    assert read(file) == [(0, b"a")]
    assert file.refused.examples == [(2, "5")]


@pytest.mark.parametrize("document", [{"error": []}, [1, 2], [], {"raw_text": 5}])
def test_any_other_document_is_one_message(tmp_path: Path, document: object) -> None:
    content = b"\n" + json.dumps(document, indent=1).encode()
    assert read(given_file(tmp_path, content)) == [(0, content)]


def test_a_cut_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="x: not a complete JSON document"):
        read(given_file(tmp_path, b'{\n "raw_text": ["a",\n'))
