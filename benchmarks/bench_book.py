"""Order books: one recorded depth message, one level, and a whole recording in one call.

Records are decoded beforehand. Baselines of the same run are the ``SortedDict`` book of the tests
and a pair of plain dicts whose best levels are found with ``max`` and ``min``; both get the levels
as tuples, so that they pay for no decoding either.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.reference.book_records import decode_files, table
from tests.reference.book_twin import Delta, SlowBook

from bot4_core.domain_types.records import ChainRule, EventKind
from bot4_core.market.order_book import Books

FILE = "binance/usdm_btcusdt_20240808.gz"
EXPONENTS = (-2, -3)
REPEATS = 25
HFTBACKTEST_EVENTS = 22e6  # a second, book only, its ROI vector (architecture §7)
BOOK_KINDS = (EventKind.BOOK_CLEAR, EventKind.BOOK_SET, EventKind.BOOK_END)

Rows = NDArray[np.void]


def rows(recordings: Path) -> list[dict[str, object]]:
    """Return what was measured, one dict a row."""
    messages, _ = decode_files([recordings / FILE], EXPONENTS)
    depth = [message for message in messages if message[0]["kind"] in BOOK_KINDS]
    start = next(i for i, m in enumerate(depth) if m[0]["kind"] == EventKind.BOOK_CLEAR) + 1
    levels = np.array([message.size - 1 for message in depth[start:]])
    fast = apply_times(depth, start)
    twin = twin_times([as_delta(message) for message in depth], start)
    plain = dict_times([as_delta(message) for message in depth], start)
    return [
        row("apply a recorded depth message", fast, "SortedDict book", twin, "2.5 / 25 us"),
        row("apply a recorded depth message", fast, "dict, min and max", plain, "2.5 / 25 us"),
        row(
            "apply one level",
            fast / np.maximum(levels, 1),
            "SortedDict book",
            twin / np.maximum(levels, 1),
            "0.026 us",
        ),
        replay_row(np.concatenate(messages)),
    ]


def row(
    work: str,
    times: NDArray[np.float64],
    baseline: str,
    baseline_times: NDArray[np.float64],
    budget: str,
) -> dict[str, object]:
    """Describe two arrays of times in microseconds."""
    p50, p99 = np.percentile(times, [50, 99])
    reference = float(np.median(baseline_times))
    return {
        "work": work,
        "p50_us": round(float(p50), 4),
        "p99_us": round(float(p99), 4),
        "baseline": baseline,
        "baseline_us": round(reference, 3),
        "ratio": round(reference / float(p50), 1),
        "budget": budget,
    }


def apply_times(messages: Sequence[Rows], start: int) -> NDArray[np.float64]:
    """Return the median time of each message after the snapshot, called from Python one by one."""
    found = []
    for _ in range(3):
        books = Books(table(ChainRule.LINK))
        for message in messages[:start]:
            books.apply(message)
        found.append([timed(books.apply, message) for message in messages[start:]])
    return np.median(found, axis=0) / 1e3


def as_delta(message: Rows) -> Delta:
    """Return a message as the slow books read it."""
    head = message[0]
    sets = message[message["kind"] == EventKind.BOOK_SET]
    levels = list(zip(*(sets[name].tolist() for name in ("side", "price", "size")), strict=True))
    return Delta(int(head["aux"]), int(head["sequence"]), int(head["link"]), levels)


def twin_times(deltas: Sequence[Delta], start: int) -> NDArray[np.float64]:
    """Return the time of each message after the snapshot in the SortedDict book."""
    book = SlowBook(ChainRule.LINK)
    book.pending.extend(deltas[: start - 1])
    book.take_snapshot(deltas[start - 1])
    return np.array([timed(book.take_delta, delta) for delta in deltas[start:]]) / 1e3


def dict_times(deltas: Sequence[Delta], start: int) -> NDArray[np.float64]:
    """Return the time of each message in two dicts whose ends are searched at its end."""
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}

    def apply(delta: Delta) -> tuple[int, int]:
        for side, price, size in delta.levels:
            book = bids if side > 0 else asks
            if size:
                book[price] = size
            else:
                book.pop(price, None)
        return max(bids), min(asks)

    for delta in deltas[start - 1 : start]:
        apply(delta)
    return np.array([timed(apply, delta) for delta in deltas[start:]]) / 1e3


def timed(function: Callable[..., object], argument: object) -> int:
    """Return the ns of one call."""
    before = time.perf_counter_ns()
    function(argument)
    return time.perf_counter_ns() - before


def replay_row(events: Rows) -> dict[str, object]:
    """Measure all events of the recording in one call, books laid out beforehand."""
    grown = Books(table(ChainRule.LINK))
    grown.apply(events)
    times = []
    for _ in range(REPEATS):
        grown.rows["state"] = grown.rows["held"] = grown.rows["pending_used"] = 0
        grown.rows["ranged"] = grown.rows["bridged"] = 0
        times.append(timed(grown.apply, events) / 1e3 / events.size)
    p50, p99 = np.percentile(times, [50, 99])
    reference = 1e6 / HFTBACKTEST_EVENTS
    return {
        "work": f"replay {events.size} events, book only ({1 / min(times):.0f} M events/s at best)",
        "p50_us": round(float(p50), 5),
        "p99_us": round(float(p99), 5),
        "baseline": "hftbacktest 2.4.4, ROI vector, as measured for architecture §7",
        "baseline_us": round(reference, 5),
        "ratio": round(reference / float(p50), 1),
        "budget": "0.0125 us",
    }
