"""Whose order the venue speaks of: by client id, or by an id of the venue heard before."""

from collections.abc import Callable
from typing import Final

from bot4_core.domain_types.records import EventFlag

__all__ = ["KnownOrders"]

FOREIGN: Final = -1
MOST: Final = 100_000


class KnownOrders:
    """Order numbers by client id and by the venue's id.

    Parameters
    ----------
    number_of : callable
        Turns a client id into an order number, -1 for foreign ones.
    """

    def __init__(self, number_of: Callable[[str], int]) -> None:
        self._number_of = number_of
        self._numbers: dict[tuple[str, int], int] = {}
        self._origins: dict[tuple[str, int], EventFlag] = {}

    def number(self, client_id: str, symbol: str, venue_id: int) -> int:
        """Return an order's number and remember the venue's id for it; -1 for a foreign one."""
        number = self._number_of(client_id)
        if number == FOREIGN:
            return self._numbers.get((symbol, venue_id), FOREIGN)
        self.remember(symbol, venue_id, number)
        return number

    def by_venue_id(self, symbol: str, venue_id: int) -> int:
        """Return the number of an order heard of before, -1 for any other."""
        return self._numbers.get((symbol, venue_id), FOREIGN)

    def remember(self, symbol: str, venue_id: int, number: int) -> None:
        """Note what number an id of the venue stands for; the oldest are forgotten."""
        if number == FOREIGN or venue_id < 0:
            return
        self._numbers[symbol, venue_id] = number
        if len(self._numbers) > MOST:
            del self._numbers[next(iter(self._numbers))]

    def mark(self, symbol: str, venue_id: int, origin: EventFlag) -> None:
        """Note that the venue made an order itself, and why."""
        self._origins[symbol, venue_id] = origin
        if len(self._origins) > MOST:
            del self._origins[next(iter(self._origins))]

    def origin(self, symbol: str, venue_id: int) -> EventFlag:
        """Return why the venue made an order, NONE for any other."""
        return self._origins.get((symbol, venue_id), EventFlag.NONE)
