"""Bodies of replies about markets, told apart by what they hold."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot4_core.domain_types.records import EventKind
from bot4_core.errors import DecodeError
from bot4_plugins.exchange_okx.messages import BookItem, MarkItem
from bot4_plugins.exchange_okx.slow_decoder import (
    MARK_EXPONENT,
    RATE_EXPONENT,
    book_draft,
    candle_draft,
    trades_of,
)
from bot4_plugins.venue_toolkit.drafts import (
    DraftEvent,
    DraftMessage,
    draft_message,
    fixed_amount,
    price_text,
)
from bot4_plugins.venue_toolkit.strict_json import checked_symbol, typed
from bot4_plugins.venue_toolkit.time_text import milliseconds_text

__all__ = ["market_replies", "shape_of"]

SHAPES: Final = {
    "orders": frozenset({"instId", "ordId", "state", "accFillSz"}),
    "waiting orders": frozenset({"instId", "algoId", "state", "ordType"}),
    "fills": frozenset({"instId", "tradeId", "fillPx", "fillSz", "billId"}),
    "positions": frozenset({"instId", "posSide", "pos", "posId"}),
    "balances": frozenset({"details", "totalEq"}),
    "book": frozenset({"asks", "bids", "ts"}),
    "trades": frozenset({"instId", "tradeId", "px", "sz", "side"}),
    "funding": frozenset({"instId", "fundingRate", "fundingTime", "realizedRate"}),
    "mark": frozenset({"instId", "markPx"}),
    "index": frozenset({"instId", "idxPx"}),
}
"""Fields by which the items of a list are known, the first that fits."""


def shape_of(items: Sequence[object]) -> str:
    """Say what a list is about, empty for what says nothing of markets, orders or balances."""
    first = items[0] if items else None
    if isinstance(first, list):
        return "candles"
    if isinstance(first, dict):
        for shape, fields in SHAPES.items():
            if first.keys() >= fields:
                return shape
    return ""


def _one_symbol(items: Sequence[Mapping[str, object]]) -> str:
    names = {str(item.get("instId")) for item in items}
    if len(names) != 1:
        raise DecodeError("data of several symbols in one reply")
    return checked_symbol(names.pop())


def _rates(items: Sequence[object]) -> DraftMessage:
    rows = [typed(item, dict[str, str]) for item in reversed(items)]
    events = []
    for row in rows:
        settled = milliseconds_text(row["fundingTime"], "funding time")
        rate = fixed_amount(row["fundingRate"], "funding rate", RATE_EXPONENT)
        events.append(DraftEvent(kind=EventKind.FUNDING, time=settled, price=rate, aux=settled))
    return draft_message(_one_symbol(rows), *events)


def _prices(items: Sequence[object], kind: EventKind, name: str) -> list[DraftMessage]:
    drafts = []
    for item in (typed(each, dict[str, object]) for each in items):
        read = typed({**item, "markPx": item[name]}, MarkItem)
        price = fixed_amount(price_text(read.mark_px).text, "price", MARK_EXPONENT)
        event = DraftEvent(kind=kind, time=milliseconds_text(read.ts), price=price)
        drafts.append(draft_message(checked_symbol(read.inst_id), event))
    return drafts


def market_replies(items: Sequence[object], subject: str) -> Sequence[DraftMessage]:
    """Read a reply about markets; none for one that is not.

    Parameters
    ----------
    items : sequence
    subject : str
        What books and candles are of, which do not say so.
    """
    shape = shape_of(items)
    if shape == "book":
        return [book_draft(subject, typed(items[0], BookItem), snapshot=True)]
    if shape == "candles":
        return [candle_draft(subject, list(reversed(items)))]
    if shape == "trades":
        trades = [typed(item, dict[str, object]) for item in items]
        return [trades_of(_one_symbol(trades), list(reversed(items)))]
    if shape == "funding":
        return [_rates(items)]
    if shape == "mark":
        return _prices(items, EventKind.MARK, "markPx")
    return _prices(items, EventKind.INDEX, "idxPx") if shape == "index" else ()
