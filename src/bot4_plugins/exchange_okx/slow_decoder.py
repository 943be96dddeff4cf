"""The slow, obviously right decoder of channels: what it says a message means is what it means."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_okx.messages import (
    BookItem,
    FundingItem,
    IndexItem,
    Levels,
    LiquidationItem,
    MarkItem,
    OkxTradeItem,
    TickerItem,
)
from bot4_plugins.exchange_okx.venue import BOOKS
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
from bot4_plugins.venue_toolkit.id_numbers import number_of_id
from bot4_plugins.venue_toolkit.strict_json import checked_count, checked_symbol, typed
from bot4_plugins.venue_toolkit.time_text import milliseconds_text

__all__ = ["book_draft", "candle_draft", "channel_items", "read_channel", "side_from", "trades_of"]

MARK_EXPONENT: Final = -8
RATE_EXPONENT: Final = -12
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
NO_ID: Final = -1
CANDLE: Final = "candle"
CANDLE_FIELDS: Final = 6
CHECKSUM_LIMIT: Final = 2**31

Drafts = Sequence[DraftMessage]


def side_from(word: str) -> Side:
    """Read a side."""
    if word not in SIDES:
        raise DecodeError(f"side {word[:40]!r} is neither buy nor sell")
    return SIDES[word]


def channel_items(content: Mapping[str, object]) -> list[object]:
    """Return a message's data, which must be some."""
    items = content.get("data")
    if not isinstance(items, list) or not items:
        raise DecodeError("a message without data")
    return items


def _id(value: object, what: str) -> int:
    """Return a sequence id; -1 stands for none."""
    if not isinstance(value, int):
        return NO_ID
    return value if value == NO_ID else checked_count(value, what)


def book_draft(symbol: str, item: BookItem, *, snapshot: bool) -> DraftMessage:
    """Write a book's levels, asks first; a snapshot replaces the book.

    A checksum of 0 says nothing: the venue gave checksums up, and sends sequence ids instead.
    """
    if not -CHECKSUM_LIMIT <= item.checksum < CHECKSUM_LIMIT:
        raise DecodeError(f"checksum {item.checksum} is not one of 32 bits")
    template = DraftEvent(
        kind=EventKind.BOOK_SET,
        time=milliseconds_text(item.ts),
        sequence=_id(item.seq_id, "sequence id"),
        link=_id(item.prev_seq_id, "previous sequence id"),
        flags=int(EventFlag.SNAPSHOT if snapshot else EventFlag.NONE),
    )
    sides: tuple[tuple[Side, Levels], ...] = ((Side.SELL, item.asks), (Side.BUY, item.bids))
    levels = [(side, price, size) for side, rows in sides for price, size, _, _ in rows]
    made = draft_book(symbol, levels, template, clear=snapshot)
    if not item.checksum:
        return made
    *others, end = made.events
    flags = end.flags | EventFlag.PAIRS_CHECKED
    checked = DraftEvent(
        kind=end.kind,
        time=end.time,
        price=item.checksum,
        size=end.size,
        sequence=end.sequence,
        link=end.link,
        flags=flags,
    )
    return DraftMessage(symbol=symbol, events=(*others, checked))


def _books(symbol: str, content: Mapping[str, object]) -> Drafts:
    action = content.get("action", "snapshot")  # of five levels each message is whole
    if action not in ("snapshot", "update"):
        raise DecodeError(f"a book message of action {action!r:.40}")
    (item,) = _only(content)
    return (book_draft(symbol, typed(item, BookItem), snapshot=action == "snapshot"),)


def _only(content: Mapping[str, object]) -> list[object]:
    items = channel_items(content)
    if len(items) != 1:
        raise DecodeError(f"{len(items)} items in a message of one")
    return items


def trades_of(symbol: str, items: Sequence[object]) -> DraftMessage:
    """Write trades of one instrument."""
    events = []
    for item in (typed(each, OkxTradeItem) for each in items):
        if item.inst_id != symbol:
            raise DecodeError(f"a trade of {item.inst_id[:40]!r} in the channel of {symbol!r}")
        events.append(
            DraftEvent(
                kind=EventKind.TRADE,
                time=milliseconds_text(item.ts),
                price=price_text(item.px),
                size=size_text(item.sz, zero=False),
                sequence=number_of_id(item.trade_id),
                side=int(side_from(item.side)),
            )
        )
    return draft_message(symbol, *events)


def _quote(
    symbol: str, time: int, sequence: int, bid: tuple[str, str], ask: tuple[str, str]
) -> Drafts:
    for price, size in (bid, ask):
        if is_zero(price_text(price, zero=True).text) and not is_zero(size_text(size).text):
            raise DecodeError(f"size {size} on a side without orders")
    event = DraftEvent(
        kind=EventKind.QUOTE,
        time=time,
        price=price_text(bid[0], "bid", zero=True),
        size=size_text(bid[1], "bid size"),
        sequence=sequence,
        aux=price_text(ask[0], "ask", zero=True),
        link=size_text(ask[1], "ask size"),
    )
    return (draft_message(symbol, event),)


def _best(symbol: str, content: Mapping[str, object]) -> Drafts:
    (item,) = (typed(each, BookItem) for each in _only(content))
    if len(item.bids) > 1 or len(item.asks) > 1:
        raise DecodeError("more than one level a side in a message of the best")
    bid, ask = ((rows[0][:2] if rows else ("0", "0")) for rows in (item.bids, item.asks))
    sequence = _id(item.seq_id, "sequence id")
    return _quote(symbol, milliseconds_text(item.ts), sequence, bid, ask)


def _ticker(symbol: str, content: Mapping[str, object]) -> Drafts:
    (item,) = (typed(each, TickerItem) for each in _only(content))
    _same(item.inst_id, symbol)
    bid, ask = (item.bid_px or "0", item.bid_sz or "0"), (item.ask_px or "0", item.ask_sz or "0")
    return _quote(symbol, milliseconds_text(item.ts), NO_ID, bid, ask)


def _same(name: str, symbol: str) -> None:
    if name != symbol:
        raise DecodeError(f"data of {name[:40]!r} in the channel of {symbol[:40]!r}")


def _mark(symbol: str, content: Mapping[str, object]) -> Drafts:
    (item,) = (typed(each, MarkItem) for each in _only(content))
    _same(item.inst_id, symbol)
    price = fixed_amount(price_text(item.mark_px).text, "mark price", MARK_EXPONENT)
    event = DraftEvent(kind=EventKind.MARK, time=milliseconds_text(item.ts), price=price)
    return (draft_message(symbol, event),)


def _funding(symbol: str, content: Mapping[str, object]) -> Drafts:
    (item,) = (typed(each, FundingItem) for each in _only(content))
    _same(item.inst_id, symbol)
    event = DraftEvent(
        kind=EventKind.FUNDING,
        time=milliseconds_text(item.ts) if item.ts else 0,
        price=fixed_amount(item.funding_rate, "funding rate", RATE_EXPONENT),
        aux=milliseconds_text(item.funding_time, "funding time"),
    )
    return (draft_message(symbol, event),)


def candle_draft(symbol: str, rows: Sequence[object]) -> DraftMessage:
    """Write candles: time, open, high, low, close, volume, more, and whether it is final."""
    events = []
    for row in (typed(each, list[str]) for each in rows):
        if len(row) <= CANDLE_FIELDS:
            raise DecodeError(f"a candle of {len(row)} fields")
        start, first, high, low, close, volume = row[:CANDLE_FIELDS]
        events.append(
            DraftEvent(
                kind=EventKind.CANDLE,
                time=milliseconds_text(start),
                price=price_text(close, "close"),
                size=size_text(volume, "volume"),
                sequence=price_text(low, "low"),
                aux=price_text(first, "open"),
                link=price_text(high, "high"),
                flags=int(EventFlag.CLOSED if row[-1] == "1" else EventFlag.NONE),
            )
        )
    return draft_message(symbol, *events)


def _liquidations(content: Mapping[str, object]) -> Drafts:
    drafts = []
    for item in (typed(each, LiquidationItem) for each in channel_items(content)):
        events = [
            DraftEvent(
                kind=EventKind.LIQUIDATION,
                time=milliseconds_text(each.ts),
                price=price_text(each.bk_px),
                size=size_text(each.sz, zero=False),
                side=int(side_from(each.side)),
            )
            for each in item.details
        ]
        if events:
            drafts.append(draft_message(checked_symbol(item.inst_id), *events))
    return drafts


def _index(content: Mapping[str, object], followers: Callable[[str], Sequence[str]]) -> Drafts:
    (item,) = (typed(each, IndexItem) for each in _only(content))
    price = fixed_amount(price_text(item.idx_px).text, "index price", MARK_EXPONENT)
    event = DraftEvent(kind=EventKind.INDEX, time=milliseconds_text(item.ts), price=price)
    return [draft_message(symbol, event) for symbol in followers(checked_symbol(item.inst_id))]


_CHANNELS: Final[dict[str, Callable[[str, Mapping[str, object]], Drafts]]] = {
    **dict.fromkeys(BOOKS, _books),
    "bbo-tbt": _best,
    "trades": lambda symbol, content: (trades_of(symbol, channel_items(content)),),
    "trades-all": lambda symbol, content: (trades_of(symbol, channel_items(content)),),
    "tickers": _ticker,
    "mark-price": _mark,
    "funding-rate": _funding,
}


def read_channel(
    content: Mapping[str, object], followers: Callable[[str], Sequence[str]]
) -> Drafts:
    """Read a message of a public channel.

    Parameters
    ----------
    content : mapping
    followers : callable
        Returns the symbols that an index is of.

    Raises
    ------
    DecodeError, PrecisionError, NumberOverflowError
        If the message is not one of those that the venue documents, or has wrong values.
    """
    subject = typed(content.get("arg"), dict[str, str])
    channel = subject.get("channel", "")
    if channel == "liquidation-orders":
        return _liquidations(content)
    if channel == "index-tickers":
        return _index(content, followers)
    symbol = checked_symbol(subject.get("instId", ""))
    if channel.startswith(CANDLE):
        return (candle_draft(symbol, channel_items(content)),)
    if channel not in _CHANNELS:
        raise DecodeError(f"unknown channel {channel[:40]!r}")
    return _CHANNELS[channel](symbol, content)
