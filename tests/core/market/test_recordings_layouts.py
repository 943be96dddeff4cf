"""Foreign recordings: every layout is told apart, read whole, and nothing is lost silently."""

import gzip
import json
import lzma
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.market.message_files import Found, given_file, read

from bot4_core.errors import DamagedRecordingError, RecordingError
from bot4_core.market.recordings import (
    ZLIB,
    Channel,
    GzipLibrary,
    Inflater,
    Origin,
    RecordingClock,
    open_messages,
)
from bot4_core.market.recordings.byte_stream import CHUNK_BYTES, chunks, head, whole
from bot4_core.market.recordings.line_files import PlainLines, TimedLines, whole_lines

NS_LINES = b'1723161255030314667 {"a":1}\n1723161255030314668 {"b":[2]}\n'
EXPECTED = [(1723161255030314667, b'{"a":1}'), (1723161255030314668, b'{"b":[2]}')]


@pytest.mark.parametrize("last", [b"", b"\n", b"\r\n", b"\n\n"])
def test_timed_lines(tmp_path: Path, last: bytes) -> None:
    file = given_file(tmp_path, NS_LINES.rstrip() + last)
    assert file.layout == "timed lines"
    assert file.clock is RecordingClock.RECEIVE
    assert read(file) == EXPECTED
    assert file.refused.count == 0
    assert file.origins == [Origin(source="x")]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (b"1680652700423", 1680652700423000000),
        (b"1680652700423575", 1680652700423575000),
        (b"1680652700423575123", 1680652700423575123),
        (b"9223372036854775807", 2**63 - 1),
    ],
)
def test_unit_of_times_follows_from_their_digits(
    tmp_path: Path, time: bytes, expected: int
) -> None:
    assert read(given_file(tmp_path, time + b" {}\n")) == [(expected, b"{}")]


@pytest.mark.parametrize(
    "bad",
    [
        b"no time at all, but long enough for one",
        b"17231612550303146671 {}",
        b"172316125503031466 {}",
        b"1723161255030314667",
        b"1723161255030314667 ",
        b"1723161255030x14667 {}",
        b"9223372036854775808 {}",
        b"9999999999999999999 {}",
        b"\xff",
    ],
)
def test_lines_of_another_shape_are_counted_with_their_number(tmp_path: Path, bad: bytes) -> None:
    file = given_file(tmp_path, NS_LINES + b"\n" + bad + b"\n" + NS_LINES)
    assert read(file) == EXPECTED * 2
    assert file.refused.count == 1
    assert file.refused.examples == [(4, bad.decode("utf-8", "backslashreplace"))]
    assert file.other == 1


def test_lines_shorter_than_usual_are_all_found(tmp_path: Path) -> None:
    content = b"{}\n" * 1000
    assert read(given_file(tmp_path, content)) == [(0, b"{}")] * 1000


def test_only_the_first_bad_lines_are_kept_but_all_are_counted(tmp_path: Path) -> None:
    file = given_file(tmp_path, NS_LINES + b"bad\n" * 50)
    assert read(file) == EXPECTED
    assert file.refused.count == 50
    assert len(file.refused.examples) == 8


def test_gzip_is_told_from_the_content_not_the_name(tmp_path: Path) -> None:
    assert read(given_file(tmp_path, gzip.compress(NS_LINES), "x.txt")) == EXPECTED


def test_gzip_members_follow_each_other(tmp_path: Path) -> None:
    halves = NS_LINES.partition(b"\n")
    content = b"".join(gzip.compress(part) for part in halves) + bytes(512)
    assert read(given_file(tmp_path, content)) == EXPECTED


def test_content_larger_than_a_chunk_is_read_whole(tmp_path: Path) -> None:
    pad = json.dumps("x" * 1000).encode()
    lines = [b"%d %s" % (1723161255030314667 + i, pad) for i in range(3 * CHUNK_BYTES // 1000)]
    content = b"\n".join(lines)
    for packed in (content, gzip.compress(content, 1)):
        found = read(given_file(tmp_path, packed))
        assert len(found) == len(lines)
        assert found[-1] == (1723161255030314667 + len(lines) - 1, pad)


def test_a_line_longer_than_a_chunk_is_one_message(tmp_path: Path) -> None:
    long = json.dumps("x" * (2 * CHUNK_BYTES)).encode()
    content = NS_LINES + b"1723161255030314669 " + long + b"\n" + NS_LINES
    assert read(given_file(tmp_path, content)) == [
        *EXPECTED,
        (1723161255030314669, long),
        *EXPECTED,
    ]


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    parts = iter([b"1723161255030314667 "] + [bytes(CHUNK_BYTES)] * 70)
    file = TimedLines(path=tmp_path / "endless", parts=parts, digits=19)
    with pytest.raises(RecordingError, match="endless: a line is longer than"):
        list(file.blocks())


@given(st.lists(st.binary(max_size=9) | st.just(b"a\n")))
def test_regrouping_chunks_to_whole_lines_keeps_every_byte(parts: list[bytes]) -> None:
    grouped = list(whole_lines(iter(parts)))
    assert b"".join(grouped) == b"".join(parts)
    assert all(part.endswith(b"\n") for part in grouped[:-1])
    assert all(grouped)


@pytest.mark.parametrize("cut", [1, 40, 600])
def test_truncated_gzip_gives_what_it_has_and_then_says_so(tmp_path: Path, cut: int) -> None:
    numbers = np.random.default_rng(1).integers(0, 2**62, 5000).tolist()
    messages = [(1723161255030314667, b'{"n":%d}' % number) for number in numbers]
    lines = b"".join(b"%d %s\n" % message for message in messages)
    path = tmp_path / "torn.gz"
    path.write_bytes(gzip.compress(lines)[:-cut])
    file = open_messages(path)
    found: Found = []
    with pytest.raises(RecordingError, match=r"torn\.gz: the gzip data ends early"):
        found.extend(
            (int(block.received[i]), block.message(i))
            for block in file.blocks()
            for i in range(len(block))
        )
    assert found == messages[: len(found)]
    assert len(found) > 4900


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(NS_LINES * 1000))
    packed[-6] ^= 1
    with pytest.raises(RecordingError, match=r"x: the gzip data is damaged near"):
        read(given_file(tmp_path, bytes(packed)))


def test_a_file_that_is_only_a_torn_gzip_head_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="ends early"):
        given_file(tmp_path, b"\x1f\x8b\x08")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere: cannot read: No such file"):
        open_messages(tmp_path / "nowhere")


def test_message_lines_have_no_times(tmp_path: Path) -> None:
    file = given_file(tmp_path, b'{"channel":"heartbeat"}\n\n{"x":1}\n')
    assert file.layout == "message lines"
    assert file.clock is RecordingClock.NONE
    assert read(file) == [(0, b'{"channel":"heartbeat"}'), (0, b'{"x":1}')]
    assert file.other == 1


def log_line(kind: str, time: str, **fields: object) -> str:
    rest = json.dumps(fields, separators=(",", ":"))[1:]
    return f'{{"t":"{kind}","ts":{time},{rest}'


def test_connection_logs_are_sorted_by_time_and_keep_their_origins(tmp_path: Path) -> None:
    lines = [
        '{"t":"header","format":2}',
        log_line("http", "1626916404.543838", conn="h", url="https://v/depth?symbol=A", data="r1"),
        log_line("http", "1626916400.000000001", conn="h", url="https://v/info", data="r0"),
        log_line("connect", "1626916400", conn="w", addr="wss://v"),
        log_line("recv", "1626916403.8469708", conn="w", data='{"a":"\u00e9"}'),
        log_line("send", "1626916403.9", conn="w", data="{}"),
        log_line("recv", "1626916404.543838", conn="w", data="m2"),
        "",
    ]
    file = given_file(tmp_path, "\n".join(lines).encode())
    assert file.layout == "connection log"
    found = [
        (int(block.received[i]), block.message(i).decode(), file.origins[block.origins[i]])
        for block in file.blocks()
        for i in range(len(block))
    ]
    stream = Origin(source="x", connection="w", url="wss://v")
    response = Origin(source="x", channel=Channel.RESPONSE, connection="h", url="https://v/info")
    depth = Origin(
        source="x", channel=Channel.RESPONSE, connection="h", url="https://v/depth?symbol=A"
    )
    assert found == [
        (1626916400000000001, "r0", response),
        (1626916403846970800, '{"a":"é"}', stream),
        (1626916404543838000, "r1", depth),
        (1626916404543838000, "m2", stream),
    ]
    assert file.other == 3
    assert file.refused.count == 0


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        '{"t":"recv"}',
        '{"t":"recv","ts":"x","data":""}',
        '{"t":"recv","ts":NaN,"data":""}',
        '{"t":"recv","ts":1,"data":5}',
        '{"t":"mystery","ts":1,"data":""}',
        '{"t":["recv"],"ts":1,"data":""}',
    ],
)
def test_bad_lines_of_connection_logs_are_counted(tmp_path: Path, bad: str) -> None:
    lines = ['{"t":"header"}', bad, log_line("recv", "1", data="m")]
    file = given_file(tmp_path, "\n".join(lines).encode())
    assert read(file) == [(1_000_000_000, b"m")]
    assert file.refused.examples == [(2, bad)]


def test_large_logs_come_in_several_blocks(tmp_path: Path) -> None:
    data = "x" * 700_000
    lines = ['{"t":"header"}', *(log_line("recv", str(n), data=data) for n in range(4))]
    file = given_file(tmp_path, "\n".join(lines).encode())
    assert [len(block) for block in file.blocks()] == [2, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (lzma.compress(b"x"), "compressed with xz; decompress it first"),
        (b"\x28\xb5\x2f\xfd123", "compressed with zstd"),
        (b"timestamp,open,high,low,close,volume\n", "a table of candles"),
        (b"hello world", r"starts with b'hello world'; known layouts: "),
    ],
)
def test_a_strange_file_is_described(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        given_file(tmp_path, content)


def test_head_reads_no_more_than_asked(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(3 * CHUNK_BYTES))
    assert len(head(path, 100)) == 100


def test_files_too_large_to_hold_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(100))
    with pytest.raises(RecordingError, match="more than 10 bytes"):
        whole(path, 10)


def test_another_decompressor_may_be_passed(tmp_path: Path) -> None:
    made = []

    def counted() -> Inflater:
        made.append(1)
        return ZLIB.inflater()

    path = tmp_path / "x"
    path.write_bytes(gzip.compress(NS_LINES))
    library = GzipLibrary(inflater=counted, error=ZLIB.error)
    assert b"".join(chunks(path, library)) == NS_LINES
    assert made == [1]


def test_errors_of_another_decompressor_are_named_as_damage(tmp_path: Path) -> None:
    class Failing:
        eof = False
        unconsumed_tail = unused_data = b""

        def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
            raise KeyError(len(data))

    path = tmp_path / "x"
    path.write_bytes(gzip.compress(NS_LINES))
    library = GzipLibrary(inflater=Failing, error=KeyError)
    with pytest.raises(DamagedRecordingError, match="x: the gzip data is damaged near"):
        list(chunks(path, library))


@pytest.mark.parametrize("packed", [False, True])
def test_chunks_are_no_longer_than_asked(tmp_path: Path, packed: bool) -> None:
    content = bytes(range(256)) * 40
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(content) if packed else content)
    parts = list(chunks(path, most=100))
    assert b"".join(parts) == content
    assert max(map(len, parts)) == 100


def test_plain_lines_pass_on_errors_that_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"{}\n")[:-1])
    file = PlainLines(path=path, parts=chunks(path))
    with pytest.raises(RecordingError, match=r"^[^:]*x\.gz: the gzip"):
        list(file.blocks())


@pytest.mark.once("every byte of every recording")
@pytest.mark.compiled("every byte of every recording")
def test_every_recording_has_the_number_of_messages_of_its_manifest(recordings: Path) -> None:
    listed = json.loads((recordings / "manifest.json").read_text())["files"]
    files = [entry for entry in listed if entry["kind"] == "recording"]
    assert files
    for entry in files:
        file = open_messages(recordings / entry["path"])
        channels: dict[Channel, int] = {Channel.STREAM: 0, Channel.RESPONSE: 0}
        for block in file.blocks():
            for origin, count in enumerate(np.bincount(block.origins).tolist()):
                channels[file.origins[origin].channel] += count
        assert channels[Channel.STREAM] == entry["messages"], entry["path"]
        assert channels[Channel.RESPONSE] == entry["records"].get("http", 0), entry["path"]
        assert file.refused.count == 0
