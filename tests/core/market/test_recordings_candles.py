"""Tables of candles become CANDLE records."""

import gzip
from pathlib import Path

import pytest

from bot4_core.domain_types.records import EventFlag, EventKind
from bot4_core.errors import RecordingError
from bot4_core.market.recordings.candle_files import read_candles

HEADER = "timestamp,open,high,low,close,volume\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "bars.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_bars_are_scaled_by_the_most_decimals(tmp_path: Path) -> None:
    text = HEADER + (
        "2021-12-31 23:01:00.000000,46319.0,46385.25,46319,46377.5,2300413.7295\n"
        "2021-12-31T23:02:00+00:00,1,2,1,2,5\n"
    )
    table = read_candles(written(tmp_path, text), instrument=7)
    assert (table.price_exponent, table.size_exponent) == (-2, -4)
    first = table.events[0]
    assert first["time"] == 1_640_991_660_000_000_000
    assert first["received"] == 0
    assert [int(first[name]) for name in ("aux", "link", "sequence", "price", "size")] == [
        4631900,
        4638525,
        4631900,
        4637750,
        23004137295,
    ]
    assert (first["instrument"], first["kind"]) == (7, EventKind.CANDLE)
    assert first["flags"] == EventFlag.LAST | EventFlag.CLOSED
    assert table.events[1]["time"] - first["time"] == 60 * 10**9


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "2021-12-31,1,1,1,1",
        "2021-12-31,1,1,1,1,x",
        "2021-13-31,1,1,1,1,1",
        "é,1,1,1,1,1",
        "2021-12-31,1,1,1,1,1e-30",
    ],
)
def test_lines_that_are_no_bar_are_counted(tmp_path: Path, line: str) -> None:
    table = read_candles(written(tmp_path, f"{HEADER}{line}\n2021-12-31,1,1,1,1,1\n"))
    assert len(table.events) == 1
    assert table.refused.count == 1
    assert table.refused.examples[0][0] == 2


def test_volumes_too_fine_for_64_bits_are_rounded_and_counted(tmp_path: Path) -> None:
    bars = "2021-12-31,1,1,1,1,102949891.4118\n2021-12-31,1,1,1,1,1.00000000015\n"
    table = read_candles(written(tmp_path, HEADER + bars))
    assert table.size_exponent == -9
    assert table.events["size"].tolist() == [102949891_411800000, 1_000000000]
    assert table.rounded == 1


def test_a_table_without_bars_is_empty(tmp_path: Path) -> None:
    table = read_candles(written(tmp_path, HEADER))
    assert (len(table.events), table.price_exponent, table.size_exponent) == (0, 0, 0)


@pytest.mark.parametrize("text", ["", "time,open\n1,2\n"])
def test_another_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecordingError, match=r"bars\.csv\.gz: starts with .*expected 'timestamp"):
        read_candles(written(tmp_path, text))


def test_the_recorded_candles_are_all_read(recordings: Path) -> None:
    table = read_candles(recordings / "candles" / "btc-perp_1m_20211231-20220201.csv.gz")
    assert len(table.events) == 45_031
    assert table.refused.count == 0
    assert table.rounded < 10
    assert table.size_exponent == -9
