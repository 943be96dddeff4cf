"""The slow, obviously right decoder: what it says a message means is what the message means.

The compiled decoder vouches for a part of what this one accepts, and leaves the rest to it. JSON
is taken as RFC 8259 has it: UTF-8, no ``NaN``, nothing after the value; a name twice in one object
is a fault. Fields that are not read may hold anything.
"""

from collections.abc import Callable
from typing import Final

import attrs
from msgspec import UNSET, UnsetType

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_binance.messages import (
    AggregateTradeMessage,
    CandleMessage,
    DepthMessage,
    Levels,
    LiquidationMessage,
    MarkMessage,
    QuoteMessage,
    SnapshotMessage,
    TradeMessage,
)
from bot4_plugins.exchange_binance.order_events import side_of
from bot4_plugins.exchange_binance.order_replies import Answer
from bot4_plugins.exchange_binance.order_requests import parse_purpose
from bot4_plugins.exchange_binance.user_stream import ACCOUNT_EVENTS
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    draft_book,
    draft_message,
    fixed_amount,
    is_zero,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.strict_json import (
    checked_count,
    checked_symbol,
    plain_object,
    typed,
)
from bot4_plugins.venue_toolkit.time_text import nanoseconds_of

__all__ = ["AccountEvent", "Acknowledgement", "Metadata", "SlowResult", "decode_slowly"]

MARK_EXPONENT: Final = -8
RATE_EXPONENT: Final = -12
QUOTE_FIELDS: Final = frozenset(QuoteMessage.__struct_fields__) - {"E", "T"}


@attrs.frozen
class Acknowledgement:
    """The venue's answer to a frame: code 0 is an acknowledgement."""

    code: int
    text: str


@attrs.frozen
class Metadata:
    """A body of ``exchangeInfo``, still plain data."""

    content: dict[str, object]


@attrs.frozen
class AccountEvent:
    """An event of the account, still plain data."""

    content: dict[str, object]


SlowResult = DraftMessage | Acknowledgement | Metadata | AccountEvent | Answer


def _nanoseconds(milliseconds: int | UnsetType) -> int:
    if milliseconds is UNSET:
        return 0
    return nanoseconds_of(milliseconds)


def _time(transaction: int | UnsetType, event: int | UnsetType) -> int:
    return _nanoseconds(event if transaction is UNSET else transaction)


def _book(
    symbol: str, sides: tuple[Levels, Levels], template: DraftEvent, *, clear: bool
) -> DraftMessage:
    """Write the levels of both sides, each event with the template's time, ids and flags."""
    levels = [
        (side, price, size)
        for side, rows in zip((Side.BUY, Side.SELL), sides, strict=True)
        for price, size in rows
    ]
    return draft_book(symbol, levels, template, clear=clear)


def _depth(content: object, *, linked: bool) -> DraftMessage:
    message = typed(content, DepthMessage)
    first = checked_count(message.U, "first id")
    last = checked_count(message.u, "last id")
    if first > last:
        raise DecodeError(f"first id {first} is above last id {last}")
    if linked and message.pu is UNSET:
        raise DecodeError("a futures depth message without pu")
    template = DraftEvent(
        kind=EventKind.BOOK_SET,
        time=_time(message.T, message.E),
        sequence=last,
        aux=first,
        link=-1 if message.pu is UNSET else checked_count(message.pu, "previous id"),
    )
    return _book(checked_symbol(message.s), (message.b, message.a), template, clear=False)


def _snapshot(content: object) -> DraftMessage:
    message = typed(content, SnapshotMessage)
    template = DraftEvent(
        kind=EventKind.BOOK_SET,
        time=_time(message.T, message.E),
        sequence=checked_count(message.last_update_id, "last id"),
        flags=int(EventFlag.SNAPSHOT),
    )
    symbol = checked_symbol(message.symbol) if message.symbol else ""
    return _book(symbol, (message.bids, message.asks), template, clear=True)


def _quote(content: object) -> DraftMessage:
    message = typed(content, QuoteMessage)
    event = DraftEvent(
        kind=EventKind.QUOTE,
        time=_time(message.T, message.E),
        price=price_text(message.b, "bid", zero=True),
        size=size_text(message.B, "bid size"),
        sequence=checked_count(message.u, "update id"),
        aux=price_text(message.a, "ask", zero=True),
        link=size_text(message.A, "ask size"),
    )
    for price, size in ((message.b, message.B), (message.a, message.A)):
        if is_zero(price) and not is_zero(size):
            raise DecodeError(f"size {size} on a side without orders")
    return draft_message(checked_symbol(message.s), event)


def _trade(content: object) -> DraftMessage:
    message = typed(content, TradeMessage)
    maker = taker = -1
    if message.a is not UNSET and message.b is not UNSET:
        buyer, seller = checked_count(message.b, "order id"), checked_count(message.a, "order id")
        maker, taker = (buyer, seller) if message.m else (seller, buyer)
    event = DraftEvent(
        kind=EventKind.TRADE,
        time=_time(message.T, message.E),
        price=price_text(message.p),
        size=size_text(message.q, zero=False),
        sequence=checked_count(message.t, "trade id"),
        aux=maker,
        link=taker,
        side=int(Side.SELL if message.m else Side.BUY),
    )
    return draft_message(checked_symbol(message.s), event)


def _aggregate_trade(content: object) -> DraftMessage:
    message = typed(content, AggregateTradeMessage)
    event = DraftEvent(
        kind=EventKind.TRADE,
        time=_time(message.T, message.E),
        price=price_text(message.p),
        size=size_text(message.q, zero=False),
        sequence=checked_count(message.a, "trade id"),
        side=int(Side.SELL if message.m else Side.BUY),
    )
    return draft_message(checked_symbol(message.s), event)


def _mark(content: object) -> DraftMessage:
    message = typed(content, MarkMessage)
    time = _nanoseconds(message.E)
    prices = [(EventKind.MARK, message.p)]
    if message.i:
        prices.append((EventKind.INDEX, message.i))
    events = [
        DraftEvent(
            kind=kind, time=time, price=fixed_amount(price_text(text).text, "price", MARK_EXPONENT)
        )
        for kind, text in prices
    ]
    if message.r:
        rate = fixed_amount(message.r, "funding rate", RATE_EXPONENT)
        settles = _nanoseconds(message.T)
        events.append(DraftEvent(kind=EventKind.FUNDING, time=time, price=rate, aux=settles))
    return draft_message(checked_symbol(message.s), *events)


def _liquidation(content: object) -> DraftMessage:
    body = typed(content, LiquidationMessage).o
    event = DraftEvent(
        kind=EventKind.LIQUIDATION,
        time=nanoseconds_of(body.T),
        price=price_text(body.p),
        size=size_text(body.q, zero=False),
        side=side_of(body.S),
    )
    return draft_message(checked_symbol(body.s), event)


def _candle(content: object) -> DraftMessage:
    message = typed(content, CandleMessage)
    _time(message.T, message.E)
    body = message.k
    event = DraftEvent(
        kind=EventKind.CANDLE,
        time=_nanoseconds(body.t),
        price=price_text(body.c, "close"),
        size=size_text(body.v, "volume"),
        sequence=price_text(body.low, "low"),
        aux=price_text(body.o, "open"),
        link=price_text(body.h, "high"),
        flags=int(EventFlag.CLOSED if body.x else EventFlag.NONE),
    )
    return draft_message(checked_symbol(message.s), event)


_EVENTS: Final[dict[str, Callable[[object], DraftMessage]]] = {
    "bookTicker": _quote,
    "trade": _trade,
    "aggTrade": _aggregate_trade,
    "markPriceUpdate": _mark,
    "kline": _candle,
    "forceOrder": _liquidation,
}


def _event(content: dict[str, object], *, linked: bool) -> DraftMessage | AccountEvent:
    name = content["e"]
    if name == "depthUpdate":
        return _depth(content, linked=linked)
    if isinstance(name, str) and name in ACCOUNT_EVENTS:
        return AccountEvent(content)
    decoder = _EVENTS.get(name) if isinstance(name, str) else None
    if decoder is None:
        raise DecodeError(f"unknown event {name!r:.80}")
    return decoder(content)


def _answer(content: dict[str, object]) -> Answer | None:
    """Read the answer to a request of our own on the WebSocket API."""
    name, status = content.get("id"), content.get("status")
    purpose = parse_purpose(name) if isinstance(name, str) else None
    if purpose is None or not isinstance(status, int):
        return None
    return Answer(purpose, status, content.get("result", content.get("error")), Nanoseconds(0))


def _reply(content: dict[str, object]) -> Acknowledgement | Answer | None:
    """Read an acknowledgement or an error, of a frame or of a request."""
    answer = _answer(content)
    if answer is not None:
        return answer
    error = content.get("error", content)
    if isinstance(error, dict) and isinstance(error.get("code"), int) and "msg" in error:
        return Acknowledgement(error["code"], str(error["msg"])[:512])
    if "id" in content and "result" in content:
        return Acknowledgement(0, str(content["result"])[:512])
    return None


def decode_slowly(data: bytes, *, linked: bool) -> SlowResult:
    """Decode one message.

    Parameters
    ----------
    data : bytes
        A frame, or the body of a reply to a request.
    linked : bool
        Whether depth messages must name their predecessor (futures).

    Raises
    ------
    DecodeError, PrecisionError, NumberOverflowError
        If the message is not one of those that the venue documents, or has wrong values.
    """
    content = plain_object(data)
    if "stream" in content and "data" in content:
        inner = content["data"]
        if not isinstance(content["stream"], str) or not isinstance(inner, dict):
            raise DecodeError("an envelope without stream name and event")
        content = inner
    if "subscriptionId" in content and isinstance(content.get("event"), dict):
        content = typed(content["event"], dict[str, object])
    if "e" in content:
        return _event(content, linked=linked)
    if content.keys() >= QUOTE_FIELDS:
        return _quote(content)
    if "lastUpdateId" in content:
        return _snapshot(content)
    if "symbols" in content and "exchangeFilters" in content:
        return Metadata(content)
    reply = _reply(content)
    if reply is None:
        raise DecodeError("neither event, snapshot, metadata nor reply")
    return reply
