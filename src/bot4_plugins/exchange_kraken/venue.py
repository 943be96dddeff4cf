"""What is known of the venue: hosts, paths, limits, fees; each with its date and its source."""

from decimal import Decimal
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import FeeSchedule, InstrumentStatus
from bot4_core.domain_types.rate_limits import (
    RateKind,
    RateLimit,
    RateScope,
    RateSettings,
    RateUnit,
)

__all__ = [
    "AMEND_COSTS",
    "CANCEL_COSTS",
    "DEPTHS",
    "INTERVALS",
    "STATUS",
    "SYSTEM_STATUS",
    "TIERS",
    "VENUES",
    "AccountTier",
    "KrakenFacts",
    "rate_settings",
]

SECOND: Final = 1_000_000_000
DEPTHS: Final = (10, 25, 100, 500, 1000)
INTERVALS: Final = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
"""Minutes of a candle."""


@attrs.frozen(kw_only=True)
class KrakenFacts:
    """One market's addresses and rules.

    ``asset_class`` is what subscriptions and orders name, empty for spot.
    """

    market: str
    rest: str
    public: str
    private: str
    asset_class: str = ""
    default_fees: FeeSchedule
    batch: int
    as_of: str
    source: str


@attrs.frozen(kw_only=True)
class AccountTier:
    """What an account may ask for: counters that rise with requests and drain evenly.

    ``requests`` and ``trading`` are their ceilings, the decays are per second.
    """

    requests: int
    requests_decay: Decimal
    trading: int
    trading_decay: Decimal


AS_OF: Final = "2026-11-22"

VENUES: Final[dict[str, KrakenFacts]] = {
    "spot": KrakenFacts(
        market="spot",
        rest="https://api.kraken.com",
        public="wss://ws.kraken.com/v2",
        private="wss://ws-auth.kraken.com/v2",
        default_fees=FeeSchedule(maker=Decimal("0.0025"), taker=Decimal("0.004")),
        batch=15,
        as_of=AS_OF,
        source="docs.kraken.com/exchange; fees: first tier of AssetPairs",
    ),
    "derivatives": KrakenFacts(
        market="derivatives",
        rest="https://api.kraken.com",
        public="wss://uws.kraken.com/v2/public",
        private="wss://uws.kraken.com/v2/private",
        asset_class="derivatives",
        default_fees=FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.0005")),
        batch=15,
        as_of=AS_OF,
        source="docs.kraken.com/exchange, unified socket (futures.kraken.com ends 2027-03-01); "
        "fees: kraken.com futures, first tier",
    ),
}

TIERS: Final[dict[str, AccountTier]] = {
    "starter": AccountTier(
        requests=15,
        requests_decay=Decimal("0.33"),
        trading=60,
        trading_decay=Decimal(1),
    ),
    "intermediate": AccountTier(
        requests=20,
        requests_decay=Decimal("0.5"),
        trading=125,
        trading_decay=Decimal("2.34"),
    ),
    "pro": AccountTier(
        requests=20,
        requests_decay=Decimal(1),
        trading=180,
        trading_decay=Decimal("3.75"),
    ),
}
"""docs.kraken.com/exchange guides, spot rate limits, as of 2026-11-22; the decays of the trading
counter are from memory."""

CANCEL_COSTS: Final = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
"""(age below, seconds; what cancelling an order so young adds to the trading counter)."""
AMEND_COSTS: Final = ((5, 3), (10, 2), (15, 1))
"""The same of amending, which adds 1 at any age."""

STATUS: Final[dict[str, InstrumentStatus]] = {
    "online": InstrumentStatus.TRADING,
    "cancel_only": InstrumentStatus.CANCEL_ONLY,
    "post_only": InstrumentStatus.POST_ONLY,
    "limit_only": InstrumentStatus.TRADING,
    "reduce_only": InstrumentStatus.CANCEL_ONLY,
    "work_in_progress": InstrumentStatus.HALTED,
    "maintenance": InstrumentStatus.HALTED,
    "delisted": InstrumentStatus.DELISTED,
}
"""What the venue's words for a pair's state mean; an unlisted word means UNKNOWN."""

SYSTEM_STATUS: Final[dict[str, InstrumentStatus]] = {
    "online": InstrumentStatus.TRADING,
    "cancel_only": InstrumentStatus.CANCEL_ONLY,
    "post_only": InstrumentStatus.POST_ONLY,
    "maintenance": InstrumentStatus.HALTED,
}
"""What the state of the whole venue means for each pair."""


def rate_settings(tier: str) -> RateSettings:
    """Return the limits of an account: one counter of requests, one of orders for each pair."""
    facts = TIERS[tier]
    return RateSettings(
        limits=(
            RateLimit(
                name="requests",
                limit=facts.requests,
                span=_span(facts.requests, facts.requests_decay),
                unit=RateUnit.WEIGHT,
                scope=RateScope.ACCOUNT,
                kind=RateKind.DRAINING,
            ),
            RateLimit(
                name="trading",
                limit=facts.trading,
                span=_span(facts.trading, facts.trading_decay),
                unit=RateUnit.ORDERS,
                scope=RateScope.INSTRUMENT,
                kind=RateKind.DRAINING,
            ),
        )
    )


def _span(ceiling: int, decay: Decimal) -> Nanoseconds:
    return Nanoseconds(int(ceiling * SECOND / decay) + 1)
