"""A session and its venue brought to agree: no new risk before they do."""

from enum import Enum
from typing import Any, Final

import numpy as np

from bot4_core.domain_types.accounts import Transfer
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Money,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
)
from bot4_core.domain_types.decisions import BreakerEffect, BreakerScope, BreakerVerdict
from bot4_core.domain_types.orders import Fill, FillOrigin
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    INTENT_DTYPE,
    EventFlag,
    EventKind,
    OrderType,
    Records,
    Side,
    TimeInForce,
)
from bot4_core.orders.reconciliation import (
    Difference,
    DifferenceKind,
    VenueAccount,
    VenueOrder,
    differences,
    number_here,
)
from bot4_core.session.config import OnDifference
from bot4_core.session.effects import Effect, Note
from bot4_core.session.order_notes import fill_payload
from bot4_core.session.session import Session

__all__ = ["Reconciler", "Reconciliation"]

BREAKER: Final = "reconciliation"
LAST: Final = int(EventFlag.LAST)


class Reconciliation(Enum):
    """How far a session and its venue have come."""

    WAITING = "waiting"  # for the venue's account, or for its word on an order
    DONE = "done"
    HALTED = "halted"


class Reconciler:
    """Compares a session with what its venue says, and does what was chosen about it.

    Made before the first event it closes the gate for orders that open; the gate opens when
    nothing differs any more.

    Parameters
    ----------
    session : Session
    policy : OnDifference

    Attributes
    ----------
    state : Reconciliation
    found : list of Difference
        Everything that ever differed.
    """

    def __init__(self, session: Session, policy: OnDifference) -> None:
        self.state = Reconciliation.WAITING
        self.found: list[Difference] = []
        self._session, self._policy = session, policy
        session.driver.trip(self._verdict())

    def _verdict(self) -> BreakerVerdict:
        return BreakerVerdict(
            breaker=BREAKER,
            effect=BreakerEffect.BLOCK_OPEN,
            scope=BreakerScope.SESSION,
            instrument=InstrumentId(0),
            time=Nanoseconds(self._session.now),
            reason="no new risk before the venue agrees",
        )

    def compare(self, account: VenueAccount) -> list[Effect]:
        """Take in what the venue says; return what is wanted done."""
        effects = self._catch_up(account)
        found = self._differences(account)
        for each in found:
            if each not in self.found:
                self.found.append(each)
                self._session.state.ordering.say(self._note(each))
        self._ask_about(found)
        kinds = {each.kind for each in found} - {DifferenceKind.ORDER_MISSING_THERE}
        if DifferenceKind.FOREIGN_RUN in kinds or (kinds and self._policy is OnDifference.HALT):
            self.state = Reconciliation.HALTED
            return effects + self._session.halt(BREAKER, f"{len(found)} differences")
        self._adopt(kinds, account)
        effects += self._session.take_effects()
        return effects if self._differences(account) else effects + self._agree()

    def _ask_about(self, found: list[Difference]) -> None:
        """Ask about orders that the venue does not list: they may have ended meanwhile."""
        state = self._session.state
        for each in found:
            if each.kind is DifferenceKind.ORDER_MISSING_THERE:
                state.inquiries.suspect(state.account.orders.ids.number(each.subject))

    def _agree(self) -> list[Effect]:
        self.state = Reconciliation.DONE
        session = self._session
        effects = session.rearm(BREAKER, actor="session", reason="the venue agrees")[1]
        if self._policy is OnDifference.FLATTEN and self.found:
            effects += session.halt(BREAKER, "the venue differed", flatten=True)
        return effects

    def _differences(self, account: VenueAccount) -> list[Difference]:
        held = self._session.state.account
        balances = {asset: held.ledger.balance(asset) for asset in held.ledger.assets}
        return list(differences(held.orders, held.ledger.sizes, balances, account))

    def _note(self, each: Difference) -> Note:
        payload: dict[str, Any] = {
            "what": each.kind.value,
            "subject": each.subject,
            "here": each.here,
            "there": each.there,
        }
        return Note(AuditKind.RECONCILIATION, BREAKER, "", self._session.now, payload)

    def _catch_up(self, account: VenueAccount) -> list[Effect]:
        """Take in trades that were missed, and what is said of orders that work."""
        session, orders = self._session, self._session.state.account.orders
        effects: list[Effect] = []
        for at in range(len(account.trades)):
            before = session.state.account.fills
            effects += session.step(account.trades[at : at + 1].copy())
            if session.state.account.fills > before:
                self._missed(account.trades, at)
        for each in account.orders:
            number = number_here(orders, each)
            if number > 0:
                effects += session.step(accepted(each, number, account.time))
        return effects

    def _missed(self, trades: Records, at: int) -> None:
        difference = Difference(
            kind=DifferenceKind.TRADE_MISSING,
            subject=str(int(trades["sequence"][at])),
            here="not booked",
            there=f"{int(trades['size'][at])} at {int(trades['price'][at])}",
        )
        self.found.append(difference)
        self._session.state.ordering.say(self._note(difference))

    def _adopt(self, kinds: set[DifferenceKind], account: VenueAccount) -> None:
        """Take the venue's word for what differs."""
        state = self._session.state
        if DifferenceKind.ORDER_MISSING_HERE in kinds:
            for each in account.orders:
                if number_here(state.account.orders, each) < 0:
                    self._adopt_order(each, account.time)
        if DifferenceKind.POSITION in kinds:
            for number, held in enumerate(state.account.ledger.sizes):
                size, price = account.positions.get(InstrumentId(number), (0, 0))
                self._adopt_position(number, size - held, price or self._entry_price(number))
        for asset, amount in account.balances.items():
            self._adopt_balance(asset, amount)

    def _adopt_order(self, each: VenueOrder, time: int) -> None:
        session = self._session
        orders = session.state.account.orders
        number, limit = orders.next_number, int(OrderType.LIMIT)
        terms = (
            *(int(number), each.instrument, int(each.side), limit, int(TimeInForce.GTC), 0),
            *(each.price, each.size, session.now),
        )
        orders.adopt(np.array([terms], INTENT_DTYPE), each.client_id)
        payload = {"order": session.text.order(terms), "adopted": each.client_id}
        note = Note(AuditKind.INTENT, BREAKER, each.client_id, session.now, payload)
        session.state.ordering.say(note)
        session.decide(accepted(each, int(number), time))

    def _entry_price(self, number: int) -> int:
        """Return the scaled price that a position was entered at, to close it without profit."""
        average = self._session.state.account.ledger.average_price(number)
        exponent = self._session.state.instruments[number].price_exponent
        return int(average.decimal.scaleb(-exponent)) if average is not None else 0

    def _adopt_position(self, number: int, missing: int, price: int) -> None:
        """Book a difference as a trade of somebody else."""
        if not missing:
            return
        state = self._session.state
        rules = state.instruments[number]
        fill = Fill(
            order=OrderNumber(-1),
            instrument=InstrumentId(number),
            side=Side.BUY if missing > 0 else Side.SELL,
            price=Price(price, rules.price_exponent),
            size=Quantity(abs(missing), rules.size_exponent),
            fee=Money(0, rules.settlement_exponent),
            fee_asset=rules.settled_in,
            time=Nanoseconds(state.now),
            trade_id=-1,
            maker=False,
            origin=FillOrigin.EXTERNAL,
        )
        state.account.book(fill)
        payload = fill_payload(fill, rules) | {"status": "adopted"}
        state.ordering.say(Note(AuditKind.FILL, BREAKER, "", state.now, payload))

    def _adopt_balance(self, asset: str, amount: Money) -> None:
        """Book a difference as a transfer."""
        state = self._session.state
        ledger = state.account.ledger
        held = ledger.balance(asset) if asset in ledger.assets else Money(0, amount.exponent)
        missing, exponent = amount.decimal - held.decimal, min(held.exponent, amount.exponent)
        if missing:
            value = Money(int(missing.scaleb(-exponent)), exponent)
            transfer = Transfer(asset=asset, amount=value, time=Nanoseconds(state.now))
            state.account.move(transfer, state.now)
            payload = {"asset": asset, "amount": str(value)}
            state.ordering.say(Note(AuditKind.TRANSFER, BREAKER, "", state.now, payload))


def accepted(each: VenueOrder, number: int, time: int) -> Records:
    """Return what it means that an order works at the venue."""
    rows = np.zeros(1, EVENT_DTYPE)
    row = rows[0]
    row["kind"], row["flags"] = EventKind.ORDER_ACCEPTED, LAST
    row["time"] = row["received"] = time
    row["price"], row["size"] = each.price, each.size - each.filled
    row["sequence"], row["aux"], row["link"] = each.venue_order, -1, number
    row["instrument"], row["side"] = each.instrument, each.side
    return rows
