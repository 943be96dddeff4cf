"""What a step wants done outside: records to keep, orders and cancels to send, books to mend.

Effects hold plain integers as the hot path had them. Their text, for people and for the audit log,
is made when it is asked for, and says nothing that was not known at the decision.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bot4_core.domain_types.audit_records import AuditKind
from bot4_core.domain_types.canonical_types import text_from_scaled
from bot4_core.domain_types.decisions import NamedValues
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.records import (
    SIGNAL_DTYPE,
    VIEW_DTYPE,
    BookState,
    OrderFlag,
    OrderType,
    Side,
    SignalAction,
    TimeInForce,
)
from bot4_core.risk.gate import Decision
from bot4_core.risk.limits import LimitCheck

__all__ = [
    "CancelOrder",
    "Effect",
    "Grounds",
    "Note",
    "OrderText",
    "RecordIntent",
    "Resync",
    "SendOrder",
]

VIEW_PRICES = ("bid", "ask")
VIEW_SIZES = ("bid_size", "ask_size", "position", "open_buy", "open_sell")
VIEW_NUMBERS = ("mid", "microprice", "imbalance", "flow", "volatility", "equity")


class Grounds(NamedTuple):
    """Why an order was wanted: the view, the signal, the size, as they were in memory."""

    view: bytes  # a VIEW row
    signal: bytes  # a SIGNAL row; empty where no signal asked for the order
    reason: str  # empty where the signal's own code says it
    values: NamedValues
    size: int
    sizer: str
    size_values: NamedValues
    route: str = ""


class RecordIntent(NamedTuple):
    """An order was decided, or refused: keep the whole chain of reasons before anything leaves."""

    number: int  # 0 for a refused order, which gets none
    client_id: str
    time: int
    intent: tuple[int, ...]
    grounds: Grounds
    decision: Decision
    breakers: tuple[tuple[str, int, NamedValues], ...]

    @property
    def kind(self) -> AuditKind:
        """An intent, or a refusal."""
        return AuditKind.INTENT if self.number else AuditKind.REFUSAL


class SendOrder(NamedTuple):
    """Let an order's bytes leave; its intent was recorded."""

    number: int
    time: int
    intent: NDArray[np.void]  # (1,) INTENT


class CancelOrder(NamedTuple):
    """Let a cancellation leave."""

    number: int
    time: int
    reason: str


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


Effect: TypeAlias = RecordIntent | SendOrder | CancelOrder | Note | Resync


def float_text(value: float) -> str:
    """Write a float so that it reads back as the same bits, on every machine."""
    return repr(float(value))


def named_floats(values: NamedValues) -> dict[str, str]:
    """Return named floats as text."""
    return {name: float_text(value) for name, value in values}


class OrderText:
    """Writes what an intent stood on as text, for one session.

    Parameters
    ----------
    instruments : sequence of Instrument
    limits : LimitCheck
    explain : callable
        Reads the reason and its numbers from a SIGNAL row of a compiled strategy.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        limits: LimitCheck,
        explain: Callable[[bytes], tuple[str, NamedValues]],
    ) -> None:
        self._instruments = instruments
        self._limits = limits
        self._explain = explain

    def intent(self, record: RecordIntent) -> Mapping[str, Any]:
        """Return the whole chain: order, signal, size, limits, breakers, route."""
        _, number, side, kind, duration, flags, price, size, _ = record.intent
        instrument = self._instruments[number]
        grounds, decision = record.grounds, record.decision
        return {
            "order": {
                "number": record.number,
                "instrument": str(instrument.symbol),
                "side": Side(side).name.lower(),
                "type": OrderType(kind).name.lower(),
                "time_in_force": TimeInForce(duration).name.lower(),
                "flags": [each.name.lower() for each in OrderFlag if flags & each and each.name],
                "price": self.price(number, price),
                "size": self.size(number, size),
            },
            "view": self._view(number, grounds.view),
            "signal": self._signal(number, grounds),
            "size": {
                "sizer": grounds.sizer,
                "wanted": self.size(number, grounds.size),
                "values": named_floats(grounds.size_values),
            },
            "limits": self.uses(decision, number),
            "breakers": {
                name: {"holds": effect, "values": named_floats(values)}
                for name, effect, values in record.breakers
            },
            "route": grounds.route,
            "allowed": int(decision.allowed),
            "refusals": [[refusal.value, text] for refusal, text in decision.refusals],
        }

    def uses(self, decision: Decision, instrument: int) -> dict[str, list[str]]:
        """Return each limit that applied: used, allowed, and whether it was broken."""
        return {
            use.name: [use.used, use.allowed, "broken" if use.broken else "kept"]
            for use in self._limits.uses(decision.broken, instrument, decision.numbers)
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

    def _signal(self, number: int, grounds: Grounds) -> Mapping[str, Any]:
        if not grounds.signal:
            return {"reason": grounds.reason, "values": named_floats(grounds.values)}
        values = np.frombuffer(grounds.signal, SIGNAL_DTYPE)[0].item()
        row = dict(zip(SIGNAL_DTYPE.names or (), values, strict=True))
        reason, numbers = grounds.reason, grounds.values
        if not reason:
            reason, numbers = self._explain(grounds.signal)
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
