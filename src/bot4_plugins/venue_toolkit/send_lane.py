"""The rate budget in front of everything that is sent."""

import asyncio
import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs

from bot4_core.domain_types.rate_limits import RateRequest, RequestPriority
from bot4_core.plugins.exchange import Exchange, Outbound, Reply
from bot4_plugins.venue_toolkit.pace import Pace

if TYPE_CHECKING:  # its kernels load numba
    from bot4_core.orders.rate_budget import RateBudget

__all__ = ["SendLane", "is_plain", "is_question"]

INSTRUMENTS: Final = 512
"""Numbers that limits by instrument tell apart; beyond, two share one, which is stricter."""
SHORTEST, LONGEST = 0.01, 1.0
SECOND: Final = 1_000_000_000
CLIENT_ERROR: Final = 400
TOO_MANY_REQUESTS: Final = 429
BANNED: Final = 418
FORBIDDEN: Final = 403
CLOSED_FOR: Final = {TOO_MANY_REQUESTS: 60, BANNED: 300, FORBIDDEN: 600}
"""Seconds without a word from the venue: a minute is its longest interval, 403 is Bybit's rule."""


def is_plain(outbound: Outbound) -> bool:
    """Tell whether it is a frame that no limit of requests counts: a subscription, a ping."""
    return not outbound.method and outbound.order < 0 and _is_data(outbound.cost)


def is_question(outbound: Outbound) -> bool:
    """Tell whether it only asks about the market."""
    return (
        outbound.method == "GET"
        and not outbound.creates
        and outbound.order < 0
        and outbound.cost.priority is RequestPriority.DATA
    )


def _is_data(cost: RateRequest) -> bool:
    return cost.priority is RequestPriority.DATA and not cost.orders


class SendLane:
    """Lets requests out as the venue's limits allow, the urgent first.

    Parameters
    ----------
    exchange : Exchange
        Declares the limits, and reads what replies say of them.
    pace : Pace
    dispatch : callable
        Sends at once; returns False if it cannot be sent at all.
    notice : callable
        Told what somebody may want to know.
    """

    def __init__(
        self,
        exchange: Exchange,
        pace: Pace,
        dispatch: Callable[[Outbound], bool],
        notice: Callable[[str], None],
    ) -> None:
        self._exchange = exchange
        self._pace = pace
        self._dispatch = dispatch
        self._notice = notice
        self._heap: list[tuple[int, int, Outbound]] = []
        self._count = 0
        self._wake = asyncio.Event()
        self.budget = _budget(exchange)

    @property
    def waiting(self) -> int:
        """Requests that wait for the venue's limits."""
        return len(self._heap)

    @property
    def closed_until(self) -> int:
        """Time before which the venue wants to hear nothing, ns UTC; 0 if it never said so."""
        return 0 if self.budget is None else self.budget.closed_until

    def submit(self, outbound: Outbound) -> bool:
        """Send now or when the limits allow; say whether it was or will be sent.

        What creates an order does not wait: the market that it was meant for would be another.
        """
        if is_plain(outbound) or self.budget is None:
            return self._dispatch(outbound)
        priority = int(outbound.cost.priority)
        first = not self._heap or priority < self._heap[0][0]
        if first and self._not_before(outbound) == 0:
            return self._dispatch(outbound)
        if outbound.creates:
            self._notice(f"no room in the rate limits for order {outbound.order}")
            return False
        self._count += 1
        heapq.heappush(self._heap, (priority, self._count, outbound))
        self._wake.set()
        return True

    def admit(self, outbound: Outbound) -> bool:
        """Book what somebody else sends at once; False if the limits do not allow it now."""
        return self._not_before(outbound) == 0

    async def keep(self) -> None:
        """Send what waits, as soon as the limits allow."""
        while True:
            if not self._heap:
                self._wake.clear()
                await self._wake.wait()
            outbound = self._heap[0][2]
            wait = self._not_before(outbound) - self._pace.now()
            if wait <= 0:
                heapq.heappop(self._heap)
                self._dispatch(outbound)
            else:
                await self._pace.sleep(min(max(wait / SECOND, SHORTEST), LONGEST))

    def heed(self, reply: Reply) -> None:
        """Take what a reply says of the limits."""
        now = self._pace.now()
        if self.budget is None:
            return
        for name, used in self._exchange.usage(reply):
            self.budget.observe(name, used, now)
        said = dict(reply.headers).get("retry-after", "") if reply.status >= CLIENT_ERROR else ""
        seconds = _seconds(said) or CLOSED_FOR.get(reply.status, 0)
        if seconds:
            self._notice(f"the venue wants no request for {seconds} s (status {reply.status})")
            self.budget.close(now + seconds * SECOND)

    def _not_before(self, outbound: Outbound) -> int:
        """Book a request and return 0, or return when it may go."""
        if self.budget is None:
            return 0
        cost = outbound.cost
        if cost.instrument >= INSTRUMENTS:
            cost = attrs.evolve(cost, instrument=cost.instrument % INSTRUMENTS)
        admission = self.budget.take(cost, self._pace.now())
        return 0 if admission.granted else admission.not_before


def _budget(exchange: Exchange) -> "RateBudget | None":
    limits = exchange.rate_limits
    if limits is None:
        return None
    from bot4_core.orders.rate_budget import RateBudget  # noqa: PLC0415 - loads numba

    return RateBudget(limits, instruments=INSTRUMENTS)


def _seconds(text: str) -> int:
    """Read ``Retry-After``; dates are not sent by any venue known here."""
    return min(int(text), 86_400 * 3) if text.isdecimal() else 0
