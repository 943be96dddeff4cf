"""What a step wants done outside: records to keep, orders and cancels to send, books to mend.

Effects hold plain integers as the hot path had them. Their text, for people and for the audit log,
is made when it is asked for, and says nothing that was not known at the decision.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import text_from_scaled
from bot4_core.domain_types.decisions import NamedValues, Signal
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import (
    INTENT_DTYPE,
    SIGNAL_DTYPE,
    VIEW_DTYPE,
    BookState,
    OrderFlag,
    OrderType,
    Records,
    Side,
    SignalAction,
    TimeInForce,
)
from bot4_core.risk.gate import Refusal
from bot4_core.risk.limits import LimitCheck

__all__ = [
    "CancelOrder",
    "ChildLink",
    "Effect",
    "Explained",
    "Grounds",
    "Note",
    "OrderText",
    "QueryOrder",
    "RecordIntent",
    "Resync",
    "SendOrder",
]

VIEW_PRICES = ("bid", "ask")
VIEW_SIZES = ("bid_size", "ask_size", "position", "open_buy", "open_sell")
VIEW_NUMBERS = ("mid", "microprice", "imbalance", "flow", "volatility", "equity")


class Grounds(NamedTuple):
    """What the decision on one order stood on, as it was in memory."""

    view: bytes  # a VIEW row
    signal: bytes  # a SIGNAL row; empty where no signal asked for the order
    sized: bytes  # a SIZED row
    given: Signal | None  # the signal as a Python strategy said it
    breakers: tuple[tuple[str, int, bytes], ...]  # name, what it holds, what it looks at
    why: str  # of an order that no signal asked for


class ChildLink(NamedTuple):
    """Which child of which linked order an order is."""

    linked: int
    child: int
    role: str


class RecordIntent(NamedTuple):
    """An order was decided, or refused: keep the whole chain of reasons before anything leaves."""

    number: int  # 0 for a refused order, which gets none
    client_id: str  # empty for a refused one
    time: int
    intent: tuple[int, ...]
    grounds: Grounds
    wish: int  # the size before limits and routing cut it
    sizer: str
    route: str
    broken: int  # bits of LimitCode and Refused
    refusals: tuple[tuple[Refusal, str], ...]
    numbers: bytes  # (used, allowed) of each limit, int64
    link: ChildLink | None = None

    @property
    def kind(self) -> AuditKind:
        """An intent, or a refusal."""
        return AuditKind.INTENT if self.number else AuditKind.REFUSAL

    @property
    def reason(self) -> str:
        """Why, where it is not the signal row that says so."""
        given = self.grounds.given
        return given.reason if given is not None else self.grounds.why


class SendOrder(NamedTuple):
    """Let an order's bytes leave; its intent was recorded."""

    number: int
    time: int
    terms: tuple[int, ...]

    @property
    def intent(self) -> Records:
        """The order as the one INTENT row."""
        return np.array([self.terms], INTENT_DTYPE)


class CancelOrder(NamedTuple):
    """Let a cancellation leave."""

    number: int
    time: int
    reason: str


class QueryOrder(NamedTuple):
    """Ask the venue by client order id what became of an order."""

    number: int
    time: int
    attempt: int  # from 1


class Note(NamedTuple):
    """Something to keep in the audit log that is no intent."""

    kind: AuditKind
    actor: str
    correlation: str
    time: int
    payload: Mapping[str, Any]


class Resync(NamedTuple):
    """A book needs a snapshot."""

    instrument: int
    time: int


Effect: TypeAlias = RecordIntent | SendOrder | CancelOrder | QueryOrder | Note | Resync


def float_text(value: float) -> str:
    """Write a float so that it reads back as the same bits, on every machine."""
    return repr(float(value))


def named_floats(values: NamedValues) -> dict[str, str]:
    """Return named floats as text."""
    return {name: float_text(value) for name, value in values}


class Explained(NamedTuple):
    """How to read what compiled parts leave behind as numbers without names."""

    signal: Callable[[bytes], tuple[str, NamedValues]]  # a SIGNAL row: reason and values
    size: Callable[[bytes], NamedValues]  # a SIZED row
    read: Callable[[str, bytes], NamedValues]  # a breaker's name and numbers


class OrderText:
    """Writes what an intent stood on as text, for one session.

    Parameters
    ----------
    instruments : sequence of Instrument
    limits : LimitCheck
    explained : Explained
        Reads the numbers of compiled parts.
    """

    def __init__(
        self, instruments: Sequence[Instrument], limits: LimitCheck, explained: Explained
    ) -> None:
        self._instruments = instruments
        self._limits = limits
        self._explained = explained

    def intent(self, record: RecordIntent) -> Mapping[str, Any]:
        """Return the whole chain: order, signal, size, limits, breakers, route."""
        number, grounds = record.intent[1], record.grounds
        linked = {} if record.link is None else {"linked": record.link._asdict()}
        return {
            "order": self.order((record.number, *record.intent[1:])),
            "view": self._view(number, grounds.view),
            "signal": self._signal(number, record),
            "size": {
                "sizer": record.sizer,
                "wanted": self.size(number, record.wish),
                "values": named_floats(self._explained.size(grounds.sized)),
            },
            "limits": self.uses(record),
            "breakers": {
                name: {"holds": effect, "values": named_floats(self._explained.read(name, raw))}
                for name, effect, raw in grounds.breakers
            },
            "route": record.route,
            "allowed": int(record.broken == 0),
            "refusals": [[refusal.value, text] for refusal, text in record.refusals],
            **linked,
        }

    def order(self, terms: tuple[int, ...]) -> Mapping[str, Any]:
        """Return an order's terms, the fields of its INTENT row."""
        order, number, side, kind, duration, flags, price, size, _ = terms
        return {
            "number": order,
            "instrument": str(self._instruments[number].symbol),
            "side": Side(side).name.lower(),
            "type": OrderType(kind).name.lower(),
            "time_in_force": TimeInForce(duration).name.lower(),
            "flags": [each.name.lower() for each in OrderFlag if flags & each and each.name],
            "price": self.price(number, price),
            "size": self.size(number, size),
        }

    def uses(self, record: RecordIntent) -> dict[str, list[str]]:
        """Return each limit that applied: used, allowed, and whether it was broken."""
        numbers = np.frombuffer(record.numbers, np.int64).reshape(-1, 2).tolist()
        return {
            use.name: [use.used, use.allowed, "broken" if use.broken else "kept"]
            for use in self._limits.uses(record.broken, record.intent[1], numbers)
        }

    def price(self, instrument: int, price: int) -> str:
        """Return a price as text; orders without one trade at market."""
        if not price:
            return "market"
        return text_from_scaled(price, self._instruments[instrument].price_exponent)

    def size(self, instrument: int, size: int) -> str:
        """Return a size as text."""
        return text_from_scaled(size, self._instruments[instrument].size_exponent)

    def _view(self, number: int, view: bytes) -> dict[str, str]:
        values = np.frombuffer(view, VIEW_DTYPE)[0].item()
        row = dict(zip(VIEW_DTYPE.names or (), values, strict=True))
        text = {"state": BookState(row["state"]).name.lower()}
        text |= {name: self.price(number, row[name]) for name in VIEW_PRICES}
        text |= {name: self.size(number, row[name]) for name in VIEW_SIZES}
        return text | {name: float_text(row[name]) for name in VIEW_NUMBERS}

    def _signal(self, number: int, record: RecordIntent) -> Mapping[str, Any]:
        signal, given = record.grounds.signal, record.grounds.given
        if not signal:
            return {"reason": record.reason, "values": {}}
        values = np.frombuffer(signal, SIGNAL_DTYPE)[0].item()
        row = dict(zip(SIGNAL_DTYPE.names or (), values, strict=True))
        reason, numbers = self._explained.signal(signal)
        if given is not None:
            reason, numbers = given.reason, given.values
        return {
            "action": SignalAction(row["action"]).name.lower(),
            "side": Side(row["side"]).name.lower(),
            "price": self.price(number, row["price"]),
            "horizon_ns": int(row["horizon"]),
            "strength": float_text(row["strength"]),
            "edge": float_text(row["edge"]),
            "variance": float_text(row["variance"]),
            "reason": reason,
            "values": named_floats(numbers),
        }
