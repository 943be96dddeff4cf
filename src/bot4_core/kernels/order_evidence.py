"""What evidence says of an order: its status, what is reserved, what is wrong.

An order gathers evidence, and everything here is a function of what was gathered: maxima, sets of
facts, sums over distinct fills. So the same evidence in any order, and with any repetition, ends
in the same row.
"""

from typing import Final

import numpy as np

from bot4_core.domain_types.order_codes import Fact, LocalEvidence, OrderAlarm
from bot4_core.domain_types.records import EventKind, OrderReason, OrderStatus
from bot4_core.jit import kernel

__all__ = ["absorb", "alarms_of", "evidence_of", "fact_of", "settle", "status_of"]

Row = np.void

DEAD: Final = int(Fact.REJECTED | Fact.WITHHELD)
NEVER_ARRIVED: Final = int(Fact.NEVER_ARRIVED)
ENDED: Final = DEAD | int(Fact.CANCELED | Fact.EXPIRED | Fact.NEVER_ARRIVED)
DOUBT: Final = int(Fact.TIMED_OUT | Fact.ACCEPTED | Fact.UNTRIGGERED)
TIMED_OUT: Final = int(Fact.TIMED_OUT)
ACCEPTED: Final = int(Fact.ACCEPTED)
CANCELED: Final = int(Fact.CANCELED)
EXPIRED: Final = int(Fact.EXPIRED)
REJECTED: Final = int(Fact.REJECTED)
SENT: Final = int(Fact.SENT)
WITHHELD: Final = int(Fact.WITHHELD)
UNTRIGGERED: Final = int(Fact.UNTRIGGERED)
ALREADY: Final = int(Fact.DUPLICATE)
KNOWN_ALREADY: Final = int(Fact.ACCEPTED | Fact.DUPLICATE)
KNOWN_TO_VENUE: Final = int(Fact.ACCEPTED | Fact.UNTRIGGERED)
FROM_VENUE: Final = int(Fact.CANCELED | Fact.EXPIRED | Fact.REJECTED) | KNOWN_TO_VENUE

IS_CREATED: Final = int(OrderStatus.CREATED)
IS_SUBMITTED: Final = int(OrderStatus.SUBMITTED)
IS_OPEN: Final = int(OrderStatus.OPEN)
IS_TRIGGER_PENDING: Final = int(OrderStatus.TRIGGER_PENDING)
IS_PARTIAL: Final = int(OrderStatus.PARTIAL)
IS_PENDING_CANCEL: Final = int(OrderStatus.PENDING_CANCEL)
IS_PENDING_REPLACE: Final = int(OrderStatus.PENDING_REPLACE)
IS_UNKNOWN: Final = int(OrderStatus.UNKNOWN)
IS_FILLED: Final = int(OrderStatus.FILLED)  # the first terminal one
IS_CANCELED: Final = int(OrderStatus.CANCELED)
IS_EXPIRED: Final = int(OrderStatus.EXPIRED)
IS_REJECTED: Final = int(OrderStatus.REJECTED)

KIND_SENT: Final = int(LocalEvidence.SENT)
KIND_CANCEL_REQUESTED: Final = int(LocalEvidence.CANCEL_REQUESTED)
KIND_REPLACE_REQUESTED: Final = int(LocalEvidence.REPLACE_REQUESTED)
KIND_CANCEL_PENDING: Final = int(EventKind.CANCEL_PENDING)
KIND_REPLACE_PENDING: Final = int(EventKind.REPLACE_PENDING)
KIND_CANCEL_REJECTED: Final = int(EventKind.CANCEL_REJECTED)
KIND_NOT_FOUND: Final = int(EventKind.ORDER_NOT_FOUND)
DUPLICATE: Final = int(OrderReason.DUPLICATE)

OVERFILLED: Final = int(OrderAlarm.OVERFILLED)
CONTRADICTED: Final = int(OrderAlarm.CONTRADICTED)

SAYS_NOTHING: Final = -1
NEVER: Final = -1
LARGEST_KIND: Final = max(LocalEvidence)


def _facts() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    facts = np.full(LARGEST_KIND + 1, SAYS_NOTHING, np.int64)
    facts[LocalEvidence.SENT] = Fact.SENT
    facts[LocalEvidence.TIMED_OUT] = Fact.TIMED_OUT
    facts[LocalEvidence.CANCEL_REQUESTED] = Fact.NONE
    facts[LocalEvidence.WITHHELD] = Fact.WITHHELD
    facts[LocalEvidence.NEVER_ARRIVED] = Fact.NEVER_ARRIVED
    facts[LocalEvidence.REPLACE_REQUESTED] = Fact.NONE
    facts[EventKind.ORDER_ACCEPTED] = Fact.ACCEPTED
    facts[EventKind.ORDER_FILLED] = Fact.ACCEPTED  # a fill proves that the venue took it
    facts[EventKind.ORDER_CANCELED] = Fact.CANCELED
    facts[EventKind.ORDER_EXPIRED] = Fact.EXPIRED
    facts[EventKind.ORDER_REJECTED] = Fact.REJECTED
    facts[EventKind.CANCEL_REJECTED] = Fact.NONE  # the order may be filled as well as unknown
    facts[EventKind.ORDER_NOT_FOUND] = Fact.NONE  # what it proves depends on when
    facts[EventKind.ORDER_IN_DOUBT] = Fact.TIMED_OUT
    facts[EventKind.ORDER_UNTRIGGERED] = Fact.UNTRIGGERED
    facts[EventKind.CANCEL_PENDING] = Fact.ACCEPTED
    facts[EventKind.REPLACE_PENDING] = Fact.ACCEPTED
    facts[EventKind.TRADE_BUSTED] = Fact.ACCEPTED
    facts[EventKind.TRADE_CORRECTED] = Fact.ACCEPTED
    return facts


FACTS: Final = _facts()


@kernel()
def fact_of(kind: int) -> int:
    """Return the fact bits that a kind of evidence proves, -1 where it says nothing of orders."""
    return int(FACTS[kind]) if 0 <= kind <= LARGEST_KIND else SAYS_NOTHING


@kernel(inline=True)
def ended_status(facts: int) -> int:
    """Return the status of an order that is over; the venue's word stands above ours."""
    if facts & CANCELED:
        return IS_CANCELED
    return IS_EXPIRED if facts & EXPIRED else IS_REJECTED


@kernel(inline=True)
def unfilled_status(facts: int) -> int:
    """Return the status of an order that is not over and has no fills."""
    if facts & ACCEPTED:
        return IS_OPEN
    if facts & UNTRIGGERED:
        return IS_TRIGGER_PENDING
    return IS_SUBMITTED if facts & SENT else IS_CREATED


@kernel(inline=True)
def status_of(facts: int, executed: int, filled: int, size: int, pending: int) -> int:
    """Say what an order's evidence amounts to, strongest first.

    Parameters
    ----------
    facts : int
        Bits of ``Fact``.
    executed, filled : int
        Sum of its trades as first reported, and as they count after busts and corrections. A bust
        does not put an order back to work.
    size : int
    pending : int
        ``PENDING_CANCEL`` or ``PENDING_REPLACE`` while that is asked for, else 0.
    """
    if executed >= size:
        return IS_FILLED
    if facts & ENDED:
        return ended_status(facts)
    if facts & DOUBT == TIMED_OUT:
        return IS_UNKNOWN
    if pending:
        return pending
    return IS_PARTIAL if filled else unfilled_status(facts)


@kernel(inline=True)
def pending_status(order: Row) -> int:
    """Return what was asked for last and not refused since; 0 for nothing."""
    cancel, replace = int(order["cancel_requested"]), int(order["replace_requested"])
    if max(cancel, replace) <= order["cancel_refused"]:
        return 0
    return IS_PENDING_CANCEL if cancel >= replace else IS_PENDING_REPLACE


@kernel(inline=True)
def most_executed(order: Row, status: int) -> int:
    """Return how much of an order may have been executed, told or not."""
    size, facts = int(order["size"]), int(order["facts"])
    if status < IS_FILLED:
        return size
    untold = status in (IS_CANCELED, IS_EXPIRED) and order["venue_end"] == size
    # accepted once and not known any more: it is over, and nobody said how it ended
    lost = status == IS_REJECTED and facts & KNOWN_TO_VENUE != 0 and facts & DEAD == 0
    return size if untold or lost else int(order["venue_filled"])


@kernel()
def settle(order: Row, received: int) -> None:
    """Bring status and reservation in line with the evidence."""
    sent, executed = int(order["sent"]), int(order["executed"])
    if sent != NEVER and order["not_found"] > sent + order["final_after"]:
        order["facts"] |= NEVER_ARRIVED
    facts, filled, size = int(order["facts"]), int(order["filled"]), int(order["size"])
    status = status_of(facts, executed, filled, size, pending_status(order))
    order["updated"] = max(int(order["updated"]), received)
    order["status"] = status
    order["reserved"] = max(0, most_executed(order, status) - executed)


@kernel(inline=True)
def note_time(order: Row, kind: int, received: int) -> None:
    """Keep when something was asked for or refused: the latest time, of sending the first."""
    if kind == KIND_SENT:
        sent = int(order["sent"])
        order["sent"] = received if sent == NEVER else min(sent, received)
    elif kind in (KIND_CANCEL_REQUESTED, KIND_CANCEL_PENDING):
        order["cancel_requested"] = max(int(order["cancel_requested"]), received)
    elif kind in (KIND_REPLACE_REQUESTED, KIND_REPLACE_PENDING):
        order["replace_requested"] = max(int(order["replace_requested"]), received)
    elif kind == KIND_CANCEL_REJECTED:
        order["cancel_refused"] = max(int(order["cancel_refused"]), received)
    elif kind == KIND_NOT_FOUND:
        order["not_found"] = max(int(order["not_found"]), received)


@kernel(inline=True)
def absorb(
    order: Row, kind: int, received: int, open_size: int, venue_order: int, reason: int
) -> None:
    """Add evidence other than an execution.

    Parameters
    ----------
    order : ORDER
    kind : int
        An order ``EventKind`` or a ``LocalEvidence``.
    received : int
        Local time of the evidence, ns; of ``ORDER_NOT_FOUND`` the venue's.
    open_size : int
        What the venue says was not yet filled; -1 when it does not say. Rejections never do.
    venue_order, reason : int
        The venue's order id and reason code; -1 when not sent.
    """
    fact = fact_of(kind)
    if fact == REJECTED and reason == DUPLICATE:
        fact, open_size = KNOWN_ALREADY, SAYS_NOTHING
    order["facts"] |= fact
    if fact & ENDED:
        order["reason"] = max(int(order["reason"]), reason)
    order["venue_order"] = max(int(order["venue_order"]), venue_order)
    note_time(order, kind, received)
    if open_size >= 0 and fact & (ACCEPTED | CANCELED | EXPIRED):
        told = int(order["size"]) - open_size
        order["venue_filled"] = max(int(order["venue_filled"]), told)
        if fact & ENDED:
            order["venue_end"] = min(int(order["venue_end"]), told)
    settle(order, received)


@kernel()
def evidence_of(order: Row) -> tuple[int, int, int, int, int, int, int, int]:
    """Return what tells whether something new was learned of an order, executions apart."""
    return (
        int(order["facts"]),
        int(order["sent"]),
        int(order["cancel_requested"]),
        int(order["cancel_refused"]),
        int(order["replace_requested"]),
        int(order["not_found"]),
        int(order["venue_filled"]),
        int(order["venue_end"]),
    )


@kernel()
def alarms_of(order: Row) -> int:
    """Return what is wrong with an order's evidence, recomputed from it."""
    facts, filled = int(order["facts"]), int(order["filled"])
    executed, size = int(order["executed"]), int(order["size"])
    alarms = OVERFILLED if filled > size else 0
    ended, dead = facts & (CANCELED | EXPIRED), facts & DEAD
    lost = facts & NEVER_ARRIVED != 0 and facts & KNOWN_TO_VENUE != 0
    wrong = (
        order["contradicted"] != 0
        or ended == CANCELED | EXPIRED
        or (ended != 0 and dead != 0)
        or (dead != 0 and executed > 0)
        or (facts & WITHHELD != 0 and facts & FROM_VENUE != 0)
        or (ended != 0 and filled > order["venue_end"])
        or (lost and ended == 0 and dead == 0 and executed < size)
    )
    return alarms | CONTRADICTED if wrong else alarms
