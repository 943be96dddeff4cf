"""The slow, obviously right decoder of topics: what it says a message means is what it means."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs

from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_bybit.messages import (
    BookBody,
    CandleItem,
    LiquidationBody,
    StatusBody,
    TickerBody,
    TradeBody,
)
from bot4_plugins.exchange_bybit.order_decoder import side_of
from bot4_plugins.exchange_bybit.tickers import Ticker, merged, ticker_events
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    draft_book,
    draft_message,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import checked_count, checked_symbol, typed
from bot4_plugins.venue_toolkit.time_text import nanoseconds_of

__all__ = ["PublicMessage", "VenueNotice", "book_message", "candle_event", "read_topic"]

OPTIONS: Final = ("-C", "-P")
PRODUCTS: Final = {1: ("linear", "inverse"), 2: ("spot",)}
TRADING_SERVICES: Final = frozenset({1, 2, 3})


@attrs.frozen
class VenueNotice:
    """A maintenance: ``scheduled``, ``ongoing``, ``completed`` or ``canceled``, and of what."""

    state: str
    markets: tuple[str, ...]
    time: int


@attrs.frozen(kw_only=True)
class PublicMessage:
    """What a topic's message means.

    Parameters
    ----------
    drafts : tuple of DraftMessage
    tickers : dict of str to Ticker
        To remember.
    notices : tuple of VenueNotice
    """

    drafts: tuple[DraftMessage, ...] = ()
    tickers: dict[str, Ticker] = attrs.field(factory=dict)
    notices: tuple[VenueNotice, ...] = ()


Content = Mapping[str, object]


def _list(content: object) -> list[object]:
    if not isinstance(content, list) or not content:
        raise DecodeError("a message without a list of data")
    return content


def _of_topic(symbol: str, topic: str) -> str:
    if symbol != topic:
        raise DecodeError(f"data of {symbol[:40]!r} in the topic of {topic[:40]!r}")
    return checked_symbol(symbol)


def book_message(body: BookBody, time: int, *, snapshot: bool) -> DraftMessage:
    """Write a book's levels; a snapshot replaces the book."""
    template = DraftEvent(
        kind=EventKind.BOOK_SET,
        time=time,
        sequence=checked_count(body.u, "update id"),
        flags=int(EventFlag.SNAPSHOT if snapshot else EventFlag.NONE),
    )
    levels = [
        (side, price, size)
        for side, rows in ((Side.BUY, body.b), (Side.SELL, body.a))
        for price, size in rows
    ]
    return draft_book(checked_symbol(body.s), levels, template, clear=snapshot)


def _book(content: Content, symbol: str, _: Mapping[str, Ticker]) -> PublicMessage:
    body = typed(content.get("data"), BookBody)
    _of_topic(body.s, symbol)
    kind = content.get("type")
    if kind not in ("snapshot", "delta"):
        raise DecodeError(f"a book message of type {kind!r:.40}")
    sent, matched = content.get("ts"), content.get("cts")
    time = typed(sent if matched is None else matched, int)
    if sent is not None:
        nanoseconds_of(typed(sent, int))
    return PublicMessage(
        drafts=(book_message(body, nanoseconds_of(time), snapshot=kind == "snapshot"),)
    )


def _trades(content: Content, symbol: str, _: Mapping[str, Ticker]) -> PublicMessage:
    events = []
    for body in (typed(item, TradeBody) for item in _list(content.get("data"))):
        _of_topic(body.s, symbol)
        events.append(
            DraftEvent(
                kind=EventKind.TRADE,
                time=nanoseconds_of(body.T),
                price=price_text(body.p),
                size=size_text(body.v, zero=False),
                sequence=number_of_id(body.i),
                side=int(side_of(body.S)),
            )
        )
    return PublicMessage(drafts=(draft_message(symbol, *events),))


def _ticker(content: Content, symbol: str, known: Mapping[str, Ticker]) -> PublicMessage:
    body = typed(content.get("data"), TickerBody)
    _of_topic(body.symbol, symbol)
    time = nanoseconds_of(typed(content.get("ts"), int))
    sequence = content.get("cs", -1)
    kind = content.get("type")
    if kind not in ("snapshot", "delta"):
        raise DecodeError(f"a ticker of type {kind!r:.40}")
    before = known.get(symbol, Ticker()) if kind == "delta" else Ticker()
    now = merged(before, body)
    events = ticker_events(body, now, time, typed(sequence, int))
    drafts = (draft_message(symbol, *events),) if events else ()
    return PublicMessage(drafts=drafts, tickers={symbol: now})


def candle_event(body: CandleItem, *, closed: bool) -> DraftEvent:
    """Write a candle."""
    return DraftEvent(
        kind=EventKind.CANDLE,
        time=nanoseconds_of(body.start),
        price=price_text(body.close, "close"),
        size=size_text(body.volume, "volume"),
        sequence=price_text(body.low, "low"),
        aux=price_text(body.open, "open"),
        link=price_text(body.high, "high"),
        flags=int(EventFlag.CLOSED if closed else EventFlag.NONE),
    )


def _candles(content: Content, symbol: str, _: Mapping[str, Ticker]) -> PublicMessage:
    bodies = [typed(item, CandleItem) for item in _list(content.get("data"))]
    events = [candle_event(body, closed=body.confirm) for body in bodies]
    return PublicMessage(drafts=(draft_message(symbol, *events),))


def _liquidations(content: Content, symbol: str, _: Mapping[str, Ticker]) -> PublicMessage:
    events = []
    for body in (typed(item, LiquidationBody) for item in _list(content.get("data"))):
        _of_topic(body.s, symbol)
        events.append(
            DraftEvent(
                kind=EventKind.LIQUIDATION,
                time=nanoseconds_of(body.T),
                price=price_text(body.p),
                size=size_text(body.v, zero=False),
                side=-int(side_of(body.S)),  # a long position is closed by a sale
            )
        )
    return PublicMessage(drafts=(draft_message(symbol, *events),))


def _notices(items: Iterable[object], time: int) -> PublicMessage:
    notices = []
    for body in (typed(item, StatusBody) for item in items):
        markets = [market for number in body.product for market in PRODUCTS.get(number, ())]
        if TRADING_SERVICES & set(body.service_types):
            notices.append(VenueNotice(body.state, tuple(markets), time))
    return PublicMessage(notices=tuple(notices))


Reader = Callable[[Content, str, Mapping[str, Ticker]], PublicMessage]
_TOPICS: Final[dict[str, tuple[int, Reader]]] = {
    "orderbook": (2, _book),
    "publicTrade": (1, _trades),
    "trade": (2, _trades),  # the name that some mirrors of the venue give it
    "tickers": (1, _ticker),
    "kline": (2, _candles),
    "allLiquidation": (1, _liquidations),
}
"""Words before the symbol in a topic's name, and who reads its messages."""


def read_topic(content: Content, known: Mapping[str, Ticker]) -> PublicMessage:
    """Read a message of a public topic.

    Parameters
    ----------
    content : mapping
    known : mapping of str to Ticker
        What tickers said so far.

    Raises
    ------
    DecodeError, PrecisionError, NumberOverflowError
        If the message is not one of those that the venue documents, or has wrong values.
    """
    topic = content.get("topic")
    if not isinstance(topic, str):
        raise DecodeError("the topic is no text")
    if topic == "system.status":
        sent = nanoseconds_of(typed(content.get("ts"), int))
        return _notices(_list(content.get("data")), sent)
    head = topic.partition(".")[0]
    if head not in _TOPICS:
        raise DecodeError(f"unknown topic {topic[:80]!r}")
    words, reader = _TOPICS[head]
    parts = topic.split(".", words)
    if len(parts) <= words or parts[-1].endswith(OPTIONS):
        raise DecodeError(f"topic {topic[:80]!r} names no instrument of this market")
    return reader(content, checked_symbol(parts[-1]), known)
