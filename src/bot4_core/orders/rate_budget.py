"""When a request may leave, so that no limit of the venue is ever passed."""

from typing import Final, NamedTuple

import numpy as np

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.rate_limits import (
    RateKind,
    RateLimit,
    RateRequest,
    RateScope,
    RateSettings,
    RateUnit,
)
from bot4_core.kernels.atomics import Words
from bot4_core.kernels.rate_budget import (
    CAPACITY,
    CEILING,
    CLOSED,
    DRAINS,
    FIRST,
    LIMIT,
    METER_WORDS,
    NEVER,
    SPAN,
    USED,
    admit,
    observe,
    release,
)

__all__ = ["NEVER", "Admission", "RateBudget"]

KNOWN: Final = 4096  # requests of which the charges are remembered


class Admission(NamedTuple):
    """The answer: go now, or not before a time.

    Parameters
    ----------
    granted : bool
    not_before : int
        When it may go if nothing else does, ns; ``NEVER`` for a request that is larger than its
        share of a limit.
    """

    granted: bool
    not_before: Nanoseconds


class RateBudget:
    """The limits of one venue as far as they are spent.

    In no span of a sliding limit, wherever it begins, more is let out than the limit. Requests of
    lower priority leave the reserves of the higher alone, so a cancel has room when quotes and
    queries have used up theirs. What the venue reports raises the account of what is used and
    never lowers it; after a refusal or a ban nothing leaves, cancels included, until the time
    that the venue said. Time only comes in as an argument; one earlier than before counts as the
    latest that was said.

    Parameters
    ----------
    settings : RateSettings
    instruments : int
        Numbers of instruments from 0 up, for limits by instrument.
    accounts : int
    """

    def __init__(self, settings: RateSettings, *, instruments: int = 0, accounts: int = 1) -> None:
        self.settings = settings
        self._instruments = instruments
        self._accounts = accounts
        self._closed = Nanoseconds(0)
        self._now = 0
        self._first: dict[str, int] = {}
        self._limits = {limit.name: limit for limit in settings.limits}
        rows: list[list[int]] = []
        used = 0
        for limit in settings.limits:
            self._first[limit.name] = len(rows)
            for _ in range(self._copies(limit)):
                rows.append(self._meter(limit, used))
                used += limit.limit if limit.kind is RateKind.SLIDING else 0
        self._meters: Words = np.array(rows, np.int64).reshape(len(rows), METER_WORDS)
        self._log: Words = np.zeros((used, 2), np.int64)
        self._known: dict[RateRequest, Words] = {}

    @property
    def closed_until(self) -> Nanoseconds:
        """Time before which nothing leaves, as the venue said; 0 if it never did."""
        return self._closed

    def take(self, request: RateRequest, now: int) -> Admission:
        """Book a request if it may go now.

        Raises
        ------
        IndexError
            If there is no such account or instrument.
        """
        return self._admit(request, now, take=True)

    def ask(self, request: RateRequest, now: int) -> Admission:
        """Tell whether a request may go now, without booking it; raises as `take`."""
        return self._admit(request, now, take=False)

    def used(self, name: str, now: int, *, account: int = 0, instrument: int = 0) -> int:
        """Return how much of a limit is used, rounded up.

        Raises
        ------
        KeyError
            If there is no limit of this name.
        """
        row = self._row(self._limits[name], account, instrument)
        release(self._meters, self._log, row, self._moved(now))
        used = int(self._meters[row, USED])
        return -(-used // int(self._meters[row, SPAN])) if self._meters[row, DRAINS] else used

    def observe(
        self, name: str, used: int, now: int, *, account: int = 0, instrument: int = 0
    ) -> None:
        """Take what the venue says is used of a limit, for instance in a header of its reply.

        Raises
        ------
        KeyError
            If there is no limit of this name.
        """
        row = self._row(self._limits[name], account, instrument)
        observe(self._meters, self._log, row, used, self._moved(now))

    def close(self, until: int) -> None:
        """Let nothing out before a time: the venue said when to try again, or banned us."""
        self._closed = max(self._closed, Nanoseconds(until))

    def close_limit(self, name: str, until: int, *, account: int = 0, instrument: int = 0) -> None:
        """Let nothing out before a time of what one limit counts.

        Raises
        ------
        KeyError
            If there is no limit of this name.
        """
        row = self._row(self._limits[name], account, instrument)
        self._meters[row, CLOSED] = max(int(self._meters[row, CLOSED]), until)

    def _admit(self, request: RateRequest, now: int, *, take: bool) -> Admission:
        charges = self._known.get(request)
        if charges is None:
            if len(self._known) >= KNOWN:
                self._known.clear()
            charges = self._known[request] = self._charges(request)
        now = self._moved(now)
        taking = take and now >= self._closed
        priority = int(request.priority)
        time = admit(self._meters, self._log, charges, priority, now, taking)
        if time < NEVER:
            time = max(time, self._closed)
        return Admission(time <= now, Nanoseconds(time))

    def _charges(self, request: RateRequest) -> Words:
        """Return which meters a request falls under, and what it costs there."""
        charges = []
        for limit in self.settings.limits:
            cost = _cost(limit, request)
            if cost > 0 and (limit.scope is not RateScope.INSTRUMENT or request.instrument >= 0):
                charges.append((self._row(limit, request.account, request.instrument), cost))
        return np.array(charges, np.int64).reshape(len(charges), 2)

    def _moved(self, now: int) -> int:
        self._now = max(self._now, now)
        return self._now

    def _row(self, limit: RateLimit, account: int, instrument: int) -> int:
        row = 0
        if limit.scope is not RateScope.ADDRESS:
            row = _within(account, self._accounts, "account")
        if limit.scope is RateScope.INSTRUMENT:
            row *= self._instruments
            row += _within(instrument, self._instruments, "instrument")
        return self._first[limit.name] + row

    def _copies(self, limit: RateLimit) -> int:
        if limit.scope is RateScope.ADDRESS:
            return 1
        by_instrument = limit.scope is RateScope.INSTRUMENT
        return self._accounts * (self._instruments if by_instrument else 1)

    def _meter(self, limit: RateLimit, first: int) -> list[int]:
        row = [0] * METER_WORDS
        row[LIMIT], row[SPAN] = limit.limit, self.settings.held_for(limit)
        row[DRAINS], row[FIRST] = limit.kind is RateKind.DRAINING, first
        row[CAPACITY] = limit.limit
        row[CEILING:] = self.settings.ceilings(limit)
        return row


def _cost(limit: RateLimit, request: RateRequest) -> int:
    if limit.unit is RateUnit.REQUESTS:
        return 1
    return request.weight if limit.unit is RateUnit.WEIGHT else request.orders


def _within(number: int, count: int, what: str) -> int:
    if not 0 <= number < count:
        raise IndexError(f"{what} {number}, there are {count}")
    return number
