"""Bodies of replies to requests, told apart by what they hold."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import attrs

from bot4_core.domain_types.canonical_types import Nanoseconds
from bot4_core.domain_types.records import EventKind
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_bybit.messages import BookBody, CandleItem, RecentTrade
from bot4_plugins.exchange_bybit.order_decoder import side_of
from bot4_plugins.exchange_bybit.slow_decoder import book_message, candle_event
from bot4_plugins.exchange_bybit.tickers import RATE_EXPONENT
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    draft_message,
    fixed_amount,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import checked_symbol, plain_object, typed
from bot4_plugins.venue_toolkit.time_text import milliseconds_text, nanoseconds_of

__all__ = ["ReplyBody", "ReplyKind", "market_drafts", "read_body", "reply_kind"]

Fields: TypeAlias = Mapping[str, object]
ReplyKind: TypeAlias = str

SHAPES: Final = {
    "metadata": frozenset({"priceFilter"}),
    "orders": frozenset({"orderStatus"}),
    "executions": frozenset({"execId", "execPrice"}),
    "trades": frozenset({"execId", "price"}),
    "funding": frozenset({"fundingRate", "fundingRateTimestamp"}),
    "positions": frozenset({"positionIdx", "size"}),
    "wallet": frozenset({"coin", "totalEquity"}),
}
"""Fields by which the items of a list are known."""
CANDLE_FIELDS: Final = 6


@attrs.frozen(kw_only=True)
class ReplyBody:
    """A reply: code 0 is success, anything else the venue's error."""

    code: str
    text: str
    result: dict[str, object]
    time: Nanoseconds


def read_body(data: bytes | Mapping[str, object]) -> ReplyBody:
    """Read what all replies have.

    Raises
    ------
    DecodeError
        If it is no reply of the venue.
    """
    content = plain_object(data) if isinstance(data, bytes) else data
    code, result = content.get("retCode"), content.get("result") or {}
    if not isinstance(code, int) or not isinstance(result, dict):
        raise DecodeError("neither a topic, nor a reply, nor an acknowledgement")
    time = content.get("time", 0)
    return ReplyBody(
        code=str(code),
        text=str(content.get("retMsg", ""))[:512],
        result=result,
        time=nanoseconds_of(typed(time, int)),
    )


def items_of(result: Fields) -> list[object]:
    """Return a result's list, empty where it has none."""
    found = result.get("list")
    return found if isinstance(found, list) else []


def reply_kind(result: Fields) -> ReplyKind:
    """Say what a result is about, empty for what says nothing of markets, orders or balances."""
    if result.keys() >= {"s", "b", "a", "u"}:
        return "book"
    items = items_of(result)
    first = items[0] if items else None
    if isinstance(first, list):
        return "candles" if "symbol" in result else ""
    if isinstance(first, dict):
        for kind, fields in SHAPES.items():
            if first.keys() >= fields:
                return kind
    return ""


def _book(result: Fields) -> DraftMessage:
    body = typed(dict(result), BookBody)
    time = body.cts if isinstance(body.cts, int) else body.ts
    return book_message(body, nanoseconds_of(time) if isinstance(time, int) else 0, snapshot=True)


def _candles(result: Fields) -> DraftMessage:
    events: list[DraftEvent] = []
    for item in items_of(result):  # newest first
        row = typed(item, list[str])
        if len(row) < CANDLE_FIELDS:
            raise DecodeError(f"a candle of {len(row)} fields")
        start, first, high, low, close, volume = row[:CANDLE_FIELDS]
        body = CandleItem(
            start=milliseconds_text(start) // 1_000_000,
            open=first,
            close=close,
            high=high,
            low=low,
            volume=volume,
            confirm=False,
        )
        events.insert(0, candle_event(body, closed=False))
    return draft_message(checked_symbol(typed(result["symbol"], str)), *events)


def _trades(result: Fields) -> DraftMessage:
    trades = [typed(item, RecentTrade) for item in reversed(items_of(result))]
    events = [
        DraftEvent(
            kind=EventKind.TRADE,
            time=milliseconds_text(trade.time),
            price=price_text(trade.price),
            size=size_text(trade.size, zero=False),
            sequence=number_of_id(trade.exec_id),
            side=int(side_of(trade.side)),
        )
        for trade in trades
    ]
    if len({trade.symbol for trade in trades}) > 1:
        raise DecodeError("trades of several symbols in one reply")
    return draft_message(checked_symbol(trades[0].symbol), *events)


def _funding(result: Fields) -> DraftMessage:
    rows = [typed(item, dict[str, str]) for item in reversed(items_of(result))]
    events = []
    for row in rows:
        time = milliseconds_text(row["fundingRateTimestamp"])
        rate = fixed_amount(row["fundingRate"], "funding rate", RATE_EXPONENT)
        events.append(DraftEvent(kind=EventKind.FUNDING, time=time, price=rate, aux=time))
    if len({row.get("symbol", "") for row in rows}) > 1:
        raise DecodeError("funding rates of several symbols in one reply")
    return draft_message(checked_symbol(rows[0].get("symbol", "")), *events)


_READERS: Final[dict[ReplyKind, Callable[[Fields], DraftMessage]]] = {
    "book": _book,
    "candles": _candles,
    "trades": _trades,
    "funding": _funding,
}


def market_drafts(kind: ReplyKind, result: Fields) -> tuple[DraftMessage, ...]:
    """Read a reply about a market; none for one that is not."""
    reader = _READERS.get(kind)
    return (reader(result),) if reader is not None else ()
