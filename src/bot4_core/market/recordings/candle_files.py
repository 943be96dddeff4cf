"""Tables of candles in CSV: bar input that is no venue message."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Final, NamedTuple

import attrs
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.number_text import exponent_of_text, scaled_from_text
from bot4_core.domain_types.records import EVENT_DTYPE, EventFlag, EventKind
from bot4_core.errors import PrecisionError, RecordingError
from bot4_core.market.recordings.byte_stream import whole
from bot4_core.market.recordings.messages import RefusedLines

__all__ = ["CandleTable", "read_candles"]

HEADER: Final = b"timestamp,open,high,low,close,volume"
FLAGS: Final = EventFlag.LAST | EventFlag.CLOSED
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOST_DIGITS: Final = 18
MICROSECOND: Final = timedelta(microseconds=1)


class _Bar(NamedTuple):
    time: int
    open: str
    high: str
    low: str
    close: str
    volume: str


@attrs.frozen(kw_only=True, eq=False)
class CandleTable:
    """Candles of one instrument, in file order.

    Attributes
    ----------
    events : (n,) EVENT_DTYPE
        CANDLE records of closed bars; ``time`` is the bar's, there is no receive time.
    price_exponent, size_exponent : int
        The most decimals in the file; of volumes, as many as leave the largest in 64 bits.
    rounded : int
        Volumes with more decimals than that (noise of floats), rounded half to even.
    refused : RefusedLines
        Lines that are no bar.
    """

    events: NDArray[np.void]
    price_exponent: int
    size_exponent: int
    rounded: int
    refused: RefusedLines


def read_candles(path: Path, instrument: int = 0) -> CandleTable:
    """Read ``timestamp,open,high,low,close,volume``; times without a zone are UTC.

    Parameters
    ----------
    path : Path
        Plain or gzip.
    instrument : int
        Id that the events carry.

    Raises
    ------
    RecordingError
        If the file cannot be read or its first line is another.
    """
    first, *lines = whole(path).splitlines() or [b""]
    if first != HEADER:
        raise RecordingError(f"{path}: starts with {first[:60]!r}, expected {HEADER.decode()!r}")
    refused = RefusedLines()
    bars: list[_Bar] = []
    for number, line in enumerate(lines, 2):
        bar = _bar(line)
        if bar is None:
            refused.add(number, line)
        else:
            bars.append(bar)
    prices = [text for bar in bars for text in bar[1:5]]
    price_exponent = min(map(exponent_of_text, prices), default=0)
    volumes = [Decimal(bar.volume) for bar in bars]
    size_exponent = _fitting_exponent(volumes)
    events = np.zeros(len(bars), EVENT_DTYPE)
    rounded = 0
    for row, (bar, size) in enumerate(zip(bars, volumes, strict=True)):
        opened, high, low, close = (scaled_from_text(text, price_exponent) for text in bar[1:5])
        volume = int(size.scaleb(-size_exponent).to_integral_value(ROUND_HALF_EVEN))
        rounded += Decimal(volume).scaleb(size_exponent) != size
        events[row] = (
            *(bar.time, 0, close, volume, low, opened, high, instrument),
            *(EventKind.CANDLE, 0, FLAGS),
        )
    return CandleTable(
        events=events,
        price_exponent=price_exponent,
        size_exponent=size_exponent,
        rounded=rounded,
        refused=refused,
    )


def _bar(line: bytes) -> _Bar | None:
    try:
        time, *numbers = line.decode("ascii").split(",")
        moment = datetime.fromisoformat(time)
        bar = _Bar((_utc(moment) - EPOCH) // MICROSECOND * 1000, *numbers)
        exponents = [exponent_of_text(text) for text in numbers]
    except (ValueError, TypeError, PrecisionError):
        return None
    return bar if min(exponents) >= -18 else None


def _fitting_exponent(volumes: list[Decimal]) -> int:
    finest = min((int(size.as_tuple().exponent) for size in volumes), default=0)
    largest = max(volumes, default=Decimal(0))
    return max(min(finest, 0), largest.adjusted() - MOST_DIGITS + 1 if largest else 0)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
