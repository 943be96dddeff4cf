"""Orders and cancels on their way out: routed, judged, reserved, and written as effects."""

from typing import Final

import numpy as np

from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    OrderFlag,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from bot4_core.orders import LocalEvidence, WorkingOrder
from bot4_core.plugins.interfaces import Records
from bot4_core.risk.gate import Gate
from bot4_core.session.account import Account
from bot4_core.session.effects import CancelOrder, Effect, Grounds, RecordIntent, SendOrder
from bot4_core.session.routes import Child, RouterCalls

__all__ = ["OrderTerms", "Ordering"]

UNTOUCHABLE: Final = frozenset({OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN})
LIMIT: Final = int(OrderType.LIMIT)
AT_MARKET: Final = int(OrderType.MARKET)
GTC: Final = int(TimeInForce.GTC)
IOC: Final = int(TimeInForce.IOC)
REDUCE_ONLY: Final = int(OrderFlag.REDUCE_ONLY)
POST_ONLY: Final = int(OrderFlag.POST_ONLY)

OrderTerms = tuple[int, int, int, int, int, int]
"""Side, type, time in force, flags, price, size."""


class Ordering:
    """Makes intents, has them judged, and keeps sides at rest after a refusal.

    Attributes
    ----------
    effects : list of Effect
        What the present step wants done; the driver hands it over and starts a new one.
    decided, refused : int
        Orders judged, and those kept back.
    """

    def __init__(self, account: Account, gate: Gate, rest: int) -> None:
        self.account = account
        self.gate = gate
        self.router: RouterCalls | None = None
        self.effects: list[Effect] = []
        self.decided = 0
        self.refused = 0
        self.intents: Records = np.zeros(1, INTENT_DTYPE)
        self._memory = self.intents.view(np.uint8).data
        self._rest = rest
        self._until: dict[tuple[int, int], int] = {}

    def resting(self, instrument: int, side: int, now: int) -> bool:
        """Tell whether a side waits after a refusal or a reject."""
        return now < self._until.get((instrument, side), 0)

    def let_rest(self, instrument: int, side: int, now: int) -> None:
        """Make a side wait before it is tried again."""
        self._until[instrument, side] = now + self._rest

    def place(self, instrument: int, terms: OrderTerms, grounds: Grounds, now: int) -> bool:
        """Route and judge one order; return whether all of it was let through."""
        side, kind, duration, flags, price, size = terms
        self.intents[0] = (0, instrument, side, kind, duration, flags, price, size, now)
        if self.router is None:
            return self._judge(terms, Child(instrument, price, size, "direct"), grounds, now)
        children = self.router.route(instrument)
        passed = [self._judge(terms, child, grounds, now) for child in children]
        return all(passed)

    def _judge(self, terms: OrderTerms, child: Child, grounds: Grounds, now: int) -> bool:
        side, kind, duration, flags, _, _ = terms
        instrument = child.instrument
        orders, number = self.account.orders, self.account.orders.last_number + 1
        intent = (number, instrument, side, kind, duration, flags, child.price, child.size, now)
        self.intents[0] = intent
        decision = self.gate.decide(self.intents)
        self.decided += 1
        breakers = self.gate.panel.measured(instrument)
        grounds = grounds._replace(route=child.reason)
        if not decision.allowed:
            self.refused += 1
            self.let_rest(instrument, side, now)
            record = RecordIntent(0, "", now, (0, *intent[1:]), grounds, decision, breakers)
            self.effects.append(record)
            return False
        orders.create(self.intents[0])
        orders.note(number, LocalEvidence.SENT, now)
        self.gate.admit(now)
        self.account.show(instrument)
        client_id = orders.client_id(number)
        self.effects.append(
            RecordIntent(number, client_id, now, intent, grounds, decision, breakers)
        )
        row = np.frombuffer(bytearray(self._memory), INTENT_DTYPE)  # quicker than a copy
        self.effects.append(SendOrder(number, now, row))
        return True

    def cancel(self, order: WorkingOrder, reason: str, now: int) -> None:
        """Ask for the cancellation of an order, unless it is on its way or nothing is known."""
        if order.status in UNTOUCHABLE:
            return
        self.account.orders.note(order.number, LocalEvidence.CANCEL_REQUESTED, now)
        self.effects.append(CancelOrder(order.number, now, reason))

    def cancel_all(self, instrument: int, reason: str, now: int) -> None:
        """Ask for the cancellation of everything that works on an instrument."""
        for order in tuple(self.account.orders.working(instrument)):
            self.cancel(order, reason, now)

    def flatten(self, instrument: int, view: bytes, reason: str, now: int) -> None:
        """Close what is held at market, once nothing works any more."""
        held = self.account.ledger.sizes[instrument]
        side = -1 if held > 0 else 1
        if not held or self.account.orders.working(instrument):
            return
        if self.resting(instrument, side, now):
            return
        self.let_rest(instrument, side, now)
        grounds = Grounds(view, b"", reason, (), abs(held), "flatten", ())
        self.place(instrument, (side, AT_MARKET, IOC, REDUCE_ONLY, 0, abs(held)), grounds, now)
