"""The report: one page that loads nothing, shows every plot, and cannot be written into."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from bot4_core.convert import structure
from bot4_core.session.report import SessionReport
from bot4_core.session.series import FillMark, SessionSeries, TripMark
from bot4_plugins.host_cli.report_files import write_report
from bot4_plugins.host_cli.session_charts import numbers, session_figures
from bot4_plugins.host_cli.session_page import session_page

SECOND = 1_000_000_000
BEGIN = 1_735_689_600 * SECOND
HOSTILE = '</script><img src="https://evil.example/x.png" onerror="alert(1)">'


class Page(HTMLParser):
    """What a page is made of, scripts left out."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.policy = ""
        self.plots: list[str] = []
        self.headings: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        own = dict(attrs)
        self.links += [str(own[name]) for name in ("src", "href", "action", "data") if name in own]
        if own.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(own["content"])
        if own.get("class") == "plot":
            self.plots.append(str(own["id"]))

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["h2"]:
            self.headings.append(data)
        if self.tags[-1:] != ["script"]:
            self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append("/" + tag)


def series(symbols: Sequence[str], *, held: bool = True) -> SessionSeries:
    """Return ten samples with a fill and a trip on the first instrument."""
    count = len(symbols)
    mid = np.linspace(100.0, 101.0, 10 * count).reshape(10, count)
    mid[3] = np.nan
    inventory = np.zeros((10, count))
    inventory[5:, 0] = 0.5 if held else 0.0
    return SessionSeries(
        time=BEGIN + SECOND * np.arange(10),
        equity=np.linspace(1000.0, 1001.0, 10),
        inventory=inventory,
        mid=mid,
        spread=np.full((10, count), 0.01),
        latency_bounds=np.array([1.0, 2.0, 4.0]),
        latency_counts=np.array([5, 3, 1]),
        fills=(FillMark(BEGIN + 5 * SECOND, 0, 1, 100.5, 0.5, maker=True),) if held else (),
        trips=(TripMark(BEGIN + 7 * SECOND, "statistical", 3, 0, "a jump"),) if held else (),
        symbols=tuple(symbols),
    )


def report(shown: SessionSeries | None, **more: object) -> SessionReport:
    """Return a report with plots."""
    money = dict.fromkeys(("realised", "unrealised", "fees", "funding", "net", "equity"), "0")
    plain: dict[str, Any] = {
        "mode": "paper",
        "digest": "ab" * 32,
        **dict.fromkeys(("messages", "events", "quarantined", "decisions", "refusals"), 1),
        "strikes": 0,
        "orders": {"filled": 1},
        "fills": 1,
        "positions": {},
        "pnl": {"asset": "USD", **money},
        "breakers": [],
        "audit": {"path": "audit.sqlite", "records": 3, "head": "cd" * 32},
        "report": "",
        "timing": {
            **dict.fromkeys(
                ("wall_s", "messages_per_s", "decision_p50_us", "decision_p99_us"), 1.0
            ),
            "driver": "staged",
        },
        **more,
    }
    return attrs.evolve(structure(plain, SessionReport, "test"), series=shown)


def test_the_page_lists_linked_orders() -> None:
    child = {"order": 3, "role": "target", "status": "filled", "filled": "1"}
    link: dict[str, Any] = {
        "id": 1,
        "name": "dip",
        "symbol": "BTC",
        "kind": "trailing_stop",
        "form": "emulated",
        "status": "done",
        "children": [child],
    }
    text = session_page(report(None, linked=[link]), "x")
    for told in ("dip", "trailing stop", "the kernel", "target filled"):
        assert f"<td>{told}</td>" in text
    native = session_page(report(None, linked=[{**link, "name": "", "form": "native"}]), "x")
    assert "<td>the venue</td>" in native


def test_the_page_fits_a_narrow_window() -> None:
    text = session_page(report(series(["BTC", "ETH"])), "x")
    assert ".tables > div { max-width: 100%; overflow-x: auto }" in text
    assert "@media (max-width: 640px)" in text


def test_the_page_refers_to_nothing_outside_and_forbids_it() -> None:
    page = Page(session_page(report(series(["BTC", "ETH"])), "x"))
    assert page.links == []
    assert page.policy.startswith("default-src 'none'; ")
    assert "http" not in page.policy
    assert {"link", "iframe", "object", "embed", "base", "form"}.isdisjoint(page.tags)


def test_every_plot_stands_on_the_page() -> None:
    text = session_page(report(series(["BTC", "ETH"])), "x")
    page = Page(text)
    titles = [
        "Equity",
        "Fills on the price of BTC",
        "Fills on the price of ETH",
        "Inventory of BTC",
        "Spread",
        "Time of a step",
        "Breakers",
    ]
    assert [heading for heading in page.headings if heading in titles] == titles
    assert page.plots == [f"plot{number}" for number in range(len(titles))]
    assert re.findall(r'Plotly\.newPlot\("(plot\d+)"', text) == page.plots


def test_each_axis_says_its_unit() -> None:
    for figure in session_figures(series(["BTC"]), "USD"):
        named = [axis["title"] for axis in figure.layout.values() if "title" in axis]
        assert len(named) == (1 if figure.title == "Breakers" else 2), figure.title


def test_a_session_without_fills_says_so_and_has_its_plots() -> None:
    notes = {each.title: each.note for each in session_figures(series(["BTC"], held=False), "USD")}
    assert notes["Inventory"] == "Nothing was held."
    assert notes["Fills on the price of BTC"] == "Nothing was filled here."
    assert notes["Breakers"] == "No breaker tripped."


def test_a_session_without_samples_has_tables_only() -> None:
    page = Page(session_page(report(None), "x"))
    assert page.plots == []
    assert "Result" in page.headings


def test_gaps_in_prices_are_gaps_in_lines() -> None:
    assert numbers(np.array([1.0, np.nan, np.inf])) == [1.0, None, None]


def test_text_of_venues_cannot_become_part_of_the_page() -> None:
    hostile = report(
        series([HOSTILE]),
        warnings=[HOSTILE],
        orders={HOSTILE: 1},
        stopped=HOSTILE,
        breakers=[
            {
                "breaker": HOSTILE,
                "effect": "cancel_all",
                "scope": "session",
                "symbol": HOSTILE,
                "time": BEGIN,
                "reason": HOSTILE,
                "values": {HOSTILE: 1.0},
            }
        ],
    )
    text = session_page(hostile, HOSTILE)
    page = Page(text)
    assert "img" not in page.tags
    assert page.tags.count("script") == 2
    assert page.links == []
    assert HOSTILE not in text
    assert HOSTILE in "".join(page.texts)


def test_a_report_replaces_an_earlier_one_whole(tmp_path: Path) -> None:
    for digest in ("ab" * 32, "cd" * 32):
        page = write_report(report(series(["BTC"]), digest=digest), tmp_path / "deep", "x")
        assert digest in page.read_text()
        assert digest in page.with_suffix(".json").read_text()
    assert sorted(each.name for each in page.parent.iterdir()) == ["x.html", "x.json"]


@pytest.mark.parametrize("stopped", ["", "interrupted"])
def test_an_early_end_is_a_warning(stopped: str) -> None:
    text = session_page(report(None, stopped=stopped), "x")
    assert ("ended early: interrupted" in text) is bool(stopped)


def test_bins_of_the_histogram_meet() -> None:
    figures = {each.title: each for each in session_figures(series(["BTC"]), "USD")}
    bars: Any = figures["Time of a step"].traces[0]
    spans = [
        (x - width / 2, x + width / 2) for x, width in zip(bars["x"], bars["width"], strict=True)
    ]
    assert spans == [(0.0, 1.0), (1.0, 2.0), (2.0, 4.0)]


@pytest.mark.parametrize("bins", [0, 1])
def test_a_histogram_of_few_bins_has_bars_all_the_same(bins: int) -> None:
    full = series(["BTC"])
    few = attrs.evolve(
        full, latency_bounds=full.latency_bounds[:bins], latency_counts=full.latency_counts[:bins]
    )
    figures = {each.title: each for each in session_figures(few, "USD")}
    bars: Any = figures["Time of a step"].traces[0]
    assert len(bars["x"]) == len(bars["width"]) == bins
    assert all(width > 0 for width in bars["width"])


def test_a_timeline_is_as_high_as_it_has_rows() -> None:
    def height(trips: tuple[TripMark, ...]) -> int:
        shown = attrs.evolve(series(["BTC"]), trips=trips)
        figures = {each.title: each for each in session_figures(shown, "USD")}
        return figures["Breakers"].height

    trip = TripMark(BEGIN, "a", 3, 0, "too much")
    other = attrs.evolve(trip, breaker="b")
    heights = [height(trips) for trips in ((), (trip, trip), (trip, other))]
    assert heights[0] < heights[1] < heights[2] < 320
    text = session_page(report(series(["BTC"], held=False)), "x")
    assert f'style="height:{heights[0]}px"' in text
