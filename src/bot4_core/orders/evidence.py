"""What is known of an order, and the status that follows from it.

An order does not *move* from status to status; it *gathers evidence*, and its status is a function
of what was gathered. Evidence only ever adds up (a set of facts, a set of fills, the latest of two
times), so the same evidence in any order and with any repetition ends in the same status. The
table ``TRANSITIONS`` lists the moves that one more piece of evidence can cause; an exhaustive test
holds it equal to what ``status_of`` does.

A terminal status never leads back to a working one. Between terminal statuses only stronger
evidence moves an order, always the same way: ``REJECTED → EXPIRED → CANCELED → FILLED``, where
``FILLED`` is reached by fills alone.
"""

from collections.abc import Mapping
from enum import IntEnum, IntFlag
from types import MappingProxyType
from typing import Final

from bot4_core.domain_types.records import EventKind, OrderStatus

__all__ = [
    "TERMINAL",
    "TRANSITIONS",
    "Fact",
    "LocalEvidence",
    "OrderAlarm",
    "fact_of",
    "may_become",
    "status_of",
]


class LocalEvidence(IntEnum):
    """What we know of an order without the venue; the numbers do not meet ``EventKind``'s."""

    SENT = 101  # its bytes left
    TIMED_OUT = 102  # no reply in time: the outcome is unknown, not negative
    CANCEL_REQUESTED = 103  # a cancel left
    WITHHELD = 104  # its bytes will never leave (refused after the intent was recorded)
    NEVER_ARRIVED = 105  # the venue can no longer accept it and does not know it


class Fact(IntFlag):
    """One bit for each thing that can be known of an order, fills apart."""

    NONE = 0
    SENT = 1
    TIMED_OUT = 2
    ACCEPTED = 4
    CANCELED = 8
    EXPIRED = 16
    REJECTED = 32
    WITHHELD = 64
    NEVER_ARRIVED = 128


class OrderAlarm(IntFlag):
    """What is wrong with an order's evidence; each is a reason to stop and look."""

    NONE = 0
    OVERFILLED = 1  # more was filled than ordered
    CONTRADICTED = 2  # two pieces of evidence cannot both be true
    EXTERNAL = 4  # a fill of an order that this run did not make
    FEE_ASSET = 8  # a fee in an asset that nobody named


FACTS: Final[Mapping[int, int]] = MappingProxyType(
    {
        LocalEvidence.SENT: int(Fact.SENT),
        LocalEvidence.TIMED_OUT: int(Fact.TIMED_OUT),
        LocalEvidence.CANCEL_REQUESTED: 0,
        LocalEvidence.WITHHELD: int(Fact.WITHHELD),
        LocalEvidence.NEVER_ARRIVED: int(Fact.NEVER_ARRIVED),
        EventKind.ORDER_ACCEPTED: int(Fact.ACCEPTED),
        EventKind.ORDER_FILLED: int(Fact.ACCEPTED),  # a fill proves that the venue took it
        EventKind.ORDER_CANCELED: int(Fact.CANCELED),
        EventKind.ORDER_EXPIRED: int(Fact.EXPIRED),
        EventKind.ORDER_REJECTED: int(Fact.REJECTED),
        EventKind.CANCEL_REJECTED: 0,  # "unknown order" may mean filled as well as never seen
    }
)

TERMINAL: Final = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)
"""Statuses in which no quantity works; late fills are still booked."""

DEAD: Final = int(Fact.REJECTED | Fact.WITHHELD | Fact.NEVER_ARRIVED)
ENDED: Final = DEAD | int(Fact.CANCELED | Fact.EXPIRED)
DOUBT: Final = int(Fact.TIMED_OUT | Fact.ACCEPTED)
TIMED_OUT: Final = int(Fact.TIMED_OUT)
ACCEPTED: Final = int(Fact.ACCEPTED)
CANCELED: Final = int(Fact.CANCELED)
EXPIRED: Final = int(Fact.EXPIRED)
SENT: Final = int(Fact.SENT)

_WORKING: Final = frozenset({OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.PENDING_CANCEL})

TRANSITIONS: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = MappingProxyType(
    {
        OrderStatus.CREATED: TERMINAL | _WORKING | {OrderStatus.SUBMITTED, OrderStatus.UNKNOWN},
        OrderStatus.SUBMITTED: TERMINAL | _WORKING | {OrderStatus.UNKNOWN},
        OrderStatus.UNKNOWN: TERMINAL | _WORKING,
        OrderStatus.OPEN: TERMINAL | {OrderStatus.PARTIAL, OrderStatus.PENDING_CANCEL},
        OrderStatus.PARTIAL: TERMINAL | {OrderStatus.PENDING_CANCEL},
        OrderStatus.PENDING_CANCEL: TERMINAL
        | {OrderStatus.UNKNOWN, OrderStatus.SUBMITTED, OrderStatus.CREATED}
        | {OrderStatus.OPEN, OrderStatus.PARTIAL},
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


def fact_of(kind: int) -> int:
    """Return the fact bits that a kind of evidence proves.

    Raises
    ------
    KeyError
        If the kind says nothing of orders.
    """
    return FACTS[kind]


def status_of(facts: int, filled: int, size: int, cancel_pending: bool) -> OrderStatus:
    """Say what an order's evidence amounts to, strongest first."""
    if filled >= size:
        return OrderStatus.FILLED
    if facts & ENDED:
        return _ended_status(facts)
    if facts & DOUBT == TIMED_OUT:
        return OrderStatus.UNKNOWN
    if cancel_pending:
        return OrderStatus.PENDING_CANCEL
    return OrderStatus.PARTIAL if filled else _unfilled_status(facts)


def _ended_status(facts: int) -> OrderStatus:
    if facts & CANCELED:
        return OrderStatus.CANCELED
    return OrderStatus.EXPIRED if facts & EXPIRED else OrderStatus.REJECTED


def _unfilled_status(facts: int) -> OrderStatus:
    if facts & ACCEPTED:
        return OrderStatus.OPEN
    return OrderStatus.SUBMITTED if facts & SENT else OrderStatus.CREATED
