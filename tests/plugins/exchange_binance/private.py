"""Adapters with a key, orders to send, and what replies do to them."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import attrs
from tests.instruments import perpetual

from bot4_core.domain_types.canonical_types import (
    ClientOrderId,
    InstrumentId,
    Nanoseconds,
    OrderNumber,
    Price,
    Quantity,
    Symbol,
)
from bot4_core.domain_types.instruments import Instrument, InstrumentKind, Settlement
from bot4_core.domain_types.orders import Order, OrderIntent
from bot4_core.domain_types.records import (
    ChainRule,
    EventKind,
    OrderStatus,
    OrderType,
    Side,
)
from bot4_core.market.event_batch import EventBatch
from bot4_core.orders.client_ids import client_order_id, parse_client_order_id
from bot4_core.plugins.credentials import Credentials, Secret
from bot4_core.plugins.exchange import Outbound, Reply
from bot4_plugins.exchange_binance.adapter import BinanceExchange, BinanceSettings

NOW = Nanoseconds(1_723_161_255_030_000_000)
DATE = "Fri, 09 Aug 2024 00:34:15 GMT"
DATE_NS = 1_723_163_655 * 10**9
TAG = "0123456789abcdef"
KEYS = Credentials(key=Secret("the key"), secret=Secret("the secret"))

CONTRACT = perpetual("BTCUSDT", chain=ChainRule.LINK)
PAIR = attrs.evolve(
    CONTRACT,
    market="spot",
    kind=InstrumentKind.SPOT,
    settlement=Settlement.SPOT,
    chain=ChainRule.RANGE,
    size_exponent=-5,
)
COIN = attrs.evolve(
    CONTRACT,
    market="coinm",
    symbol=Symbol("BTCUSD_PERP"),
    quote="USD",
    settlement=Settlement.INVERSE,
    size_exponent=0,
)
INSTRUMENTS: Mapping[str, Instrument] = {"spot": PAIR, "usdm": CONTRACT, "coinm": COIN}


def number_of(client_id: str) -> int:
    """Return the order number of a client id with our tag, -1 for any other."""
    try:
        tag, number = parse_client_order_id(client_id)
    except Exception:  # noqa: BLE001 - foreign ids have any form
        return -1
    return number if tag == TAG else -1


def trader(
    market: str, *, route: str = "websocket", keys: Credentials | None = KEYS
) -> BinanceExchange:
    """Return an adapter that may trade one instrument."""
    instrument = INSTRUMENTS[market]
    settings = BinanceSettings(market=market, symbols=(instrument.symbol,), route=route)
    exchange = BinanceExchange(settings, (instrument,))
    exchange.number_of = number_of
    if keys is not None:
        exchange.authorise(keys)
    return exchange


def intent(market: str, type: OrderType = OrderType.LIMIT, **changes: object) -> OrderIntent:  # noqa: A002
    """Return an order of number 7."""
    rules = INSTRUMENTS[market]
    made = OrderIntent(
        number=OrderNumber(7),
        client_id=client_order_id(TAG, 7),
        instrument=InstrumentId(0),
        side=Side.BUY,
        type=type,
        size=rules.size("2"),
        price=None if type is OrderType.MARKET else rules.price("61800.50"),
    )
    return attrs.evolve(made, **changes)  # type: ignore[arg-type]  # any field, by name


def order(market: str, type: OrderType = OrderType.LIMIT, **changes: object) -> Order:  # noqa: A002
    """Return such an order at work."""
    made = intent(market, type, **changes)
    return Order(
        intent=made,
        status=OrderStatus.OPEN,
        filled=Quantity(0, made.size.exponent),
        updated=NOW,
    )


def params_of(request: Outbound) -> dict[str, str]:
    """Return a request's parameters, whichever way it goes."""
    if request.method:
        return dict(parse_qsl(urlsplit(request.path).query, strict_parsing=True))
    frame = json.loads(request.body)
    return {name: str(value) for name, value in frame["params"].items()}


class Told(NamedTuple):
    """What one order event says."""

    kind: EventKind
    link: int
    price: int
    size: int
    sequence: int
    aux: int


def told(batch: EventBatch) -> list[Told]:
    """Return what the events of a batch say."""
    return [
        Told(
            EventKind(int(row["kind"])),
            *(int(row[name]) for name in ("link", "price", "size", "sequence", "aux")),
        )
        for row in batch.events
    ]


def answer(
    exchange: BinanceExchange, request: Outbound, content: object, status: int = 200
) -> list[Told]:
    """Reply to a request, the way that it was sent, and return what follows."""
    batch = EventBatch()
    if request.method:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = (("Date", DATE),)
        reply = Reply(status=status, body=body, received=NOW, headers=headers)
        exchange.decode_reply(request, reply, batch)
    else:
        name = "result" if status < 400 else "error"
        frame = {"id": request.tag, "status": status, name: content, "rateLimits": []}
        exchange.decode(json.dumps(frame).encode(), NOW, batch)
    return told(batch)


def hear(exchange: BinanceExchange, event: Mapping[str, object]) -> list[Told]:
    """Decode an event of the account."""
    batch = EventBatch()
    exchange.decode(json.dumps(event).encode(), NOW, batch)
    return told(batch)


def kinds(events: Sequence[Told]) -> list[EventKind]:
    """Return the kinds of events."""
    return [event.kind for event in events]


def price(market: str, text: str) -> Price:
    """Return a price of the market's instrument."""
    return INSTRUMENTS[market].price(text)


def client_id(number: int = 7) -> ClientOrderId:
    """Return the client id of an order of ours."""
    return client_order_id(TAG, number)
