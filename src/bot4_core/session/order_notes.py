"""What the audit log is told of orders, trips, strikes and gaps."""

from collections.abc import Sequence
from typing import Any, Final

from bot4_core.domain_types.accounts import FundingPayment
from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import text_from_scaled
from bot4_core.domain_types.decisions import BreakerVerdict
from bot4_core.domain_types.instruments import Instrument, InstrumentStatus
from bot4_core.domain_types.orders import Fill
from bot4_core.domain_types.records import OrderStatus, Side
from bot4_core.orders import OrderAlarm, OrderChange
from bot4_core.risk.panel import Rearm, Strike
from bot4_core.session.effects import Note

__all__ = [
    "change_notes",
    "funding_note",
    "gap_note",
    "rearm_note",
    "status_note",
    "strike_note",
    "trip_note",
]

RATE_EXPONENT: Final = -12
KINDS: Final = {
    OrderStatus.OPEN: AuditKind.ACK,
    OrderStatus.CANCELED: AuditKind.CANCEL,
    OrderStatus.REJECTED: AuditKind.REJECT,
    OrderStatus.EXPIRED: AuditKind.EXPIRY,
    OrderStatus.UNKNOWN: AuditKind.UNKNOWN,
}


def change_notes(
    change: OrderChange, client_id: str, instrument: Instrument, time: int
) -> list[Note]:
    """Return the records of one change of an order: its fill, its new status, its alarms."""
    notes = []
    venue, order = str(instrument.venue), change.order
    known: dict[str, Any] = {}
    if order is not None:
        known = {"evidence": list(order.evidence), "reserved": order.reserved}
    for fill in change.bookings:
        payload = fill_payload(fill, instrument) | {"status": change.after.name.lower()}
        notes.append(Note(AuditKind.FILL, venue, client_id, time, payload | known))
    ended = change.after in KINDS and change.after is not change.before
    if order is not None and (ended or not change.bookings):
        status: dict[str, Any] = {
            "status": change.after.name.lower(),
            "order": order.number,
            "filled": text_from_scaled(order.filled, instrument.size_exponent),
        }
        if order.reason >= 0:
            status["reason"] = order.reason
        kind = KINDS.get(change.after, AuditKind.ACK)
        notes.append(Note(kind, venue, client_id, time, status | known))
    if change.alarms:
        alarms = [each.name.lower() for each in OrderAlarm if each & change.alarms and each.name]
        notes.append(Note(AuditKind.OPERATOR, "session", client_id, time, {"alarms": alarms}))
    return notes


def fill_payload(fill: Fill, instrument: Instrument) -> dict[str, Any]:
    """Return everything that booking an execution once more takes."""
    return {
        "order": int(fill.order),
        "instrument": str(instrument.symbol),
        "trade": int(fill.trade_id),
        "side": Side(fill.side).name.lower(),
        "price": str(fill.price),
        "size": str(fill.size),
        "fee": str(fill.fee),
        "fee_asset": fill.fee_asset,
        "maker": fill.maker,
        "origin": fill.origin.value,
        "reverses": fill.reverses,
        "time": int(fill.time),
    }


def trip_note(verdict: BreakerVerdict, instruments: Sequence[Instrument]) -> Note:
    """Return the record of a trip."""
    payload = {
        "breaker": verdict.breaker,
        "effect": verdict.effect.name.lower(),
        "scope": verdict.scope.value,
        "instrument": str(instruments[verdict.instrument].symbol),
        "reason": verdict.reason,
        "values": {name: float(value) for name, value in verdict.values},
    }
    return Note(AuditKind.BREAKER_TRIP, verdict.breaker, "", verdict.time, payload)


def rearm_note(rearm: Rearm, instruments: Sequence[Instrument]) -> Note:
    """Return the record of a re-arm."""
    payload = {
        "breaker": rearm.breaker,
        "instruments": [str(instruments[each].symbol) for each in rearm.instruments],
        "reason": rearm.reason,
    }
    return Note(AuditKind.BREAKER_REARM, rearm.actor, "", rearm.time, payload)


def strike_note(strike: Strike) -> Note:
    """Return the record of a part that raised."""
    payload = {"count": strike.count, "disabled": strike.disabled, "error": strike.error}
    return Note(AuditKind.PLUGIN_STRIKE, strike.part, "", strike.time, payload)


def gap_note(instrument: Instrument, sequence: int, time: int) -> Note:
    """Return the record of a book that can no longer be trusted."""
    payload = {"instrument": str(instrument.symbol), "last_id": sequence}
    return Note(AuditKind.BOOK_GAP, str(instrument.venue), "", time, payload)


def funding_note(instrument: Instrument, payment: FundingPayment, rate: int) -> Note:
    """Return the record of a funding settlement; a positive amount was received."""
    payload = {
        "instrument": str(instrument.symbol),
        "rate": text_from_scaled(rate, RATE_EXPONENT),
        "amount": str(payment.amount),
        "asset": payment.asset,
    }
    return Note(AuditKind.FUNDING, str(instrument.venue), "", payment.time, payload)


def status_note(instrument: Instrument, status: InstrumentStatus, time: int) -> Note:
    """Return the record of a venue's word on what may be done with an instrument."""
    payload = {"instrument": str(instrument.symbol), "status": status.value}
    return Note(AuditKind.STATUS, str(instrument.venue), "", time, payload)
