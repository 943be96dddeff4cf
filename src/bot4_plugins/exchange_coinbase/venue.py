"""What is known of the venue: hosts, paths, limits, fees; each with its date and its source."""

from decimal import Decimal
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import FeeSchedule
from bot4_core.domain_types.rate_limits import RateLimit, RateScope, RateSettings

__all__ = ["API", "HOST", "LIMITS", "PUBLIC_SOCKET", "USER_SOCKET", "VENUES", "CoinbaseMarket"]

SECOND: Final = Nanoseconds(1_000_000_000)
HOST: Final = "api.coinbase.com"
API: Final = "/api/v3/brokerage"
PUBLIC_SOCKET: Final = "wss://advanced-trade-ws.coinbase.com"
USER_SOCKET: Final = "wss://advanced-trade-ws-user.coinbase.com"


@attrs.frozen(kw_only=True)
class CoinbaseMarket:
    """One market: which products it has, and what trading them costs at first."""

    market: str
    product_type: str
    default_fees: FeeSchedule
    as_of: str
    source: str


VENUES: Final[dict[str, CoinbaseMarket]] = {
    "spot": CoinbaseMarket(
        market="spot",
        product_type="SPOT",
        default_fees=FeeSchedule(maker=Decimal("0.006"), taker=Decimal("0.012")),
        as_of="2026-11-22",
        source="docs.cdp.coinbase.com advanced-trade; fees: first tier",
    ),
    "futures": CoinbaseMarket(
        market="futures",
        product_type="FUTURE",
        default_fees=FeeSchedule(maker=Decimal(0), taker=Decimal("0.0003")),
        as_of="2026-11-22",
        source="docs.cdp.coinbase.com advanced-trade, CFM products; fees: first tier",
    ),
}

LIMITS: Final = RateSettings(
    limits=(RateLimit(name="private", limit=30, span=SECOND, scope=RateScope.ACCOUNT),)
)
"""30 requests a second for an account (docs.cdp.coinbase.com, from a partial page, 2026-11-22)."""
