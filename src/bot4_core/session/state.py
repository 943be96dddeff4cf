"""What a session is made of while it runs; drivers work on it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs
import numpy as np

from bot4_core.domain_types.decisions import BreakerScope
from bot4_core.domain_types.instruments import Instrument, Settlement
from bot4_core.domain_types.records import VIEW_DTYPE, Feature
from bot4_core.domain_types.venue_capabilities import Capabilities
from bot4_core.errors import ConfigError
from bot4_core.kernels.order_rows import Slot
from bot4_core.market.features import FeatureEngine, FeatureSettings
from bot4_core.market.order_book import Books
from bot4_core.orders import run_tag
from bot4_core.orders.linked_plans import native_kinds
from bot4_core.plugins.interfaces import Breaker, Part, Records, Router, Sizer, Strategy
from bot4_core.risk.gate import Gate
from bot4_core.session.account import Account
from bot4_core.session.breakers import BreakerCalls
from bot4_core.session.config import SessionConfig
from bot4_core.session.decision_tables import place_decision_tables
from bot4_core.session.inquiries import Inquiries
from bot4_core.session.linking import Links
from bot4_core.session.ordering import Ordering
from bot4_core.session.parts import SizerCalls, StrategyCalls
from bot4_core.session.recovery import Recovered
from bot4_core.session.routes import RouterCalls

__all__ = ["Parts", "SessionState"]

FEATURES: Final = (
    "mid",
    "microprice",
    "spread",
    "imbalance",
    "flow",
    "volatility",
    "vwap_bid",
    "vwap_ask",
)


@attrs.frozen(kw_only=True)
class Parts:
    """The decision parts of one session."""

    strategy: Strategy[Any]
    sizer: Sizer[Any]
    router: Router[Any] | None = None
    breakers: tuple[tuple[str, BreakerScope, Breaker[Any]], ...] = ()

    @property
    def reads(self) -> Feature:
        """The costly fields of views that any of them reads."""
        wanted = Feature.NONE
        for part in self.all():
            wanted |= part.reads
        return wanted

    def all(self) -> Iterator[Part[Any]]:
        """Yield every part."""
        yield self.strategy
        yield self.sizer
        if self.router is not None:
            yield self.router
        for _, _, breaker in self.breakers:
            yield breaker


def new_views(table: Records, instruments: Sequence[Instrument]) -> Records:
    """Return one VIEW row an instrument, with what does not change filled in."""
    views: Records = np.zeros(len(table), VIEW_DTYPE)
    views["inverse"] = [each.settlement is Settlement.INVERSE for each in instruments]
    views["instrument"] = np.arange(len(table))
    for name in ("tick", "lot", "price_unit", "size_unit", "multiplier"):
        views[name] = table[name]
    for name in FEATURES:
        views[name] = np.nan
    return views


def require_one_asset(asset: str, instruments: Sequence[Instrument]) -> None:
    """Refuse instruments whose money limits could not be compared with the account.

    Raises
    ------
    ConfigError
        If one settles in another asset than the account's.
    """
    faults = [
        (f"instruments.{each.symbol}", f"settles in {each.settled_in}, the account holds {asset}")
        for each in instruments
        if each.settled_in != asset
    ]
    if faults:
        raise ConfigError("session", faults)


class SessionState:
    """Books, views, account, panel, gate and parts of one session."""

    def __init__(
        self,
        config: SessionConfig,
        instruments: Sequence[Instrument],
        table: Records,
        parts: Parts,
        run: str,
        capabilities: Capabilities | None = None,
    ) -> None:
        self.config = config
        self.instruments = tuple(instruments)
        require_one_asset(config.account.asset, self.instruments)
        self.books = Books(table)
        self.views = views = new_views(table, instruments)
        self.features = FeatureEngine(table, views, FeatureSettings(wanted=parts.reads))
        self.account = Account(config, self.instruments, views, run_tag(run))
        tables = self.account.orders.tables
        place_decision_tables(tables, config.quoting)
        breakers = BreakerCalls(parts.breakers, tables, self.instruments)
        self.panel = breakers.panel
        self.gate = Gate(self.instruments, self.account.limits, self.panel, tables)
        self.strategy = StrategyCalls(parts.strategy, views, tables[Slot.SIGNALS])
        self.sizer = SizerCalls(parts.sizer, self.strategy, views, tables[Slot.SIZED])
        router = None
        if parts.router is not None:
            router = RouterCalls(parts.router, tables[Slot.INTENTS], views)
        self.ordering = Ordering(
            self.account, self.gate, self.strategy, self.sizer, router, breakers
        )
        self.inquiries = Inquiries(self.account.orders, self.ordering, config.answers)
        natives = native_kinds(capabilities)
        self.links = Links(self.instruments, self.account.orders, self.ordering, views, natives)

    @property
    def _tally(self) -> Any:
        return self.account.orders.tables[Slot.TALLY][0]

    @property
    def now(self) -> int:
        """The latest receive time seen, ns: the only clock there is."""
        return int(self._tally["now"])

    @property
    def messages(self) -> int:
        """Messages taken in."""
        return int(self._tally["messages"])

    @property
    def events(self) -> int:
        """Event records taken in."""
        return int(self._tally["events"])

    @property
    def decisions(self) -> int:
        """Times that the strategy was asked."""
        return int(self._tally["decisions"])

    def restore(self, recovered: Recovered) -> None:
        """Take over what an earlier run left behind."""
        self._tally["now"] = recovered.time
        self.account.restore(recovered.orders, recovered.entries, recovered.time)
        self.links.restore(recovered.links)

    def close(self) -> None:
        """Ask nobody for new orders any more."""
        self.account.orders.tables[Slot.CONDUCT]["asking"] = 0
