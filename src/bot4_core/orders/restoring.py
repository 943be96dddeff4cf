"""Orders of an earlier run put back as they were known."""

from collections.abc import Mapping, Sequence

import attrs
import numpy as np

from bot4_core.domain_types.order_codes import LocalEvidence
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    INTENT_DTYPE,
    EventFlag,
    EventKind,
    OrderStatus,
    Records,
)
from bot4_core.kernels.order_desk import resettle
from bot4_core.kernels.order_rows import Slot
from bot4_core.orders.registry import Orders
from bot4_core.orders.working import EVIDENCE

__all__ = ["KeptOrder", "KeptOrders"]


@attrs.define(kw_only=True)
class KeptOrder:
    """What a log kept of one order.

    Attributes
    ----------
    terms : tuple of int
        The fields of its INTENT row.
    cancels : list of int
        When its cancellation was asked for, ns.
    evidence : tuple of int
        By ``EVIDENCE``, as of the last record about it; empty where there is none.
    fills : list of Fill
        Its trades in the order they were booked, reversals among them.
    status : OrderStatus
    adopted : str
        The client id of an order that this program did not make.
    """

    terms: tuple[int, ...]
    cancels: list[int] = attrs.field(factory=list)
    evidence: tuple[int, ...] = ()
    fills: list[Fill] = attrs.field(factory=list)
    status: OrderStatus = OrderStatus.CREATED
    adopted: str = ""


@attrs.frozen(kw_only=True)
class KeptOrders:
    """The orders of the runs that one continues.

    Attributes
    ----------
    open : mapping of int to KeptOrder
        By number.
    finished : mapping of OrderStatus to int
        How many others ended how.
    runs : sequence of (int, str)
        The last number and the mark of each run, oldest first.
    """

    open: Mapping[int, KeptOrder]
    finished: Mapping[OrderStatus, int]
    runs: Sequence[tuple[int, str]]

    def restore(self, orders: Orders) -> None:
        """File everything again.

        An intent without a record of its sending counts as sent: its bytes may have left before
        the run ended.
        """
        tally = orders.tables[Slot.TALLY][0]
        for number, kept in sorted(self.open.items()):
            tally["last_number"] = number - 1
            restore_order(orders, number, kept)
        for last, tag in self.runs:
            orders.inherit(last, tag)
        for status, count in self.finished.items():
            tally["counts"][status] += count


def restore_order(orders: Orders, number: int, kept: KeptOrder) -> None:
    """File what is known of one order."""
    intents = np.array([kept.terms], INTENT_DTYPE)
    if kept.adopted:
        orders.adopt(intents, kept.adopted)
    else:
        orders.create(intents)
    orders.note(number, LocalEvidence.SENT, kept.terms[-1])
    for time in kept.cancels:
        orders.note(number, LocalEvidence.CANCEL_REQUESTED, time)
    for place, fill in enumerate(kept.fills):
        following = kept.fills[place + 1 : place + 2]
        orders.apply(trade_record(fill, following))
    rows = orders.tables[Slot.ORDERS]
    at = number & (len(rows) - 1)
    for name, value in zip(EVIDENCE, kept.evidence, strict=False):
        rows[name][at] = value
    for time in kept.cancels:
        rows["cancel_requested"][at] = max(int(rows["cancel_requested"][at]), time)
    resettle(orders.tables.handle, at)


def trade_record(fill: Fill, following: Sequence[Fill]) -> Records:
    """Return the event that a booked trade came from.

    A reversal alone is a bust; before a fill of the same trade it belongs to a correction, which
    that fill tells of.
    """
    corrected = any(each.trade_id == fill.trade_id for each in following)
    rows = np.zeros(1, EVENT_DTYPE)
    row = rows[0]
    row["kind"] = EventKind.ORDER_FILLED
    if fill.reverses:
        row["kind"] = EventKind.TRADE_CORRECTED if corrected else EventKind.TRADE_BUSTED
        fill = following[0] if corrected else fill.reversal()
    row["time"] = row["received"] = fill.time
    row["price"], row["size"] = fill.price.value, fill.size.value
    row["sequence"], row["aux"], row["link"] = fill.trade_id, fill.fee.value, fill.order
    row["instrument"], row["side"] = fill.instrument, fill.side
    row["flags"] = int(EventFlag.LAST) | (int(EventFlag.MAKER) if fill.maker else 0)
    return rows
