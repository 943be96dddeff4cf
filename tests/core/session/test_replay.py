"""Replaying files as one session, and importing them."""

import gzip
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np
import pytest
from tests.core.session.toy_exchange import ToyExchange, toy_instrument

from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EVENT_DTYPE, EventKind
from bot4_core.errors import RecordingError, StorageError
from bot4_core.jit import Specialisation
from bot4_core.market.recordings import (
    Recording,
    RecordingClock,
    RecordingCounts,
    RecordingHeader,
    RecordingWriter,
)
from bot4_core.session.event_stream import ReadingOptions
from bot4_core.session.importing import ImportReport, import_files
from bot4_core.session.replay import ReplayProgress, ReplayReport, replay

START = 1_700_000_000_000_000_000
SALVAGE = ReadingOptions(salvage=True)


def line(time: int, **message: object) -> bytes:
    return b"%d %s\n" % (START + time, json.dumps(message).encode())


def file_of(path: Path, lines: Iterable[bytes]) -> Path:
    path.write_bytes(gzip.compress(b"".join(lines)))
    return path


def book(time: int, symbol: str, bid: str, ask: str, **more: object) -> bytes:
    return line(time, s=symbol, book=[["BUY", bid, "2"], ["SELL", ask, "3"]], **more)


def run(*paths: Path, options: ReadingOptions | None = None) -> ReplayReport:
    return replay(paths, ToyExchange, lambda: 0, options=options)


def take(out: Path, *paths: Path) -> ImportReport:
    return import_files(paths, out, ToyExchange, "spot")


@pytest.fixture
def btc(tmp_path: Path) -> Path:
    lines = [
        book(0, "BTC", "10.5", "11", snapshot=True),
        line(1, s="BTC", quote=["10.5", "2", "11", "3"]),
        line(3, s="BTC", trade=["11", "1"]),
        line(5, s="BTC", book=[["BUY", "10.7", "4"]]),
    ]
    return file_of(tmp_path / "btc.gz", lines)


@pytest.fixture
def eth(tmp_path: Path) -> Path:
    lines = [
        book(1, "ETH", "1", "2", snapshot=True),
        line(4, s="ETH", quote=["1", "2", "2", "3"]),
    ]
    return file_of(tmp_path / "eth.gz", lines)


def test_report_of_one_file(btc: Path) -> None:
    ticks = iter([1_000_000_000, 1_500_000_000, 9_000_000_000, 10_500_000_000])
    report = replay([btc], ToyExchange, lambda: next(ticks))
    assert (report.messages, report.responses, report.quarantined, report.events) == (4, 0, 0, 8)
    assert report.kinds == {
        "book_clear": 1,
        "book_set": 3,
        "book_end": 2,
        "trade": 1,
        "quote": 1,
    }
    assert (report.wall_s, report.messages_per_s) == (2.0, 2.0)
    found = report.instruments["BTC"]
    assert attrs.evolve(found, book_digest="") == type(found)(
        state="LIVE",
        gaps=0,
        resyncs=0,
        crossed=0,
        best_bid=("10.7", "4"),
        best_ask=("11.0", "3"),
        last_quote_bid=("10.5", "2"),
        last_quote_ask=("11.0", "3"),
        trades=1,
        levels=(2, 1),
        book_digest="",
        exponents_from_data=True,
    )
    assert len(found.book_digest) == 32
    assert len(report.digest) == 64


def test_a_clock_that_stands_still_gives_no_rate(btc: Path) -> None:
    assert run(btc).messages_per_s == 0.0


def test_a_book_without_a_snapshot_stays_syncing(tmp_path: Path) -> None:
    path = file_of(tmp_path / "x", [line(1, s="BTC", book=[["BUY", "1", "2"]])])
    found = run(path).instruments["BTC"]
    assert found.state == "SYNCING"
    assert found.best_bid is None
    assert found.last_quote_bid is None


def test_files_of_different_instruments_merge_by_receive_time(
    btc: Path, eth: Path, tmp_path: Path
) -> None:
    together = file_of(
        tmp_path / "both.gz",
        sorted(
            gzip.decompress(btc.read_bytes()).splitlines(keepends=True)
            + gzip.decompress(eth.read_bytes()).splitlines(keepends=True),
            key=lambda text: int(text.split()[0]),
        ),
    )
    assert run(btc, eth).digest == run(together).digest
    assert run(btc, eth).messages == 6


def test_order_of_files_decides_only_ties(btc: Path, eth: Path, tmp_path: Path) -> None:
    assert run(btc, eth).digest != run(eth, btc).digest
    later = file_of(tmp_path / "later.gz", [line(9, s="ETH", trade=["1", "1"])])
    assert run(btc, later).digest == run(later, btc).digest


def test_files_of_the_same_instrument_follow_each_other_in_the_order_given(
    tmp_path: Path,
) -> None:
    first = file_of(tmp_path / "1", [line(9, s="BTC", quote=["1", "1", "2", "1"])])
    second = file_of(tmp_path / "2", [line(5, s="BTC", quote=["3", "1", "4", "1"])])
    other = file_of(tmp_path / "3", [line(7, s="ETH", quote=["3", "1", "4", "1"])])
    assert run(first, second, other).instruments["BTC"].last_quote_bid == ("3", "1")
    assert run(second, first, other).instruments["BTC"].last_quote_bid == ("1", "1")


def test_files_without_times_follow_each_other(tmp_path: Path, btc: Path) -> None:
    untimed = tmp_path / "untimed"
    untimed.write_bytes(b'{"s":"ETH","trade":["1","1"]}\n')
    assert list(run(untimed, btc).instruments) == ["ETH", "BTC"]
    assert list(run(btc, untimed).instruments) == ["BTC", "ETH"]


def test_files_without_events_are_passed_over(tmp_path: Path, btc: Path) -> None:
    silent = file_of(tmp_path / "silent", [line(1)])
    report = run(silent, btc)
    assert report.messages == 5
    assert report.digest == run(btc).digest


def test_a_growing_number_of_decimals_restarts_the_replay(tmp_path: Path, btc: Path) -> None:
    factories: list[Sequence[Instrument]] = []

    def factory(instruments: Sequence[Instrument]) -> ToyExchange:
        factories.append(instruments)
        return ToyExchange(instruments)

    finer = file_of(tmp_path / "finer", [line(9, s="BTC", trade=["11.125", "1"])])
    report = replay([btc, finer], factory, lambda: 0)
    assert [[i.price_exponent for i in made] for made in factories] == [[], [-3]]
    assert report.messages == 5
    assert report.instruments["BTC"].best_bid == ("10.700", "4")


def test_messages_that_name_nothing_are_about_the_only_symbol_of_their_file(
    tmp_path: Path, eth: Path
) -> None:
    nameless = [["BUY", "10", "2"], ["SELL", "12", "3"]]
    lines = [
        line(0),
        line(1, s="BTC", trade=["11", "1"]),
        line(2, book=nameless, snapshot=True),
        line(3, s="BTC", trade=["11", "1"]),
    ]
    report = run(file_of(tmp_path / "x", lines), eth)
    assert report.instruments["BTC"].state == "LIVE"
    assert report.messages == 6


def test_replies_are_counted_apart_and_carry_their_request(tmp_path: Path) -> None:
    def entry(kind: str, time: int, data: object, **more: object) -> str:
        return json.dumps({"t": kind, "conn": "c", "ts": time, "data": json.dumps(data), **more})

    lines = [
        '{"t":"header"}',
        entry("recv", 1, {"s": "BTC", "trade": ["11", "1"]}),
        entry("http", 2, {"book": [["BUY", "10", "2"]], "snapshot": True}, url="BTC"),
        entry("recv", 3, {"s": "ETH", "trade": ["11", "1"]}),
        entry("recv", 4, {"x": 1}),
        "junk",
    ]
    path = tmp_path / "log"
    path.write_text("\n".join(lines))
    report = run(path)
    assert (report.messages, report.responses, report.refused) == (3, 1, 1)
    assert report.instruments["BTC"].state == "LIVE"


def test_bad_messages_are_quarantined_and_counted(tmp_path: Path, btc: Path) -> None:
    bad = file_of(tmp_path / "bad", [b"%d {\n" % START, line(1, s="X", trade=["1"]), b"junk\n"])
    report = run(bad, btc)
    assert report.quarantined == 2
    assert report.refused == 1
    assert report.messages == 6


def test_prefetching_changes_nothing(btc: Path, eth: Path) -> None:
    with ThreadPoolExecutor(2) as executor:
        options = ReadingOptions(executor=executor)
        assert run(btc, eth, options=options) == run(btc, eth)


def test_prefetching_ends_when_the_reader_stops(tmp_path: Path) -> None:
    lines = [line(n, s="BTC", trade=[f"{n % 7}.{'1' * (n // 4000)}", "1"]) for n in range(12_000)]
    path = file_of(tmp_path / "long", lines)
    with ThreadPoolExecutor(1) as executor:
        report = run(path, options=ReadingOptions(executor=executor))
    assert report.messages == 12_000


def test_progress_reaches_the_end(btc: Path, eth: Path, tmp_path: Path) -> None:
    seen: list[ReplayProgress] = []
    replay([btc, eth], ToyExchange, lambda: 0, progress=seen.append)
    assert (seen[-1].messages, seen[-1].events) == (6, 13)
    assert seen[-1].bytes_read == seen[-1].bytes_total == sum(p.stat().st_size for p in (btc, eth))
    import_files([btc, eth], tmp_path / "x.b4r", ToyExchange, "spot", progress=seen.append)
    assert seen[-1].messages == 6
    replay([tmp_path / "x.b4r"], ToyExchange, lambda: 0, progress=seen.append)
    assert 0 < seen[-1].bytes_read <= seen[-1].bytes_total


def test_no_files_are_refused() -> None:
    with pytest.raises(RecordingError, match="name at least one file"):
        run()


def test_a_truncated_file_is_refused_by_name_or_salvaged_with_a_warning(
    btc: Path, eth: Path
) -> None:
    btc.write_bytes(btc.read_bytes()[:-9])
    with pytest.raises(StorageError, match=r"btc\.gz: the gzip data ends early"):
        run(btc, eth)
    report = run(btc, eth, options=SALVAGE)
    assert len(report.warnings) == 1
    assert "btc.gz: the gzip data ends early" in report.warnings[0]
    assert report.instruments["ETH"].state == "LIVE"


def test_a_recording_replays_to_the_same_report(btc: Path, eth: Path, tmp_path: Path) -> None:
    out = tmp_path / "both.b4r"
    report = take(out, btc, eth)
    assert report.counts == RecordingCounts(messages=6, events=13)
    assert report.instruments == ("BTC", "ETH")
    assert run(out) == run(btc, eth)
    recording = Recording(out)
    assert recording.digest == report.digest
    assert recording.header.venue == "toy"
    assert recording.header.clock is RecordingClock.RECEIVE
    assert recording.sources == ("btc.gz", "eth.gz")
    assert not out.with_name("both.b4r.part").exists()


def test_recordings_of_single_files_merge_as_the_files_do(
    btc: Path, eth: Path, tmp_path: Path
) -> None:
    for path in (btc, eth):
        take(tmp_path / f"{path.stem}.b4r", path)
    both = run(tmp_path / "btc.b4r", tmp_path / "eth.b4r")
    assert both == run(btc, eth)
    assert run(tmp_path / "eth.b4r", btc).digest == run(eth, btc).digest


def test_recordings_scaled_differently_are_refused(btc: Path, tmp_path: Path) -> None:
    coarse = file_of(tmp_path / "coarse", [line(9, s="BTC", trade=["11", "1"])])
    take(tmp_path / "a.b4r", btc)
    take(tmp_path / "b.b4r", coarse)
    with pytest.raises(RecordingError, match=r"b\.b4r: BTC is scaled by \(0, 0\), and"):
        run(tmp_path / "a.b4r", tmp_path / "b.b4r")


def test_importing_a_recording_decodes_its_messages_again(
    btc: Path, eth: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.b4r", tmp_path / "2.b4r"
    take(first, btc, eth)
    assert take(second, first).digest == take(tmp_path / "3.b4r", btc, eth).digest


def test_recordings_without_messages_are_not_imported(btc: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.b4r"
    with RecordingWriter(bare, RecordingHeader(venue="toy", market="spot")) as writer:
        writer.finish()
    with pytest.raises(RecordingError, match="holds no raw messages"):
        take(tmp_path / "x.b4r", bare)


def test_import_starts_again_when_decimals_grow(btc: Path, tmp_path: Path) -> None:
    finer = file_of(tmp_path / "finer", [line(9, s="BTC", trade=["11.125", "1"])])
    out = tmp_path / "x.b4r"
    take(out, btc, finer)
    assert [i.price_exponent for i in Recording(out).instruments] == [-3]
    assert run(out) == run(btc, finer)


def test_an_existing_recording_is_not_overwritten(btc: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.b4r"
    out.write_bytes(b"precious")
    with pytest.raises(RecordingError, match="exists already"):
        take(out, btc)
    assert out.read_bytes() == b"precious"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of several commits, which are smaller than usual."""
    monkeypatch.setattr("bot4_core.session.importing.COMMIT_EVENTS", 800)
    lines = [line(n, s="BTC", trade=["11", str(n % 90 + 1)]) for n in range(3_000)]
    return file_of(tmp_path / "long", lines)


def test_long_sessions_are_committed_piece_by_piece(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "long.b4r"
    take(out, path)
    assert run(out) == run(path)
    assert take(tmp_path / "again.b4r", out).digest == Recording(out).digest
    content = out.read_bytes()
    out.write_bytes(content[: len(content) // 2])
    report = run(out)
    assert 800 <= report.events < 3_000
    assert "were left out" in report.warnings[0]


def test_a_full_disk_during_import_leaves_what_was_committed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    real, written = os.write, 0

    def write(file: int, data: memoryview) -> int:
        nonlocal written
        written += len(data)
        if written > 150_000:
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr("os.write", write)
    out = tmp_path / "x.b4r"
    with pytest.raises(RecordingError, match=r"x\.b4r\.part: cannot write: No space left"):
        take(out, path)
    monkeypatch.setattr("os.write", real)
    assert not out.exists()
    kept = run(out.with_name("x.b4r.part"))
    assert 0 < kept.events < 3_000
    take(out, path)
    assert run(out) == run(path)


def test_a_recording_that_ends_within_a_message_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.b4r"
    records = np.zeros(1, EVENT_DTYPE)
    records["kind"] = EventKind.BOOK_SET
    with RecordingWriter(path, RecordingHeader(venue="toy", market="spot")) as writer:
        writer.add_events(records)
        writer.commit(RecordingCounts(events=1), [toy_instrument("BTC")])
        writer.finish()
    with pytest.raises(RecordingError, match="ends within a message"):
        run(path)


def test_kernels_are_compiled_before_the_clock_runs_on(btc: Path, tmp_path: Path) -> None:
    told: list[object] = []

    class Compiled(ToyExchange):
        def specialisations(self) -> tuple[Specialisation, ...]:
            told.append("asked for kernels")
            return ()

    def clock() -> int:
        told.append("clock")
        return 0

    replay([btc], Compiled, clock, progress=told.append)
    assert told[:3] == ["clock", "clock", "asked for kernels"]
    assert told[-1:] == ["clock"]
    compiling = [t for t in told if isinstance(t, ReplayProgress) and t.compiling]
    assert told[3 : 3 + len(compiling)] == compiling
    names = [t.compiling for t in compiling]
    assert {names[0], "read_times", "apply_events"} <= {"line_bounds", *names[1:]}
    shares = [t.compiled for t in compiling]
    assert 0 < shares[1] < 1
    assert shares == sorted(shares)
    import_files([btc], tmp_path / "x.b4r", Compiled, "spot")
    assert told[-1:] == ["asked for kernels"]


def tape(path: Path, *times: int, symbol: str = "BTC") -> Path:
    return file_of(path, [line(time, s=symbol, trade=["1", "1"]) for time in times])


def test_files_of_an_instrument_out_of_order_are_a_warning(tmp_path: Path) -> None:
    early, late = tape(tmp_path / "early", 1, 5), tape(tmp_path / "late", 5, 9)
    told = "early begins before late ends, which was given before it; "
    assert run(early, late).warnings == ()
    (warning,) = run(late, early).warnings
    assert warning.startswith(told)
    (warning,) = run(early, early).warnings
    assert warning.startswith("early begins before early ends")
    whole, middle = tape(tmp_path / "whole", 1, 20), tape(tmp_path / "middle", 20, 21)
    assert [text[:30] for text in run(whole, early, middle).warnings] == [
        "early begins before whole ends"
    ]


def test_files_of_different_instruments_may_overlap(tmp_path: Path) -> None:
    late, early = tape(tmp_path / "a", 5, 9), tape(tmp_path / "b", 1, 7, symbol="ETH")
    assert run(late, early).warnings == ()
