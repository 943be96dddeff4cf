"""Venues that do one thing wrong each, by the number of the case that notices it."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from tests.core.testing.conforming_exchange import ROW, Asked, ModelExchange

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    Price,
    Quantity,
)
from bot4_core.domain_types.instruments import Instrument
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.rate_limits import RateLimit, RateRequest, RateSettings, RequestPriority
from bot4_core.domain_types.records import EventFlag, EventKind, OrderFlag, Records
from bot4_core.errors import DecodeError
from bot4_core.market.event_batch import EventBatch
from bot4_core.plugins.credentials import Credentials
from bot4_core.plugins.interfaces import Connection, Exchange, Outbound, Reply

COUNTER = itertools.count()


class WithoutSource(ModelExchange):
    capabilities = {"spot": attrs.evolve(ROW, source="")}  # noqa: RUF012 - as authors write it


class WithoutRow(ModelExchange):
    capabilities = {}  # noqa: RUF012 - as authors write it


class SentElsewhere(ModelExchange):
    def connect(self) -> Sequence[Outbound]:
        return (Outbound(connection="fed", body=b"AB"),)


class OneNameTwice(ModelExchange):
    def connections(self) -> Sequence[Connection]:
        return [*super().connections(), Connection(name="feed", url="wss://other")]


class Silent(ModelExchange):
    def connect(self) -> Sequence[Outbound]:
        return ()


class AskedOnce(ModelExchange):
    asked = False

    def opened(self, connection: str, now: Nanoseconds) -> Sequence[Outbound]:
        if self.asked:
            return ()
        self.asked = connection == "feed"
        return super().opened(connection, now)


class Miscounting(ModelExchange):
    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        return super().decode(data, received, batch) + 1


class WithoutLast(ModelExchange):
    def _rows(self, message: dict[str, Any]) -> Records:
        rows = super()._rows(message)
        rows["flags"] &= ~int(EventFlag.LAST)
        return rows


class OwnClock(ModelExchange):
    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        return super().decode(data, Nanoseconds(received + 1), batch)


class Unclaimed(ModelExchange):
    capabilities = {"spot": attrs.evolve(ROW, data=(EventKind.BOOK_SET,))}  # noqa: RUF012 - as above


class Moody(ModelExchange):
    def _rows(self, message: dict[str, Any]) -> Records:
        rows = super()._rows(message)
        rows["time"] = next(COUNTER)
        return rows


class Halfway(ModelExchange):
    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        if not data.endswith(b"}") and len(data) > 20:
            batch.reserve(1)
            batch.count += 1
            return 1
        return super().decode(data, received, batch)


class Raising(ModelExchange):
    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        if not data:
            raise DecodeError("nothing")
        return super().decode(data, received, batch)


class Grudging(ModelExchange):
    """Does not take the next message after one that it refused."""

    refused = False

    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        if self.refused:
            self.refused = False
            return 0
        made = super().decode(data, received, batch)
        self.refused = not made
        return made


class BlocksOfOne(ModelExchange):
    def decode_block(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
        batch: EventBatch,
        first: int = 0,
    ) -> int:
        done = super().decode_block(buffer, starts[:-1], stops[:-1], received, batch, first)
        return done + 1


class Standing(ModelExchange):
    def decode_block(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        stops: NDArray[np.int64],
        received: NDArray[np.int64],
        batch: EventBatch,
        first: int = 0,
    ) -> int:
        return first


class Coarse(ModelExchange):
    @property
    def table(self) -> Records:
        table = super().table
        table["price_exponent"] = 0
        return table


class NoStep(ModelExchange):
    @property
    def instruments(self) -> tuple[Instrument, ...]:
        return (attrs.evolve(super().instruments[0], lot=0),)


class Hoarding(ModelExchange):
    def __init__(self) -> None:
        super().__init__()
        self.heap: list[bytes] = []

    def decode(self, data: bytes, received: Nanoseconds, batch: EventBatch) -> int:
        made = super().decode(data, received, batch)
        if not made:
            self.heap.append(data + b"!")
        return made


class Unnumbered(ModelExchange):
    @property
    def table(self) -> Records:
        table = super().table
        table["chain"] = 0
        return table


class Renumbering(ModelExchange):
    """Numbers the updates itself, so that none is ever missing."""

    last = 0

    def _rows(self, message: dict[str, Any]) -> Records:
        rows = super()._rows(message)
        if message["k"] == "snap":
            self.last = int(message["u"])
        elif message["k"] == "book":
            self.last += 1
            rows["sequence"] = rows["aux"] = self.last
        return rows


class Adding(Renumbering):
    """Takes sizes as what is added, so that an update must not come twice."""

    taken = 0

    def _rows(self, message: dict[str, Any]) -> Records:
        rows = super()._rows(message)
        if message["k"] == "book":
            self.taken += 1
            rows["size"][:-1] = self.taken
        return rows


class NeverAgain(ModelExchange):
    def resync(self, instrument: InstrumentId) -> Sequence[Outbound]:
        return ()


class Forgetful(ModelExchange):
    def closed(self, connection: str, now: Nanoseconds, batch: EventBatch) -> int:
        return 0


class Crossing(ModelExchange):
    def _rows(self, message: dict[str, Any]) -> Records:
        rows = super()._rows(message)
        rows["side"] = -rows["side"]
        return rows


def changed(**fields: Any) -> type[ModelExchange]:
    """Return a venue whose requests have something else in them."""

    class Changed(ModelExchange):
        def _asked(self, asked: Asked) -> Outbound:
            return attrs.evolve(super()._asked(asked), **fields)

    return Changed


class TakesAll(ModelExchange):
    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        terms = {"id": str(intent.client_id), "p": "0", "q": "0"}
        asked = Asked("POST", "/orders", terms, now, RequestPriority.ORDER, intent.number)
        return self._asked(asked)


class FlagBlind(ModelExchange):
    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        return super().place(attrs.evolve(intent, flags=OrderFlag.NONE), now)


class Rounding(ModelExchange):
    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        price = intent.price and Price(intent.price.value // 10 * 10, intent.price.exponent)
        return super().place(attrs.evolve(intent, price=price), now)


class OwnIds(ModelExchange):
    def place(self, intent: OrderIntent, now: Nanoseconds) -> Outbound:
        return super().place(attrs.evolve(intent, client_id=ClientOrderId("mine")), now)


class CancelCreates(ModelExchange):
    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        return attrs.evolve(super().cancel(order, now), creates=True)


class CancelWaits(ModelExchange):
    def cancel(self, order: Order, now: Nanoseconds) -> Outbound:
        cost = RateRequest(priority=RequestPriority.DATA)
        return attrs.evolve(super().cancel(order, now), cost=cost)


class AmendCreates(ModelExchange):
    def amend(
        self, order: Order, price: Price | None, size: Quantity | None, now: Nanoseconds
    ) -> Outbound:
        return attrs.evolve(super().amend(order, price, size, now), creates=True)


class CancelsNone(ModelExchange):
    def cancel_all(self, instrument: InstrumentId, now: Nanoseconds) -> Sequence[Outbound]:
        return ()


class Unlimited(ModelExchange):
    @property
    def rate_limits(self) -> RateSettings | None:
        return None


class TooNarrow(ModelExchange):
    @property
    def rate_limits(self) -> RateSettings | None:
        limit = RateLimit(name="all", limit=3, span=Nanoseconds(1_000_000_000))
        return RateSettings(limits=(limit,))


class KeyInTag(ModelExchange):
    def _asked(self, asked: Asked) -> Outbound:
        assert self._keys is not None
        return attrs.evolve(super()._asked(asked), tag=self._keys.key.reveal())


class SecretSent(ModelExchange):
    def _asked(self, asked: Asked) -> Outbound:
        assert self._keys is not None
        secret = self._keys.secret.reveal().encode()
        made = super()._asked(asked)
        return attrs.evolve(made, body=made.body + secret)


class KeyKept(ModelExchange):
    def authorise(self, credentials: Credentials) -> None:
        super().authorise(credentials)
        self.plain = credentials.secret.reveal()


class AlwaysPrivate(ModelExchange):
    def connections(self) -> Sequence[Connection]:
        return [Connection(name="mine", url="wss://model/mine", private=True)]


class Keyless(ModelExchange):
    def _asked(self, asked: Asked) -> Outbound:
        if self._keys is None:
            return Outbound(connection="rest", method="POST", creates=True)
        return super()._asked(asked)


class Timeless(ModelExchange):
    def _asked(self, asked: Asked) -> Outbound:
        return super()._asked(asked._replace(now=0))


class Random(ModelExchange):
    def _asked(self, asked: Asked) -> Outbound:
        terms = {**asked.terms, "nonce": str(next(COUNTER))}
        return super()._asked(asked._replace(terms=terms))


class Guessing(ModelExchange):
    """Takes every reply that it does not know for a refusal."""

    def decode_reply(self, request: Outbound, reply: Reply, batch: EventBatch) -> int:
        made = super().decode_reply(request, reply, batch)
        batch.records[batch.count - 1]["kind"] = EventKind.ORDER_REJECTED
        return made


class Hopeful(ModelExchange):
    def undelivered(self, request: Outbound, now: Nanoseconds, batch: EventBatch) -> int:
        return 0


class NoList(ModelExchange):
    definitive_rejects = frozenset()


class Believing(ModelExchange):
    def refusal(self, code: str) -> EventKind:
        return EventKind.ORDER_REJECTED


BROKEN: list[tuple[str, Callable[[], Exchange]]] = [
    ("E01", WithoutSource),
    ("E01", WithoutRow),
    ("E02", SentElsewhere),
    ("E02", OneNameTwice),
    ("E03", Silent),
    ("E03", AskedOnce),
    ("E04", Miscounting),
    ("E04", WithoutLast),
    ("E04", OwnClock),
    ("E05", Unclaimed),
    ("E06", Moody),
    ("E07", Halfway),
    ("E07", Grudging),
    ("E08", Raising),
    ("E09", BlocksOfOne),
    ("E09", Standing),
    ("E10", Coarse),
    ("E10", NoStep),
    ("E11", Hoarding),
    ("E20", Crossing),
    ("E21", Unnumbered),
    ("E21", Renumbering),
    ("E22", Adding),
    ("E23", Renumbering),
    ("E24", NeverAgain),
    ("E25", Forgetful),
    ("R01", changed(connection="fed")),
    ("R01", changed(creates=False)),
    ("R01", changed(order=3)),
    ("R01", changed(body=b"", path="")),
    ("R02", TakesAll),
    ("R02", FlagBlind),
    ("R03", Rounding),
    ("R08", OwnIds),
    ("R04", CancelCreates),
    ("R04", CancelWaits),
    ("R04", changed(order=3)),
    ("R05", AmendCreates),
    ("R06", CancelsNone),
    ("R07", Unlimited),
    ("R07", TooNarrow),
    ("R20", KeyInTag),
    ("R20", SecretSent),
    ("R20", KeyKept),
    ("R21", AlwaysPrivate),
    ("R21", Keyless),
    ("R22", Timeless),
    ("R22", Random),
    ("R30", Guessing),
    ("R30", Hopeful),
    ("R31", NoList),
    ("R31", Believing),
]
