"""The report of a session as one HTML page: results, evidence, plots."""

from bot4_core.session.durations import DurationReport
from bot4_core.session.report import SessionReport
from bot4_plugins.host_cli.output import without_zeros
from bot4_plugins.host_cli.report_page import Table, render
from bot4_plugins.host_cli.session_charts import moments, session_figures

__all__ = ["session_page"]


def session_page(report: SessionReport, name: str) -> str:
    """Write the page."""
    series = report.series
    span = ""
    if series is not None and len(series.time):
        first, last = (text[:19] for text in moments([series.time[0], series.time[-1]]))
        span = f", {first} to {last} UTC"
    stopped = [f"the session ended early: {report.stopped}"] if report.stopped else []
    return render(
        f"bot4 session {name}",
        f"{report.mode}{span}",
        [make(report) for make in (result, session, orders, linked, positions, trips, evidence)],
        session_figures(series, report.pnl.asset),
        [*report.warnings, *stopped],
    )


def result(report: SessionReport) -> Table:
    """Return profit and loss."""
    earned = report.pnl
    names = ("realised", "unrealised", "fees", "funding", "net", "equity")
    rows = [(name, f"{getattr(earned, name)} {earned.asset}") for name in names]
    return Table(title="Result", rows=rows)


def session(report: SessionReport) -> Table:
    """Return what was played and how fast."""
    timing = report.timing
    return Table(
        title="Session",
        rows=[
            ("messages", f"{report.messages:,}"),
            ("events", f"{report.events:,}"),
            ("quarantined", f"{report.quarantined:,}"),
            ("decisions", f"{report.decisions:,}"),
            ("kept back by the gate", f"{report.refusals:,}"),
            ("fills", f"{report.fills:,}"),
            ("messages a second", f"{timing.messages_per_s:,.0f}"),
            ("step, median", f"{timing.decision_p50_us:,.1f} µs"),
            ("step, p99", f"{timing.decision_p99_us:,.1f} µs"),
            ("audit commits", lasted(timing.audit_commit)),
            ("turns of the loop", lasted(timing.loop_lag)),
            ("garbage collections", lasted(timing.gc_pause)),
        ],
    )


def lasted(times: DurationReport) -> str:
    """Say how long something took each time."""
    if times.p50_us is None or times.max_us is None:
        return "none"
    return f"{times.count:,}: median {times.p50_us:,.0f} µs, longest {times.max_us:,.0f} µs"


def orders(report: SessionReport) -> Table:
    """Return orders by how they ended."""
    return Table(
        title="Orders", rows=[(status, f"{count:,}") for status, count in report.orders.items()]
    )


def positions(report: SessionReport) -> Table:
    """Return what is held at the end."""
    return Table(
        title=f"Positions, in {report.pnl.asset}",
        headings=("", "held", "average", "realised", "unrealised", "fees", "fills"),
        rows=[
            (
                symbol,
                held.size,
                without_zeros(held.average_price or "-"),
                held.realised,
                held.unrealised,
                held.fees,
                f"{held.fills:,}",
            )
            for symbol, held in report.positions.items()
        ],
    )


def linked(report: SessionReport) -> Table:
    """Return the linked orders, who looked after them, and what became of them."""
    return Table(
        title="Linked orders",
        headings=("", "instrument", "kind", "looked after by", "status", "children"),
        rows=[
            (
                each.name or str(each.id),
                each.symbol,
                each.kind.replace("_", " "),
                "the venue" if each.form == "native" else "the kernel",
                each.status,
                ", ".join(f"{child.role} {child.status}" for child in each.children),
            )
            for each in report.linked
        ],
        names=6,
    )


def trips(report: SessionReport) -> Table:
    """Return the breakers that tripped."""
    return Table(
        title="Breaker trips",
        headings=("when", "breaker", "instrument", "effect", "why"),
        rows=[
            (
                moments([trip.time])[0],
                trip.breaker,
                trip.symbol,
                trip.effect.replace("_", " "),
                "; ".join(
                    [trip.reason] + [f"{name} {value:.6g}" for name, value in trip.values.items()]
                ),
            )
            for trip in report.breakers
        ],
        names=5,
    )


def evidence(report: SessionReport) -> Table:
    """Return what proves the rest."""
    return Table(
        title="Evidence",
        rows=[
            ("digest", report.digest),
            ("audit log", report.audit.path),
            ("audit head", report.audit.head),
        ],
        names=2,
    )
