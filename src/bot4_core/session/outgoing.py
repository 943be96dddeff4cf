"""What leaves for a venue: orders now or not at all, everything else as soon as there is room."""

import heapq
from collections.abc import Callable, Iterator
from typing import Final

from bot4_core.domain_types.rate_limits import RateSettings
from bot4_core.orders.rate_budget import NEVER, RateBudget
from bot4_core.plugins.exchange import Outbound

__all__ = ["Outgoing"]

MS: Final = 1_000_000


class Outgoing:
    """Requests on their way to a venue, never more of them than it takes.

    An order that finds no room does not wait: its price would be an old one when it arrived.
    Cancels, queries and requests for data wait, and leave in this order.

    Parameters
    ----------
    limits : RateSettings or None
        What the adapter declares; None for no limits.
    send : callable
        Takes a request and the time, ns.
    instruments : int
        For limits by instrument.

    Attributes
    ----------
    budget : RateBudget or None
        Is told what the venue says is used.
    refused, delayed : int
        Orders that found no room, and other requests that had to wait for it.
    """

    def __init__(
        self,
        limits: RateSettings | None,
        send: Callable[[Outbound, int], None],
        instruments: int,
    ) -> None:
        self.budget = None if limits is None else RateBudget(limits, instruments=instruments)
        self.refused = 0
        self.delayed = 0
        self._send = send
        self._waiting: list[tuple[int, int, Outbound]] = []
        self._count = 0

    @property
    def waiting(self) -> int:
        """Requests that wait for room."""
        return len(self._waiting)

    @property
    def warnings(self) -> Iterator[str]:
        """What the limits kept from leaving."""
        if self.refused:
            yield f"rate limits of the venue kept {self.refused} orders back"
        if self.delayed:
            yield f"rate limits of the venue made {self.delayed} cancels and queries wait"
        if self._waiting:
            yield f"{self.waiting} requests were still waiting for room at the end"

    def order(self, outbound: Outbound, now: int) -> str:
        """Let an order leave if there is room; return why it did not, nothing if it did."""
        if self.budget is not None:
            answer = self.budget.take(outbound.cost, now)
            if not answer.granted:
                self.refused += 1
                return self._no_room(answer.not_before, now)
        self._send(outbound, now)
        return ""

    def request(self, outbound: Outbound, now: int) -> None:
        """Let anything else leave as soon as there is room.

        A request that waits already for the same order and purpose is not doubled.
        """
        if self.budget is None:
            self._send(outbound, now)
            return
        self.release(now)
        if self.budget.take(outbound.cost, now).granted:
            self._send(outbound, now)
        elif not self._waits(outbound):
            self.delayed += 1
            self._count += 1
            heapq.heappush(self._waiting, (outbound.cost.priority, self._count, outbound))

    def release(self, now: int) -> None:
        """Let leave what has waited and finds room now."""
        budget, waiting = self.budget, self._waiting
        while budget is not None and waiting and budget.take(waiting[0][2].cost, now).granted:
            self._send(heapq.heappop(waiting)[2], now)

    def _waits(self, outbound: Outbound) -> bool:
        return outbound.order >= 0 and any(
            each.order == outbound.order and priority == outbound.cost.priority
            for priority, _, each in self._waiting
        )

    def _no_room(self, not_before: int, now: int) -> str:
        if not_before >= NEVER:
            return "rate limit: the order alone is more than its share of it"
        return f"rate limit: no room for {-(-(not_before - now) // MS)} ms"
