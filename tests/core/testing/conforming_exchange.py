"""A venue with the simplest protocol that a whole kit can be passed with."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from bot4_core.domain_types.canonical_types import (
    InstrumentId,
    Nanoseconds,
    Price,
    Quantity,
    Symbol,
    VenueName,
)
from bot4_core.domain_types.instruments import (
    Instrument,
    InstrumentKind,
    Settlement,
    instrument_table,
)
from bot4_core.domain_types.number_text import scaled_from_text, text_from_scaled
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import (
    RateLimit,
    RateRequest,
    RateSettings,
    RequestPriority,
)
from bot4_core.domain_types.records import (
    EVENT_DTYPE,
    ChainRule,
    EventFlag,
    EventKind,
    OrderFlag,
    OrderType,
    Records,
    Side,
    TimeInForce,
)
from bot4_core.domain_types.venue_capabilities import BookProof, Capabilities, RequestRoute
from bot4_core.errors import OrderError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_core.plugins.interfaces import Connection, Exchange, Outbound, PartSettings, Reply
from bot4_core.testing.exchange_conformance import Heard
from bot4_core.testing.order_conformance import TradingConformance

LISTED = Instrument(
    venue=VenueName("model"),
    market="spot",
    symbol=Symbol("AB"),
    base="A",
    quote="B",
    kind=InstrumentKind.SPOT,
    settlement=Settlement.SPOT,
    price_exponent=-2,
    size_exponent=-3,
    tick=1,
    lot=1,
    min_size=5,
    chain=ChainRule.STEP,
)
ROW = Capabilities(
    data=(EventKind.BOOK_SET, EventKind.TRADE),
    proof=BookProof.STEP,
    order_types=(OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.ICEBERG),
    times_in_force=(TimeInForce.GTC, TimeInForce.IOC, TimeInForce.GTD),
    flags=OrderFlag.POST_ONLY,
    routes=(RequestRoute.REST,),
    amend=True,
    cancel_all=True,
    as_of="2026-11-22",
    source="this file",
)
LEVELS = {"b": Side.BUY, "a": Side.SELL}


class Asked(NamedTuple):
    """A request before it is signed."""

    method: str
    path: str
    terms: dict[str, str]
    now: int
    priority: RequestPriority
    number: int


class ModelExchange(Exchange):
    """Messages ``{"k": "book"|"snap"|"trade", "u": id, "b": [[price, size], ...], "a": ...}``."""

    name: ClassVar[str] = "model"
    markets: ClassVar[tuple[str, ...]] = ("spot",)
    capabilities = {"spot": ROW}  # noqa: RUF012 - as a plugin author would write it
    definitive_rejects = frozenset({"no money"})

    def __init__(
        self, settings: PartSettings | None = None, instruments: Sequence[Instrument] = ()
    ) -> None:
        self._quarantined = 0
        self._keys: Credentials | None = None

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        return (LISTED,)

    @property
    def table(self) -> Records:
        return instrument_table(self.instruments)

    @property
    def quarantined(self) -> int:
        return self._quarantined

    @property
    def rate_limits(self) -> RateSettings | None:
        return RateSettings(
            limits=(RateLimit(name="all", limit=50, span=Nanoseconds(1_000_000_000)),)
        )

    def authorise(self, credentials: Credentials) -> None:
        self._keys = credentials

    def connections(self) -> Sequence[Connection]:
        wanted = [
            Connection(name="feed", url="wss://model"),
            Connection(name="rest", url="https://model"),
        ]
        if self._keys is not None:
            wanted.append(Connection(name="mine", url="wss://model/mine", private=True))
        return wanted

    def connect(self) -> Sequence[Outbound]:
        return (Outbound(connection="feed", body=b"AB"),)

    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        if connection != "feed":
            return 0
        gap = np.zeros(1, EVENT_DTYPE)
        gap["kind"], gap["received"], gap["flags"] = EventKind.GAP, now, EventFlag.LAST
        return self._append(gap, batch)

    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        return (Outbound(connection="rest", method="GET", path="/book"),)

    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        try:
            rows = self._rows(json.loads(data))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._quarantined += 1
            return 0
        rows["received"] = received
        return self._append(rows, batch)

    def _append(self, rows: Records, batch: EventBatch) -> int:
        batch.reserve(len(rows))
        batch.records[batch.count : batch.count + len(rows)] = rows
        batch.count += len(rows)
        return len(rows)

    def _rows(self, message: dict[str, Any]) -> Records:
        if message["k"] == "trade":
            levels = [(EventKind.TRADE, Side.BUY, *message["t"])]
        else:
            levels = [
                (EventKind.BOOK_SET, side, price, size)
                for name, side in LEVELS.items()
                for price, size in message[name]
            ]
        rows = np.zeros(len(levels) + 2, EVENT_DTYPE)
        for row, (kind, side, price, size) in zip(rows[1:], levels, strict=False):
            row["kind"], row["side"] = kind, side
            row["price"] = scaled_from_text(price, LISTED.price_exponent)
            row["size"] = scaled_from_text(size, LISTED.size_exponent)
        rows["sequence"] = rows["aux"] = int(message["u"])
        rows["link"] = -1
        if message["k"] == "trade":
            rows = rows[1:2]
        else:
            rows[0]["kind"], rows[-1]["kind"] = EventKind.BOOK_CLEAR, EventKind.BOOK_END
            rows[-1]["size"] = len(levels)
            if message["k"] == "snap":
                rows["flags"] = EventFlag.SNAPSHOT
            else:
                rows = rows[1:]
        rows[-1]["flags"] |= EventFlag.LAST
        return rows

    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        unknown = intent.type not in ROW.order_types or intent.flags & ~ROW.flags
        if unknown or intent.time_in_force not in ROW.times_in_force:
            raise OrderError(f"no {intent.type.name} {intent.time_in_force.name} here")
        terms = {
            "id": str(intent.client_id),
            "p": "" if intent.price is None else _text(intent.price),
            "q": _text(intent.size),
        }
        return self._asked(
            Asked("POST", "/orders", terms, now, RequestPriority.ORDER, intent.number)
        )

    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        terms = {"id": str(order.intent.client_id)}
        number = order.intent.number
        return self._asked(Asked("DELETE", "/orders", terms, now, RequestPriority.CANCEL, number))

    def cancel_all(self, instrument: InstrumentId, now: Nanoseconds) -> Sequence[Outbound]:
        return (self._asked(Asked("DELETE", "/all", {}, now, RequestPriority.CANCEL, -1)),)

    def amend(
        self, order: Order, price: Price | None, size: Quantity | None, now: Nanoseconds
    ) -> Outbound:
        terms = {"id": str(order.intent.client_id)}
        number = order.intent.number
        return self._asked(Asked("PATCH", "/orders", terms, now, RequestPriority.ORDER, number))

    def query(self, order: Order, now: Nanoseconds) -> Outbound:
        terms = {"id": str(order.intent.client_id)}
        number = order.intent.number
        return self._asked(Asked("GET", "/orders", terms, now, RequestPriority.QUERY, number))

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        if not request.creates:
            return super().decode_reply(request, reply, batch)
        row = np.zeros(1, EVENT_DTYPE)
        row["received"], row["link"], row["flags"] = reply.received, request.order, EventFlag.LAST
        row["kind"] = EventKind.ORDER_IN_DOUBT
        if reply.body == b"taken":
            row["kind"] = EventKind.ORDER_ACCEPTED
        elif reply.body.decode(errors="replace") in self.definitive_rejects:
            row["kind"] = EventKind.ORDER_REJECTED
        return self._append(row, batch)

    def _asked(self, asked: Asked) -> Outbound:
        if self._keys is None:
            raise OrderError("there are no keys; give some to authorise()")
        body = json.dumps({**asked.terms, "time": asked.now}).encode()
        secret = self._keys.secret.reveal().encode()
        sign = hmac.new(secret, body, hashlib.sha256).hexdigest()
        return Outbound(
            connection="rest",
            body=body,
            method=asked.method,
            path=asked.path,
            headers=(("key", self._keys.key.reveal()), ("sign", sign)),
            cost=RateRequest(priority=asked.priority),
            order=asked.number,
            creates=asked.method == "POST",
        )


def _text(number: Price | Quantity) -> str:
    return text_from_scaled(number.value, number.exponent)


def said(kind: str, number: int, bids: Sequence[Any] = (), asks: Sequence[Any] = ()) -> Heard:
    message = {"k": kind, "u": number, "b": list(bids), "a": list(asks)}
    return Heard(json.dumps(message).encode())


MESSAGES = (
    said("snap", 10, [["99.5", "1"], ["99.25", "2"]], [["100", "1"], ["100.5", "3"]]),
    *(
        said("book", 11 + step, [["99.5", str(2 + step)]], [[str(101 + step), "4"]])
        for step in range(6)
    ),
    Heard(b'{"k": "trade", "u": 5, "t": ["100", "0.25"]}'),
)


class ModelConformance(TradingConformance):
    """How the model venue takes the kit."""

    def adapter(self) -> Exchange:
        return ModelExchange()

    def messages(self) -> Sequence[Heard]:
        return MESSAGES

    def credentials(self) -> Credentials | None:
        return Credentials(key=Secret("canary-key-1"), secret=Secret("canary-secret-2"))
