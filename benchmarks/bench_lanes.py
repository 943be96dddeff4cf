"""Eight-lane reductions beside reassociated, scalar and numpy ones, and features per message."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.canonical_types import InstrumentId
from bot4_core.domain_types.records import INSTRUMENT_DTYPE, VIEW_DTYPE, BookState
from bot4_core.jit import entry_point, kernel
from bot4_core.kernels import elementary, features, lanes
from bot4_core.market.features import FeatureEngine

Floats = NDArray[np.float64]
ELEMENTS = 4096
CALLS = 2_000
SAMPLES = 60


def scalar_dot(a: Floats, b: Floats) -> float:
    """Add products in order."""
    total = 0.0
    for place in range(len(a)):
        total += a[place] * b[place]
    return total


def repeated(function: Callable[[Floats, Floats], float]) -> Callable[[Floats, Floats, int], float]:
    """Call a dot product many times inside compiled code, so that no call from Python counts."""

    @kernel()
    def repeat(a: Floats, b: Floats, times: int) -> float:
        total = 0.0
        for place in range(times):
            a[place % len(a)] += 1e-12
            total += function(a, b)
        return total

    return repeat


@kernel()
def repeated_exp(x: float, times: int) -> float:
    """Chain a function's values."""
    for _ in range(times):
        x = elementary.exp(x) * 0.3
    return x


@kernel()
def repeated_log(x: float, times: int) -> float:
    """Chain a function's values."""
    for _ in range(times):
        x = elementary.log(x + 2.5)
    return x


def sampled(call: Callable[[], Any], per_call: int) -> tuple[float, float]:
    """Return p50 and p99 in microseconds of one unit of work."""
    call()
    times = []
    for _ in range(SAMPLES):
        start = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - start) / per_call / 1e3)
    cuts = statistics.quantiles(times, n=100)
    return cuts[49], cuts[98]


def row(work: str, call: Callable[[], Any], per_call: int, **more: object) -> dict[str, object]:
    """Measure one row of the table."""
    p50, p99 = sampled(call, per_call)
    return {"work": work, "p50_us": p50, "p99_us": p99, **more}


def dot_rows() -> list[dict[str, object]]:
    """Compare dot products of 4,096 elements."""
    draw = np.random.default_rng(1)
    a, b = draw.normal(size=ELEMENTS), draw.normal(size=ELEMENTS)
    dots = {
        "dot of 4,096, eight lanes": repeated(lanes.dot),
        "dot of 4,096, reassociated": repeated(kernel(reassociate=True)(scalar_dot)),
        "dot of 4,096, scalar": repeated(kernel()(scalar_dot)),
    }
    rows = [row(work, lambda f=f: f(a, b, CALLS), CALLS) for work, f in dots.items()]  # type: ignore[misc]  # f is bound by its default

    def by_numpy() -> None:
        for _ in range(CALLS):
            np.dot(a, b)

    rows.append(row("dot of 4,096, numpy from Python", by_numpy, CALLS))
    ours, *others = rows
    for other in others:
        base = float(str(other["p50_us"]))
        against = {"baseline": other["work"], "baseline_us": base}
        rows.append({**ours, **against, "ratio": base / float(str(ours["p50_us"]))})
    return rows[1:]


def feature_rows() -> list[dict[str, object]]:
    """Measure features: one call a message from Python, and in a compiled loop."""
    table, views = np.zeros(1, INSTRUMENT_DTYPE), np.zeros(1, VIEW_DTYPE)
    views["state"], views["price_unit"], views["size_unit"] = BookState.LIVE, 0.1, 0.001
    views["bid"], views["ask"], views["bid_size"], views["ask_size"] = 600_000, 600_001, 15, 5
    engine = FeatureEngine(table, views)
    many = np.repeat(views, 20_000)
    many["received"] = 10**18 + np.arange(len(many)) * 1_000_000
    many["bid"] += np.arange(len(many)) % 3 - 2
    batch = entry_point(features.update_batch, many, engine.states)
    view, received = views[0], 10**18

    def stream() -> None:
        nonlocal received
        for _ in range(CALLS):
            received += 1_000_000
            view["received"] = received
            engine.update(InstrumentId(0))

    return [
        row("features, one message from Python", stream, CALLS, budget="< 1 us"),
        row("features, in a compiled loop", lambda: batch(many, engine.states), len(many)),
    ]


def rows(recordings: Path) -> list[dict[str, object]]:
    """Return the table's rows; no recording is needed."""
    del recordings
    return [
        *dot_rows(),
        *feature_rows(),
        row("exp, chained", lambda: repeated_exp(0.5, 100_000), 100_000),
        row("log, chained", lambda: repeated_log(0.5, 100_000), 100_000),
    ]
