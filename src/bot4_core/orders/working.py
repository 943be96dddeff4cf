"""One order of ours as the hot path holds it: plain integers in slots."""

import numpy as np

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.records import (
    EventKind,
    OrderFlag,
    OrderReason,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.orders.evidence import (
    ACCEPTED,
    CANCELED,
    DEAD,
    ENDED,
    EXPIRED,
    TERMINAL,
    Fact,
    LocalEvidence,
    OrderAlarm,
    fact_of,
    status_of,
)

__all__ = ["WorkingOrder"]

_WITHHELD = int(Fact.WITHHELD)
_FROM_VENUE = ACCEPTED | CANCELED | EXPIRED | int(Fact.REJECTED)
_NEVER = -1
_TELLS_OPEN = frozenset(
    {EventKind.ORDER_ACCEPTED, EventKind.ORDER_CANCELED, EventKind.ORDER_EXPIRED}
)


class WorkingOrder:
    """An order and the evidence gathered about it.

    Prices and sizes are scaled integers. Everything that evidence changes is a maximum, a set or a
    sum over distinct fills, so the order in which evidence arrives does not matter.

    Parameters
    ----------
    intent : INTENT_DTYPE record
        Copied.

    Attributes
    ----------
    number, instrument, side, type, time_in_force, flags, price, size, created : int
        The intent, as in ``INTENT_DTYPE``.
    status : OrderStatus
        What the evidence amounts to.
    filled : int
        Sum over distinct trade ids.
    venue_filled : int
        The most that the venue ever said was filled; above ``filled`` while fills are missing.
    reserved : int
        Size still at stake: what may yet be filled.
    fills : dict of int to (price, size)
        By trade id.
    """

    __slots__ = (
        "cancel_refused",
        "cancel_requested",
        "contradicted",
        "created",
        "facts",
        "filled",
        "fills",
        "flags",
        "instrument",
        "number",
        "price",
        "reason",
        "reserved",
        "sent",
        "side",
        "size",
        "status",
        "time_in_force",
        "type",
        "updated",
        "venue_end",
        "venue_filled",
        "venue_order",
    )

    def __init__(self, intent: np.void) -> None:
        fields: tuple[int, ...] = tuple(intent.item())
        self.number, self.instrument, self.side, self.type, self.time_in_force = fields[:5]
        self.flags, self.price, self.size, self.created = fields[5:]
        self.status = OrderStatus.CREATED
        self.facts = 0
        self.filled = 0
        self.fills: dict[int, tuple[int, int]] = {}
        self.venue_filled = 0
        self.venue_end = self.size  # the least that the venue said was filled when the order ended
        self.reserved = self.size
        self.sent = _NEVER
        self.updated = self.created
        self.cancel_requested = _NEVER
        self.cancel_refused = _NEVER
        self.venue_order = _NEVER
        self.reason = _NEVER
        self.contradicted = False

    def absorb(
        self, kind: int, received: int, open_size: int = -1, venue_order: int = -1, reason: int = -1
    ) -> None:
        """Add evidence other than a fill.

        Parameters
        ----------
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
        self.facts |= fact
        if fact & ENDED:
            self.reason = max(self.reason, reason)
        self.venue_order = max(self.venue_order, venue_order)
        if kind == LocalEvidence.SENT:
            self.sent = max(self.sent, received)
        elif kind == LocalEvidence.CANCEL_REQUESTED:
            self.cancel_requested = max(self.cancel_requested, received)
        elif kind == EventKind.CANCEL_REJECTED:
            self.cancel_refused = max(self.cancel_refused, received)
        elif open_size >= 0 and kind in _TELLS_OPEN:
            self._told_open(fact, open_size)
        self._settle(received)

    def absorb_fill(self, received: int, trade: int, price: int, size: int) -> bool:
        """Add one execution; return False when its trade id was known."""
        known = self.fills.get(trade)
        if known is not None:
            self.contradicted |= known != (price, size)
            return False
        self.fills[trade] = (price, size)
        self.filled += size
        self.facts |= ACCEPTED
        self._settle(received)
        return True

    def _told_open(self, fact: int, open_size: int) -> None:
        told = self.size - open_size
        self.venue_filled = max(self.venue_filled, told)
        if fact & ENDED:
            self.venue_end = min(self.venue_end, told)

    def _settle(self, received: int) -> None:
        self.updated = max(self.updated, received)
        self.status = status = status_of(
            self.facts, self.filled, self.size, self.cancel_requested > self.cancel_refused
        )
        bound = self.venue_filled if status in TERMINAL else self.size
        self.reserved = max(0, bound - self.filled)

    @property
    def open_size(self) -> int:
        """Size that is not yet filled, whether it works or not."""
        return max(0, self.size - self.filled)

    @property
    def finished(self) -> bool:
        """Whether nothing more is expected: terminal, and every reported fill was seen."""
        return self.status in TERMINAL and not self.reserved

    @property
    def alarms(self) -> OrderAlarm:
        """What is wrong with the evidence, recomputed from it."""
        alarms = OrderAlarm.OVERFILLED if self.filled > self.size else OrderAlarm.NONE
        return alarms | OrderAlarm.CONTRADICTED if self._contradiction() else alarms

    def _contradiction(self) -> bool:
        facts = self.facts
        ends = facts & (CANCELED | EXPIRED), facts & DEAD
        return (
            self.contradicted
            or (facts & (CANCELED | EXPIRED)) == CANCELED | EXPIRED
            or all(ends)
            or bool(ends[1] and self.filled)
            or bool(facts & _WITHHELD and facts & _FROM_VENUE)
            or bool(ends[0] and self.filled > self.venue_end)
        )

    def snapshot(self, instrument: Instrument, client_id: ClientOrderId) -> Order:
        """Return the order as a domain object."""
        priced = self.price != 0
        intent = OrderIntent(
            number=OrderNumber(self.number),
            client_id=client_id,
            instrument=InstrumentId(self.instrument),
            side=Side(self.side),
            type=OrderType(self.type),
            size=Quantity(self.size, instrument.size_exponent),
            price=Price(self.price, instrument.price_exponent) if priced else None,
            time_in_force=TimeInForce(self.time_in_force),
            flags=OrderFlag(self.flags),
            created=Nanoseconds(self.created),
        )
        return Order(
            intent=intent,
            status=self.status,
            filled=Quantity(self.filled, instrument.size_exponent),
            updated=Nanoseconds(self.updated),
            venue_order_id=str(self.venue_order) if self.venue_order >= 0 else "",
            reason=_reason_text(self.reason),
        )


def _reason_text(code: int) -> str:
    """Name a reason code; one that is not ours is given as its number."""
    if code <= 0:
        return ""
    known = code in OrderReason._value2member_map_
    return OrderReason(code).name.lower() if known else str(code)
