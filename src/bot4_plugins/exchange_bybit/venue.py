"""What is known of the venue: hosts, paths, limits, fees; each with its date and its source."""

from decimal import Decimal
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import FeeSchedule, InstrumentStatus, Settlement
from bot4_core.domain_types.rate_limits import RateLimit, RateScope, RateSettings, RateUnit
from bot4_core.domain_types.records import ChainRule

__all__ = ["AS_OF", "DEPTHS", "SOURCE", "STATUS", "VENUES", "BybitFacts"]

AS_OF: Final = "2026-11-22"
SOURCE: Final = "bybit-exchange/docs@072c197 (2026-07-24)"
SECOND: Final = 1_000_000_000
PING_EVERY: Final = Nanoseconds(20 * SECOND)
SILENCE: Final = Nanoseconds(45 * SECOND)
"""Two pings and a margin without an answer."""
BOOK_SILENCE: Final = Nanoseconds(120 * SECOND)
DEPTHS: Final = (1, 50, 200, 1000)
"""Levels a side of the book streams."""


@attrs.frozen(kw_only=True)
class BybitFacts:
    """One market's addresses and rules.

    Parameters
    ----------
    market : str
        Also the venue's ``category``.
    settlement : Settlement
    public, private, trade, status, rest : str
        Addresses.
    topics_per_frame : int
        In one subscription; 0 for no such rule.
    orders_per_second : int
        Creations, changes and cancellations of an account, each counted by the venue for itself.
    """

    market: str
    venue: str = "bybit"
    settlement: Settlement
    public: str
    private: str = "wss://stream.bybit.com/v5/private"
    trade: str = "wss://stream.bybit.com/v5/trade"
    status: str = "wss://stream.bybit.com/v5/public/misc/status"
    rest: str = "https://api.bybit.com"
    chain: ChainRule = ChainRule.STEP
    default_fees: FeeSchedule
    topics_per_frame: int = 0
    ping_every: Nanoseconds = PING_EVERY
    silence: Nanoseconds = SILENCE
    book_silence: Nanoseconds = BOOK_SILENCE
    requests_per_five_seconds: int = 600
    orders_per_second: int
    as_of: str = AS_OF
    source: str = SOURCE

    @property
    def rate_limits(self) -> RateSettings:
        """The limits that requests of this market are counted against."""
        return RateSettings(
            limits=(
                RateLimit(
                    name="ip",
                    limit=self.requests_per_five_seconds,
                    span=Nanoseconds(5 * SECOND),
                ),
                RateLimit(
                    name=f"{self.market}-orders",
                    limit=self.orders_per_second,
                    span=Nanoseconds(SECOND),
                    unit=RateUnit.ORDERS,
                    scope=RateScope.ACCOUNT,
                ),
            )
        )


VENUES: Final[dict[str, BybitFacts]] = {
    "spot": BybitFacts(
        market="spot",
        settlement=Settlement.SPOT,
        public="wss://stream.bybit.com/v5/public/spot",
        default_fees=FeeSchedule(maker=Decimal("0.001"), taker=Decimal("0.001")),
        topics_per_frame=10,
        orders_per_second=20,
    ),
    "linear": BybitFacts(
        market="linear",
        settlement=Settlement.LINEAR,
        public="wss://stream.bybit.com/v5/public/linear",
        default_fees=FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.00055")),
        orders_per_second=10,
    ),
    "inverse": BybitFacts(
        market="inverse",
        settlement=Settlement.INVERSE,
        public="wss://stream.bybit.com/v5/public/inverse",
        default_fees=FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.00055")),
        orders_per_second=10,
    ),
}

STATUS: Final[dict[str, InstrumentStatus]] = {
    "Trading": InstrumentStatus.TRADING,
    "PreLaunch": InstrumentStatus.HALTED,
    "Delivering": InstrumentStatus.HALTED,
    "Settling": InstrumentStatus.HALTED,
    "Closed": InstrumentStatus.DELISTED,
}
"""What the venue's words for a symbol's state mean; an unlisted word means UNKNOWN."""
