"""The faster decompressor reads what the standard library's reads, and fails where it fails."""

import gzip
from pathlib import Path

import pytest
from tests.plugins.host_cli.shell import called
from tests.plugins.host_cli.test_bad_input import foreign_tape, on_binance

from bot4_core.errors import DamagedRecordingError
from bot4_core.market.recordings import ZLIB, GzipLibrary, Inflater
from bot4_core.market.recordings.byte_stream import CHUNK_BYTES, chunks
from bot4_plugins.host_cli import reading
from bot4_plugins.host_cli.reading import ISAL

CONTENT = b"".join(b"%d a line of a recording\n" % (i * i) for i in range(100_000))
PACKED = gzip.compress(CONTENT, 6, mtime=0)


def outcome(path: Path, library: GzipLibrary) -> tuple[bytes, str]:
    """Return what was read, and what kind of fault ended it."""
    parts = []
    try:
        for part in chunks(path, library):
            assert len(part) <= CHUNK_BYTES
            parts.append(part)
    except DamagedRecordingError as error:
        return b"".join(parts), str(error).partition(" near ")[0].partition(" after ")[0]
    return b"".join(parts), ""


@pytest.mark.parametrize(
    "content",
    [
        PACKED,
        PACKED * 2,
        PACKED + bytes(512),
        gzip.compress(b"", mtime=0),
        gzip.compress(bytes(9 << 20), mtime=0),
        PACKED + b"x",
    ],
    ids=["one", "two", "padded", "empty", "large", "trailed"],
)
def test_both_decompressors_agree(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    assert outcome(path, ISAL) == outcome(path, ZLIB)


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 1000, len(PACKED) // 2, len(PACKED) - 5])
def test_a_cut_file_gives_what_it_has(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x"
    path.write_bytes(PACKED[:-cut])
    found, fault = outcome(path, ISAL)
    expected, reason = outcome(path, ZLIB)
    assert fault == reason
    assert "ends early" in fault
    assert expected.startswith(found)
    assert len(found) >= len(expected) - 4  # symbols in its last bits are not always written


@pytest.mark.parametrize("place", [3, 70_000, len(PACKED) - 6, len(PACKED) - 2])
def test_damage_is_found(tmp_path: Path, place: int) -> None:
    damaged = bytearray(PACKED)
    damaged[place] ^= 0xFF
    path = tmp_path / "x"
    path.write_bytes(damaged)
    for library in (ISAL, ZLIB):
        _, fault = outcome(path, library)
        assert fault == f"{path}: the gzip data is damaged"


def test_every_gzip_recording_reads_the_same(recordings: Path) -> None:
    paths = sorted(recordings.glob("*/*.gz"))
    assert paths
    for path in paths:
        assert outcome(path, ISAL) == outcome(path, ZLIB)


@pytest.mark.parametrize("command", ["run", "replay"])
def test_commands_decompress_with_it(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def inflater() -> Inflater:
        made.append(ISAL.inflater())
        return made[-1]

    library = GzipLibrary(inflater=inflater, error=ISAL.error)
    monkeypatch.setattr(reading, "ISAL", library)
    recording = str(foreign_tape(tmp_path / "other.gz"))
    config = str(on_binance(tmp_path))
    called(*(("run", config, "--recording") if command == "run" else ("replay",)), recording)
    assert made
