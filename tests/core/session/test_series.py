"""Series of bounded length, and the histogram of latencies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.domain_types.records import VIEW_DTYPE
from bot4_core.kernels.order_rows import Slot
from bot4_core.kernels.tables import Tables
from bot4_core.session.durations import DurationReport, LatencyHistogram
from bot4_core.session.series import (
    MARKS,
    POINTS,
    FillMark,
    SeriesRecorder,
    TripMark,
)


@given(st.integers(0, 10**11))
def test_a_duration_falls_below_the_end_of_its_bin_and_within_an_eighth_of_it(ns: int) -> None:
    histogram = LatencyHistogram()
    histogram.add(ns)
    place = histogram.counts.tolist().index(1)
    upper = float(histogram.bounds()[place])
    assert ns / 1e3 <= upper
    if ns >= 16:
        assert upper <= ns / 1e3 * 1.13


def test_very_long_durations_fall_into_the_last_bin() -> None:
    histogram = LatencyHistogram()
    histogram.add(2**60)
    assert histogram.counts[-1] == 1


@given(st.lists(st.integers(0, 2**49), min_size=1, max_size=50))
def test_durations_are_counted_together_as_one_by_one(durations: list[int]) -> None:
    together, single = LatencyHistogram(), LatencyHistogram()
    together.add_all(np.array(durations, np.int64))
    for ns in durations:
        single.add(ns)
    assert together.counts.tolist() == single.counts.tolist()
    assert together.report() == single.report()


def test_a_report_of_durations_holds_every_bin() -> None:
    histogram = LatencyHistogram()
    assert histogram.report().bins == ()
    histogram.add_all(np.array([1_000, 1_000, 3_000_000], np.int64))
    report = histogram.report()
    assert (report.count, report.max_us, report.total_ms) == (3, 3000.0, 3.002)
    assert [count for _, count in report.bins] == [2, 1]
    assert report.bins[0][0] == report.p50_us
    assert isinstance(report, DurationReport)


def test_quantiles_are_those_of_the_durations() -> None:
    histogram = LatencyHistogram()
    for ns in range(1_000, 101_000, 1_000):
        histogram.add(ns)
    assert histogram.quantile(0.5) == pytest.approx(50, rel=0.13)
    assert histogram.quantile(0.99) == pytest.approx(99, rel=0.13)
    assert histogram.quantile(1.0) >= 100


def test_without_durations_there_is_no_quantile() -> None:
    assert np.isnan(LatencyHistogram().quantile(0.5))


def views() -> np.ndarray[tuple[int], np.dtype[np.void]]:
    rows = np.zeros(2, VIEW_DTYPE)
    rows["size_unit"], rows["equity"] = 0.5, 7.0
    rows["position"] = [2, -4]
    return rows


def recorder_of(*symbols: str) -> SeriesRecorder:
    tables = Tables(len(Slot))
    tables.put(Slot.VIEWS, views()[: len(symbols)])
    return SeriesRecorder(symbols, tables)


def test_a_sample_holds_what_the_views_show() -> None:
    recorder = recorder_of("A", "B")
    recorder.sample(5)
    series = recorder.series()
    assert (series.time.tolist(), series.equity.tolist()) == ([5], [7.0])
    assert series.inventory.tolist() == [[1.0, -2.0]]


def test_a_full_series_halves_and_still_spans_everything() -> None:
    recorder = recorder_of("A", "B")
    samples, time = 0, 0
    while samples < 5 * POINTS:
        if time >= recorder.due:
            recorder.sample(time)
            samples += 1
        time += 1_000_000
    series = recorder.series()
    assert POINTS // 2 <= len(series.time) <= POINTS
    assert series.time[0] == 0
    gaps = np.diff(series.time)
    assert gaps.max() <= 2 * np.median(gaps)


def test_marks_are_kept_up_to_a_bound() -> None:
    recorder = recorder_of("A")
    for number in range(MARKS + 5):
        recorder.fill(FillMark(number, 0, 1, 1.0, 1.0, maker=True))
        recorder.trip(TripMark(number, "b", 1, 0, ""))
    series = recorder.series()
    assert (len(series.fills), len(series.trips)) == (MARKS, MARKS)
