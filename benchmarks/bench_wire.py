"""Wire bytes to event records: one message at a time from Python, and blocks of messages.

Each message is timed several times and counts with its median, so that the percentiles are over
messages. Baselines of the same run: a typed msgspec decode that leaves numbers as text, the
standard library's ``json.loads``, and ccxt's own parsing of the same bytes (JSON, then its
handler; its order-book row includes applying the levels to its book).
"""

import importlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.recordings import open_messages
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

FILE = "binance/usdm_btcusdt_20240808.gz"
REPEATS = 5
MOST = 3_000  # messages of one kind
RECEIVED = Nanoseconds(1_723_161_255_030_314_667)

Times = NDArray[np.float64]
Decode = Callable[[bytes], object]


class DepthData(msgspec.Struct):
    s: str
    U: int
    u: int
    pu: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class TradeData(msgspec.Struct):
    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool


class QuoteData(msgspec.Struct):
    s: str
    u: int
    b: str
    B: str
    a: str
    A: str


class Depth(msgspec.Struct):
    data: DepthData


class Trade(msgspec.Struct):
    data: TradeData


class Quote(msgspec.Struct):
    data: QuoteData


def rows(recordings: Path) -> list[dict[str, object]]:
    """Return what was measured, one dict a row."""
    exchange = BinanceExchange(BinanceSettings(market="usdm"))
    messages = recorded(recordings / FILE, exchange)
    batch = EventBatch(1 << 14)

    depth = [data for data in messages if b'"depthUpdate"' in data]
    trades = [data for data in messages if b'"e":"trade"' in data][:MOST]
    quotes = [data for data in messages if b'"bookTicker"' in data][:MOST]
    one = [single_level(data) for data in depth[:1_000] if b'"b":[]' not in data]
    found = [
        *compare(
            "bytes -> records, depth message", depth[:MOST], exchange, batch, Depth, "1.5 us p50"
        ),
        *compare("bytes -> records, depth of one level", one, exchange, batch, Depth, "0.7 us"),
        *compare("bytes -> records, trade", trades, exchange, batch, Trade, "1 us"),
        *compare("bytes -> records, bookTicker", quotes, exchange, batch, Quote, "1 us"),
    ]
    return [*found, block_row(recordings / FILE)]


def recorded(path: Path, exchange: BinanceExchange) -> list[bytes]:
    """Return the messages of a recording; the adapter has seen them all."""
    messages: list[bytes] = []
    batch = EventBatch()
    for block in open_messages(path).blocks():
        for number in range(len(block)):
            messages.append(block.message(number))
            batch.clear()
            exchange.decode(messages[-1], RECEIVED, batch)
    return messages


def single_level(data: bytes) -> bytes:
    """Cut a depth message down to its first bid."""
    content = json.loads(data)
    content["data"]["b"], content["data"]["a"] = content["data"]["b"][:1], []
    return json.dumps(content, separators=(",", ":")).encode()


def compare(
    work: str,
    messages: Sequence[bytes],
    exchange: BinanceExchange,
    batch: EventBatch,
    kind: type[Any],
    budget: str,
) -> list[dict[str, object]]:
    """Time all decoders on the same messages, one after the other on each."""
    peers: dict[str, Decode] = {
        "msgspec, typed, numbers as text": msgspec.json.Decoder(kind).decode,
        "json.loads": json.loads,
    }
    if kind is not Quote:
        peers["ccxt.pro handler"] = ccxt_handler(kind)
    times = times_of(messages, exchange, batch, list(peers.values()))
    return [
        row(f"{work} ({len(messages)} messages)", times[:, 0], name, times[:, place], budget)
        for place, name in enumerate(peers, 1)
    ]


def ccxt_handler(kind: type[Any]) -> Decode:
    """Return what ccxt does with one message once it has been received."""
    venue = importlib.import_module("ccxt.pro").binanceusdm()
    if kind is Trade:
        market = venue.safe_market("BTCUSDT")
        return lambda data: venue.parse_ws_trade(json.loads(data)["data"], market)
    book = venue.order_book({}, 1000)
    return lambda data: venue.handle_order_book_message(None, json.loads(data)["data"], book)


def times_of(
    messages: Sequence[bytes],
    exchange: BinanceExchange,
    batch: EventBatch,
    peers: Sequence[Decode],
) -> Times:
    """Return the median time of each message (rows), ours first, in microseconds."""
    clock = time.perf_counter_ns
    decode = exchange.decode
    found = np.empty((len(messages), 1 + len(peers)))
    for at, data in enumerate(messages):
        spans = []
        for _ in range(REPEATS):
            batch.count = 0
            before = clock()
            decode(data, RECEIVED, batch)
            spans.append(clock() - before)
        found[at, 0] = sorted(spans)[REPEATS // 2]
        for place, peer in enumerate(peers, 1):
            spans = []
            for _ in range(REPEATS):
                before = clock()
                peer(data)
                spans.append(clock() - before)
            found[at, place] = sorted(spans)[REPEATS // 2]
    return found / 1e3


def row(
    work: str, times: Times, baseline: str, baseline_times: Times, budget: str
) -> dict[str, object]:
    """Describe two arrays of times in microseconds."""
    p50, p99 = np.percentile(times, [50, 99])
    reference = float(np.median(baseline_times))
    return {
        "work": work,
        "p50_us": round(float(p50), 3),
        "p99_us": round(float(p99), 3),
        "baseline": baseline,
        "baseline_us": round(reference, 3),
        "ratio": round(reference / float(p50), 1),
        "budget": budget,
    }


def block_row(path: Path) -> dict[str, object]:
    """Time whole blocks, decompressed beforehand; the baseline reads them with json.loads."""
    exchange = BinanceExchange(BinanceSettings(market="usdm"))
    blocks = list(open_messages(path).blocks())
    batch = EventBatch(1 << 20)
    spans, sizes = [], []
    for _ in range(REPEATS):
        for block in blocks:
            parts = (block.buffer, block.starts, block.stops, block.received)
            first = 0
            before = time.perf_counter_ns()
            while first < len(block):
                batch.clear()
                first = exchange.decode_block(*parts, batch, first)
            spans.append((time.perf_counter_ns() - before) / 1e3 / len(block))
            sizes.append(len(block))
    peer = []
    for number in range(0, len(blocks[0]), 10):
        data = blocks[0].message(number)
        before = time.perf_counter_ns()
        json.loads(data)
        peer.append((time.perf_counter_ns() - before) / 1e3)
    total = sum(sizes) // REPEATS
    return row(
        f"block of messages -> records, each of {total}",
        np.array(spans[len(blocks) :]),
        "json.loads (mean)",
        np.array([sum(peer) / len(peer)]),
        "0.67 us (1.5 M messages/s)",
    )


def main() -> None:
    """Print the rows."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    for found in rows(folder):
        print(found)


if __name__ == "__main__":
    main()
