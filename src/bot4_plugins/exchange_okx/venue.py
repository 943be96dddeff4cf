"""What is known of the venue: hosts, paths, limits, fees; each with its date and its source."""

from decimal import Decimal
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.instruments import FeeSchedule, InstrumentStatus
from bot4_core.domain_types.rate_limits import RateLimit, RateScope, RateSettings, RateUnit
from bot4_core.domain_types.records import ChainRule

__all__ = ["AS_OF", "BOOKS", "HOSTS", "SOURCE", "STATUS", "VENUES", "OkxFacts", "OkxHosts"]

AS_OF: Final = "2026-11-22"
SOURCE: Final = "okx.com API notices (2026-02 to 2026-06); nautilus_trader@a95c804"
SECOND: Final = 1_000_000_000
PING_EVERY: Final = Nanoseconds(20 * SECOND)
SILENCE: Final = Nanoseconds(30 * SECOND)
"""After which the venue drops a socket."""
BOOK_SILENCE: Final = Nanoseconds(120 * SECOND)
"""A book without changes is confirmed about once a minute."""
SNAPSHOT_PATIENCE: Final = Nanoseconds(5 * SECOND)
"""How long a subscribed book's snapshot is waited for before it is asked for."""

BOOKS: Final[dict[str, int]] = {
    "books": 400,
    "books5": 5,
    "books50-l2-tbt": 50,
    "books-l2-tbt": 400,
}
"""Levels a side of the book channels; the last two need a VIP level and a login."""


@attrs.frozen(kw_only=True)
class OkxHosts:
    """Where one of the venue's sites is; keys are bound to theirs."""

    rest: str
    stream: str


HOSTS: Final[dict[str, OkxHosts]] = {
    "global": OkxHosts(rest="https://www.okx.com", stream="wss://ws.okx.com:8443/ws/v5"),
    "eea": OkxHosts(rest="https://eea.okx.com", stream="wss://wseea.okx.com:8443/ws/v5"),
    "us": OkxHosts(rest="https://us.okx.com", stream="wss://wsus.okx.com:8443/ws/v5"),
    "demo": OkxHosts(rest="https://www.okx.com", stream="wss://wspap.okx.com:8443/ws/v5"),
}


@attrs.frozen(kw_only=True)
class OkxFacts:
    """One market's rules.

    Parameters
    ----------
    market : str
    kind : str
        The venue's ``instType``.
    kinds : frozenset of str
        Those that orders and positions of this market carry.
    """

    market: str
    venue: str = "okx"
    kind: str
    kinds: frozenset[str]
    chain: ChainRule = ChainRule.LINK
    default_fees: FeeSchedule
    ping_every: Nanoseconds = PING_EVERY
    silence: Nanoseconds = SILENCE
    book_silence: Nanoseconds = BOOK_SILENCE
    snapshot_patience: Nanoseconds = SNAPSHOT_PATIENCE
    orders_per_two_seconds: int = 60
    requests_per_two_seconds: int = 20
    as_of: str = AS_OF
    source: str = SOURCE

    @property
    def rate_limits(self) -> RateSettings:
        """The limits that requests of this market are counted against."""
        return RateSettings(
            limits=(
                RateLimit(
                    name="requests",
                    limit=self.requests_per_two_seconds,
                    span=Nanoseconds(2 * SECOND),
                    unit=RateUnit.WEIGHT,
                ),
                RateLimit(
                    name="orders",
                    limit=self.orders_per_two_seconds,
                    span=Nanoseconds(2 * SECOND),
                    unit=RateUnit.ORDERS,
                    scope=RateScope.INSTRUMENT,
                ),
            )
        )


_CONTRACT_FEES: Final = FeeSchedule(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
VENUES: Final[dict[str, OkxFacts]] = {
    "spot": OkxFacts(
        market="spot",
        kind="SPOT",
        kinds=frozenset({"SPOT", "MARGIN"}),
        default_fees=FeeSchedule(maker=Decimal("0.0008"), taker=Decimal("0.001")),
    ),
    "swap": OkxFacts(
        market="swap", kind="SWAP", kinds=frozenset({"SWAP"}), default_fees=_CONTRACT_FEES
    ),
    "futures": OkxFacts(
        market="futures", kind="FUTURES", kinds=frozenset({"FUTURES"}), default_fees=_CONTRACT_FEES
    ),
}

STATUS: Final[dict[str, InstrumentStatus]] = {
    "live": InstrumentStatus.TRADING,
    "suspend": InstrumentStatus.HALTED,
    "rebase": InstrumentStatus.HALTED,
    "post_only": InstrumentStatus.POST_ONLY,
    "preopen": InstrumentStatus.HALTED,
    "expired": InstrumentStatus.DELISTED,
    "test": InstrumentStatus.HALTED,
}
"""What the venue's words for an instrument's state mean; an unlisted word means UNKNOWN."""
