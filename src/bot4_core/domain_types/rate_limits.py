"""What a venue allows a client in which time, as its adapter declares it."""

from collections.abc import Iterator
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Final

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.errors import ValidationError

__all__ = [
    "RateKind",
    "RateLimit",
    "RateRequest",
    "RateScope",
    "RateSettings",
    "RateUnit",
    "RequestPriority",
]

NO_INSTRUMENT: Final = -1
MOST: Final = 2**60
SLACK: Final = Nanoseconds(100_000_000)


class RequestPriority(IntEnum):
    """What a request is for; the first is let out when nothing else is."""

    CANCEL = 0
    QUERY = 1
    ORDER = 2
    DATA = 3


class RateUnit(StrEnum):
    """What a limit counts."""

    REQUESTS = "requests"
    WEIGHT = "weight"
    ORDERS = "orders"


class RateScope(StrEnum):
    """Whose requests a limit counts together."""

    ADDRESS = "address"  # all that come from this machine
    ACCOUNT = "account"
    INSTRUMENT = "instrument"  # of one account


class RateKind(StrEnum):
    """How what was spent is forgotten."""

    SLIDING = "sliding"  # all of it, a span later; stricter than a venue's fixed intervals
    DRAINING = "draining"  # evenly: a counter that falls by the limit in each span


@attrs.frozen(kw_only=True)
class RateLimit:
    """One limit of a venue.

    Parameters
    ----------
    name : str
        As it is told of and fed back.
    limit : int
        Units in a span.
    span : int
        Nanoseconds; of a draining limit, how long the counter takes from the limit to zero.
    """

    name: str
    limit: int
    span: Nanoseconds
    unit: RateUnit = RateUnit.REQUESTS
    scope: RateScope = RateScope.ADDRESS
    kind: RateKind = RateKind.SLIDING


@attrs.frozen(kw_only=True)
class RateSettings:
    """A venue's limits, and how they are shared out.

    Parameters
    ----------
    limits : tuple of RateLimit
    cancel_reserve, query_reserve, order_reserve : Decimal
        Fractions of every limit that only cancels may use; that only cancels and queries may
        use; and that everything but market data may use, each on top of the one before. Rounded
        up to whole units.
    slack : int
        How much longer than another one a request may travel, ns: the venue counts arrivals, so
        spends count for that much longer here.

    Raises
    ------
    ValidationError
        All faults at once; for instance where the reserves leave nothing to new orders.
    """

    limits: tuple[RateLimit, ...]
    cancel_reserve: Decimal = Decimal("0.1")
    query_reserve: Decimal = Decimal("0.1")
    order_reserve: Decimal = Decimal("0.3")
    slack: Nanoseconds = SLACK

    def __attrs_post_init__(self) -> None:
        faults = [*self._faults()]
        if faults:
            raise ValidationError(faults)

    def held_for(self, limit: RateLimit) -> int:
        """Return how long a spend counts, ns."""
        return limit.span + (self.slack if limit.kind is RateKind.SLIDING else 0)

    def ceilings(self, limit: RateLimit) -> tuple[int, ...]:
        """Return how far a request of each priority may bring a limit, highest priority first."""
        top = limit.limit
        if limit.kind is RateKind.DRAINING:
            top -= -(-limit.limit * self.slack // limit.span)
        reserves = (self.cancel_reserve, self.query_reserve, self.order_reserve)
        ceilings = [top]
        for reserve in reserves:
            numerator, denominator = reserve.as_integer_ratio()
            ceilings.append(ceilings[-1] - -(-limit.limit * numerator // denominator))
        return tuple(max(ceiling, 0) for ceiling in ceilings)

    def _faults(self) -> Iterator[tuple[str, str]]:
        for name in ("cancel_reserve", "query_reserve", "order_reserve"):
            reserve: Decimal = getattr(self, name)
            if reserve.is_nan() or not 0 <= reserve < 1:
                yield name, f"{reserve} is not a fraction from 0 to below 1"
                return
        if self.slack < 0:
            yield "slack", f"{self.slack} ns is below zero"
        names = [limit.name for limit in self.limits]
        for at, limit in enumerate(self.limits):
            path = f"limits[{at}]"
            if not limit.name or limit.name in names[:at]:
                yield f"{path}.name", f"{limit.name!r} is empty or another limit's"
            if limit.limit <= 0 or limit.span <= 0:
                yield path, f"{limit.limit} in {limit.span} ns, expected more than none of both"
            elif limit.limit * self.held_for(limit) >= MOST:
                yield path, f"{limit.limit} in {limit.span} ns is more than can be counted"
            elif self.ceilings(limit)[RequestPriority.ORDER] < 1:
                yield path, f"the reserves and the slack leave nothing of {limit.limit} to orders"


@attrs.frozen(kw_only=True)
class RateRequest:
    """What a request costs the limits that it falls under.

    Parameters
    ----------
    priority : RequestPriority
    weight : int
        Against limits of weight.
    orders : int
        Against limits of orders; some venues count cancels there, most do not.
    account : int
    instrument : int
        Below zero for requests that limits by instrument do not count.
    """

    priority: RequestPriority
    weight: int = 1
    orders: int = 0
    account: int = 0
    instrument: int = NO_INSTRUMENT
