"""Order books: recorded depth messages from bytes or records, and a recording in one call.

"bytes -> LIVE book" is the path of a live session: one message at a time from Python, decoded and
applied, on a book as deep as the recording made it. Its baselines of the same run do the same
from the same bytes: ccxt's own handler, and a typed msgspec decode that feeds a ``SortedDict``
book. The other rows begin with records; their baselines, the ``SortedDict`` book of the tests and
two plain dicts, get the levels as tuples, so that they pay for no decoding either.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from sortedcontainers import SortedDict
from tests.reference.book_records import decode_files, table
from tests.reference.book_twin import Delta, SlowBook

from benchmarks.bench_replay import factory, known_instruments
from benchmarks.bench_wire import RECEIVED, Depth, ccxt_handler, recorded
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import BookState, ChainRule, EventKind
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.order_book import Books

FILE = "binance/usdm_btcusdt_20240808.gz"
EXPONENTS = (-2, -3)
REPEATS = 25
HFTBACKTEST_EVENTS = 22e6  # a second, book only, its ROI vector, measured earlier
PASSES = 3
FAR_BID = ["60000.00", "1.000"]
SNAPSHOT = b'"lastUpdateId"'
PEERS = {  # p50 in us, measured earlier: none of them is installed here
    "ccxt.pro (p99 391)": 36.0,
    "cryptofeed 2.4 (p99 539)": 37.0,
    "nautilus_trader (p99 2500)": 167.0,
}
LEVEL_PEERS = {"cryptofeed 2.4": 3.2, "nautilus_trader": 6.4, "ccxt.pro": 8.8}
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
        *bytes_rows(recordings / FILE),
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


def bytes_rows(path: Path) -> list[dict[str, object]]:
    """Measure the way from bytes to a LIVE book, and the same for messages of one level."""
    instruments = known_instruments(path)
    whole = recorded(path, factory(instruments))
    cut = [one_bid(data) if is_depth(data) else data for data in whole]
    cases = (
        ("depth message", whole, "2.5 / 25 us", PEERS),
        ("depth message of one level", cut, "1.2 us", LEVEL_PEERS),
    )
    found = []
    for work, messages, budget, peers in cases:
        ours = np.median([live_times(messages, instruments) for _ in range(PASSES)], axis=0)
        depth = [data for data in messages[after_snapshot(messages) :] if is_depth(data)]
        baselines = {
            "ccxt.pro handler": times_of(ccxt_handler(Depth), depth),
            "msgspec, SortedDict book": times_of(typed_handler(), depth),
            **{f"{name}, measured earlier": np.array([us]) for name, us in peers.items()},
        }
        name = f"bytes -> LIVE book, {work} ({len(depth)} messages)"
        found += [row(name, ours, *baseline, budget) for baseline in baselines.items()]
    return found


def is_depth(data: bytes) -> bool:
    """Say whether a message is a book update."""
    return b'"depthUpdate"' in data


def after_snapshot(messages: Sequence[bytes]) -> int:
    """Return the number of the first message after the snapshot."""
    return next(n for n, data in enumerate(messages, 1) if SNAPSHOT in data)


def live_times(messages: Sequence[bytes], instruments: Sequence[Instrument]) -> NDArray[np.float64]:
    """Return the microseconds of each depth message after the snapshot.

    All messages of the recording pass one by one, in their order, and the book stays LIVE.
    """
    begin = after_snapshot(messages)
    exchange, batch = factory(instruments), EventBatch(1 << 14)
    books = Books(exchange.table)
    found = []
    for number, data in enumerate(messages):
        batch.clear()
        before = time.perf_counter_ns()
        exchange.decode_into(data, RECEIVED, batch, books)
        taken = time.perf_counter_ns() - before
        if number >= begin and is_depth(data):
            found.append(taken)
    if books[0].state is not BookState.LIVE:
        raise RuntimeError("the book is not LIVE at the end")
    return np.array(found) / 1e3


def one_bid(data: bytes) -> bytes:
    """Cut a depth message down to its worst bid; one without bids gets a level far away."""
    content = json.loads(data)
    content["data"]["b"] = content["data"]["b"][:1] or [FAR_BID]
    content["data"]["a"] = []
    return json.dumps(content, separators=(",", ":")).encode()


def times_of(handle: Callable[[bytes], object], messages: Sequence[bytes]) -> NDArray[np.float64]:
    """Return the microseconds of each message."""
    return np.array([timed(handle, data) for data in messages]) / 1e3


def typed_handler() -> Callable[[bytes], object]:
    """Return a typed msgspec decode that feeds two sorted dicts of exact integers."""
    decode = msgspec.json.Decoder(Depth).decode
    bids: SortedDict[int, int] = SortedDict()
    asks: SortedDict[int, int] = SortedDict()

    def handle(data: bytes) -> object:
        message = decode(data).data
        for book, levels in ((bids, message.b), (asks, message.a)):
            for price_text, size_text in levels:  # the recording spells all its decimals
                price, size = int(price_text.replace(".", "")), int(size_text.replace(".", ""))
                if size:
                    book[price] = size
                else:
                    book.pop(price, None)
        return bids.peekitem(-1) if bids else None, asks.peekitem(0) if asks else None

    return handle


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
        "baseline": "hftbacktest 2.4.4, ROI vector, measured earlier",
        "baseline_us": round(reference, 5),
        "ratio": round(reference / float(p50), 1),
        "budget": "0.0125 us",
    }
