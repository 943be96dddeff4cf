"""From one process to another and back, half of the time: rings of events and of messages.

Two processes, started from nothing, answer each other; both spin while they wait, as a feed and a
kernel with a processor each would. The baseline of the same run is ``multiprocessing.Pipe`` with
messages of the same 64 bytes, which block.
"""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.records import EVENT_DTYPE
from bot4_core.market.event_ring import EventRing
from bot4_core.market.message_ring import MessageReader, MessageRing

ROUNDS = 20_000
WARM = 1_000
LINES = 1024
SPINS = 10**9
BATCH = 4096
BATCHES = 2_000
BIG_RING = 1 << 16
BYTES = 48  # and two words make one line

Times = NDArray[np.float64]


def no_pause() -> None:
    pass


def echo_events(there: str, back: str, rounds: int) -> None:
    reader, writer = EventRing.attach(there).reader(1), EventRing.attach(back).writer()
    for _ in range(rounds):
        writer.write(reader.read(SPINS))


def echo_messages(there: str, back: str, rounds: int) -> None:
    reader, writer = MessageRing.attach(there).reader(), MessageRing.attach(back).writer()
    for _ in range(rounds):
        writer.send_bytes(received(reader), no_pause)


def received(reader: MessageReader) -> bytes:
    reader.wait(no_pause, SPINS)
    message = reader.take()
    assert message is not None
    return message.data


def echo_pipe(pipe: Connection, rounds: int) -> None:
    for _ in range(rounds):
        pipe.send_bytes(pipe.recv_bytes())


def drain(name: str) -> None:
    with EventRing.attach(name).reader(BATCH) as reader:
        while reader.wait(no_pause):
            reader.read()


def half_rounds(work: Callable[[], None]) -> Times:
    """Return half the time of each round, in microseconds, the first ones left out."""
    clock = time.perf_counter_ns
    spans = np.empty(ROUNDS + WARM)
    for number in range(len(spans)):
        begin = clock()
        work()
        spans[number] = clock() - begin
    return spans[WARM:] / 2e3


def event_times() -> Times:
    with EventRing.create(LINES) as there, EventRing.create(LINES) as back:
        writer, reader = there.writer(), back.reader(1)
        records = np.zeros(1, EVENT_DTYPE)

        def work() -> None:
            writer.write(records)
            reader.read(SPINS)

        with_child(echo_events, there.name, back.name, ROUNDS + WARM)
        return half_rounds(work)


def message_times() -> Times:
    with MessageRing.create(LINES) as there, MessageRing.create(LINES) as back:
        writer, reader = there.writer(), back.reader()
        data = bytes(BYTES)

        def work() -> None:
            writer.send_bytes(data, no_pause)
            received(reader)

        with_child(echo_messages, there.name, back.name, ROUNDS + WARM)
        return half_rounds(work)


def pipe_times() -> Times:
    here, there = multiprocessing.get_context("spawn").Pipe()
    data = bytes(64)

    def work() -> None:
        here.send_bytes(data)
        here.recv_bytes()

    with_child(echo_pipe, there, ROUNDS + WARM)
    return half_rounds(work)


def stream_time() -> float:
    """Return nanoseconds an event, in batches, with both sides at work."""
    with EventRing.create(BIG_RING) as ring, ring.writer() as writer:
        with_child(drain, ring.name)
        records = np.zeros(BATCH, EVENT_DTYPE)
        while not ring.status().reader:
            time.sleep(0.01)
        begin = time.perf_counter_ns()
        for _ in range(BATCHES):
            writer.write_all(records, no_pause)
        return (time.perf_counter_ns() - begin) / (BATCHES * BATCH)


def with_child(work: Callable[..., None], *arguments: object) -> None:
    """Start the other side; it ends by itself."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments, daemon=True)
    process.start()


def rows(recordings: Path) -> list[dict[str, object]]:
    """Return what was measured, one dict a row."""
    pipe = pipe_times()
    baseline = float(np.median(pipe))
    found: list[dict[str, object]] = []
    for work, times, budget in (
        ("event record, one way", event_times(), "1.5 us p50"),
        (f"message of {BYTES} bytes, one way", message_times(), ""),
    ):
        p50, p99 = np.percentile(times, [50, 99])
        found.append(
            {
                "work": work,
                "p50_us": round(float(p50), 3),
                "p99_us": round(float(p99), 3),
                "baseline": "multiprocessing.Pipe, 64 bytes",
                "baseline_us": round(baseline, 3),
                "ratio": round(baseline / float(p50), 1),
                "budget": budget,
            }
        )
    stream = stream_time()
    found.append(
        {
            "work": f"event record, streamed in batches of {BATCH} (mean)",
            "p50_us": round(stream / 1e3, 5),
            "baseline": "multiprocessing.Pipe, 64 bytes",
            "baseline_us": round(baseline, 3),
            "ratio": round(baseline / stream * 1e3, 1),
        }
    )
    return found


def main() -> None:
    """Print the rows."""
    for found in rows(Path()):
        print(found)


if __name__ == "__main__":
    main()
