"""Rate budgets as lists of everything that was ever spent."""

from fractions import Fraction
from math import ceil


class SlowMeter:
    """One limit: all its spends, looked through from the start each time."""

    def __init__(self, limit: int, span: int, ceilings: tuple[int, ...], drains: bool) -> None:
        self.limit = limit
        self.span = span
        self.ceilings = ceilings
        self.drains = drains
        self.closed = 0
        self.spends: list[tuple[int, Fraction]] = []

    def used(self, now: int) -> Fraction:
        if not self.drains:
            return sum((cost for time, cost in self.spends if time > now - self.span), Fraction(0))
        level, last = Fraction(0), 0
        for time, cost in [*self.spends, (now, Fraction(0))]:
            level = max(level - Fraction(self.limit * (time - last), self.span), Fraction(0)) + cost
            last = time
        return level

    def earliest(self, cost: int, priority: int, now: int) -> int | None:
        """Return the first time with room; None if there never is."""
        room = self.ceilings[priority] - cost
        if room < 0:
            return None
        if self.drains:
            over = max(self.used(now) - room, Fraction(0)) * self.span / self.limit
            return max(now + ceil(over), self.closed)
        times = [now, *(time + self.span for time, _ in self.spends)]
        free = min(time for time in times if time >= now and self.used(time) <= room)
        return max(free, self.closed)

    def observe(self, used: int, now: int) -> None:
        if not self.drains and used >= self.limit:
            self.spends = [(now, Fraction(self.limit))]
        elif used > self.used(now):
            self.spends.append((now, used - self.used(now)))


def most_in_a_window(arrivals: list[tuple[int, int]], span: int) -> int:
    """Return the largest sum of costs in any half-open window of a span."""
    return max(
        (sum(cost for time, cost in arrivals if end - span < time <= end) for end, _ in arrivals),
        default=0,
    )
