"""Small recordings of our own format, with known content."""

from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.instruments import perpetual

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import (
    FeeSchedule,
    Instrument,
    InstrumentKind,
    InstrumentStatus,
)
from bot4_core.domain_types.records import EVENT_DTYPE, ChainRule, EventKind
from bot4_core.market.recordings import (
    Origin,
    Recording,
    RecordingClock,
    RecordingCounts,
    RecordingHeader,
    RecordingWriter,
)
from bot4_core.market.recordings.messages import block_from_messages

HEADER = RecordingHeader(
    venue="binance", market="usdm", clock=RecordingClock.RECEIVE, tool="tests 1"
)


def future(symbol: str) -> Instrument:
    return perpetual(
        symbol,
        kind=InstrumentKind.FUTURE,
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
