"""How much memory a long session of many instruments needs.

``python -m benchmarks.session_memory`` writes a recording of 10 million events of 100 instruments,
piece by piece: the beginning of a real one, whose every message comes once for each instrument, a
nanosecond apart. Then plays it in a process of its own, with the strategy, the breaker and the
audit log of ``examples/``, and prints the most memory that this process had resident, pages of the
recording included. The exit code is 1 if that is 500 MB or more. The recording takes 650 MB in the
folder for temporary files.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import attrs
import numpy as np

from benchmarks.peers.same_events import CONFIG, FILE
from bot4_core import PluginHost, SessionConfig
from bot4_core.domain_types.canonical_types import Symbol
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import EventFlag, Records
from bot4_core.market.recordings import (
    RecordingClock,
    RecordingCounts,
    RecordingHeader,
    RecordingWriter,
)
from bot4_core.session.config import AccountConfig, AuditConfig, DriverChoice, SourceConfig
from bot4_core.session.event_stream import ReadingOptions, open_files, open_stream
from bot4_core.session.ports import RunProgress
from bot4_core.session.runner import run
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

INSTRUMENTS = 100
EVENTS = 10_000_000
APART = 1  # ns between the copies of a message
MOST_MB = 500
PIECE = 16_384
LAST = int(EventFlag.LAST)
RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data"


def instruments(count: int) -> tuple[Instrument, ...]:
    """Return instruments that differ in their names alone."""
    first = SessionConfig.read(CONFIG).instruments[0]
    return tuple(
        attrs.evolve(first, symbol=Symbol(f"C{number:03}USDT"), base=f"C{number:03}")
        for number in range(count)
    )


def messages(path: Path) -> Iterator[Records]:
    """Yield the messages of a real recording, one by one."""
    instrument = SessionConfig.read(CONFIG).instruments[0]
    exchange = BinanceExchange(BinanceSettings(market="usdm"), (instrument,))
    options = ReadingOptions()
    for batch in open_stream(open_files([path], options), exchange, options).batches():
        stops = (np.flatnonzero(batch["flags"] & LAST) + 1).tolist()
        for start, stop in itertools.pairwise([0, *stops]):
            yield batch[start:stop].copy()


def pieces(path: Path, count: int, events: int) -> Iterator[Records]:
    """Yield the recording to be written."""
    waiting: list[Records] = []
    gathered = written = 0
    for message in messages(path):
        copies: Records = np.tile(message, count)
        number = np.repeat(np.arange(count), len(message))
        copies["instrument"] = number
        copies["received"] += number * APART
        waiting.append(copies)
        gathered += len(copies)
        if gathered >= PIECE:
            yield np.concatenate(waiting)
            written, gathered = written + gathered, 0
            waiting.clear()
        if written >= events:
            return


def write_recording(source: Path, target: Path, count: int, events: int) -> int:
    """Write the recording; return how many events it holds."""
    header = RecordingHeader(
        venue="binance", market="usdm", clock=RecordingClock.RECEIVE, tool="session_memory"
    )
    total = 0
    with RecordingWriter(target, header) as writer:
        for piece in pieces(source, count, events):
            writer.add_events(piece)
            total += len(piece)
            writer.commit(RecordingCounts(events=total), instruments(count))
        writer.finish()
    return total


def resident() -> tuple[float, float]:
    """Return what is resident now and what was at most, MB."""
    text = Path("/proc/self/status").read_text()
    lines = dict(line.split(":\t") for line in text.splitlines() if ":\t" in line)
    now, most = (int(lines[name].split()[0]) / 1e3 for name in ("VmRSS", "VmHWM"))
    return now, most


def play(folder: Path, count: int, driver: str) -> float:
    """Play the recording in this process; return the most memory it had resident, MB."""
    config = SessionConfig.read(CONFIG)
    config = attrs.evolve(
        config,
        venue=attrs.evolve(config.venue, symbols=()),
        account=AccountConfig(asset="USDT", cash=Decimal(100_000_000)),
        instruments=instruments(count),
        source=SourceConfig(recordings=(folder / "many.b4r",)),
        audit=AuditConfig(path=folder / "many.audit.sqlite", durable="normal"),
        report=Path(),
        driver=DriverChoice(driver),
    )
    shown = 0.0

    def tell(progress: RunProgress) -> None:
        nonlocal shown
        if progress.stage == "run" and progress.share >= shown:
            print(f"{progress.share:5.0%} of the recording, {resident()[0]:,.0f} MB", flush=True)
            shown += 0.1

    report = run(config, PluginHost.installed(), time, progress=tell)
    now, most = resident()
    orders = sum(report.orders.values())
    print(
        f"{report.events:,} events of {count} instruments, {report.messages:,} messages, "
        f"{orders:,} orders, {report.fills:,} fills, {report.audit.records:,} audit records, "
        f"{report.timing.driver} in {report.timing.wall_s:.0f} s: {now:,.0f} MB at the end, "
        f"at most {most:,.0f} MB"
    )
    return most


def main() -> int:
    """Write and play; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instruments", type=int, default=INSTRUMENTS)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--driver", default="auto")
    parser.add_argument("--folder", type=Path, help="holds a recording that was written earlier")
    parser.add_argument(
        "--recordings", type=Path, default=Path(os.environ.get("BOT4_RECORDINGS", RECORDINGS))
    )
    options = parser.parse_args()
    if options.folder is not None:
        most = play(options.folder, options.instruments, options.driver)
        return 0 if most < MOST_MB else 1
    with tempfile.TemporaryDirectory() as folder:
        source, target = options.recordings / FILE, Path(folder) / "many.b4r"
        total = write_recording(source, target, options.instruments, options.events)
        print(f"{total:,} events written, {target.stat().st_size / 1e6:,.0f} MB")
        again = ["--folder", folder, "--instruments", str(options.instruments)]
        command = [sys.executable, "-m", "benchmarks.session_memory", *again]
        return subprocess.run([*command, "--driver", options.driver], check=False).returncode  # noqa: S603 - our own script


if __name__ == "__main__":
    sys.exit(main())
