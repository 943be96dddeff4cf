"""Raw recordings to events, and whole replays.

A run's time is divided by its messages; p50 and p99 are over runs of the whole file, which starts
with opening it, takes in inflating, splitting, decoding and ordering by time, and ends with the
last event. Nothing is compiled meanwhile. Baselines of the same run read the same lines.
"""

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from bot4_core.domain_types.instruments import Instrument
from bot4_core.errors import PrecisionGrew
from bot4_core.session.event_stream import (
    ReadingOptions,
    open_files,
    open_stream,
    recorded_instruments,
    regrown,
)
from bot4_core.session.importing import import_files
from bot4_core.session.replay import replay
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings
from bot4_plugins.host_cli.reading import ISAL

RUNS = 15
HFTBACKTEST_MESSAGES = 0.1e6  # a second, its converter of the same file, measured earlier
SESSION = ("usdm_btcusdt_20240808.gz", "usdm_ethusdt_20240808.gz")
Row = dict[str, object]


def factory(instruments: Sequence[Instrument]) -> BinanceExchange:
    return BinanceExchange(BinanceSettings(market="usdm"), instruments)


def decode(paths: Sequence[Path], options: ReadingOptions, exchange: BinanceExchange) -> int:
    """Read files to their last event and return the number of messages."""
    stream = open_stream(open_files(paths, options), exchange, options)
    for _ in stream.batches():
        pass
    return stream.counts.messages


def known_instruments(path: Path) -> tuple[Instrument, ...]:
    """Find the exponents that a recording needs, which also compiles everything."""
    exchange = factory(())
    while True:
        try:
            decode([path], ReadingOptions(), exchange)
        except PrecisionGrew as grown:
            exchange = factory(regrown(exchange.instruments, grown))
        else:
            return exchange.instruments


def loads_each_line(path: Path, loads: Callable[[bytes], object]) -> int:
    """Decompress with the standard library and parse each line: the baselines."""
    count = 0
    with gzip.open(path, "rb") as file:
        for line in file:
            loads(line[20:])
            count += 1
    return count


def per_message(run: Callable[[], int], runs: int = RUNS) -> tuple[float, float]:
    """Return p50 and p99 of the microseconds a message takes."""
    times = []
    for _ in range(runs):
        start = time.perf_counter_ns()
        messages = run()
        times.append((time.perf_counter_ns() - start) / 1e3 / messages)
    times.sort()
    return statistics.median(times), times[min(len(times) - 1, int(0.99 * len(times)))]


def row(
    work: str, measured: tuple[float, float], baseline: str, baseline_us: float, budget: str = ""
) -> Row:
    p50, p99 = measured
    return {
        "work": work,
        "p50_us": p50,
        "p99_us": p99,
        "messages_per_s": 1e6 / p50,
        "baseline": baseline,
        "baseline_us": baseline_us,
        "ratio": baseline_us / p50,
        "budget": budget,
    }


def rows(recordings: Path) -> list[Row]:
    """Measure on the recorded Binance USD-M session of 2024-08-08."""
    paths = [recordings / "binance" / name for name in SESSION]
    first = paths[:1]
    instruments = known_instruments(paths[0])
    plain, _ = per_message(lambda: loads_each_line(paths[0], json.loads), 3)
    decoder = msgspec.json.Decoder().decode
    quick, _ = per_message(lambda: loads_each_line(paths[0], decoder), 3)
    gzip_json = ("gzip + json.loads a line", plain)
    with ThreadPoolExecutor(2) as executor, tempfile.TemporaryDirectory() as folder:
        ahead = ReadingOptions(executor=executor, gzip=ISAL)
        alone, standard = ReadingOptions(gzip=ISAL), ReadingOptions()
        own = Path(folder) / "session.b4r"
        import_files(first, own, factory, "usdm")
        recorded = recorded_instruments(open_files([own], alone))
        messages = replay(first, factory, time.perf_counter_ns).messages

        def mapped() -> int:
            decode([own], alone, factory(recorded))
            return messages

        def session() -> int:
            return replay(paths, factory, time.perf_counter_ns, options=ahead).messages

        def raw(options: ReadingOptions) -> tuple[float, float]:
            return per_message(lambda: decode(first, options, factory(instruments)))

        work = "raw recording (.gz) to events"
        best = raw(ahead)
        return [
            row(
                f"{work}, isal, one thread ahead",
                best,
                "hftbacktest, measured earlier",
                1e6 / HFTBACKTEST_MESSAGES,
                ">= 1 M messages/s",
            ),
            row(f"{work}, isal, one thread ahead", best, *gzip_json),
            row(f"{work}, isal, one thread ahead", best, "gzip + msgspec a line", quick),
            row(f"{work}, isal, one thread", raw(alone), *gzip_json),
            row(f"{work}, zlib, one thread", raw(standard), *gzip_json),
            row("own recording (.b4r) to events", per_message(mapped), *gzip_json),
            row("replay of two files with books and digest", per_message(session, 3), *gzip_json),
        ]
