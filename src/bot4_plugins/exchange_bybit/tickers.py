"""Tickers, whose deltas leave out what has not changed: remembered, and made into events."""

from typing import Final

import attrs
from msgspec import UNSET, UnsetType

from bot4_core.domain_types.records import EventKind
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_bybit.messages import TickerBody
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    fixed_amount,
    is_zero,
    price_text,
    size_text,
)
from bot4_plugins.venue_toolkit.time_text import milliseconds_text

__all__ = ["Ticker", "merged", "ticker_events"]

MARK_EXPONENT: Final = -8
RATE_EXPONENT: Final = -12


@attrs.frozen(kw_only=True)
class Ticker:
    """The last words on one contract; empty texts were never said."""

    bid: str = ""
    bid_size: str = ""
    ask: str = ""
    ask_size: str = ""
    rate: str = ""
    settles: str = ""


def _said(text: str | UnsetType, before: str) -> str:
    return before if text is UNSET else text


def merged(before: Ticker, body: TickerBody) -> Ticker:
    """Return the ticker after a message."""
    return Ticker(
        bid=_said(body.bid1_price, before.bid),
        bid_size=_said(body.bid1_size, before.bid_size),
        ask=_said(body.ask1_price, before.ask),
        ask_size=_said(body.ask1_size, before.ask_size),
        rate=_said(body.funding_rate, before.rate),
        settles=_said(body.next_funding_time, before.settles),
    )


def _quote(ticker: Ticker, time: int, sequence: int) -> DraftEvent:
    sides = []
    for price, size, what in (
        (ticker.bid or "0", ticker.bid_size or "0", "bid"),
        (ticker.ask or "0", ticker.ask_size or "0", "ask"),
    ):
        sides.append((price_text(price, what, zero=True), size_text(size, f"{what} size")))
        if is_zero(price) and not is_zero(size):
            raise DecodeError(f"size {size} on a side without orders")
    (bid, bid_size), (ask, ask_size) = sides
    return DraftEvent(
        kind=EventKind.QUOTE,
        time=time,
        price=bid,
        size=bid_size,
        sequence=sequence,
        aux=ask,
        link=ask_size,
    )


def ticker_events(body: TickerBody, now: Ticker, time: int, sequence: int) -> list[DraftEvent]:
    """Return an event for each of quote, mark, index and funding that the message says.

    A quote needs both sides to have been said since the last whole ticker.
    """
    events = []
    sides = (body.bid1_price, body.bid1_size, body.ask1_price, body.ask1_size)
    if any(text is not UNSET for text in sides) and now.bid and now.ask:
        events.append(_quote(now, time, sequence))
    for kind, text in ((EventKind.MARK, body.mark_price), (EventKind.INDEX, body.index_price)):
        if text is not UNSET and text:
            price = fixed_amount(price_text(text).text, "price", MARK_EXPONENT)
            events.append(DraftEvent(kind=kind, time=time, price=price))
    if (body.funding_rate is not UNSET or body.next_funding_time is not UNSET) and now.rate:
        settles = milliseconds_text(now.settles, "next funding time") if now.settles else -1
        rate = fixed_amount(now.rate, "funding rate", RATE_EXPONENT)
        events.append(DraftEvent(kind=EventKind.FUNDING, time=time, price=rate, aux=settles))
    return events
