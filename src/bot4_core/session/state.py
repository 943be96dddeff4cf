"""What a session is made of while it runs; drivers work on it."""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from bot4_core.domain_types.decisions import BreakerScope
from bot4_core.domain_types.instruments import Instrument, Settlement
from bot4_core.domain_types.records import VIEW_DTYPE
from bot4_core.market.features import FeatureEngine, FeatureSettings
from bot4_core.market.order_book import Books
from bot4_core.orders import run_tag
from bot4_core.plugins.interfaces import Breaker, Records, Router, Sizer, Strategy
from bot4_core.risk.gate import Gate
from bot4_core.risk.panel import BreakerPanel
from bot4_core.session.account import Account
from bot4_core.session.config import SessionConfig
from bot4_core.session.ordering import Ordering
from bot4_core.session.parts import SizerCalls, StrategyCalls, breaker_observer
from bot4_core.session.planner import Planner
from bot4_core.session.routes import RouterCalls

__all__ = ["Parts", "SessionState"]


@attrs.frozen(kw_only=True)
class Parts:
    """The decision parts of one session."""

    strategy: Strategy[Any]
    sizer: Sizer[Any]
    router: Router[Any] | None = None
    breakers: tuple[tuple[str, BreakerScope, Breaker[Any]], ...] = ()


def new_views(table: Records, instruments: Sequence[Instrument]) -> Records:
    """Return one VIEW row an instrument, with what does not change filled in."""
    views: Records = np.zeros(len(table), VIEW_DTYPE)
    views["inverse"] = [each.settlement is Settlement.INVERSE for each in instruments]
    views["instrument"] = np.arange(len(table))
    for name in ("tick", "lot", "price_unit", "size_unit", "multiplier"):
        views[name] = table[name]
    for name in ("mid", "microprice", "spread", "imbalance", "volatility", "vwap_bid", "vwap_ask"):
        views[name] = np.nan
    return views


class SessionState:
    """Books, views, account, panel, gate and parts of one session.

    Attributes
    ----------
    now : int
        The latest receive time seen, ns: the only clock there is.
    audit_healthy : bool
        While False no new risk is taken.
    closing : bool
        Once True nobody is asked for new orders.
    messages, events, decisions : int
        Taken in, and times that the strategy was asked.
    """

    def __init__(
        self,
        config: SessionConfig,
        instruments: Sequence[Instrument],
        table: Records,
        parts: Parts,
        run: str,
    ) -> None:
        self.config = config
        self.instruments = tuple(instruments)
        self.now = 0
        self.audit_healthy = True
        self.closing = False
        self.messages = self.events = self.decisions = 0
        self.books = Books(table)
        self.views = views = new_views(table, instruments)
        self.features = FeatureEngine(table, views, FeatureSettings())
        self.account = Account(config, self.instruments, views, run_tag(run))
        observers = [
            breaker_observer(breaker, name, scope, views) for name, scope, breaker in parts.breakers
        ]
        self.panel = BreakerPanel(observers, self.instruments)
        limits = self.account.limits
        self.gate = Gate(self.instruments, limits, self.panel, lambda: self.audit_healthy)
        self.ordering = Ordering(self.account, self.gate, config.quoting.retry_ms * 1_000_000)
        self.strategy = StrategyCalls(parts.strategy, views)
        self.sizer = SizerCalls(parts.sizer, self.strategy, views)
        self.planner = Planner(config.quoting, self.strategy, self.sizer, limits)
        if parts.router is not None:
            self.ordering.router = RouterCalls(parts.router, self.ordering.intents, views)
