"""Orders that a venue does not answer for: in doubt after a while, and asked about until it does.

An order in doubt keeps its reservation and is never sent again. Only evidence settles it: what the
venue says of it, or "no such order" once the venue could no longer accept it. Cancellations change
nothing when they arrive twice, so that they are sent again.
"""

from typing import Final

from bot4_core.domain_types.order_codes import LocalEvidence
from bot4_core.domain_types.records import OrderStatus
from bot4_core.jit import entry_point
from bot4_core.kernels.order_rows import NEVER_DUE, Slot
from bot4_core.kernels.order_waits import late_from
from bot4_core.orders import Orders, WorkingOrder
from bot4_core.session.config import AnswersConfig
from bot4_core.session.effects import CancelOrder, Effect, QueryOrder
from bot4_core.session.order_notes import change_notes
from bot4_core.session.ordering import Ordering

__all__ = ["Inquiries"]

MS: Final = 1_000_000
PENDING: Final = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_REPLACE})


class Inquiries:
    """Looks after the orders that wait for an answer, when the event clock says so.

    Parameters
    ----------
    orders : Orders
    ordering : Ordering
        Is told what to send.
    config : AnswersConfig
    """

    def __init__(self, orders: Orders, ordering: Ordering, config: AnswersConfig) -> None:
        self._orders, self._ordering = orders, ordering
        self._patience = config.reply_ms * MS
        self._pause, self._longest = config.pause_ms * MS, config.longest_pause_ms * MS
        self._tally = orders.tables[Slot.TALLY][0]
        self._tally["patience"] = self._patience
        self._late = entry_point(late_from, orders.tables.handle, 0)
        self._asked: dict[int, tuple[int, int]] = {}
        self._suspects: set[int] = set()

    def suspect(self, number: int) -> None:
        """Ask about an order at the next message, whatever is known of it."""
        self._suspects.add(number)
        self._tally["due"] = 0

    def see_to(self, now: int) -> None:
        """Note what is late by now, ask about it, and say when to look again."""
        due, asked = NEVER_DUE, self._asked
        self._asked = {}
        self._suspects &= {order.number for order in self._orders}
        for order in self._orders:
            begin = self._late_from(order)
            if begin <= now:
                attempts, following = asked.get(order.number, (0, now))
                if following <= now:
                    attempts, following = self._ask(order, attempts + 1, now)
                self._asked[order.number] = attempts, following
                begin = following
            due = min(due, begin)
        self._tally["due"] = due

    def _late_from(self, order: WorkingOrder) -> int:
        """Return from when on an order has waited too long for an answer."""
        if order.number in self._suspects:
            return 0
        return self._late(self._orders.tables.handle, self._orders.place(order.number))

    def _ask(self, order: WorkingOrder, attempt: int, now: int) -> tuple[int, int]:
        """Ask about an order; return how often that was, and when the next time is."""
        if order.status is OrderStatus.SUBMITTED:
            order = self._doubt(order, now)
        effects: list[Effect] = [QueryOrder(order.number, now, attempt)]
        if order.status in PENDING and attempt > 1:
            effects.append(CancelOrder(order.number, now, "not answered"))
        self._ordering.say(*effects)
        following = now + min(self._pause << min(attempt - 1, 30), self._longest)
        final = order.sent + order.final_after + 1
        if order.status is OrderStatus.UNKNOWN and now < final:
            following = min(following, final)
        return attempt, following

    def _doubt(self, order: WorkingOrder, now: int) -> WorkingOrder:
        """Note that nobody knows what became of an order."""
        orders = self._orders
        change = orders.note(order.number, LocalEvidence.TIMED_OUT, now)
        rules, client_id = orders.instruments[order.instrument], orders.client_id(order.number)
        self._ordering.say(*(change_notes(change, client_id, rules, now) if change else ()))
        self._ordering.reconsider(order.instrument)
        return orders[order.number]
