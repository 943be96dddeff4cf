"""Simulated matching: a market message through the paper venue, and the simulated venue itself.

The baseline of the paper venue is the slow twin of its tests. The baseline of the simulated venue
is the wish of 100,000 messages a second.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from tests.core.session.paper_market import Market, intent, trade
from tests.reference.book_records import book_message

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import Side
from bot4_core.market.event_batch import EventBatch
from bot4_plugins.exchange_sim.adapter import SimExchange
from bot4_plugins.exchange_sim.settings import SimSettings

ROUNDS = 20_000
WANTED_PER_SECOND = 100_000


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Return median and 99th percentile of one call, in microseconds."""
    spans = np.empty(rounds)
    for at in range(rounds):
        begin = time.perf_counter_ns()
        work()
        spans[at] = time.perf_counter_ns() - begin
    p50, p99 = np.quantile(spans[rounds // 10 :], [0.5, 0.99]) / 1e3
    return float(p50), float(p99)


def quoted_market() -> Market:
    """Return a market with one working order a side."""
    market = Market()
    market.set_book(
        {1_000 - level: 50 for level in range(100)}, {1_002 + level: 50 for level in range(100)}
    )
    for number, (side, price) in enumerate([(Side.BUY, 1_000), (Side.SELL, 1_002)], 1):
        market.place(number, side=side, price=price, size=10**9)
    return market


def paper_rows() -> Iterator[dict[str, object]]:
    """Measure one message with an order on each side of the book."""
    market = quoted_market()
    venue, twin = market.venue, market.twin
    levels = [(Side.BUY, 950 - level, 7) for level in range(62)]
    messages = {
        "trade at our price": trade(Side.SELL, 1_000, 1),
        "book message, 62 levels": book_message(levels, last=2),
    }
    slow = (
        lambda: twin.trade(2, 0, int(Side.SELL), 1_000, 1),
        lambda: twin.refresh(2, 0),
    )
    for (name, records), peer in zip(messages.items(), slow, strict=True):
        p50, p99 = timed(partial(venue.on_market, records, 0, len(records), 2))
        baseline, _ = timed(peer, 2_000)
        yield {
            "work": f"paper venue: {name}",
            "p50_us": p50,
            "p99_us": p99,
            "baseline": "slow twin",
            "baseline_us": baseline,
            "ratio": baseline / p50,
        }


def request_row() -> dict[str, object]:
    """Measure placing and cancelling one order, answers included."""
    market = quoted_market()
    venue = market.venue
    row = intent(9, price=999)

    def work() -> None:
        venue.place(row)
        venue.cancel(9, 2)
        venue.due(2)

    p50, p99 = timed(work)
    return {"work": "paper venue: place, cancel, two answers", "p50_us": p50, "p99_us": p99}


def venue_rows() -> Iterator[dict[str, object]]:
    """Measure a minute of all instruments, made and decoded message by message."""
    exchange = SimExchange(SimSettings())
    for name, step in (("steps of 5 ms", 5_000_000), ("steps of 100 ms", 100_000_000)):
        venue = exchange.open_venue()
        venue.receive(exchange.connect()[0].body, venue.now)
        venue.step(venue.now + 1_000_000_000)
        begin = time.perf_counter()
        messages = []
        for _ in range(60_000_000_000 // step):
            messages += venue.step(venue.now + step)
        span = (time.perf_counter() - begin) / len(messages) * 1e6
        yield {
            "work": f"simulated venue: one message, {name}",
            "p50_us": span,
            "baseline": "100,000 a second",
            "baseline_us": 1e6 / WANTED_PER_SECOND,
            "ratio": 1e6 / WANTED_PER_SECOND / span,
        }
    batch = EventBatch(1 << 16)
    begin = time.perf_counter()
    for received, data in messages:
        batch.clear()
        exchange.decode(data, Nanoseconds(received), batch)
    span = (time.perf_counter() - begin) / len(messages) * 1e6
    begin = time.perf_counter()
    for _, data in messages:
        json.loads(data)
    baseline = (time.perf_counter() - begin) / len(messages) * 1e6
    yield {
        "work": "simulated venue: decode one message",
        "p50_us": span,
        "baseline": "json.loads alone",
        "baseline_us": baseline,
        "ratio": baseline / span,
    }


def rows(recordings: Path) -> list[dict[str, object]]:
    """Return the table's rows; no recording is needed."""
    del recordings
    return [*paper_rows(), request_row(), *venue_rows()]
