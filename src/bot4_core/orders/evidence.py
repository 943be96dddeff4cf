"""The statuses that evidence can lead to.

An order does not *move* from status to status; it *gathers evidence*, and its status is a function
of what was gathered (``kernels.order_evidence``). The table ``TRANSITIONS`` lists the moves that
one more piece of evidence can cause; an exhaustive test holds it equal to what that function does.

A terminal status never leads back to a working one. Between terminal statuses only stronger
evidence moves an order, always the same way: ``REJECTED → EXPIRED → CANCELED → FILLED``, where
``FILLED`` is reached by fills alone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot4_core.domain_types.records import OrderStatus

__all__ = ["TERMINAL", "TRANSITIONS", "may_become"]

TERMINAL: Final = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)
"""Statuses in which no quantity works; late fills are still booked."""

_ASKED: Final = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE})
_WORKING: Final = _ASKED | {OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING, OrderStatus.PARTIAL}
_BEFORE: Final = frozenset({OrderStatus.CREATED, OrderStatus.SUBMITTED, OrderStatus.UNKNOWN})

TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = MappingProxyType(
    {
        OrderStatus.CREATED: TERMINAL | _WORKING | {OrderStatus.SUBMITTED, OrderStatus.UNKNOWN},
        OrderStatus.SUBMITTED: TERMINAL | _WORKING | {OrderStatus.UNKNOWN},
        OrderStatus.UNKNOWN: TERMINAL | _WORKING,
        OrderStatus.TRIGGER_PENDING: TERMINAL | _ASKED | {OrderStatus.OPEN, OrderStatus.PARTIAL},
        OrderStatus.OPEN: TERMINAL | _ASKED | {OrderStatus.PARTIAL},
        OrderStatus.PARTIAL: TERMINAL | _ASKED | {OrderStatus.OPEN},  # back when a trade is busted
        OrderStatus.PENDING_CANCEL: TERMINAL | _BEFORE | _WORKING - {OrderStatus.PENDING_CANCEL},
        OrderStatus.PENDING_REPLACE: TERMINAL | _BEFORE | _WORKING - {OrderStatus.PENDING_REPLACE},
        OrderStatus.REJECTED: frozenset(
            {OrderStatus.EXPIRED, OrderStatus.CANCELED, OrderStatus.FILLED}
        ),
        OrderStatus.EXPIRED: frozenset({OrderStatus.CANCELED, OrderStatus.FILLED}),
        OrderStatus.CANCELED: frozenset({OrderStatus.FILLED}),
        OrderStatus.FILLED: frozenset(),
    }
)
"""From each status, those that one more piece of evidence can lead to."""


def may_become(before: OrderStatus, after: OrderStatus) -> bool:
    """Tell whether one piece of evidence can lead from one status to another."""
    return before == after or after in TRANSITIONS.get(before, frozenset())
