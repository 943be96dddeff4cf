"""The slow, obviously right decoder of market data: what it says a message means is what it means.

The compiled decoder vouches for a part of what this one accepts, and leaves the rest to it.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Final

import attrs

from bot4_core.domain_types.number_text import exponent_of_text
from bot4_core.domain_types.records import EventFlag, EventKind, Side
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_kraken.messages import (
    KrakenBook,
    KrakenCandle,
    KrakenTicker,
    KrakenTrade,
    whole_number,
)
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    PriceText,
    SizeText,
    draft_book,
    draft_message,
    is_zero,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.strict_json import checked_symbol, typed
from bot4_plugins.venue_toolkit.time_text import timestamp_nanoseconds

__all__ = ["MARKET_DATA", "WrittenMessage", "market_data", "side_of"]

LARGEST_CHECKSUM: Final = (1 << 32) - 1
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


@attrs.frozen(kw_only=True)
class WrittenMessage(DraftMessage):
    """A message whose numbers have all decimals of their pair, zeros included."""

    def exponents(self) -> tuple[int, int]:
        """Return the exponents of the last digits written of all prices and of all sizes."""
        found = {PriceText: [0], SizeText: [0]}
        for event in self.events:
            for value in event.values:
                if isinstance(value, PriceText | SizeText):
                    found[type(value)].append(exponent_of_text(value.text))
        return min(found[PriceText]), min(found[SizeText])


def _written(message: DraftMessage) -> WrittenMessage:
    return WrittenMessage(symbol=message.symbol, events=message.events)


def side_of(text: str) -> Side:
    """Read ``buy`` or ``sell``."""
    if text not in SIDES:
        raise DecodeError(f"{text[:80]!r} is no side")
    return SIDES[text]


def _moment(text: str) -> int:
    return timestamp_nanoseconds(text) if text else 0


def _book(content: dict[str, object], kind: str) -> list[DraftMessage]:
    return [
        _one_book(typed(each, KrakenBook), snapshot=kind == "snapshot") for each in _rows(content)
    ]


def _one_book(body: KrakenBook, *, snapshot: bool) -> DraftMessage:
    template = DraftEvent(
        kind=EventKind.BOOK_SET,
        time=_moment(body.timestamp),
        flags=int(EventFlag.SNAPSHOT if snapshot else EventFlag.NONE),
    )
    levels = [
        (side, line.price.text, line.qty.text)
        for side, lines in ((Side.BUY, body.bids), (Side.SELL, body.asks))
        for line in lines
    ]
    message = draft_book(checked_symbol(body.symbol), levels, template, clear=snapshot)
    end = attrs.evolve(
        message.events[-1],
        price=whole_number(body.checksum, "checksum", LARGEST_CHECKSUM),
        flags=message.events[-1].flags | EventFlag.DIGITS_CHECKED,
    )
    return WrittenMessage(symbol=message.symbol, events=(*message.events[:-1], end))


def _trades(content: dict[str, object], kind: str) -> list[DraftMessage]:
    bodies = [typed(each, KrakenTrade) for each in _rows(content)]
    return [
        _written(draft_message(checked_symbol(symbol), *map(_trade, group)))
        for symbol, group in groupby(bodies, lambda body: body.symbol)
    ]


def _trade(body: KrakenTrade) -> DraftEvent:
    return DraftEvent(
        kind=EventKind.TRADE,
        time=timestamp_nanoseconds(body.timestamp),
        price=price_text(body.price.text),
        size=size_text(body.qty.text, zero=False),
        sequence=whole_number(body.trade_id, "trade id"),
        side=int(side_of(body.side)),
    )


def _quotes(content: dict[str, object], kind: str) -> list[DraftMessage]:
    return [_quote(typed(each, KrakenTicker)) for each in _rows(content)]


def _quote(body: KrakenTicker) -> DraftMessage:
    event = DraftEvent(
        kind=EventKind.QUOTE,
        time=_moment(body.timestamp),
        price=price_text(body.bid.text, "bid", zero=True),
        size=size_text(body.bid_qty.text, "bid size"),
        aux=price_text(body.ask.text, "ask", zero=True),
        link=size_text(body.ask_qty.text, "ask size"),
    )
    for price, size in ((body.bid, body.bid_qty), (body.ask, body.ask_qty)):
        if is_zero(price.text) and not is_zero(size.text):
            raise DecodeError(f"size {size.text} on a side without orders")
    return _written(draft_message(checked_symbol(body.symbol), event))


def _candles(content: dict[str, object], kind: str) -> list[DraftMessage]:
    return [_candle(typed(each, KrakenCandle)) for each in _rows(content)]


def _candle(body: KrakenCandle) -> DraftMessage:
    whole_number(body.interval, "interval")
    event = DraftEvent(
        kind=EventKind.CANDLE,
        time=timestamp_nanoseconds(body.interval_begin),
        price=price_text(body.close.text, "close"),
        size=size_text(body.volume.text, "volume"),
        sequence=price_text(body.low.text, "low"),
        aux=price_text(body.open.text, "open"),
        link=price_text(body.high.text, "high"),
    )
    return _written(draft_message(checked_symbol(body.symbol), event))


def _rows(content: dict[str, object]) -> Iterable[object]:
    rows = content.get("data")
    if not isinstance(rows, list) or not rows:
        raise DecodeError("a channel's message without data")
    return rows


MARKET_DATA: Final[dict[str, Callable[[dict[str, object], str], list[DraftMessage]]]] = {
    "book": _book,
    "trade": _trades,
    "ticker": _quotes,
    "ohlc": _candles,
}
"""By channel."""


def market_data(content: dict[str, object], channel: str) -> Sequence[DraftMessage]:
    """Say what a message of one of these channels means.

    Raises
    ------
    DecodeError, PrecisionError, NumberOverflowError
        If it is not as the venue documents it, or has wrong values.
    """
    kind = content.get("type")
    if kind not in ("snapshot", "update"):
        raise DecodeError(f"{channel} of type {kind!r:.80}")
    return MARKET_DATA[channel](content, str(kind))
