"""How long to wait before trying again, and who may try: reconnects must not become a storm."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.rate_limits import (
    RateLimit,
    RateRequest,
    RateSettings,
    RequestPriority,
)
from bot4_plugins.venue_toolkit.pace import Pace

if TYPE_CHECKING:  # its kernels load numba
    from bot4_core.orders.rate_budget import RateBudget

__all__ = ["CONNECT_LIMITS", "Backoff", "HostGates", "ResyncPacing", "compile_limits"]

FIRST: Final = 0.25
LONGEST: Final = 30.0
SECOND: Final = 1_000_000_000
CALM: Final = 60 * SECOND
"""After so long without a gap a book is trusted again, and its next snapshot comes at once."""
CONNECT: Final = RateRequest(priority=RequestPriority.CANCEL)
CONNECT_LIMITS: Final = RateSettings(
    limits=(
        RateLimit(name="3 in a second", limit=3, span=Nanoseconds(SECOND)),
        RateLimit(name="50 in a minute", limit=50, span=Nanoseconds(60 * SECOND)),
    ),
    cancel_reserve=Decimal(0),
    query_reserve=Decimal(0),
    order_reserve=Decimal(0),
)
"""The tightest that any venue known here allows: OKX 3 a second, Binance 300 in 5 minutes."""


class Backoff:
    """Exponential waits with full jitter (Brooker, 2015, "Exponential Backoff And Jitter").

    Parameters
    ----------
    pace : Pace
    first, longest : float
        Seconds; the wait is drawn evenly from nothing up to a bound that doubles each time.
    """

    def __init__(self, pace: Pace, first: float = FIRST, longest: float = LONGEST) -> None:
        self._pace = pace
        self._first = first
        self._longest = longest
        self.attempts = 0

    def delay(self) -> float:
        """Return how long to wait now, seconds, and wait longer the next time."""
        bound = min(self._longest, self._first * 2.0 ** min(self.attempts, 32))
        self.attempts += 1
        return self._pace.draw() * bound

    def reset(self) -> None:
        """Take note that it worked."""
        self.attempts = 0


class ResyncPacing:
    """Says when a book may be asked for whole: at once, and then ever later.

    Parameters
    ----------
    pace : Pace
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._asked: dict[int, tuple[Backoff, int]] = {}

    def wait(self, instrument: int) -> float | None:
        """Return how long to wait, seconds; None while an earlier question waits."""
        now = self._pace.elapsed()
        backoff, until = self._asked.get(instrument, (Backoff(self._pace), 0))
        if now < until:
            return None
        if now - until > CALM:
            backoff.reset()
        wait = backoff.delay() if backoff.attempts else 0.0
        backoff.attempts = max(backoff.attempts, 1)
        self._asked[instrument] = (backoff, now + int(wait * SECOND))
        return wait


def compile_limits() -> None:
    """Compile what rate limits need, before anything on the network waits for it."""
    from bot4_core.orders.rate_budget import RateBudget  # noqa: PLC0415 - loads numba

    RateBudget(CONNECT_LIMITS).take(CONNECT, 0)


class HostGates:
    """Lets one connection a host be opened at a time, and no more than venues allow.

    Parameters
    ----------
    pace : Pace
    limits : RateSettings
        Of each host.
    """

    def __init__(self, pace: Pace, limits: RateSettings = CONNECT_LIMITS) -> None:
        self._pace = pace
        self._limits = limits
        self._gates: dict[str, tuple[asyncio.Lock, RateBudget]] = {}

    @asynccontextmanager
    async def turn(self, url: str) -> AsyncIterator[None]:
        """Wait for one's turn to open a connection to a host, and hold it meanwhile."""
        lock, budget = self._gate(urlsplit(url).hostname or "")
        async with lock:
            while not (admission := budget.take(CONNECT, self._pace.elapsed())).granted:
                await self._pace.sleep((admission.not_before - self._pace.elapsed()) / 1e9)
            yield

    def _gate(self, host: str) -> "tuple[asyncio.Lock, RateBudget]":
        if host not in self._gates:
            from bot4_core.orders.rate_budget import RateBudget  # noqa: PLC0415 - loads numba

            self._gates[host] = (asyncio.Lock(), RateBudget(self._limits))
        return self._gates[host]
