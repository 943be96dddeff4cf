"""Adapters, messages and recordings for tests of the Kraken plugin."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
    Symbol,
    VenueName,
)
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.records import ChainRule, OrderStatus, OrderType, Side
from bot4_core.errors import PrecisionGrew
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.recordings import open_messages
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_kraken.adapter import KrakenExchange
from bot4_plugins.exchange_kraken.settings import KrakenSettings

SYMBOL = "BTC/USD"
NOW = Nanoseconds(1_785_641_750_295_158_100)
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="  # noqa: S105 - the one of the documentation
FIELDS = ("kind", "side", "price", "size", "sequence", "aux", "link", "flags")
TOKEN = b'{"error":[],"result":{"token":"TESTTOKEN","expires":900}}'

BITCOIN = Instrument(
    venue=VenueName("kraken"),
    market="spot",
    symbol=Symbol(SYMBOL),
    base="BTC",
    quote="USD",
    kind=InstrumentKind.SPOT,
    settlement=Settlement.SPOT,
    price_exponent=-1,
    size_exponent=-8,
    tick=1,
    lot=1,
    chain=ChainRule.CHECKSUM,
    depth=10,
)
ETHER = Instrument(
    venue=VenueName("kraken"),
    market="spot",
    symbol=Symbol("ETH/USD"),
    base="ETH",
    quote="USD",
    kind=InstrumentKind.SPOT,
    settlement=Settlement.SPOT,
    price_exponent=-2,
    size_exponent=-8,
    tick=1,
    lot=1,
    chain=ChainRule.CHECKSUM,
    depth=10,
)


def client_id(number: int) -> ClientOrderId:
    return ClientOrderId(f"{number:032x}")


def number_of(text: str) -> int:
    return int(text, 16) if len(text) == 32 else -1


def adapter(*instruments: Instrument, **settings: Any) -> KrakenExchange:
    """Return an adapter without keys."""
    known = instruments or (BITCOIN,)
    return KrakenExchange(KrakenSettings(**settings), known)


def trader(*, token: bool = True, **settings: Any) -> KrakenExchange:
    """Return an adapter with keys, and with a token unless told otherwise."""
    exchange = adapter(**settings)
    exchange.authorise(Credentials(key=Secret("key"), secret=Secret(SECRET)))
    exchange.number_of = number_of
    if token:
        (request,) = exchange.opened("private", NOW)
        answered(exchange, request, TOKEN)
        exchange.wanted()
    return exchange


def intent(**fields: Any) -> OrderIntent:
    """Return an order to buy 1.25 at 37500, or another."""
    known: dict[str, Any] = {
        "number": OrderNumber(7),
        "client_id": client_id(7),
        "instrument": InstrumentId(0),
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "size": Quantity(125_000_000, -8),
        "price": Price(375_000, -1),
        "created": NOW,
    }
    known |= fields
    if known["type"] in (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT) or (
        known["type"] in (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)
    ):
        known["price"] = None
    return OrderIntent(**known)


def working(**fields: Any) -> Order:
    return Order(
        intent=intent(**fields), status=OrderStatus.OPEN, filled=Quantity(0, -8), updated=NOW
    )


def answered(
    exchange: KrakenExchange,
    request: Outbound,
    body: bytes | Mapping[str, object],
    *,
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
) -> EventBatch:
    """Hand in the reply to a request."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    batch = EventBatch()
    reply = Reply(status=status, body=data, received=NOW, headers=headers)
    assert exchange.decode_reply(request, reply, batch) == batch.count
    return batch


def told(exchange: KrakenExchange, message: bytes | str | Mapping[str, object]) -> EventBatch:
    """Hand in a message."""
    text = message if isinstance(message, bytes | str) else json.dumps(message)
    data = text.encode() if isinstance(text, str) else text
    batch = EventBatch()
    assert exchange.decode(data, NOW, batch) == batch.count
    return batch


def rows(batch: EventBatch) -> list[tuple[int, ...]]:
    """Give the fields that differ between records, as plain integers."""
    return [tuple(int(event[name]) for name in FIELDS) for event in batch.events]


def frames(path: Path) -> Iterator[tuple[bytes, Nanoseconds]]:
    """Give every message of a recording."""
    for block in open_messages(path).blocks():
        for number in range(len(block)):
            yield block.message(number), Nanoseconds(int(block.received[number]))


class Outcome(NamedTuple):
    """All that a message changes."""

    events: bytes
    quarantined: int
    reasons: tuple[str, ...]
    symbols: tuple[str, ...]
    grew: tuple[str, int, int] | None


def outcome(exchange: KrakenExchange, data: bytes, *, slowly: bool) -> Outcome:
    """Decode one message into a small batch."""
    batch = EventBatch(4)
    decode = exchange.decode_carefully if slowly else exchange.decode
    grew = None
    try:
        assert decode(data, NOW, batch) == batch.count
    except PrecisionGrew as grown:
        grew = (grown.symbol, grown.price_exponent, grown.size_exponent)
    return Outcome(
        batch.events.tobytes(),
        exchange.quarantined,
        tuple(message.reason for message in exchange.quarantine),
        tuple(item.symbol for item in exchange.instruments),
        grew,
    )


Levels = Sequence[tuple[str, str]]


def book_text(
    bids: Levels = (("64524.0", "0.00000000"), ("64521.2", "0.00200000")),
    asks: Levels = (("64525.1", "0.01077490"),),
    *,
    kind: str = "update",
    symbol: str = SYMBOL,
    checksum: int = 3906264065,
) -> str:
    """Write a book message as the venue does."""
    sides = [
        ",".join(f'{{"price":{price},"qty":{size}}}' for price, size in side)
        for side in (bids, asks)
    ]
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}","bids":[{sides[0]}],'
        f'"asks":[{sides[1]}],"checksum":{checksum},"timestamp":"2026-07-19T17:54:39.799885Z"}}]}}'
    )


def trade_text(count: int = 1, **changed: str) -> str:
    """Write a trade message as the venue does."""
    each = []
    for number in range(count):
        fields = {
            "symbol": f'"{SYMBOL}"',
            "side": '"buy"',
            "price": "79192.9",
            "qty": "0.00005319",
            "ord_type": '"limit"',
            "trade_id": str(107725589 + number),
            "timestamp": '"2026-09-14T18:32:27.420924Z"',
        } | changed
        each.append("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}")
    return f'{{"channel":"trade","type":"update","data":[{",".join(each)}]}}'


def execution(**fields: object) -> dict[str, object]:
    """Return a message of the executions channel with one row."""
    row = {"order_id": "OABC-1", "timestamp": "2026-07-19T17:54:39.799885Z"} | fields
    return {"channel": "executions", "type": "update", "data": [row], "sequence": 1}
