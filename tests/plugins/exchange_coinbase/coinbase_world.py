"""Adapters, messages and recordings for tests of the Coinbase plugin."""

import json
from collections.abc import Iterator, Mapping
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
from bot4_core.domain_types.records import OrderStatus, OrderType, Side
from bot4_core.errors import PrecisionGrew
from bot4_core.market.event_batch import EventBatch
from bot4_core.market.recordings import Channel, open_messages
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_coinbase.adapter import CoinbaseExchange
from bot4_plugins.exchange_coinbase.settings import CoinbaseSettings

SYMBOL = "BTC-USD"
NOW = Nanoseconds(1_786_309_548_174_345_600)
FIELDS = ("kind", "side", "price", "size", "sequence", "aux", "link", "flags")
ED25519 = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputDOKsRAwgyrpEQLeBtS1znTmzPX6Xr2eOWpzx6nW8knkA=="
RECORDING = "coinbase/advanced_trade_20260809.jsonl.gz"
TIME = "2026-08-09T21:05:48.505350477Z"


def product(symbol: str, exponents: tuple[int, int] = (-2, -8)) -> Instrument:
    base, _, quote = symbol.partition("-")
    return Instrument(
        venue=VenueName("coinbase"),
        market="spot",
        symbol=Symbol(symbol),
        base=base,
        quote=quote,
        kind=InstrumentKind.SPOT,
        settlement=Settlement.SPOT,
        price_exponent=exponents[0],
        size_exponent=exponents[1],
        tick=1,
        lot=1,
    )


BITCOIN = product(SYMBOL)
ETHER = product("ETH-USD")


def client_id(number: int) -> ClientOrderId:
    return ClientOrderId(f"{number:032x}")


def number_of(text: str) -> int:
    return int(text, 16) if len(text) == 32 else -1


def adapter(*instruments: Instrument, **settings: Any) -> CoinbaseExchange:
    """Return an adapter without keys."""
    return CoinbaseExchange(CoinbaseSettings(**settings), instruments or (BITCOIN,))


def trader(**settings: Any) -> CoinbaseExchange:
    """Return an adapter with keys."""
    exchange = adapter(**settings)
    exchange.authorise(Credentials(key=Secret("key-name"), secret=Secret(ED25519)))
    exchange.number_of = number_of
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
        "price": Price(3_750_000, -2),
        "created": NOW,
    } | fields
    if known["type"] is OrderType.MARKET:
        known["price"] = None
    return OrderIntent(**known)


def working(**fields: Any) -> Order:
    return Order(
        intent=intent(**fields), status=OrderStatus.OPEN, filled=Quantity(0, -8), updated=NOW
    )


def answered(
    exchange: CoinbaseExchange,
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


def told(exchange: CoinbaseExchange, message: bytes | str | Mapping[str, object]) -> EventBatch:
    """Hand in a message."""
    text = message if isinstance(message, bytes | str) else json.dumps(message)
    data = text.encode() if isinstance(text, str) else text
    batch = EventBatch()
    assert exchange.decode(data, NOW, batch) == batch.count
    return batch


def rows(batch: EventBatch) -> list[tuple[int, ...]]:
    """Give the fields that differ between records, as plain integers."""
    return [tuple(int(event[name]) for name in FIELDS) for event in batch.events]


def frames(path: Path, *, replies: bool = False) -> Iterator[tuple[bytes, Nanoseconds]]:
    """Give every frame of a recording, and the replies before them if asked for."""
    file = open_messages(path)
    for block in file.blocks():
        for number in range(len(block)):
            is_reply = file.origins[int(block.origins[number])].channel is Channel.RESPONSE
            if replies or not is_reply:
                yield block.message(number), Nanoseconds(int(block.received[number]))


class Outcome(NamedTuple):
    """All that a message changes."""

    events: bytes
    reasons: tuple[str, ...]
    symbols: tuple[str, ...]
    grew: tuple[str, int, int] | None
    expected: int
    repeated: int


def outcome(exchange: CoinbaseExchange, data: bytes, *, slowly: bool) -> Outcome:
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
        tuple(message.reason for message in exchange.quarantine),
        tuple(item.symbol for item in exchange.instruments),
        grew,
        exchange.next_frame,
        exchange.repeated,
    )


def frame(channel: str, events: list[object], number: int = 0) -> dict[str, object]:
    """Return a frame as the venue orders its members."""
    return {"channel": channel, "timestamp": TIME, "sequence_num": number, "events": events}


def compact(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def level(side: str = "bid", price: str = "65062.5", size: str = "0.00583") -> dict[str, object]:
    return {"side": side, "event_time": TIME, "price_level": price, "new_quantity": size}


def book(*levels: object, kind: str = "update", symbol: str = SYMBOL, number: int = 0) -> bytes:
    updates = [*levels] or [level(), level("offer", "65083.67", "0")]
    event = {"type": kind, "product_id": symbol, "updates": updates}
    return compact(frame("l2_data", [event], number))


def trade(**fields: object) -> dict[str, object]:
    return {
        "product_id": SYMBOL,
        "trade_id": "1068572091",
        "price": "65083.67",
        "size": "0.01034361",
        "time": "2026-08-09T21:05:48.167634Z",
        "side": "SELL",
    } | fields


def trades(*each: object, kind: str = "update", number: int = 0) -> bytes:
    event = {"type": kind, "trades": [*each] or [trade()]}
    return compact(frame("market_trades", [event], number))
