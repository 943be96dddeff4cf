"""The plots of a session's report."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.decisions import BreakerEffect
from bot4_core.session.series import SessionSeries, TripMark
from bot4_plugins.host_cli.report_page import Figure

__all__ = ["session_figures"]

BUY_COLOUR, SELL_COLOUR, TRIP_COLOUR, MID_COLOUR = "#0b7a75", "#c2410c", "#7b2d8b", "#9aa5b1"
TIMELINE, ROW = 110, 60
"""Pixels of a timeline without rows, and of each row."""
LINES: Final = ("#2563a8", "#d97706", "#0b7a75", "#9b2c5e", "#5b6b1f", "#6b4fa0")


def session_figures(series: SessionSeries | None, asset: str) -> list[Figure]:
    """Return all plots of a session, none without samples."""
    if series is None or not len(series.time):
        return []
    x = moments(series.time.tolist())
    instruments = range(len(series.symbols))
    return [
        equity(series, x, asset),
        *(fills(series, x, number) for number in instruments),
        *inventories(series, x),
        spread(series, x),
        latency(series),
        breakers(series, x),
    ]


def moments(times: Iterable[int]) -> list[str]:
    """Write UTC nanoseconds as Plotly reads them, to the microsecond."""
    return [
        datetime.fromtimestamp(time // 1000 / 1e6, UTC).isoformat(" ", "microseconds")[:-6]
        for time in times
    ]


def numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Write numbers as JSON has them: NaN and infinities become gaps."""
    return [value if isfinite(value) else None for value in values.tolist()]


def line(
    name: str, x: Sequence[str], y: NDArray[np.float64], colour: str, width: float = 1.5
) -> dict[str, object]:
    """Return one stepped line."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": numbers(y),
        "line": {"shape": "hv", "width": width, "color": colour},
    }


def time_axis(x: Sequence[str]) -> dict[str, object]:
    """Return an axis that spans the whole session, the same for every plot."""
    return {"title": {"text": "UTC"}, "hoverformat": "%H:%M:%S.%L", "range": [x[0], x[-1]]}


def timed(unit: str, x: Sequence[str], **more: object) -> dict[str, dict[str, object]]:
    """Return the layout of values over time; numbers are written out, not as 60k."""
    axis = {"title": {"text": unit}, "tickformat": ",", "hoverformat": ",", **more}
    return {"xaxis": time_axis(x), "yaxis": axis}


def equity(series: SessionSeries, x: Sequence[str], asset: str) -> Figure:
    """Plot the account's value."""
    return Figure(
        title="Equity",
        note="Cash and holdings at the mid, after fees.",
        traces=[line("equity", x, series.equity, LINES[0])],
        layout=timed(asset, x),
    )


def fills(series: SessionSeries, x: Sequence[str], number: int) -> Figure:
    """Plot one instrument's mid with our fills on it."""
    traces = [line("mid", x, series.mid[:, number], MID_COLOUR, 1.0)]
    marks = [fill for fill in series.fills if fill.instrument == number]
    for side, name, symbol, colour in (
        (1, "bought", "triangle-up", BUY_COLOUR),
        (-1, "sold", "triangle-down", SELL_COLOUR),
    ):
        own = [fill for fill in marks if fill.side == side]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": f"{name} ({len(own):,})",
                "x": moments(fill.time for fill in own),
                "y": [fill.price for fill in own],
                "text": [f"{fill.size:g}, {'maker' if fill.maker else 'taker'}" for fill in own],
                "marker": {"symbol": symbol, "size": 8, "color": colour},
            }
        )
    note = "Triangles up are purchases, down are sales; hover for size and role."
    return Figure(
        title=f"Fills on the price of {series.symbols[number]}",
        note=note if marks else "Nothing was filled here.",
        traces=traces,
        layout=timed("price, quote currency", x),
    )


def inventories(series: SessionSeries, x: Sequence[str]) -> list[Figure]:
    """Plot what was held, each instrument on its own scale; one empty plot if nothing was."""
    layout = timed("units or contracts", x, zeroline=True, zerolinecolor="#9aa5b1")
    figures = []
    for number, symbol in enumerate(series.symbols):
        held = series.inventory[:, number]
        if not np.any(held):
            continue
        colour = LINES[number % len(LINES)]
        area = {"fill": "tozeroy", "fillcolor": f"{colour}30"}
        figures.append(
            Figure(
                title=f"Inventory of {symbol}",
                note="What is held; above zero is long, below is short.",
                traces=[line("held", x, held, colour) | area],
                layout=layout,
            )
        )
    nothing = [line("held", x, np.zeros(len(x)), MID_COLOUR)]
    empty = Figure(title="Inventory", note="Nothing was held.", traces=nothing, layout=layout)
    return figures or [empty]


def spread(series: SessionSeries, x: Sequence[str]) -> Figure:
    """Plot the spread of each book in basis points, so that instruments compare."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1e4 * series.spread / series.mid
    return Figure(
        title="Spread",
        note="Best ask less best bid, in basis points of the mid.",
        traces=[
            line(symbol, x, share[:, number], LINES[number % len(LINES)], 1.0)
            for number, symbol in enumerate(series.symbols)
        ],
        layout=timed("bp", x, rangemode="tozero"),
    )


def latency(series: SessionSeries) -> Figure:
    """Plot how long steps took on this machine."""
    ends = series.latency_bounds
    first = np.diff(ends)[:1] if len(ends) > 1 else ends / 10.0
    starts = np.append(ends[:1] - first, ends[:-1])
    middles, widths = (starts + ends) / 2, ends - starts
    texts = [f"up to {end:,.4g} µs" for end in ends.tolist()]
    return Figure(
        title="Time of a step",
        note="From a message's events to its effects, durable audit not included.",
        traces=[
            {
                "type": "bar",
                "x": middles.tolist(),
                "y": series.latency_counts.tolist(),
                "width": widths.tolist(),
                "hovertext": texts,
                "hovertemplate": "%{hovertext}: %{y:,} steps<extra></extra>",
                "marker": {"color": LINES[0]},
            }
        ],
        layout={
            "xaxis": {"type": "log", "title": {"text": "µs"}, "tickformat": ",", "dtick": 1},
            "yaxis": {"type": "log", "title": {"text": "steps"}, "tickformat": ",", "dtick": 1},
        },
    )


def breakers(series: SessionSeries, x: Sequence[str]) -> Figure:
    """Plot when breakers tripped and were re-armed."""

    def row(trip: TripMark) -> str:
        return f"{trip.breaker}, {series.symbols[trip.instrument]}"

    rows = sorted({row(trip) for trip in series.trips})
    span = {"type": "scatter", "mode": "lines", "x": [*x[:1], *x[-1:]], "showlegend": False}
    lines = [
        {**span, "y": [name, name], "line": {"color": "#cbd2d9"}, "hoverinfo": "skip"}
        for name in rows
    ]
    marks = {
        "type": "scatter",
        "mode": "markers+text",
        "x": moments(trip.time for trip in series.trips),
        "y": [row(trip) for trip in series.trips],
        "text": [effect_name(trip.effect) for trip in series.trips],
        "hovertext": [trip.reason for trip in series.trips],
        "textposition": "top center",
        "marker": {"size": 11, "symbol": "x", "color": TRIP_COLOUR},
        "showlegend": False,
    }
    return Figure(
        title="Breakers",
        note="Each cross is a trip, with its effect." if rows else "No breaker tripped.",
        traces=[*lines, marks] if rows else [{**span, "y": [0, 0], "line": {"color": "#cbd2d9"}}],
        layout={
            "xaxis": time_axis(x),
            "yaxis": {"type": "category"} if rows else {"visible": False},
        },
        height=TIMELINE + ROW * len(rows),
    )


def effect_name(effect: int) -> str:
    """Name what a trip did; 0 is a re-arm."""
    return BreakerEffect(effect).name.lower().replace("_", " ") if effect else "re-armed"
