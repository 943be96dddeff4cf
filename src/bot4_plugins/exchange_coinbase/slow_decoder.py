"""The slow, obviously right decoder of market data: what it says a message means is what it means.

The compiled decoder vouches for a part of what this one accepts, and leaves the rest to it.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Final, TypeVar

import msgspec

from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError
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
from bot4_plugins.venue_toolkit.time_text import timestamp_nanoseconds

__all__ = ["MARKET_DATA", "CoinbaseFrame", "frame_of", "market_data"]

T = TypeVar("T")
IN_SECOND: Final = 1_000_000_000
SIDES: Final = {"bid": Side.BUY, "offer": Side.SELL}
TAKERS: Final = {"BUY": Side.SELL, "SELL": Side.BUY}
"""The side that is sent is the maker's."""


class CoinbaseFrame(msgspec.Struct):
    """What every frame has."""

    channel: str
    timestamp: str
    sequence_num: int
    events: list[dict[str, object]]


class _Level(msgspec.Struct):
    side: str
    price_level: str
    new_quantity: str


class _Book(msgspec.Struct):
    type: str
    product_id: str
    updates: list[_Level]


class _Trade(msgspec.Struct):
    product_id: str
    trade_id: str
    price: str
    size: str
    time: str
    side: str


class _Trades(msgspec.Struct):
    type: str
    trades: list[_Trade]


class _Ticker(msgspec.Struct):
    product_id: str
    best_bid: str = "0"
    best_ask: str = "0"
    best_bid_quantity: str = "0"
    best_ask_quantity: str = "0"


class _Tickers(msgspec.Struct):
    tickers: list[_Ticker]


class _Candle(msgspec.Struct):
    product_id: str
    start: str
    open: str
    high: str
    low: str
    close: str
    volume: str


class _Candles(msgspec.Struct):
    candles: list[_Candle]


def frame_of(content: object) -> CoinbaseFrame:
    """Read a frame's head."""
    frame = typed(content, CoinbaseFrame)
    checked_count(frame.sequence_num, "frame number")
    return frame


def _known(table: dict[str, Side], text: str) -> Side:
    if text not in table:
        raise DecodeError(f"{text[:80]!r} is no side")
    return table[text]


def _is_snapshot(kind: str) -> bool:
    if kind not in ("snapshot", "update"):
        raise DecodeError(f"an event of type {kind[:80]!r}")
    return kind == "snapshot"


def _book(frame: CoinbaseFrame) -> Iterable[DraftMessage]:
    time = timestamp_nanoseconds(frame.timestamp)
    for each in frame.events:
        body = typed(each, _Book)
        clear = _is_snapshot(body.type)
        flags = int(EventFlag.SNAPSHOT if clear else EventFlag.NONE)
        template = DraftEvent(kind=EventKind.BOOK_SET, time=time, flags=flags)
        levels = [
            (_known(SIDES, level.side), level.price_level, level.new_quantity)
            for level in body.updates
        ]
        yield draft_book(checked_symbol(body.product_id), levels, template, clear=clear)


def _trades(frame: CoinbaseFrame) -> Iterable[DraftMessage]:
    """Give the oldest trade first; a snapshot's are from before the subscription, and are left."""
    timestamp_nanoseconds(frame.timestamp)
    for each in frame.events:
        body = typed(each, _Trades)
        events = [(checked_symbol(trade.product_id), _trade(trade)) for trade in body.trades[::-1]]
        if _is_snapshot(body.type):
            continue
        for symbol, group in groupby(events, lambda event: event[0]):
            yield draft_message(symbol, *(event for _, event in group))


def _trade(trade: _Trade) -> DraftEvent:
    return DraftEvent(
        kind=EventKind.TRADE,
        time=timestamp_nanoseconds(trade.time),
        price=price_text(trade.price),
        size=size_text(trade.size, zero=False),
        sequence=number_of_id(trade.trade_id),
        side=int(_known(TAKERS, trade.side)),
    )


def _quotes(frame: CoinbaseFrame) -> Iterable[DraftMessage]:
    time = timestamp_nanoseconds(frame.timestamp)
    for each in frame.events:
        for ticker in typed(each, _Tickers).tickers:
            event = DraftEvent(
                kind=EventKind.QUOTE,
                time=time,
                price=price_text(ticker.best_bid or "0", "bid", zero=True),
                size=size_text(ticker.best_bid_quantity or "0", "bid size"),
                aux=price_text(ticker.best_ask or "0", "ask", zero=True),
                link=size_text(ticker.best_ask_quantity or "0", "ask size"),
            )
            yield draft_message(checked_symbol(ticker.product_id), event)


def _candles(frame: CoinbaseFrame) -> Iterable[DraftMessage]:
    for each in frame.events:
        for candle in typed(each, _Candles).candles:
            if not (candle.start.isascii() and candle.start.isdigit() and len(candle.start) < 12):
                raise DecodeError(f"start {candle.start[:80]!r} is no number of seconds")
            event = DraftEvent(
                kind=EventKind.CANDLE,
                time=checked_count(int(candle.start) * IN_SECOND, "start"),
                price=price_text(candle.close, "close"),
                size=size_text(candle.volume, "volume"),
                sequence=price_text(candle.low, "low"),
                aux=price_text(candle.open, "open"),
                link=price_text(candle.high, "high"),
            )
            yield draft_message(checked_symbol(candle.product_id), event)


MARKET_DATA: Final[dict[str, Callable[[CoinbaseFrame], Iterable[DraftMessage]]]] = {
    "l2_data": _book,
    "market_trades": _trades,
    "ticker": _quotes,
    "ticker_batch": _quotes,
    "candles": _candles,
}
"""By channel."""


def market_data(frame: CoinbaseFrame) -> Sequence[DraftMessage]:
    """Say what a frame of one of these channels means.

    Raises
    ------
    DecodeError, PrecisionError, NumberOverflowError
        If it is not as the venue documents it, or has wrong values.
    """
    return [*MARKET_DATA[frame.channel](frame)]
