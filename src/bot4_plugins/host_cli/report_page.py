"""One HTML file with tables and plots that opens without a network."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import attrs
from plotly.offline import get_plotlyjs

__all__ = ["Figure", "Table", "render"]

POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""What the page may load: nothing but itself."""

STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 1.5rem;
       color: #1f2933; background: #fff }
h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1.05rem; margin: 1.6rem 0 .3rem }
table { border-collapse: collapse; margin: .3rem 2rem .3rem 0 }
th, td { padding: .2rem .9rem .2rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid #e4e7eb; white-space: nowrap }
td:last-child { white-space: normal; overflow-wrap: anywhere }
th { font-weight: 600 } thead th { color: #52606d; font-weight: 400 }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
                       white-space: nowrap }
.tables { display: flex; flex-wrap: wrap }
.tables > div { max-width: 100%; overflow-x: auto }
.plot { max-width: 100%; overflow: hidden }
@media (max-width: 640px) {
  body { padding: .8rem } table { margin-right: 0 } th, td { padding-right: .5rem }
  td:not(.number) { white-space: normal; overflow-wrap: anywhere }
}
p.note { color: #52606d; margin: .2rem 0 } p.warning { color: #8d2b0b; margin: .2rem 0 }
"""

LAYOUT: Final[Mapping[str, object]] = {
    "margin": {"l": 90, "r": 20, "t": 28, "b": 40},
    "template": "none",
    "hovermode": "closest",
    "legend": {"orientation": "h", "y": 1.12},
    "xaxis": {"gridcolor": "#eef1f4", "zeroline": False},
    "yaxis": {"gridcolor": "#eef1f4", "zeroline": False, "automargin": True},
}

CONFIG: Final[Mapping[str, object]] = {
    "responsive": True,
    "displaylogo": False,
    "modeBarButtons": [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
}


@attrs.frozen(kw_only=True)
class Figure:
    """One plot: its title, a sentence on how to read it, Plotly traces and layout, pixels."""

    title: str
    note: str
    traces: Sequence[Mapping[str, object]]
    layout: Mapping[str, Mapping[str, object]] = attrs.field(factory=dict)
    height: int = 320


@attrs.frozen(kw_only=True)
class Table:
    """Rows of text with a heading a column; the first ``names`` columns are not numbers."""

    title: str
    rows: Sequence[Sequence[str]]
    headings: Sequence[str] = ()
    names: int = 1


def _script(value: object) -> str:
    """Write JSON that cannot end the script element it stands in."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def _cells(tag: str, texts: Sequence[str], names: int) -> str:
    marks = ["" if place < names else ' class="number"' for place in range(len(texts))]
    cells = [
        f"<{tag}{mark}>{escape(text)}</{tag}>" for mark, text in zip(marks, texts, strict=True)
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _table(table: Table) -> str:
    head = f"<thead>{_cells('th', table.headings, table.names)}</thead>" if table.headings else ""
    body = "".join(_cells("td", row, table.names) for row in table.rows)
    return f"<div><h2>{escape(table.title)}</h2><table>{head}<tbody>{body}</tbody></table></div>"


def _layout(figure: Figure) -> dict[str, object]:
    """Lay a figure's own wishes over the common layout, axis by axis."""
    merged: dict[str, object] = dict(LAYOUT)
    for name, own in figure.layout.items():
        common = merged.get(name, {})
        merged[name] = {**common, **own} if isinstance(common, Mapping) else own
    return merged


def render(
    title: str,
    subtitle: str,
    tables: Sequence[Table],
    figures: Sequence[Figure],
    warnings: Sequence[str] = (),
) -> str:
    """Write the page; names and messages of venues are escaped."""
    plots, calls = [], []
    for number, figure in enumerate(figures):
        plots.append(
            f'<h2>{escape(figure.title)}</h2><p class="note">{escape(figure.note)}</p>'
            f'<div class="plot" id="plot{number}" style="height:{figure.height}px"></div>'
        )
        shown = f"{_script(list(figure.traces))},{_script(_layout(figure))},{_script(CONFIG)}"
        calls.append(f'Plotly.newPlot("plot{number}",{shown});')
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style>",
            f"<script>{get_plotlyjs()}</script></head><body><h1>{escape(title)}</h1>",
            f'<p class="note">{escape(subtitle)}</p>',
            *(f'<p class="warning">Warning: {escape(text)}</p>' for text in warnings),
            f'<div class="tables">{"".join(_table(table) for table in tables if table.rows)}</div>',
            *plots,
            f"<script>{''.join(calls)}</script></body></html>\n",
        ]
    )
