"""What adapters declare of their venues."""

from typing import TypeVar

from hypothesis import strategies as st

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.orders import OrderLinkKind, TriggerSource
from bot4_core.domain_types.rate_limits import (
    RateKind,
    RateLimit,
    RateRequest,
    RateScope,
    RateSettings,
    RateUnit,
    RequestPriority,
)
from bot4_core.domain_types.records import EventKind, OrderFlag, OrderType, TimeInForce
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute

__all__ = ["capabilities", "rate_limits", "rate_requests", "rate_settings"]

T = TypeVar("T")
SECOND = 1_000_000_000


def rate_limits(name: str = "all") -> st.SearchStrategy[RateLimit]:
    """Draw a limit that leaves room to requests of every priority."""
    return st.builds(
        RateLimit,
        name=st.just(name),
        limit=st.integers(20, 100_000),
        span=st.integers(SECOND, 3_600 * SECOND).map(Nanoseconds),
        unit=st.sampled_from(RateUnit),
        scope=st.sampled_from(RateScope),
        kind=st.sampled_from(RateKind),
    )


def rate_settings() -> st.SearchStrategy[RateSettings]:
    """Draw a venue's limits."""
    names = ("weight", "orders", "requests")
    limits = st.integers(1, len(names)).flatmap(
        lambda count: st.tuples(*(rate_limits(name) for name in names[:count]))
    )
    return st.builds(RateSettings, limits=limits)


def rate_requests() -> st.SearchStrategy[RateRequest]:
    """Draw what a request costs."""
    return st.builds(
        RateRequest,
        priority=st.sampled_from(RequestPriority),
        weight=st.integers(0, 50),
        orders=st.integers(0, 5),
        instrument=st.integers(-1, 5),
    )


def capabilities() -> st.SearchStrategy[Capabilities]:
    """Draw what a market offers."""
    return st.builds(
        Capabilities,
        data=_some(st.sampled_from(EventKind)),
        proof=st.sampled_from(BookProof),
        depths=_some(st.integers(0, 1_000)),
        order_types=_some(st.sampled_from(OrderType)),
        times_in_force=_some(st.sampled_from(TimeInForce)),
        flags=st.sampled_from([OrderFlag.NONE, *OrderFlag]),
        trigger_sources=_some(st.sampled_from(TriggerSource)),
        linked=_some(st.sampled_from(OrderLinkKind)),
        routes=_some(st.sampled_from(RequestRoute)),
        amend=st.booleans(),
        as_of=st.dates().map(str),
        source=st.text(min_size=1, max_size=20),
    )


def _some(values: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(values, unique=True, max_size=4).map(tuple)
