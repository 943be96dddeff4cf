"""What a session did: the object behind ``bot4 run --json`` and its plots."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

import attrs

from bot4_core.audit import AuditLog
from bot4_core.convert import unstructure
from bot4_core.session.durations import DurationReport
from bot4_core.session.effects import Note
from bot4_core.session.link_records import LinkedReport
from bot4_core.session.series import SessionSeries
from bot4_core.session.state import SessionState

__all__ = [
    "AuditReport",
    "BreakerReport",
    "PositionReport",
    "ProfitReport",
    "SessionReport",
    "TimingReport",
    "position_reports",
    "profit_report",
    "strike_warnings",
]

SCHEMA: Final = 1
NOT_TIMED: Final = DurationReport()


@attrs.frozen(kw_only=True)
class PositionReport:
    """One holding at the end, in decimal text."""

    size: str
    average_price: str | None
    realised: str
    unrealised: str
    fees: str
    state: str  # of the book that the holding is marked with
    fills: int


@attrs.frozen(kw_only=True)
class ProfitReport:
    """Profit and loss in the settlement asset, in decimal text; fees are positive when paid."""

    asset: str
    realised: str
    unrealised: str
    fees: str
    funding: str
    net: str
    equity: str
    cost: str = "average"  # or "fifo": which entry prices closes are set against


@attrs.frozen(kw_only=True)
class BreakerReport:
    """One trip."""

    breaker: str
    effect: str
    scope: str
    symbol: str
    time: int
    reason: str
    values: dict[str, float]


@attrs.frozen(kw_only=True)
class AuditReport:
    """Where the audit log stands and how it ended."""

    path: str
    records: int
    head: str
    root: str = ""  # of the tree over all records, hexadecimal
    unpublished: int = 0  # checkpoints that a place did not take

    @classmethod
    def of(cls, log: AuditLog | None) -> "AuditReport":
        """Describe a log as it stands; empty without one."""
        if log is None:
            return cls(path="", records=0, head="")
        return cls(
            path=str(log.path),
            records=log.committed,
            head=log.head.hex(),
            root=log.root.hex(),
            unpublished=log.unpublished,
        )


@attrs.frozen(kw_only=True)
class TimingReport:
    """How long it took; differs from run to run and is not in the digest."""

    wall_s: float
    messages_per_s: float
    decision_p50_us: float  # of all messages; the fused driver times some of them
    decision_p99_us: float
    driver: str  # "staged" or "fused"
    audit_commit: DurationReport = NOT_TIMED
    loop_lag: DurationReport = NOT_TIMED  # from a batch of messages to the next look around
    gc_pause: DurationReport = NOT_TIMED


@attrs.frozen(kw_only=True)
class SessionReport:
    """The result of one session; all but audit, report and timing depend on the input alone.

    ``decisions`` counts how often the strategy was asked, ``refusals`` orders that the gate kept
    back, ``strikes`` errors of parts.
    """

    schema: int = SCHEMA
    mode: str
    digest: str
    messages: int
    events: int
    quarantined: int
    decisions: int
    refusals: int
    strikes: int
    orders: dict[str, int]
    fills: int
    positions: dict[str, PositionReport]
    pnl: ProfitReport
    breakers: tuple[BreakerReport, ...]
    linked: tuple[LinkedReport, ...] = ()
    audit: AuditReport
    report: str
    timing: TimingReport
    warnings: tuple[str, ...] = ()
    stopped: str = ""  # why it ended before its market did
    series: SessionSeries | None = attrs.field(default=None, eq=False, repr=False)

    def data(self) -> dict[str, Any]:
        """Return the report as plain data, without the series."""
        plain: dict[str, Any] = unstructure(attrs.evolve(self, series=None))
        del plain["series"]
        return plain


def position_reports(state: SessionState, fills: dict[int, int]) -> dict[str, PositionReport]:
    """Return what is held of each instrument."""
    reports = {}
    for number, instrument in enumerate(state.instruments):
        held = state.account.ledger.position(number)
        average = held.average_price
        reports[str(instrument.symbol)] = PositionReport(
            size=str(held.size),
            average_price=str(average) if average is not None else None,
            realised=plain_text(held.realised.decimal),
            unrealised=plain_text(state.account.ledger.unrealised(number).decimal),
            fees=plain_text(held.fees.decimal),
            state=state.books[number].state.name.lower(),
            fills=fills.get(number, 0),
        )
    return reports


def profit_report(state: SessionState) -> ProfitReport:
    """Return what was earned in the settlement asset."""
    account = state.account
    profit = account.ledger.profit(account.asset)
    return ProfitReport(
        asset=account.asset,
        realised=plain_text(profit.realised.decimal),
        unrealised=plain_text(profit.unrealised.decimal),
        fees=plain_text(profit.fees.decimal),
        funding=plain_text(profit.funding.decimal),
        net=plain_text(profit.net.decimal),
        equity=plain_text(account.ledger.equity(account.asset)),
        cost=account.ledger.method.value,
    )


def breaker_reports(state: SessionState) -> tuple[BreakerReport, ...]:
    """Return every trip, oldest first."""
    return tuple(
        BreakerReport(
            breaker=trip.breaker,
            effect=trip.effect.name.lower(),
            scope=trip.scope.value,
            symbol=str(state.instruments[trip.instrument].symbol),
            time=int(trip.time),
            reason=trip.reason,
            values=dict(trip.values),
        )
        for trip in state.panel.trips
    )


def strike_warnings(strikes: Iterable[Note], state: SessionState) -> Iterator[str]:
    """Yield what to say of parts that raised, of each part's last error."""
    kinds = {state.strategy.strategy.name: "strategy", state.sizer.sizer.name: "sizer"}
    if state.ordering.router is not None:
        kinds[state.ordering.router.router.name] = "router"
    for strike in strikes:
        kind = kinds.get(strike.actor, "breaker")
        count, error = strike.payload["count"], strike.payload["error"]
        times = f"{count} error" if count == 1 else f"{count} errors"
        if strike.payload["disabled"]:
            yield f"{kind} {strike.actor} disabled after {times}: {error}"
        else:
            yield f"{kind} {strike.actor} had {times}: {error}"


def plain_text(amount: Decimal) -> str:
    """Write an amount as plain decimal text."""
    return format(amount, "f")
