"""The same tasks with our kernels: books alone, and a whole session that quotes."""

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import attrs

from benchmarks.peers.same_events import CONFIG, SameEvents
from benchmarks.peers.task import LATENCY_NS, POWER, Outcome, Task
from benchmarks.peers.touch_quoting import Memory, SomeLots, TouchQuoting, TouchSettings
from bot4_core import Session, SessionConfig
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import Records, Side
from bot4_core.kernels.order_rows import Slot
from bot4_core.market.order_book import Books
from bot4_core.plugins.interfaces import PartSettings
from bot4_core.session.config import AccountConfig, LimitsConfig, QuotingConfig
from bot4_core.session.paper import PaperSettings
from bot4_core.session.paper_market import PaperMarket
from bot4_core.session.runner import SessionRunner
from bot4_core.session.state import Parts

CASH = Decimal(10**9)
PLENTY = 1_000
UNBOUND = LimitsConfig(
    max_position_notional=CASH,
    max_order_notional=CASH,
    max_gross_notional=CASH,
    max_open_orders=PLENTY,
    max_orders_per_second=PLENTY,
    price_collar=Decimal("0.5"),
    max_leverage=Decimal(1000),
    max_daily_loss=CASH,
    max_drawdown=Decimal("0.99"),
)


class RecordsMarket(PaperMarket):
    """Event records in memory as the market of a session, matched on paper.

    Attributes
    ----------
    seconds : float
        From the first event until the last one was played.
    """

    def __init__(self, same: SameEvents, matching: PaperSettings) -> None:
        super().__init__((same.instrument,), same.table, matching)
        self.share, self.quarantined = 0.0, 0
        self.warnings: tuple[str, ...] = ()
        self.seconds = 0.0
        self._records = same.records

    def batches(self) -> Iterator[Records]:
        """Yield everything at once, and see how long it takes."""
        begin = time.perf_counter()
        yield self._records
        self.seconds = time.perf_counter() - begin


class Ours:
    """Our side of the comparison."""

    def __init__(self, same: SameEvents) -> None:
        instrument = attrs.evolve(same.instrument, min_notional=Decimal(0))
        self._same = replace(same, instrument=instrument)

    def run(self, task: Task) -> Outcome:
        """Run one task once."""
        return self._quote(task) if task.queue else self._play(task)

    def _play(self, task: Task) -> Outcome:
        same = self._same
        books = Books(same.table)
        books.apply(same.records, 0, same.begin)
        begin = time.perf_counter()
        books.apply(same.records, same.begin)
        span = time.perf_counter() - begin
        return as_outcome(books, span, task)

    def _quote(self, task: Task) -> Outcome:
        session, market = self._session(task)
        SessionRunner(session, market, time).run()
        outcome = as_outcome(session.state.books, market.seconds, task)
        return replace(outcome, **counts(session))

    def _session(self, task: Task) -> tuple[Session, RecordsMarket]:
        same = self._same
        matching = PaperSettings(
            latency_out_ns=LATENCY_NS,
            latency_back_ns=LATENCY_NS,
            queue="risk_averse" if task.queue == "risk_averse" else "probability",
            queue_profile="power" if task.queue == "risk_averse" else task.queue,
            queue_power=POWER,
        )
        config = attrs.evolve(
            SessionConfig.read(CONFIG),
            account=AccountConfig(asset="USDT", cash=CASH),
            instruments=(same.instrument,),
            matching=matching,
            limits=UNBOUND,
            quoting=QuotingConfig(post_only=False, retry_ms=0),
            breakers=(),
            router=None,
        )
        market = RecordsMarket(same, matching)
        instruments = (same.instrument,)
        parts = Parts(
            strategy=TouchQuoting(TouchSettings(offset=task.offset), instruments),
            sizer=SomeLots(PartSettings(), instruments),
        )
        return Session(config, instruments, same.table, parts, "peers"), market


def counts(session: Session) -> dict[str, Any]:
    """Return what a session did, by its own account."""
    state = session.state
    fills = [each for each in state.account.ledger.entries if isinstance(each, Fill)]
    memory = state.ordering.tables[Slot.STRATEGY_STATES][0]["i"]
    return {
        "decisions": int(memory[Memory.DECISIONS]),
        "orders": sum(state.account.orders.counts.values()),
        "fills": len(fills),
        "filled": sum(each.size.value for each in fills),
        "value": sum(each.size.value * each.price.value for each in fills),
        "position": state.account.ledger.sizes[0],
    }


def as_outcome(books: Books, span: float, task: Task) -> Outcome:
    """Return how books ended."""
    book = books[0]
    sides = (Side.BUY, Side.SELL) if task.whole_depth else ()
    levels = [[each.tolist() for each in book.scaled_levels(side)] for side in sides]
    bids, asks = (tuple(zip(*side, strict=True)) for side in levels or ([], []))
    row = books.rows[0]
    return Outcome(seconds=span, bid=int(row["bid"]), ask=int(row["ask"]), bids=bids, asks=asks)
