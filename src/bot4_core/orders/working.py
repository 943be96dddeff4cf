"""One order of ours and the evidence gathered about it, as it stood when it was looked at."""

from collections.abc import Mapping
from typing import Final

import attrs
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
    OrderFlag,
    OrderReason,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from bot4_core.orders.linked_plans import LinkedPlan

__all__ = ["EVIDENCE", "WorkingOrder"]

EVIDENCE: Final = (
    "facts",
    "executed",
    "sent",
    "updated",
    "cancel_requested",
    "cancel_refused",
    "replace_requested",
    "replaces",
    "not_found",
    "venue_filled",
    "venue_end",
    "venue_order",
    "reason",
    "contradicted",
)
"""What is known of an order beside its intent and its trades; all else follows."""


@attrs.frozen(kw_only=True)
class WorkingOrder:
    """An order of this run; prices and sizes are scaled integers.

    Attributes
    ----------
    number, instrument, side, type, time_in_force, flags, price, size, created : int
        The intent, as in ``INTENT_DTYPE``.
    status : OrderStatus
        What the evidence amounts to.
    facts : int
        Bits of ``Fact``.
    filled, executed : int
        Sum over distinct trade ids as they count now, and as first reported: a bust takes from the
        one and not from the other, because it does not put the order back to work.
    venue_filled, venue_end : int
        The most that the venue ever said was filled, above ``filled`` while fills are missing;
        and the least that it said was filled when the order ended.
    reserved : int
        Size still at stake: what may yet be filled.
    sent, updated, cancel_requested, cancel_refused, replace_requested : int
        Times, ns; -1 for never.
    replaces : int
        The order in whose place it was put, 0 for none.
    not_found, final_after : int
        The latest venue time of a query that found nothing, and how long after ``sent`` that is
        final.
    venue_order, reason : int
        The venue's id and reason code; -1 when not sent.
    contradicted : int
        1 where a trade id came with two contents.
    fills : mapping of int to (price, size)
        By trade id, without those that were busted.
    """

    number: int
    instrument: int
    side: int
    type: int
    time_in_force: int
    flags: int
    price: int
    size: int
    created: int
    status: OrderStatus = attrs.field(converter=OrderStatus)
    facts: int
    filled: int
    executed: int
    venue_filled: int
    venue_end: int
    reserved: int
    sent: int
    updated: int
    cancel_requested: int
    cancel_refused: int
    replace_requested: int
    replaces: int
    not_found: int
    final_after: int
    venue_order: int
    reason: int
    contradicted: int
    fills: Mapping[int, tuple[int, int]]

    @classmethod
    def of(cls, row: np.void, fills: Mapping[int, tuple[int, int]]) -> "WorkingOrder":
        """Read an ORDER row."""
        names = row.dtype.names or ()
        known = dict(zip(names, row.item(), strict=True))
        wanted = {field.name for field in attrs.fields(cls)} - {"fills"}
        return cls(**{name: known[name] for name in wanted}, fills=fills)

    @property
    def evidence(self) -> tuple[int, ...]:
        """What is known, in the order of ``EVIDENCE``."""
        return tuple(int(getattr(self, name)) for name in EVIDENCE)

    @property
    def open_size(self) -> int:
        """Size that is not yet filled, whether it works or not."""
        return max(0, self.size - self.executed)

    @property
    def finished(self) -> bool:
        """Whether nothing more is expected: terminal, and every reported fill was seen."""
        return self.status >= OrderStatus.FILLED and not self.reserved

    def snapshot(
        self, instrument: Instrument, client_id: ClientOrderId, plan: LinkedPlan | None = None
    ) -> Order:
        """Return the order as a domain object, with what a plan leaves to the venue."""
        priced = self.price != 0
        exponent = instrument.price_exponent
        trigger, trail, visible = (plan.stop, plan.trail, plan.visible) if plan else (0, 0, 0)
        intent = OrderIntent(
            number=OrderNumber(self.number),
            client_id=client_id,
            instrument=InstrumentId(self.instrument),
            side=Side(self.side),
            type=OrderType(self.type),
            size=Quantity(self.size, instrument.size_exponent),
            price=Price(self.price, exponent) if priced else None,
            trigger=Price(trigger, exponent) if trigger else None,
            trail=Price(trail, exponent) if trail else None,
            visible=Quantity(visible, instrument.size_exponent) if visible else None,
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
