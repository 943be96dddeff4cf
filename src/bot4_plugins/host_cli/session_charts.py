"""The plots of a session's report."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.decisions import BreakerEffect
from bot4_core.session.report import SessionReport
from bot4_core.session.series import SessionSeries
from bot4_plugins.host_cli.report_page import Figure, render

__all__ = ["session_page"]

BUY_COLOUR, SELL_COLOUR, TRIP_COLOUR = "#0b7a75", "#b44c43", "#7b2d8b"


def moments(times: Iterable[int]) -> list[str]:
    """Write UTC nanoseconds as Plotly reads them, to the microsecond."""
    return [
        datetime.fromtimestamp(time // 1000 / 1e6, UTC).isoformat(" ", "microseconds")[:-6]
        for time in times
    ]


def numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Write numbers as JSON has them: NaN and infinities become gaps."""
    return [value if isfinite(value) else None for value in values.tolist()]


def line(name: str, x: Sequence[str], y: NDArray[np.float64], **more: object) -> dict[str, object]:
    """Return one stepped line."""
    shape = {"shape": "hv", "width": 1.5}
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": numbers(y)} | {
        "line": shape,
        **more,
    }


def equity(series: SessionSeries, x: Sequence[str], asset: str) -> Figure:
    """Plot the account's value."""
    return Figure(
        title="Equity",
        note=f"Cash and holdings at the mid, in {asset}, fees paid.",
        traces=[line("equity", x, series.equity)],
    )


def inventory(series: SessionSeries, x: Sequence[str]) -> Figure:
    """Plot what was held."""
    return Figure(
        title="Inventory",
        note="Signed holdings in base units or contracts; above zero is long.",
        traces=[
            line(symbol, x, series.inventory[:, number])
            for number, symbol in enumerate(series.symbols)
        ],
    )


def fills(series: SessionSeries, x: Sequence[str], number: int) -> Figure:
    """Plot one instrument's mid with our fills on it."""
    traces = [line("mid", x, series.mid[:, number], line={"width": 1, "color": "#7b8794"})]
    for side, name, symbol, colour in (
        (1, "bought", "triangle-up", BUY_COLOUR),
        (-1, "sold", "triangle-down", SELL_COLOUR),
    ):
        own = [fill for fill in series.fills if fill.instrument == number and fill.side == side]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": moments(fill.time for fill in own),
                "y": [fill.price for fill in own],
                "text": [f"{fill.size:g} {'maker' if fill.maker else 'taker'}" for fill in own],
                "marker": {"symbol": symbol, "size": 8, "color": colour},
            }
        )
    return Figure(
        title=f"Fills on the price of {series.symbols[number]}",
        note="Triangles up are purchases, down are sales; hover for size and role.",
        traces=traces,
    )


def spread(series: SessionSeries, x: Sequence[str]) -> Figure:
    """Plot the spread of each book in basis points, so that instruments compare."""
    share = 1e4 * series.spread / series.mid
    return Figure(
        title="Spread",
        note="Best ask less best bid, in basis points of the mid.",
        traces=[line(symbol, x, share[:, number]) for number, symbol in enumerate(series.symbols)],
        layout={"yaxis": {"rangemode": "tozero"}},
    )


def latency(series: SessionSeries) -> Figure:
    """Plot how long steps took on this machine."""
    bins = [f"{bound:,.3g}" for bound in series.latency_bounds.tolist()]
    return Figure(
        title="Time of a step",
        note="From a message's events to its effects, by upper end of the bin in microseconds.",
        traces=[{"type": "bar", "x": bins, "y": series.latency_counts.tolist()}],
        layout={
            "xaxis": {"type": "category", "title": {"text": "µs"}},
            "yaxis": {"type": "log", "title": {"text": "steps"}},
        },
    )


def breakers(series: SessionSeries, x: Sequence[str]) -> Figure:
    """Plot when breakers tripped and were re-armed."""
    span = {"type": "scatter", "mode": "lines", "x": [*x[:1], *x[-1:]], "showlegend": False}
    rows = sorted({f"{trip.breaker} {series.symbols[trip.instrument]}" for trip in series.trips})
    marks = {
        "type": "scatter",
        "mode": "markers+text",
        "x": moments(trip.time for trip in series.trips),
        "y": [f"{trip.breaker} {series.symbols[trip.instrument]}" for trip in series.trips],
        "text": [BreakerEffect(trip.effect).name.lower() for trip in series.trips],
        "hovertext": [trip.reason for trip in series.trips],
        "textposition": "middle right",
        "marker": {"size": 11, "symbol": "x", "color": TRIP_COLOUR},
        "showlegend": False,
    }
    lines = [{**span, "y": [row, row], "line": {"color": "#cbd2d9"}} for row in rows]
    return Figure(
        title="Breakers",
        note="Each cross is a trip, with its effect." if rows else "No breaker tripped.",
        traces=[*lines, marks],
        layout={"yaxis": {"type": "category"}, "margin": {"l": 190, "r": 90, "t": 10, "b": 40}},
    )


def session_page(report: SessionReport, title: str) -> str:
    """Write the report of a session as one HTML page."""
    result, timing = report.pnl, report.timing
    tables = [
        (
            "Result",
            [
                ("realised", f"{result.realised} {result.asset}"),
                ("unrealised", f"{result.unrealised} {result.asset}"),
                ("fees", f"{result.fees} {result.asset}"),
                ("funding", f"{result.funding} {result.asset}"),
                ("net", f"{result.net} {result.asset}"),
                ("equity", f"{result.equity} {result.asset}"),
            ],
        ),
        (
            "Session",
            [
                ("mode", report.mode),
                ("messages", f"{report.messages:,}"),
                ("events", f"{report.events:,}"),
                ("decisions", f"{report.decisions:,}"),
                ("fills", f"{report.fills:,}"),
                ("kept back by the gate", f"{report.refusals:,}"),
                ("messages a second", f"{timing.messages_per_s:,.0f}"),
            ],
        ),
        ("Orders", [(status, f"{count:,}") for status, count in report.orders.items()]),
        (
            "Positions",
            [
                (symbol, f"{held.size} at {held.average_price or '-'}, {held.fills:,} fills")
                for symbol, held in report.positions.items()
            ],
        ),
        (
            "Evidence",
            [
                ("digest", report.digest),
                ("audit log", report.audit.path),
                ("audit head", report.audit.head),
            ],
        ),
    ]
    series = report.series
    figures: list[Figure] = []
    if series is not None and len(series.time):
        x = moments(series.time.tolist())
        figures = [
            equity(series, x, result.asset),
            inventory(series, x),
            *(fills(series, x, number) for number in range(len(series.symbols))),
            spread(series, x),
            latency(series),
            breakers(series, x),
        ]
    return render(title, tables, figures)
