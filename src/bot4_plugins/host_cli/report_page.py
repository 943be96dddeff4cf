"""One HTML file with tables and plots that opens without a network."""

import json
from collections.abc import Mapping, Sequence
from html import escape

import attrs
from plotly.offline import get_plotlyjs

__all__ = ["Figure", "render"]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 1.5rem;
       color: #1f2933; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin: 2rem 0 .3rem }
table { border-collapse: collapse; margin: .5rem 1.5rem .5rem 0; vertical-align: top }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; border-bottom: 1px solid #e4e7eb }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.tables { display: flex; flex-wrap: wrap } .plot { height: 320px } p.note { color: #52606d }
code { overflow-wrap: anywhere }
"""

LAYOUT: Mapping[str, object] = {
    "margin": {"l": 60, "r": 20, "t": 10, "b": 40},
    "template": "none",
    "hovermode": "closest",
    "legend": {"orientation": "h"},
}


@attrs.frozen(kw_only=True)
class Figure:
    """One plot: its title, a sentence on how to read it, Plotly traces and layout."""

    title: str
    note: str
    traces: Sequence[Mapping[str, object]]
    layout: Mapping[str, object] = attrs.field(factory=dict)


def _script(value: object) -> str:
    """Write JSON that cannot end the script element it stands in."""
    return json.dumps(value, allow_nan=False).replace("</", "<\\/")


def _table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f'<tr><th>{escape(name)}</th><td class="number">{escape(value)}</td></tr>'
        for name, value in rows
    )
    return f"<div><h2>{escape(title)}</h2><table>{cells}</table></div>"


def render(
    title: str,
    tables: Sequence[tuple[str, Sequence[tuple[str, str]]]],
    figures: Sequence[Figure],
) -> str:
    """Write the page; names and messages of venues are escaped."""
    plots, calls = [], []
    for number, figure in enumerate(figures):
        plots.append(
            f'<h2>{escape(figure.title)}</h2><p class="note">{escape(figure.note)}</p>'
            f'<div class="plot" id="plot{number}"></div>'
        )
        layout = {**LAYOUT, **figure.layout}
        calls.append(
            f'Plotly.newPlot("plot{number}",{_script(list(figure.traces))},{_script(layout)},'
            "{responsive:true,displaylogo:false});"
        )
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(title)}</title><style>{STYLE}</style>",
            f"<script>{get_plotlyjs()}</script></head><body><h1>{escape(title)}</h1>",
            f'<div class="tables">{"".join(_table(name, rows) for name, rows in tables)}</div>',
            *plots,
            f"<script>{''.join(calls)}</script></body></html>\n",
        ]
    )
