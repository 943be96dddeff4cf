"""What evidence says of an order: its status, what is reserved, what is wrong.

An order gathers evidence, and everything here is a function of what was gathered: maxima, sets of
facts, sums over distinct fills. So the same evidence in any order, and with any repetition, ends
in the same row.
"""

from typing import Final

import numpy as np

from bot4_core.domain_types.order_codes import Fact, LocalEvidence, OrderAlarm
from bot4_core.domain_types.records import EventKind, OrderStatus
from bot4_core.jit import kernel

__all__ = ["absorb", "alarms_of", "fact_of", "settle", "status_of"]

Row = np.void

DEAD: Final = int(Fact.REJECTED | Fact.WITHHELD | Fact.NEVER_ARRIVED)
ENDED: Final = DEAD | int(Fact.CANCELED | Fact.EXPIRED)
DOUBT: Final = int(Fact.TIMED_OUT | Fact.ACCEPTED)
TIMED_OUT: Final = int(Fact.TIMED_OUT)
ACCEPTED: Final = int(Fact.ACCEPTED)
CANCELED: Final = int(Fact.CANCELED)
EXPIRED: Final = int(Fact.EXPIRED)
SENT: Final = int(Fact.SENT)
WITHHELD: Final = int(Fact.WITHHELD)
FROM_VENUE: Final = int(Fact.ACCEPTED | Fact.CANCELED | Fact.EXPIRED | Fact.REJECTED)

IS_CREATED: Final = int(OrderStatus.CREATED)
IS_SUBMITTED: Final = int(OrderStatus.SUBMITTED)
IS_OPEN: Final = int(OrderStatus.OPEN)
IS_PARTIAL: Final = int(OrderStatus.PARTIAL)
IS_PENDING_CANCEL: Final = int(OrderStatus.PENDING_CANCEL)
IS_UNKNOWN: Final = int(OrderStatus.UNKNOWN)
IS_FILLED: Final = int(OrderStatus.FILLED)  # the first terminal one
IS_CANCELED: Final = int(OrderStatus.CANCELED)
IS_EXPIRED: Final = int(OrderStatus.EXPIRED)
IS_REJECTED: Final = int(OrderStatus.REJECTED)

KIND_SENT: Final = int(LocalEvidence.SENT)
KIND_CANCEL_REQUESTED: Final = int(LocalEvidence.CANCEL_REQUESTED)
KIND_CANCEL_REJECTED: Final = int(EventKind.CANCEL_REJECTED)

OVERFILLED: Final = int(OrderAlarm.OVERFILLED)
CONTRADICTED: Final = int(OrderAlarm.CONTRADICTED)

SAYS_NOTHING: Final = -1
LARGEST_KIND: Final = max(LocalEvidence)


def _facts() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    facts = np.full(LARGEST_KIND + 1, SAYS_NOTHING, np.int64)
    facts[LocalEvidence.SENT] = Fact.SENT
    facts[LocalEvidence.TIMED_OUT] = Fact.TIMED_OUT
    facts[LocalEvidence.CANCEL_REQUESTED] = Fact.NONE
    facts[LocalEvidence.WITHHELD] = Fact.WITHHELD
    facts[LocalEvidence.NEVER_ARRIVED] = Fact.NEVER_ARRIVED
    facts[EventKind.ORDER_ACCEPTED] = Fact.ACCEPTED
    facts[EventKind.ORDER_FILLED] = Fact.ACCEPTED  # a fill proves that the venue took it
    facts[EventKind.ORDER_CANCELED] = Fact.CANCELED
    facts[EventKind.ORDER_EXPIRED] = Fact.EXPIRED
    facts[EventKind.ORDER_REJECTED] = Fact.REJECTED
    facts[EventKind.CANCEL_REJECTED] = Fact.NONE  # the order may be filled as well as unknown
    return facts


FACTS: Final = _facts()


@kernel()
def fact_of(kind: int) -> int:
    """Return the fact bits that a kind of evidence proves, -1 where it says nothing of orders."""
    return int(FACTS[kind]) if 0 <= kind <= LARGEST_KIND else SAYS_NOTHING


@kernel()
def ended_status(facts: int) -> int:
    """Return the status of an order that is over; the venue's word stands above ours."""
    if facts & CANCELED:
        return IS_CANCELED
    return IS_EXPIRED if facts & EXPIRED else IS_REJECTED


@kernel()
def unfilled_status(facts: int) -> int:
    """Return the status of an order that is not over and has no fills."""
    if facts & ACCEPTED:
        return IS_OPEN
    return IS_SUBMITTED if facts & SENT else IS_CREATED


@kernel()
def status_of(facts: int, filled: int, size: int, cancel_pending: bool) -> int:
    """Say what an order's evidence amounts to, strongest first."""
    if filled >= size:
        return IS_FILLED
    if facts & ENDED:
        return ended_status(facts)
    if facts & DOUBT == TIMED_OUT:
        return IS_UNKNOWN
    if cancel_pending:
        return IS_PENDING_CANCEL
    return IS_PARTIAL if filled else unfilled_status(facts)


@kernel()
def settle(order: Row, received: int) -> None:
    """Bring status and reservation in line with the evidence."""
    filled, size = int(order["filled"]), int(order["size"])
    pending = bool(order["cancel_requested"] > order["cancel_refused"])
    status = status_of(int(order["facts"]), filled, size, pending)
    bound = int(order["venue_filled"]) if status >= IS_FILLED else size
    if status in (IS_CANCELED, IS_EXPIRED) and order["venue_end"] == size:
        bound = size  # ended, and nobody said how much of it was filled
    order["updated"] = max(int(order["updated"]), received)
    order["status"] = status
    order["reserved"] = max(0, bound - filled)


@kernel()
def absorb(
    order: Row, kind: int, received: int, open_size: int, venue_order: int, reason: int
) -> None:
    """Add evidence other than a fill.

    Parameters
    ----------
    order : ORDER
    kind : int
        An order ``EventKind`` or a ``LocalEvidence``.
    received : int
        Local time of the evidence, ns.
    open_size : int
        What the venue says was not yet filled; -1 when it does not say. Rejections never do.
    venue_order, reason : int
        The venue's order id and reason code; -1 when not sent.
    """
    fact = fact_of(kind)
    order["facts"] |= fact
    if fact & ENDED:
        order["reason"] = max(int(order["reason"]), reason)
    order["venue_order"] = max(int(order["venue_order"]), venue_order)
    if kind == KIND_SENT:
        order["sent"] = max(int(order["sent"]), received)
    elif kind == KIND_CANCEL_REQUESTED:
        order["cancel_requested"] = max(int(order["cancel_requested"]), received)
    elif kind == KIND_CANCEL_REJECTED:
        order["cancel_refused"] = max(int(order["cancel_refused"]), received)
    elif open_size >= 0 and fact & (ACCEPTED | CANCELED | EXPIRED):
        told = int(order["size"]) - open_size
        order["venue_filled"] = max(int(order["venue_filled"]), told)
        if fact & ENDED:
            order["venue_end"] = min(int(order["venue_end"]), told)
    settle(order, received)


@kernel()
def alarms_of(order: Row) -> int:
    """Return what is wrong with an order's evidence, recomputed from it."""
    facts, filled = int(order["facts"]), int(order["filled"])
    alarms = OVERFILLED if filled > order["size"] else 0
    ended, dead = facts & (CANCELED | EXPIRED), facts & DEAD
    wrong = (
        order["contradicted"] != 0
        or ended == CANCELED | EXPIRED
        or (ended != 0 and dead != 0)
        or (dead != 0 and filled > 0)
        or (facts & WITHHELD != 0 and facts & FROM_VENUE != 0)
        or (ended != 0 and filled > order["venue_end"])
    )
    return alarms | CONTRADICTED if wrong else alarms
