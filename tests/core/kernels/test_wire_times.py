"""Moments are read exactly, and what is no moment is left to others."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4_core.errors import DecodeError
from bot4_core.kernels.wire import LOST
from bot4_core.kernels.wire_times import nanoseconds, scan_milliseconds, scan_timestamp
from bot4_plugins.venue_toolkit.time_text import (
    milliseconds_text,
    nanoseconds_of,
    timestamp_nanoseconds,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_UNREADABLE = 9_223_372_036_855  # milliseconds


@given(st.integers(0, 9_200_000_000), st.integers(0, 9), st.integers(0, 999_999_999), st.booleans())
def test_timestamp_is_read_to_the_nanosecond(
    seconds: int, places: int, fraction: int, last: bool
) -> None:
    decimals = f"{fraction:09d}"[:places]
    moment = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    text = f"{moment}{'.' if decimals else ''}{decimals}Z"
    expected = seconds * 10**9 + int(decimals.ljust(9, "0"))
    data = text.encode() + (b"" if last else b'","x":1}')
    assert scan_timestamp(data, 0, len(data)) == (expected, len(text))
    assert timestamp_nanoseconds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-08-09T21:05:48",
        "2026-08-09T21:05:48.Z",
        "2026-08-09T21:05:48.1234567891Z",
        "2026-08-09T21:05:48.12345678",
        "2026-08-09T21:05:48+00:00",
        "2026-08-09 21:05:48Z",
        "2026-08-09T21:05:48x",
        "2026/08/09T21:05:48Z",
        "2026-08-09T21.05.48Z",
        "1969-12-31T23:59:59Z",
        "2262-01-01T00:00:00Z",
        "2026-00-09T21:05:48Z",
        "2026-13-09T21:05:48Z",
        "2026-02-29T21:05:48Z",
        "2026-04-31T21:05:48Z",
        "2100-02-29T21:05:48Z",
        "2026-08-00T21:05:48Z",
        "2026-08-09T24:05:48Z",
        "2026-08-09T21:60:48Z",
        "2026-08-09T21:05:60Z",
        "2o26-08-09T21:05:48Z",
        "2026-08-0xT21:05:48Z",
    ],
)
def test_other_moments_are_left_to_the_slow_decoder(text: str) -> None:
    data = text.encode()
    assert scan_timestamp(data, 0, len(data))[1] == LOST


@pytest.mark.parametrize("text", ["2000-02-29T00:00:00Z", "2024-02-29T12:00:00.5Z"])
def test_leap_days_are_days(text: str) -> None:
    assert scan_timestamp(text.encode(), 0, len(text))[0] == timestamp_nanoseconds(text)


@given(st.integers(0, FIRST_UNREADABLE - 1))
def test_milliseconds_are_read(value: int) -> None:
    text = b"%d," % value
    assert scan_milliseconds(text, 0, len(text)) == (value * 10**6, len(text) - 1)
    assert nanoseconds(value) == value * 10**6 == nanoseconds_of(value)
    assert milliseconds_text(str(value)) == value * 10**6


def test_time_beyond_64_bits_is_refused() -> None:
    text = str(FIRST_UNREADABLE)
    assert scan_milliseconds(text.encode(), 0, len(text))[1] == LOST
    assert nanoseconds(FIRST_UNREADABLE) == -1
    for wrong in (text, "-1", "1.5", "", "١"):
        with pytest.raises(DecodeError):
            milliseconds_text(wrong)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-08-09T21:05:48+02:00", 1786302348 * 10**9),
        ("2026-08-09t21:05:48.1234567899z", 1786309548123456789),
    ],
)
def test_slow_reader_takes_offsets_and_longer_fractions(text: str, expected: int) -> None:
    assert timestamp_nanoseconds(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "2026-08-09", "1969-12-31T23:59:59Z", "2262-05-01T00:00:00Z", "2026-02-30T00:00:00Z"],
)
def test_slow_reader_refuses_what_is_no_moment(text: str) -> None:
    with pytest.raises(DecodeError):
        timestamp_nanoseconds(text)
